//! Placing text: measuring, breaking into lines, shrinking until it fits.

use crate::fonts::{OpenFonts, Shape};
use crate::model::{Colour, Item, Page, Tag, Text, Um};

/// From one base line to the next, in thousandths of the size.
const LEADING: Um = 1_220;
/// From the upper edge of a line to its base line, in thousandths of the size.
const ASCENT: Um = 940;
/// Sizes to try, largest first.
const SIZES: [Um; 6] = [3_175, 2_900, 2_600, 2_300, 2_000, 1_750];
/// The last of the usual sizes.
const SIZE_MIN: Um = 1_500;
/// No text needs to be smaller: a thousand characters as wide as an em fit into every area.
const SIZE_LEAST: Um = 300;

/// An area of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) x: Um,
    pub(crate) y: Um,
    pub(crate) width: Um,
    pub(crate) height: Um,
}

/// Where a line of text stands between the left and the right of its area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Centre,
    Right,
}

/// Text broken into lines at a size.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    lines: Vec<Vec<Shape>>,
    size: Um,
}

impl Block {
    pub(crate) fn height(&self) -> Um {
        let lines = Um::try_from(self.lines.len()).unwrap_or(Um::MAX);
        lines.saturating_mul(leading(self.size))
    }
}

/// From one base line to the next.
pub(crate) fn leading(size: Um) -> Um {
    size * LEADING / 1_000
}

/// Draws on one page.
pub(crate) struct Pen<'p, 'f> {
    pub(crate) fonts: &'p mut OpenFonts<'f>,
    pub(crate) page: &'p mut Page,
}

/// Breaks text at a width. A line ends where it is full; Latin words and figures are kept whole
/// where they fit on a line.
pub(crate) fn break_lines(fonts: &mut OpenFonts<'_>, text: &str, size: Um, width: Um) -> Block {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line: Vec<Shape> = Vec::new();
        let mut used = 0;
        let mut word_from = 0;
        for character in paragraph.chars().map(printable) {
            let shape = fonts.shape(character);
            let advance = shape.width(size);
            if used + advance > width && !line.is_empty() {
                let keeps = is_of_word(character) && word_from > 0 && word_from < line.len();
                let rest = if keeps {
                    line.split_off(word_from)
                } else {
                    Vec::new()
                };
                lines.push(std::mem::replace(&mut line, rest));
                used = line.iter().map(|shape| shape.width(size)).sum();
                word_from = 0;
            }
            line.push(shape);
            used += advance;
            if !is_of_word(character) {
                word_from = line.len();
            }
        }
        lines.push(line);
    }
    Block { lines, size }
}

/// What keeps a word or a figure together.
fn is_of_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | ',' | '-' | '¥' | '%')
}

/// White space of any kind is printed as a blank.
fn printable(character: char) -> char {
    if character.is_whitespace() || character.is_control() {
        ' '
    } else {
        character
    }
}

/// Breaks text at the largest size at which it fits into width and height. Below the usual sizes
/// line feeds no longer break lines, and the size shrinks until the text fits.
pub(crate) fn fit(
    fonts: &mut OpenFonts<'_>,
    text: &str,
    width: Um,
    height: Um,
    size_max: Um,
) -> Block {
    let usual = SIZES.into_iter().filter(|size| *size < size_max);
    for size in std::iter::once(size_max).chain(usual) {
        let block = break_lines(fonts, text, size, width);
        if block.height() <= height {
            return block;
        }
    }
    let text = text.replace('\n', " ");
    let mut size = SIZE_MIN.min(size_max);
    loop {
        let block = break_lines(fonts, &text, size, width);
        if block.height() <= height || size < SIZE_LEAST {
            return block;
        }
        size = size * 9 / 10;
    }
}

impl Pen<'_, '_> {
    /// Draws a block, its first line at the top of the area.
    pub(crate) fn block(
        &mut self,
        block: &Block,
        area: Area,
        align: Align,
        colour: Colour,
        tag: Option<Tag>,
    ) {
        for (line, y) in block.lines.iter().zip(0..) {
            let width: Um = line.iter().map(|shape| shape.width(block.size)).sum();
            let x = match align {
                Align::Left => area.x,
                Align::Centre => area.x + (area.width - width) / 2,
                Align::Right => area.x + area.width - width,
            };
            let y = area.y + y * leading(block.size) + block.size * ASCENT / 1_000;
            self.run(line, (x, y), block.size, colour, tag);
        }
    }

    /// Draws text that fits into an area, in the middle of its height.
    pub(crate) fn centred(
        &mut self,
        text: &str,
        area: Area,
        align: Align,
        size: Um,
        colour: Colour,
        tag: Option<Tag>,
    ) {
        let block = fit(self.fonts, text, area.width, area.height, size);
        let above = (area.height - block.height()).max(0) / 2;
        let area = Area {
            y: area.y + above,
            ..area
        };
        self.block(&block, area, align, colour, tag);
    }

    /// Draws one line from a point on; it gives the place where it ends.
    pub(crate) fn line_at(
        &mut self,
        text: &str,
        at: (Um, Um),
        size: Um,
        colour: Colour,
        tag: Option<Tag>,
    ) -> Um {
        let shapes: Vec<Shape> = text
            .chars()
            .map(|character| self.fonts.shape(printable(character)))
            .collect();
        self.run(&shapes, at, size, colour, tag);
        at.0 + shapes.iter().map(|shape| shape.width(size)).sum::<Um>()
    }

    /// The characters of a label from top to bottom, in the middle of an area.
    pub(crate) fn vertical(&mut self, label: &str, area: Area, size: Um, colour: Colour) {
        let count = Um::try_from(label.chars().count()).unwrap_or(1).max(1);
        let step = (area.height / count).min(leading(size));
        let top = area.y + (area.height - step * count) / 2;
        for (character, row) in label.chars().zip(0..) {
            let line = Area {
                x: area.x,
                y: top + row * step,
                width: area.width,
                height: step,
            };
            let mut buffer = [0; 4];
            let text = character.encode_utf8(&mut buffer);
            let block = break_lines(self.fonts, text, size, area.width);
            self.block(&block, line, Align::Centre, colour, None);
        }
    }

    fn run(&mut self, line: &[Shape], at: (Um, Um), size: Um, colour: Colour, tag: Option<Tag>) {
        let mut x = at.0;
        for run in line.chunk_by(|one, other| one.face == other.face) {
            let Some(first) = run.first() else { continue };
            let text = Text {
                x,
                y: at.1,
                size,
                colour,
                face: first.face,
                content: run.iter().map(|shape| shape.character).collect(),
                advances: run.iter().map(|shape| shape.width(size)).collect(),
                tag,
            };
            x += text.width();
            if !text.content.trim().is_empty() {
                self.page.items.push(Item::Text(text));
            }
        }
    }

    /// A straight line.
    pub(crate) fn rule(&mut self, from: (Um, Um), to: (Um, Um), colour: Colour) {
        self.page.items.push(Item::Line {
            from,
            to,
            width: 250,
            colour,
        });
    }

    /// The four edges of an area.
    pub(crate) fn frame(&mut self, area: Area, colour: Colour) {
        let (right, bottom) = (area.x + area.width, area.y + area.height);
        self.rule((area.x, area.y), (right, area.y), colour);
        self.rule((right, area.y), (right, bottom), colour);
        self.rule((right, bottom), (area.x, bottom), colour);
        self.rule((area.x, bottom), (area.x, area.y), colour);
    }
}

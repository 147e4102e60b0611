//! One page as text objects and path objects (GB/T 33190 clauses 9 and 11).

use std::fmt::Write as _;

use super::Ids;
use super::parts::{HEAD, SPACE};
use crate::html::mm;
use crate::model::{Colour, Item, Page, Tag, Text, Um};
use crate::qr::QrCode;
use crate::source::Layout;
use crate::xml::escape;

/// A text object that has a tag.
pub(crate) struct Tagged {
    pub(crate) tag: Tag,
    pub(crate) page: u32,
    pub(crate) object: u32,
}

/// `Content.xml` of a page.
pub(crate) fn content(
    layout: &Layout,
    page: &Page,
    page_id: u32,
    font: u32,
    ids: &mut Ids,
    tagged: &mut Vec<Tagged>,
) -> String {
    let mut xml = format!(
        "{HEAD}<ofd:Page {SPACE}><ofd:Area><ofd:PhysicalBox>0 0 {} {}</ofd:PhysicalBox></ofd:Area>\
         <ofd:Content><ofd:Layer ID=\"{}\" Type=\"Body\">",
        mm(page.width),
        mm(page.height),
        ids.next(),
    );
    for item in &page.items {
        let id = ids.next();
        match item {
            Item::Text(text) => {
                write_text(text, id, font, &mut xml);
                tagged.extend(text.tag.map(|tag| Tagged {
                    tag,
                    page: page_id,
                    object: id,
                }));
            }
            Item::Line {
                from,
                to,
                width,
                colour,
            } => write_line(*from, *to, *width, *colour, id, &mut xml),
            Item::Qr { x, y, size } => {
                if let Some(qr) = &layout.qr {
                    write_code(qr, (*x, *y), *size, id, &mut xml);
                }
            }
        }
    }
    xml.push_str("</ofd:Layer></ofd:Content></ofd:Page>\n");
    xml
}

fn colour(colour: Colour) -> String {
    format!("{} {} {}", colour.0, colour.1, colour.2)
}

fn write_text(text: &Text, id: u32, font: u32, xml: &mut String) {
    let top = text.y - text.size;
    let _ = write!(
        xml,
        "<ofd:TextObject ID=\"{id}\" Boundary=\"{} {} {} {}\" Font=\"{font}\" Size=\"{}\">\
         <ofd:FillColor Value=\"{}\"/><ofd:TextCode X=\"0\" Y=\"{}\"{}>{}</ofd:TextCode>\
         </ofd:TextObject>",
        mm(text.x),
        mm(top),
        mm(text.width() + text.size / 4),
        mm(text.size * 4 / 3),
        mm(text.size),
        colour(text.colour),
        mm(text.size),
        deltas(&text.advances),
        escape(&text.content),
    );
}

/// From each character to the next: equal steps are written once, with their number.
fn deltas(advances: &[Um]) -> String {
    let steps = advances.get(..advances.len().saturating_sub(1));
    let steps = steps.unwrap_or_default();
    if steps.is_empty() {
        return String::new();
    }
    let mut parts = Vec::new();
    for run in steps.chunk_by(|one, other| one == other) {
        let step = run.first().map(|step| mm(*step)).unwrap_or_default();
        match run.len() {
            1 => parts.push(step),
            count => parts.push(format!("g {count} {step}")),
        }
    }
    format!(" DeltaX=\"{}\"", parts.join(" "))
}

fn write_line(from: (Um, Um), to: (Um, Um), width: Um, line: Colour, id: u32, xml: &mut String) {
    let (left, top) = (from.0.min(to.0) - width, from.1.min(to.1) - width);
    let (right, bottom) = (from.0.max(to.0) + width, from.1.max(to.1) + width);
    // Some readers take the colour of a line from where areas have theirs, as tax OFDs write both.
    let line = colour(line);
    let _ = write!(
        xml,
        "<ofd:PathObject ID=\"{id}\" Boundary=\"{} {} {} {}\" LineWidth=\"{}\">\
         <ofd:StrokeColor Value=\"{line}\"/><ofd:FillColor Value=\"{line}\"/>\
         <ofd:AbbreviatedData>M {} {} L {} {}</ofd:AbbreviatedData></ofd:PathObject>",
        mm(left),
        mm(top),
        mm(right - left),
        mm(bottom - top),
        mm(width),
        mm(from.0 - left),
        mm(from.1 - top),
        mm(to.0 - left),
        mm(to.1 - top),
    );
}

/// All dark modules as one path: a stroke as thick as a module for each run. Every reader strokes;
/// some do not fill.
fn write_code(qr: &QrCode, at: (Um, Um), size: Um, id: u32, xml: &mut String) {
    // At most 57 modules: nothing is lost in these conversions.
    let width = i64::try_from(qr.width()).unwrap_or(1).max(1);
    let half = |halves: usize| {
        let halves = i64::try_from(halves).unwrap_or_default();
        mm(Um::try_from(i64::from(size) * halves / (2 * width)).unwrap_or_default())
    };
    let mut path = String::new();
    for (row, column, length) in qr.runs() {
        let (left, right) = (half(2 * column), half(2 * (column + length)));
        let middle = half(2 * row + 1);
        let _ = write!(path, "M {left} {middle} L {right} {middle} ");
    }
    let _ = write!(
        xml,
        "<ofd:PathObject ID=\"{id}\" Boundary=\"{} {} {} {}\" LineWidth=\"{}\" Cap=\"Butt\">\
         <ofd:StrokeColor Value=\"0 0 0\"/><ofd:FillColor Value=\"0 0 0\"/>\
         <ofd:AbbreviatedData>{}</ofd:AbbreviatedData></ofd:PathObject>",
        mm(at.0),
        mm(at.1),
        mm(size),
        mm(size),
        half(2),
        path.trim_end(),
    );
}

#[cfg(test)]
mod tests {
    use super::deltas;

    #[test]
    fn equal_steps_are_written_once() {
        assert_eq!(deltas(&[1_000]), "");
        assert_eq!(
            deltas(&[1_590, 1_590, 1_590, 3_175]),
            " DeltaX=\"g 3 1.59\""
        );
        assert_eq!(
            deltas(&[1_590, 3_175, 3_175, 1_590, 1_590]),
            " DeltaX=\"1.59 g 2 3.175 1.59\""
        );
    }
}

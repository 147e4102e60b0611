//! The pages as PDF/A-3u: text that can be searched and copied, the QR code as vectors, record and
//! receipt as embedded files.

use krilla::color::rgb;
use krilla::configure::{Archival, ConfigurationBuilder};
use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
use krilla::geom::{Path, PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::text::{GlyphId, KrillaGlyph};
use krilla::{Document, SerializeSettings};

use crate::model::{Colour, Item, Text, Um};
use crate::qr::QrCode;
use crate::source::{Layout, Wording};

/// The file could not be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("PDF 无法生成 / the PDF could not be written: {0}")]
pub struct PdfError(String);

impl Layout {
    /// The pages as a PDF file.
    ///
    /// # Errors
    /// [`PdfError`] when a font cannot be embedded or a rule of PDF/A-3u is not kept; neither
    /// happens with the built-in font.
    pub fn pdf(&self) -> Result<Vec<u8>, PdfError> {
        let configuration = ConfigurationBuilder::new()
            .with_archival_validator(Archival::A3_U)
            .finish()
            .map_err(|error| PdfError(format!("{error:?}")))?;
        let mut document = Document::new_with(SerializeSettings {
            configuration,
            enable_tagging: false,
            ..SerializeSettings::default()
        });
        let open = self.fonts.open();
        for page in &self.pages {
            let settings = PageSettings::from_wh(points(page.width), points(page.height))
                .ok_or_else(|| PdfError("page".to_owned()))?;
            let mut sheet = document.start_page_with(settings);
            let mut surface = sheet.surface();
            for item in &page.items {
                match item {
                    Item::Text(text) => self.draw_text(&mut surface, text, &open)?,
                    Item::Line {
                        from,
                        to,
                        width,
                        colour,
                    } => draw_line(&mut surface, *from, *to, *width, *colour),
                    Item::Qr { x, y, size } => {
                        if let Some(path) =
                            self.qr.as_ref().and_then(|qr| modules(qr, *x, *y, *size))
                        {
                            surface.set_fill(Some(fill(Colour::BLACK)));
                            surface.set_stroke(None);
                            surface.draw_path(&path);
                        }
                    }
                }
            }
            surface.finish();
            sheet.finish();
        }
        self.attach(&mut document)?;
        document.set_metadata(self.metadata());
        document
            .finish()
            .map_err(|error| PdfError(format!("{error:?}")))
    }

    fn draw_text(
        &self,
        surface: &mut Surface<'_>,
        text: &Text,
        open: &crate::fonts::OpenFonts<'_>,
    ) -> Result<(), PdfError> {
        let font = self
            .fonts
            .pdf_font(text.face)
            .ok_or_else(|| PdfError("font".to_owned()))?;
        let glyphs: Vec<KrillaGlyph> = text
            .content
            .char_indices()
            .zip(&text.advances)
            .map(|((at, character), advance)| {
                let advance = f64::from(*advance) / f64::from(text.size.max(1));
                KrillaGlyph::new(
                    GlyphId::new(open.glyph(text.face, character)),
                    narrow(advance),
                    0.0,
                    0.0,
                    0.0,
                    at..at + character.len_utf8(),
                    None,
                )
            })
            .collect();
        surface.set_fill(Some(fill(text.colour)));
        surface.set_stroke(None);
        surface.draw_glyphs(
            Point::from_xy(points(text.x), points(text.y)),
            &glyphs,
            font,
            &text.content,
            points(text.size),
            false,
        );
        Ok(())
    }

    fn attach(&self, document: &mut Document) -> Result<(), PdfError> {
        for attachment in &self.attachments {
            document
                .embed_file(EmbeddedFile {
                    path: attachment.name.to_owned(),
                    mime_type: MimeType::new("application/json"),
                    description: Some(attachment.description.to_owned()),
                    association_kind: AssociationKind::Source,
                    data: attachment.bytes.clone().into(),
                    modification_date: Some(self.day()),
                    compress: Some(true),
                    location: None,
                })
                .ok_or_else(|| PdfError(attachment.name.to_owned()))?;
        }
        Ok(())
    }

    /// The date of issue: the file is the same whenever it is made.
    fn day(&self) -> DateTime {
        let text = self.date.to_compact();
        let number = |range: std::ops::Range<usize>| {
            text.get(range)
                .and_then(|digits| digits.parse::<u16>().ok())
                .unwrap_or_default()
        };
        let small = |number: u16| u8::try_from(number).unwrap_or_default();
        DateTime::new(number(0..4))
            .month(small(number(4..6)))
            .day(small(number(6..8)))
            .hour(0)
            .minute(0)
            .second(0)
            .utc_offset_hour(8)
            .utc_offset_minute(0)
    }

    fn metadata(&self) -> Metadata {
        let language = match self.wording {
            Wording::Zh => "zh-CN",
            Wording::En => "en",
        };
        Metadata::new()
            .title(format!("{} {}", self.title, self.key))
            .description(format!("SM3 {}", self.digest))
            .creator("Piaolian 票链".to_owned())
            .language(language.to_owned())
            .document_id(format!("{} {}", self.key, self.digest))
            .creation_date(self.day())
    }
}

fn draw_line(surface: &mut Surface<'_>, from: (Um, Um), to: (Um, Um), width: Um, colour: Colour) {
    let mut path = PathBuilder::new();
    path.move_to(points(from.0), points(from.1));
    path.line_to(points(to.0), points(to.1));
    if let Some(path) = path.finish() {
        surface.set_fill(None);
        surface.set_stroke(Some(Stroke {
            paint: rgb_of(colour).into(),
            width: points(width),
            ..Stroke::default()
        }));
        surface.draw_path(&path);
    }
}

/// All dark modules as one path.
fn modules(qr: &QrCode, x: Um, y: Um, size: Um) -> Option<Path> {
    let place = |module: usize| {
        // At most 57 modules: nothing is lost in these conversions.
        let module = i64::try_from(module).unwrap_or_default();
        let width = i64::try_from(qr.width()).unwrap_or(1).max(1);
        Um::try_from(i64::from(size) * module / width).unwrap_or_default()
    };
    let mut path = PathBuilder::new();
    for (row, column, length) in qr.runs() {
        let rect = Rect::from_ltrb(
            points(x + place(column)),
            points(y + place(row)),
            points(x + place(column + length)),
            points(y + place(row + 1)),
        )?;
        path.push_rect(rect);
    }
    path.finish()
}

fn rgb_of(colour: Colour) -> rgb::Color {
    rgb::Color::new(colour.0, colour.1, colour.2)
}

fn fill(colour: Colour) -> Fill {
    Fill {
        paint: rgb_of(colour).into(),
        ..Fill::default()
    }
}

/// Micrometres as points of a 72nd of an inch.
fn points(length: Um) -> f32 {
    narrow(f64::from(length) * 72.0 / 25_400.0)
}

/// PDF numbers are single floats; rounding is what is wanted.
fn narrow(number: f64) -> f32 {
    number as f32
}

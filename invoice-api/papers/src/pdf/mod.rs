//! PDF (ISO 32000): attached XML, else the picture of a QR code. Its text is never trusted: what
//! is printed can be typed by anyone, and what a reader extracts depends on the reader.
//!
//! Only streams are of interest, and those stand in the file one after another. So the file is
//! scanned from its beginning to its end, once; no cross-reference, no page tree and no object
//! stream is followed, and there is no loop to fall into. Attachments that a later revision
//! replaced are seen as well: two different documents in one file are refused.

mod objects;
mod pixels;
mod values;

use std::io::Read as _;

use flate2::bufread::ZlibDecoder;

use crate::error::PaperError;
use crate::image;
use crate::limits::Meter;
use crate::paper::{Paper, Tier};
use crate::zip::bounded;
use crate::{judge, qr, record, xml};
use objects::Object;
use values::Value;

/// Bytes that say whether a stream is XML.
const PEEK_BYTES: usize = 64;

/// Reads a PDF.
///
/// # Errors
/// A [`PaperError`] of PDF, XML or images.
pub(crate) fn read(file: &[u8], meter: &mut Meter<'_>) -> Result<Vec<Paper>, PaperError> {
    let objects = objects::scan(file, meter)?;
    let mut found: Option<Paper> = None;
    for object in &objects {
        if object.is_image() {
            continue;
        }
        let Some(bytes) = attachment(object, meter)? else {
            continue;
        };
        let is_record = bytes.trim_ascii_start().starts_with(b"{");
        let read = match is_record {
            true => record::read(&bytes),
            false => xml::read(&bytes, Tier::Attachment, meter).map(|(_, paper)| paper),
        };
        let paper = match read {
            Ok(paper) => paper,
            Err(PaperError::XmlUnknown) => continue,
            // A stream that nobody called an attachment may be anything.
            Err(_) if object.name("Type").is_none() => continue,
            Err(error) => return Err(error),
        };
        found = Some(match found {
            None => paper,
            Some(known) => {
                judge::agree(&known, &paper)?;
                // The record of this registry says everything.
                let (mut first, second) = match is_record {
                    true => (paper, known),
                    false => (known, paper),
                };
                judge::compare_papers(&mut first, &second);
                first
            }
        });
    }
    let mut codes = Vec::new();
    let searched = from_pictures(&objects, &mut codes, meter);
    match (found, searched) {
        // The attachment is what counts; the code on the page is what people see.
        (Some(mut paper), searched) => {
            if let Err(error @ (PaperError::Contradictory | PaperError::SeveralDocuments)) =
                searched
            {
                return Err(error);
            }
            for code in &codes {
                judge::compare_with_code(&mut paper, code);
            }
            Ok(vec![paper])
        }
        (None, searched) => searched.map(|()| codes),
    }
}

/// The bytes of an attachment that may be a document; `None` for other streams.
fn attachment(object: &Object<'_>, meter: &mut Meter<'_>) -> Result<Option<Vec<u8>>, PaperError> {
    let named = object.name("Type") == Some("EmbeddedFile");
    // The type may be left out. The properties of the file itself (XMP) are XML too.
    let perhaps = object.name("Type").is_none() && object.name("Subtype").is_none();
    if !named && !perhaps {
        return Ok(None);
    }
    let deflated = match object.filters().as_slice() {
        [] => false,
        ["FlateDecode" | "Fl"] => true,
        _ => return Ok(None),
    };
    let head = if deflated {
        let mut head = Vec::new();
        let limit = u64::try_from(PEEK_BYTES).unwrap_or(0);
        let read = ZlibDecoder::new(object.data)
            .take(limit)
            .read_to_end(&mut head);
        if read.is_err() && named {
            return Err(PaperError::PdfMalformed);
        }
        head
    } else {
        object
            .data
            .get(..PEEK_BYTES)
            .unwrap_or(object.data)
            .to_vec()
    };
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
    let head = head.trim_ascii_start();
    let is_xml = head.starts_with(b"<") && !head.starts_with(b"<<");
    let is_record = named && head.starts_with(b"{");
    if !is_xml && !is_record {
        return Ok(None);
    }
    if !deflated {
        return Ok(Some(object.data.to_vec()));
    }
    inflate(object.data, meter).map(Some)
}

/// Decompresses zlib (RFC 1950) within the limits.
fn inflate(data: &[u8], meter: &mut Meter<'_>) -> Result<Vec<u8>, PaperError> {
    let room = meter.room(data.len());
    let bytes = bounded(&mut ZlibDecoder::new(data), room).map_err(|error| {
        if error == PaperError::Inflated {
            error
        } else {
            PaperError::PdfMalformed
        }
    })?;
    meter.inflated(bytes.len());
    Ok(bytes)
}

/// Adds the documents of the QR codes in all pictures.
///
/// # Errors
/// What keeps a picture from being read, two codes that contradict each other, more documents than
/// the limit, or that there is none at all.
fn from_pictures(
    objects: &[Object<'_>],
    papers: &mut Vec<Paper>,
    meter: &mut Meter<'_>,
) -> Result<(), PaperError> {
    let pictures = objects.iter().filter(|object| object.is_image());
    let mut unknown = PaperError::PdfUnknown;
    for object in pictures.take(meter.limits.pdf_images) {
        let texts = match object.filters().as_slice() {
            ["DCTDecode" | "DCT"] => image::qr_texts(object.data, meter),
            _ => match pixels::read(object, meter)? {
                Some(picture) => image::search_both(picture, meter),
                None => continue,
            },
        };
        match texts {
            Ok(texts) => {
                unknown = PaperError::QrUnknown;
                qr::add(papers, &texts, Tier::Qr, meter.limits)?;
            }
            // Logos and seals are pictures too, and may be damaged without harm.
            Err(PaperError::QrAbsent | PaperError::ImageMalformed) => {}
            Err(error) => return Err(error),
        }
    }
    if papers.is_empty() {
        return Err(unknown);
    }
    Ok(())
}

impl Object<'_> {
    fn is_image(&self) -> bool {
        self.name("Subtype") == Some("Image")
    }

    fn name(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Value::Name(name)) => Some(name),
            _ => None,
        }
    }

    fn filters(&self) -> Vec<&str> {
        let value = self.get("Filter").or_else(|| self.get("F"));
        match value {
            Some(Value::Name(name)) => vec![name],
            Some(Value::Array(names)) => names
                .iter()
                .map(|name| match name {
                    Value::Name(name) => name.as_str(),
                    Value::Number(_)
                    | Value::Text(_)
                    | Value::Array(_)
                    | Value::Dictionary(_)
                    | Value::Other => "?",
                })
                .collect(),
            Some(Value::Number(_) | Value::Text(_) | Value::Dictionary(_) | Value::Other)
            | None => Vec::new(),
        }
    }
}

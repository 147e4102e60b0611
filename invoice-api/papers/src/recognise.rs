//! What a file is, by what is in it.

use crate::error::PaperError;
use crate::limits::{Limits, Meter, Spent};
use crate::paper::{Format, Paper, Tier};
use crate::zip::Archive;
use crate::{image, ofd, pdf, qr, xml};

/// What was read from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The file's form.
    pub format: Format,
    /// Its documents: one, but for photos and PDFs with several QR codes.
    pub papers: Vec<Paper>,
    /// What reading it cost.
    pub spent: Spent,
}

/// Reads a file.
///
/// ```
/// use papers::{Format, Limits, read};
/// let text = b"01,32,,24312000000136634917,0.01,20240514,,1DD6";
/// let reading = read(text, &Limits::default()).unwrap();
/// assert_eq!(reading.format, Format::QrText);
/// assert_eq!(reading.papers[0].document.to_string(), "D:24312000000136634917");
/// ```
///
/// # Errors
/// A [`PaperError`] with a permanent code.
pub fn read(file: &[u8], limits: &Limits) -> Result<Reading, PaperError> {
    read_with(file, limits, &[])
}

/// As [`read`], with the certificates (DER) whose holders' seals are trusted: a bureau's, given by
/// whoever runs this. Without them a seal shows only that the file has not been changed since
/// somebody sealed it.
///
/// # Errors
/// As [`read`].
pub fn read_with(file: &[u8], limits: &Limits, trusted: &[Vec<u8>]) -> Result<Reading, PaperError> {
    if file.is_empty() {
        return Err(PaperError::Empty);
    }
    if file.len() > limits.file_bytes {
        return Err(PaperError::TooLarge);
    }
    let mut meter = Meter::new(limits);
    let (format, papers) = dispatch(file, trusted, &mut meter)?;
    Ok(Reading {
        format,
        papers,
        spent: meter.spent,
    })
}

/// Reads a file that is to be XML, whatever else it may look like.
///
/// # Errors
/// A [`PaperError`] of XML.
pub fn read_xml(file: &[u8], limits: &Limits) -> Result<Paper, PaperError> {
    let mut meter = Meter::new(limits);
    xml::read(file, Tier::Xml, &mut meter).map(|(_, paper)| paper)
}

fn dispatch(
    file: &[u8],
    trusted: &[Vec<u8>],
    meter: &mut Meter<'_>,
) -> Result<(Format, Vec<Paper>), PaperError> {
    if is_office(file) {
        return Err(PaperError::FormatUnknown);
    }
    if file.starts_with(b"PK\x03\x04") || file.starts_with(b"PK\x05\x06") {
        let archive = Archive::open(file, meter)?;
        if archive.has(ofd::ENTRY) {
            let paper = ofd::read(&archive, trusted, meter)?;
            return Ok((Format::Ofd, vec![paper]));
        }
        return Ok((Format::Zip, vec![zipped(&archive, meter)?]));
    }
    if file.starts_with(b"%PDF-") {
        return Ok((Format::Pdf, pdf::read(file, meter)?));
    }
    if image::format(file).is_some() {
        let texts = image::qr_texts(file, meter)?;
        return Ok((Format::QrImage, qr::papers(&texts, Tier::Qr, meter.limits)?));
    }
    let wide = file.starts_with(b"\xff\xfe") || file.starts_with(b"\xfe\xff");
    let start = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let start = start.trim_ascii_start();
    if wide || start.starts_with(b"<") || start.starts_with(b"\0<") {
        let (format, paper) = xml::read(file, Tier::Xml, meter)?;
        return Ok((format, vec![paper]));
    }
    let text = std::str::from_utf8(start).map_err(|_| PaperError::FormatUnknown)?;
    let paper = qr::paper(text, Tier::Text)?;
    Ok((Format::QrText, vec![paper]))
}

/// Whether a zip is a text or a table of an office program: its first entry says so (ISO/IEC
/// 29500-2, and 26300-2, 3.3). It has many XMLs in it and none is a document's.
fn is_office(file: &[u8]) -> bool {
    const NAME_AT: usize = 30;
    let name = file.get(NAME_AT..).unwrap_or_default();
    file.starts_with(b"PK\x03\x04")
        && [
            &b"[Content_Types].xml"[..],
            b"_rels/.rels",
            b"mimetypeapplication/vnd.",
        ]
        .iter()
        .any(|first| name.starts_with(first))
}

/// The document of a zip that holds one XML, as tax platforms hand them out.
fn zipped(archive: &Archive<'_>, meter: &mut Meter<'_>) -> Result<Paper, PaperError> {
    // What file managers leave behind.
    let names: Vec<&str> = archive
        .names()
        .filter(|name| !name.starts_with("__MACOSX/") && !name.ends_with(".DS_Store"))
        .collect();
    let is_xml = |name: &&str| name.to_ascii_lowercase().ends_with(".xml");
    match *names {
        [name] if is_xml(&name) => {
            let name = name.to_owned();
            let bytes = archive
                .read(&name, meter)?
                .ok_or(PaperError::ZipMalformed)?;
            xml::read(&bytes, Tier::Xml, meter).map(|(_, paper)| paper)
        }
        _ if names.iter().filter(|name| is_xml(name)).count() > 1 => {
            Err(PaperError::SeveralDocuments)
        }
        _ => Err(PaperError::ZipContent),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use super::*;

    /// A zip with these files, uncompressed, as the `zip` of other programs writes it.
    fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let mut directory = Vec::new();
        for (name, content) in files {
            let mut crc = flate2::Crc::new();
            crc.update(content);
            let length = u32::try_from(content.len()).unwrap().to_le_bytes();
            let mut both = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0x28];
            both.extend(crc.sum().to_le_bytes());
            both.extend([length, length].concat());
            both.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
            both.extend([0, 0]);
            let at = u32::try_from(bytes.position()).unwrap().to_le_bytes();
            directory.extend(
                [
                    &b"PK\x01\x02\x14\0"[..],
                    &both,
                    &[0; 10],
                    &at,
                    name.as_bytes(),
                ]
                .concat(),
            );
            let local = [&b"PK\x03\x04"[..], &both, name.as_bytes(), content].concat();
            bytes.write_all(&local).unwrap();
        }
        let at = u32::try_from(bytes.position()).unwrap().to_le_bytes();
        let count = u16::try_from(files.len()).unwrap().to_le_bytes();
        let length = u32::try_from(directory.len()).unwrap().to_le_bytes();
        let end = [
            &b"PK\x05\x06\0\0\0\0"[..],
            &count,
            &count,
            &length,
            &at,
            &[0, 0],
        ]
        .concat();
        [bytes.into_inner(), directory, end].concat()
    }

    #[test]
    fn a_letter_is_not_taken_for_several_invoices() {
        let read = |files: &[(&str, &[u8])]| read(&zip(files), &Limits::default()).unwrap_err();
        let invoice: &[u8] = b"<EInvoice/>";
        // The zip itself is one that is read: what is in it decides.
        let two = [("a.xml", invoice), ("b.xml", invoice)];
        assert_eq!(read(&two), PaperError::SeveralDocuments);
        let docx = [
            ("[Content_Types].xml", invoice),
            ("word/document.xml", invoice),
        ];
        assert_eq!(read(&docx), PaperError::FormatUnknown);
        let odt = [
            ("mimetype", &b"application/vnd.oasis.opendocument.text"[..]),
            ("content.xml", invoice),
        ];
        assert_eq!(read(&odt), PaperError::FormatUnknown);
    }
}

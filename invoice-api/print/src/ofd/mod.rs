//! The pages as OFD (GB/T 33190-2016), in the form that tax OFDs have: what machines look for
//! stands in three places, in `OFD.xml` (CustomDatas), in the tags that point at texts of the page,
//! and, complete, in the attached XML.

mod page;
mod parts;
mod tags;

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::attachments::Attachment;
use crate::source::Layout;

/// The file could not be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("OFD 无法生成 / the OFD could not be written: {0}")]
pub struct OfdError(String);

impl From<zip::result::ZipError> for OfdError {
    fn from(error: zip::result::ZipError) -> Self {
        Self(error.to_string())
    }
}

impl From<std::io::Error> for OfdError {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// Numbers of the objects of a document, each given out once.
pub(crate) struct Ids(u32);

impl Ids {
    /// The next one.
    pub(crate) fn next(&mut self) -> u32 {
        self.0 += 1;
        self.0
    }
}

impl Layout {
    /// The pages as an OFD file: the record and its receipt are attached byte by byte, and
    /// `original_invoice.xml` says the same in the words of tax OFDs. Fonts are named, not embedded,
    /// as tax OFDs have it: a reader shows 宋体 or what it has instead.
    ///
    /// # Errors
    /// [`OfdError`] when the archive cannot be written.
    pub fn ofd(&self) -> Result<Vec<u8>, OfdError> {
        let mut ids = Ids(0);
        let font = ids.next();
        let mut tagged = Vec::new();
        let mut pages = Vec::new();
        for page in &self.pages {
            let id = ids.next();
            let content = page::content(self, page, id, font, &mut ids, &mut tagged);
            pages.push((id, content));
        }
        let page_ids: Vec<u32> = pages.iter().map(|(id, _)| *id).collect();
        let max_id = ids.0;
        let mut files: Vec<(String, Vec<u8>)> = vec![
            ("OFD.xml".into(), parts::ofd(self).into_bytes()),
            (
                "Doc_0/Document.xml".into(),
                parts::document(self, &page_ids, max_id).into_bytes(),
            ),
            (
                "Doc_0/PublicRes.xml".into(),
                parts::public_res(font).into_bytes(),
            ),
        ];
        for ((_, content), number) in pages.into_iter().zip(0..) {
            files.push((
                format!("Doc_0/Pages/Page_{number}/Content.xml"),
                content.into_bytes(),
            ));
        }
        files.push((
            "Doc_0/Tags/CustomTags.xml".into(),
            parts::custom_tags().into_bytes(),
        ));
        files.push((
            "Doc_0/Tags/Tag_Invoice.xml".into(),
            tags::tags(self, &tagged).into_bytes(),
        ));
        let attached = self.attached();
        files.push((
            "Doc_0/Attachs/Attachments.xml".into(),
            parts::attachments(self, &attached).into_bytes(),
        ));
        for attachment in attached {
            files.push((
                format!("Doc_0/Attachs/{}", attachment.name),
                attachment.bytes,
            ));
        }
        archive(files)
    }

    /// What is attached to an OFD: the XML of tax OFDs first, where their readers look.
    fn attached(&self) -> Vec<Attachment> {
        let mut attached = vec![Attachment {
            name: "original_invoice.xml",
            description: "",
            bytes: self.original.clone(),
        }];
        attached.extend(self.attachments.iter().cloned());
        attached
    }
}

/// A ZIP archive whose bytes depend on nothing but the files.
fn archive(files: Vec<(String, Vec<u8>)>) -> Result<Vec<u8>, OfdError> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name, options)?;
        zip.write_all(&bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

//! The small files of an OFD: what the document is, and what belongs to it.

use std::fmt::Write as _;

use crate::attachments::Attachment;
use crate::html::mm;
use crate::source::Layout;
use crate::xml::escape;

/// The head of every file, and the name space that it is written in.
pub(crate) const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
pub(crate) const SPACE: &str = "xmlns:ofd=\"http://www.ofdspec.org/2016\"";

/// `OFD.xml` (clause 7.4): what the document is, for readers that open no page.
pub(crate) fn ofd(layout: &Layout) -> String {
    let mut facts = String::new();
    for (name, value) in &layout.facts {
        let _ = write!(
            facts,
            "<ofd:CustomData Name=\"{}\">{}</ofd:CustomData>",
            escape(name),
            escape(value)
        );
    }
    let id: String = layout.digest.chars().take(32).collect();
    format!(
        "{HEAD}<ofd:OFD {SPACE} DocType=\"OFD\" Version=\"1.1\"><ofd:DocBody><ofd:DocInfo>\
         <ofd:DocID>{id}</ofd:DocID><ofd:Title>{}</ofd:Title>\
         <ofd:CreationDate>{}</ofd:CreationDate><ofd:Creator>Piaolian</ofd:Creator>\
         <ofd:CustomDatas>{facts}</ofd:CustomDatas></ofd:DocInfo>\
         <ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>\n",
        escape(&format!("{} {}", layout.title, layout.key)),
        layout.date,
    )
}

/// `Document.xml` (clause 7.5): pages, tags and attachments.
pub(crate) fn document(layout: &Layout, pages: &[u32], max_id: u32) -> String {
    let area = layout.pages.first().map_or_else(
        || "0 0 210 140".to_owned(),
        |page| format!("0 0 {} {}", mm(page.width), mm(page.height)),
    );
    let mut list = String::new();
    for (id, number) in pages.iter().zip(0..) {
        let _ = write!(
            list,
            "<ofd:Page ID=\"{id}\" BaseLoc=\"Pages/Page_{number}/Content.xml\"/>"
        );
    }
    format!(
        "{HEAD}<ofd:Document {SPACE}><ofd:CommonData><ofd:MaxUnitID>{max_id}</ofd:MaxUnitID>\
         <ofd:PageArea><ofd:PhysicalBox>{area}</ofd:PhysicalBox></ofd:PageArea>\
         <ofd:PublicRes>PublicRes.xml</ofd:PublicRes></ofd:CommonData>\
         <ofd:Pages>{list}</ofd:Pages>\
         <ofd:CustomTags>Tags/CustomTags.xml</ofd:CustomTags>\
         <ofd:Attachments>Attachs/Attachments.xml</ofd:Attachments></ofd:Document>\n"
    )
}

/// `PublicRes.xml` (clause 7.9): the font by its name.
pub(crate) fn public_res(font: u32) -> String {
    format!(
        "{HEAD}<ofd:Res {SPACE} BaseLoc=\"Res\"><ofd:Fonts>\
         <ofd:Font ID=\"{font}\" FontName=\"宋体\" FamilyName=\"宋体\"/>\
         </ofd:Fonts></ofd:Res>\n"
    )
}

/// `CustomTags.xml` (clause 16): where the tags are.
pub(crate) fn custom_tags() -> String {
    format!(
        "{HEAD}<ofd:CustomTags {SPACE}><ofd:CustomTag TypeID=\"fp\">\
         <ofd:FileLoc>Tag_Invoice.xml</ofd:FileLoc></ofd:CustomTag></ofd:CustomTags>\n"
    )
}

/// `Attachments.xml` (clause 17): names, sizes in kilobytes, and the date of issue.
pub(crate) fn attachments(layout: &Layout, attached: &[Attachment]) -> String {
    let mut list = String::new();
    for (attachment, number) in attached.iter().zip(1..) {
        let (name, format) = attachment
            .name
            .rsplit_once('.')
            .unwrap_or((attachment.name, ""));
        let bytes = attachment.bytes.len();
        let _ = write!(
            list,
            "<ofd:Attachment ID=\"A{number}\" Name=\"{name}\" Format=\"{format}\" \
             CreationDate=\"{}T00:00:00\" Size=\"{}.{:03}\" Visible=\"false\">\
             <ofd:FileLoc>{}</ofd:FileLoc></ofd:Attachment>",
            layout.date,
            bytes / 1_024,
            bytes % 1_024 * 1_000 / 1_024,
            attachment.name,
        );
    }
    format!("{HEAD}<ofd:Attachments {SPACE}>{list}</ofd:Attachments>\n")
}

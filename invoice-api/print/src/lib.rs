//! Documents as people know them: one layout, written as PDF, OFD and HTML.
//!
//! [`lay_out`] places what a record says on pages, in thousandths of a millimetre; the writers
//! ([`Layout::pdf`], [`Layout::ofd`], [`Layout::html`]) turn the same pages into files. Nothing here
//! reads a clock or draws a random number: the same input gives the same bytes. The figures on the
//! page are those of the record, and the record and its receipt are attached to the file byte by
//! byte, so whoever holds the file can check the page against them.

mod attachments;
mod bill;
mod fonts;
mod frame;
mod html;
mod invoice;
mod model;
mod ofd;
mod pdf;
mod pen;
mod qr;
mod source;
mod wording;
mod xml;

pub use fonts::{FontError, Fonts, SUBSTITUTE};
pub use model::{Colour, Item, Page, Tag, Text, Um};
pub use ofd::OfdError;
pub use pdf::PdfError;
pub use qr::{QR_VERSION_MAX, QrCode, QrError};
pub use source::{Layout, Paper, PrintError, Wording, lay_out};

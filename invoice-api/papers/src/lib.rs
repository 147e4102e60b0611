//! Reads the files in which invoices and fiscal bills travel: XML in all its dialects, OFD, PDF,
//! photos and texts of QR codes.
//!
//! [`read`] is a pure function of the bytes. A file is recognised by what is in it, never by its
//! name, and is a stranger's: every size, count and depth has a bound in [`Limits`], every refusal
//! a permanent code in [`PaperError`]. What is read is what the file claims; whether it is true,
//! only the registry or the issuing bureau can say. What looks odd about it is in
//! [`Paper::warnings`].

mod codes;
mod error;
mod image;
mod judge;
mod limits;
mod ofd;
mod paper;
mod pdf;
mod qr;
mod raw;
mod recognise;
mod record;
mod register;
mod spelling;
mod warning;
mod xml;
mod zip;

pub use error::PaperError;
pub use limits::{Limits, Spent};
pub use ofd::is_seal_certificate;
pub use paper::{
    Format, Paper, PaperLine, PaperParty, PaperPayment, RedLetter, Seal, SealState, Tier,
};
pub use recognise::{Reading, read, read_with, read_xml};
pub use register::{GRAVE_WARNINGS, Supplement, Unfit};
pub use warning::{Warning, WarningCode};

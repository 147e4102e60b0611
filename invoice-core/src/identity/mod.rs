//! Who and what: members, natural persons, documents and records.

mod digits;
mod document_key;
mod record_id;
mod resident_id;
mod uscc;

pub use digits::Digits;
pub use document_key::{DocumentKey, PaperCode};
pub use record_id::RecordId;
pub use resident_id::is_resident_id;
pub use uscc::MemberId;

//! The recorded state: tables of fixed byte keys and values, and the typed entries in them.
//!
//! State is bytes under bytes, so that its digest is defined without reference to any program.
//! [`Member`], [`Document`] and [`Claim`] give the bytes a shape; `docs/format.md` has the layouts.

mod changes;
mod claim;
mod document;
mod document_bytes;
mod effects;
mod key;
mod key_bytes;
mod layout;
mod member;
mod memory;
mod record_entry;
mod table;
mod validators;
mod view;

pub(crate) use changes::Change;
pub use changes::{Changes, Overlay};
pub use claim::{Claim, ClaimStatus};
pub use document::{
    ALIASES_PER_DOCUMENT_MAX, Burden, Document, Family, HOLDINGS_PER_DOCUMENT_MAX, Holding,
    SHARES_PER_DOCUMENT_MAX, Share, Title,
};
pub(crate) use document::{CONTENT_FIELDS_MAX, difference, sum};
pub use key::{KeyEntry, KeyStanding};
pub(crate) use key_bytes::KeyBytes;
pub(crate) use layout::{put_short, take_short};
pub use member::{Member, MemberNo, Standing};
pub use memory::MemoryState;
pub use record_entry::{AliasEntry, AliasKind, Confirmation, Quota, RecordEntry};
pub use table::Table;
pub use validators::ValidatorsEntry;
pub(crate) use validators::{CHAIN_KEY, NEWEST_KEY};
pub use view::{Fault, StateView, TypedState, claim_key};
pub(crate) use view::{MEMBER_COUNTER, by_id_key, confirmation_key, document_key, quota_key};

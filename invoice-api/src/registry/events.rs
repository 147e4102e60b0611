//! The feed of changes.

use invoice_core::chain::Facts;
use invoice_core::crypto::Hash;
use invoice_core::identity::{DocumentKey, MemberId};

use super::Place;

/// Something that a member may want to act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Where the record that caused it stands.
    pub place: Place,
    /// Its number among the events of that record, from 0, whoever sees them.
    pub number: u32,
    /// The hash of that record's leaf in the log: another one when another record came to stand in
    /// its place.
    pub leaf: Hash,
    /// The stable name of the kind of event: `claim_locked`, `over_claimed`, `record_refused`.
    pub kind: String,
    /// The member whose record caused it; `None` when that is none of the asker's business.
    pub by: Option<MemberId>,
    /// That record's id; `None` together with `by`.
    pub id: Option<String>,
    /// The document that it is about, if it is about one.
    pub document: Option<DocumentKey>,
    /// What else the asker may see, as named values.
    pub facts: Facts,
}

/// The events of whole blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// The events, in the order of the log.
    pub events: Vec<Event>,
    /// The last height that these events are complete for; the `after` of the next page. Equal to
    /// the `after` that was asked for when there is nothing new, and to the head for an `after`
    /// beyond it.
    pub complete_to: u64,
}

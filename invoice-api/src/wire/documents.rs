//! Answers about documents, claims and events.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{FactsAnswer, facts};
use crate::registry::{
    AsOf, CheckResult, Checked, ClaimPage, ClaimView, DocumentState, DocumentView, Event, Place,
    TimelineEntry,
};

/// The state of the chain that an answer describes.
#[derive(Debug, Serialize, ToSchema)]
pub struct AsOfAnswer {
    /// Height of the last final block.
    pub height: u64,
    /// Time of that block, RFC 3339.
    pub time: String,
}

impl From<&AsOf> for AsOfAnswer {
    fn from(as_of: &AsOf) -> Self {
        Self {
            height: as_of.height,
            time: as_of.time.to_rfc3339_utc8(),
        }
    }
}

/// The results of a check.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChecksAnswer {
    /// One result per item, in order.
    pub results: Vec<CheckAnswer>,
    /// The state that they describe.
    pub as_of: AsOfAnswer,
}

/// The result for one item.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckAnswer {
    /// The document, as asked.
    pub document: String,
    /// The first verdict that applies.
    pub verdict: &'static str,
    /// What is free for the asker, in yuan; with `partly_claimed` and `claimable`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claimable: Option<String>,
    /// With `mismatch`: which of the given elements are wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<MismatchAnswer>,
}

/// Which of the given elements are wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct MismatchAnswer {
    /// `amount`, `date`, `check_code`.
    pub differs: Vec<&'static str>,
}

impl From<&Checked> for ChecksAnswer {
    fn from(checked: &Checked) -> Self {
        Self {
            results: checked.results.iter().map(CheckAnswer::from).collect(),
            as_of: AsOfAnswer::from(&checked.as_of),
        }
    }
}

impl From<&CheckResult> for CheckAnswer {
    fn from(result: &CheckResult) -> Self {
        let differs = &result.differs;
        Self {
            document: result.document.to_string(),
            verdict: result.verdict.as_str(),
            claimable: result.claimable.map(|amount| amount.to_string()),
            detail: (!differs.is_empty()).then(|| MismatchAnswer {
                differs: differs.clone(),
            }),
        }
    }
}

/// Where a record stands on the chain.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlaceAnswer {
    /// Height of its block.
    pub height: u64,
    /// Index of its leaf in the log.
    pub index: u64,
    /// Time of its block, RFC 3339.
    pub time: String,
}

impl From<&Place> for PlaceAnswer {
    fn from(place: &Place) -> Self {
        Self {
            height: place.height,
            index: place.index,
            time: place.time.to_rfc3339_utc8(),
        }
    }
}

/// Everything about one document.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentAnswer {
    /// Its key.
    pub document: String,
    /// The other identities of the same paper.
    pub aliases: Vec<String>,
    /// The record that issued it, byte for byte: its full content.
    #[schema(value_type = Object)]
    pub record: Box<RawValue>,
    /// Where that record stands.
    pub issued: PlaceAnswer,
    /// The first verdict that applies, as in a check.
    pub state: &'static str,
    /// What is left to be claimed by anyone, in yuan.
    pub remaining: String,
    /// The amounts behind the state.
    pub amounts: DocumentStateAnswer,
    /// Other identities that are recorded and were not looked for any further; absent when all
    /// are named.
    #[serde(skip_serializing_if = "is_zero")]
    pub aliases_left_out: usize,
    /// What happened to it, oldest first: a page of what was accepted and one of what was refused,
    /// as far as either is for the asker.
    pub timeline: Vec<TimelineAnswer>,
    /// The cursor with which what was accepted goes on; absent when all of it is here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The cursor with which what was refused goes on; absent when all of it is here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused_next: Option<String>,
    /// The state of the chain that this describes.
    pub as_of: AsOfAnswer,
}

/// The amounts and flags of a document, amounts in yuan.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentStateAnswer {
    /// The total on the document.
    pub total: String,
    /// How much of it was reversed.
    pub reversed: String,
    /// How much could be claimed if nobody had claimed anything.
    pub capacity: String,
    /// How much is settled.
    pub settled: String,
    /// How much is under live locks.
    pub locked: String,
    /// How much is free for the asker, its shares considered.
    pub claimable: String,
    /// Whether an authority froze it.
    pub frozen: bool,
    /// Whether more is settled than a later reversal left.
    pub over_claimed: bool,
}

impl From<&DocumentState> for DocumentStateAnswer {
    fn from(state: &DocumentState) -> Self {
        Self {
            total: state.total.to_string(),
            reversed: state.reversed.to_string(),
            capacity: state.capacity.to_string(),
            settled: state.settled.to_string(),
            locked: state.locked.to_string(),
            claimable: state.claimable.to_string(),
            frozen: state.frozen,
            over_claimed: state.over_claimed,
        }
    }
}

/// One thing that happened to a document.
#[derive(Debug, Serialize, ToSchema)]
pub struct TimelineAnswer {
    /// Where it is recorded.
    #[serde(flatten)]
    pub place: PlaceAnswer,
    /// The record's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The member that did it, unless that is none of the asker's business.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The record's id, together with `by`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The money that it moved, in yuan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// What else the asker may see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facts: Option<FactsAnswer>,
}

impl From<&TimelineEntry> for TimelineAnswer {
    fn from(entry: &TimelineEntry) -> Self {
        Self {
            place: PlaceAnswer::from(&entry.place),
            kind: entry.kind.clone(),
            by: entry.by.as_ref().map(ToString::to_string),
            id: entry.id.clone(),
            amount: entry.amount.map(|amount| amount.to_string()),
            facts: facts(&entry.facts),
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes what it asks about by reference"
)]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl DocumentAnswer {
    /// `None` when the registry's text of the record is not JSON, which only a bug can bring.
    pub(crate) fn new(view: &DocumentView) -> Option<Self> {
        let mut timeline: Vec<_> = view.timeline.iter().chain(&view.refused).collect();
        timeline.sort_by_key(|entry| entry.place.index);
        Some(Self {
            document: view.document.to_string(),
            aliases: view.aliases.iter().map(ToString::to_string).collect(),
            record: RawValue::from_string(view.record.clone()).ok()?,
            issued: PlaceAnswer::from(&view.place),
            state: view.state.verdict.as_str(),
            remaining: view.state.remaining.to_string(),
            amounts: DocumentStateAnswer::from(&view.state),
            aliases_left_out: view.aliases_left_out,
            timeline: timeline.into_iter().map(TimelineAnswer::from).collect(),
            next: view.next.map(|next| hex::encode(next.encode())),
            refused_next: view.refused_next.map(|next| hex::encode(next.encode())),
            as_of: AsOfAnswer::from(&view.as_of),
        })
    }
}

/// A page of claims.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClaimsAnswer {
    /// The claims, oldest first.
    pub claims: Vec<ClaimAnswer>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The state of the chain that the page describes.
    pub as_of: AsOfAnswer,
}

/// One claim.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClaimAnswer {
    /// The record id of its lock.
    pub claim: String,
    /// Its owner.
    pub by: String,
    /// The document.
    pub document: String,
    /// Its kind.
    pub kind: &'static str,
    /// The part of a medical bill that it draws on.
    pub component: &'static str,
    /// The expense report.
    pub reference: String,
    /// `locked`, `settled`, `released`, `expired` or `reversed`.
    pub status: &'static str,
    /// What the lock set aside, in yuan.
    pub locked: String,
    /// What was settled and not taken back, in yuan.
    pub settled: String,
    /// When the lock runs out, RFC 3339.
    pub expires_at: String,
    /// The number of the accounting voucher, once settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voucher: Option<String>,
    /// Where the lock is recorded.
    #[serde(flatten)]
    pub place: PlaceAnswer,
}

impl From<&ClaimView> for ClaimAnswer {
    fn from(view: &ClaimView) -> Self {
        Self {
            claim: view.claim.clone(),
            by: view.by.to_string(),
            document: view.document.to_string(),
            kind: view.kind.as_str(),
            component: view.component.as_str(),
            reference: view.reference.clone(),
            status: view.status.as_str(),
            locked: view.locked.to_string(),
            settled: view.settled.to_string(),
            expires_at: view.expires_at.to_rfc3339_utc8(),
            voucher: view.voucher.clone(),
            place: PlaceAnswer::from(&view.place),
        }
    }
}

impl ClaimsAnswer {
    pub(crate) fn new(page: &ClaimPage) -> Self {
        Self {
            claims: page.claims.iter().map(ClaimAnswer::from).collect(),
            next: page.next.as_ref().map(hex::encode),
            as_of: AsOfAnswer::from(&page.as_of),
        }
    }
}

/// One event of the feed.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventAnswer {
    /// Where the record that caused it stands.
    #[serde(flatten)]
    pub place: PlaceAnswer,
    /// What happened: `claim_locked`, `over_claimed`, …
    pub event: String,
    /// The member whose record caused it, unless that is none of the asker's business.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// That record's id, together with `by`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The document that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// What else the asker may see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facts: Option<FactsAnswer>,
}

impl From<&Event> for EventAnswer {
    fn from(event: &Event) -> Self {
        Self {
            place: PlaceAnswer::from(&event.place),
            event: event.kind.clone(),
            by: event.by.as_ref().map(ToString::to_string),
            id: event.id.clone(),
            document: event.document.as_ref().map(ToString::to_string),
            facts: facts(&event.facts),
        }
    }
}

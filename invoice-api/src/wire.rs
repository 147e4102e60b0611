//! The JSON of answers, as the OpenAPI document describes it.
//!
//! Money, hashes, keys and times are texts; heights, indices and sizes are numbers.

mod chain;
mod documents;
mod papers;
mod records;
mod service;

pub(crate) use records::problem_of;

pub use chain::{
    BlockAnswer, CheckpointAnswer, ConsistencyAnswer, InclusionAnswer, SignatureAnswer,
};
pub use documents::{
    AsOfAnswer, CheckAnswer, ChecksAnswer, ClaimAnswer, ClaimsAnswer, DocumentAnswer,
    DocumentStateAnswer, EventAnswer, MismatchAnswer, PlaceAnswer, TimelineAnswer,
};
pub use papers::{
    PaperAnswer, PaperLineAnswer, PaperPartyAnswer, PaperPaymentAnswer, PapersAnswer,
    RedLetterAnswer, SealAnswer, WarningAnswer,
};
pub use records::{
    BatchAnswer, ErrorAnswer, FindingAnswer, LineAnswer, ProblemAnswer, RecordStateAnswer,
    SummaryAnswer, SummaryLine, ValidateAnswer, ValidatedRecord,
};
pub use service::{
    BudgetAnswer, LimitsAnswer, ReadinessAnswer, RejectionAnswer, RejectionsAnswer, SessionAnswer,
};

use std::collections::BTreeMap;

use invoice_core::chain::Facts;

/// Named values, as an object.
pub type FactsAnswer = BTreeMap<String, String>;

/// The facts as an object; `None` when there are none, so that the member is left out.
pub(crate) fn facts(facts: &Facts) -> Option<FactsAnswer> {
    let facts = facts
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect::<FactsAnswer>();
    (!facts.is_empty()).then_some(facts)
}

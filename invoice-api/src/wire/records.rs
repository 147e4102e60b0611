//! Answers about records.

use actix_web::http::StatusCode;
use invoice_core::chain::Receipt;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{FactsAnswer, facts};
use crate::language::Language;
use crate::problem::{ErrorItem, Problem};
use crate::registry::{RecordAnswer, RecordFindings, RecordState, RecordVerdict};
use crate::status::HasStatus;

/// A problem document (RFC 9457): every answer that is not "yes".
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemAnswer {
    /// A reference to the code's entry in the catalogue.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the code means.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// What was found in this case.
    pub detail: String,
    /// Every place that is wrong, when there are places.
    pub errors: Vec<ErrorAnswer>,
    /// Ties the answer to the server's log.
    pub trace_id: String,
    /// Named values that explain a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facts: Option<FactsAnswer>,
}

/// One place that is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorAnswer {
    /// The stable code.
    pub code: String,
    /// JSON Pointer (RFC 6901), relative to the record.
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
}

impl ErrorAnswer {
    fn new(item: &ErrorItem, language: Language) -> Self {
        Self {
            code: item.code.to_owned(),
            pointer: item.pointer.clone(),
            detail: crate::texts::detail(item.code, &item.facts, language),
        }
    }
}

/// What became of one record of a batch or of a bulk line.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineAnswer {
    /// Line of the stream, from 1; always 1 in a batch.
    pub line: u64,
    /// Record within the envelope, from 1.
    pub record: u64,
    /// The record's id; null when it could not be read.
    pub id: Option<String>,
    /// The status that the record alone would have had.
    pub status: u16,
    /// The code, unless it was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Height of its block, once recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
    /// Index of its leaf, once recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// Every place that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ErrorAnswer>,
    /// What collided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facts: Option<FactsAnswer>,
    /// The receipt, in a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub receipt: Option<Box<RawValue>>,
}

impl LineAnswer {
    pub(crate) fn new(line: u64, record: u64, answer: &RecordAnswer, language: Language) -> Self {
        let mut this = Self::bare(line, record, answer.id.clone(), answer.verdict.status());
        if let RecordVerdict::Final(recorded) = &answer.verdict {
            this.height = Some(recorded.height);
            this.index = Some(recorded.index);
            this.receipt = recorded.receipt.as_deref().and_then(receipt);
            if recorded.outcome.is_accepted() {
                return this;
            }
        }
        this.with_problem(&problem_of(answer), language)
    }

    /// As [`new`](Self::new), without a copy of the id for what was accepted.
    pub(crate) fn owned(line: u64, record: u64, answer: RecordAnswer, language: Language) -> Self {
        match &answer.verdict {
            RecordVerdict::Final(recorded)
                if recorded.outcome.is_accepted() && recorded.receipt.is_none() =>
            {
                let (status, height, index) =
                    (answer.verdict.status(), recorded.height, recorded.index);
                let mut this = Self::bare(line, record, answer.id, status);
                this.height = Some(height);
                this.index = Some(index);
                this
            }
            RecordVerdict::Final(_)
            | RecordVerdict::Malformed(_)
            | RecordVerdict::Unauthenticated(_)
            | RecordVerdict::Forbidden(_)
            | RecordVerdict::Invalid(_)
            | RecordVerdict::IdReused { .. }
            | RecordVerdict::BatchAborted => Self::new(line, record, &answer, language),
        }
    }

    /// A line that is not even an envelope, or that nobody could take.
    pub(crate) fn failed(line: u64, problem: &Problem, language: Language) -> Self {
        Self::bare(line, 1, None, problem.status()).with_problem(problem, language)
    }

    fn bare(line: u64, record: u64, id: Option<String>, status: StatusCode) -> Self {
        Self {
            line,
            record,
            id,
            status: status.as_u16(),
            code: None,
            height: None,
            index: None,
            errors: Vec::new(),
            facts: None,
            receipt: None,
        }
    }

    fn with_problem(mut self, problem: &Problem, language: Language) -> Self {
        self.code = Some(problem.code().to_owned());
        let errors = problem.errors().iter();
        self.errors = errors
            .map(|error| ErrorAnswer::new(error, language))
            .collect();
        let facts = problem.facts().iter().cloned().collect::<FactsAnswer>();
        self.facts = (!facts.is_empty()).then_some(facts);
        self
    }
}

/// The answer to a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchAnswer {
    /// One result per record, in order.
    pub results: Vec<LineAnswer>,
}

/// The counts at the end of a bulk stream.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct SummaryAnswer {
    /// Lines of input that were read.
    pub lines: u64,
    /// Records accepted now (201).
    pub accepted: u64,
    /// Records accepted before (200).
    pub replayed: u64,
    /// Records refused by a rule of state, now or before (409).
    pub refused: u64,
    /// Everything else.
    pub failed: u64,
    /// Whether the server stopped reading before the end, because it is shutting down.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stopping: bool,
}

impl SummaryAnswer {
    pub(crate) fn count(&mut self, status: u16) {
        let counter = match StatusCode::from_u16(status) {
            Ok(StatusCode::CREATED) => &mut self.accepted,
            Ok(StatusCode::OK) => &mut self.replayed,
            Ok(StatusCode::CONFLICT) => &mut self.refused,
            Ok(_) | Err(_) => &mut self.failed,
        };
        *counter = counter.saturating_add(1);
    }
}

/// The last line of a bulk answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct SummaryLine {
    /// The counts.
    pub summary: SummaryAnswer,
}

/// What would be wrong with each record of an envelope.
#[derive(Debug, Serialize, ToSchema)]
pub struct ValidateAnswer {
    /// Whether every record would be accepted now.
    pub valid: bool,
    /// One entry per record, in order.
    pub results: Vec<ValidatedRecord>,
}

/// What would be wrong with one record.
#[derive(Debug, Serialize, ToSchema)]
pub struct ValidatedRecord {
    /// Record within the envelope, from 1.
    pub record: u64,
    /// The record's id; null when it could not be read.
    pub id: Option<String>,
    /// Whether it would be accepted now.
    pub valid: bool,
    /// Every rule that it would fail, in the contract's order of checks.
    pub errors: Vec<FindingAnswer>,
}

/// One rule that a record would fail.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingAnswer {
    /// The status that this alone would have.
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// JSON Pointer (RFC 6901), relative to the record; empty for the record as a whole.
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
    /// What collided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facts: Option<FactsAnswer>,
}

impl ValidatedRecord {
    pub(crate) fn new(record: u64, findings: &RecordFindings, language: Language) -> Self {
        let mut errors = Vec::new();
        let mut add = |status: StatusCode, item: &ErrorItem, facts: Option<FactsAnswer>| {
            let error = ErrorAnswer::new(item, language);
            errors.push(FindingAnswer {
                status: status.as_u16(),
                code: error.code,
                pointer: error.pointer,
                detail: error.detail,
                facts,
            });
        };
        for error in &findings.shape {
            add(error.code.status(), &ErrorItem::from(error), None);
        }
        if let Some(error) = findings.authentication {
            add(error.status(), &ErrorItem::new(error.code(), ""), None);
        }
        if let Some(forbidden) = findings.forbidden {
            add(
                forbidden.status(),
                &ErrorItem::new(forbidden.code(), ""),
                None,
            );
        }
        for violation in &findings.violations {
            add(violation.rule.status(), &ErrorItem::from(violation), None);
        }
        if let Some(refusal) = &findings.refusal {
            let item = ErrorItem::new(refusal.code, "");
            add(refusal.status(), &item, facts(&refusal.facts));
        }
        Self {
            record,
            id: findings.id.clone(),
            valid: errors.is_empty(),
            errors,
        }
    }
}

/// The way back after a lost answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordStateAnswer {
    /// `absent`, `pending` or `final`.
    pub state: &'static str,
    /// The receipt, when final.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub receipt: Option<Box<RawValue>>,
}

impl From<&RecordState> for RecordStateAnswer {
    fn from(state: &RecordState) -> Self {
        match state {
            RecordState::Absent => Self {
                state: "absent",
                receipt: None,
            },
            RecordState::Pending => Self {
                state: "pending",
                receipt: None,
            },
            RecordState::Final(found) => Self {
                state: "final",
                receipt: receipt(found),
            },
        }
    }
}

/// A receipt's JSON within an answer.
fn receipt(receipt: &Receipt) -> Option<Box<RawValue>> {
    // Reading it over once costs less than what `Serialize` would spend on digits of hashes.
    let json = String::from_utf8(receipt.to_json()).ok()?;
    RawValue::from_string(json).ok()
}

/// The problem document of a record that was not accepted.
pub(crate) fn problem_of(answer: &RecordAnswer) -> Problem {
    let problem = match &answer.verdict {
        RecordVerdict::Malformed(errors) => Problem::from(errors.clone()),
        RecordVerdict::Unauthenticated(error) => Problem::from(*error),
        RecordVerdict::Forbidden(forbidden) => Problem::from(*forbidden),
        RecordVerdict::Invalid(violations) => Problem::from(violations.clone()),
        RecordVerdict::IdReused { facts } => Problem::new(
            answer.verdict.status(),
            invoice_core::refusal::catalogue::ID_REUSED,
        )
        .with_facts(pairs(facts)),
        RecordVerdict::BatchAborted => Problem::new(
            answer.verdict.status(),
            invoice_core::refusal::Rejection::BatchAborted.code(),
        ),
        RecordVerdict::Final(recorded) => {
            let code = recorded.outcome.code().unwrap_or_default();
            let mut problem = Problem::new(answer.verdict.status(), code)
                .with_facts(pairs(recorded.outcome.detail()))
                .with_facts(pairs(&recorded.context))
                .with_member("height", recorded.height.into())
                .with_member("index", recorded.index.into());
            if let Some(time) = recorded.time {
                problem = problem.with_member("time", time.to_rfc3339_utc8().into());
            }
            if let Some(receipt) = recorded.receipt.as_deref()
                && let Ok(receipt) = serde_json::to_value(receipt)
            {
                problem = problem.with_member("receipt", receipt);
            }
            problem
        }
    };
    match &answer.id {
        Some(id) => problem.with_member("id", id.clone().into()),
        None => problem,
    }
}

fn pairs(facts: &invoice_core::chain::Facts) -> Vec<(String, String)> {
    facts
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use invoice_core::calendar::Instant;
    use invoice_core::chain::{Facts, Outcome};
    use invoice_core::refusal::{
        AuthenticationError, Forbidden, Rule, ShapeCode, ShapeError, Violation,
    };

    use super::*;
    use crate::registry::Recorded;

    fn recorded(replayed: bool, outcome: Outcome) -> RecordVerdict {
        RecordVerdict::Final(Recorded {
            replayed,
            outcome,
            context: Facts::new().with("first_id", "a-1"),
            height: 3,
            index: 7,
            time: Some(Instant::from_ms(0)),
            receipt: None,
        })
    }

    fn answer(verdict: RecordVerdict) -> RecordAnswer {
        RecordAnswer {
            id: Some("a-2".to_owned()),
            verdict,
        }
    }

    fn refused(replayed: bool) -> RecordAnswer {
        let facts = Facts::new().with("first_index", 4);
        answer(recorded(
            replayed,
            Outcome::refused("document_exists", facts),
        ))
    }

    #[test]
    fn every_verdict_has_the_status_of_the_contract() {
        let violation = Violation {
            rule: Rule::TotalMismatch,
            pointer: "/invoice/total".to_owned(),
            details: Vec::new(),
        };
        let shape = |code| RecordVerdict::Malformed(vec![ShapeError::at(code, "/x")]);
        let facts = Facts::new();
        for (verdict, status, code) in [
            (recorded(false, Outcome::accepted()), 201, None),
            (recorded(true, Outcome::accepted()), 200, None),
            (refused(false).verdict, 409, Some("document_exists")),
            (refused(true).verdict, 409, Some("document_exists")),
            (RecordVerdict::IdReused { facts }, 409, Some("id_reused")),
            (RecordVerdict::BatchAborted, 409, Some("batch_aborted")),
            (
                RecordVerdict::Invalid(vec![violation]),
                422,
                Some("total_mismatch"),
            ),
            (
                RecordVerdict::Forbidden(Forbidden::RoleMissing),
                403,
                Some("role_missing"),
            ),
            (
                RecordVerdict::Unauthenticated(AuthenticationError::KeyRevoked),
                401,
                Some("key_revoked"),
            ),
            (shape(ShapeCode::WrongType), 400, Some("wrong_type")),
            (
                shape(ShapeCode::RecordTooLarge),
                413,
                Some("record_too_large"),
            ),
        ] {
            let line = LineAnswer::new(1, 1, &answer(verdict), Language::En);
            assert_eq!((line.status, line.code.as_deref()), (status, code));
        }
    }

    #[test]
    fn a_refusal_sent_again_has_the_first_answers_body() {
        let body = |replayed| problem_of(&refused(replayed)).render(Language::Zh, "t");
        assert_eq!(body(false), body(true));
        let facts = serde_json::json!({ "first_id": "a-1", "first_index": "4" });
        assert_eq!(body(true)["facts"], facts);
        assert_eq!(
            (&body(true)["height"], &body(true)["index"]),
            (&3.into(), &7.into())
        );
    }

    #[test]
    fn a_bulk_summary_counts_each_record_once() {
        let mut summary = SummaryAnswer::default();
        for status in [201, 200, 409, 422, 401, 503, 201] {
            summary.count(status);
        }
        let counted = SummaryAnswer {
            accepted: 2,
            replayed: 1,
            refused: 1,
            failed: 3,
            ..SummaryAnswer::default()
        };
        assert_eq!(summary, counted);
    }
}

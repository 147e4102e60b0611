//! Answers about the service itself.

use serde::Serialize;
use utoipa::ToSchema;

use crate::registry::Readiness;

/// A member's budgets and the limits of requests.
#[derive(Debug, Serialize, ToSchema)]
pub struct LimitsAnswer {
    /// The member that asked.
    pub member: String,
    /// Its budgets.
    pub budgets: Vec<BudgetAnswer>,
    /// Bytes in a record.
    pub record_bytes_max: usize,
    /// Records in a batch.
    pub batch_records_max: usize,
    /// Bytes in the body of `POST /v1/records`, and in a line of a bulk stream.
    pub body_bytes_max: usize,
    /// Items in a check.
    pub check_items_max: usize,
    /// Seconds that a request's timestamp may be off.
    pub timestamp_skew_seconds: u64,
}

/// One budget. It refills evenly, and a whole minute's worth may be used at once.
#[derive(Debug, Serialize, ToSchema)]
pub struct BudgetAnswer {
    /// `records`, `checks` or `reads`.
    pub name: &'static str,
    /// How much there is per minute.
    pub per_minute: u32,
    /// How much is left now.
    pub left: u32,
}

/// The catalogue of codes.
#[derive(Debug, Serialize, ToSchema)]
pub struct RejectionsAnswer {
    /// Every code that an answer can have, in the order of checks.
    pub rejections: Vec<RejectionAnswer>,
}

/// One code and what it means.
#[derive(Debug, Serialize, ToSchema)]
pub struct RejectionAnswer {
    /// The stable code.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// 中文含义。
    pub zh: &'static str,
    /// What it means, in English.
    pub en: &'static str,
    /// 处理建议。
    #[serde(skip_serializing_if = "str::is_empty")]
    pub hint_zh: &'static str,
    /// What to do next, in English.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub hint_en: &'static str,
}

/// Whether records can be taken.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadinessAnswer {
    /// Whether records are taken now.
    pub ready: bool,
    /// Height of the last final block.
    pub height: u64,
    /// Time of that block, RFC 3339; null before the first.
    pub time: Option<String>,
    /// Whether the store answers.
    pub storage_ok: bool,
}

impl From<&Readiness> for ReadinessAnswer {
    fn from(readiness: &Readiness) -> Self {
        Self {
            ready: readiness.storage_ok && readiness.refusing.is_none(),
            height: readiness.height,
            time: readiness
                .time
                .map(invoice_core::calendar::Instant::to_rfc3339_utc8),
            storage_ok: readiness.storage_ok,
        }
    }
}

/// Who reads.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionAnswer {
    /// The chain, a part of every signed message.
    pub chain_id: String,
    /// The member.
    pub member: String,
    /// Its registered name; absent while the records cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its roles.
    pub roles: Vec<&'static str>,
    /// The key.
    pub kid: String,
}

//! What the public page says, as a file to keep: the question, the answer, and the validators'
//! signatures over the block as of which it was given.
//!
//! It is no receipt: a receipt holds the whole record and with it what the asker may not know. The
//! signatures vouch for the block; that this answer is what the block says is the server's word.

use serde::Serialize;

use super::check_form::Elements;
use super::document::is_match;
use crate::registry::PublicCheck;
use crate::server::state::AppState;
use crate::wire::{AsOfAnswer, CheckpointAnswer};

/// The file.
#[derive(Serialize)]
pub(super) struct Statement<'s> {
    format: &'static str,
    chain_id: String,
    document: &'s str,
    amount: &'s str,
    date: &'s str,
    #[serde(skip_serializing_if = "str::is_empty")]
    check_code: &'s str,
    /// What was given and could not be compared, since nothing is recorded that it could be
    /// compared with: the check code of invoices before the fully digital one.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    not_compared: &'static [&'static str],
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'s str>,
    as_of: AsOfAnswer,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<CheckpointAnswer>,
}

impl<'s> Statement<'s> {
    pub(super) fn new(state: &AppState, given: &Elements<'s>, found: &'s PublicCheck) -> Self {
        let chain_id = state.registry.chain_id();
        let matches = is_match(found.verdict);
        Self {
            format: "piaolian-statement/1",
            chain_id: chain_id.to_owned(),
            document: given.key,
            amount: given.amount,
            date: given.date,
            check_code: given.check_code,
            not_compared: match matches && !found.has_check_code && !given.check_code.is_empty() {
                true => &["check_code"],
                false => &[],
            },
            verdict: if matches {
                found.verdict.as_str()
            } else {
                "no_match"
            },
            issuer: found.issuer.as_deref().filter(|_| matches),
            as_of: AsOfAnswer::from(&found.as_of),
            checkpoint: found
                .checkpoint
                .as_ref()
                .map(|view| CheckpointAnswer::new(chain_id, view)),
        }
    }
}

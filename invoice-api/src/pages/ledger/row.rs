//! One row of the ledger: a claim, and what the record of its document says.

use invoice_core::money::Fen;
use serde_json::Value;

use super::Cell;
use crate::language::Language;
use crate::pages::claims::{claim_words, is_noted};
use crate::registry::ClaimView;

/// The invoice or bill in a record, whether it was issued here or registered.
pub(super) fn content(mut record: Value) -> Value {
    match record["invoice"].is_object() {
        true => record["invoice"].take(),
        false => record["bill"].take(),
    }
}

/// The row of a claim and of what is known of its document, after so many others.
pub(super) fn row(
    language: Language,
    before: usize,
    claim: &ClaimView,
    document: &Value,
) -> Vec<Cell> {
    let cell = |value: &Value, made: fn(String) -> Cell| match value.as_str() {
        Some(text) if !text.is_empty() => made(text.to_owned()),
        Some(_) | None => Cell::Empty,
    };
    let text = |value: &Value| cell(value, Cell::Text);
    let id = |value: &Value| cell(value, Cell::Number);
    let money = |value: &Value| {
        let fen = value.as_str().and_then(|text| Fen::parse(text).ok());
        fen.map_or(Cell::Empty, Cell::Money)
    };
    let key = claim.document.to_string();
    let (family, number) = key.split_once(':').unwrap_or(("", &key));
    let kind = match family {
        "F" => Cell::Text(language.of_two("医疗收费票据", "medical bill").to_owned()),
        // A type code such as 04: a spreadsheet would take it for a quantity.
        _ => id(&document["kind"]),
    };
    let seller = match document["seller"].is_object() {
        true => &document["seller"],
        false => &document["issuer"],
    };
    let (_, zh, en) = claim_words(claim);
    let count = |number: u64| Cell::Count(number);
    let before = u64::try_from(before).unwrap_or(u64::MAX);
    vec![
        count(before.saturating_add(1)),
        Cell::Number(number.to_owned()),
        text(&document["issue_date"]),
        kind,
        text(&seller["name"]),
        id(&seller["id"]),
        text(&document["buyer"]["name"]),
        id(&document["buyer"]["id"]),
        money(&document["total"]),
        money(&document["total_without_tax"]),
        money(&document["total_tax"]),
        // The registry never sees what a file was called.
        Cell::Empty,
        count(1),
        text(&document["note"]),
        Cell::Text(language.of_two(zh, en).to_owned()),
        Cell::Money(claim.locked),
        Cell::Money(claim.settled),
        Cell::Text(claim.reference.clone()),
        claim.voucher.clone().map_or(Cell::Empty, Cell::Text),
        Cell::Text(claim.claim.clone()),
        match is_noted(claim) {
            true => Cell::Empty,
            false => {
                let expires = claim.expires_at.to_rfc3339_utc8();
                Cell::Text(expires.chars().take(19).collect())
            }
        },
        count(claim.place.height),
    ]
}

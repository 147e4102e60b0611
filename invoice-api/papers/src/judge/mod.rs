//! From texts to a document: what must be right is refused when it is not, the rest is warned of.

mod compare;
mod line;
mod oddities;
mod personal;
mod sums;

use invoice_core::identity::{Digits, DocumentKey, MemberId};
use invoice_core::read::Spelled;
use invoice_core::record::Visit;

use crate::error::PaperError;
use crate::paper::{Paper, PaperLine, PaperParty, RedLetter, Seal, SealState, Tier};
use crate::raw::Raw;
use crate::spelling;
use crate::warning::WarningCode;
use oddities::Oddities;
use personal::{is_personal, resembles_resident_id};

pub(crate) use compare::{agree, compare, compare_papers, compare_with_code, warn};

/// Judges what a source says.
///
/// # Errors
/// [`PaperError::Spelling`] for a number, total, date or check code that is none, and
/// [`PaperError::XmlUnknown`] where one of the first three is absent.
pub(crate) fn judge(raw: Raw, tier: Tier) -> Result<Paper, PaperError> {
    let mut odd = Oddities::default();
    let (document, alias) = keys(&raw)?;
    let date = raw.date.as_deref().ok_or(PaperError::XmlUnknown)?;
    let date = spelling::date(date).ok_or(PaperError::Spelling)?;
    let check_code = match raw.check_code {
        Some(code) => Some(judge_check_code(&code, raw.fiscal)?),
        None => None,
    };
    let total_without_tax = odd.sum("total_without_tax", raw.without_tax);
    let total_tax = odd.sum("total_tax", raw.tax);
    let amount = match (&raw.total, total_without_tax, total_tax) {
        (Some(total), _, _) => spelling::amount(total).ok_or(PaperError::Spelling)?,
        (None, Some(without_tax), Some(tax)) => {
            odd.note(WarningCode::TotalDerived, format!("{without_tax} + {tax}"));
            without_tax.checked_add(tax).ok_or(PaperError::Spelling)?
        }
        (None, _, _) => return Err(PaperError::XmlUnknown),
    };
    let seller = (raw.seller_id, raw.seller_name);
    let seller = party(&mut odd, "seller", seller, false);
    let buyer = (raw.buyer_id, raw.buyer_name);
    let buyer = party(&mut odd, "buyer", buyer, raw.buyer_is_person);
    let lines: Vec<PaperLine> = raw
        .lines
        .into_iter()
        .enumerate()
        .map(|(index, line)| line::judge(&mut odd, index, line))
        .collect();
    sums::totals(
        &mut odd,
        raw.fiscal,
        &lines,
        (amount, total_without_tax, total_tax),
    );
    let words = raw
        .words
        .and_then(|words| sums::words(&mut odd, &words, amount));
    let payment = raw
        .payment
        .map(|parts| sums::payment(&mut odd, parts, amount));
    let note = odd.lines("note", raw.note);
    let red_letter = (raw.red || amount.is_negative() || raw.red_of.is_some()).then(|| {
        let of = raw.red_of.as_deref();
        RedLetter {
            of: of.and_then(|of| key(raw.fiscal, raw.red_of_code.as_deref(), Some(of)).ok()),
            confirmation: odd.text("red_letter/confirmation", raw.red_confirmation),
        }
    });
    if red_letter.is_some() {
        odd.note(WarningCode::RedLetter, amount.to_string());
    }
    let seal = if raw.signed {
        odd.note(WarningCode::SignatureNotVerifiable, "");
        Seal::plain(SealState::NotVerifiable)
    } else {
        Seal::plain(SealState::Absent)
    };
    let mut paper = Paper {
        document,
        alias,
        kind: raw.kind,
        amount,
        amount_may_be_without_tax: false,
        date,
        check_code,
        seller,
        buyer,
        lines,
        total_without_tax,
        total_tax,
        words,
        payment,
        payment_unread: raw.payment_unread,
        visit: raw.inpatient.map(|inpatient| match inpatient {
            true => Visit::Inpatient,
            false => Visit::Outpatient,
        }),
        red_letter,
        note,
        tier,
        seal,
        warnings: odd.0,
    };
    if let Some(text) = raw.qr {
        compare::compare_with_qr(&mut paper, &text);
    }
    Ok(paper)
}

/// The key of a document by its code and number.
fn key(fiscal: bool, code: Option<&str>, number: Option<&str>) -> Result<DocumentKey, PaperError> {
    let number = number.ok_or(PaperError::XmlUnknown)?;
    let text = match code {
        Some(code) if fiscal => format!("F:{code}-{number}"),
        Some(code) => format!("P:{code}-{number}"),
        None if fiscal => return Err(PaperError::XmlUnknown),
        None => format!("D:{number}"),
    };
    DocumentKey::spelled(&text).map_err(|_| PaperError::Spelling)
}

/// The key of a document, and the second one of a fully digital invoice on paper (数电纸票): its
/// identity is the number of 20 digits, its alias the code and number of the form.
fn keys(raw: &Raw) -> Result<(DocumentKey, Option<DocumentKey>), PaperError> {
    let (code, number) = (raw.code.as_deref(), raw.number.as_deref());
    let is_digital = |number: &str| Digits::<20>::new(number).is_some();
    let digital = raw.digital_number.as_deref();
    let digital = digital.or(number.filter(|number| !raw.fiscal && is_digital(number)));
    let Some(digital) = digital else {
        return Ok((key(raw.fiscal, code, number)?, None));
    };
    let document = key(false, None, Some(digital))?;
    match (code, number) {
        (_, Some(number)) if is_digital(number) && number != digital => {
            Err(PaperError::SeveralDocuments)
        }
        (Some(_), Some(number)) if !is_digital(number) => {
            Ok((document, Some(key(false, code, Some(number))?)))
        }
        _ => Ok((document, None)),
    }
}

fn judge_check_code(code: &str, fiscal: bool) -> Result<String, PaperError> {
    let code: String = code.chars().filter(|c| *c != ' ').collect();
    let length = if fiscal { 6..=6 } else { 1..=20 };
    let plain = code.bytes().all(|b| b.is_ascii_alphanumeric());
    if plain && length.contains(&code.len()) {
        Ok(code)
    } else {
        Err(PaperError::Spelling)
    }
}

/// A party. Of natural persons no number is kept.
fn party(
    odd: &mut Oddities,
    place: &str,
    (id, name): (Option<String>, Option<String>),
    person: bool,
) -> PaperParty {
    let at = format!("{place}/id");
    let (id, unread) = match id {
        Some(id) => party_id(odd, &at, &id, person),
        None => (None, false),
    };
    PaperParty {
        id,
        unread,
        name: odd.text(&format!("{place}/name"), name),
    }
}

/// The number of an organisation, and whether there is one that cannot be read: a masked one is no
/// sign that there is none. Warnings name only the place, since the number may be a person's.
fn party_id(odd: &mut Oddities, place: &str, id: &str, person: bool) -> (Option<String>, bool) {
    let compact: String = id.chars().filter(|c| !c.is_whitespace()).collect();
    if person || is_personal(&compact) {
        odd.note(WarningCode::PersonalNumberDropped, place);
        return (None, false);
    }
    let plain = compact.bytes().all(|b| b.is_ascii_alphanumeric());
    if !plain || !matches!(compact.len(), 15 | 18) {
        odd.note(WarningCode::ValueUnreadable, place);
        return (None, true);
    }
    if compact.len() == 18 && MemberId::spelled(&compact).is_err() {
        if resembles_resident_id(&compact) {
            odd.note(WarningCode::PersonalNumberDropped, place);
            return (None, true);
        }
        odd.note(WarningCode::IdCheckCharacter, place);
    }
    (Some(compact), false)
}

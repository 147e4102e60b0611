//! Sources against one another.

use invoice_core::identity::DocumentKey;
use invoice_core::money::Fen;

use super::oddities::Oddities;
use super::personal::hide_resident_ids;
use crate::error::PaperError;
use crate::paper::{Paper, Tier};
use crate::qr;
use crate::raw::Raw;
use crate::spelling;
use crate::warning::WarningCode;

/// Whether two readings are of one document: a fully digital invoice on paper has two keys.
fn same(one: &Paper, other: &Paper) -> bool {
    one.document == other.document
        || one.alias == Some(other.document)
        || other.alias == Some(one.document)
}

/// Whether a reading's amount is the other's total, or its sum without tax.
fn amount_fits(whole: &Paper, other: &Paper) -> bool {
    [Some(whole.amount), whole.total_without_tax].contains(&Some(other.amount))
}

/// Two sources of one file, neither of which counts more, must say the same.
///
/// # Errors
/// [`PaperError::SeveralDocuments`] for another document, [`PaperError::Contradictory`] for the same
/// one with another amount, date or check code.
pub(crate) fn agree(one: &Paper, other: &Paper) -> Result<(), PaperError> {
    if !same(one, other) {
        return Err(PaperError::SeveralDocuments);
    }
    // An old QR text has the sum without tax beside a link with the total.
    let vague = one.amount_may_be_without_tax != other.amount_may_be_without_tax;
    let codes = (&one.check_code, &other.check_code);
    let fits = (vague || one.amount == other.amount)
        && one.date == other.date
        && !matches!(codes, (Some(one), Some(other)) if one != other);
    if fits {
        Ok(())
    } else {
        Err(PaperError::Contradictory)
    }
}

/// Compares a document with another attachment of the same file, which [`agree`]s with it.
pub(crate) fn compare_papers(paper: &mut Paper, other: &Paper) {
    let differs = |one: Option<&String>, other: Option<&String>| matches!((one, other), (Some(one), Some(other)) if one != other);
    let sums = |one: Option<Fen>, other: Option<Fen>| matches!((one, other), (Some(one), Some(other)) if one != other);
    let (seller, buyer) = (&paper.seller, &paper.buyer);
    let found = [
        (
            "seller/id",
            differs(seller.id.as_ref(), other.seller.id.as_ref()),
        ),
        (
            "seller/name",
            differs(seller.name.as_ref(), other.seller.name.as_ref()),
        ),
        (
            "buyer/id",
            differs(buyer.id.as_ref(), other.buyer.id.as_ref()),
        ),
        (
            "buyer/name",
            differs(buyer.name.as_ref(), other.buyer.name.as_ref()),
        ),
        (
            "total_without_tax",
            sums(paper.total_without_tax, other.total_without_tax),
        ),
        ("total_tax", sums(paper.total_tax, other.total_tax)),
        (
            "payment",
            matches!((paper.payment, other.payment), (Some(one), Some(other)) if one != other),
        ),
    ];
    for (member, _) in found.iter().filter(|(_, differs)| *differs) {
        let place = format!("{}: {member}", Tier::Attachment.as_str());
        warn(paper, WarningCode::SourcesContradict, place);
    }
}

/// The text of the QR code that a file repeats must say the same.
pub(super) fn compare_with_qr(paper: &mut Paper, text: &str) {
    match qr::paper(text, Tier::Text) {
        Ok(code) => compare_with_code(paper, &code),
        Err(_) => {
            let mut odd = Oddities(std::mem::take(&mut paper.warnings));
            odd.unreadable("qr", text);
            paper.warnings = odd.0;
        }
    }
}

/// Compares a document with the QR code that stands beside it.
pub(crate) fn compare_with_code(paper: &mut Paper, code: &Paper) {
    let check = code.check_code.is_none() || code.check_code == paper.check_code;
    let fits = [
        ("number", same(paper, code)),
        ("amount", amount_fits(paper, code)),
        ("date", paper.date == code.date),
        ("check_code", check),
    ];
    for (member, _) in fits.iter().filter(|(_, fits)| !fits) {
        warn(
            paper,
            WarningCode::SourcesContradict,
            format!("qr: {member}"),
        );
    }
}

/// Compares a document with what a less trusted source of the same file says of it.
pub(crate) fn compare(paper: &mut Paper, source: &str, other: &Raw) {
    let mut odd = Oddities(std::mem::take(&mut paper.warnings));
    let mut differ = |member: &str, found: &str| {
        let (found, _) = hide_resident_ids(spelling::clean(found).text);
        let found: String = found.chars().take(60).collect();
        let found = match found.as_str() {
            "" => format!("{source}: {member}"),
            found => format!("{source}: {member}: {found}"),
        };
        odd.note(WarningCode::SourcesContradict, found);
    };
    let known = |text: Option<&String>| text.map(|text| spelling::clean(text).text);
    let mut texts = |member: &str, mine: &[Option<&str>], theirs: Option<&String>| {
        let mine: Vec<&str> = mine.iter().copied().flatten().collect();
        if let Some(theirs) = known(theirs)
            && !mine.is_empty()
            && !mine.contains(&theirs.as_str())
        {
            // Numbers of parties may be those of persons: where is enough.
            let shown = if member.ends_with("/id") { "" } else { &theirs };
            differ(member, shown);
        }
    };
    let keys = [Some(paper.document), paper.alias];
    let numbers = keys
        .each_ref()
        .map(|key| key.as_ref().map(DocumentKey::number));
    let codes = keys
        .each_ref()
        .map(|key| key.as_ref().and_then(DocumentKey::code));
    texts("number", &numbers, other.number.as_ref());
    texts("number", &numbers, other.digital_number.as_ref());
    texts("code", &codes, other.code.as_ref());
    let check = other.check_code.as_ref().map(|code| code.replace(' ', ""));
    texts("check_code", &[paper.check_code.as_deref()], check.as_ref());
    for (side, mine, id, name) in [
        (
            "seller",
            &paper.seller,
            &other.seller_id,
            &other.seller_name,
        ),
        ("buyer", &paper.buyer, &other.buyer_id, &other.buyer_name),
    ] {
        texts(&format!("{side}/id"), &[mine.id.as_deref()], id.as_ref());
        texts(
            &format!("{side}/name"),
            &[mine.name.as_deref()],
            name.as_ref(),
        );
    }
    let mut sums = |member: &str, mine: Option<Fen>, theirs: Option<&String>| {
        if let (Some(mine), Some(theirs)) = (mine, theirs)
            && spelling::amount(theirs) != Some(mine)
        {
            differ(member, theirs);
        }
    };
    sums("total", Some(paper.amount), other.total.as_ref());
    sums(
        "total_without_tax",
        paper.total_without_tax,
        other.without_tax.as_ref(),
    );
    sums("total_tax", paper.total_tax, other.tax.as_ref());
    if let Some(date) = &other.date
        && spelling::date(date) != Some(paper.date)
    {
        differ("date", date);
    }
    paper.warnings = odd.0;
}

/// Adds a warning to a document.
pub(crate) fn warn(paper: &mut Paper, code: WarningCode, detail: impl Into<String>) {
    let mut odd = Oddities(std::mem::take(&mut paper.warnings));
    odd.note(code, detail);
    paper.warnings = odd.0;
}

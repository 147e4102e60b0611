//! Sources against one another.

use invoice_core::money::Fen;
use invoice_core::qr;

use super::oddities::Oddities;
use crate::paper::Paper;
use crate::raw::Raw;
use crate::spelling;
use crate::warning::WarningCode;

/// The text of the QR code that a file repeats must say the same.
pub(super) fn compare_with_qr(paper: &mut Paper, text: &str) {
    let mut odd = Oddities(std::mem::take(&mut paper.warnings));
    match qr::parse(text) {
        Ok(read) => {
            let amounts = [Some(paper.amount), paper.total_without_tax];
            let fits = [
                ("number", read.key == paper.document),
                ("amount", amounts.contains(&Some(read.amount))),
                ("date", read.date == paper.date),
                (
                    "check_code",
                    read.check_code.is_none() || read.check_code == paper.check_code,
                ),
            ];
            for (member, _) in fits.iter().filter(|(_, fits)| !fits) {
                odd.note(WarningCode::SourcesContradict, format!("qr: {member}"));
            }
        }
        Err(_) => odd.unreadable("qr", text),
    }
    paper.warnings = odd.0;
}

/// Compares a document with what a less trusted source of the same file says of it.
pub(crate) fn compare(paper: &mut Paper, source: &str, other: &Raw) {
    let mut odd = Oddities(std::mem::take(&mut paper.warnings));
    let mut differ = |member: &str, found: &str| {
        let (found, _) = spelling::clean(found);
        let found: String = found.chars().take(60).collect();
        odd.note(
            WarningCode::SourcesContradict,
            format!("{source}: {member}: {found}"),
        );
    };
    let known = |text: Option<&String>| text.map(|text| spelling::clean(text).0);
    let mut texts = |member: &str, mine: Option<&String>, theirs: Option<&String>| {
        if let (Some(mine), Some(theirs)) = (mine, known(theirs))
            && *mine != theirs
        {
            differ(member, &theirs);
        }
    };
    let (number, code) = (paper.document.number().to_owned(), paper.document.code());
    texts("number", Some(&number), other.number.as_ref());
    if let Some(code) = code {
        texts("code", Some(&code.to_owned()), other.code.as_ref());
    }
    let check = other.check_code.as_ref().map(|code| code.replace(' ', ""));
    texts("check_code", paper.check_code.as_ref(), check.as_ref());
    texts(
        "seller/id",
        paper.seller.id.as_ref(),
        other.seller_id.as_ref(),
    );
    texts(
        "seller/name",
        paper.seller.name.as_ref(),
        other.seller_name.as_ref(),
    );
    texts("buyer/id", paper.buyer.id.as_ref(), other.buyer_id.as_ref());
    texts(
        "buyer/name",
        paper.buyer.name.as_ref(),
        other.buyer_name.as_ref(),
    );
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

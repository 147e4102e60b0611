//! From texts to a document: what must be right is refused when it is not, the rest is warned of.

use invoice_core::amount_words;
use invoice_core::identity::{Digits, DocumentKey, MemberId, is_resident_id};
use invoice_core::invoice::TaxRate;
use invoice_core::money::Fen;
use invoice_core::qr;
use invoice_core::read::Spelled;
use invoice_core::record::Visit;

use crate::error::PaperError;
use crate::paper::{Paper, PaperLine, PaperParty, PaperPayment, RedLetter, Seal, SealState, Tier};
use crate::raw::{Raw, RawLine};
use crate::spelling;
use crate::warning::{Warning, WarningCode};

/// How far sums may be from one another before it is odd.
const SUM_TOLERANCE: i64 = 1;
/// How far a line's tax may be from amount times rate.
const LINE_TAX_TOLERANCE: Fen = Fen::new(6);
/// Warnings of one document; more say nothing new.
const WARNINGS_MAX: usize = 100;

/// Collects warnings.
#[derive(Debug, Default)]
struct Oddities(Vec<Warning>);

impl Oddities {
    fn note(&mut self, code: WarningCode, detail: impl Into<String>) {
        if self.0.len() < WARNINGS_MAX {
            self.0.push(Warning {
                code,
                detail: detail.into(),
            });
        }
    }

    fn text(&mut self, place: &str, text: Option<String>) -> Option<String> {
        let (clean, changed) = spelling::clean(&text?);
        if changed {
            self.note(WarningCode::TextCleaned, place);
        }
        (!clean.is_empty()).then_some(clean)
    }

    /// A sum that may be absent, and is left out when it cannot be read.
    fn sum(&mut self, place: &str, text: Option<String>) -> Option<Fen> {
        let text = text?;
        let read = spelling::amount(&text);
        if read.is_none() {
            self.unreadable(place, &text);
        }
        read
    }

    fn unreadable(&mut self, place: &str, text: &str) {
        let (text, _) = spelling::clean(text);
        let text: String = text.chars().take(40).collect();
        self.note(WarningCode::ValueUnreadable, format!("{place}: {text}"));
    }
}

/// Judges what a source says.
///
/// # Errors
/// [`PaperError::Spelling`] for a number, total, date or check code that is none, and
/// [`PaperError::XmlUnknown`] where one of the first three is absent.
pub(crate) fn judge(raw: Raw, tier: Tier) -> Result<Paper, PaperError> {
    let mut odd = Oddities::default();
    let document = key(raw.fiscal, raw.code.as_deref(), raw.number.as_deref())?;
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
    let seller = PaperParty {
        id: party_id(&mut odd, "seller/id", raw.seller_id, false),
        name: odd.text("seller/name", raw.seller_name),
    };
    let buyer = PaperParty {
        id: party_id(&mut odd, "buyer/id", raw.buyer_id, raw.buyer_is_person),
        name: odd.text("buyer/name", raw.buyer_name),
    };
    let lines: Vec<PaperLine> = raw
        .lines
        .into_iter()
        .enumerate()
        .map(|(index, line)| judge_line(&mut odd, index, line))
        .collect();
    judge_sums(
        &mut odd,
        raw.fiscal,
        &lines,
        (amount, total_without_tax, total_tax),
    );
    let words = raw
        .words
        .and_then(|words| judge_words(&mut odd, &words, amount));
    let payment = raw
        .payment
        .map(|parts| judge_payment(&mut odd, parts, amount));
    let note = odd.text("note", raw.note);
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
        compare_with_qr(&mut paper, &text);
    }
    Ok(paper)
}

/// The key of a document by its code and number.
fn key(fiscal: bool, code: Option<&str>, number: Option<&str>) -> Result<DocumentKey, PaperError> {
    let number = number.ok_or(PaperError::XmlUnknown)?;
    let text = match code {
        Some(code) if fiscal => format!("F:{code}-{number}"),
        // Fully digital invoices on paper have both; their identity is the number of 20 digits.
        Some(_) if Digits::<20>::new(number).is_some() => format!("D:{number}"),
        Some(code) => format!("P:{code}-{number}"),
        None if fiscal => return Err(PaperError::XmlUnknown),
        None => format!("D:{number}"),
    };
    DocumentKey::spelled(&text).map_err(|_| PaperError::Spelling)
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

/// The number of an organisation; those of natural persons are not kept, and what was never kept
/// can never leak.
fn party_id(odd: &mut Oddities, place: &str, id: Option<String>, person: bool) -> Option<String> {
    let id = id?;
    let compact: String = id.chars().filter(|c| !c.is_whitespace()).collect();
    if person || is_resident_id(&compact) || compact.contains('*') {
        odd.note(WarningCode::PersonalNumberDropped, place);
        return None;
    }
    let plain = compact.bytes().all(|b| b.is_ascii_alphanumeric());
    if !plain || !(15..=20).contains(&compact.len()) {
        odd.unreadable(place, &compact);
        return None;
    }
    if compact.len() == 18 && MemberId::spelled(&compact).is_err() {
        odd.note(WarningCode::IdCheckCharacter, format!("{place}: {compact}"));
    }
    Some(compact)
}

fn judge_line(odd: &mut Oddities, index: usize, line: RawLine) -> PaperLine {
    let at = |member: &str| format!("lines/{index}/{member}");
    let quantity = line.quantity.and_then(|text| {
        let read = spelling::decimal(&text);
        if read.is_none() {
            odd.unreadable(&at("quantity"), &text);
        }
        read
    });
    let unit_price = line.unit_price.and_then(|text| {
        let read = spelling::decimal(&text);
        if read.is_none() {
            odd.unreadable(&at("unit_price"), &text);
        }
        read
    });
    let amount = odd.sum(&at("amount"), line.amount);
    let tax = odd.sum(&at("tax"), line.tax);
    let tax_rate = line.tax_rate.and_then(|text| {
        let read = spelling::tax_rate(&text);
        if read.is_none() {
            odd.unreadable(&at("tax_rate"), &text);
        }
        read
    });
    if let (Some(quantity), Some(price), Some(amount)) = (&quantity, &unit_price, amount)
        && !quantity.product_is(price, amount)
    {
        let found = format!("{}: {quantity} × {price} ≠ {amount}", at("amount"));
        odd.note(WarningCode::LineAmountDiffers, found);
    }
    let rate = tax_rate
        .as_deref()
        .and_then(|rate| TaxRate::spelled(rate).ok());
    if let (Some(rate), Some(amount), Some(tax)) = (rate, amount, tax)
        && rate
            .tax_error(amount, tax)
            .is_some_and(|error| error.exceeds(LINE_TAX_TOLERANCE))
    {
        let found = format!("{}: {amount} × {rate} ≠ {tax}", at("tax"));
        odd.note(WarningCode::LineTaxDiffers, found);
    }
    let tax_code = line.tax_code.filter(|code| {
        let fits = code.len() == 19 && code.bytes().all(|b| b.is_ascii_digit());
        if !fits {
            odd.unreadable(&at("tax_code"), code);
        }
        fits
    });
    PaperLine {
        code: odd.text(&at("code"), line.code),
        name: odd.text(&at("name"), line.name).unwrap_or_default(),
        spec: odd.text(&at("spec"), line.spec),
        unit: odd.text(&at("unit"), line.unit),
        quantity: quantity.map(|number| number.to_string()),
        unit_price: unit_price.map(|number| number.to_string()),
        amount,
        tax_rate,
        tax,
        tax_code,
    }
}

/// 勾稽: lines against totals, and totals against one another.
fn judge_sums(
    odd: &mut Oddities,
    fiscal: bool,
    lines: &[PaperLine],
    (total, without_tax, tax): (Fen, Option<Fen>, Option<Fen>),
) {
    let mut compare = |place: &str, due: Option<Fen>, found: Fen| {
        let near = |due: Fen| due.get().abs_diff(found.get()) <= SUM_TOLERANCE.unsigned_abs();
        if !due.is_some_and(near) {
            let due = due.map_or_else(|| "-".to_owned(), |due| due.to_string());
            odd.note(WarningCode::SumsDiffer, format!("{place}: {due} ≠ {found}"));
        }
    };
    let amounts: Option<Vec<Fen>> = lines.iter().map(|line| line.amount).collect();
    if let Some(amounts) = amounts.filter(|amounts| !amounts.is_empty()) {
        let of_lines = Fen::checked_sum(amounts);
        match without_tax {
            Some(without_tax) => compare("total_without_tax", of_lines, without_tax),
            None if fiscal => compare("total", of_lines, total),
            None => {}
        }
    }
    let taxes: Option<Vec<Fen>> = lines.iter().map(|line| line.tax).collect();
    if let (Some(taxes), Some(tax)) = (taxes.filter(|taxes| !taxes.is_empty()), tax) {
        compare("total_tax", Fen::checked_sum(taxes), tax);
    }
    if let (Some(without_tax), Some(tax)) = (without_tax, tax) {
        compare("total", without_tax.checked_add(tax), total);
    }
}

/// Compared by reading, never by text: there are several right spellings.
fn judge_words(odd: &mut Oddities, words: &str, total: Fen) -> Option<Fen> {
    match amount_words::parse(words) {
        Ok(read) if read == total => Some(read),
        Ok(read) => {
            odd.note(WarningCode::WordsDiffer, format!("{read} ≠ {total}"));
            Some(read)
        }
        Err(_) => {
            odd.note(WarningCode::WordsUnreadable, spelling::clean(words).0);
            None
        }
    }
}

fn judge_payment(odd: &mut Oddities, parts: [Option<String>; 6], total: Fen) -> PaperPayment {
    let [fund, other, account, cash, self_pay, self_fund] = parts;
    let split = PaperPayment {
        fund: odd.sum("payment/fund", fund),
        other: odd.sum("payment/other", other),
        account: odd.sum("payment/account", account),
        cash: odd.sum("payment/cash", cash),
        self_pay: odd.sum("payment/self_pay", self_pay),
        self_fund: odd.sum("payment/self_fund", self_fund),
    };
    let near = |one: Option<Fen>, other: Option<Fen>| match (one, other) {
        (Some(one), Some(other)) => one.get().abs_diff(other.get()) <= SUM_TOLERANCE.unsigned_abs(),
        _ => false,
    };
    match (split.fund, split.other, split.account, split.cash) {
        (Some(fund), Some(other), Some(account), Some(cash)) => {
            let sum = Fen::checked_sum([fund, other, account, cash]);
            if !near(sum, Some(total)) {
                let found = format!("{fund} + {other} + {account} + {cash} ≠ {total}");
                odd.note(WarningCode::PaymentSourcesDiffer, found);
            }
        }
        _ => odd.note(WarningCode::PaymentIncomplete, "fund, other, account, cash"),
    }
    match (split.account, split.cash, split.self_pay, split.self_fund) {
        (Some(account), Some(cash), Some(pay), Some(fund)) => {
            if !near(pay.checked_add(fund), account.checked_add(cash)) {
                let found = format!("{pay} + {fund} ≠ {account} + {cash}");
                odd.note(WarningCode::PaymentBurdenDiffers, found);
            }
        }
        _ => odd.note(WarningCode::PaymentIncomplete, "self_pay, self_fund"),
    }
    split
}

/// The text of the QR code that a file repeats must say the same.
fn compare_with_qr(paper: &mut Paper, text: &str) {
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

//! From a document that was read to the content of a `document.register` record.

use invoice_core::identity::{DocumentKey, MemberId};
use invoice_core::invoice::{InvoiceKind, Line, Payment, TaxRate};
use invoice_core::money::Fen;
use invoice_core::read::Spelled;
use invoice_core::record::{
    Bill, Buyer, BuyerId, CheckCode, Invoice, Item, OriginalFormat, OriginalSignature, Party,
    Registered, Visit,
};

use crate::paper::{Format, Paper, PaperLine, PaperParty, PaperPayment, SealState};
use crate::spelling::decimal;
use crate::warning::WarningCode;

/// What keeps a document from being registered: members that are absent or cannot stand in a
/// record, by their JSON Pointers relative to the invoice or bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit(pub Vec<String>);

/// What a person decides where the file does not say it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Supplement {
    /// 发票类型; another one than the file's is refused.
    pub kind: Option<InvoiceKind>,
    /// 门诊 or 住院; another one than the file's is refused.
    pub visit: Option<Visit>,
    /// Whether the note is recorded. Where nobody decides, only that of a document made out to an
    /// organisation: what stands in a person's note often tells why the person was there.
    pub note: Option<bool>,
}

/// What speaks against the file itself. A document with one of these is registered only by who
/// names it and answers for it.
pub const GRAVE_WARNINGS: &[WarningCode] = &[
    WarningCode::SealBroken,
    WarningCode::SourcesContradict,
    WarningCode::SourceNotSigned,
    WarningCode::WordsDiffer,
];

/// Notes what is absent.
#[derive(Default)]
struct Gaps(Vec<String>);

impl Gaps {
    /// What the file says, or what is added to it; a contradiction between them is a gap too.
    fn agreed<T: Copy + PartialEq>(
        &mut self,
        place: &str,
        read: Option<T>,
        added: Option<T>,
    ) -> Option<T> {
        let contradicts = read.is_some() && added.is_some() && read != added;
        self.due(place, read.or(added).filter(|_| !contradicts))
    }

    fn due<T>(&mut self, place: impl Into<String>, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.0.push(place.into());
        }
        value
    }
}

impl Paper {
    /// The document as a record carries it. Whether sums and rates keep the rules, the record's
    /// own reader says.
    ///
    /// # Errors
    /// [`Unfit`] when the file holds too little: of a QR code nothing can be registered. A text that
    /// was cut, a number that is masked and a medical split that is not whole are gaps: a record
    /// without them would say something else than the paper. A red letter is no document of its own
    /// here: what it reverses is frozen instead.
    pub fn to_registered(&self, supplement: Supplement) -> Result<Registered, Unfit> {
        let mut gaps = Gaps::default();
        if self.red_letter.is_some() {
            return Err(Unfit(vec!["/red_letter".into()]));
        }
        let registered = match self.document {
            DocumentKey::Fiscal { .. } => {
                bill(self, supplement, &mut gaps).map(|bill| Registered::Bill(Box::new(bill)))
            }
            DocumentKey::Digital(_) | DocumentKey::Paper { .. } => {
                invoice(self, supplement, &mut gaps)
                    .map(|invoice| Registered::Invoice(Box::new(invoice)))
            }
        };
        match registered {
            Some(registered) if gaps.0.is_empty() => Ok(registered),
            Some(_) | None => Err(Unfit(gaps.0)),
        }
    }

    /// What a record says of the file's own signature.
    #[must_use]
    pub const fn original_signature(&self) -> OriginalSignature {
        match self.seal.state {
            // Anyone can seal with a key of their own.
            SealState::Verified if self.seal.trusted => OriginalSignature::Verified,
            SealState::Verified
            | SealState::DigestsOnly
            | SealState::Broken
            | SealState::NotVerifiable => OriginalSignature::NotVerified,
            SealState::Absent => OriginalSignature::Absent,
        }
    }
}

impl Format {
    /// What a record calls this form of an original; `None` for QR codes, which are none.
    #[must_use]
    pub const fn original(self) -> Option<OriginalFormat> {
        match self {
            Self::InvoiceXml => Some(OriginalFormat::InvoiceXml),
            Self::FiscalXml => Some(OriginalFormat::FiscalXml),
            Self::Ofd => Some(OriginalFormat::Ofd),
            Self::Pdf => Some(OriginalFormat::Pdf),
            Self::Zip => Some(OriginalFormat::Zip),
            Self::QrImage | Self::QrText => None,
        }
    }
}

fn party(gaps: &mut Gaps, place: &str, party: &PaperParty) -> Option<Party> {
    let id = party
        .id
        .as_deref()
        .and_then(|id| MemberId::spelled(id).ok());
    let id = gaps.due(format!("{place}/id"), id);
    let name = gaps.due(format!("{place}/name"), party.name.clone());
    Some(Party {
        id: id?,
        name: name?,
    })
}

fn invoice(paper: &Paper, supplement: Supplement, gaps: &mut Gaps) -> Option<Invoice> {
    let kind = gaps.agreed("/invoice/kind", paper.kind, supplement.kind);
    let seller = party(gaps, "/invoice/seller", &paper.seller);
    let buyer_id = match &paper.buyer.id {
        Some(id) => gaps
            .due("/invoice/buyer/id", BuyerId::spelled(id).ok())
            .map(Some),
        // Without it the document would be anyone's to claim.
        None if paper.buyer.unread => gaps.due("/invoice/buyer/id", None),
        None => Some(None),
    };
    let organisation = paper.buyer.id.is_some();
    let buyer_name = match &paper.buyer.name {
        Some(name) if !organisation => Some(masked(name)),
        name => name.clone(),
    };
    let buyer_name = gaps.due("/invoice/buyer/name", buyer_name);
    let note = paper
        .note
        .clone()
        .filter(|_| supplement.note.unwrap_or(organisation));
    let hidden = |place: &str| {
        paper.warnings.iter().any(|warning| {
            warning.code == WarningCode::PersonalNumberDropped && warning.detail == place
        })
    };
    if note.is_some() && hidden("note") {
        gaps.0.push("/invoice/note".into());
    }
    cut_texts(paper, "/invoice", note.is_some(), gaps);
    let payment = match paper.payment {
        Some(split) => payment(split, "/invoice", gaps).map(Some),
        None if paper.payment_unread => gaps.due("/invoice/payment", None),
        None => Some(None),
    };
    let lines: Vec<Option<Line>> = paper
        .lines
        .iter()
        .enumerate()
        .map(|(index, read)| line(gaps, index, read))
        .collect();
    if lines.is_empty() {
        gaps.0.push("/invoice/lines".into());
    }
    let total_without_tax = gaps.due("/invoice/total_without_tax", paper.total_without_tax);
    let total_tax = gaps.due("/invoice/total_tax", paper.total_tax);
    Some(Invoice {
        key: paper.document,
        kind: kind?,
        issue_date: paper.date,
        seller: seller?,
        buyer: Buyer {
            id: buyer_id?,
            name: buyer_name?,
        },
        lines: lines.into_iter().collect::<Option<_>>()?,
        total_without_tax: total_without_tax?,
        total_tax: total_tax?,
        total: paper.amount,
        payment: payment?,
        sealed: None,
        note,
    })
}

fn line(gaps: &mut Gaps, index: usize, read: &PaperLine) -> Option<Line> {
    let at = |member: &str| format!("/invoice/lines/{index}/{member}");
    let name = gaps.due(at("name"), Some(&read.name).filter(|name| !name.is_empty()));
    let amount = gaps.due(at("amount"), read.amount);
    let rate = read.tax_rate.as_deref();
    let tax_rate = gaps.due(
        at("tax_rate"),
        rate.and_then(|rate| TaxRate::spelled(rate).ok()),
    );
    let untaxed = matches!(tax_rate, Some(TaxRate::Exempt | TaxRate::NotTaxable));
    let tax = gaps.due(at("tax"), read.tax.or(untaxed.then_some(Fen::ZERO)));
    // A code that is made up of zeros stands for none.
    let code = read
        .tax_code
        .clone()
        .filter(|code| code.starts_with(['1', '2', '3', '4', '5', '6']));
    Some(Line {
        name: name?.clone(),
        spec: read.spec.clone(),
        unit: read.unit.clone(),
        quantity: read.quantity.as_deref().and_then(decimal),
        unit_price: read.unit_price.as_deref().and_then(decimal),
        amount: amount?,
        tax_rate: tax_rate?,
        tax: tax?,
        tax_code: code,
    })
}

fn bill(paper: &Paper, supplement: Supplement, gaps: &mut Gaps) -> Option<Bill> {
    let check = paper.check_code.as_deref();
    let check = check.and_then(|code| CheckCode::spelled(code).ok());
    let check_code = gaps.due("/bill/check_code", check);
    let issuer = party(gaps, "/bill/issuer", &paper.seller);
    let visit = gaps.agreed("/bill/visit", paper.visit, supplement.visit);
    let items: Vec<Option<Item>> = paper
        .lines
        .iter()
        .enumerate()
        .map(|(index, line)| {
            let amount = gaps.due(format!("/bill/items/{index}/amount"), line.amount);
            Some(Item {
                code: line.code.clone(),
                name: line.name.clone(),
                amount: amount?,
            })
        })
        .collect();
    if items.is_empty() {
        gaps.0.push("/bill/items".into());
    }
    cut_texts(paper, "/bill", false, gaps);
    let payment = payment(paper.payment.unwrap_or_default(), "/bill", gaps);
    Some(Bill {
        key: paper.document,
        check_code: check_code?,
        issue_date: paper.date,
        issuer: issuer?,
        visit: visit?,
        items: items.into_iter().collect::<Option<_>>()?,
        total: paper.amount,
        payment: payment?,
        sealed: None,
    })
}

/// A split of which every part is known: without one, what the fund paid could be claimed again.
fn payment(split: PaperPayment, document: &str, gaps: &mut Gaps) -> Option<Payment> {
    let mut part =
        |name: &str, part: Option<Fen>| gaps.due(format!("{document}/payment/{name}"), part);
    let (fund, other) = (part("fund", split.fund), part("other", split.other));
    let (account, cash) = (part("account", split.account), part("cash", split.cash));
    let (pay, own) = (
        part("self_pay", split.self_pay),
        part("self_fund", split.self_fund),
    );
    Some(Payment {
        fund: fund?,
        other: other?,
        account: account?,
        cash: cash?,
        self_pay: pay?,
        self_fund: own?,
    })
}

/// Texts whose end is missing, by their places in the record.
fn cut_texts(paper: &Paper, document: &str, note: bool, gaps: &mut Gaps) {
    for warning in &paper.warnings {
        let place = match document {
            "/bill" => warning
                .detail
                .replace("seller/", "issuer/")
                .replace("lines/", "items/"),
            _ => warning.detail.clone(),
        };
        let recorded = note || place != "note";
        if warning.code == WarningCode::TextCut && recorded {
            gaps.0.push(format!("{document}/{place}"));
        }
    }
}

/// The name of a natural person as it stands on the chain, which nobody can take back: the first
/// character and two asterisks. 个人 names nobody.
fn masked(name: &str) -> String {
    match name.chars().next() {
        Some(first) if name != "个人" => format!("{first}**"),
        Some(_) | None => name.to_owned(),
    }
}

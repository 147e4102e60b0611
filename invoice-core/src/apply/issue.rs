//! `invoice.issue`, `bill.issue`, `document.register`: a document enters the registry.

use super::context::{Context, Stop};
use super::event::{Event, EventKind};
use super::execution::each_once;
use super::quota;
use crate::calendar::Date;
use crate::identity::DocumentKey;
use crate::invoice::Payment;
use crate::money::Fen;
use crate::record::{Bill, BuyerId, Fingerprint, Invoice};
use crate::refusal::Rejection;
use crate::state::{Burden, CONTENT_FIELDS_MAX, Document, Family, MemberNo, StateView, Title, sum};

/// A document as its record makes it: all of its entry but the place and the issuer's number,
/// which only execution knows.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) key: DocumentKey,
    fingerprint: Fingerprint,
    document: Document,
}

impl Draft {
    pub(super) fn of_invoice(invoice: &Invoice, fingerprint: Fingerprint) -> Self {
        let title = match &invoice.buyer.id {
            None => Title::Open,
            Some(BuyerId::Organisation(id)) => Title::Organisation(*id),
            Some(BuyerId::OldTaxNumber(_)) => Title::OldTaxNumber,
        };
        let document = Document {
            title,
            total_without_tax: invoice.total_without_tax,
            burden: invoice
                .payment
                .as_ref()
                .map(|payment| burden(payment, invoice.total)),
            ..blank(
                Family::Invoice,
                invoice.issue_date,
                invoice.total,
                &fingerprint,
            )
        };
        Self {
            key: invoice.key,
            fingerprint,
            document,
        }
    }

    pub(super) fn of_bill(bill: &Bill, fingerprint: Fingerprint) -> Self {
        let document = Document {
            check_code: Some(*bill.check_code.as_bytes()),
            burden: Some(burden(&bill.payment, bill.total)),
            ..blank(Family::Bill, bill.issue_date, bill.total, &fingerprint)
        };
        Self {
            key: bill.key,
            fingerprint,
            document,
        }
    }
}

pub(super) fn issue<V: StateView>(
    context: &mut Context<'_, '_, V>,
    draft: &Draft,
) -> Result<(), Stop<V::Error>> {
    refuse_known(context, draft)?;
    refuse_future(context, draft.document.issue_date)?;
    if draft.document.family == Family::Invoice {
        quota::consume(
            context,
            draft.document.issue_date.month(),
            draft.document.total_without_tax,
        )?;
    }
    enter(context, draft, EventKind::DocumentIssued);
    Ok(())
}

/// A document that was issued elsewhere: no quota of this registry was its issuer's. The authority
/// stands for the issuer here, who need not be a member, and records its red letter too.
pub(super) fn register<V: StateView>(
    context: &mut Context<'_, '_, V>,
    draft: &Draft,
) -> Result<(), Stop<V::Error>> {
    refuse_known(context, draft)?;
    refuse_future(context, draft.document.issue_date)?;
    enter(context, draft, EventKind::DocumentRegistered);
    Ok(())
}

fn enter<V: StateView>(context: &mut Context<'_, '_, V>, draft: &Draft, kind: EventKind) {
    let mut document = Document {
        issuer: context.signer.number,
        registered: kind == EventKind::DocumentRegistered,
        index: context.index,
        ..draft.document.clone()
    };
    context.put_document(&draft.key, &mut document);
    let mut concerns = vec![context.signer.id];
    if let Title::Organisation(buyer) = document.title {
        concerns.push(buyer);
    }
    context.tell(
        Event::new(kind, each_once(concerns))
            .of(draft.key)
            .amount(document.total),
    );
}

/// The same content again is told apart from other content under the same number.
fn refuse_known<V: StateView>(
    context: &Context<'_, '_, V>,
    draft: &Draft,
) -> Result<(), Stop<V::Error>> {
    if let Some(known) = context.state().document(&draft.key)? {
        if known.content == draft.document.content {
            return Err(Rejection::DocumentExists {
                first_index: known.index,
            }
            .into());
        }
        let digests = draft
            .document
            .content_fields
            .iter()
            .zip(&known.content_fields);
        let mut fields: Vec<_> = draft
            .fingerprint
            .fields
            .iter()
            .zip(digests)
            .filter(|(_, (new, old))| new != old)
            .map(|((pointer, _), _)| *pointer)
            .collect();
        if fields.is_empty() {
            // 8 bits per member can collide; the digest of the whole has told them apart.
            fields.push("");
        }
        return Err(Rejection::DocumentConflict { fields }.into());
    }
    if context.state().alias(&draft.key)?.is_some() {
        return Err(Rejection::IdentityTaken.into());
    }
    Ok(())
}

fn refuse_future<V: StateView>(
    context: &Context<'_, '_, V>,
    issue_date: Date,
) -> Result<(), Stop<V::Error>> {
    if issue_date > context.today {
        return Err(Rejection::IssueDateInFuture {
            today: context.today.to_string(),
        }
        .into());
    }
    Ok(())
}

/// What the patient bore. The split may miss the total by a fen (rules M1, M2), the claimable part
/// never exceeds it.
fn burden(payment: &Payment, total: Fen) -> Burden {
    Burden {
        claimable: sum([payment.account, payment.cash]).min(total),
        self_pay: payment.self_pay,
        self_fund: payment.self_fund,
        directly_settled: sum([payment.fund, payment.other]) > Fen::ZERO,
    }
}

fn blank(family: Family, issue_date: Date, total: Fen, fingerprint: &Fingerprint) -> Document {
    let mut content_fields = [0; CONTENT_FIELDS_MAX];
    for (to, (_, digest)) in content_fields.iter_mut().zip(&fingerprint.fields) {
        let [first, _] = digest.to_be_bytes();
        *to = first;
    }
    Document {
        family,
        issuer: MemberNo(0),
        registered: false,
        title: Title::Open,
        index: 0,
        issue_date,
        total,
        total_without_tax: total,
        check_code: None,
        burden: None,
        reversed: Fen::ZERO,
        quota_restored: Fen::ZERO,
        frozen: false,
        aliases: 0,
        content: fingerprint.short(),
        content_fields,
        holdings: Vec::new(),
        shares: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::apply::work::Work;
    use crate::record::parse_record;

    /// The state keeps a fixed number of field digests for each family.
    #[test]
    fn as_many_members_are_compared_as_the_state_keeps() {
        let invoice = r#"{"type":"invoice.issue","id":"i","by":"91330000142942095H",
            "at":"2026-11-21T14:30:00+08:00","invoice":{"kind":"82","number":"24442000000000000016",
            "issue_date":"2026-11-21","seller":{"id":"91330000142942095H","name":"s"},
            "buyer":{"name":"b"},"lines":[{"name":"*a*b","amount":"100","tax_rate":"0.13",
            "tax":"13"}],"total_without_tax":"100","total_tax":"13","total":"113"}}"#;
        let bill = r#"{"type":"bill.issue","id":"b","by":"91330000142942095H",
            "at":"2026-11-21T14:30:00+08:00","bill":{"code":"33060122","number":"0123456789",
            "check_code":"a1B2c3","issue_date":"2026-11-20",
            "issuer":{"id":"91330000142942095H","name":"h"},"visit":"outpatient",
            "items":[{"name":"i","amount":"10"}],"total":"10","payment":{"fund":"0","other":"0",
            "account":"0","cash":"10","self_pay":"10","self_fund":"0"}}}"#;
        for text in [invoice, bill] {
            let record = parse_record(text.as_bytes()).unwrap().record.unwrap();
            let Work::Issue(draft) = Work::of(record.body, None) else {
                unreachable!("{text} issues a document")
            };
            let kept = draft.document.family.content_fields();
            assert_eq!(draft.fingerprint.fields.len(), kept);
            let (digests, rest) = draft.document.content_fields.split_at(kept);
            let due: Vec<u8> = draft
                .fingerprint
                .fields
                .iter()
                .map(|(_, digest)| (digest >> 8) as u8)
                .collect();
            assert_eq!(digests, due);
            assert!(rest.iter().all(|byte| *byte == 0));
        }
    }
}

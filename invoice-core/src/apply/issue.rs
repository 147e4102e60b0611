//! `invoice.issue`, `bill.issue`: a document enters the registry.

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
use crate::state::{Burden, Document, Family, StateView, Title, sum};

pub(super) fn invoice<V: StateView>(
    context: &mut Context<'_, '_, V>,
    invoice: &Invoice,
) -> Result<(), Stop<V::Error>> {
    let fingerprint = invoice.fingerprint();
    refuse_known(context, &invoice.key, &fingerprint)?;
    refuse_future(context, invoice.issue_date)?;
    quota::consume(
        context,
        invoice.issue_date.month(),
        invoice.total_without_tax,
    )?;
    let title = match &invoice.buyer.id {
        None => Title::Open,
        Some(BuyerId::Organisation(id)) => Title::Organisation(*id),
        Some(BuyerId::OldTaxNumber(_)) => Title::OldTaxNumber,
    };
    let document = Document {
        family: Family::Invoice,
        title,
        total_without_tax: invoice.total_without_tax,
        burden: invoice
            .payment
            .as_ref()
            .map(|payment| burden(payment, invoice.total)),
        ..blank(context, invoice.issue_date, invoice.total, &fingerprint)
    };
    record(context, &invoice.key, document)
}

pub(super) fn bill<V: StateView>(
    context: &mut Context<'_, '_, V>,
    bill: &Bill,
) -> Result<(), Stop<V::Error>> {
    let fingerprint = bill.fingerprint();
    refuse_known(context, &bill.key, &fingerprint)?;
    refuse_future(context, bill.issue_date)?;
    let document = Document {
        family: Family::Bill,
        check_code: Some(*bill.check_code.as_bytes()),
        burden: Some(burden(&bill.payment, bill.total)),
        ..blank(context, bill.issue_date, bill.total, &fingerprint)
    };
    record(context, &bill.key, document)
}

/// The same content again is told apart from other content under the same number.
fn refuse_known<V: StateView>(
    context: &Context<'_, '_, V>,
    key: &DocumentKey,
    fingerprint: &Fingerprint,
) -> Result<(), Stop<V::Error>> {
    if let Some(known) = context.state().document(key)? {
        if known.content == fingerprint.short() {
            return Err(Rejection::DocumentExists {
                first_index: known.index,
            }
            .into());
        }
        let mut fields: Vec<_> = fingerprint
            .fields
            .iter()
            .zip(&known.content_fields)
            .filter(|((_, new), old)| new != *old)
            .map(|((pointer, _), _)| *pointer)
            .collect();
        if fields.is_empty() {
            // 16 bits per member can collide; the digest of the whole has told them apart.
            fields.push("");
        }
        return Err(Rejection::DocumentConflict { fields }.into());
    }
    if context.state().alias(key)?.is_some() {
        return Err(Rejection::IdentityTaken.into());
    }
    Ok(())
}

fn refuse_future<V: StateView>(
    context: &Context<'_, '_, V>,
    issue_date: Date,
) -> Result<(), Stop<V::Error>> {
    let today = context.time.date_utc8();
    if issue_date > today {
        return Err(Rejection::IssueDateInFuture {
            today: today.to_string(),
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

fn blank<V: StateView>(
    context: &Context<'_, '_, V>,
    issue_date: Date,
    total: Fen,
    fingerprint: &Fingerprint,
) -> Document {
    Document {
        family: Family::Invoice,
        issuer: context.signer.number,
        title: Title::Open,
        index: context.index,
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
        content_fields: fingerprint
            .fields
            .iter()
            .map(|(_, digest)| *digest)
            .collect(),
        holdings: Vec::new(),
        shares: Vec::new(),
    }
}

fn record<V: StateView>(
    context: &mut Context<'_, '_, V>,
    key: &DocumentKey,
    mut document: Document,
) -> Result<(), Stop<V::Error>> {
    let mut concerns = vec![context.signer.id];
    if let Title::Organisation(buyer) = document.title {
        concerns.push(buyer);
    }
    let total = document.total;
    context.put_document(key, &mut document);
    context.tell(
        Event::new(EventKind::DocumentIssued, each_once(concerns))
            .of(*key)
            .amount(total),
    );
    Ok(())
}

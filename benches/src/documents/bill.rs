//! Fiscal medical bills of public hospitals.

use invoice_core::identity::DocumentKey;
use invoice_core::money::Fen;
use invoice_core::record::{Bill, BillIssue, Item, Party, Visit};
use rand::RngExt;

use super::invoice::{digits, split};
use super::vocabulary::{INPATIENT, OUTPATIENT};
use super::{Blank, sealed};
use crate::cast::Issuer;
use crate::spelled;

const CHECK_CODE: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// A bill: one in seven of an inpatient, over much more money.
pub(super) fn bill(blank: &mut Blank<'_>, by: &Issuer) -> BillIssue {
    let dice = &mut *blank.dice;
    let inpatient = dice.random_bool(0.15);
    let (visit, class, names, most) = if inpatient {
        (Visit::Inpatient, "02", INPATIENT, 1_200_000)
    } else {
        (Visit::Outpatient, "01", OUTPATIENT, 60_000)
    };
    // The items keep their official order; at least one is left.
    let last = dice.random_range(0..names.len());
    let mut items = Vec::new();
    for (place, (code, name)) in names.iter().enumerate() {
        if place == last || dice.random_bool(if inpatient { 0.6 } else { 0.25 }) {
            items.push(Item {
                code: Some((*code).to_owned()),
                name: (*name).to_owned(),
                amount: Fen::new(dice.random_range(100..=most)),
            });
        }
    }
    items.truncate(8);
    let total = Fen::new(items.iter().map(|item| item.amount.get()).sum());
    let check_code: String = (0..6)
        .map(|_| char::from(CHECK_CODE[dice.random_range(0..CHECK_CODE.len())]))
        .collect();
    let code = format!(
        "{}06{class}{:02}",
        &by.place.division[..2],
        blank.date.year() % 100
    );
    let number = format!("{:03}{:07}", blank.issuer % 1_000, blank.serial);
    BillIssue {
        bill: Bill {
            key: DocumentKey::Fiscal {
                code: digits(&code),
                number: digits(&number),
            },
            check_code: spelled(&check_code),
            issue_date: blank.date,
            issuer: Party {
                id: by.player.id,
                name: by.player.name.clone(),
            },
            visit,
            items,
            total,
            payment: split(dice, total),
            sealed: dice.random_bool(0.9).then(|| sealed::part(dice, 5)),
        },
    }
}

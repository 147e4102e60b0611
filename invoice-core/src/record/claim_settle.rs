//! `claim.settle`: a lock is paid.

use serde::Serialize;

use super::values::Booking;
use crate::calendar::Date;
use crate::identity::RecordId;
use crate::money::Fen;
use crate::read::{ObjectReader, Words};
use crate::refusal::Rule;

/// `claim.settle`: signed by the locker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClaimSettle {
    /// The signer's own lock, by its record id.
    pub claim: RecordId,
    /// How much was paid; positive, at most the lock.
    pub amount: Fen,
    /// 记账凭证号, at most 50 characters.
    pub voucher: String,
    /// 入账日期.
    pub booked_on: Date,
    /// 入账状态.
    pub booking: Booking,
}

impl ClaimSettle {
    pub(crate) fn read(body: &mut ObjectReader<'_, '_>) -> Option<Self> {
        let claim = body.text::<RecordId>("claim");
        let amount = body.text::<Fen>("amount");
        let voucher = body.text::<Words<50>>("voucher");
        let booked_on = body.text::<Date>("booked_on");
        let booking = body.text::<Booking>("booking");
        if amount.is_some_and(|amount| !amount.is_positive()) {
            body.violation(Rule::AmountNotPositive, "amount");
        }
        Some(Self {
            claim: claim?,
            amount: amount?,
            voucher: voucher?.0,
            booked_on: booked_on?,
            booking: booking?,
        })
    }
}

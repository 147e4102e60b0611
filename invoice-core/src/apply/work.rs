//! What a record wants, with everything worked out that follows from the record alone.

use super::issue::Draft;
use crate::identity::DocumentKey;
use crate::record::{
    Body, ClaimLock, ClaimRelease, ClaimReverse, ClaimSettle, ConfirmReversal, DocumentAlias,
    DocumentFreeze, DocumentReverse, DocumentUnfreeze, Fingerprint, KeyAdd, KeyRevoke, MemberAdmit,
    MemberResume, MemberSuspend, QuotaSet, Registered, ShareGrant, ValidatorsChange,
};

/// The body of a record, ready to be executed: a document as it will stand in the state, anything
/// else as it was read.
#[derive(Clone, Debug)]
pub(super) enum Work {
    MemberAdmit(MemberAdmit),
    MemberSuspend(MemberSuspend),
    MemberResume(MemberResume),
    KeyAdd(KeyAdd),
    KeyRevoke(KeyRevoke),
    QuotaSet(QuotaSet),
    /// `invoice.issue` and `bill.issue`.
    Issue(Box<Draft>),
    /// `document.register`.
    Register(Box<Draft>),
    DocumentReverse(DocumentReverse),
    ConfirmReversal(ConfirmReversal),
    DocumentFreeze(DocumentFreeze),
    DocumentUnfreeze(DocumentUnfreeze),
    DocumentAlias(DocumentAlias),
    ClaimLock(ClaimLock),
    ClaimSettle(ClaimSettle),
    ClaimRelease(ClaimRelease),
    ClaimReverse(ClaimReverse),
    ShareGrant(ShareGrant),
    ValidatorsChange(Box<ValidatorsChange>),
}

impl Work {
    /// The key of the document that the record is about, as it stands there.
    pub(super) const fn document(&self) -> Option<&DocumentKey> {
        match self {
            Self::Issue(draft) | Self::Register(draft) => Some(&draft.key),
            Self::DocumentReverse(body) => Some(&body.document),
            Self::ConfirmReversal(body) => Some(&body.document),
            Self::DocumentFreeze(body) => Some(&body.document),
            Self::DocumentUnfreeze(body) => Some(&body.document),
            Self::DocumentAlias(body) => Some(&body.document),
            Self::ClaimLock(body) => Some(&body.document),
            Self::ShareGrant(body) => Some(&body.document),
            Self::MemberAdmit(_)
            | Self::MemberSuspend(_)
            | Self::MemberResume(_)
            | Self::KeyAdd(_)
            | Self::KeyRevoke(_)
            | Self::QuotaSet(_)
            | Self::ClaimSettle(_)
            | Self::ClaimRelease(_)
            | Self::ClaimReverse(_)
            | Self::ValidatorsChange(_) => None,
        }
    }
}

impl Work {
    /// What a body wants; the fingerprint of an issued document is made here unless it is given.
    pub(super) fn of(body: Body, fingerprint: Option<Fingerprint>) -> Self {
        match body {
            Body::MemberAdmit(body) => Self::MemberAdmit(body),
            Body::MemberSuspend(body) => Self::MemberSuspend(body),
            Body::MemberResume(body) => Self::MemberResume(body),
            Body::KeyAdd(body) => Self::KeyAdd(body),
            Body::KeyRevoke(body) => Self::KeyRevoke(body),
            Body::QuotaSet(body) => Self::QuotaSet(body),
            Body::InvoiceIssue(body) => {
                let fingerprint = fingerprint.unwrap_or_else(|| body.invoice.fingerprint());
                Self::Issue(Box::new(Draft::of_invoice(&body.invoice, fingerprint)))
            }
            Body::BillIssue(body) => {
                let fingerprint = fingerprint.unwrap_or_else(|| body.bill.fingerprint());
                Self::Issue(Box::new(Draft::of_bill(&body.bill, fingerprint)))
            }
            Body::DocumentRegister(body) => Self::Register(Box::new(match body.document {
                Registered::Invoice(invoice) => {
                    let fingerprint = fingerprint.unwrap_or_else(|| invoice.fingerprint());
                    Draft::of_invoice(&invoice, fingerprint)
                }
                Registered::Bill(bill) => {
                    let fingerprint = fingerprint.unwrap_or_else(|| bill.fingerprint());
                    Draft::of_bill(&bill, fingerprint)
                }
            })),
            Body::DocumentReverse(body) => Self::DocumentReverse(body),
            Body::ConfirmReversal(body) => Self::ConfirmReversal(body),
            Body::DocumentFreeze(body) => Self::DocumentFreeze(body),
            Body::DocumentUnfreeze(body) => Self::DocumentUnfreeze(body),
            Body::DocumentAlias(body) => Self::DocumentAlias(body),
            Body::ClaimLock(body) => Self::ClaimLock(body),
            Body::ClaimSettle(body) => Self::ClaimSettle(body),
            Body::ClaimRelease(body) => Self::ClaimRelease(body),
            Body::ClaimReverse(body) => Self::ClaimReverse(body),
            Body::ShareGrant(body) => Self::ShareGrant(body),
            Body::ValidatorsChange(body) => Self::ValidatorsChange(body),
        }
    }
}

//! Records: what members sign, one type a file.
//!
//! Bytes become a [`ParsedRecord`] (its shape is right), which carries a [`Record`] or the rules
//! that its values break.

mod bill_issue;
mod claim_lock;
mod claim_release;
mod claim_reverse;
mod claim_settle;
mod confirm_reversal;
mod document_alias;
mod document_freeze;
mod document_register;
mod document_reverse;
mod document_unfreeze;
mod envelope;
mod fingerprint;
mod invoice_issue;
mod key_add;
mod key_revoke;
mod meaning;
mod member_admit;
mod member_resume;
mod member_suspend;
mod parse;
mod party;
mod quota_set;
mod record_type;
mod sealed;
mod share_grant;
mod validators_change;
mod values;

pub use bill_issue::{Bill, BillIssue, CheckCode, Item};
pub use claim_lock::ClaimLock;
pub use claim_release::ClaimRelease;
pub use claim_reverse::ClaimReverse;
pub use claim_settle::ClaimSettle;
pub use confirm_reversal::ConfirmReversal;
pub use document_alias::DocumentAlias;
pub use document_freeze::DocumentFreeze;
pub use document_register::{DocumentRegister, Original, Registered};
pub use document_reverse::DocumentReverse;
pub use document_unfreeze::DocumentUnfreeze;
pub use envelope::{
    BATCH_RECORDS_MAX, BODY_BYTES_MAX, Contents, OpenEnvelope, RawEnvelope, parse_envelope,
    parse_open_envelope,
};
pub use fingerprint::{Document, Fingerprint};
pub use invoice_issue::{Invoice, InvoiceIssue};
pub use key_add::{KeyAdd, NewKey};
pub use key_revoke::KeyRevoke;
pub use member_admit::{MemberAdmit, NewMember};
pub use member_resume::MemberResume;
pub use member_suspend::MemberSuspend;
pub use parse::{ParsedRecord, RECORD_BYTES_MAX, parse_record, peek_id};
pub use party::{Buyer, BuyerId, Party};
pub use quota_set::QuotaSet;
pub use record_type::RecordType;
pub use sealed::{Sealed, Wrap};
pub use share_grant::ShareGrant;
pub use validators_change::{Countersignature, NewValidators, ValidatorsChange};
pub use values::{
    Booking, ClaimKind, Component, OriginalFormat, OriginalSignature, RedNumber, ReversalReason,
    Role, RoleSet, Visit,
};

use serde::Serialize;

use crate::calendar::Instant;
use crate::identity::{DocumentKey, MemberId, RecordId};
use crate::read::ObjectReader;

/// A record whose own values break no rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Chosen by the signer, unique among its records.
    pub id: RecordId,
    /// Who signs.
    pub by: MemberId,
    /// The signer's clock; informative, the chain's time is the block's.
    pub at: Instant,
    /// What is to happen.
    pub body: Body,
}

impl Record {
    /// The record's type.
    #[must_use]
    pub const fn record_type(&self) -> RecordType {
        self.body.record_type()
    }

    /// The record as JSON, ready to be signed. Reading it gives an equal record.
    #[must_use]
    pub fn to_json(&self) -> String {
        match serde_json::to_string(self) {
            Ok(text) => text,
            Err(error) => {
                unreachable!("texts and arrays of texts always have a JSON form: {error}")
            }
        }
    }
}

impl Serialize for Record {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Members<'r> {
            r#type: RecordType,
            id: &'r RecordId,
            by: MemberId,
            at: Instant,
            #[serde(flatten)]
            body: &'r Body,
        }
        Members {
            r#type: self.record_type(),
            id: &self.id,
            by: self.by,
            at: self.at,
            body: &self.body,
        }
        .serialize(serializer)
    }
}

/// What a record wants, by type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Body {
    /// `member.admit`.
    MemberAdmit(MemberAdmit),
    /// `member.suspend`.
    MemberSuspend(MemberSuspend),
    /// `member.resume`.
    MemberResume(MemberResume),
    /// `key.add`.
    KeyAdd(KeyAdd),
    /// `key.revoke`.
    KeyRevoke(KeyRevoke),
    /// `quota.set`.
    QuotaSet(QuotaSet),
    /// `invoice.issue`.
    InvoiceIssue(InvoiceIssue),
    /// `bill.issue`.
    BillIssue(BillIssue),
    /// `document.register`.
    DocumentRegister(DocumentRegister),
    /// `document.reverse`.
    DocumentReverse(DocumentReverse),
    /// `document.confirm_reversal`.
    ConfirmReversal(ConfirmReversal),
    /// `document.freeze`.
    DocumentFreeze(DocumentFreeze),
    /// `document.unfreeze`.
    DocumentUnfreeze(DocumentUnfreeze),
    /// `document.alias`.
    DocumentAlias(DocumentAlias),
    /// `claim.lock`.
    ClaimLock(ClaimLock),
    /// `claim.settle`.
    ClaimSettle(ClaimSettle),
    /// `claim.release`.
    ClaimRelease(ClaimRelease),
    /// `claim.reverse`.
    ClaimReverse(ClaimReverse),
    /// `share.grant`.
    ShareGrant(ShareGrant),
    /// `validators.change`.
    ValidatorsChange(Box<ValidatorsChange>),
}

impl Body {
    /// The type that a body has.
    #[must_use]
    pub const fn record_type(&self) -> RecordType {
        match self {
            Self::MemberAdmit(_) => RecordType::MemberAdmit,
            Self::MemberSuspend(_) => RecordType::MemberSuspend,
            Self::MemberResume(_) => RecordType::MemberResume,
            Self::KeyAdd(_) => RecordType::KeyAdd,
            Self::KeyRevoke(_) => RecordType::KeyRevoke,
            Self::QuotaSet(_) => RecordType::QuotaSet,
            Self::InvoiceIssue(_) => RecordType::InvoiceIssue,
            Self::BillIssue(_) => RecordType::BillIssue,
            Self::DocumentRegister(_) => RecordType::DocumentRegister,
            Self::DocumentReverse(_) => RecordType::DocumentReverse,
            Self::ConfirmReversal(_) => RecordType::ConfirmReversal,
            Self::DocumentFreeze(_) => RecordType::DocumentFreeze,
            Self::DocumentUnfreeze(_) => RecordType::DocumentUnfreeze,
            Self::DocumentAlias(_) => RecordType::DocumentAlias,
            Self::ClaimLock(_) => RecordType::ClaimLock,
            Self::ClaimSettle(_) => RecordType::ClaimSettle,
            Self::ClaimRelease(_) => RecordType::ClaimRelease,
            Self::ClaimReverse(_) => RecordType::ClaimReverse,
            Self::ShareGrant(_) => RecordType::ShareGrant,
            Self::ValidatorsChange(_) => RecordType::ValidatorsChange,
        }
    }

    /// The document that the body issues or registers.
    #[must_use]
    pub const fn issued(&self) -> Option<Document<'_>> {
        match self {
            Self::InvoiceIssue(body) => Some(Document::Invoice(&body.invoice)),
            Self::BillIssue(body) => Some(Document::Bill(&body.bill)),
            Self::DocumentRegister(body) => Some(body.document.as_document()),
            Self::MemberAdmit(_)
            | Self::MemberSuspend(_)
            | Self::MemberResume(_)
            | Self::KeyAdd(_)
            | Self::KeyRevoke(_)
            | Self::QuotaSet(_)
            | Self::DocumentReverse(_)
            | Self::ConfirmReversal(_)
            | Self::DocumentFreeze(_)
            | Self::DocumentUnfreeze(_)
            | Self::DocumentAlias(_)
            | Self::ClaimLock(_)
            | Self::ClaimSettle(_)
            | Self::ClaimRelease(_)
            | Self::ClaimReverse(_)
            | Self::ShareGrant(_)
            | Self::ValidatorsChange(_) => None,
        }
    }

    /// The key of the document that the body is about, as it stands there.
    #[must_use]
    pub const fn document(&self) -> Option<&DocumentKey> {
        match self {
            Self::InvoiceIssue(body) => Some(&body.invoice.key),
            Self::BillIssue(body) => Some(&body.bill.key),
            Self::DocumentRegister(body) => Some(body.document.key()),
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

    fn read(record_type: RecordType, body: &mut ObjectReader<'_, '_>) -> Option<Self> {
        match record_type {
            RecordType::MemberAdmit => MemberAdmit::read(body).map(Self::MemberAdmit),
            RecordType::MemberSuspend => MemberSuspend::read(body).map(Self::MemberSuspend),
            RecordType::MemberResume => MemberResume::read(body).map(Self::MemberResume),
            RecordType::KeyAdd => KeyAdd::read(body).map(Self::KeyAdd),
            RecordType::KeyRevoke => KeyRevoke::read(body).map(Self::KeyRevoke),
            RecordType::QuotaSet => QuotaSet::read(body).map(Self::QuotaSet),
            RecordType::InvoiceIssue => InvoiceIssue::read(body).map(Self::InvoiceIssue),
            RecordType::BillIssue => BillIssue::read(body).map(Self::BillIssue),
            RecordType::DocumentRegister => {
                DocumentRegister::read(body).map(Self::DocumentRegister)
            }
            RecordType::DocumentReverse => DocumentReverse::read(body).map(Self::DocumentReverse),
            RecordType::ConfirmReversal => ConfirmReversal::read(body).map(Self::ConfirmReversal),
            RecordType::DocumentFreeze => DocumentFreeze::read(body).map(Self::DocumentFreeze),
            RecordType::DocumentUnfreeze => {
                DocumentUnfreeze::read(body).map(Self::DocumentUnfreeze)
            }
            RecordType::DocumentAlias => DocumentAlias::read(body).map(Self::DocumentAlias),
            RecordType::ClaimLock => ClaimLock::read(body).map(Self::ClaimLock),
            RecordType::ClaimSettle => ClaimSettle::read(body).map(Self::ClaimSettle),
            RecordType::ClaimRelease => ClaimRelease::read(body).map(Self::ClaimRelease),
            RecordType::ClaimReverse => ClaimReverse::read(body).map(Self::ClaimReverse),
            RecordType::ShareGrant => ShareGrant::read(body).map(Self::ShareGrant),
            RecordType::ValidatorsChange => ValidatorsChange::read(body)
                .map(Box::new)
                .map(Self::ValidatorsChange),
        }
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Record {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Ref, Type};
        let types = RecordType::ALL.iter().map(|known| known.as_str());
        let common = ObjectBuilder::new()
            .property(
                "type",
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some(types)),
            )
            .required("type")
            .property("id", RecordId::schema())
            .required("id")
            .property("by", MemberId::schema())
            .required("by")
            .property("at", Instant::schema())
            .required("at");
        AllOfBuilder::new()
            .item(common)
            .item(Ref::from_schema_name(<Body as utoipa::ToSchema>::name()))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Record {
    fn schemas(
        schemas: &mut Vec<(
            String,
            utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>,
        )>,
    ) {
        use utoipa::PartialSchema as _;
        schemas.push((<Body as utoipa::ToSchema>::name().into(), Body::schema()));
        <Body as utoipa::ToSchema>::schemas(schemas);
    }
}

/// The members that spell a document's key inside an invoice or bill.
#[cfg(feature = "openapi")]
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "stands for the schema alone")]
pub(crate) struct CodeAndNumber {
    /// 发票代码 or 票据代码; absent where the number has 20 digits.
    code: Option<String>,
    /// 发票号码 or 票据号码.
    number: String,
}

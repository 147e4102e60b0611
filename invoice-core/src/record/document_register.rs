//! `document.register`: an authority enters a document that was issued elsewhere.

use serde::Serialize;

use super::bill_issue::Bill;
use super::fingerprint::Document;
use super::invoice_issue::Invoice;
use super::values::{OriginalFormat, OriginalSignature, Role};
use crate::crypto::Hash;
use crate::identity::DocumentKey;
use crate::money::Fen;
use crate::read::ObjectReader;
use crate::refusal::ShapeCode;

/// `document.register`: signed by the tax authority for invoices, by the finance authority for
/// bills. Afterwards the document can be claimed like any other.
///
/// Its parties need not be members. The key is that of issued documents: what was issued here is
/// never registered, and what was registered is never issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentRegister {
    /// The document, under `invoice` or `bill`.
    #[serde(flatten)]
    pub document: Registered,
    /// The file that it was read from.
    pub original: Original,
}

/// A document of either family; on the wire `invoice` or `bill`, as in the records that issue them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Registered {
    /// An invoice.
    Invoice(Box<Invoice>),
    /// A fiscal medical bill.
    Bill(Box<Bill>),
}

/// The file that a registered document was read from. The registry keeps its digest, not the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Original {
    /// SM3 of the file's bytes.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub sm3: Hash,
    /// The file's form.
    pub format: OriginalFormat,
    /// What the authority found of the file's own signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<OriginalSignature>,
}

impl DocumentRegister {
    pub(crate) fn read(body: &mut ObjectReader<'_, '_>) -> Option<Self> {
        let invoice = body
            .find("invoice")
            .map(|value| value.object().and_then(Invoice::read));
        let bill = body
            .find("bill")
            .map(|value| value.object().and_then(Bill::read));
        let original = body.object("original").and_then(Original::read);
        let document = match (invoice, bill) {
            (Some(invoice), None) => invoice.map(|invoice| Registered::Invoice(Box::new(invoice))),
            (None, Some(bill)) => bill.map(|bill| Registered::Bill(Box::new(bill))),
            (Some(_), Some(_)) => {
                body.shape(ShapeCode::MembersConflict, "bill");
                None
            }
            (None, None) => {
                body.shape(ShapeCode::MissingMember, "invoice");
                None
            }
        };
        Some(Self {
            document: document?,
            original: original?,
        })
    }
}

impl Registered {
    /// The document.
    #[must_use]
    pub const fn as_document(&self) -> Document<'_> {
        match self {
            Self::Invoice(invoice) => Document::Invoice(invoice),
            Self::Bill(bill) => Document::Bill(bill),
        }
    }

    /// Its key.
    #[must_use]
    pub const fn key(&self) -> &DocumentKey {
        match self {
            Self::Invoice(invoice) => &invoice.key,
            Self::Bill(bill) => &bill.key,
        }
    }

    /// Its total.
    #[must_use]
    pub const fn total(&self) -> Fen {
        match self {
            Self::Invoice(invoice) => invoice.total,
            Self::Bill(bill) => bill.total,
        }
    }

    /// The authority that registers documents of its family.
    #[must_use]
    pub const fn registrar(&self) -> Role {
        match self {
            Self::Invoice(_) => Role::Tax,
            Self::Bill(_) => Role::Finance,
        }
    }
}

impl Original {
    fn read(mut from: ObjectReader<'_, '_>) -> Option<Self> {
        let sm3 = from.text("sm3");
        let format = from.text("format");
        let signature = from.optional("signature");
        from.finish();
        Some(Self {
            sm3: sm3?,
            format: format?,
            signature: signature?,
        })
    }
}

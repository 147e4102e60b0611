//! `document.freeze`: an authority stops claims on a document.

use serde::Serialize;

use crate::identity::DocumentKey;
use crate::read::{ObjectReader, Words};

/// `document.freeze`: signed by an authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentFreeze {
    /// The document.
    pub document: DocumentKey,
    /// Why.
    pub reason: String,
}

impl DocumentFreeze {
    pub(crate) fn read(body: &mut ObjectReader<'_, '_>) -> Option<Self> {
        let document = body.text::<DocumentKey>("document");
        let reason = body.text::<Words<200>>("reason");
        Some(Self {
            document: document?,
            reason: reason?.0,
        })
    }
}

//! `document.unfreeze`: an authority allows claims again.

use serde::Serialize;

use crate::identity::DocumentKey;
use crate::read::{ObjectReader, Words};

/// `document.unfreeze`: signed by an authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentUnfreeze {
    /// The document.
    pub document: DocumentKey,
    /// Why.
    pub reason: String,
}

impl DocumentUnfreeze {
    pub(crate) fn read(body: &mut ObjectReader<'_, '_>) -> Option<Self> {
        let document = body.text::<DocumentKey>("document");
        let reason = body.text::<Words<200>>("reason");
        Some(Self {
            document: document?,
            reason: reason?.0,
        })
    }
}

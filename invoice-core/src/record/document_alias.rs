//! `document.alias`: a second identity of the same paper.

use serde::Serialize;

use crate::identity::DocumentKey;
use crate::read::ObjectReader;
use crate::refusal::Rule;

/// `document.alias`: signed by the issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentAlias {
    /// The document.
    pub document: DocumentKey,
    /// Its other key: the code and number of the form, or of the bill re-issued on paper (换开).
    pub alias: DocumentKey,
}

impl DocumentAlias {
    pub(crate) fn read(body: &mut ObjectReader<'_, '_>) -> Option<Self> {
        let document = body.text::<DocumentKey>("document");
        let alias = body.text::<DocumentKey>("alias");
        if document.is_some() && document == alias {
            body.violation(Rule::AliasIsDocument, "alias");
        }
        Some(Self {
            document: document?,
            alias: alias?,
        })
    }
}

//! `key.revoke`: a key may sign nothing new.

use serde::Serialize;

use crate::crypto::Kid;
use crate::identity::MemberId;
use crate::read::{ObjectReader, Words};

/// `key.revoke`: signed by the member itself, or by an authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyRevoke {
    /// Whose key it is.
    pub member: MemberId,
    /// The key.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub kid: Kid,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl KeyRevoke {
    pub(crate) fn read(body: &mut ObjectReader<'_, '_>) -> Option<Self> {
        let member = body.text::<MemberId>("member");
        let kid = body.text::<Kid>("kid");
        let reason = body.optional::<Words<200>>("reason");
        Some(Self {
            member: member?,
            kid: kid?,
            reason: reason?.map(|words| words.0),
        })
    }
}

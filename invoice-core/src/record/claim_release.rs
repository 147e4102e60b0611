//! `claim.release`: a lock is given back.

use serde::Serialize;

use crate::identity::RecordId;
use crate::read::{ObjectReader, Words};

/// `claim.release`: signed by the locker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClaimRelease {
    /// The signer's own lock, by its record id.
    pub claim: RecordId,
    /// Why.
    pub reason: String,
}

impl ClaimRelease {
    pub(crate) fn read(body: &mut ObjectReader<'_, '_>) -> Option<Self> {
        let claim = body.text::<RecordId>("claim");
        let reason = body.text::<Words<200>>("reason");
        Some(Self {
            claim: claim?,
            reason: reason?.0,
        })
    }
}

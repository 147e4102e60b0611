//! `member.resume`: an authority lifts a suspension.

use serde::Serialize;

use crate::identity::MemberId;
use crate::read::{ObjectReader, Words};

/// `member.resume`: signed by an authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberResume {
    /// The member.
    pub member: MemberId,
    /// Why.
    pub reason: String,
}

impl MemberResume {
    pub(crate) fn read(body: &mut ObjectReader<'_, '_>) -> Option<Self> {
        let member = body.text::<MemberId>("member");
        let reason = body.text::<Words<200>>("reason");
        Some(Self {
            member: member?,
            reason: reason?.0,
        })
    }
}

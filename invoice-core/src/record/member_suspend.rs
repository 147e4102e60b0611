//! `member.suspend`: an authority suspends a member.

use serde::Serialize;

use crate::identity::MemberId;
use crate::read::{ObjectReader, Words};

/// `member.suspend`: signed by an authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberSuspend {
    /// The member that may sign nothing until it is resumed.
    pub member: MemberId,
    /// Why.
    pub reason: String,
}

impl MemberSuspend {
    pub(crate) fn read(body: &mut ObjectReader<'_, '_>) -> Option<Self> {
        let member = body.text::<MemberId>("member");
        let reason = body.text::<Words<200>>("reason");
        Some(Self {
            member: member?,
            reason: reason?.0,
        })
    }
}

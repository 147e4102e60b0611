//! `member.admit`: an authority admits a member with its first key.

use serde::Serialize;

use super::key_add::NewKey;
use super::values::{Role, RoleSet};
use crate::identity::MemberId;
use crate::read::{ObjectReader, Words};
use crate::refusal::Rule;

/// `member.admit`: signed by a tax or finance authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberAdmit {
    /// The member.
    pub member: NewMember,
    /// Its first key.
    pub key: NewKey,
}

/// A member as it is admitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewMember {
    /// 统一社会信用代码.
    pub id: MemberId,
    /// 名称.
    pub name: String,
    /// What it may do; at least one role.
    pub roles: RoleSet,
}

impl MemberAdmit {
    pub(crate) fn read(body: &mut ObjectReader<'_, '_>) -> Option<Self> {
        let member = body.object("member").and_then(NewMember::read);
        let key = body.object("key").and_then(NewKey::read);
        Some(Self {
            member: member?,
            key: key?,
        })
    }
}

impl NewMember {
    fn read(mut from: ObjectReader<'_, '_>) -> Option<Self> {
        let id = from.text("id");
        let name = from.text::<Words<200>>("name");
        let roles = read_roles(&mut from);
        from.finish();
        Some(Self {
            id: id?,
            name: name?.0,
            roles: roles?,
        })
    }
}

fn read_roles(from: &mut ObjectReader<'_, '_>) -> Option<RoleSet> {
    let mut values = from.array("roles")?;
    if !values.has(1..=usize::MAX) {
        from.violation(Rule::RolesEmpty, "roles");
    }
    let mut all_known = true;
    let mut seen = RoleSet::default();
    for value in values {
        let Some(role) = value.text::<Role>() else {
            all_known = false;
            continue;
        };
        if seen.contains(role) {
            value.violation(Rule::RoleRepeated);
        }
        seen = seen.with(role);
    }
    all_known.then_some(seen)
}

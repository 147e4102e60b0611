//! A member of the registry.

use super::layout::{put_member_no, put_text, take_member_no};
use crate::codec::{DecodeError, Reader, Writer};
use crate::record::RoleSet;

/// A member's number, given in the order of admission: the short form of its id in keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberNo(pub u32);

/// Bytes of a registered name: 200 characters of at most four bytes.
const NAME_BYTES_MAX: usize = 800;

/// A member, as admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The number that stands for the member in keys of the state.
    pub number: MemberNo,
    /// What the member may do.
    pub roles: RoleSet,
    /// Suspended by an authority: signs nothing until it is resumed.
    pub suspended: bool,
    /// The registered name.
    pub name: String,
}

/// What the rules ask of a signer. It has no name and can be kept at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The number that stands for the member in keys of the state.
    pub number: MemberNo,
    /// What the member may do.
    pub roles: RoleSet,
    /// Suspended by an authority: signs nothing until it is resumed.
    pub suspended: bool,
}

impl Standing {
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        read(bytes).map(|(standing, _)| standing)
    }
}

impl Member {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Writer::new();
        put_member_no(&mut bytes, self.number);
        bytes.put_u8(self.roles.bits());
        bytes.put_u8(u8::from(self.suspended));
        put_text(&mut bytes, &self.name);
        bytes.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (standing, name) = read(bytes)?;
        Ok(Self {
            number: standing.number,
            roles: standing.roles,
            suspended: standing.suspended,
            name: name.to_owned(),
        })
    }
}

fn read(bytes: &[u8]) -> Result<(Standing, &str), DecodeError> {
    let mut reader = Reader::new(bytes);
    let number = take_member_no(&mut reader, "number")?;
    let roles = RoleSet::from_bits(reader.u8("roles")?);
    let suspended = reader.flag("suspended")?;
    let name = reader.text16("name", NAME_BYTES_MAX)?;
    reader.finish()?;
    let standing = Standing {
        number,
        roles,
        suspended,
    };
    Ok((standing, name))
}

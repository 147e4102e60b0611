//! `key.add`: a member gets another key.

use serde::Serialize;

use crate::calendar::Instant;
use crate::crypto::PublicKey;
use crate::identity::MemberId;
use crate::read::{ObjectReader, Words};

/// `key.add`: signed by the member itself, or by an authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyAdd {
    /// Whose key it is.
    pub member: MemberId,
    /// The key.
    pub key: NewKey,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A public key as it is registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewKey {
    /// The point, uncompressed (SEC 1 §2.3.3), in lower-case hex.
    #[serde(serialize_with = "as_hex")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^04[0-9a-f]{128}$"))]
    pub public_key: PublicKey,
    /// The end of its validity for new signatures; open when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Instant>,
}

fn as_hex<S: serde::Serializer>(key: &PublicKey, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&key.to_hex())
}

impl KeyAdd {
    pub(crate) fn read(body: &mut ObjectReader<'_, '_>) -> Option<Self> {
        let member = body.text("member");
        let key = body.object("key").and_then(NewKey::read);
        let reason = body.optional::<Words<200>>("reason");
        Some(Self {
            member: member?,
            key: key?,
            reason: reason?.map(|words| words.0),
        })
    }
}

impl NewKey {
    pub(super) fn read(mut from: ObjectReader<'_, '_>) -> Option<Self> {
        let public_key = from.text("public_key");
        let not_after = from.optional("not_after");
        from.finish();
        Some(Self {
            public_key: public_key?,
            not_after: not_after?,
        })
    }
}

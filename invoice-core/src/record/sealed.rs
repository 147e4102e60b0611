//! Sealed parts: what identifies a person, readable only by those it is wrapped for.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

use crate::crypto::{Hash, Kid};
use crate::read::{ObjectReader, Spelled};
use crate::refusal::Rule;

const CIPHERTEXT_MAX: usize = 8 * 1024;
/// GCM's tag is appended to the ciphertext.
const TAG_LENGTH: usize = 16;
const WRAPS_MAX: usize = 64;
const WRAP_BYTES_MAX: usize = 256;

/// A sealed part (SM4-GCM under a random key that is wrapped by SM2 for each reader).
///
/// The chain checks its shape and keeps it; it cannot look inside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "alg", rename = "SM4-GCM")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sealed {
    /// 12 bytes, base64 on the wire.
    #[serde(serialize_with = "base64")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub nonce: [u8; 12],
    /// At most 8 KiB, the tag appended, base64 on the wire.
    #[serde(serialize_with = "base64")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub ciphertext: Vec<u8>,
    /// The key, once for each reader.
    pub wraps: Vec<Wrap>,
    /// RFC 6962 tree hash over the exact bytes of the plaintext's triples.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub root: Hash,
}

/// The key of a sealed part, encrypted for one reader's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Wrap {
    /// The reader's key.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub kid: Kid,
    /// DER SM2Cipher (GB/T 35276 §7.2, C1C3C2), base64 on the wire.
    #[serde(serialize_with = "base64")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub key: Vec<u8>,
}

fn base64<S: Serializer>(bytes: &impl AsRef<[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

/// Bytes in canonical base64 (RFC 4648 §4, padded, no stray bits).
struct Base64(Vec<u8>);

impl Spelled for Base64 {
    fn spelled(text: &str) -> Result<Self, Rule> {
        STANDARD
            .decode(text)
            .map(Self)
            .map_err(|_| Rule::Base64Spelling)
    }
}

struct Nonce([u8; 12]);

impl Spelled for Nonce {
    fn spelled(text: &str) -> Result<Self, Rule> {
        let bytes = Base64::spelled(text)?.0;
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| Rule::SealedNonceLength)
    }
}

struct Ciphertext(Vec<u8>);

impl Spelled for Ciphertext {
    fn spelled(text: &str) -> Result<Self, Rule> {
        let bytes = Base64::spelled(text)?.0;
        if (TAG_LENGTH..=CIPHERTEXT_MAX).contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(Rule::SealedCiphertextLength)
        }
    }
}

struct WrappedKey(Vec<u8>);

impl Spelled for WrappedKey {
    fn spelled(text: &str) -> Result<Self, Rule> {
        let bytes = Base64::spelled(text)?.0;
        if bytes.len() <= WRAP_BYTES_MAX && is_der_sequence(&bytes) {
            Ok(Self(bytes))
        } else {
            Err(Rule::SealedWrapSpelling)
        }
    }
}

/// One DER SEQUENCE (X.690 §8.9) of up to 255 bytes of content, and nothing after it.
fn is_der_sequence(bytes: &[u8]) -> bool {
    match bytes {
        [0x30, 0x81, length @ 0x80..=0xff, content @ ..] => content.len() == usize::from(*length),
        [0x30, length @ 0..=0x7f, content @ ..] => content.len() == usize::from(*length),
        _ => false,
    }
}

struct Algorithm;

impl Spelled for Algorithm {
    fn spelled(text: &str) -> Result<Self, Rule> {
        if text == "SM4-GCM" {
            Ok(Self)
        } else {
            Err(Rule::SealedAlgorithmUnknown)
        }
    }
}

impl Sealed {
    pub(crate) fn read(mut from: ObjectReader<'_, '_>) -> Option<Self> {
        let algorithm = from.text::<Algorithm>("alg");
        let nonce = from.text::<Nonce>("nonce");
        let ciphertext = from.text::<Ciphertext>("ciphertext");
        let wraps = from.array("wraps").and_then(|mut wraps| {
            if !wraps.has(1..=WRAPS_MAX) {
                from.violation(Rule::SealedWrapCount, "wraps");
            }
            let wraps: Vec<Option<Wrap>> = wraps.map(|wrap| Wrap::read(wrap.object()?)).collect();
            let mut kids = BTreeSet::new();
            for (index, wrap) in wraps.iter().enumerate() {
                if let Some(wrap) = wrap
                    && !kids.insert(*wrap.kid.as_bytes())
                {
                    from.violation(Rule::SealedWrapRepeated, &format!("wraps/{index}/kid"));
                }
            }
            wraps.into_iter().collect::<Option<Vec<Wrap>>>()
        });
        let root = from.text("root");
        from.finish();
        algorithm?;
        Some(Self {
            nonce: nonce?.0,
            ciphertext: ciphertext?.0,
            wraps: wraps?,
            root: root?,
        })
    }
}

impl Wrap {
    fn read(mut from: ObjectReader<'_, '_>) -> Option<Self> {
        let kid = from.text("kid");
        let key = from.text::<WrappedKey>("key");
        from.finish();
        Some(Self {
            kid: kid?,
            key: key?.0,
        })
    }
}

//! SM2 signatures, SM3 hashes, keys and the exact messages that are signed.
//!
//! Signing is that of the `sm2` crate and single digests are those of `sm3`. Verifying has an
//! arithmetic of its own, `curve`, because it is what the registry spends its time on, and many
//! digests at once are computed side by side. This module adds the registry's choices: the
//! distinguishing identifier, the spellings that are accepted, and the domain separation.

mod batch;
mod curve;
mod hash;
mod key;
pub mod messages;
mod pem;
mod signature;
mod signer;
mod single;
mod sm3_lanes;

pub use batch::{Signed, verify_many};
pub(crate) use hash::from_hex;
pub use hash::{Hash, HexError, sm3, sm3_many};
pub use key::{Kid, PublicKey, PublicKeyError, SecretKey, SecretKeyError, USER_ID};
pub use pem::{KeyEncryption, PBKDF2_ITERATIONS, PemError};
pub use signature::{HintedSignature, Signature, SignatureError};
pub use signer::{SecretKeySigner, SignError, Signer};

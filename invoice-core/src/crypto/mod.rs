//! SM2 signatures, SM3 hashes, keys and the exact messages that are signed.
//!
//! The arithmetic is that of the `sm2` and `sm3` crates, save where many values at once allow
//! what one does not. This module adds the registry's choices: the distinguishing identifier, the
//! spellings that are accepted, and the domain separation.

mod batch;
mod hash;
mod key;
pub mod messages;
mod pem;
mod signature;
mod signer;
mod sm3_lanes;

pub use batch::{Signed, verify_many};
pub(crate) use hash::from_hex;
pub use hash::{Hash, HexError, sm3, sm3_many};
pub use key::{Kid, PublicKey, PublicKeyError, SecretKey, SecretKeyError, USER_ID};
pub use pem::{KeyEncryption, PBKDF2_ITERATIONS, PemError};
pub use signature::{HintedSignature, Signature, SignatureError};
pub use signer::{SecretKeySigner, SignError, Signer};

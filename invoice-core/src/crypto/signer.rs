//! Who signs: a key in memory, or a hardware module behind the same trait.

use sm2::dsa::SigningKey;
use sm2::dsa::signature::Signer as _;

use super::key::{PublicKey, PublicKeyError, SecretKey, USER_ID};
use super::signature::Signature;

/// A signature could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The device that holds the key does not answer, or refuses.
    #[error("签名设备不可用：{0} / the signing device is unavailable: {0}")]
    Unavailable(String),
    /// The computation gave a value that is no signature; the chance of it is below 2⁻²⁵⁰.
    #[error("未能生成签名 / no signature could be computed")]
    Failed,
}

/// Signs messages with one SM2 key, under the distinguishing identifier [`USER_ID`].
///
/// A hardware security module (密码机) takes the place of a key file by implementing this trait.
/// Callers must not rely on two signatures of the same message being equal: modules draw a random k.
pub trait Signer: Send + Sync {
    /// The key that verifies what this signer signs.
    fn public_key(&self) -> &PublicKey;

    /// Signs `message` as GB/T 32918.2-2016, clause 6, says.
    ///
    /// # Errors
    /// [`SignError::Unavailable`] when the holder of the key does not answer.
    fn sign(&self, message: &[u8]) -> Result<Signature, SignError>;
}

/// A signer whose private key is in memory.
///
/// k is derived from the key and the message digest as in RFC 6979 with HMAC-SM3, so signing
/// needs no random source, and the same message has the same signature.
///
/// ```
/// use invoice_core::crypto::{SecretKey, SecretKeySigner, Signer};
///
/// let signer = SecretKeySigner::new(SecretKey::from_bytes(&[7; 32])?);
/// assert_eq!(signer.sign(b"m")?, signer.sign(b"m")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SecretKeySigner {
    public_key: PublicKey,
    signing: SigningKey,
}

impl SecretKeySigner {
    /// Takes a private key into service.
    #[must_use]
    pub fn new(secret: SecretKey) -> Self {
        match Self::try_new(&secret) {
            Ok(signer) => signer,
            Err(_) => unreachable!("d·G is a point of the curve for every d from 1 to n - 2"),
        }
    }

    fn try_new(secret: &SecretKey) -> Result<Self, PublicKeyError> {
        let signing =
            SigningKey::new(USER_ID, secret.as_sm2()).map_err(|_| PublicKeyError::OffCurve)?;
        Ok(Self {
            public_key: secret.public_key(),
            signing,
        })
    }
}

impl Signer for SecretKeySigner {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        let signature = self
            .signing
            .try_sign(message)
            .map_err(|_| SignError::Failed)?;
        Signature::from_bytes(&signature.to_bytes().into()).map_err(|_| SignError::Failed)
    }
}

impl std::fmt::Debug for SecretKeySigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretKeySigner({})", self.public_key.kid())
    }
}

//! Key files: PKCS#8 (RFC 5958) and SubjectPublicKeyInfo (RFC 5280) in PEM (RFC 7468), as OpenSSL 3
//! and GmSSL read and write them.

use pkcs8::der::Decode as _;
use pkcs8::der::pem::PemLabel as _;
use pkcs8::pkcs5::pbes2;
use pkcs8::{
    DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _, EncryptedPrivateKeyInfoRef,
    LineEnding, PrivateKeyInfoRef, SecretDocument,
};
use zeroize::Zeroizing;

use super::key::{PublicKey, PublicKeyError, SecretKey, SecretKeyError};

/// Rounds of PBKDF2 with HMAC-SHA-256 in the key files that this crate writes.
pub const PBKDF2_ITERATIONS: u32 = 600_000;

/// The random values of one encryption. Fresh ones are needed for each file.
#[derive(Clone, Debug)]
pub struct KeyEncryption {
    /// Salt of the key derivation.
    pub salt: [u8; 16],
    /// Initialisation vector of AES-256-CBC.
    pub iv: [u8; 16],
}

/// Why a key file cannot be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// Not PEM, or of another kind than `PRIVATE KEY`, `ENCRYPTED PRIVATE KEY` or `PUBLIC KEY`.
    #[error("不是所需类型的 PEM 文件 / not a PEM file of the kind that is needed")]
    Form,
    /// The key inside is not an SM2 key on the recommended curve.
    #[error("密钥不是 SM2 密钥 / the key is not an SM2 key")]
    NotSm2,
    /// The file is encrypted and no passphrase was given.
    #[error("密钥文件已加密，需要口令 / the key file is encrypted, a passphrase is needed")]
    PassphraseNeeded,
    /// The passphrase is wrong, or the encryption is one that is not supported.
    #[error("口令错误或加密算法不受支持 / wrong passphrase, or an unsupported encryption")]
    Decryption,
    /// The number in the file is no private key.
    #[error(transparent)]
    Secret(#[from] SecretKeyError),
    /// The point in the file is no public key.
    #[error(transparent)]
    Public(#[from] PublicKeyError),
    /// The key could not be encoded.
    #[error("无法写出密钥 / the key could not be encoded")]
    Encoding,
}

impl SecretKey {
    /// Reads a PKCS#8 key file, encrypted (PBES2) or not. A passphrase given for a file that is
    /// not encrypted is ignored.
    ///
    /// # Errors
    /// [`PemError`], naming what is wrong.
    pub fn from_pkcs8_pem(pem: &str, passphrase: Option<&[u8]>) -> Result<Self, PemError> {
        let (label, document) = SecretDocument::from_pem(pem).map_err(|_| PemError::Form)?;
        match label {
            PrivateKeyInfoRef::PEM_LABEL => secret_from_der(&document),
            EncryptedPrivateKeyInfoRef::PEM_LABEL => {
                let passphrase = passphrase.ok_or(PemError::PassphraseNeeded)?;
                let sealed = EncryptedPrivateKeyInfoRef::from_der(document.as_bytes())
                    .map_err(|_| PemError::Decryption)?;
                secret_from_der(
                    &sealed
                        .decrypt(passphrase)
                        .map_err(|_| PemError::Decryption)?,
                )
            }
            _ => Err(PemError::Form),
        }
    }

    /// Writes an unencrypted PKCS#8 file; the text is wiped when dropped.
    ///
    /// # Errors
    /// [`PemError::Encoding`], which no valid key causes.
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, PemError> {
        self.as_sm2()
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|_| PemError::Encoding)
    }

    /// Writes a PKCS#8 file encrypted with PBES2: PBKDF2 with HMAC-SHA-256 and
    /// [`PBKDF2_ITERATIONS`] rounds, AES-256-CBC.
    ///
    /// ```
    /// use invoice_core::crypto::{KeyEncryption, PemError, SecretKey};
    ///
    /// let key = SecretKey::from_bytes(&[7; 32])?;
    /// // Salt and vector come from the caller's random source.
    /// let pem = key.to_encrypted_pkcs8_pem(b"open sesame", &KeyEncryption { salt: [1; 16], iv: [2; 16] })?;
    /// assert!(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    /// assert_eq!(SecretKey::from_pkcs8_pem(&pem, None).unwrap_err(), PemError::PassphraseNeeded);
    /// let read = SecretKey::from_pkcs8_pem(&pem, Some(b"open sesame"))?;
    /// assert_eq!(read.public_key(), key.public_key());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`PemError::Encoding`], which no valid key causes.
    pub fn to_encrypted_pkcs8_pem(
        &self,
        passphrase: &[u8],
        encryption: &KeyEncryption,
    ) -> Result<Zeroizing<String>, PemError> {
        let parameters = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(
            PBKDF2_ITERATIONS,
            &encryption.salt,
            encryption.iv,
        )
        .map_err(|_| PemError::Encoding)?;
        let plain = self
            .as_sm2()
            .to_pkcs8_der()
            .map_err(|_| PemError::Encoding)?;
        let sealed = PrivateKeyInfoRef::from_der(plain.as_bytes())
            .map(|info| info.encrypt_with_params(parameters, passphrase))
            .map_err(|_| PemError::Encoding)?
            .map_err(|_| PemError::Encoding)?;
        sealed
            .to_pem(EncryptedPrivateKeyInfoRef::PEM_LABEL, LineEnding::LF)
            .map_err(|_| PemError::Encoding)
    }
}

fn secret_from_der(document: &SecretDocument) -> Result<SecretKey, PemError> {
    let info = PrivateKeyInfoRef::from_der(document.as_bytes()).map_err(|_| PemError::Form)?;
    let key = sm2::SecretKey::try_from(info).map_err(|_| PemError::NotSm2)?;
    Ok(SecretKey::from_sm2(key)?)
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo file (`PUBLIC KEY`).
    ///
    /// # Errors
    /// [`PemError::NotSm2`] when it is not such a file or not of an SM2 key.
    pub fn from_spki_pem(pem: &str) -> Result<Self, PemError> {
        let key = sm2::PublicKey::from_public_key_pem(pem).map_err(|_| PemError::NotSm2)?;
        Ok(Self::from_sec1(&key.to_sec1_bytes())?)
    }

    /// Writes a SubjectPublicKeyInfo file (`PUBLIC KEY`).
    ///
    /// # Errors
    /// [`PemError::Encoding`], which no valid key causes.
    pub fn to_spki_pem(&self) -> Result<String, PemError> {
        self.to_sm2()
            .to_public_key_pem(LineEnding::LF)
            .map_err(|_| PemError::Encoding)
    }
}

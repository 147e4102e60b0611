//! Private keys in PKCS#8 PEM files, encrypted unless someone insists.

use std::io::{self, IsTerminal, Read as _};
use std::path::{Path, PathBuf};

use invoice_core::crypto::{KeyEncryption, PemError, SecretKey};
use zeroize::Zeroizing;

use crate::files;

/// The environment variable with the passphrase.
pub const PASSPHRASE_VARIABLE: &str = "PIAOLIAN_PASSPHRASE";

/// Longest file of a key or of a passphrase, in bytes (64 KiB).
const KEY_FILE_BYTES_MAX: u64 = 64 * 1024;

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is there already; a key is never overwritten.
    #[error("{0} 已存在，不会覆盖密钥 / {0} exists, a key is never overwritten")]
    Exists(PathBuf),
    /// The file is no key, or the passphrase is wrong.
    #[error("{path}: {source}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: PemError,
    },
    /// No passphrase was given and nobody can be asked.
    #[error(
        "需要口令：用 --passphrase-file 或 {PASSPHRASE_VARIABLE} / a passphrase is needed: give --passphrase-file or {PASSPHRASE_VARIABLE}"
    )]
    PassphraseMissing,
    /// The two passphrases that were typed differ, or are empty.
    #[error("两次口令不一致或为空 / the passphrases differ or are empty")]
    PassphraseMismatch,
    /// The system gives no randomness.
    #[error("无法取得随机数 / no randomness: {0}")]
    Random(String),
}

/// Makes a new private key.
///
/// # Errors
/// The system gives no randomness.
pub fn generate() -> Result<SecretKey, KeyFileError> {
    loop {
        let bytes = Zeroizing::new(random::<32>()?);
        // One in 2^32 numbers of 32 bytes is no private key of the curve.
        if let Ok(key) = SecretKey::from_bytes(&bytes) {
            return Ok(key);
        }
    }
}

/// Reads a key; a passphrase is asked for only when the file needs one.
///
/// # Errors
/// The file is no key, or no passphrase opens it.
pub fn read(path: &Path, passphrase_file: Option<&Path>) -> Result<SecretKey, KeyFileError> {
    let pem = text(path)?;
    let at = |source| KeyFileError::Pem {
        path: path.to_owned(),
        source,
    };
    match SecretKey::from_pkcs8_pem(&pem, None) {
        Err(PemError::PassphraseNeeded) => {
            let passphrase = passphrase(passphrase_file, false)?;
            SecretKey::from_pkcs8_pem(&pem, Some(passphrase.as_bytes())).map_err(at)
        }
        read => read.map_err(at),
    }
}

/// How a key lies in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// As it is.
    Plain,
    /// Behind a passphrase.
    Encrypted,
}

/// Looks whether a file is a key, as far as that shows without its passphrase.
///
/// # Errors
/// The file cannot be read, or is no key.
pub fn look(path: &Path) -> Result<KeyForm, KeyFileError> {
    match SecretKey::from_pkcs8_pem(&text(path)?, None) {
        Ok(_) => Ok(KeyForm::Plain),
        Err(PemError::PassphraseNeeded) => Ok(KeyForm::Encrypted),
        Err(source) => Err(KeyFileError::Pem {
            path: path.to_owned(),
            source,
        }),
    }
}

/// The text of a file, which may be a device that never ends.
fn text(path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    let at = |source| KeyFileError::Io {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(at)?;
    let mut text = Zeroizing::new(String::new());
    let taken = file.take(KEY_FILE_BYTES_MAX + 1).read_to_string(&mut text);
    if taken.map_err(at)? as u64 > KEY_FILE_BYTES_MAX {
        let fault =
            "超过 64 KiB，不是密钥或口令文件 / more than 64 KiB: no file of a key or passphrase";
        return Err(at(io::Error::new(io::ErrorKind::InvalidData, fault)));
    }
    Ok(text)
}

/// Writes a key to a new file that only its owner reads, encrypted when there is a passphrase.
///
/// # Errors
/// The file exists or cannot be written.
pub fn write_new(
    path: &Path,
    key: &SecretKey,
    passphrase: Option<&str>,
) -> Result<(), KeyFileError> {
    if path.exists() {
        return Err(KeyFileError::Exists(path.to_owned()));
    }
    let pem = to_pem(path, key, passphrase)?;
    files::write_whole(path, pem.as_bytes(), files::PRIVATE).map_err(|source| KeyFileError::Io {
        path: path.to_owned(),
        source,
    })
}

/// Replaces a key file by the same key, encrypted.
///
/// # Errors
/// The file cannot be written.
pub fn encrypt(path: &Path, key: &SecretKey, passphrase: &str) -> Result<(), KeyFileError> {
    let pem = to_pem(path, key, Some(passphrase))?;
    files::write_whole(path, pem.as_bytes(), files::PRIVATE).map_err(|source| KeyFileError::Io {
        path: path.to_owned(),
        source,
    })
}

fn to_pem(
    path: &Path,
    key: &SecretKey,
    passphrase: Option<&str>,
) -> Result<Zeroizing<String>, KeyFileError> {
    let pem = match passphrase {
        Some(passphrase) => {
            let encryption = KeyEncryption {
                salt: random()?,
                iv: random()?,
            };
            key.to_encrypted_pkcs8_pem(passphrase.as_bytes(), &encryption)
        }
        None => key.to_pkcs8_pem(),
    };
    pem.map_err(|source| KeyFileError::Pem {
        path: path.to_owned(),
        source,
    })
}

/// A passphrase from a file, the environment or the terminal, in this order; typed twice when it
/// is for a new file.
///
/// # Errors
/// Nobody gives one.
pub fn passphrase(file: Option<&Path>, new: bool) -> Result<Zeroizing<String>, KeyFileError> {
    if let Some(path) = file {
        let text = text(path)?;
        return Ok(Zeroizing::new(
            text.trim_end_matches(['\r', '\n']).to_owned(),
        ));
    }
    if let Ok(text) = std::env::var(PASSPHRASE_VARIABLE) {
        return Ok(Zeroizing::new(text));
    }
    if !io::stdin().is_terminal() {
        return Err(KeyFileError::PassphraseMissing);
    }
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt)
            .map(Zeroizing::new)
            .map_err(|_| KeyFileError::PassphraseMissing)
    };
    let first = ask("口令 / passphrase: ")?;
    if new && (first.is_empty() || *first != *ask("再次输入 / again: ")?) {
        return Err(KeyFileError::PassphraseMismatch);
    }
    Ok(first)
}

fn random<const N: usize>() -> Result<[u8; N], KeyFileError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| KeyFileError::Random(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_an_end_is_no_key() {
        for found in [
            read(Path::new("/dev/zero"), None).map(drop),
            look(Path::new("/dev/zero")).map(drop),
            passphrase(Some(Path::new("/dev/zero")), false).map(drop),
        ] {
            assert!(matches!(found, Err(KeyFileError::Io { .. })));
        }
    }

    #[test]
    fn a_key_is_told_from_what_is_none_without_its_passphrase() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let key = generate().unwrap();
        write_new(&path("plain"), &key, None).unwrap();
        write_new(&path("sealed"), &key, Some("open sesame")).unwrap();
        std::fs::write(path("garbage"), "garbage").unwrap();
        assert_eq!(look(&path("plain")).unwrap(), KeyForm::Plain);
        assert_eq!(look(&path("sealed")).unwrap(), KeyForm::Encrypted);
        assert!(matches!(
            look(&path("garbage")),
            Err(KeyFileError::Pem { .. })
        ));
    }

    #[test]
    fn a_key_survives_its_encrypted_file_and_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        let key = generate().unwrap();
        write_new(&path, &key, Some("open sesame")).unwrap();
        let word = folder.path().join("word");
        std::fs::write(&word, "open sesame\n").unwrap();
        assert_eq!(
            read(&path, Some(&word)).unwrap().public_key(),
            key.public_key()
        );
        std::fs::write(&word, "wrong\n").unwrap();
        assert!(matches!(
            read(&path, Some(&word)),
            Err(KeyFileError::Pem { .. })
        ));
        assert!(matches!(
            write_new(&path, &key, None),
            Err(KeyFileError::Exists(_))
        ));
    }
}

//! The signing key and its passphrase.

use std::fs;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use invoice_core::crypto::{PemError, SecretKey, SecretKeySigner, Signer};
use zeroize::Zeroizing;

use crate::exit::Exit;
use crate::failure::Failure;

/// The environment variable with the passphrase.
const PASSPHRASE: &str = "PIAOLIAN_PASSPHRASE";

/// Reads a key file; a passphrase is asked for only when the file needs one.
pub(crate) fn read(
    path: &Path,
    passphrase_file: Option<&Path>,
) -> Result<Arc<dyn Signer>, Failure> {
    let pem = fs::read_to_string(path).map(Zeroizing::new);
    let pem = pem.map_err(|error| Failure::file(path, &error))?;
    let key = match SecretKey::from_pkcs8_pem(&pem, None) {
        Err(PemError::PassphraseNeeded) => {
            let passphrase = passphrase(path, passphrase_file)?;
            SecretKey::from_pkcs8_pem(&pem, Some(passphrase.as_bytes()))
        }
        read => read,
    };
    let key = key.map_err(|error| {
        let text = format!("{}: {error}", path.display());
        Failure::new(Exit::Authentication, "key_unreadable", text)
    })?;
    Ok(Arc::new(SecretKeySigner::new(key)))
}

/// From a file, the environment or the terminal, in this order.
fn passphrase(key: &Path, file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    if let Some(path) = file {
        let text = fs::read_to_string(path).map(Zeroizing::new);
        let text = text.map_err(|error| Failure::file(path, &error))?;
        return Ok(Zeroizing::new(
            text.trim_end_matches(['\r', '\n']).to_owned(),
        ));
    }
    if let Ok(text) = std::env::var(PASSPHRASE) {
        return Ok(Zeroizing::new(text));
    }
    let needed = || {
        let text = format!("{}: {}", key.display(), PemError::PassphraseNeeded);
        Failure::new(Exit::Authentication, "passphrase_needed", text).with_hint(
            "用 --passphrase-file 或 PIAOLIAN_PASSPHRASE 给出口令 / give it with --passphrase-file or PIAOLIAN_PASSPHRASE",
        )
    };
    if !std::io::stdin().is_terminal() {
        return Err(needed());
    }
    let prompt = format!("口令 / passphrase ({}): ", key.display());
    rpassword::prompt_password(prompt)
        .map(Zeroizing::new)
        .map_err(|_| needed())
}

#[cfg(test)]
mod tests {
    use invoice_core::crypto::KeyEncryption;

    use super::*;

    #[test]
    fn encrypted_keys_open_with_the_file_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        let (key, word) = (folder.path().join("k.pem"), folder.path().join("word"));
        let secret = SecretKey::from_bytes(&[7; 32]).unwrap();
        let encryption = KeyEncryption {
            salt: [1; 16],
            iv: [2; 16],
        };
        let pem = secret
            .to_encrypted_pkcs8_pem(b"open sesame", &encryption)
            .unwrap();
        fs::write(&key, pem.as_bytes()).unwrap();
        fs::write(&word, "open sesame\r\n").unwrap();
        let signer = read(&key, Some(&word)).unwrap();
        assert_eq!(signer.public_key(), &secret.public_key());
        fs::write(&word, "wrong").unwrap();
        let failure = read(&key, Some(&word)).map(|_| ()).unwrap_err();
        assert_eq!(failure.exit, Exit::Authentication);
    }

    #[test]
    fn a_missing_file_is_a_matter_of_usage() {
        let failure = read(Path::new("no such file"), None)
            .map(|_| ())
            .unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
    }
}

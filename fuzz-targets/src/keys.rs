//! Signatures and keys: each has one spelling in each of its forms.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use invoice_core::crypto::{Hash, HintedSignature, Kid, PublicKey, SecretKey, Signature};

pub(crate) fn run(bytes: &[u8]) {
    let Some((chosen, rest)) = super::choice(bytes, 7) else {
        return;
    };
    let text = std::str::from_utf8(rest);
    match (chosen, text) {
        (0, Ok(text)) => signature_text(text),
        (1, _) => {
            if let Ok(signature) = Signature::from_der(rest) {
                assert_eq!(signature.to_der(), rest);
                assert_eq!(Signature::from_bytes(signature.as_bytes()), Ok(signature));
            }
        }
        (2, Ok(text)) => {
            if let Ok(key) = PublicKey::from_hex(text) {
                assert_eq!(key.to_hex(), text);
            }
        }
        (3, _) => {
            if let Ok(key) = PublicKey::from_sec1(rest) {
                assert_eq!(key.as_sec1().as_slice(), rest);
                assert_eq!(PublicKey::from_hex(&key.to_hex()).ok(), Some(key));
            }
        }
        (4, Ok(text)) => {
            if let Ok(key) = PublicKey::from_spki_pem(text) {
                let written = key.to_spki_pem().expect("a key has a PEM form");
                assert_eq!(PublicKey::from_spki_pem(&written).ok(), Some(key));
            }
        }
        (5, Ok(text)) => {
            // Without a passphrase: deriving its key is slow by intention.
            if let Ok(key) = SecretKey::from_pkcs8_pem(text, None) {
                let written = key.to_pkcs8_pem().expect("a key has a PEM form");
                let again = SecretKey::from_pkcs8_pem(&written, None).expect("it is read back");
                assert_eq!(again.to_bytes(), key.to_bytes());
            }
        }
        (6, Ok(text)) => {
            if let Ok(kid) = text.parse::<Kid>() {
                assert_eq!(kid.to_string(), text);
            }
            if let Ok(hash) = text.parse::<Hash>() {
                assert_eq!(hash.to_string(), text);
            }
        }
        _ => {}
    }
}

fn signature_text(text: &str) {
    let Ok(read) = HintedSignature::from_base64(text) else {
        assert!(text.parse::<Signature>().is_err());
        return;
    };
    let written = read.to_base64();
    assert_eq!(HintedSignature::from_base64(&written), Ok(read));
    // The text is one of the three forms of this very signature.
    assert!(written == text || STANDARD.encode(read.signature.to_der()) == text);
}

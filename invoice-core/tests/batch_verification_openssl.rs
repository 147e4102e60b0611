//! Signatures made by the `openssl` command verify together.

use std::path::Path;
use std::process::{Command, Stdio};

use invoice_core::crypto::{
    Hash, HintedSignature, PublicKey, SecretKey, Signature, Signed, verify_many,
};

const KEYS: u8 = 4;
const PER_KEY: u8 = 10;

fn openssl(folder: &Path, arguments: &str) {
    let status = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .stdin(Stdio::null())
        .status()
        .expect("this test needs the openssl command (version 3) in the path; install it");
    assert!(status.success(), "openssl {arguments}");
}

fn signatures_of_openssl() -> Vec<(PublicKey, Hash, HintedSignature)> {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut signatures = Vec::new();
    for number in 1..=KEYS {
        let secret = SecretKey::from_bytes(&[number; 32]).unwrap();
        let key = secret.public_key();
        std::fs::write(
            folder.join("secret.pem"),
            secret.to_pkcs8_pem().unwrap().as_bytes(),
        )
        .unwrap();
        for turn in 0..PER_KEY {
            let message = vec![turn; usize::from(turn) * 9];
            std::fs::write(folder.join("message"), &message).unwrap();
            openssl(
                folder,
                "pkeyutl -sign -inkey secret.pem -rawin -digest sm3 -in message -out signature \
                 -pkeyopt distid:1234567812345678",
            );
            let der = std::fs::read(folder.join("signature")).unwrap();
            let signature = Signature::from_der(&der).unwrap();
            let hinted = HintedSignature::with_hint(signature, &key);
            signatures.push((key.clone(), key.message_digest(&message), hinted));
        }
    }
    signatures
}

#[test]
fn signatures_of_openssl_verify_together() {
    let made = signatures_of_openssl();
    let signed: Vec<Signed<'_>> = made
        .iter()
        .map(|(key, digest, signature)| Signed {
            key,
            digest: *digest,
            signature: *signature,
        })
        .collect();
    assert_eq!(verify_many(&signed, &[3; 32]), vec![true; signed.len()]);
    for bad in 0..signed.len() {
        let mut signed = signed.clone();
        signed[bad].digest = signed[(bad + 1) % made.len()].digest;
        let expected: Vec<bool> = (0..signed.len()).map(|place| place != bad).collect();
        assert_eq!(verify_many(&signed, &[3; 32]), expected);
    }
}

//! Everything that leaves this crate is checked against the `openssl` command, and the other way
//! round: digests, signatures, key files.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use invoice_core::crypto::{
    HintedSignature, KeyEncryption, PublicKey, SecretKey, SecretKeySigner, Signature, Signer, sm3,
    sm3_many,
};

/// Runs `openssl` in a directory; the directory goes when the value does.
struct OpenSsl(tempfile::TempDir);

impl OpenSsl {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Path {
        std::fs::write(self.path(name), bytes).expect("write");
        self.0.path()
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).expect("read")
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).expect("text")
    }

    /// Whether the command succeeds, and what it prints.
    fn run(&self, arguments: &str) -> (bool, Vec<u8>) {
        let output = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .output()
            .expect("these tests need the openssl command (version 3) in the path; install it");
        if !output.status.success() {
            eprintln!(
                "openssl {arguments}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        (output.status.success(), output.stdout)
    }

    fn must(&self, arguments: &str) -> Vec<u8> {
        let (good, output) = self.run(arguments);
        assert!(good, "openssl {arguments}");
        output
    }
}

fn secret() -> SecretKey {
    SecretKey::from_bytes(&[0x5a; 32]).expect("in range")
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("random bytes");
    bytes
}

#[test]
fn digests_are_those_of_openssl() {
    let openssl = OpenSsl::new();
    for message in [&b""[..], b"abc", &b"abcd".repeat(16), &[0xff; 1_000]] {
        openssl.write("message", message);
        let digest = openssl.must("dgst -sm3 -binary message");
        assert_eq!(digest, sm3(&[message]).as_bytes());
    }
}

#[test]
fn digests_of_many_messages_are_those_of_openssl() {
    let openssl = OpenSsl::new();
    let messages: Vec<Vec<u8>> = [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 1_100, 4_096]
        .into_iter()
        .cycle()
        .take(40)
        .enumerate()
        .map(|(n, len)| vec![n as u8; len])
        .collect();
    let parts: Vec<[&[u8]; 2]> = messages
        .iter()
        .enumerate()
        .map(|(n, message)| message.split_at((n * 37).min(message.len())).into())
        .collect();
    let parts: Vec<&[&[u8]]> = parts.iter().map(<[&[u8]; 2]>::as_slice).collect();
    for (message, digest) in messages.iter().zip(sm3_many(&parts)) {
        openssl.write("message", message);
        let expected = openssl.must("dgst -sm3 -binary message");
        assert_eq!(expected, digest.as_bytes());
    }
}

#[test]
fn openssl_verifies_our_signatures() {
    let openssl = OpenSsl::new();
    let signer = SecretKeySigner::new(secret());
    openssl.write(
        "public.pem",
        signer.public_key().to_spki_pem().expect("PEM"),
    );
    let verify = "pkeyutl -verify -pubin -inkey public.pem -rawin -digest sm3 -in message -sigfile signature \
                  -pkeyopt distid:1234567812345678";
    for n in 0..20_u8 {
        let message = vec![n; usize::from(n) * 7];
        let signature = signer.sign(&message).expect("signature");
        openssl.write("message", &message);
        openssl.write("signature", signature.to_der());
        openssl.must(verify);
    }
    openssl.write("message", "something else");
    assert!(!openssl.run(verify).0);
}

#[test]
fn we_verify_the_signatures_of_openssl() {
    let openssl = OpenSsl::new();
    let key = secret().public_key();
    openssl.write(
        "secret.pem",
        secret().to_pkcs8_pem().expect("PEM").as_bytes(),
    );
    for n in 0..20_u8 {
        let message = vec![n; usize::from(n) * 7];
        openssl.write("message", &message);
        openssl.must(
            "pkeyutl -sign -inkey secret.pem -rawin -digest sm3 -in message -out signature \
             -pkeyopt distid:1234567812345678",
        );
        let signature = Signature::from_der(&openssl.read("signature")).expect("DER");
        assert!(key.verify(&message, &signature));
        assert!(!key.verify(b"something else", &signature));
        assert_eq!(signature.to_der(), openssl.read("signature"));
        let base64 = openssl.must("base64 -A -in signature");
        let text = String::from_utf8(base64).expect("text");
        assert_eq!(
            HintedSignature::from_base64(text.trim())
                .expect("base64")
                .signature,
            signature
        );
    }
}

#[test]
fn openssl_reads_our_key_files() {
    let openssl = OpenSsl::new();
    let (secret, public) = (secret(), secret().public_key());
    let encryption = KeyEncryption {
        salt: random(),
        iv: random(),
    };
    openssl.write("plain.pem", secret.to_pkcs8_pem().expect("PEM").as_bytes());
    openssl.write(
        "sealed.pem",
        secret
            .to_encrypted_pkcs8_pem(b"secret", &encryption)
            .expect("PEM")
            .as_bytes(),
    );
    let ours = public.to_spki_pem().expect("PEM");
    assert_eq!(
        String::from_utf8(openssl.must("pkey -in plain.pem -pubout")).expect("text"),
        ours
    );
    assert_eq!(
        String::from_utf8(openssl.must("pkey -in sealed.pem -passin pass:secret -pubout"))
            .expect("text"),
        ours
    );
    assert!(
        !openssl
            .run("pkey -in sealed.pem -passin pass:wrong -pubout")
            .0
    );
    openssl.must("pkey -in plain.pem -check -noout");
}

#[test]
fn we_read_the_key_files_of_openssl() {
    let openssl = OpenSsl::new();
    for make in [
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:SM2 -out plain.pem",
        "genpkey -algorithm SM2 -out plain.pem",
    ] {
        openssl.must(make);
        openssl.must("pkey -in plain.pem -pubout -out public.pem");
        openssl.must(
            "pkcs8 -topk8 -v2 aes-256-cbc -in plain.pem -passout pass:secret -out sealed.pem",
        );
        let key = SecretKey::from_pkcs8_pem(&openssl.text("plain.pem"), None).expect("PKCS#8");
        let sealed =
            SecretKey::from_pkcs8_pem(&openssl.text("sealed.pem"), Some(b"secret")).expect("PBES2");
        let public = PublicKey::from_spki_pem(&openssl.text("public.pem")).expect("SPKI");
        assert_eq!(key.public_key(), public);
        assert_eq!(sealed.public_key(), public);
        assert!(SecretKey::from_pkcs8_pem(&openssl.text("sealed.pem"), Some(b"wrong")).is_err());
        assert_eq!(
            public.to_spki_pem().expect("PEM"),
            openssl.text("public.pem")
        );
    }
}

#[test]
fn keys_of_other_curves_are_refused() {
    let openssl = OpenSsl::new();
    openssl.must("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out plain.pem");
    openssl.must("pkey -in plain.pem -pubout -out public.pem");
    assert!(SecretKey::from_pkcs8_pem(&openssl.text("plain.pem"), None).is_err());
    assert!(PublicKey::from_spki_pem(&openssl.text("public.pem")).is_err());
}

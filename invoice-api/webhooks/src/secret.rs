//! Secrets and signatures.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Bytes of a secret: Standard Webhooks asks for 24 to 64.
pub const SECRET_BYTES: usize = 32;
/// How long the old secret signs beside the new one after a rotation, in milliseconds (24 h).
pub const OVERLAP_MS: i64 = 24 * 3_600 * 1_000;

/// What stands before the base64 of a secret.
const PREFIX: &str = "whsec_";

/// A secret that an endpoint's owner and the node share. It is never shown by `Debug` and is wiped
/// from memory when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

/// The text is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret is whsec_ and the base64 of 24 to 64 bytes")]
pub struct SecretError;

impl Secret {
    /// A secret of these random bytes.
    #[must_use]
    pub fn new(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// Reads `whsec_` and base64.
    ///
    /// # Errors
    /// [`SecretError`] for anything else, and for fewer than 24 or more than 64 bytes.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(SecretError)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| SecretError)?;
        match bytes.len() {
            24..=64 => Ok(Self(Zeroizing::new(bytes))),
            _ => Err(SecretError),
        }
    }

    /// The text that its owner is shown once: `whsec_` and base64.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(self.0.as_slice()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl serde::Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.reveal())
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// The value of `webhook-signature`: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`,
/// for each secret that is valid now, separated by spaces. `timestamp` is in Unix seconds.
#[must_use]
pub fn sign<'s>(
    secrets: impl IntoIterator<Item = &'s Secret>,
    id: &str,
    timestamp: i64,
    body: &[u8],
) -> String {
    let mut header = String::new();
    for secret in secrets {
        // A key of any length is a key of HMAC.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&secret.0) else {
            continue;
        };
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        if !header.is_empty() {
            header.push(' ');
        }
        header.push_str("v1,");
        header.push_str(&STANDARD.encode(mac.finalize().into_bytes()));
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    /// The vector that the libraries of Standard Webhooks test themselves against
    /// (github.com/standard-webhooks/standard-webhooks, `libraries/`).
    #[test]
    fn the_published_vector_is_met() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = sign(
            [&secret],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            b"{\"test\": 2432232314}",
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn two_secrets_give_two_signatures() {
        let (new, old) = (Secret::new([1; 32]), Secret::new([2; 32]));
        let both = sign([&new, &old], "msg", 7, b"{}");
        let alone = [&new, &old].map(|secret| sign([secret], "msg", 7, b"{}"));
        assert_eq!(both, alone.join(" "));
    }

    #[test]
    fn a_secret_is_spelt_in_one_way_and_never_printed() {
        let secret = Secret::new([7; 32]);
        assert_eq!(Secret::parse(&secret.reveal()), Ok(secret.clone()));
        assert_eq!(format!("{secret:?}"), "Secret");
        for bad in [
            "",
            "whsec_",
            "whsec_AAAA",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_not base64 at all ...............",
        ] {
            assert_eq!(Secret::parse(bad), Err(SecretError), "{bad}");
        }
    }

    /// Python's `hmac` is the second implementation.
    #[test]
    fn python_computes_the_same_signature() {
        let program = "import base64,hashlib,hmac,sys\n\
            secret,id,time=sys.argv[1:]\n\
            key=base64.b64decode(secret[6:])\n\
            text=f'{id}.{time}.'.encode()+sys.stdin.buffer.read()\n\
            print('v1,'+base64.b64encode(hmac.new(key,text,hashlib.sha256).digest()).decode(),end='')";
        for (number, body) in ["", "{}", "{\"document\":\"票据\"}", &"长".repeat(9_999)]
            .into_iter()
            .enumerate()
        {
            let secret = Secret::new([u8::try_from(number).unwrap(); 32]);
            let child = Command::new("python3")
                .args(["-c", program, &secret.reveal(), "msg_1", "1790000000"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn();
            let Ok(mut child) = child else {
                eprintln!("SKIPPED: python3 is not installed");
                return;
            };
            let mut stdin = child.stdin.take().unwrap();
            stdin.write_all(body.as_bytes()).unwrap();
            drop(stdin);
            let said = child.wait_with_output().unwrap();
            let own = sign([&secret], "msg_1", 1_790_000_000, body.as_bytes());
            assert_eq!(String::from_utf8(said.stdout).unwrap(), own);
        }
    }
}

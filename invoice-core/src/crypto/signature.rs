//! SM2 signatures and the three spellings in which clients may send them.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sm2::dsa;

use super::curve::{Chain, Scalar, generator};
use super::key::PublicKey;

/// Longest base64 text that can be a signature: 72 bytes of DER.
const BASE64_CHARS_MAX: usize = 96;

/// Why a text or bytes are not a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not canonical base64 (RFC 4648, clause 4, padded, unused bits zero).
    #[error("签名不是规范的 base64 / the signature is not canonical base64")]
    Base64,
    /// Neither 64 bytes, nor 65 bytes, nor a DER sequence of two integers.
    #[error(
        "签名应为 64 字节 r||s、65 字节 r||s||v 或 DER / a signature is 64 bytes r||s, 65 bytes r||s||v, or DER"
    )]
    Form,
    /// The 65th byte is neither 0 nor 1.
    #[error("签名的提示字节应为 0 或 1 / the hint byte of a signature is 0 or 1")]
    Hint,
    /// r or s is not in 1 to n − 1.
    #[error("签名的 r 或 s 超出范围 / r or s of the signature is out of range")]
    Range,
}

/// An SM2 signature: r and s, 32 big-endian bytes each, both from 1 to n − 1
/// (GB/T 32918.2-2016, clause 6).
///
/// Its text is canonical base64 of the 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature([u8; 64]);

impl Signature {
    /// Length of a signature in bytes.
    pub const BYTES: usize = 64;

    /// Reads r || s.
    ///
    /// # Errors
    /// [`SignatureError::Range`] when r or s is 0, n or more.
    pub fn from_bytes(bytes: &[u8; 64]) -> Result<Self, SignatureError> {
        let (parts, _) = bytes.as_chunks::<32>();
        if parts.iter().all(Scalar::is_in_range) {
            Ok(Self(*bytes))
        } else {
            Err(SignatureError::Range)
        }
    }

    /// Reads a DER SEQUENCE { r, s } (GM/T 0009-2023, 7.3), one encoding only.
    ///
    /// # Errors
    /// [`SignatureError::Form`] for anything but the shortest encoding of two non-negative
    /// integers of at most 32 bytes, [`SignatureError::Range`] as in [`Signature::from_bytes`].
    pub fn from_der(der: &[u8]) -> Result<Self, SignatureError> {
        let [0x30, len, body @ ..] = der else {
            return Err(SignatureError::Form);
        };
        if usize::from(*len) != body.len() {
            return Err(SignatureError::Form);
        }
        let mut bytes = [0; 64];
        let (r, s) = bytes.split_at_mut(32);
        let rest = der_integer(body, r)?;
        let rest = der_integer(rest, s)?;
        if rest.is_empty() {
            Self::from_bytes(&bytes)
        } else {
            Err(SignatureError::Form)
        }
    }

    /// The DER SEQUENCE { r, s }, as OpenSSL and hardware modules exchange it.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        self.to_dsa().to_der().to_vec()
    }

    /// r || s.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    fn to_dsa(self) -> dsa::Signature {
        match dsa::Signature::from_slice(&self.0) {
            Ok(signature) => signature,
            Err(_) => unreachable!("r and s were found in range when this value was made"),
        }
    }

    /// r and s.
    pub(super) fn scalars(&self) -> (Scalar, Scalar) {
        let [mut r, mut s] = [[0; 32]; 2];
        r.copy_from_slice(self.0.split_at(32).0);
        s.copy_from_slice(self.0.split_at(32).1);
        (Scalar::from_bytes(&r), Scalar::from_bytes(&s))
    }

    /// The parity of the y coordinate of the signer's point \[k\]G = s·G + (r + s)·P.
    ///
    /// It is `None` when the point is the identity, which no valid signature has. The value is
    /// the same as the signer's hint exactly when the signature is valid.
    #[must_use]
    pub fn parity_hint(&self, key: &PublicKey) -> Option<bool> {
        let (r, s) = self.scalars();
        let mut sum = Chain::new();
        generator().add_multiple(&s, &mut sum);
        key.add_multiple(&r.plus(&s), &mut sum);
        sum.sum().y_is_odd()
    }
}

/// Takes one INTEGER off the front, left-padded with zeros into `into`.
fn der_integer<'a>(der: &'a [u8], into: &mut [u8]) -> Result<&'a [u8], SignatureError> {
    let [0x02, len, rest @ ..] = der else {
        return Err(SignatureError::Form);
    };
    let (digits, rest) = rest
        .split_at_checked(usize::from(*len))
        .ok_or(SignatureError::Form)?;
    let digits = match digits {
        // Long forms of the length never occur: two integers of 33 bytes need 70.
        [] | [0x80..=0xff, ..] | [0, 0..=0x7f, ..] => return Err(SignatureError::Form),
        [0, digits @ ..] if !digits.is_empty() => digits,
        digits => digits,
    };
    let start = into
        .len()
        .checked_sub(digits.len())
        .ok_or(SignatureError::Form)?;
    into.get_mut(start..)
        .ok_or(SignatureError::Form)?
        .copy_from_slice(digits);
    Ok(rest)
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

impl FromStr for Signature {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let bytes = decode_base64(text)?;
        Self::from_bytes(
            bytes
                .as_slice()
                .try_into()
                .map_err(|_| SignatureError::Form)?,
        )
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

fn decode_base64(text: &str) -> Result<Vec<u8>, SignatureError> {
    if text.len() > BASE64_CHARS_MAX {
        return Err(SignatureError::Form);
    }
    STANDARD.decode(text).map_err(|_| SignatureError::Base64)
}

/// A signature as a client sent it, with the hint that lets many be verified together.
///
/// The hint is untrusted: whoever uses it must come to the same verdict with a wrong one.
///
/// ```
/// use invoice_core::crypto::{HintedSignature, SecretKey, SecretKeySigner, Signer};
///
/// let signer = SecretKeySigner::new(SecretKey::from_bytes(&[7; 32])?);
/// let signature = signer.sign(b"message")?;
/// let hinted = HintedSignature::with_hint(signature, signer.public_key());
/// let read = HintedSignature::from_base64(&hinted.to_base64())?;
/// assert_eq!(read, hinted);
/// assert!(read.parity.is_some());
/// // The plain form and DER are read as well, without a hint.
/// assert_eq!(HintedSignature::from_base64(&signature.to_string())?.signature, signature);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HintedSignature {
    /// The signature proper.
    pub signature: Signature,
    /// Whether the y coordinate of \[k\]G is odd, as the sender says; `None` when it did not say.
    pub parity: Option<bool>,
}

impl HintedSignature {
    /// Reads canonical base64 of 64 bytes r || s, 65 bytes r || s || v, or of DER.
    ///
    /// The length decides: 64 and 65 bytes are never read as DER, where they would need both
    /// numbers together to be six bytes short, which happens to one signature in 2⁴⁸.
    ///
    /// # Errors
    /// [`SignatureError`], naming what is wrong.
    pub fn from_base64(text: &str) -> Result<Self, SignatureError> {
        let bytes = decode_base64(text)?;
        if let Ok(plain) = <&[u8; 64]>::try_from(bytes.as_slice()) {
            return Ok(Self {
                signature: Signature::from_bytes(plain)?,
                parity: None,
            });
        }
        if let Some((plain, [v])) = bytes.split_first_chunk::<64>() {
            let parity = match v {
                0 => false,
                1 => true,
                2.. => return Err(SignatureError::Hint),
            };
            return Ok(Self {
                signature: Signature::from_bytes(plain)?,
                parity: Some(parity),
            });
        }
        Ok(Self {
            signature: Signature::from_der(&bytes)?,
            parity: None,
        })
    }

    /// Base64 of 65 bytes, or of 64 when there is no hint.
    #[must_use]
    pub fn to_base64(&self) -> String {
        let mut bytes = self.signature.as_bytes().to_vec();
        bytes.extend(self.parity.map(u8::from));
        STANDARD.encode(bytes)
    }

    /// Adds the hint to a signature by `key`.
    #[must_use]
    pub fn with_hint(signature: Signature, key: &PublicKey) -> Self {
        Self {
            signature,
            parity: signature.parity_hint(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{SecretKey, SecretKeySigner, Signer};

    fn signer() -> SecretKeySigner {
        SecretKeySigner::new(SecretKey::from_bytes(&[7; 32]).unwrap())
    }

    /// GB/T 32918.5-2017, appendix A.2: the worked signature on the recommended curve.
    #[test]
    fn the_example_of_the_standard_verifies() {
        let secret: [u8; 32] =
            hex::decode("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
                .unwrap()
                .try_into()
                .unwrap();
        let key = SecretKey::from_bytes(&secret).unwrap().public_key();
        assert_eq!(
            key.to_hex(),
            "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020\
             ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
        );
        assert_eq!(
            key.message_digest(b"message digest").to_string(),
            "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640"
        );
        let bytes = hex::decode(
            "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3\
             b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa",
        )
        .unwrap();
        let signature = Signature::from_bytes(&bytes.try_into().unwrap()).unwrap();
        assert!(key.verify(b"message digest", &signature));
        assert!(!key.verify(b"message digests", &signature));
    }

    #[test]
    fn zero_and_the_order_are_not_in_range() {
        let order = hex::decode("fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123")
            .unwrap();
        let good = *signer().sign(b"m").unwrap().as_bytes();
        for part in [&[0; 32][..], &order, &[0xff; 32]] {
            for at in [0, 32] {
                let mut bad = good;
                bad[at..at + 32].copy_from_slice(part);
                assert_eq!(Signature::from_bytes(&bad), Err(SignatureError::Range));
            }
        }
    }

    #[test]
    fn the_three_spellings_are_read_and_no_others() {
        let signature = signer().sign(b"m").unwrap();
        let (plain, der) = (signature.as_bytes().to_vec(), signature.to_der());
        let with = |v: u8| STANDARD.encode([&plain[..], &[v]].concat());
        let read = |text: &str| {
            HintedSignature::from_base64(text).map(|read| (read.signature, read.parity))
        };
        assert_eq!(read(&STANDARD.encode(&plain)), Ok((signature, None)));
        assert_eq!(read(&with(0)), Ok((signature, Some(false))));
        assert_eq!(read(&with(1)), Ok((signature, Some(true))));
        assert_eq!(read(&STANDARD.encode(&der)), Ok((signature, None)));
        assert_eq!(read(&with(2)), Err(SignatureError::Hint));
        assert_eq!(
            read(&STANDARD.encode(&plain[1..])),
            Err(SignatureError::Form)
        );
        assert_eq!(
            read(&STANDARD.encode(&plain).replace('=', "")),
            Err(SignatureError::Base64)
        );
        assert_eq!(
            read(&format!(" {}", STANDARD.encode(&plain))),
            Err(SignatureError::Base64)
        );
        assert_eq!(read(""), Err(SignatureError::Form));
        assert_eq!(read(&"A".repeat(100_000)), Err(SignatureError::Form));
    }

    #[test]
    fn der_has_one_encoding() {
        let integer = |digits: &[u8]| [&[2, digits.len() as u8], digits].concat();
        let sequence = |r: &[u8], s: &[u8]| {
            let body = [integer(r), integer(s)].concat();
            [&[0x30, body.len() as u8][..], &body].concat()
        };
        assert!(Signature::from_der(&sequence(&[1], &[0, 0x80])).is_ok());
        for (r, s) in [
            (&[0, 1][..], &[1][..]),
            (&[0x80], &[1]),
            (&[], &[1]),
            (&[1], &[1; 33]),
            (&[1], &[0, 0, 0x80]),
        ] {
            assert_eq!(
                Signature::from_der(&sequence(r, s)),
                Err(SignatureError::Form),
                "{r:?} {s:?}"
            );
        }
        assert_eq!(
            Signature::from_der(&sequence(&[0], &[1])),
            Err(SignatureError::Range)
        );
        let good = sequence(&[1], &[2]);
        assert_eq!(
            Signature::from_der(&[&good[..], &[0]].concat()),
            Err(SignatureError::Form)
        );
        for end in 0..good.len() {
            assert!(Signature::from_der(&good[..end]).is_err());
        }
        let long = [&[0x30, 0x81, 6][..], &good[2..]].concat();
        assert_eq!(Signature::from_der(&long), Err(SignatureError::Form));
    }

    #[test]
    fn the_hint_is_the_parity_of_the_signers_point() {
        let signer = signer();
        let mut seen = [false; 2];
        for n in 0..32_u8 {
            let signature = signer.sign(&[n]).unwrap();
            let hint = signature.parity_hint(signer.public_key()).unwrap();
            seen[usize::from(hint)] = true;
            let hinted = HintedSignature {
                signature,
                parity: Some(!hint),
            };
            // A wrong hint costs nothing here: the verdict does not look at it.
            assert!(signer.public_key().verify(&[n], &hinted.signature));
        }
        assert_eq!(seen, [true, true]);
    }
}

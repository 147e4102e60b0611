//! Certificates (GB/T 20518, a profile of X.509), as far as a seal needs them.

use der::asn1::AnyRef;
use der::{Decode, Reader, SliceReader, Tag};
use invoice_core::crypto::PublicKey;

/// Elements of one ASN.1 sequence that are looked at.
const ITEMS_MAX: usize = 64;
/// 1.2.840.10045.2.1 and 1.2.156.10197.1.301: a key of an elliptic curve, and the curve of SM2.
const EC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const SM2_CURVE: &[u8] = &[0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d];
/// 2.5.4.3: the common name.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// The values that follow one another in DER; `None` for other bytes.
pub(super) fn items(bytes: &[u8]) -> Option<Vec<AnyRef<'_>>> {
    let mut reader = SliceReader::new(bytes).ok()?;
    let mut items = Vec::new();
    while !reader.is_finished() {
        if items.len() == ITEMS_MAX {
            return None;
        }
        items.push(AnyRef::decode(&mut reader).ok()?);
    }
    Some(items)
}

/// The values inside a constructed one.
pub(super) fn inside<'a>(value: &AnyRef<'a>) -> Option<Vec<AnyRef<'a>>> {
    value
        .header()
        .tag()
        .is_constructed()
        .then(|| items(value.value()))?
}

/// The bytes of a BIT STRING without unused bits.
pub(super) fn bits<'a>(value: &AnyRef<'a>) -> Option<&'a [u8]> {
    match (value.header().tag(), value.value()) {
        (Tag::BitString, [0, bytes @ ..]) => Some(bytes),
        _ => None,
    }
}

/// What a certificate says.
pub(super) struct Certificate {
    pub(super) key: PublicKey,
    pub(super) name: Option<String>,
    /// First and last moment, as `YYYYMMDDhhmmssZ`.
    pub(super) validity: (String, String),
}

/// Reads a certificate with an SM2 key.
pub(super) fn read(bytes: &[u8]) -> Option<Certificate> {
    let [certificate] = *items(bytes)? else {
        return None;
    };
    let [body, ..] = *inside(&certificate)? else {
        return None;
    };
    let body = inside(&body)?;
    // The version stands first, under a tag of its own, in all but the oldest.
    let versioned = body.first()?.header().tag().is_context_specific();
    let body = if versioned { body.get(1..)? } else { &body };
    let [_serial, _algorithm, _issuer, validity, subject, key, ..] = body else {
        return None;
    };
    let [from, until] = *inside(validity)? else {
        return None;
    };
    Some(Certificate {
        key: read_key(key)?,
        name: common_name(subject),
        validity: (time(&from)?, time(&until)?),
    })
}

fn read_key(info: &AnyRef<'_>) -> Option<PublicKey> {
    let [algorithm, key] = *inside(info)? else {
        return None;
    };
    let [kind, curve] = *inside(&algorithm)? else {
        return None;
    };
    let is_sm2 = kind.value() == EC_KEY && curve.value() == SM2_CURVE;
    is_sm2.then(|| PublicKey::from_sec1(bits(&key)?).ok())?
}

fn common_name(subject: &AnyRef<'_>) -> Option<String> {
    inside(subject)?.iter().find_map(|part| {
        let [pair] = *inside(part)? else { return None };
        let [kind, name] = *inside(&pair)? else {
            return None;
        };
        let text =
            (kind.value() == COMMON_NAME).then(|| std::str::from_utf8(name.value()).ok())??;
        Some(crate::spelling::clean(text).text)
    })
}

/// A moment as `YYYYMMDDhhmmssZ`, which sorts as text. Two digits of a year are from 1950 to 2049
/// (RFC 5280, 4.1.2.5.1).
pub(super) fn time(value: &AnyRef<'_>) -> Option<String> {
    let text = std::str::from_utf8(value.value()).ok()?;
    let tag = value.header().tag();
    let text = if tag == Tag::GeneralizedTime {
        text.to_owned()
    } else if tag == Tag::UtcTime {
        let century = if text.get(..2)? < "50" { "20" } else { "19" };
        format!("{century}{text}")
    } else {
        return None;
    };
    let (digits, zone) = text.split_at_checked(14)?;
    (zone == "Z" && digits.bytes().all(|b| b.is_ascii_digit())).then_some(text)
}

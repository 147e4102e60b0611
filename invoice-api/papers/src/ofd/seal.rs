//! The seal over an OFD's signature file: `SES_Signature` of GB/T 38540-2020, 7 (version 4), and of
//! GM/T 0031-2014 before it.

use der::asn1::AnyRef;
use der::{Encode as _, Tag};
use invoice_core::crypto::{Signature, sm3};

use super::certificate::{self, bits, inside, items};
use crate::paper::{Seal, SealState};

/// 1.2.156.10197.1.501: SM2 with SM3.
const SM2_WITH_SM3: &[u8] = &[0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x83, 0x75];

/// The parts of a seal.
struct Parts<'v> {
    /// The signed bytes.
    signed: Vec<u8>,
    digest: &'v [u8],
    certificate: &'v [u8],
    algorithm: &'v [u8],
    signature: &'v [u8],
    /// When it was signed, where that is stated plainly.
    time: Option<String>,
    /// The certificates whose holders may use the seal, where it lists them.
    holders: Option<Vec<Vec<u8>>>,
}

/// Judges the bytes of a seal over a file with this SM3 digest; gives the state and what is wrong.
pub(super) fn judge(value: &[u8], due: &[u8], trusted: &[Vec<u8>]) -> (Seal, &'static str) {
    let broken = |detail| (Seal::plain(SealState::Broken), detail);
    let Some(outer) = items(value).as_deref().and_then(|values| match values {
        [outer] if outer.header().tag() == Tag::Sequence => inside(outer),
        _ => None,
    }) else {
        return broken("SignedValue: not DER");
    };
    // A plain signature message (GB/T 35275) has no seal: its digests are all that is verified.
    if outer
        .first()
        .is_some_and(|first| first.header().tag() == Tag::ObjectIdentifier)
    {
        return (Seal::plain(SealState::DigestsOnly), "");
    }
    let Some(parts) = version_4(&outer).or_else(|| version_1(&outer)) else {
        return broken("SignedValue: not a seal");
    };
    if parts.digest != due {
        return broken("SignedValue: the digest is of another file");
    }
    if parts.algorithm != SM2_WITH_SM3 {
        return broken("SignedValue: not SM2 with SM3");
    }
    let Some(certificate) = certificate::read(parts.certificate) else {
        return broken("SignedValue: the certificate cannot be read");
    };
    if let Some(holders) = &parts.holders
        && !holders.iter().any(|holder| holder == parts.certificate)
    {
        return broken("SignedValue: the signer is no holder of the seal");
    }
    if let Some(time) = &parts.time
        && !(certificate.validity.0 <= *time && *time <= certificate.validity.1)
    {
        return broken("SignedValue: signed outside the certificate's validity");
    }
    let Ok(signature) = Signature::from_der(parts.signature) else {
        return broken("SignedValue: the signature cannot be read");
    };
    if !certificate.key.verify(&parts.signed, &signature) {
        return broken("SignedValue: the signature is wrong");
    }
    let seal = Seal {
        state: SealState::Verified,
        signer: certificate.name,
        certificate: Some(sm3(&[parts.certificate])),
        trusted: trusted.iter().any(|known| known == parts.certificate),
    };
    (seal, "")
}

/// GB/T 38540: what is signed, certificate, algorithm, signature, perhaps a time stamp.
fn version_4<'v>(outer: &[AnyRef<'v>]) -> Option<Parts<'v>> {
    let [to_sign, certificate, algorithm, signature, ..] = outer else {
        return None;
    };
    if certificate.header().tag() != Tag::OctetString {
        return None;
    }
    let body = inside(to_sign)?;
    let [_version, seal, time, digest, _property, ..] = body.as_slice() else {
        return None;
    };
    Some(Parts {
        signed: to_sign.to_der().ok()?,
        digest: bits(digest)?,
        certificate: certificate.value(),
        algorithm: algorithm.value(),
        signature: bits(signature)?,
        time: Some(certificate::time(time)?),
        holders: holders(seal),
    })
}

/// GM/T 0031-2014: certificate and algorithm stand inside what is signed.
fn version_1<'v>(outer: &[AnyRef<'v>]) -> Option<Parts<'v>> {
    let [to_sign, signature] = outer else {
        return None;
    };
    let body = inside(to_sign)?;
    let [
        _version,
        _seal,
        _time,
        digest,
        _property,
        certificate,
        algorithm,
        ..,
    ] = body.as_slice()
    else {
        return None;
    };
    Some(Parts {
        signed: to_sign.to_der().ok()?,
        digest: bits(digest)?,
        certificate: certificate.value(),
        algorithm: algorithm.value(),
        signature: bits(signature)?,
        // A time stamp of its own form.
        time: None,
        holders: None,
    })
}

/// The certificates in the seal's properties: type, name, kind of list, list.
fn holders(seal: &AnyRef<'_>) -> Option<Vec<Vec<u8>>> {
    let seal = inside(seal)?;
    let info = inside(seal.first()?)?;
    let [_header, _id, property, ..] = info.as_slice() else {
        return None;
    };
    let property = inside(property)?;
    let [_type, _name, kind, list, ..] = property.as_slice() else {
        return None;
    };
    // 1: whole certificates; 2: digests of them.
    if kind.value() != [1] {
        return None;
    }
    let list = inside(list)?;
    Some(list.iter().map(|holder| holder.value().to_vec()).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use invoice_core::crypto::sm3;

    use super::*;
    use crate::limits::{Limits, Meter};
    use crate::zip::Archive;

    /// The seal of a tax bureau's test platform, where a checkout has it beside it.
    #[test]
    fn a_seal_made_elsewhere_is_verified() {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .map(|folder| folder.join("shared/samples/vat-e-invoice-sample.ofd"))
            .find(|path| path.exists());
        let Some(sample) = sample else {
            eprintln!(
                "SKIPPED: no ../shared/samples/vat-e-invoice-sample.ofd beside this checkout"
            );
            return;
        };
        let file = std::fs::read(sample).unwrap();
        let limits = Limits::default();
        let mut meter = Meter::new(&limits);
        let archive = Archive::open(&file, &meter).unwrap();
        let mut part = |name| archive.read(name, &mut meter).unwrap().unwrap();
        let signed = part("Doc_0/Signs/Sign_0/Signature.xml");
        let value = part("Doc_0/Signs/Sign_0/SignedValue.dat");
        let digest = sm3(&[&signed]);
        let (seal, detail) = judge(&value, digest.as_bytes(), &[]);
        assert_eq!((seal.state, detail), (SealState::Verified, ""));
        assert!(!seal.trusted);
        assert_eq!(
            seal.signer.as_deref(),
            Some("全国统一发票监制章国家税务总局重庆市税务局")
        );
        let [outer] = *items(&value).unwrap() else {
            unreachable!()
        };
        let holder = inside(&outer).unwrap()[1].value().to_vec();
        assert!(judge(&value, digest.as_bytes(), &[holder]).0.trusted);
        assert_eq!(judge(&value, &[0; 32], &[]).0.state, SealState::Broken);
        // Any changed byte breaks it: version, seal, time, certificate, signature.
        for place in (0..value.len()).step_by(97) {
            let mut changed = value.clone();
            changed[place] ^= 1;
            let (seal, _) = judge(&changed, digest.as_bytes(), &[]);
            assert_ne!(seal.state, SealState::Verified, "byte {place}");
        }
    }
}

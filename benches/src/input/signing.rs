//! Signing a great many records quickly.
//!
//! A signature of the `sm2` crate costs 100 µs, its hint three times that. Input is signed by the
//! million, so the points kG are not multiplied out one by one: k counts up from a random start,
//! each point is the one before plus G, and all of them are made affine with one inversion. The
//! signatures are as valid as any and cost a verifier what any other does. **Whoever sees two of
//! them can compute the key:** this is for generated keys that protect nothing.

use invoice_core::crypto::{Hash, HintedSignature, Signature};
use sm2::elliptic_curve::ops::Reduce as _;
use sm2::elliptic_curve::point::{AffineCoordinates as _, BatchNormalize as _};
use sm2::elliptic_curve::{Group as _, PrimeField as _};
use sm2::{FieldBytes, ProjectivePoint, Scalar};

/// Private keys by number.
pub struct BulkSigner {
    keys: Vec<Key>,
}

struct Key {
    d: Scalar,
    /// (1 + d)⁻¹
    inverse: Scalar,
}

impl BulkSigner {
    /// Signs with these keys.
    ///
    /// # Panics
    /// One of them is no private key.
    #[must_use]
    pub fn new<'k>(secrets: impl Iterator<Item = &'k [u8; 32]>) -> Self {
        let keys = secrets
            .map(|secret| {
                let d = Scalar::from_repr(FieldBytes::from(*secret)).into_option();
                let inverse = d.and_then(|d| (d + Scalar::ONE).invert().into_option());
                match d.zip(inverse) {
                    Some((d, inverse)) => Key { d, inverse },
                    None => panic!("a generated number is no private key"),
                }
            })
            .collect();
        Self { keys }
    }

    /// Signs each digest (`e = SM3(Z || message)`) with the key of that number. The start must be
    /// another one each time.
    ///
    /// # Panics
    /// There is no such key; or, once in 2²⁵⁰ times, a value is zero that must not be.
    #[must_use]
    pub fn sign(&self, start: &[u8; 32], work: &[(usize, Hash)]) -> Vec<HintedSignature> {
        let mut k = <Scalar as sm2::elliptic_curve::ops::Reduce<FieldBytes>>::reduce(
            &FieldBytes::from(*start),
        );
        let mut point = ProjectivePoint::mul_by_generator(&k);
        let points: Vec<ProjectivePoint> = work
            .iter()
            .map(|_| {
                let this = point;
                point += ProjectivePoint::GENERATOR;
                this
            })
            .collect();
        let points = ProjectivePoint::batch_normalize(points.as_slice());
        let signed = work.iter().zip(&points).map(|((number, digest), point)| {
            let Key { d, inverse } = &self.keys[*number];
            let e = Scalar::reduce(&FieldBytes::from(*digest.as_bytes()));
            let r = e + Scalar::reduce(&point.x());
            let s = *inverse * (k - r * d);
            k += Scalar::ONE;
            let mut bytes = [0; Signature::BYTES];
            bytes[..32].copy_from_slice(&r.to_repr());
            bytes[32..].copy_from_slice(&s.to_repr());
            match Signature::from_bytes(&bytes) {
                Ok(signature) => HintedSignature {
                    signature,
                    parity: Some(point.y_is_odd().into()),
                },
                Err(error) => panic!("{error}"),
            }
        });
        signed.collect()
    }
}

#[cfg(test)]
mod tests {
    use invoice_core::crypto::SecretKey;

    use super::*;

    #[test]
    fn signatures_verify_and_hints_are_right() {
        let secrets = [[7; 32], [8; 32], [9; 32]];
        let signer = BulkSigner::new(secrets.iter());
        let publics = secrets.map(|secret| SecretKey::from_bytes(&secret).unwrap().public_key());
        let work: Vec<_> = (0..20_usize)
            .map(|number| {
                (
                    number % 3,
                    publics[number % 3].message_digest(&[number as u8; 40]),
                )
            })
            .collect();
        let signed = signer.sign(&[0xee; 32], &work);
        assert_eq!(signed.len(), 20);
        for ((key, digest), signed) in work.iter().zip(&signed) {
            assert!(publics[*key].verify_digest(digest, &signed.signature));
            assert_eq!(signed.parity, signed.signature.parity_hint(&publics[*key]));
            assert!(!publics[(key + 1) % 3].verify_digest(digest, &signed.signature));
        }
        assert_ne!(signed[0], signer.sign(&[0xef; 32], &work)[0]);
    }
}

//! Verifying many signatures together gives the verdicts of the `sm2` crate, one by one.
//!
//! Whoever sends signatures chooses every byte of them, the hints and the neighbours included, so
//! every kind of bad one is mixed into good ones here, at every place.

use std::sync::OnceLock;

use invoice_core::crypto::{
    Hash, HintedSignature, PublicKey, SecretKey, SecretKeySigner, Signature, Signed, Signer,
    USER_ID, verify_many,
};
use proptest::prelude::*;
use sm2::dsa::signature::hazmat::PrehashVerifier;
use sm2::elliptic_curve::ff::PrimeField;
use sm2::elliptic_curve::ops::Reduce;
use sm2::elliptic_curve::point::AffineCoordinates;
use sm2::elliptic_curve::sec1::ToSec1Point;
use sm2::{ProjectivePoint, Scalar};

/// What [`Signed`] borrows.
#[derive(Clone, Debug)]
struct Case {
    key: PublicKey,
    digest: Hash,
    signature: HintedSignature,
}

impl Case {
    /// The verdict of the crate.
    fn is_good(&self) -> bool {
        let key = sm2::dsa::VerifyingKey::from_sec1_bytes(USER_ID, self.key.as_sec1()).unwrap();
        let signature =
            sm2::dsa::Signature::from_slice(self.signature.signature.as_bytes()).unwrap();
        key.verify_prehash(self.digest.as_bytes(), &signature)
            .is_ok()
    }
}

fn judge_with(cases: &[Case], seed: &[u8; 32]) -> Vec<bool> {
    let signed: Vec<Signed<'_>> = cases
        .iter()
        .map(|case| Signed {
            key: &case.key,
            digest: case.digest,
            signature: case.signature,
        })
        .collect();
    verify_many(&signed, seed)
}

fn judge(cases: &[Case]) -> Vec<bool> {
    judge_with(cases, &[0x5e; 32])
}

#[track_caller]
fn assert_judged_right(cases: &[Case]) {
    let expected: Vec<bool> = cases.iter().map(Case::is_good).collect();
    assert_eq!(judge(cases), expected);
}

fn scalar_of(bytes: &[u8]) -> Scalar {
    let bytes = sm2::FieldBytes::try_from(bytes).unwrap();
    <Scalar as Reduce<sm2::FieldBytes>>::reduce(&bytes)
}

fn bytes_of(scalar: &Scalar) -> [u8; 32] {
    scalar.to_repr().into()
}

fn secret(number: u64) -> Scalar {
    Scalar::from(number)
}

fn key_of(secret: &Scalar) -> PublicKey {
    let point = (ProjectivePoint::GENERATOR * secret).to_affine();
    PublicKey::from_sec1(point.to_sec1_point(false).as_bytes()).unwrap()
}

fn signature_of(r: &Scalar, s: &Scalar) -> Signature {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&bytes_of(r));
    bytes[32..].copy_from_slice(&bytes_of(s));
    Signature::from_bytes(&bytes).unwrap()
}

/// A signature with a chosen k (GB/T 32918.2-2016, 6.1), valid by construction.
fn sign_with(secret: &Scalar, k: &Scalar, digest: Hash) -> Case {
    let point = (ProjectivePoint::GENERATOR * k).to_affine();
    let r = scalar_of(digest.as_bytes()) + scalar_of(&point.x());
    let s = (Scalar::ONE + secret).invert().unwrap() * (*k - r * secret);
    Case {
        key: key_of(secret),
        digest,
        signature: HintedSignature {
            signature: signature_of(&r, &s),
            parity: Some(bool::from(point.y_is_odd())),
        },
    }
}

/// Good signatures by three keys, each key known by several values of its type.
fn good(count: usize) -> Vec<Case> {
    static GOOD: OnceLock<Vec<Case>> = OnceLock::new();
    GOOD.get_or_init(|| {
        let signers: Vec<SecretKeySigner> = (1..4)
            .map(|byte| SecretKeySigner::new(SecretKey::from_bytes(&[byte; 32]).unwrap()))
            .collect();
        (0..1_024_usize)
            .map(|number| {
                let signer = &signers[number % signers.len()];
                let message = number.to_be_bytes();
                let key = PublicKey::from_sec1(signer.public_key().as_sec1()).unwrap();
                let signature = signer.sign(&message).unwrap();
                Case {
                    digest: key.message_digest(&message),
                    signature: HintedSignature::with_hint(signature, &key),
                    key,
                }
            })
            .collect()
    })[..count]
        .to_vec()
}

/// Ways to spoil a signature, or to make it awkward.
#[derive(Clone, Copy, Debug)]
enum Kind {
    BitOfR(usize),
    BitOfS(usize),
    BitOfDigest(usize),
    OtherMessage,
    OtherKey,
    SmallR,
    SmallS,
    LargeR,
    LargeS,
    /// t = 0.
    RAndSMakeTheOrder,
    /// The x coordinate is one for which the curve has no point.
    NoPoint,
    /// r = e: the x coordinate is 0 or n.
    XIsZeroOrN,
    /// The x coordinate is below p − n, so there are two.
    TwoX,
    /// Good, with the wrong hint.
    WrongHint,
    /// Good, without a hint.
    NoHint,
    /// Bad, with the wrong hint as well.
    BadWithWrongHint,
    BadWithoutHint,
    /// Good, the key is G.
    KeyIsG,
    /// Bad, the key is −G, whose owner could not sign: 1 + d is 0.
    KeyIsMinusG,
    /// Good, and R = G.
    PointIsG,
    /// Good, and R is the key's own point.
    PointIsTheKey,
    /// Good, and R is the opposite of another's.
    Negated,
}

fn kinds() -> Vec<Kind> {
    use Kind::*;
    vec![
        BitOfR(0),
        BitOfR(130),
        BitOfR(255),
        BitOfS(0),
        BitOfS(130),
        BitOfS(255),
        BitOfDigest(0),
        BitOfDigest(255),
        OtherMessage,
        OtherKey,
        SmallR,
        SmallS,
        LargeR,
        LargeS,
        RAndSMakeTheOrder,
        NoPoint,
        XIsZeroOrN,
        TwoX,
        WrongHint,
        NoHint,
        BadWithWrongHint,
        BadWithoutHint,
        KeyIsG,
        KeyIsMinusG,
        PointIsG,
        PointIsTheKey,
        Negated,
    ]
}

fn with_parts(case: &Case, r: Option<Scalar>, s: Option<Scalar>) -> Case {
    let bytes = case.signature.signature.as_bytes();
    let r = r.unwrap_or_else(|| scalar_of(&bytes[..32]));
    let s = s.unwrap_or_else(|| scalar_of(&bytes[32..]));
    Case {
        signature: HintedSignature {
            signature: signature_of(&r, &s),
            ..case.signature
        },
        ..case.clone()
    }
}

fn spoiled(case: &Case, kind: Kind) -> Case {
    let mut case = case.clone();
    let digest = scalar_of(case.digest.as_bytes());
    let bit = |bytes: &[u8], bit: usize| {
        let mut bytes = bytes.to_vec();
        bytes[31 - bit / 8] ^= 1 << (bit % 8);
        bytes
    };
    let nonzero = |bytes: Vec<u8>| match scalar_of(&bytes) {
        zero if zero == Scalar::ZERO => Scalar::ONE,
        other => other,
    };
    let bytes = *case.signature.signature.as_bytes();
    let (r, s) = bytes.split_at(32);
    let flipped = case.signature.parity.map(|parity| !parity);
    let (key, d) = (5, secret(5));
    match kind {
        Kind::BitOfR(place) => with_parts(&case, Some(nonzero(bit(r, place))), None),
        Kind::BitOfS(place) => with_parts(&case, None, Some(nonzero(bit(s, place)))),
        Kind::BitOfDigest(place) => {
            let digest = bit(case.digest.as_bytes(), place);
            case.digest = Hash::new(digest.try_into().unwrap());
            case
        }
        Kind::OtherMessage => {
            case.digest = case.key.message_digest(b"something else");
            case
        }
        Kind::OtherKey => {
            case.key = key_of(&secret(77));
            case
        }
        Kind::SmallR => with_parts(&case, Some(Scalar::ONE), None),
        Kind::SmallS => with_parts(&case, None, Some(Scalar::ONE)),
        Kind::LargeR => with_parts(&case, Some(-Scalar::ONE), None),
        Kind::LargeS => with_parts(&case, None, Some(-Scalar::ONE)),
        Kind::RAndSMakeTheOrder => with_parts(&case, None, Some(-scalar_of(r))),
        Kind::NoPoint => with_parts(&case, Some(digest + x_without_point()), None),
        Kind::XIsZeroOrN => with_parts(&case, Some(digest), None),
        Kind::TwoX => with_parts(&case, Some(digest + Scalar::from(1_u128 << 126)), None),
        Kind::WrongHint => {
            case.signature.parity = flipped;
            case
        }
        Kind::NoHint => {
            case.signature.parity = None;
            case
        }
        Kind::BadWithWrongHint => {
            case.signature.parity = flipped;
            with_parts(&case, None, Some(scalar_of(s) + Scalar::ONE))
        }
        Kind::BadWithoutHint => {
            case.signature.parity = None;
            with_parts(&case, None, Some(scalar_of(s) + Scalar::ONE))
        }
        Kind::KeyIsG => sign_with(&Scalar::ONE, &secret(key), case.digest),
        Kind::KeyIsMinusG => {
            case.key = key_of(&-Scalar::ONE);
            case
        }
        Kind::PointIsG => sign_with(&d, &Scalar::ONE, case.digest),
        Kind::PointIsTheKey => sign_with(&d, &d, case.digest),
        Kind::Negated => {
            // With −r and −s the point is −R; the digest is chosen so that its x fits.
            let (r, s) = (scalar_of(r), scalar_of(s));
            case.digest = Hash::new(bytes_of(&(digest - r - r)));
            case.signature.parity = flipped;
            with_parts(&case, Some(-r), Some(-s))
        }
    }
}

/// An x for which x³ − 3x + b is no square.
fn x_without_point() -> Scalar {
    (1..u64::MAX)
        .map(|number| -Scalar::from(number))
        .find(|x| {
            let mut compressed = vec![2];
            compressed.extend(bytes_of(x));
            sm2::PublicKey::from_sec1_bytes(&compressed).is_err()
        })
        .unwrap()
}

#[test]
fn the_kinds_are_what_their_names_say() {
    use Kind::*;
    for case in good(30) {
        assert!(case.is_good());
        for kind in kinds() {
            let expected = matches!(
                kind,
                WrongHint | NoHint | KeyIsG | PointIsG | PointIsTheKey | Negated
            );
            assert_eq!(spoiled(&case, kind).is_good(), expected, "{kind:?}");
        }
    }
}

#[test]
fn every_kind_is_found_at_every_place_of_batches_of_every_size() {
    let kinds = kinds();
    let mut turn = 0;
    for size in 0..=70 {
        let good = good(size);
        assert_eq!(judge(&good), vec![true; size]);
        for place in 0..size {
            let kind = kinds[turn % kinds.len()];
            turn += 1;
            let mut cases = good.clone();
            cases[place] = spoiled(&good[place], kind);
            let mut expected = vec![true; size];
            expected[place] = cases[place].is_good();
            assert_eq!(judge(&cases), expected, "{kind:?} at {place} of {size}");
        }
    }
}

#[test]
fn every_kind_is_found_in_large_batches() {
    let good = good(1_024);
    assert_eq!(judge(&good), vec![true; 1_024]);
    for (turn, kind) in kinds().into_iter().enumerate() {
        let mut cases = good.clone();
        let mut expected = vec![true; 1_024];
        for place in [turn * 37, 1_023 - turn] {
            cases[place] = spoiled(&good[place], kind);
            expected[place] = cases[place].is_good();
        }
        assert_eq!(judge(&cases), expected, "{kind:?}");
    }
}

#[test]
fn a_batch_of_nothing_but_one_kind_is_judged_right() {
    for kind in kinds() {
        let cases: Vec<Case> = good(66).iter().map(|case| spoiled(case, kind)).collect();
        assert_judged_right(&cases);
    }
}

#[test]
fn more_than_one_batch_is_judged_in_order() {
    let mut cases = [good(1_024), good(1_024), good(40)].concat();
    let mut expected = vec![true; cases.len()];
    for place in [0, 1_023, 1_024, 2_047, 2_048, 2_087] {
        cases[place] = spoiled(&cases[place], Kind::BitOfS(9));
        expected[place] = false;
    }
    assert_eq!(judge(&cases), expected);
}

/// Two bad signatures whose errors are opposite: with equal coefficients they would cancel out.
#[test]
fn forgeries_that_cancel_each_other_are_caught() {
    let by = secret(99);
    let digest = |byte| Hash::new([byte; 32]);
    let mut cases = good(80);
    // s + 1 and s − 1 under one key, with the hints of the true points: the errors are G + P and
    // −(G + P).
    let one = sign_with(&by, &secret(1_234), digest(1));
    let other = sign_with(&by, &secret(5_678), digest(2));
    let shifted = |case: &Case, by: Scalar| {
        let s = scalar_of(&case.signature.signature.as_bytes()[32..]);
        with_parts(case, None, Some(s + by))
    };
    cases[3] = shifted(&one, Scalar::ONE);
    cases[50] = shifted(&other, -Scalar::ONE);
    // Three errors that cancel as well, under another sign.
    cases[60] = shifted(&one, Scalar::from(2_u64));
    cases[61] = shifted(&other, -Scalar::ONE);
    cases[62] = shifted(&one, -Scalar::ONE);
    let bad = [3, 50, 60, 61, 62];
    for seed in [[0; 32], [1; 32], [0xff; 32]] {
        let verdicts = judge_with(&cases, &seed);
        for (place, verdict) in verdicts.into_iter().enumerate() {
            assert_eq!(verdict, !bad.contains(&place), "at {place}");
        }
    }
}

/// The errors of a whole batch of forgeries sum to nothing with equal coefficients.
#[test]
fn a_batch_of_cancelling_pairs_alone_is_caught() {
    let by = secret(99);
    let cases: Vec<Case> = (0..64_u8)
        .map(|number| {
            let case = sign_with(
                &by,
                &secret(1_000 + u64::from(number)),
                Hash::new([number; 32]),
            );
            let s = scalar_of(&case.signature.signature.as_bytes()[32..]);
            let shift = if number % 2 == 0 {
                Scalar::ONE
            } else {
                -Scalar::ONE
            };
            with_parts(&case, None, Some(s + shift))
        })
        .collect();
    assert_eq!(judge(&cases), vec![false; 64]);
}

/// Points that meet in the same buckets: one and the same many times, opposite ones, G itself.
#[test]
fn equal_and_opposite_points_are_added_right() {
    let by = secret(7);
    let digest = Hash::new([9; 32]);
    let one = sign_with(&by, &secret(3), digest);
    let opposite = sign_with(&by, &-secret(3), digest);
    assert_ne!(one.signature.parity, opposite.signature.parity);
    let generator = sign_with(&by, &Scalar::ONE, digest);
    let double = sign_with(&by, &secret(2), digest);
    let by_generator = sign_with(&Scalar::ONE, &secret(3), digest);
    for count in [2, 17, 64, 200] {
        for cases in [
            vec![one.clone(); count],
            [vec![one.clone(); count], vec![opposite.clone(); count]].concat(),
            vec![[one.clone(), opposite.clone()]; count].concat(),
            vec![[generator.clone(), double.clone(), one.clone()]; count].concat(),
            vec![[by_generator.clone(), generator.clone()]; count].concat(),
        ] {
            assert_judged_right(&cases);
            let mut with_bad = cases;
            let last = with_bad.len() - 1;
            with_bad[last] = spoiled(&with_bad[last], Kind::BitOfS(3));
            with_bad[0] = spoiled(&with_bad[0], Kind::OtherMessage);
            assert_judged_right(&with_bad);
        }
    }
}

/// Many different keys, so that their multiples are computed by buckets too.
#[test]
fn batches_of_different_keys_are_judged_right() {
    let mut cases: Vec<Case> = (0..150_u8)
        .map(|number| {
            let (d, k) = (u64::from(number) + 2, u64::from(number) + 1_000);
            sign_with(&secret(d), &secret(k), Hash::new([number; 32]))
        })
        .collect();
    assert_judged_right(&cases);
    cases[77] = spoiled(&cases[77], Kind::OtherKey);
    cases[149] = spoiled(&cases[149], Kind::WrongHint);
    assert_judged_right(&cases);
    for place in (0..150).step_by(3) {
        cases[place] = spoiled(&cases[place], Kind::BitOfDigest(place));
    }
    assert_judged_right(&cases);
}

#[test]
fn keys_of_one_value_and_of_equal_values_are_the_same_key() {
    let good = good(64);
    let shared = PublicKey::from_sec1(good[0].key.as_sec1()).unwrap();
    let cases: Vec<Case> = good
        .iter()
        .map(|case| Case {
            key: if case.key == shared {
                shared.clone()
            } else {
                case.key.clone()
            },
            ..case.clone()
        })
        .collect();
    // Often enough for the key to have made itself a table.
    for _ in 0..4 {
        assert_judged_right(&cases);
    }
}

/// A valid signature whose R is the given point, which nobody needs to know the k of: the key is
/// what makes it so.
fn signature_with_point(point: sm2::AffinePoint, s: u64, t: u64) -> Case {
    let (s, t) = (secret(s), secret(t));
    let key = (ProjectivePoint::from(point) - ProjectivePoint::GENERATOR * s) * t.invert().unwrap();
    let key = key.to_affine().to_sec1_point(false);
    let r = t - s;
    Case {
        key: PublicKey::from_sec1(key.as_bytes()).unwrap(),
        digest: Hash::new(bytes_of(&(r - scalar_of(&point.x())))),
        signature: HintedSignature {
            signature: signature_of(&r, &s),
            parity: Some(bool::from(point.y_is_odd())),
        },
    }
}

/// Below p − n and above n two x coordinates are the same number modulo n, and either is right.
#[test]
fn both_x_coordinates_of_one_number_are_right() {
    let mut order = [0; 32];
    order.copy_from_slice(&bytes_of(&-Scalar::ONE));
    let mut seen = [0; 2];
    for number in 0..40_u8 {
        let mut small = [0; 32];
        small[31] = number;
        // n − 1 ends in 0x22, so there is no carry.
        let mut large = order;
        large[31] += number + 1;
        for (which, x) in [small, large].into_iter().enumerate() {
            for form in [2, 3] {
                let compressed = [&[form][..], &x].concat();
                let Ok(point) = sm2::PublicKey::from_sec1_bytes(&compressed) else {
                    continue;
                };
                seen[which] += 1;
                let case = signature_with_point(*point.as_affine(), 3, 8);
                assert!(case.is_good());
                let bad = spoiled(&case, Kind::BitOfS(0));
                let flipped = spoiled(&case, Kind::WrongHint);
                let cases = [good(30), vec![case, bad, flipped], good(30)].concat();
                assert_judged_right(&cases);
            }
        }
    }
    assert!(seen.iter().all(|count| *count > 10), "{seen:?}");
}

/// GB/T 32918.5-2017, appendix A.2.
#[test]
fn the_example_of_the_standard_verifies_in_a_batch() {
    let bytes = |text: &str| hex::decode(text).unwrap();
    let key = PublicKey::from_hex(
        "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020\
         ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13",
    )
    .unwrap();
    let signature = bytes(
        "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3\
         b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa",
    );
    let signature = Signature::from_bytes(&signature.try_into().unwrap()).unwrap();
    let example = Case {
        digest: key.message_digest(b"message digest"),
        signature: HintedSignature::with_hint(signature, &key),
        key,
    };
    assert!(example.is_good());
    for size in [1, 2, 40, 100] {
        let mut cases = good(size);
        cases[size / 2] = example.clone();
        assert_eq!(judge(&cases), vec![true; size]);
        cases[size / 2].digest = cases[size / 2].key.message_digest(b"message digests");
        assert_judged_right(&cases);
    }
}

fn any_kind() -> impl Strategy<Value = Option<Kind>> {
    let kinds = kinds();
    prop_oneof![
        3 => Just(None),
        1 => (0..kinds.len()).prop_map(move |index| Some(kinds[index])),
        1 => (0..256_usize).prop_map(|bit| Some(Kind::BitOfR(bit))),
        1 => (0..256_usize).prop_map(|bit| Some(Kind::BitOfS(bit))),
        1 => (0..256_usize).prop_map(|bit| Some(Kind::BitOfDigest(bit))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_mixture_is_judged_as_by_the_crate(
        kinds in proptest::collection::vec(any_kind(), 0..70),
        seed in any::<[u8; 32]>(),
    ) {
        let cases: Vec<Case> = good(kinds.len())
            .iter()
            .zip(&kinds)
            .map(|(case, kind)| kind.map_or_else(|| case.clone(), |kind| spoiled(case, kind)))
            .collect();
        let expected: Vec<bool> = cases.iter().map(Case::is_good).collect();
        prop_assert_eq!(judge_with(&cases, &seed), expected.clone());
        // And the single path, whose keys have tables or not.
        for (case, good) in cases.iter().zip(expected) {
            prop_assert_eq!(case.key.verify_digest(&case.digest, &case.signature.signature), good);
        }
    }

    #[test]
    fn any_numbers_are_judged_as_by_the_crate(
        numbers in proptest::collection::vec(
            (any::<[u8; 32]>(), any::<[u8; 64]>(), 1..9_u64, any::<bool>()),
            0..40,
        ),
    ) {
        let cases: Vec<Case> = numbers
            .iter()
            .filter_map(|(digest, signature, key, odd)| Some(Case {
                key: key_of(&secret(*key)),
                digest: Hash::new(*digest),
                signature: HintedSignature {
                    signature: Signature::from_bytes(signature).ok()?,
                    parity: Some(*odd),
                },
            }))
            .collect();
        assert_judged_right(&cases);
    }

    /// Whatever the chosen k and secret, the signer's hint is the right one.
    #[test]
    fn hints_are_the_parity_of_the_point(d in 1..u64::MAX, k in 1..u64::MAX, digest in any::<[u8; 32]>()) {
        let case = sign_with(&secret(d), &secret(k), Hash::new(digest));
        prop_assert!(case.is_good());
        prop_assert_eq!(case.signature.signature.parity_hint(&case.key), case.signature.parity);
        prop_assert_eq!(judge(&vec![case; 40]), vec![true; 40]);
    }
}

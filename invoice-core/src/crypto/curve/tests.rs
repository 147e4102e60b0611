//! Everything of this module against the `sm2` crate, with the numbers at which carries happen.

use proptest::prelude::*;
use sm2::elliptic_curve::Group as _;
use sm2::elliptic_curve::ff::{Field, PrimeField};
use sm2::elliptic_curve::hazmat::FieldArithmetic;
use sm2::elliptic_curve::ops::Reduce;
use sm2::elliptic_curve::sec1::ToSec1Point;
use sm2::{ProjectivePoint, Sm2};

use super::buckets::tests::add_with_width;
use super::field::{Fe, Limbs, P, bytes_from_limbs, invert_all, limbs_from_bytes, sub_limbs};
use super::point::{Affine, Jacobian, Scratch, add_pairs};
use super::scalar::{Scalar, WideSum, signed_digits};
use super::table::{Table, generator};
use super::{Chain, add_by_buckets};

type Theirs = <Sm2 as FieldArithmetic>::FieldElement;

const N: Limbs = [
    0x53bb_f409_39d5_4123,
    0x7203_df6b_21c6_052b,
    0xffff_ffff_ffff_ffff,
    0xffff_fffe_ffff_ffff,
];

/// Words at which carries begin, pass through and end.
fn word() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        Just(1),
        Just(2),
        Just(u64::MAX),
        Just(u64::MAX - 1),
        Just(1 << 63),
        Just(0xffff_ffff),
        Just(0xffff_ffff_0000_0000),
        Just(0xffff_fffe_ffff_ffff),
        Just(0xffff_ffff_0000_0001),
        any::<u64>(),
        any::<u64>(),
    ]
}

fn near(base: Limbs) -> impl Strategy<Value = Limbs> {
    (0..4_u64, any::<bool>()).prop_map(move |(by, up)| {
        let mut limbs = base;
        limbs[0] = if up {
            limbs[0].wrapping_add(by)
        } else {
            limbs[0].wrapping_sub(by)
        };
        limbs
    })
}

/// Any four words, reduced or not.
fn limbs() -> impl Strategy<Value = Limbs> {
    prop_oneof![
        4 => [word(), word(), word(), word()],
        1 => near(P),
        1 => near(N),
        1 => Just([0; 4]),
        1 => Just([u64::MAX; 4]),
    ]
}

fn reduced(limbs: Limbs) -> Theirs {
    let read = |limbs| Theirs::from_repr(bytes_from_limbs(&limbs).into());
    let (less, _) = sub_limbs(&limbs, &P);
    Option::from(read(limbs))
        .or_else(|| Option::from(read(less)))
        .unwrap()
}

/// What a number in Montgomery form stands for, by the crate's arithmetic alone.
fn theirs(ours: &Fe) -> Theirs {
    let shift = Field::pow_vartime(&Theirs::from(2_u64), [256]);
    reduced(ours.montgomery_form()) * shift.invert().unwrap()
}

fn number(montgomery_form: Limbs) -> Fe {
    Fe::from_montgomery_form(montgomery_form, false)
}

fn scalar(limbs: &Limbs) -> sm2::Scalar {
    let bytes = sm2::FieldBytes::from(bytes_from_limbs(limbs));
    <sm2::Scalar as Reduce<sm2::FieldBytes>>::reduce(&bytes)
}

fn our_scalar(limbs: &Limbs) -> Scalar {
    Scalar::from_bytes(&bytes_from_limbs(limbs))
}

fn multiple(number: u64) -> ProjectivePoint {
    ProjectivePoint::GENERATOR * sm2::Scalar::from(number)
}

fn ours(point: &ProjectivePoint) -> Affine {
    let encoded = point.to_affine().to_sec1_point(false);
    match (encoded.x(), encoded.y()) {
        (Some(x), Some(y)) => {
            let (x, y): ([u8; 32], [u8; 32]) = ((*x).into(), (*y).into());
            Affine::from_coordinates(&x, &y).unwrap()
        }
        _ => Affine::IDENTITY,
    }
}

fn assert_same(sum: &Jacobian, expected: &ProjectivePoint) {
    let [affine] = Jacobian::to_affine(&[*sum])[..] else {
        panic!("one point for one point");
    };
    assert_eq!(affine, ours(expected));
    assert_eq!(sum.is_identity(), affine.is_identity());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn the_field_is_that_of_the_crate(a in limbs(), b in limbs()) {
        let (a, b) = (number(a), number(b));
        let (c, d) = (theirs(&a), theirs(&b));
        prop_assert_eq!(theirs(&a.times(&b)), c * d);
        prop_assert_eq!(theirs(&a.square()), c.square());
        prop_assert_eq!(theirs(&a.plus(&b)), c + d);
        prop_assert_eq!(theirs(&a.minus(&b)), c - d);
        prop_assert_eq!(theirs(&a.double()), c.double());
        prop_assert_eq!(theirs(&a.negate()), -c);
        prop_assert_eq!(a == b, c == d);
        prop_assert_eq!(a.is_zero(), bool::from(c.is_zero()));
        prop_assert_eq!(a.is_odd(), bool::from(c.is_odd()));
        prop_assert_eq!(bytes_from_limbs(&a.to_limbs()), <[u8; 32]>::from(c.to_repr()));
    }

    #[test]
    fn bytes_are_read_as_by_the_crate(a in limbs()) {
        let bytes = bytes_from_limbs(&a);
        let read = Option::<Theirs>::from(Theirs::from_repr(bytes.into()));
        prop_assert_eq!(Fe::from_bytes(&bytes).map(|read| theirs(&read)), read);
        prop_assert_eq!(limbs_from_bytes(&bytes), a);
        let scalar = Option::<sm2::Scalar>::from(sm2::Scalar::from_repr(bytes.into()));
        prop_assert_eq!(
            Scalar::is_in_range(&bytes),
            scalar.is_some_and(|scalar| !bool::from(scalar.is_zero()))
        );
    }

    #[test]
    fn scalars_are_those_of_the_crate(a in limbs(), b in limbs(), z in any::<u128>()) {
        let to_bytes = |scalar: sm2::Scalar| <[u8; 32]>::from(scalar.to_repr());
        let (c, d) = (scalar(&a), scalar(&b));
        let (a, b) = (our_scalar(&a), our_scalar(&b));
        let bytes = |scalar: Scalar| bytes_from_limbs(scalar.limbs());
        prop_assert_eq!(bytes(a), to_bytes(c));
        prop_assert_eq!(bytes(a.plus(&b)), to_bytes(c + d));
        prop_assert_eq!(bytes(a.minus(&b)), to_bytes(c - d));
        prop_assert_eq!(bytes(a.negate()), to_bytes(-c));
        prop_assert_eq!(a.is_zero(), bool::from(c.is_zero()));
        let mut sum = WideSum::default();
        for factor in [z, u128::MAX, 1, u128::MAX] {
            sum.add_product(factor, &a);
            sum.add_product(factor, &b);
        }
        let factors = sm2::Scalar::from(z) + sm2::Scalar::from(u128::MAX).double() + sm2::Scalar::ONE;
        prop_assert_eq!(bytes(sum.reduced()), to_bytes((c + d) * factors));
        let (low, high) = a.halves();
        let shift = sm2::Scalar::from(u128::MAX) + sm2::Scalar::ONE;
        prop_assert_eq!(sm2::Scalar::from(low) + sm2::Scalar::from(high) * shift, c);
    }

    #[test]
    fn digits_spell_the_number(number in limbs(), width in 2..12_u32) {
        let mut sum = sm2::Scalar::ZERO;
        let mut next = 0;
        signed_digits(number, width, |place, digit| {
            assert!(place <= 256 && place >= next, "digits are apart");
            assert!(digit % 2 != 0 && digit.unsigned_abs() < 1 << (width - 1));
            next = place + width as usize;
            let power = Field::pow_vartime(&sm2::Scalar::from(2_u64), [place as u64]);
            let size = power * sm2::Scalar::from(u64::from(digit.unsigned_abs()));
            sum += if digit < 0 { -size } else { size };
        });
        prop_assert_eq!(sum, scalar(&number));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn inverses_and_roots_are_those_of_the_crate(a in limbs()) {
        let a = number(a);
        let c = theirs(&a);
        let inverse = Option::<Theirs>::from(c.invert()).unwrap_or(Theirs::ZERO);
        prop_assert_eq!(theirs(&a.invert()), inverse);
        let mut many = [Fe::ZERO, a, Fe::ONE, a.square(), Fe::ZERO, a];
        let expected = many.map(|number| number.invert());
        invert_all(&mut many, &mut Vec::new());
        prop_assert_eq!(many, expected);
        let root = Option::<Theirs>::from(c.sqrt());
        let ours = a.root_candidate();
        prop_assert_eq!(ours.square() == a, root.is_some());
        if let Some(root) = root {
            prop_assert!(theirs(&ours) == root || theirs(&ours) == -root);
        }
    }

    /// Whichever way the machine takes them.
    #[test]
    fn many_roots_are_the_roots_of_each(all in proptest::collection::vec(limbs(), 0..40)) {
        let mut numbers: Vec<Fe> = all.into_iter().map(number).collect();
        let expected: Vec<Fe> = numbers.iter().map(Fe::root_candidate).collect();
        Fe::root_candidates(&mut numbers);
        prop_assert_eq!(numbers, expected);
    }

    #[test]
    fn multiples_are_those_of_the_crate(a in limbs(), b in limbs(), key in 1..1_000_u64) {
        let key = multiple(key);
        let expected = ProjectivePoint::GENERATOR * scalar(&a) + key * scalar(&b);
        let (a, b) = (our_scalar(&a), our_scalar(&b));
        let mut once = Chain::new();
        generator().add_multiple(&a, &mut once);
        once.add_multiple(&b, &ours(&key));
        assert_same(&once.sum(), &expected);
        let mut often = Chain::new();
        Table::new(&Affine::GENERATOR).add_multiple(&a, &mut often);
        Table::new(&ours(&key)).add_multiple(&b, &mut often);
        assert_same(&often.sum(), &expected);
    }

    #[test]
    fn x_and_parity_give_the_point(number in 1..u64::MAX) {
        let point = ours(&multiple(number));
        for odd in [false, true] {
            let found = Affine::from_x(&[(point.x, odd)])[0].unwrap();
            prop_assert_eq!(found.y.is_odd(), odd);
            prop_assert!(found == point || found == point.negate());
        }
    }

    /// Few different points, so that buckets hold the same one twice, opposite ones, and sums
    /// that vanish on the way.
    #[test]
    fn buckets_add_up(
        terms in proptest::collection::vec(
            (-3..4_i64, prop_oneof![0..20_u128, Just(u128::MAX), Just(1 << 127), any::<u128>()]),
            0..80,
        ),
        width in 3..12_usize,
    ) {
        let point = |number: i64| {
            let point = multiple(number.unsigned_abs());
            if number < 0 { -point } else { point }
        };
        let expected: ProjectivePoint = terms
            .iter()
            .map(|(number, factor)| point(*number) * sm2::Scalar::from(*factor))
            .sum();
        let terms: Vec<_> = terms
            .iter()
            .map(|(number, factor)| (ours(&point(*number)), *factor))
            .collect();
        let mut sum = Chain::new();
        add_with_width(&terms, &mut sum, width);
        assert_same(&sum.sum(), &expected);
        let mut upper = Chain::new();
        add_by_buckets(&terms, 128, &mut upper);
        let shift = sm2::Scalar::from(u128::MAX) + sm2::Scalar::ONE;
        assert_same(&upper.sum(), &(expected * shift));
    }
}

/// Every sum of two of 0, ±1, ±2 … times G, by each of the three additions.
#[test]
fn all_additions_know_all_cases() {
    let points: Vec<ProjectivePoint> = (0..5).map(multiple).flat_map(|p| [p, -p]).collect();
    for a in &points {
        let a_squeezed = Jacobian::from(ours(a)).double().plus(&ours(a).negate());
        for b in &points {
            let expected = ours(&(*a + *b));
            for form in [Jacobian::from(ours(a)), a_squeezed] {
                assert_same(&form.plus(&ours(b)), &(*a + *b));
            }
            let mut pair = [ours(a), ours(b), ours(b)];
            add_pairs(&mut pair, &[(0, 1)], &mut Scratch::default());
            assert_eq!(pair[0], expected);
        }
        assert_same(&Jacobian::from(ours(a)).double(), &a.double());
    }
}

#[test]
fn only_points_of_the_curve_have_coordinates() {
    let bytes = |limbs: Limbs| bytes_from_limbs(&limbs);
    let zero = [0; 32];
    assert!(Affine::from_coordinates(&zero, &zero).is_none());
    let point = ours(&multiple(3));
    let (x, y) = (bytes(point.x.to_limbs()), bytes(point.y.to_limbs()));
    assert_eq!(Affine::from_coordinates(&x, &y), Some(point));
    assert!(Affine::from_coordinates(&y, &x).is_none());
    assert!(Affine::from_coordinates(&bytes(P), &y).is_none());
    // The same number modulo p, spelled with p added: x = 0 has no second spelling otherwise.
    let [root] = Affine::from_x(&[(Fe::ZERO, false)])[..] else {
        panic!("one answer for one x");
    };
    if let Some(y) = root.map(|point| bytes(point.y.to_limbs())) {
        assert!(Affine::from_coordinates(&zero, &y).is_some());
        assert!(Affine::from_coordinates(&bytes(P), &y).is_none());
    }
}

#[test]
fn an_x_below_p_minus_n_stands_for_two() {
    let with = |words: Limbs| our_scalar(&words).to_x();
    let (x, second) = with([5, 0, 0, 0]);
    assert_eq!(x.to_limbs(), [5, 0, 0, 0]);
    assert_eq!(second.map(Fe::to_limbs), Some([N[0] + 5, N[1], N[2], N[3]]));
    // p − n − 1 and p − n.
    let last = [0xac44_0bf6_c62a_bedb, 0x8dfc_2093_de39_fad5, 0, 0];
    assert_eq!(
        with(last).1.map(Fe::to_limbs),
        Some([P[0] - 1, P[1], P[2], P[3]])
    );
    assert_eq!(with([last[0] + 1, last[1], 0, 0]).1, None);
    assert_eq!(with([N[0] - 1, N[1], N[2], N[3]]).1, None);
}

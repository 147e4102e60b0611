//! Who proposes when: a rotation in which everyone's share is its weight.

/// Most steps of a rotation, after which it repeats.
///
/// Weights whose sum, divided by their greatest common divisor, is larger are rounded to shares of
/// it, at least one step each.
pub const ROTATION_STEPS_MAX: u64 = 4_096;

/// The places of the validators in the order in which they propose, each as often as its weight
/// says and spread evenly.
///
/// This is the smooth weighted round-robin: at each step everyone gains its weight, the first of
/// those with the most proposes and loses the sum of all. Equal weights give 0, 1, 2, …
pub(crate) fn rotation(weights: &[u64]) -> Vec<usize> {
    let shares = shares(weights);
    let steps: i64 = shares
        .iter()
        .fold(0, |sum, share| sum.saturating_add(*share));
    let mut gained = vec![0_i64; shares.len()];
    let mut order = Vec::new();
    for _ in 0..steps {
        for (sum, share) in gained.iter_mut().zip(&shares) {
            *sum = sum.saturating_add(*share);
        }
        let Some(most) = gained.iter().copied().max() else {
            break;
        };
        if let Some((place, sum)) = gained.iter_mut().enumerate().find(|(_, sum)| **sum == most) {
            *sum = sum.saturating_sub(steps);
            order.push(place);
        }
    }
    order
}

/// The weights in lowest terms, or rounded when that is more than [`ROTATION_STEPS_MAX`].
fn shares(weights: &[u64]) -> Vec<i64> {
    let divisor = weights
        .iter()
        .copied()
        .fold(0, greatest_common_divisor)
        .max(1);
    let reduced = |weight: &u64| u128::from(weight.checked_div(divisor).unwrap_or_default());
    let total = weights
        .iter()
        .fold(0_u128, |sum, weight| sum.saturating_add(reduced(weight)))
        .max(1);
    let most = u128::from(ROTATION_STEPS_MAX);
    let share = |weight: &u64| {
        let exact = reduced(weight);
        let share = if total <= most {
            exact
        } else {
            let scaled = exact.saturating_mul(most).checked_div(total);
            scaled.unwrap_or_default().max(1)
        };
        i64::try_from(share).unwrap_or(i64::MAX)
    };
    weights.iter().map(share).collect()
}

fn greatest_common_divisor(left: u64, right: u64) -> u64 {
    let (mut left, mut right) = (left, right);
    while let Some(rest) = left.checked_rem(right) {
        (left, right) = (right, rest);
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_weights_take_turns() {
        assert_eq!(rotation(&[7; 4]), [0, 1, 2, 3]);
        assert_eq!(rotation(&[u64::MAX / 3]), [0]);
    }

    #[test]
    fn everyone_proposes_as_often_as_its_weight_says() {
        assert_eq!(rotation(&[5, 1, 1]), [0, 0, 1, 0, 2, 0, 0]);
        assert_eq!(rotation(&[4, 2, 2, 2]), [0, 1, 2, 3, 0]);
        for weights in [&[3_u64, 2, 2, 1][..], &[10, 1, 1, 1, 7], &[1, 2, 3, 4]] {
            let order = rotation(weights);
            for (place, weight) in weights.iter().enumerate() {
                let turns = order.iter().filter(|turn| **turn == place).count();
                assert_eq!(turns as u64, *weight, "{weights:?}");
            }
        }
    }

    #[test]
    fn large_weights_are_rounded_and_nobody_is_left_out() {
        let order = rotation(&[u64::MAX / 4, 1, 1, u64::MAX / 8 + 1]);
        assert!(order.len() as u64 <= ROTATION_STEPS_MAX + 4);
        for place in 0..4 {
            assert!(order.contains(&place));
        }
        let first = order.iter().filter(|turn| **turn == 0).count();
        assert!((2_700..=2_760).contains(&first), "{first}");
    }
}

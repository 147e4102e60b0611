//! When a message that was not taken is sent again.

/// Waits after the first, second, … failure, in seconds; the last one repeats.
const WAITS: [i64; 6] = [5, 300, 1_800, 7_200, 18_000, 36_000];
/// The longest `Retry-After` that is honoured, in milliseconds: ten hours, as the longest wait of
/// our own.
pub const RETRY_AFTER_MAX_MS: i64 = 36_000 * 1_000;
/// However often a member asks for an attempt, it is not made sooner than so many milliseconds after
/// the one before: nobody makes the node hammer a third party.
pub const HURRY_MS: i64 = 5_000;
/// An endpoint that took nothing for so long is disabled, in milliseconds (five days).
pub const FAILING_MAX_MS: i64 = 5 * 24 * 3_600 * 1_000;

/// Milliseconds to wait after so many failures in a row (at least 1).
///
/// `chance` is any random number: up to a tenth is added, so that many receivers that failed
/// together are not tried together. `retry_after_ms` is what the receiver asked for; it makes the
/// wait longer, never shorter.
#[must_use]
pub fn retry_wait_ms(failures: u32, chance: u16, retry_after_ms: Option<i64>) -> i64 {
    let place = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
    let last = WAITS.len().saturating_sub(1);
    let wait = WAITS.get(place.min(last)).copied().unwrap_or(5) * 1_000;
    let jitter = wait / 10 * i64::from(chance) / i64::from(u16::MAX);
    let asked = retry_after_ms.unwrap_or(0).clamp(0, RETRY_AFTER_MAX_MS);
    (wait + jitter).max(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_ten_hours_and_take_the_receivers_wish_within_bounds() {
        for (failures, chance, retry_after_ms, wait) in [
            (0, 0, None, 5_000),
            (1, 0, None, 5_000),
            (1, u16::MAX, None, 5_500),
            (2, 0, None, 300_000),
            (3, 0, None, 1_800_000),
            (4, 0, None, 7_200_000),
            (5, 0, None, 18_000_000),
            (6, 0, None, 36_000_000),
            (7, 0, None, 36_000_000),
            (u32::MAX, u16::MAX, None, 39_600_000),
            (1, 0, Some(60_000), 60_000),
            (1, 0, Some(1), 5_000),
            (1, 0, Some(-1), 5_000),
            (1, 0, Some(i64::MAX), 36_000_000),
        ] {
            let found = retry_wait_ms(failures, chance, retry_after_ms);
            assert_eq!(found, wait, "{failures} {chance} {retry_after_ms:?}");
        }
    }

    #[test]
    fn five_days_are_enough_for_every_wait_once() {
        let all: i64 = WAITS.iter().sum();
        assert!(all * 1_000 < FAILING_MAX_MS / 2);
    }
}

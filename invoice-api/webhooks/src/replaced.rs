//! Secrets that were replaced and still sign.

use serde::{Deserialize, Deserializer, Serialize};

use crate::secret::{OVERLAP_MS, Secret};

/// Replaced secrets that sign beside the present one at most.
pub const OLD_SECRETS_MAX: usize = 4;

/// The secrets before the present one, each for as long as it still signs; the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Replaced(Vec<OldSecret>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OldSecret {
    secret: Secret,
    until_ms: i64,
}

impl Replaced {
    /// Those that sign at an instant.
    pub(crate) fn valid(&self, now_ms: i64) -> impl Iterator<Item = &Secret> {
        let valid = self.0.iter().filter(move |old| now_ms < old.until_ms);
        valid.map(|old| &old.secret)
    }

    /// Until when the newest one signs, if it still does.
    pub(crate) fn until_ms(&self, now_ms: i64) -> Option<i64> {
        let newest = self.0.first()?;
        (now_ms < newest.until_ms).then_some(newest.until_ms)
    }

    /// Adds the secret that is being replaced. Of too many the oldest one stays, which is the one
    /// that a receiver has whose owner never saw the answers with the others.
    pub(crate) fn add(&mut self, secret: Secret, now_ms: i64) {
        let until_ms = now_ms.saturating_add(OVERLAP_MS);
        self.0.retain(|old| now_ms < old.until_ms);
        self.0.insert(0, OldSecret { secret, until_ms });
        if self.0.len() > OLD_SECRETS_MAX {
            self.0.remove(OLD_SECRETS_MAX.saturating_sub(1));
        }
    }
}

/// The first layout of the file had one such secret, or `null`.
impl<'de> Deserialize<'de> for Replaced {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Kept {
            Several(Vec<OldSecret>),
            One(Option<OldSecret>),
        }
        Ok(Self(match Kept::deserialize(deserializer)? {
            Kept::Several(several) => several,
            Kept::One(one) => one.into_iter().collect(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(number: u8) -> Secret {
        Secret::new([number; 32])
    }

    #[test]
    fn of_too_many_the_oldest_that_still_signs_stays() {
        let mut replaced = Replaced::default();
        for number in 1..=9 {
            replaced.add(secret(number), i64::from(number));
        }
        let valid = |now_ms| -> Vec<Secret> { replaced.valid(now_ms).cloned().collect() };
        assert_eq!(valid(9), [9, 8, 7, 1].map(secret));
        assert_eq!(replaced.until_ms(9), Some(9 + OVERLAP_MS));
        // Each ends by itself.
        assert_eq!(valid(1 + OVERLAP_MS), [9, 8, 7].map(secret));
        assert_eq!(valid(9 + OVERLAP_MS), []);
        replaced.add(secret(10), 1 + OVERLAP_MS);
        let valid: Vec<_> = replaced.valid(1 + OVERLAP_MS).cloned().collect();
        assert_eq!(valid, [10, 9, 8, 7].map(secret));
    }

    #[test]
    fn what_earlier_versions_kept_is_read() {
        let one = format!(r#"{{"secret":"{}","until_ms":7}}"#, secret(1).reveal());
        for (text, count) in [
            ("null".to_owned(), 0),
            ("[]".to_owned(), 0),
            (one.clone(), 1),
            (format!("[{one},{one}]"), 2),
        ] {
            let read: Replaced = serde_json::from_str(&text).unwrap();
            assert_eq!(read.valid(6).count(), count, "{text}");
        }
        assert!(serde_json::from_str::<Replaced>("7").is_err());
    }
}

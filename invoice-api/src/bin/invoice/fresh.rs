//! What the command takes from the clock and from randomness.

use chrono::Utc;
use invoice_core::calendar::{Date, Instant};

use crate::failure::Failure;

/// The time now.
pub(crate) fn now() -> Instant {
    Instant::from_ms(Utc::now().timestamp_millis())
}

/// Today in China.
pub(crate) fn today() -> Date {
    now().date_utc8()
}

/// A new record id: a UUID of version 7 (RFC 9562 §5.7), which sorts by time.
pub(crate) fn record_id() -> Result<String, Failure> {
    let mut random = [0; 10];
    getrandom::fill(&mut random)
        .map_err(|error| Failure::usage("randomness", error.to_string()))?;
    Ok(uuid_v7(now().ms(), random))
}

fn uuid_v7(ms: i64, random: [u8; 10]) -> String {
    let time = hex::encode(ms.to_be_bytes());
    let time: String = time.chars().skip(4).collect();
    let mut random = random;
    let [version, _, variant, ..] = &mut random;
    *version = 0x70 | (*version & 0x0f);
    *variant = 0x80 | (*variant & 0x3f);
    let digits = format!("{time}{}", hex::encode(random));
    let mut id = String::with_capacity(36);
    for (position, digit) in digits.chars().enumerate() {
        if matches!(position, 8 | 12 | 16 | 20) {
            id.push('-');
        }
        id.push(digit);
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 9562, appendix A.6.
    #[test]
    fn ids_are_uuids_of_version_7() {
        let random = [0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f];
        assert_eq!(
            uuid_v7(0x017f_22e2_79b0, random),
            "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
        );
    }

    #[test]
    fn ids_do_not_repeat() {
        assert_ne!(record_id().unwrap(), record_id().unwrap());
    }
}

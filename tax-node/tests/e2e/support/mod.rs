//! What every test of the whole needs: a running node, its members, and requests to it.

pub(crate) mod http;
pub(crate) mod process;
pub(crate) mod receiver;
pub(crate) mod records;
pub(crate) mod verdict;

pub(crate) use http::{Answer, Http};
pub(crate) use process::{Demo, Member, tax_node};
pub(crate) use records::Document;

use invoice_core::calendar::{Date, Instant};

/// The clock of the machine, as the node under test reads it.
pub(crate) fn now() -> Instant {
    let elapsed = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    Instant::from_ms(i64::try_from(elapsed.as_millis()).unwrap())
}

/// Today in UTC+8.
pub(crate) fn today() -> Date {
    now().date_utc8()
}

/// A time so many hours from now, as records spell it.
pub(crate) fn in_hours(hours: i64) -> String {
    now()
        .checked_add_ms(hours * 3_600_000)
        .unwrap()
        .to_rfc3339_utc8()
}

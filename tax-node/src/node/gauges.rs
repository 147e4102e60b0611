//! Figures of the node for monitoring.

use invoice_api::registry::Gauge;

/// A figure; values beyond the range of `i64` are shown as its maximum.
pub(super) fn gauge(name: &'static str, help: &'static str, value: u64) -> Gauge {
    Gauge {
        name,
        help,
        value: i64::try_from(value).unwrap_or(i64::MAX),
    }
}

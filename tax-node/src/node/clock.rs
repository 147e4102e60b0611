//! The only place where the node asks what time it is.

use std::sync::Arc;

use invoice_core::calendar::Instant;

/// Tells the time; an argument, so that tests choose it.
pub type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;

/// The machine's clock.
#[must_use]
pub fn system_clock() -> Clock {
    Arc::new(|| Instant::from_ms(chrono::Utc::now().timestamp_millis()))
}

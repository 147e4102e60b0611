//! What performance is measured with: documents as varied as real ones, a chain to put them on,
//! and a driver that loads a node over its socket.
//!
//! Everything here is drawn from a seed, so that two runs, and two versions, get the same input.

pub mod cast;
pub mod documents;
pub mod hot;
pub mod input;
pub mod ledger;
pub mod load;
pub mod peers;
pub mod trial;

use invoice_core::read::Spelled;

/// Whatever went wrong, as text: a measurement can only stop.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A value from a text that this package wrote itself.
///
/// # Panics
/// The text is badly spelt, which is a fault of the generator.
#[must_use]
pub fn spelled<T: Spelled>(text: &str) -> T {
    match T::spelled(text) {
        Ok(value) => value,
        Err(rule) => panic!("the generator wrote {text:?}: {rule:?}"),
    }
}

//! The readers of what strangers send, each by itself: the addresses use no others.
//!
//! For programs that want to judge an input without sending it, and for tests.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;

use super::checks::items;
use super::lines::{Line, Lines};
use super::query::Query;
use crate::problem::Problem;
use crate::registry::CheckItem;
pub use crate::server::authorization::Authorization;

/// Reads the body of a check (`POST /v1/checks`).
///
/// # Errors
/// The codes of everything that is wrong with it.
pub fn check_items(body: &[u8]) -> Result<Vec<CheckItem>, Vec<String>> {
    items::read(body)
        .and_then(items::Items::into_items)
        .map_err(|problem| codes(&problem))
}

/// Reads the query of an address that knows only these parameters: names and values in order.
///
/// # Errors
/// The code of the refusal.
pub fn query(text: &str, known: &[&str]) -> Result<Vec<(String, String)>, Vec<String>> {
    Query::of(text, known)
        .map(Query::into_pairs)
        .map_err(|problem| codes(&problem))
}

/// Cuts a body that came in chunks into lines (`POST /v1/records:bulk`), without their line ends;
/// `None` stands for a line of more than `line_bytes_max` bytes. Needs a runtime with a timer.
pub async fn lines(chunks: Vec<Bytes>, line_bytes_max: usize) -> Vec<Option<Bytes>> {
    let chunks = stream::iter(chunks.into_iter().map(Ok::<_, Infallible>));
    let mut lines = Lines::new(chunks, line_bytes_max, Duration::from_secs(1));
    let mut all = Vec::new();
    // A stream that is there as a whole neither breaks nor falls silent.
    while let Ok(Some(line)) = lines.next().await {
        all.push(match line {
            Line::Whole(bytes) => Some(bytes),
            Line::TooLong => None,
        });
    }
    all
}

fn codes(problem: &Problem) -> Vec<String> {
    let errors = problem.errors().iter().map(|error| error.code.to_owned());
    std::iter::once(problem.code().to_owned())
        .chain(errors)
        .collect()
}

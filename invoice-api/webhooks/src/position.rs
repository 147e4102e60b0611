//! How far an endpoint was told, and whether it goes on.

use serde::{Deserialize, Serialize};

use crate::message::EventPlace;
use crate::reason::{Disabled, Reason};

/// How far an endpoint was told: every event up to it was taken, or was none that it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    /// All of the chain up to this height.
    pub height: u64,
    /// Beyond it, in a block that is not done, up to this event.
    pub within: Option<EventPlace>,
}

impl Cursor {
    /// Whether an event was passed.
    #[must_use]
    pub fn has_passed(&self, place: EventPlace) -> bool {
        place.height <= self.height || self.within.is_some_and(|within| place <= within)
    }

    /// The chain ends at this height: what the cursor has beyond it was on a chain that was lost,
    /// and other events may come there. Whether that made it another cursor.
    pub fn end_at(&mut self, head: u64) -> bool {
        let before = *self;
        self.height = self.height.min(head);
        self.within = self.within.filter(|within| within.height <= head);
        *self != before
    }
}

/// Whether an endpoint is told anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum State {
    /// It is.
    Active,
    /// It is not, until its member enables it again. Its cursor stays.
    Disabled {
        /// Why.
        reason: Disabled,
        /// Since when, in milliseconds since 1970.
        at_ms: i64,
    },
}

/// A message that the endpoint does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failing {
    /// When the first of the failures in a row was, in milliseconds since 1970.
    pub since_ms: i64,
    /// How many there were.
    pub failures: u32,
    /// When it is tried again.
    pub next_ms: i64,
    /// Why it failed last.
    pub reason: Reason,
}

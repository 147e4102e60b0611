//! Refusals: every answer that is not "yes", as values with stable codes.

mod rule;
mod shape;

pub use rule::{Details, Rule, Violation};
pub use shape::{ShapeCode, ShapeError};

//! Refusals: every answer that is not "yes", as values with stable codes.
//!
//! The modules stand in the contract's order of checks: shape (400), authentication (401), rights
//! (403), rules of a record's own values (422), rules of recorded state (409). Only the last kind
//! is recorded on the chain.

mod authentication;
pub mod catalogue;
mod catalogue_page;
mod forbidden;
mod rejection;
mod rule;
mod rule_texts;
mod shape;
mod shape_texts;

pub use authentication::AuthenticationError;
pub use catalogue::{Explanation, Language};
pub use forbidden::Forbidden;
pub use rejection::Rejection;
pub use rule::{Details, Rule, Violation};
pub use shape::{ShapeCode, ShapeError};

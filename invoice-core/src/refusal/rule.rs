//! Rules of a record's own values (422).
/// (owned by the records slice)
pub enum Rule {}
/// A rule that one member of a record breaks.
pub struct Violation;

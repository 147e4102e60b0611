//! Shape of a request (400).
/// (owned by the records slice)
pub enum ShapeCode {}
/// One place where a request has not the contract's shape.
pub struct ShapeError;

//! x
use crate::source::Layout;
/// x
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("x")]
pub struct OfdError;
impl Layout {
    /// x
    pub fn ofd(&self) -> Result<Vec<u8>, OfdError> {
        let _ = (&self.facts, &self.original);
        Err(OfdError)
    }
}

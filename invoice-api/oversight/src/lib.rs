//! The supervisor's figures: what happened on the chain, counted.
//!
//! [`fold()`](fold::fold) takes final blocks one after another and changes *rows*, sorted byte
//! keys with byte values: counts by hour, region and kind, lists of records, who tried to claim
//! what another holds, live locks, merchants and members. [`Figures`] reads the rows back, a page
//! at a time. Nothing here knows where rows are kept ([`Rows`]), what time it is, or HTTP.
//!
//! The rows after a block are a function of the blocks up to it alone. However the blocks were
//! cut into batches, the bytes are the same, so whoever stops after any block goes on from there.
//!
//! Signals about merchants are figures with their reasons, never a verdict.

mod codec;
pub mod fold;
mod keys;
mod list;
pub mod read;
mod region;
mod row;
mod rows;
pub mod signals;
mod views;

pub use fold::{FoldError, SeenBlock, SeenRecord};
pub use keys::{FOLD_VERSION, Level, Measure};
pub use read::{Figures, FiguresError};
pub use region::{REGIONS, kind_name, region_name, region_of};
pub use row::Head;
pub use rows::{Changed, Changes, Memory, Row, Rows};
pub use views::*;

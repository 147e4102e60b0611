//! Merging sorted sources, of which the first are the newest, into one run.
//!
//! Rows of one document number follow each other in time, so runs overlap little: where a block of
//! one run lies between two rows of all others, its compressed form is copied.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use super::block;
use super::error::RunError;
use super::generation::Held;
use super::run::Run;
use super::writer::RunWriter;

/// Blocks are read in portions of about so many bytes.
const PORTION_BYTES: u64 = 256 << 10;

/// After so many rows the cancel flag is looked at.
const ROWS_PER_LOOK: u32 = 1024;

/// The first sixteen bytes of a key as a number: most comparisons end there.
fn head_of(key: &[u8]) -> u128 {
    match key.first_chunk::<16>() {
        Some(head) => u128::from_be_bytes(*head),
        None => {
            let mut head = [0; 16];
            for (target, byte) in head.iter_mut().zip(key) {
                *target = *byte;
            }
            u128::from_be_bytes(head)
        }
    }
}

/// Where a source stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stand {
    /// At a row.
    Row,
    /// Before a block none of whose rows is before `key`.
    Block,
    /// Behind the last row.
    End,
}

/// Rows in order.
pub(crate) trait Source {
    /// Where it stands.
    fn stand(&self) -> Stand;
    /// The key of the row, or the separator of the block.
    fn key(&self) -> &[u8];
    /// The value of the row; `None` when it was removed.
    fn value(&self) -> Option<&[u8]>;
    /// Goes on to the next row or block.
    fn advance(&mut self) -> Result<(), RunError>;
    /// Steps into the block that it stands before.
    fn enter(&mut self) -> Result<(), RunError> {
        Ok(())
    }
    /// Of a block that was just entered: its frame and its plain form, when all of its keys are
    /// before `limit` (`None`: nothing else is left).
    fn whole_block(&self, _limit: Option<&[u8]>) -> Option<(&[u8], &[u8])> {
        None
    }
    /// Passes over the rest of the block.
    fn leave(&mut self) -> Result<(), RunError> {
        Ok(())
    }
}

/// Keyspace, the rest of the key, and the value or `None`.
type Row<'g> = (u8, &'g [u8], Option<&'g [u8]>);

/// The rows of a generation.
pub(crate) struct GenerationSource<'g> {
    rows: Box<dyn Iterator<Item = Row<'g>> + 'g>,
    key: Vec<u8>,
    value: Option<&'g [u8]>,
    ended: bool,
}

impl<'g> GenerationSource<'g> {
    /// Stands at the first row.
    pub(crate) fn new(held: &'g Held<'g>) -> Self {
        let mut source = Self {
            rows: Box::new(held.rows()),
            key: Vec::new(),
            value: None,
            ended: false,
        };
        source.step();
        source
    }

    fn step(&mut self) {
        self.key.clear();
        match self.rows.next() {
            Some((keyspace, key, value)) => {
                self.key.push(keyspace);
                self.key.extend_from_slice(key);
                self.value = value;
            }
            None => self.ended = true,
        }
    }
}

impl Source for GenerationSource<'_> {
    fn stand(&self) -> Stand {
        if self.ended { Stand::End } else { Stand::Row }
    }

    fn key(&self) -> &[u8] {
        &self.key
    }

    fn value(&self) -> Option<&[u8]> {
        self.value
    }

    fn advance(&mut self) -> Result<(), RunError> {
        self.step();
        Ok(())
    }
}

/// The rows of a run, read from front to back without the cache.
pub(crate) struct RunSource<'r> {
    run: &'r Run,
    /// The block that it stands in or before.
    block: usize,
    stand: Stand,
    portion: Vec<u8>,
    /// Where in the file the portion lies.
    place: Range<u64>,
    /// Where in the portion the block's frame lies.
    frame: Range<usize>,
    plain: Vec<u8>,
    next: usize,
    key: Vec<u8>,
    value: Option<Range<usize>>,
}

impl<'r> RunSource<'r> {
    /// Stands before the first block.
    pub(crate) fn new(run: &'r Run) -> Self {
        let mut source = Self {
            run,
            block: 0,
            stand: Stand::Block,
            portion: Vec::new(),
            place: 0..0,
            frame: 0..0,
            plain: Vec::new(),
            next: 0,
            key: Vec::new(),
            value: None,
        };
        source.stand_before_block();
        source
    }

    fn stand_before_block(&mut self) {
        self.key.clear();
        match self.run.index().separator(self.block) {
            Some(separator) => {
                self.key.extend_from_slice(separator);
                self.stand = Stand::Block;
            }
            None => self.stand = Stand::End,
        }
    }

    /// Reads the blocks from this one on.
    fn read_portion(&mut self, start: u64) -> Result<(), RunError> {
        let index = self.run.index();
        let mut end = start;
        for block in self.block..index.blocks() {
            let place = index.place(block).unwrap_or_default();
            if end > start && place.end > start.saturating_add(PORTION_BYTES) {
                break;
            }
            end = place.end;
        }
        self.place = start..end;
        self.run.read(start..end, &mut self.portion)
    }

    fn read_row(&mut self) -> Result<(), &'static str> {
        let row = block::row_at(&self.plain, self.next)?;
        block::next_key(&mut self.key, &self.plain, &row)?;
        self.value = row.value;
        self.next = row.next;
        Ok(())
    }
}

impl Source for RunSource<'_> {
    fn stand(&self) -> Stand {
        self.stand
    }

    fn key(&self) -> &[u8] {
        &self.key
    }

    fn value(&self) -> Option<&[u8]> {
        self.value.clone().and_then(|value| self.plain.get(value))
    }

    fn advance(&mut self) -> Result<(), RunError> {
        if self.next < self.plain.len() {
            self.read_row()
                .map_err(|fault| self.run.damage(self.block, fault))
        } else {
            self.leave()
        }
    }

    fn enter(&mut self) -> Result<(), RunError> {
        let place = self.run.index().place(self.block).unwrap_or_default();
        if place.start < self.place.start || place.end > self.place.end {
            self.read_portion(place.start)?;
        }
        let start = usize::try_from(place.start - self.place.start).unwrap_or(usize::MAX);
        let length = usize::try_from(place.end - place.start).unwrap_or(usize::MAX);
        self.frame = start..start.saturating_add(length);
        let frame = self.portion.get(self.frame.clone()).unwrap_or_default();
        let entered = block::unpack(frame, &mut self.plain).and_then(|()| {
            self.next = 0;
            self.key.clear();
            self.read_row()
        });
        self.stand = Stand::Row;
        entered.map_err(|fault| self.run.damage(self.block, fault))
    }

    fn whole_block(&self, limit: Option<&[u8]>) -> Option<(&[u8], &[u8])> {
        let is_before = match (limit, self.run.index().separator(self.block + 1)) {
            (None, _) => true,
            // All keys of this block are before the separator of the next.
            (Some(limit), Some(separator)) => separator <= limit,
            (Some(limit), None) => self.run.last_key() < limit,
        };
        let frame = self.portion.get(self.frame.clone())?;
        is_before.then_some((frame, self.plain.as_slice()))
    }

    fn leave(&mut self) -> Result<(), RunError> {
        self.block += 1;
        self.stand_before_block();
        Ok(())
    }
}

/// The source that is first, and the one after it.
struct Choice {
    first: usize,
    second: Option<usize>,
}

/// Finds the first two sources. Of equal keys a block comes before a row, so that it is entered,
/// and the newer source before the older.
fn choose<S: Source>(sources: &[S], heads: &[u128]) -> Option<Choice> {
    let before = |a: usize, b: usize| -> bool {
        let (Some(head_a), Some(head_b)) = (heads.get(a), heads.get(b)) else {
            return false;
        };
        if head_a != head_b {
            return head_a < head_b;
        }
        let (Some(a), Some(b)) = (sources.get(a), sources.get(b)) else {
            return false;
        };
        match a.key().cmp(b.key()) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Greater => false,
            std::cmp::Ordering::Equal => a.stand() == Stand::Block && b.stand() == Stand::Row,
        }
    };
    let mut choice: Option<Choice> = None;
    for (n, source) in sources.iter().enumerate() {
        if source.stand() == Stand::End {
            continue;
        }
        choice = Some(match choice {
            None => Choice {
                first: n,
                second: None,
            },
            Some(Choice { first, .. }) if before(n, first) => Choice {
                first: n,
                second: Some(first),
            },
            Some(Choice { first, second }) => Choice {
                first,
                second: match second {
                    Some(second) if !before(n, second) => Some(second),
                    Some(_) | None => Some(n),
                },
            },
        });
    }
    choice
}

/// Puts the newest version of every row into `writer`.
pub(crate) fn merge<S: Source>(
    sources: &mut [S],
    writer: &mut RunWriter,
    drop_tombstones: bool,
    cancel: &AtomicBool,
) -> Result<(), RunError> {
    let mut heads: Vec<u128> = sources.iter().map(|source| head_of(source.key())).collect();
    let mut limit = Vec::new();
    let mut rows = 0_u32;
    while let Some(Choice { first, second }) = choose(sources, &heads) {
        limit.clear();
        if let Some(second) = second.and_then(|second| sources.get(second)) {
            limit.extend_from_slice(second.key());
        }
        let limit_head = head_of(&limit);
        let limit = second.map(|_| limit.as_slice());
        let Some(source) = sources.get_mut(first) else {
            break;
        };
        if source.stand() == Stand::Block {
            if cancel.load(Ordering::Relaxed) {
                return Err(RunError::Cancelled);
            }
            source.enter()?;
            if let Some((frame, plain)) = source.whole_block(limit)
                && writer.put_block(frame, plain, drop_tombstones)?
            {
                source.leave()?;
            }
            set_head(&mut heads, first, source.key());
            continue;
        }
        let tied = limit.is_some_and(|limit| limit == source.key());
        loop {
            let value = source.value();
            if value.is_some() || !drop_tombstones {
                writer.put(source.key(), value)?;
            }
            source.advance()?;
            rows = rows.wrapping_add(1);
            if rows.is_multiple_of(ROWS_PER_LOOK) && cancel.load(Ordering::Relaxed) {
                return Err(RunError::Cancelled);
            }
            let head = head_of(source.key());
            let is_first = source.stand() == Stand::Row
                && limit.is_none_or(|limit| {
                    head < limit_head || (head == limit_head && source.key() < limit)
                });
            if tied || !is_first {
                break;
            }
        }
        set_head(&mut heads, first, source.key());
        if !tied {
            continue;
        }
        // Older versions of the row that was written.
        let key = limit.unwrap_or_default();
        for (n, source) in sources.iter_mut().enumerate() {
            if n != first && source.stand() == Stand::Row && source.key() == key {
                source.advance()?;
                set_head(&mut heads, n, source.key());
            }
        }
    }
    Ok(())
}

fn set_head(heads: &mut [u128], n: usize, key: &[u8]) {
    if let Some(head) = heads.get_mut(n) {
        *head = head_of(key);
    }
}

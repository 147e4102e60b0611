//! Frames as bytes on a link.
//!
//! A link carries pieces. Each begins with one byte:
//!
//! | byte | what follows |
//! |---|---|
//! | 0 | nothing: the other end is there |
//! | 1 | a frame begins: length of its payload (4 bytes, big-endian), kind (1 byte), then its first bytes |
//! | 2 | further bytes of the frame that was begun in the urgent lane |
//! | 3 | further bytes of the frame that was begun in the bulk lane |
//!
//! Every piece carries [`PIECE_BYTES_MAX`] bytes of payload or all that are left, so a piece needs
//! no length of its own. The kind says which lane a frame is in; a lane carries one frame after
//! the other, and pieces of the two lanes follow one another in any order.

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::config::{Frame, Kinds, Lane};
use super::limits::PIECE_BYTES_MAX;

const BEAT: u8 = 0;
const BEGIN: u8 = 1;
const MORE_URGENT: u8 = 2;
const MORE_BULK: u8 = 3;

/// Bytes of a piece before its payload when it begins a frame.
const BEGIN_BYTES: usize = 1 + 4 + 1;

/// Why bytes are not what a link may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireFault {
    /// A piece begins with another byte than 0 to 3.
    #[error("链路片段标记 {0} 未知 / a piece of a link is marked {0}, which is unknown")]
    Mark(u8),
    /// The kind of the frame is not agreed.
    #[error("帧类型 {0} 未知 / frames of kind {0} are unknown")]
    Kind(u8),
    /// The frame is longer than its kind may be.
    #[error(
        "类型 {kind} 的帧声明 {length} 字节，上限 {max} / a frame of kind {kind} has {length} bytes, the most is {max}"
    )]
    Length {
        /// The kind of the frame.
        kind: u8,
        /// The length that it states, in bytes.
        length: usize,
        /// Longest payload of this kind, in bytes.
        max: usize,
    },
    /// A frame begins in a lane whose last frame is not complete.
    #[error("上一帧未完时又开始新帧 / a frame begins before the last one of its lane is complete")]
    Unfinished,
    /// A piece continues a frame in a lane where none was begun.
    #[error("续传的帧不存在 / a piece continues a frame that was not begun")]
    NotBegun,
}

/// Appends the mark that says "still there".
pub(super) fn put_beat(out: &mut BytesMut) {
    out.put_u8(BEAT);
}

/// A frame on its way out.
#[derive(Debug)]
pub struct Outgoing {
    lane: Lane,
    frame: Frame,
    /// Bytes of the payload that were put; `None` before the first piece.
    put: Option<usize>,
}

impl Outgoing {
    /// Takes a frame whose payload fits the rule of its kind; `lane` is that of the rule.
    #[must_use]
    pub fn new(lane: Lane, frame: Frame) -> Self {
        Self {
            lane,
            frame,
            put: None,
        }
    }

    /// Appends the next piece and says whether it was the last.
    pub fn put_piece(&mut self, out: &mut BytesMut) -> bool {
        let length = self.frame.bytes.len();
        let from = match (self.put, self.lane) {
            (None, _) => {
                out.put_u8(BEGIN);
                out.put_u32(u32::try_from(length).expect("the payload fits the rule of its kind"));
                out.put_u8(self.frame.kind);
                0
            }
            (Some(put), Lane::Urgent) => {
                out.put_u8(MORE_URGENT);
                put
            }
            (Some(put), Lane::Bulk) => {
                out.put_u8(MORE_BULK);
                put
            }
        };
        let to = length.min(from + PIECE_BYTES_MAX);
        out.put_slice(&self.frame.bytes[from..to]);
        self.put = Some(to);
        to == length
    }
}

/// Puts frames together from the bytes of a link, in whatever portions they arrive.
///
/// It holds no more than what has arrived: a stated length reserves nothing.
#[derive(Debug)]
pub struct Assembler {
    kinds: Arc<Kinds>,
    urgent: Option<Partial>,
    bulk: Option<Partial>,
}

#[derive(Debug)]
struct Partial {
    kind: u8,
    length: usize,
    bytes: Vec<u8>,
}

impl Partial {
    /// Length of the next piece.
    fn wants(&self) -> usize {
        PIECE_BYTES_MAX.min(self.length - self.bytes.len())
    }

    fn take(mut self, input: &mut BytesMut) -> Result<Frame, Self> {
        let wants = self.wants();
        if self.bytes.capacity() - self.bytes.len() < wants {
            // Twice as much as there is, as far as the frame goes.
            let room = self.length.min(2 * (self.bytes.len() + wants));
            self.bytes.reserve_exact(room - self.bytes.len());
        }
        self.bytes.extend_from_slice(&input[..wants]);
        input.advance(wants);
        if self.bytes.len() < self.length {
            return Err(self);
        }
        Ok(Frame {
            kind: self.kind,
            bytes: Bytes::from(self.bytes),
        })
    }
}

impl Assembler {
    /// Reads frames of these kinds.
    #[must_use]
    pub fn new(kinds: Arc<Kinds>) -> Self {
        Self {
            kinds,
            urgent: None,
            bulk: None,
        }
    }

    /// Takes pieces from the front of `input` until a frame is complete; `None` when it needs more.
    ///
    /// # Errors
    /// [`WireFault`] for bytes that an honest end never sends; the link is of no more use then.
    pub fn next(&mut self, input: &mut BytesMut) -> Result<Option<Frame>, WireFault> {
        loop {
            let Some(&mark) = input.first() else {
                return Ok(None);
            };
            let (partial, head, lane) = match mark {
                BEAT => {
                    input.advance(1);
                    continue;
                }
                BEGIN => {
                    let Some(begun) = self.begin(input)? else {
                        return Ok(None);
                    };
                    begun
                }
                MORE_URGENT => (self.urgent.take(), 1, Lane::Urgent),
                MORE_BULK => (self.bulk.take(), 1, Lane::Bulk),
                unknown => return Err(WireFault::Mark(unknown)),
            };
            let partial = partial.ok_or(WireFault::NotBegun)?;
            if input.len() < head + partial.wants() {
                if mark != BEGIN {
                    *self.lane(lane) = Some(partial);
                }
                return Ok(None);
            }
            input.advance(head);
            match partial.take(input) {
                Ok(frame) => return Ok(Some(frame)),
                Err(partial) => *self.lane(lane) = Some(partial),
            }
        }
    }

    /// Bytes of payload that wait for the rest of their frames.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let held = |partial: &Option<Partial>| partial.as_ref().map_or(0, |p| p.bytes.capacity());
        held(&self.urgent) + held(&self.bulk)
    }

    fn lane(&mut self, lane: Lane) -> &mut Option<Partial> {
        match lane {
            Lane::Urgent => &mut self.urgent,
            Lane::Bulk => &mut self.bulk,
        }
    }

    /// Reads the head of a frame's first piece and leaves it where it is.
    fn begin(
        &mut self,
        input: &BytesMut,
    ) -> Result<Option<(Option<Partial>, usize, Lane)>, WireFault> {
        let Some(mut head) = input.get(1..BEGIN_BYTES) else {
            return Ok(None);
        };
        let length = usize::try_from(head.get_u32()).unwrap_or(usize::MAX);
        let kind = head.get_u8();
        let rule = self.kinds.rule(kind).ok_or(WireFault::Kind(kind))?;
        let max = rule.bytes_max;
        if length > max {
            return Err(WireFault::Length { kind, length, max });
        }
        if self.lane(rule.lane).is_some() {
            return Err(WireFault::Unfinished);
        }
        let partial = Partial {
            kind,
            length,
            bytes: Vec::new(),
        };
        Ok(Some((Some(partial), BEGIN_BYTES, rule.lane)))
    }
}

//! How the feeds of events are kept: lists of leaves, a row for each block.
//!
//! Most records issue a document, and the event that says so follows from the record alone. Such
//! an event is *implied*: no row holds its bytes. What is kept is which leaves have one, as runs
//! (`gap | length`, varints, after the first leaf), and for each member its own list of events:
//! `twice the distance from the leaf before, plus one when the event has a row`, and then its
//! number. Distances are varints, the first from leaf 0.

use invoice_core::codec::{DecodeError, Reader};

use super::lookup::EventPosition;
use super::varint;

/// An event in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Listed {
    pub(super) at: EventPosition,
    /// No row holds its bytes: they follow from the leaf.
    pub(super) implied: bool,
}

/// A member's events of one block, in the order of the log. An implied event has number 0.
pub(super) fn encode_list(events: &[Listed]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut last = 0_u64;
    for event in events {
        let distance = event.at.leaf_index.saturating_sub(last);
        last = event.at.leaf_index;
        varint::put(
            &mut bytes,
            distance
                .saturating_mul(2)
                .saturating_add(u64::from(!event.implied)),
        );
        if !event.implied {
            varint::put(&mut bytes, u64::from(event.at.number));
        }
    }
    bytes
}

pub(super) fn decode_list(bytes: &[u8]) -> Result<Vec<Listed>, DecodeError> {
    let invalid = || DecodeError::Invalid { what: "event list" };
    let mut reader = Reader::new(bytes);
    let mut events = Vec::new();
    let mut leaf_index = 0_u64;
    while reader.remaining() > 0 {
        let step = varint::take(&mut reader, "event list")?;
        leaf_index = leaf_index.checked_add(step / 2).ok_or_else(invalid)?;
        let implied = step % 2 == 0;
        let number = if implied {
            0
        } else {
            let number = varint::take(&mut reader, "event list")?;
            u32::try_from(number).map_err(|_| invalid())?
        };
        events.push(Listed {
            at: EventPosition { leaf_index, number },
            implied,
        });
    }
    Ok(events)
}

/// Leaves, ascending.
pub(super) fn encode_leaves(leaves: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut next = 0_u64;
    for run in leaves.chunk_by(|left, right| left.checked_add(1) == Some(*right)) {
        let first = run.first().copied().unwrap_or(next);
        varint::put(&mut bytes, first.saturating_sub(next));
        varint::put(&mut bytes, run.len() as u64);
        next = first.saturating_add(run.len() as u64);
    }
    bytes
}

pub(super) fn decode_leaves(bytes: &[u8]) -> Result<Vec<u64>, DecodeError> {
    let invalid = || DecodeError::Invalid { what: "leaves" };
    let mut reader = Reader::new(bytes);
    let mut leaves = Vec::new();
    let mut next = 0_u64;
    while reader.remaining() > 0 {
        let gap = varint::take(&mut reader, "leaves")?;
        let length = varint::take(&mut reader, "leaves")?;
        let first = next.checked_add(gap).ok_or_else(invalid)?;
        next = first.checked_add(length).ok_or_else(invalid)?;
        // No block has as many leaves as that; a damaged length must not fill the memory.
        if length > u64::from(u32::MAX >> 8) {
            return Err(invalid());
        }
        leaves.extend(first..next);
    }
    Ok(leaves)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_leaves_come_back() {
        let listed = |leaf_index, number, implied| Listed {
            at: EventPosition { leaf_index, number },
            implied,
        };
        let events = [
            listed(7_000_000, 0, true),
            listed(7_000_000, 1, false),
            listed(7_000_000, 2, false),
            listed(7_000_001, 0, false),
            listed(7_000_900, 0, true),
        ];
        for count in 0..=events.len() {
            let bytes = encode_list(&events[..count]);
            assert_eq!(decode_list(&bytes).unwrap(), events[..count]);
        }
        for leaves in [&[][..], &[0], &[5, 6, 7], &[0, 1, 4, 9, 10, 1 << 40]] {
            assert_eq!(decode_leaves(&encode_leaves(leaves)).unwrap(), leaves);
        }
        let whole: Vec<u64> = (1_000_000..1_004_096).collect();
        assert!(encode_leaves(&whole).len() <= 5);
    }

    #[test]
    fn damaged_lists_are_refused() {
        assert!(decode_list(&[3]).is_err());
        assert!(decode_list(&[0x81]).is_err());
        assert!(decode_leaves(&[3]).is_err());
        assert!(decode_leaves(&[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]).is_err());
    }
}

//! What a block's changes replaced, kept for the last blocks so that opening can replay them.
//!
//! A row is a sequence of `table u8 | key length u16 | key | present u8 [| value length u32 |
//! value]`, in the order of the changes; the value is the one from before the block.

use invoice_core::codec::{DecodeError, EncodeError, Reader, Writer};
use invoice_core::state::{Changes, Table};

/// Collects the replaced values of one block.
#[derive(Default)]
pub(super) struct UndoWriter(Writer);

impl UndoWriter {
    /// Notes the value that `key` had before the block.
    pub(super) fn note(
        &mut self,
        table: Table,
        key: &[u8],
        before: Option<&[u8]>,
    ) -> Result<(), EncodeError> {
        self.0.put_u8(table.number());
        self.0.put_bytes16("key", key)?;
        match before {
            Some(value) => {
                self.0.put_u8(1);
                self.0.put_bytes32("value", value)?;
            }
            None => self.0.put_u8(0),
        }
        Ok(())
    }

    /// The bytes of the row.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0.into_bytes()
    }
}

/// Reads a row: laid over the state after the block, it gives the state before.
pub(super) fn decode(bytes: &[u8]) -> Result<Changes, DecodeError> {
    let mut reader = Reader::new(bytes);
    let mut changes = Changes::new();
    while reader.remaining() > 0 {
        let number = reader.u8("undo table")?;
        let table = Table::ALL
            .into_iter()
            .find(|table| table.number() == number);
        let table = table.ok_or(DecodeError::Invalid { what: "undo table" })?;
        let key = reader.bytes16("undo key", usize::MAX)?.to_vec();
        if reader.flag("undo presence")? {
            changes.put(
                table,
                key,
                reader.bytes32("undo value", usize::MAX)?.to_vec(),
            );
        } else {
            changes.remove(table, key);
        }
    }
    Ok(changes)
}

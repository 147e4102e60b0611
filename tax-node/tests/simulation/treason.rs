//! What validators that are not correct do with what they should send.

use bytes::Bytes;
use tax_node::engine::consortium::frames::Frame;

use crate::plan::Treason;
use crate::world::World;

impl World {
    /// Sends something else, or nothing, in place of a frame.
    pub(crate) fn betray(
        &mut self,
        treason: Treason,
        from: usize,
        to: usize,
        link: u32,
        frame: &Frame,
        encoded: &Bytes,
    ) {
        let _ = treason;
        self.pass(from, to, link, frame.kind() as u8, encoded.clone());
    }
}

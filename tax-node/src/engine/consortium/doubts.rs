//! Peers that are not asked for blocks for a while.
//!
//! Doubt outlives the link: a peer that states a height, answers nothing and comes back would
//! otherwise be asked again at once, for ever. Only peers of the list have links, so there are
//! never more entries than ever had peers within [`DOUBT_TICKS`].

use std::collections::BTreeMap;

use invoice_core::crypto::Kid;

/// Answers that a peer gets between two ticks of the clock `Status`: what is enough for catching up
/// at any speed and does not keep the thread from voting.
const SERVED_PER_TICK_MAX: u32 = 32;

/// Ticks of the clock `Status` for which a peer is not asked that did not have what it said, or
/// gave no answer: a liar costs this node one question in so long a time.
pub(super) const DOUBT_TICKS: u32 = 30;

/// What is remembered of a peer, whether its link stands or not.
#[derive(Clone, Copy, Debug, Default)]
struct Remembered {
    /// Ticks for which it is not asked; 0: it is believed.
    ticks: u32,
    /// The highest block that it said it has while it was doubted.
    stated: u64,
    /// Answers to its questions since the last tick.
    served: u32,
}

/// Who is doubted, and who asked how often.
#[derive(Debug, Default)]
pub(super) struct Doubts(BTreeMap<Kid, Remembered>);

impl Doubts {
    /// A peer has not the block that it said it has, `stated`, or does not give it; `false` when
    /// it was doubted already.
    pub(super) fn doubt(&mut self, peer: Kid, stated: u64) -> bool {
        let entry = self.0.entry(peer).or_default();
        let is_new = entry.ticks == 0;
        entry.ticks = DOUBT_TICKS;
        entry.stated = entry.stated.max(stated);
        is_new
    }

    /// A peer says how high it is.
    pub(super) fn states(&mut self, peer: &Kid, height: u64) {
        if let Some(entry) = self.0.get_mut(peer) {
            entry.stated = entry.stated.max(height);
        }
    }

    /// Whether a peer is doubted.
    pub(super) fn is_doubted(&self, peer: &Kid) -> bool {
        self.0.get(peer).is_some_and(|entry| entry.ticks > 0)
    }

    /// These are asked again.
    pub(super) fn believe(&mut self, peers: &[Kid]) {
        for peer in peers {
            if let Some(entry) = self.0.get_mut(peer) {
                (entry.ticks, entry.stated) = (0, 0);
            }
        }
    }

    /// This node has a block: whoever stated no more than that did not harm.
    pub(super) fn reached(&mut self, height: u64) {
        for entry in self.0.values_mut() {
            if entry.stated <= height {
                (entry.ticks, entry.stated) = (0, 0);
            }
        }
    }

    /// A peer asks for blocks; `false` when it has had enough answers for now.
    pub(super) fn may_serve(&mut self, peer: Kid) -> bool {
        let entry = self.0.entry(peer).or_default();
        entry.served = entry.served.saturating_add(1);
        entry.served <= SERVED_PER_TICK_MAX
    }

    /// Some time has passed.
    pub(super) fn tick(&mut self) {
        self.0.retain(|_, entry| {
            entry.served = 0;
            entry.ticks = entry.ticks.saturating_sub(1);
            entry.ticks > 0
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: Kid = Kid::new([7; 16]);

    #[test]
    fn a_peer_is_doubted_for_so_many_ticks_and_then_forgotten() {
        let mut doubts = Doubts::default();
        assert!(doubts.doubt(PEER, 90));
        assert!(!doubts.doubt(PEER, 10), "it is known");
        for _ in 0..DOUBT_TICKS {
            assert!(doubts.is_doubted(&PEER));
            doubts.tick();
        }
        assert!(!doubts.is_doubted(&PEER));
        assert!(doubts.0.is_empty());
    }

    #[test]
    fn only_the_block_that_a_peer_stated_ends_the_doubt_before() {
        let mut doubts = Doubts::default();
        doubts.doubt(PEER, 90);
        doubts.reached(89);
        assert!(doubts.is_doubted(&PEER));
        doubts.states(&PEER, 1 << 62);
        doubts.reached(90);
        assert!(doubts.is_doubted(&PEER));
        doubts.reached(1 << 62);
        assert!(!doubts.is_doubted(&PEER));
    }

    #[test]
    fn a_peer_gets_so_many_answers_a_tick_and_no_more() {
        let mut doubts = Doubts::default();
        for _ in 0..SERVED_PER_TICK_MAX {
            assert!(doubts.may_serve(PEER));
        }
        assert!(!doubts.may_serve(PEER));
        doubts.tick();
        assert!(doubts.may_serve(PEER));
    }
}

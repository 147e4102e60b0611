//! Messages of heights that have not begun: kept within bounds, and only when well signed.

use std::collections::BTreeMap;

use invoice_core::chain::ChainId;
use invoice_core::crypto::Kid;
use invoice_core::crypto::messages::VoteKind;

use crate::message::Message;
use crate::validators::Validators;
use crate::verify;

/// How many heights ahead messages are kept. A node that is further behind catches up from
/// blocks that are decided.
pub const EARLY_HEIGHTS: u64 = 2;

/// The last round of such a height that is kept, as far as the library itself looks ahead.
pub const EARLY_ROUNDS: u32 = 10;

/// One place for each message that a validator sends once: height, round, step, voter.
type Place = (u64, u32, u8, Kid);

/// At most (`EARLY_ROUNDS` + 1) × 3 messages of each validator and height.
#[derive(Default)]
pub(crate) struct Early(BTreeMap<Place, Message>);

impl Early {
    /// Keeps a message if it is the first for its place and signed by the validator it names.
    ///
    /// Returns whether its signature was wrong.
    pub(crate) fn keep(
        &mut self,
        message: Message,
        height: u64,
        validators: &Validators,
        chain: &ChainId,
    ) -> bool {
        let within = message.height().saturating_sub(height) <= EARLY_HEIGHTS
            && message.round() <= EARLY_ROUNDS;
        let (step, voter, bytes, signature) = match &message {
            Message::Proposal(own) => (
                0,
                own.proposer,
                verify::bytes_of_proposal(chain, own),
                own.signature,
            ),
            Message::Vote(vote) => {
                let step = match vote.kind {
                    VoteKind::Prevote => 1,
                    VoteKind::Precommit => 2,
                };
                let bytes = verify::bytes_of_vote(chain, vote);
                (step, vote.voter, bytes, vote.signature)
            }
            // They are sent again when they are needed.
            Message::Polka(_) | Message::RoundChange(_) => return false,
        };
        let place = (message.height(), message.round(), step, voter);
        if !within || self.0.contains_key(&place) {
            return false;
        }
        let Some((key, _)) = validators.get(&voter) else {
            return false;
        };
        if !key.verify(&bytes, &signature) {
            return true;
        }
        self.0.insert(place, message);
        false
    }

    /// Takes what was kept for a height, and forgets what is older.
    pub(crate) fn take(&mut self, height: u64) -> Vec<Message> {
        let next = (height.saturating_add(1), 0, 0, Kid::new([0; 16]));
        let later = self.0.split_off(&next);
        let mut taken = std::mem::replace(&mut self.0, later);
        let first = (height, 0, 0, Kid::new([0; 16]));
        taken.split_off(&first).into_values().collect()
    }

    /// How many are kept.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

//! Executing a whole block again: what every validator, every replay and every audit does.

use super::{BlockPosition, Candidate, Execution, Recorded, Verdict};
use crate::calendar::Instant;
use crate::chain::{Authorization, Block, BlockEnvelope, ChainId, Genesis, Header, Leaf};
use crate::crypto::Hash;
use crate::merkle::Frontier;
use crate::record::{ParsedRecord, parse_record};
use crate::state::{Changes, Fault, StateView, TypedState};

/// Where the chain stands before a block.
#[derive(Clone, Debug)]
pub struct ChainPoint {
    /// The chain's name.
    pub chain_id: ChainId,
    /// Height of the last block; 0 before the first.
    pub height: u64,
    /// Id of the last block; the genesis hash before the first.
    pub block_id: Hash,
    /// Time of the last block; the genesis time before the first.
    pub time: Instant,
    /// The log so far.
    pub frontier: Frontier,
}

impl ChainPoint {
    /// Where the chain stands before its first block.
    #[must_use]
    pub fn genesis(genesis: &Genesis) -> Self {
        Self {
            chain_id: genesis.chain_id().clone(),
            height: 0,
            block_id: genesis.hash(),
            time: Instant::from_ms(genesis.time_ms()),
            frontier: Frontier::new(),
        }
    }

    /// Where the chain stands after a block.
    #[must_use]
    pub fn after(&self, header: &Header, frontier: Frontier) -> Self {
        Self {
            chain_id: self.chain_id.clone(),
            height: header.height,
            block_id: header.id(),
            time: Instant::from_ms(header.time_ms),
            frontier,
        }
    }
}

/// What executing a block brought about.
#[derive(Clone, Debug)]
pub struct Executed {
    /// The state changes.
    pub changes: Changes,
    /// Hashes of the block's leaves, in order.
    pub leaf_hashes: Vec<Hash>,
    /// The log with them.
    pub frontier: Frontier,
    /// What became of each record, in order.
    pub records: Vec<Recorded>,
}

/// Whether the members' signatures are verified again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signatures {
    /// Verify each: a block of strangers, or an audit.
    Verify,
    /// A certificate vouches for them: this node or a quorum verified them before.
    Trust,
}

/// Why a block is not valid here.
#[derive(Debug, thiserror::Error)]
pub enum BlockFault<E> {
    /// The state cannot be read; nothing is known about the block.
    #[error(transparent)]
    State(#[from] Fault<E>),
    /// The block breaks a rule of the chain.
    #[error("block {height} is not valid: {reason}")]
    Invalid {
        /// Height of the block.
        height: u64,
        /// Which rule.
        reason: InvalidBlock,
    },
}

/// The rule of the chain that a block breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBlock {
    /// It does not continue the chain.
    #[error("its header's `{0}` does not continue the chain")]
    Discontinuous(&'static str),
    /// What its header states is not what executing it gives.
    #[error("its header's `{0}` is not what executing it gives")]
    Digest(&'static str),
    /// A record has not the contract's shape.
    #[error("record {index} cannot be read")]
    Unreadable {
        /// Leaf index of the record.
        index: u64,
    },
    /// A signature does not verify.
    #[error("the signature over record {index} does not verify")]
    Signature {
        /// Leaf index of the (first) record that it covers.
        index: u64,
    },
    /// A record must not be on the chain, or has another outcome.
    #[error("record {index} has another outcome: {found}")]
    Outcome {
        /// Leaf index of the record.
        index: u64,
        /// What executing it gives.
        found: String,
    },
}

/// Executes a block over the state that its predecessor left and compares everything that its
/// header states.
///
/// The certificate and the digest of the validator set are the caller's to check: they belong to
/// the engine.
///
/// # Errors
/// The block breaks a rule of the chain, or the state cannot be read.
pub fn execute_block<V: StateView>(
    point: &ChainPoint,
    state: &V,
    block: &Block,
    signatures: Signatures,
) -> Result<Executed, BlockFault<V::Error>> {
    let header = &block.header;
    let invalid = |reason| BlockFault::Invalid {
        height: header.height,
        reason,
    };
    continues(point, header).map_err(invalid)?;
    let position = BlockPosition {
        time: Instant::from_ms(header.time_ms),
        first_index: header.first_index,
    };
    let mut execution = Execution::new(state, position);
    let mut frontier = point.frontier.clone();
    let mut leaf_hashes = Vec::new();
    let mut records = Vec::new();
    for envelope in &block.envelopes {
        let first_index = frontier.size();
        let candidates = read_envelope(envelope, first_index).map_err(invalid)?;
        if signatures == Signatures::Verify {
            let key = TypedState(execution.state()).key(&envelope.authorization.kid())?;
            let verified = key.is_some_and(|key| envelope.verify(&point.chain_id, &key.public_key));
            if !verified {
                return Err(invalid(InvalidBlock::Signature { index: first_index }));
            }
        }
        let verdicts = if matches!(
            envelope.authorization,
            Authorization::Batch { atomic: true, .. }
        ) {
            execution.execute_atomic(&candidates)?
        } else {
            candidates
                .iter()
                .map(|candidate| execution.execute(candidate))
                .collect::<Result<_, _>>()?
        };
        for (entry, verdict) in envelope.entries.iter().zip(verdicts) {
            let index = frontier.size();
            let recorded = match verdict {
                Verdict::Recorded(recorded) if recorded.outcome == entry.outcome => recorded,
                other @ (Verdict::Recorded(_)
                | Verdict::Replayed { .. }
                | Verdict::IdReused
                | Verdict::Inadmissible(_)
                | Verdict::Aborted) => {
                    let found = format!("{other:?}");
                    return Err(invalid(InvalidBlock::Outcome { index, found }));
                }
            };
            let leaf = Leaf {
                kid: envelope.authorization.kid(),
                record: &entry.record,
                outcome: &entry.outcome,
            };
            let hash = leaf
                .hash()
                .map_err(|_| invalid(InvalidBlock::Unreadable { index }))?;
            frontier.push(hash);
            leaf_hashes.push(hash);
            records.push(recorded);
        }
    }
    let changes = execution.finish();
    let digests = [
        ("count", u64::from(header.count) == leaf_hashes.len() as u64),
        ("log_size", header.log_size == frontier.size()),
        ("log_root", header.log_root == frontier.root()),
        ("effects_root", header.effects_root == changes.root()),
    ];
    for (what, agrees) in digests {
        if !agrees {
            return Err(invalid(InvalidBlock::Digest(what)));
        }
    }
    Ok(Executed {
        changes,
        leaf_hashes,
        frontier,
        records,
    })
}

fn continues(point: &ChainPoint, header: &Header) -> Result<(), InvalidBlock> {
    let checks = [
        ("chain_id", header.chain_id == point.chain_id),
        ("height", Some(header.height) == point.height.checked_add(1)),
        ("previous", header.previous == point.block_id),
        ("time", header.time_ms > point.time.ms()),
        ("first_index", header.first_index == point.frontier.size()),
    ];
    match checks.into_iter().find(|(_, holds)| !holds) {
        Some((what, _)) => Err(InvalidBlock::Discontinuous(what)),
        None => Ok(()),
    }
}

fn read_envelope(
    envelope: &BlockEnvelope,
    first_index: u64,
) -> Result<Vec<Candidate>, InvalidBlock> {
    let kid = envelope.authorization.kid();
    (first_index..)
        .zip(&envelope.entries)
        .map(|(index, entry)| {
            let parsed: ParsedRecord<'_> =
                parse_record(&entry.record).map_err(|_| InvalidBlock::Unreadable { index })?;
            Ok(Candidate::new(parsed, kid))
        })
        .collect()
}

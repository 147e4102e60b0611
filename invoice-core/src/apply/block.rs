//! Executing a whole block again: what every validator, every replay and every audit does.

use super::block_signatures::BlockSignatures;
use super::key_ring::KeyRing;
use super::{BlockPosition, Candidate, Execution, Recorded, Verdict};
use crate::calendar::Instant;
use crate::chain::{
    Authorization, Block, BlockEnvelope, ChainId, Entry, Genesis, Header, leaf_hashes,
};
use crate::crypto::{Hash, sm3_many};
use crate::merkle::Frontier;
use crate::record::parse_record;
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
#[derive(Debug)]
pub enum Signatures<'k> {
    /// Verify each: a block of strangers, or an audit.
    Verify {
        /// 32 fresh bytes of a cryptographic random source for each block, which nobody who made
        /// a signature could know before: with them many signatures are verified as one. The
        /// verdict does not depend on them.
        seed: [u8; 32],
        /// Keys that verified before.
        keys: &'k mut KeyRing,
    },
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
    #[error("its header's `{what}` is {stated}, executing it gives {found}")]
    Digest {
        /// Which member of the header.
        what: &'static str,
        /// What the header states.
        stated: String,
        /// What executing the block gives.
        found: String,
    },
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
/// The certificate is the caller's to check: it belongs to the engine.
///
/// # Errors
/// The block breaks a rule of the chain, or the state cannot be read.
pub fn execute_block<V: StateView>(
    point: &ChainPoint,
    state: &V,
    block: &Block,
    signatures: Signatures<'_>,
) -> Result<Executed, BlockFault<V::Error>> {
    let header = &block.header;
    let invalid = |reason| BlockFault::Invalid {
        height: header.height,
        reason,
    };
    continues(point, header).map_err(invalid)?;
    let validators = TypedState(state).validators_digest_at(header.height)?;
    if validators != Some(header.validators) {
        return Err(invalid(InvalidBlock::Discontinuous("validators")));
    }
    let position = BlockPosition {
        time: Instant::from_ms(header.time_ms),
        first_index: header.first_index,
        height: header.height,
    };
    let mut execution = Execution::new(state, position);
    let mut block_signatures = match signatures {
        Signatures::Verify { seed, keys } => {
            Some(BlockSignatures::new(&point.chain_id, seed, keys))
        }
        Signatures::Trust => None,
    };
    let run = run(&mut execution, block, block_signatures.as_mut());
    // A signature stands before the records that it covers, so a wrong one is the earlier fault.
    if let Some(index) = block_signatures.and_then(|all| all.first_wrong()) {
        return Err(invalid(InvalidBlock::Signature { index }));
    }
    let records = match run {
        Ok(records) => records,
        Err(Failure::Invalid(reason)) => return Err(invalid(reason)),
        Err(Failure::State(fault)) => return Err(fault.into()),
    };
    let leaf_hashes = leaf_hashes(block.leaves()).map_err(|_| {
        invalid(InvalidBlock::Unreadable {
            index: header.first_index,
        })
    })?;
    let mut frontier = point.frontier.clone();
    frontier.extend(&leaf_hashes);
    let changes = execution.finish();
    compare_header(header, leaf_hashes.len(), &frontier, &changes).map_err(invalid)?;
    Ok(Executed {
        changes,
        leaf_hashes,
        frontier,
        records,
    })
}

/// Compares what a header states with what executing its block gave.
fn compare_header(
    header: &Header,
    leaves: usize,
    frontier: &Frontier,
    changes: &Changes,
) -> Result<(), InvalidBlock> {
    let same = |what, stated: &dyn ToString, found: &dyn ToString| {
        let (stated, found) = (stated.to_string(), found.to_string());
        match stated == found {
            true => Ok(()),
            false => Err(InvalidBlock::Digest {
                what,
                stated,
                found,
            }),
        }
    };
    same("count", &header.count, &leaves)?;
    same("log_size", &header.log_size, &frontier.size())?;
    same("log_root", &header.log_root, &frontier.root())?;
    same("effects_root", &header.effects_root, &changes.root())
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

/// Why a block's records do not run.
pub(super) enum Failure<E> {
    State(Fault<E>),
    Invalid(InvalidBlock),
}

impl<E> From<Fault<E>> for Failure<E> {
    fn from(fault: Fault<E>) -> Self {
        Self::State(fault)
    }
}

impl<E> From<InvalidBlock> for Failure<E> {
    fn from(reason: InvalidBlock) -> Self {
        Self::Invalid(reason)
    }
}

/// Executes the records of a block and compares their outcomes.
fn run<V: StateView>(
    execution: &mut Execution<'_, V>,
    block: &Block,
    mut signatures: Option<&mut BlockSignatures<'_>>,
) -> Result<Vec<Recorded>, Failure<V::Error>> {
    let mut next_index = block.header.first_index;
    let mut hashes = record_hashes(block).into_iter();
    let mut records = Vec::new();
    for envelope in &block.envelopes {
        let first_index = next_index;
        let candidates = read_envelope(envelope, first_index, &mut hashes)?;
        if let Some(signatures) = signatures.as_deref_mut() {
            signatures.note(execution.state(), envelope, first_index)?;
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
            records.push(compare(entry, verdict, next_index)?);
            next_index = next_index.saturating_add(1);
        }
    }
    Ok(records)
}

/// What became of a record, when it is what stands beside it in the block.
fn compare(entry: &Entry, verdict: Verdict, index: u64) -> Result<Recorded, InvalidBlock> {
    match verdict {
        Verdict::Recorded(recorded) if recorded.outcome == entry.outcome => Ok(recorded),
        other @ (Verdict::Recorded(_)
        | Verdict::Replayed { .. }
        | Verdict::IdReused
        | Verdict::Inadmissible(_)
        | Verdict::Aborted) => {
            let found = format!("{other:?}");
            Err(InvalidBlock::Outcome { index, found })
        }
    }
}

/// SM3 of every record of a block, in order.
fn record_hashes(block: &Block) -> Vec<Hash> {
    let entries = block
        .envelopes
        .iter()
        .flat_map(|envelope| &envelope.entries);
    let parts: Vec<[&[u8]; 1]> = entries.map(|entry| [entry.record.as_ref()]).collect();
    let messages: Vec<&[&[u8]]> = parts.iter().map(<[&[u8]; 1]>::as_slice).collect();
    sm3_many(&messages)
}

fn read_envelope(
    envelope: &BlockEnvelope,
    first_index: u64,
    hashes: &mut impl Iterator<Item = Hash>,
) -> Result<Vec<Candidate>, InvalidBlock> {
    let kid = envelope.authorization.kid();
    (first_index..)
        .zip(envelope.entries.iter().zip(hashes))
        .map(|(index, (entry, hash))| {
            let parsed =
                parse_record(&entry.record).map_err(|_| InvalidBlock::Unreadable { index })?;
            Ok(Candidate::hashed(parsed, Some(kid), hash))
        })
        .collect()
}

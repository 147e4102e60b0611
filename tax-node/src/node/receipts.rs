//! Receipts and records read back from the log.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use invoice_api::registry::Place;
use invoice_core::calendar::Instant;
use invoice_core::chain::{
    self, BatchProof, BatchTree, BlockEnvelope, Genesis, Inclusion, Outcome, Receipt,
    ReceiptAuthorization, ReceiptSignature, ValidatorHistory,
};
use invoice_core::crypto::Hash;
use invoice_core::merkle::{self, ProofError};
use invoice_core::record::{Record, parse_record};
use invoice_core::state::TypedState;

use super::pipeline::fresh::Named;
use super::registry::NodeError;
use crate::store::{BlockOutline, Damage, ReadError, Snapshot, StoredLeaf};

/// A record as it stands in the log.
#[derive(Debug, Clone)]
pub(super) struct LoggedRecord {
    pub(super) record: Record,
    /// The exact bytes, which are UTF-8.
    pub(super) text: String,
    pub(super) outcome: Outcome,
    pub(super) place: Place,
}

/// The record at a leaf index; `None` beyond the end of the log.
pub(super) fn logged(snapshot: &Snapshot, index: u64) -> Result<Option<LoggedRecord>, NodeError> {
    let Some(place) = super::documents::place(snapshot, index)? else {
        return Ok(None);
    };
    let leaf = leaf(snapshot, index)?;
    let damaged = || NodeError::Read(Damage::new("leaves", index, "not a record").into());
    let record = match parse_record(&leaf.record).map(|parsed| parsed.record) {
        Ok(Ok(record)) => record,
        Ok(Err(_)) | Err(_) => return Err(damaged()),
    };
    let text = String::from_utf8(leaf.record).map_err(|_| damaged())?;
    Ok(Some(LoggedRecord {
        record,
        text,
        outcome: leaf.outcome,
        place,
    }))
}

fn leaf(snapshot: &Snapshot, index: u64) -> Result<StoredLeaf, NodeError> {
    Ok(StoredLeaf::decode(&leaf_bytes(snapshot, index)?)?)
}

/// The hash of a leaf in the log's tree.
pub(super) fn leaf_hash(snapshot: &Snapshot, index: u64) -> Result<Hash, NodeError> {
    Ok(merkle::leaf_hash(&leaf_bytes(snapshot, index)?))
}

fn leaf_bytes(snapshot: &Snapshot, index: u64) -> Result<Vec<u8>, NodeError> {
    let missing = || ReadError::from(Damage::new("leaves", index, "missing"));
    Ok(snapshot.leaf(index)?.ok_or_else(missing)?)
}

/// Makes receipts. Neighbours mostly share a block and an envelope, which it reads once.
pub(super) struct Receipts<'s> {
    snapshot: &'s Snapshot,
    genesis: &'s Genesis,
    history: Arc<ValidatorHistory>,
    outline: Option<Arc<BlockOutline>>,
    batch: Option<Batch>,
    /// Hashes of subtrees of the log that some path has needed: the next one needs most of them.
    nodes: HashMap<(u8, u64), Hash>,
    /// Heights that were looked up, by leaf index.
    heights: BTreeMap<u64, u64>,
}

/// The tree that a batch's signature signs, by the batch's first leaf.
struct Batch {
    first: u64,
    tree: Option<BatchTree>,
}

impl<'s> Receipts<'s> {
    pub(super) fn new(
        snapshot: &'s Snapshot,
        genesis: &'s Genesis,
        history: Arc<ValidatorHistory>,
    ) -> Self {
        Self {
            snapshot,
            genesis,
            history,
            outline: None,
            batch: None,
            nodes: HashMap::new(),
            heights: BTreeMap::new(),
        }
    }

    pub(super) fn snapshot(&self) -> &'s Snapshot {
        self.snapshot
    }

    /// What became of the record at an index.
    pub(super) fn outcome(&self, index: u64) -> Result<Outcome, NodeError> {
        Ok(leaf(self.snapshot, index)?.outcome)
    }

    /// The height of the block that holds the record at an index.
    pub(super) fn height(&mut self, index: u64) -> Result<u64, NodeError> {
        // A block's leaves are neighbours: what lies between two of a block is of that block.
        let below = self.heights.range(..=index).next_back();
        let above = self.heights.range(index..).next();
        if let (Some((_, low)), Some((_, high))) = (below, above)
            && low == high
        {
            return Ok(*low);
        }
        let missing = || ReadError::from(Damage::new("leaves", index, "missing"));
        let height = self.snapshot.height_of_leaf(index)?.ok_or_else(missing)?;
        self.heights.insert(index, height);
        Ok(height)
    }

    /// The receipt of the record at an index: the same bytes whenever it is asked for.
    pub(super) fn receipt(&mut self, index: u64) -> Result<Receipt, NodeError> {
        let damaged = |fault| NodeError::Read(Damage::new("leaves", index, fault).into());
        let outline = self.outline(index)?;
        let leaf = leaf(self.snapshot, index)?;
        // What was judged when it was recorded is not judged again for each receipt.
        let Named { by, id } =
            serde_json::from_slice(&leaf.record).map_err(|_| damaged("not a record"))?;
        let record = String::from_utf8(leaf.record).map_err(|_| damaged("not UTF-8"))?;
        let key = TypedState(self.snapshot).key(&leaf.kid)?;
        let public_key = key
            .ok_or_else(|| damaged("signed with an unknown key"))?
            .public_key;
        let (envelope, first) = outline
            .envelope_of(index)
            .ok_or_else(|| damaged("in no envelope of its block"))?;
        let sig = envelope.authorization.signature();
        let batch = self.batch_proof(&outline, first, index)?;
        let tree_size = outline.header.log_size;
        let path = self.inclusion_path(index, tree_size)?;
        let signatures = outline
            .certificate
            .signatures
            .iter()
            .map(|(kid, sig)| ReceiptSignature {
                kid: *kid,
                sig: *sig,
            })
            .collect();
        Ok(Receipt {
            chain_id: self.genesis.chain_id().clone(),
            by,
            id,
            record,
            outcome: leaf.outcome,
            height: outline.header.height,
            index,
            time: Instant::from_ms(outline.header.time_ms).to_rfc3339_utc8(),
            inclusion: Inclusion { tree_size, path },
            round: outline.certificate.round,
            signatures,
            header: outline.header.clone(),
            authorization: ReceiptAuthorization {
                kid: leaf.kid,
                public_key,
                sig,
                batch,
            },
            validator_changes: self.history.changes_at(outline.header.height),
        })
    }

    /// The path from a leaf to the root of the log when it had `tree_size` leaves.
    fn inclusion_path(&mut self, index: u64, tree_size: u64) -> Result<Vec<Hash>, NodeError> {
        let node = |level, place| match self.nodes.entry((level, place)) {
            Entry::Occupied(known) => Ok(*known.get()),
            Entry::Vacant(unknown) => self
                .snapshot
                .node(level, place)
                .map(|hash| *unknown.insert(hash)),
        };
        merkle::inclusion_path(index, tree_size, node).map_err(|error| match error {
            ProofError::Node(error) => NodeError::Read(error),
            ProofError::OutOfRange => {
                NodeError::Read(Damage::new("leaves", index, "has no inclusion path").into())
            }
        })
    }

    /// The outline of the block that holds a leaf.
    fn outline(&mut self, index: u64) -> Result<Arc<BlockOutline>, NodeError> {
        let held = self.outline.take().filter(|outline| {
            (outline.header.first_index..outline.header.log_size).contains(&index)
        });
        let outline = match held {
            Some(outline) => outline,
            None => {
                let missing = || ReadError::from(Damage::new("blocks", index, "missing"));
                let height = self.snapshot.height_of_leaf(index)?.ok_or_else(missing)?;
                self.snapshot.outline(height)?.ok_or_else(missing)?
            }
        };
        Ok(Arc::clone(self.outline.insert(outline)))
    }

    /// The path from a record to the root that its batch signs; `None` for a single record.
    fn batch_proof(
        &mut self,
        outline: &BlockOutline,
        first: u64,
        index: u64,
    ) -> Result<Option<BatchProof>, NodeError> {
        let Some((envelope, _)) = outline.envelope_of(index) else {
            return Ok(None);
        };
        if matches!(
            envelope.authorization,
            invoice_core::chain::Authorization::Single { .. }
        ) {
            return Ok(None);
        }
        if self.batch.as_ref().is_none_or(|batch| batch.first != first) {
            let entries = self
                .snapshot
                .leaves(first, envelope.entries)?
                .iter()
                .map(|bytes| {
                    let StoredLeaf {
                        record, outcome, ..
                    } = StoredLeaf::decode(bytes)?;
                    Ok(chain::Entry {
                        record: record.into(),
                        outcome,
                    })
                })
                .collect::<Result<Vec<_>, NodeError>>()?;
            let authorization = envelope.authorization.clone();
            let envelope = BlockEnvelope {
                authorization,
                entries,
                parity: None,
            };
            let tree = envelope.batch_tree();
            self.batch = Some(Batch { first, tree });
        }
        let entry = usize::try_from(index.saturating_sub(first)).unwrap_or(usize::MAX);
        Ok(self
            .batch
            .as_ref()
            .and_then(|batch| batch.tree.as_ref()?.proof(entry)))
    }
}

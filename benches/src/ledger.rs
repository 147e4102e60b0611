//! A chain in a real store, a block at a time, without a node around it: for measuring the parts.

use std::path::Path;

use invoice_core::apply::{BlockPosition, Candidate, ChainPoint, Execution, Verdict};
use invoice_core::apply::{Recorded, genesis_changes};
use invoice_core::calendar::Instant;
use invoice_core::chain::{
    Authorization, Block, BlockEnvelope, Certificate, Entry, Genesis, Header, Leaf,
};
use invoice_core::crypto::messages::precommit_message;
use invoice_core::crypto::{Hash, SecretKeySigner, Signer};
use invoice_core::merkle::Frontier;
use invoice_core::record::{Record, parse_record};
use invoice_core::state::{Changes, Overlay};
use tax_node::node::rows_over;
use tax_node::store::{CommittedBlock, IndexRows, NewChain, OpenOptions, Snapshot, Store, Tuning};

use crate::cast::Player;

/// Whatever went wrong, as text: a benchmark can only stop.
pub type Failure = Box<dyn std::error::Error>;

/// A chain that is extended by hand.
pub struct Ledger {
    store: Store,
    genesis: Genesis,
    validator: SecretKeySigner,
    point: ChainPoint,
}

/// A block that only waits to be written.
pub struct Ready {
    /// The block.
    pub block: Block,
    /// The leaves' hashes.
    pub leaf_hashes: Vec<Hash>,
    /// The validator's signature.
    pub certificate: Certificate,
    changes: Changes,
    rows: IndexRows,
    frontier: Frontier,
}

impl Ledger {
    /// A new chain in a folder.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn create(
        folder: &Path,
        genesis: Genesis,
        validator: SecretKeySigner,
        cache_bytes: usize,
    ) -> Result<Self, Failure> {
        let new = NewChain {
            genesis: genesis.bytes(),
            genesis_hash: genesis.hash(),
            time_ms: genesis.time_ms(),
            state: &genesis_changes(&genesis),
        };
        Store::create(folder, &new)?;
        let options = OpenOptions {
            genesis_hash: genesis.hash(),
            certified: &|_, _, _| true,
            cache_bytes,
            tuning: Tuning::default(),
        };
        let store = Store::open(folder, &options)?;
        let point = ChainPoint::genesis(&genesis);
        Ok(Self {
            store,
            genesis,
            validator,
            point,
        })
    }

    /// The genesis file.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The state as the store holds it.
    ///
    /// # Errors
    /// The store fails.
    pub fn snapshot(&self) -> Result<Snapshot, Failure> {
        Ok(self.store.snapshot()?)
    }

    /// Executes envelopes, each of one member, over the last block, and signs the block. An
    /// envelope of one record is a single, others are batches; what is refused is an error.
    ///
    /// The members' signatures are not made: the store does not look at them.
    ///
    /// # Errors
    /// A record is not accepted, or the store fails.
    pub fn prepare(&self, envelopes: &[(&Player, Vec<Record>)]) -> Result<Ready, Failure> {
        let snapshot = self.store.snapshot()?;
        let time = Instant::from_ms(self.point.time.ms() + 1);
        let first_index = self.point.frontier.size();
        let position = BlockPosition {
            time,
            first_index,
            height: self.point.height + 1,
        };
        let mut execution = Execution::new(&snapshot, position);
        let mut frontier = self.point.frontier.clone();
        let (mut leaf_hashes, mut recorded, mut sealed) = (Vec::new(), Vec::new(), Vec::new());
        let signature = self.validator.sign(b"a member's signature")?;
        for (by, records) in envelopes {
            let kid = by.signer.public_key().kid();
            let mut entries = Vec::with_capacity(records.len());
            for record in records {
                let text = record.to_json().into_bytes();
                let parsed = parse_record(&text).map_err(|errors| format!("{errors:?}"))?;
                let done = accepted(execution.execute(&Candidate::new(parsed, kid))?)?;
                let leaf = Leaf {
                    kid,
                    record: &text,
                    outcome: &done.outcome,
                };
                let hash = leaf.hash()?;
                frontier.push(hash);
                leaf_hashes.push(hash);
                entries.push(Entry {
                    record: text.into(),
                    outcome: done.outcome.clone(),
                });
                recorded.push(done);
            }
            let count = u32::try_from(entries.len())?;
            let authorization = match count {
                1 => Authorization::Single { kid, signature },
                _ => Authorization::Batch {
                    kid,
                    signature,
                    atomic: false,
                    count,
                    omitted: Vec::new(),
                },
            };
            sealed.push(BlockEnvelope {
                authorization,
                entries,
                parity: None,
            });
        }
        let changes = execution.finish();
        let header = Header {
            chain_id: self.point.chain_id.clone(),
            height: self.point.height + 1,
            time_ms: time.ms(),
            previous: self.point.block_id,
            first_index,
            count: u32::try_from(leaf_hashes.len())?,
            log_size: frontier.size(),
            log_root: frontier.root(),
            effects_root: changes.root(),
            validators: self.genesis.validators().digest(),
        };
        let certificate = self.certify(&header)?;
        let block = Block {
            header,
            envelopes: sealed,
        };
        let after = Overlay {
            base: &snapshot,
            changes: &changes,
        };
        let rows = rows_over(&after, &recorded)?;
        Ok(Ready {
            block,
            leaf_hashes,
            certificate,
            changes,
            rows,
            frontier,
        })
    }

    fn certify(&self, header: &Header) -> Result<Certificate, Failure> {
        let kid = self.validator.public_key().kid();
        let id = header.id();
        let message = precommit_message(&header.chain_id, header.height, 0, &id, &kid);
        let signature = self.validator.sign(&message)?;
        Ok(Certificate::new(
            header.height,
            0,
            id,
            vec![(kid, signature)],
        ))
    }

    /// Writes a block durably, as the node does.
    ///
    /// # Errors
    /// The store fails, or the block was not prepared over the last one.
    pub fn commit(&mut self, ready: &Ready) -> Result<(), Failure> {
        self.store.commit_block(&CommittedBlock {
            block: &ready.block,
            certificate: &ready.certificate,
            changes: &ready.changes,
            leaf_hashes: &ready.leaf_hashes,
            rows: &ready.rows,
        })?;
        self.point = self
            .point
            .after(&ready.block.header, ready.frontier.clone());
        Ok(())
    }
}

fn accepted(verdict: Verdict) -> Result<Recorded, Failure> {
    if let Verdict::Recorded(recorded) = &verdict
        && recorded.outcome.is_accepted()
    {
        return Ok(recorded.clone());
    }
    Err(format!("not accepted: {verdict:?}").into())
}

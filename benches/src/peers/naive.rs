//! The pipeline that comes to mind first: verify a record with the crate's own call, execute it,
//! write the block into ordered tables, sync. One thread, one table of state, no hints, no
//! batches of signatures, nothing compressed, proofs left to be computed when asked for.
//!
//! It executes with the same rules and builds the same blocks with the same hashes.

use std::borrow::Cow;
use std::path::Path;
use std::time::Instant as Clock;

use bytes::Bytes;
use invoice_core::apply::{
    BlockPosition, Candidate, ChainPoint, Execution, Verdict, genesis_changes,
};
use invoice_core::calendar::Instant;
use invoice_core::chain::{Genesis, Header, Leaf};
use invoice_core::crypto::messages::precommit_message;
use invoice_core::crypto::{SecretKeySigner, Signer as _};
use invoice_core::record::parse_record;
use invoice_core::state::{Changes, StateView, Table};
use redb::{Database, Durability, ReadTransaction, ReadableDatabase as _, TableDefinition};

use super::{Signed, Took, Verifier};
use crate::Failure;
use crate::load::process;
use crate::load::tally::Latencies;

const STATE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("state");
const RECORDS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("records");
const LEAVES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("leaves");
const BLOCKS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("blocks");

/// A chain in plain tables.
pub struct Naive {
    database: Database,
    genesis: Genesis,
    verifier: Verifier,
    validator: SecretKeySigner,
    point: ChainPoint,
}

fn row(table: Table, key: &[u8]) -> Vec<u8> {
    let place = Table::ALL.iter().position(|other| *other == table);
    let mut row = vec![u8::try_from(place.unwrap_or(usize::MAX)).unwrap_or(u8::MAX)];
    row.extend_from_slice(key);
    row
}

/// The state as it was when the transaction began.
struct View(redb::ReadOnlyTable<&'static [u8], &'static [u8]>);

impl StateView for View {
    type Error = redb::StorageError;

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>, Self::Error> {
        let value = self.0.get(row(table, key).as_slice())?;
        Ok(value.map(|value| Cow::Owned(value.value().to_vec())))
    }
}

impl Naive {
    /// A new chain in a folder.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn create(
        folder: &Path,
        genesis: Genesis,
        verifier: Verifier,
        validator: SecretKeySigner,
    ) -> Result<Self, Failure> {
        let database = Database::create(folder.join("naive.redb"))?;
        let this = Self {
            point: ChainPoint::genesis(&genesis),
            database,
            genesis,
            verifier,
            validator,
        };
        this.write(&genesis_changes(&this.genesis), &[], &[], None)?;
        Ok(this)
    }

    fn write(
        &self,
        changes: &Changes,
        records: &[(Vec<u8>, [u8; 32])],
        block: &[u8],
        height: Option<u64>,
    ) -> Result<(), Failure> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        {
            let mut state = transaction.open_table(STATE)?;
            for (table, key, value) in changes.iter() {
                let key = row(table, key);
                match value {
                    Some(value) => drop(state.insert(key.as_slice(), value)?),
                    None => drop(state.remove(key.as_slice())?),
                }
            }
            let (mut bodies, mut leaves) = (
                transaction.open_table(RECORDS)?,
                transaction.open_table(LEAVES)?,
            );
            for (index, (record, leaf)) in (self.point.frontier.size()..).zip(records) {
                bodies.insert(index, record.as_slice())?;
                leaves.insert(index, leaf.as_slice())?;
            }
            if let Some(height) = height {
                transaction.open_table(BLOCKS)?.insert(height, block)?;
            }
        }
        Ok(transaction.commit()?)
    }

    fn view(transaction: &ReadTransaction) -> Result<View, Failure> {
        Ok(View(transaction.open_table(STATE)?))
    }

    /// Verifies, executes and commits records as one block. Gives how many were accepted.
    fn block(&mut self, lines: &[Bytes]) -> Result<usize, Failure> {
        let transaction = self.database.begin_read()?;
        let view = Self::view(&transaction)?;
        let time = Instant::from_ms(self.point.time.ms() + 1);
        let first_index = self.point.frontier.size();
        let position = BlockPosition {
            time,
            first_index,
            height: self.point.height + 1,
        };
        let mut execution = Execution::new(&view, position);
        let mut frontier = self.point.frontier.clone();
        let (mut records, mut accepted) = (Vec::new(), 0);
        for line in lines {
            let signed = Signed::read(line)?;
            if !self.verifier.verify(&signed) {
                continue;
            }
            let Ok(parsed) = parse_record(&signed.record) else {
                continue;
            };
            let candidate = Candidate::new(parsed, signed.kid);
            let verdict = execution
                .execute(&candidate)
                .map_err(|fault| fault.to_string())?;
            let Verdict::Recorded(recorded) = verdict else {
                continue;
            };
            accepted += usize::from(recorded.outcome.is_accepted());
            let leaf = Leaf {
                kid: signed.kid,
                record: &signed.record,
                outcome: &recorded.outcome,
            };
            let hash = leaf.hash()?;
            frontier.push(hash);
            let mut body = signed.kid.as_bytes().to_vec();
            body.extend_from_slice(signed.signature.signature.as_bytes());
            body.extend_from_slice(&signed.record);
            records.push((body, *hash.as_bytes()));
        }
        let changes = execution.finish();
        let header = Header {
            chain_id: self.point.chain_id.clone(),
            height: self.point.height + 1,
            time_ms: time.ms(),
            previous: self.point.block_id,
            first_index,
            count: u32::try_from(records.len())?,
            log_size: frontier.size(),
            log_root: frontier.root(),
            effects_root: changes.root(),
            validators: self.genesis.validators().digest(),
        };
        let kid = self.validator.public_key().kid();
        let message = precommit_message(&header.chain_id, header.height, 0, &header.id(), &kid);
        let signature = self.validator.sign(&message)?;
        let mut block = header.encode().to_vec();
        block.extend_from_slice(signature.as_bytes());
        drop(view);
        self.write(&changes, &records, &block, Some(header.height))?;
        self.point = self.point.after(&header, frontier);
        Ok(accepted)
    }

    /// Takes records in blocks of so many.
    ///
    /// # Errors
    /// The database fails.
    pub fn run(&mut self, who: &str, lines: &[Bytes], block: usize) -> Result<Took, Failure> {
        let (mut latencies, mut accepted) = (Latencies::default(), 0);
        let cpu = process::cpu_seconds(None).unwrap_or(0.0);
        let started = Clock::now();
        for part in lines.chunks(block.max(1)) {
            let started = Clock::now();
            accepted += self.block(part)?;
            latencies.push(started.elapsed());
        }
        let seconds = started.elapsed().as_secs_f64();
        let cpu = process::cpu_seconds(None).unwrap_or(0.0) - cpu;
        Ok(Took::new(
            who,
            lines.len(),
            accepted,
            seconds,
            latencies,
            cpu,
        ))
    }
}

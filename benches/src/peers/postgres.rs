//! PostgreSQL with the same documents and the same claim rule.
//!
//! Loaded as fast as it honestly goes: one transaction for a thousand records, each batch one
//! prepared statement over arrays (`unnest`), one connection for each core. COPY would have to go
//! through a table of its own, since it knows no `ON CONFLICT`, and writes everything twice. A
//! claim is locked only if so much is free, by one conditional update in the same transaction.

use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use bytes::Bytes;
use invoice_core::record::{Body, parse_record};
use postgres::{Client, NoTls, Statement};

use super::{Signed, Took, Verifier, cpu_of};
use crate::Failure;
use crate::load::process;
use crate::load::tally::Latencies;

const SCHEMA: &str = include_str!("schema.sql");

const ISSUE: &str = "\
INSERT INTO document (key, by, id, kind, issue_date, buyer, total, kid, signature, record) \
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], \
$7::bigint[], $8::bytea[], $9::bytea[], $10::text[]) ON CONFLICT DO NOTHING";

const LOCK: &str = "\
WITH asked AS (\
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bytea[], \
  $6::bytea[], $7::text[]) AS a(by, id, document, amount, kid, signature, record)), \
taken AS (\
  UPDATE document d SET locked = d.locked + a.amount FROM asked a \
  WHERE d.key = a.document AND d.total - d.locked - d.settled >= a.amount AND a.amount > 0 \
  AND NOT EXISTS (SELECT 1 FROM claim c WHERE c.by = a.by AND c.id = a.id) \
  RETURNING a.by, a.id, a.document, a.amount, a.kid, a.signature, a.record) \
INSERT INTO claim (by, id, document, amount, kid, signature, record) SELECT * FROM taken";

/// Records of one transaction.
const BATCH: usize = 1_000;

/// What is sent of a batch, by column.
#[derive(Default)]
struct Columns {
    keys: Vec<String>,
    by: Vec<String>,
    ids: Vec<String>,
    kinds: Vec<&'static str>,
    dates: Vec<String>,
    buyers: Vec<Option<String>>,
    amounts: Vec<i64>,
    kids: Vec<Vec<u8>>,
    signatures: Vec<Vec<u8>>,
    records: Vec<String>,
}

impl Columns {
    /// Reads and judges a record as the node does, and takes it apart.
    fn add(&mut self, signed: &Signed) -> Result<(), Failure> {
        let parsed = parse_record(&signed.record).map_err(|errors| format!("{errors:?}"))?;
        let record = parsed.record.map_err(|rules| format!("{rules:?}"))?;
        let document = record.body.document().ok_or("no document")?;
        self.keys.push(document.to_string());
        self.by.push(record.by.to_string());
        self.ids.push(record.id.to_string());
        if let Body::InvoiceIssue(issue) = &record.body {
            let invoice = &issue.invoice;
            self.kinds.push(invoice.kind.code());
            self.dates.push(invoice.issue_date.to_string());
            let buyer = invoice.buyer.organisation();
            self.buyers.push(buyer.map(|buyer| buyer.to_string()));
            self.amounts.push(invoice.total.get());
        } else if let Body::ClaimLock(lock) = &record.body {
            let amount = lock.amount.ok_or("a claim without an amount")?;
            self.amounts.push(amount.get());
        } else {
            return Err(format!("{:?}", record.record_type()).into());
        }
        self.kids.push(signed.kid.as_bytes().to_vec());
        let signature = signed.signature.signature.as_bytes();
        self.signatures.push(signature.to_vec());
        self.records
            .push(String::from_utf8(signed.record.to_vec())?);
        Ok(())
    }
}

/// What is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Documents.
    Issues,
    /// Claims on them.
    Locks,
}

/// A database.
pub struct Postgres<'a> {
    address: &'a str,
    /// Verifies in the client, when there is one.
    verifier: Option<&'a Verifier>,
}

impl<'a> Postgres<'a> {
    /// Empties the database and makes its tables.
    ///
    /// # Errors
    /// There is no such database.
    pub fn create(address: &'a str, verifier: Option<&'a Verifier>) -> Result<Self, Failure> {
        let mut client = Client::connect(address, NoTls)?;
        client.batch_execute("DROP TABLE IF EXISTS claim; DROP TABLE IF EXISTS document")?;
        client.batch_execute(SCHEMA)?;
        client.batch_execute("CHECKPOINT")?;
        Ok(Self { address, verifier })
    }

    /// Takes records, a thousand in a transaction, over as many connections as there are cores.
    ///
    /// # Errors
    /// The database fails.
    pub fn run(&self, who: &str, what: What, lines: &[Bytes]) -> Result<Took, Failure> {
        let connections = std::thread::available_parallelism().map_or(1, usize::from);
        let batches = Mutex::new(lines.chunks(BATCH));
        let cpu = || process::cpu_seconds(None).unwrap_or(0.0) + cpu_of("postgres");
        let mut clients = Vec::new();
        for _ in 0..connections {
            let mut client = Client::connect(self.address, NoTls)?;
            let statement = client.prepare(match what {
                What::Issues => ISSUE,
                What::Locks => LOCK,
            })?;
            clients.push((client, statement));
        }
        let before = cpu();
        let started = Instant::now();
        let results: Vec<Result<(usize, Latencies), Failure>> = std::thread::scope(|scope| {
            let workers: Vec<_> = clients
                .iter_mut()
                .map(|(client, statement)| {
                    let batches = &batches;
                    scope.spawn(move || {
                        let (mut accepted, mut latencies) = (0, Latencies::default());
                        loop {
                            let batch = batches.lock().map_err(|_| "lock")?.next();
                            let Some(batch) = batch else {
                                return Ok((accepted, latencies));
                            };
                            let started = Instant::now();
                            accepted += self.batch(client, statement, what, batch)?;
                            latencies.push(started.elapsed());
                        }
                    })
                })
                .collect();
            let ended = workers.into_iter().map(|worker| worker.join());
            ended
                .map(|worker| worker.unwrap_or_else(|_| Err("a thread ended early".into())))
                .collect()
        });
        let seconds = started.elapsed().as_secs_f64();
        let cpu = cpu() - before;
        let (mut accepted, mut latencies) = (0, Latencies::default());
        for result in results {
            let (more, times) = result?;
            accepted += more;
            latencies.add(&times);
        }
        Ok(Took::new(
            who,
            lines.len(),
            accepted,
            seconds,
            latencies,
            cpu,
        ))
    }

    fn batch(
        &self,
        client: &mut Client,
        statement: &Statement,
        what: What,
        lines: &[Bytes],
    ) -> Result<usize, Failure> {
        let mut columns = Columns::default();
        for line in lines {
            let signed = Signed::read(line)?;
            if self
                .verifier
                .is_none_or(|verifier| verifier.verify(&signed))
            {
                columns.add(&signed)?;
            }
        }
        let Columns {
            keys,
            by,
            ids,
            kinds,
            dates,
            buyers,
            amounts,
            kids,
            signatures,
            records,
        } = &columns;
        // Outside of an explicit transaction a statement is one of its own.
        let rows = match what {
            What::Issues => client.execute(
                statement,
                &[
                    keys, by, ids, kinds, dates, buyers, amounts, kids, signatures, records,
                ],
            )?,
            What::Locks => client.execute(
                statement,
                &[by, ids, keys, amounts, kids, signatures, records],
            )?,
        };
        Ok(usize::try_from(rows)?)
    }

    /// Bytes of tables and indexes. What the log of the database takes is left out in its favour.
    ///
    /// # Errors
    /// The database fails.
    pub fn bytes(&self) -> Result<u64, Failure> {
        let mut client = Client::connect(self.address, NoTls)?;
        let row = client.query_one(
            "SELECT pg_total_relation_size('document') + pg_total_relation_size('claim')",
            &[],
        )?;
        let bytes: i64 = row.get(0);
        Ok(u64::try_from(bytes)?)
    }

    /// What it says about itself and about how it syncs.
    ///
    /// # Errors
    /// The database fails.
    pub fn about(&self) -> Result<String, Failure> {
        let mut client = Client::connect(self.address, NoTls)?;
        let row = client.query_one(
            "SELECT version() || '; fsync ' || current_setting('fsync') || ', synchronous_commit ' \
             || current_setting('synchronous_commit') || ', full_page_writes ' || \
             current_setting('full_page_writes') || ', shared_buffers ' || \
             current_setting('shared_buffers')",
            &[],
        )?;
        Ok(row.get(0))
    }
}

/// The size of its whole folder, its log included; `None` where it may not be looked into.
#[must_use]
pub fn folder_bytes(folder: &Path) -> Option<u64> {
    process::disk_bytes(folder).ok()
}

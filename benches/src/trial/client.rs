//! A client that sends each record until somebody says that it is final, and writes down what it
//! was told.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use invoice_core::calendar;
use invoice_core::chain::ChainId;
use invoice_core::crypto::messages::record_message;
use invoice_core::crypto::{Signer as _, sm3};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::About;
use crate::Failure;
use crate::cast::{Cast, Player};
use crate::documents::{self, Press, Profile};
use crate::load::http::Connection;

/// How long an answer may take before the same bytes go to another node.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait after a node that did not answer well.
const PAUSE: Duration = Duration::from_millis(100);
/// Of so many records one is sent to two nodes at the same time.
const TWICE_OF: u64 = 10;
/// Of so many documents one is claimed by two members at the same time.
const CLAIMED_OF: u64 = 5;

/// One answer that settles what became of a record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Told {
    /// SM3 of the record's bytes, in hexadecimal.
    pub sm3: String,
    /// Whether it was accepted; else it was refused by a rule of state, and that is recorded.
    pub accepted: bool,
    /// Height and leaf index, where the answer is a receipt.
    pub place: Option<(u64, u64)>,
    /// Place of the node that answered, from 0.
    pub node: usize,
    /// How often it was sent.
    pub attempts: u32,
    /// From the first sending, in milliseconds.
    pub ms: u64,
}

/// What a client does.
pub struct Work<'a> {
    /// The trial.
    pub about: &'a About,
    /// Its members.
    pub cast: &'a Cast,
    /// The chain's name.
    pub chain: &'a ChainId,
    /// The nodes.
    pub nodes: Vec<SocketAddr>,
    /// The client's number among so many: each has issuers of its own.
    pub number: (usize, usize),
    /// Where the numbers of its documents begin.
    pub first_serial: u64,
    /// Documents a second.
    pub rate: f64,
    /// Where what it was told is written.
    pub log: &'a Path,
}

struct Client {
    nodes: Vec<SocketAddr>,
    log: Mutex<File>,
    settled: AtomicU64,
    attempts: AtomicU64,
    wrong: AtomicBool,
}

/// Sends until `stop` is ready, then finishes what was begun. Gives how many records were settled.
///
/// # Errors
/// A node said two things that contradict each other, or what no node may say.
pub async fn run(work: Work<'_>, stop: impl Future<Output = ()>) -> Result<u64, Failure> {
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(work.log)?;
    let client = Arc::new(Client {
        nodes: work.nodes,
        log: Mutex::new(log),
        settled: AtomicU64::new(0),
        attempts: AtomicU64::new(0),
        wrong: AtomicBool::new(false),
    });
    let at = calendar::Instant::from_ms(work.about.at_ms);
    let press = Press::new(work.cast, Profile::Usual, work.about.setting.seed, at);
    let (own, of) = work.number;
    let issuers: Vec<usize> = (own..work.cast.issuers.len()).step_by(of.max(1)).collect();
    let mut dice = StdRng::seed_from_u64(work.about.setting.seed ^ own as u64);
    let mut ticks = tokio::time::interval(Duration::from_secs_f64(1.0 / work.rate.max(0.1)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut senders: JoinSet<Result<(), Failure>> = JoinSet::new();
    let mut serial = work.first_serial;
    tokio::pin!(stop);
    'records: loop {
        for issuer in issuers.iter().copied() {
            tokio::select! {
                () = &mut stop => break 'records,
                _ = ticks.tick() => {}
            }
            if press.is_merchant(issuer) {
                let record = press.record(issuer, serial);
                let by = &work.cast.issuers[issuer].player;
                let number = serial * work.cast.issuers.len() as u64 + issuer as u64;
                let issue = Sent::new(work.chain, by, record.to_json(), dice.random())?;
                let claims = number.is_multiple_of(CLAIMED_OF).then(|| {
                    let claims = [number, number + 1];
                    claims.map(|number| documents::lock(work.cast, &record, number))
                });
                let mut locks = Vec::new();
                for (claimant, claim) in claims.into_iter().flatten().flatten() {
                    locks.push(Sent::new(
                        work.chain,
                        claimant,
                        claim.to_json(),
                        dice.random(),
                    )?);
                }
                let client = Arc::clone(&client);
                senders.spawn(async move {
                    client.settle(&issue).await?;
                    let locks = locks.iter().map(|lock| client.settle(lock));
                    for settled in join_all(locks).await {
                        settled?;
                    }
                    Ok(())
                });
            }
            while let Some(done) = senders.try_join_next() {
                done??;
            }
            if client.wrong.load(Ordering::Relaxed) {
                break 'records;
            }
        }
        serial += 1;
    }
    while let Some(done) = senders.join_next().await {
        done??;
    }
    let settled = client.settled.load(Ordering::Relaxed);
    eprintln!(
        "已定 / settled {settled}，发送 / sent {}",
        client.attempts.load(Ordering::Relaxed)
    );
    Ok(settled)
}

/// Waits for all, side by side.
async fn join_all<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = all.map(Box::pin).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|context| {
        waiting.retain_mut(|one| match one.as_mut().poll(context) {
            std::task::Poll::Ready(value) => {
                done.push(value);
                false
            }
            std::task::Poll::Pending => true,
        });
        match waiting.is_empty() {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done
}

/// A signed record on its way.
struct Sent {
    envelope: Vec<u8>,
    sm3: String,
    /// Where it goes first, and whether to a second node as well.
    dice: u64,
}

impl Sent {
    fn new(chain: &ChainId, by: &Player, record: String, dice: u64) -> Result<Self, Failure> {
        let signature = by.signer.sign(&record_message(chain, record.as_bytes()))?;
        let kid = by.signer_key().kid();
        Ok(Self {
            sm3: sm3(&[record.as_bytes()]).to_string(),
            envelope: format!("{{\"kid\":\"{kid}\",\"sig\":\"{signature}\",\"record\":{record}}}")
                .into_bytes(),
            dice,
        })
    }
}

#[derive(Deserialize)]
struct Receipt {
    height: u64,
    index: u64,
}

impl Client {
    /// Sends a record until it is settled, to two nodes at once now and then: both must say the
    /// same.
    async fn settle(&self, sent: &Sent) -> Result<(), Failure> {
        let first = usize::try_from(sent.dice % self.nodes.len().max(1) as u64).unwrap_or(0);
        let one = self.until_told(sent, first);
        if !(sent.dice >> 32).is_multiple_of(TWICE_OF) {
            let told = one.await?;
            return self.note(&told);
        }
        let (one, other) = tokio::join!(one, self.until_told(sent, first + 1));
        let (one, other) = (one?, other?);
        if one.place != other.place || one.accepted != other.accepted {
            self.wrong.store(true, Ordering::Relaxed);
            return Err(format!("两次应答不同 / two answers differ: {one:?} {other:?}").into());
        }
        self.note(&one)
    }

    fn note(&self, told: &Told) -> Result<(), Failure> {
        let mut line = serde_json::to_vec(told)?;
        line.push(b'\n');
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.write_all(&line)?;
        self.settled.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn until_told(&self, sent: &Sent, first: usize) -> Result<Told, Failure> {
        let started = Instant::now();
        let mut attempts = 0;
        loop {
            let node = (first + attempts as usize) % self.nodes.len().max(1);
            attempts += 1;
            self.attempts.fetch_add(1, Ordering::Relaxed);
            let address = self.nodes[node];
            let asked = tokio::time::timeout(PATIENCE, post(address, &sent.envelope)).await;
            if let Ok(Ok((status, body))) = asked {
                let place = match status {
                    200 | 201 => {
                        let receipt: Receipt = serde_json::from_slice(&body)?;
                        Some((receipt.height, receipt.index))
                    }
                    409 => None,
                    // Not now, or the node is going: another one knows.
                    429 | 503 => {
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    }
                    other => {
                        let body = String::from_utf8_lossy(&body).into_owned();
                        return Err(format!("{address}: {other}: {body}").into());
                    }
                };
                return Ok(Told {
                    sm3: sent.sm3.clone(),
                    accepted: place.is_some(),
                    place,
                    node,
                    attempts,
                    ms: u64::try_from(started.elapsed().as_millis())?,
                });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn post(address: SocketAddr, body: &[u8]) -> Result<(u16, Vec<u8>), Failure> {
    let mut connection = Connection::open(address).await?;
    let mut answer = Vec::new();
    let path = "/v1/records";
    let status = connection.ask("POST", path, "", body, &mut answer).await?;
    Ok((status, answer))
}

//! SIGKILL under load, again and again: what was acknowledged is there, with the same receipt.

use std::collections::HashMap;
use std::env;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::value::RawValue;

use crate::support::process::{Server, run, serve, serve_args};
use crate::support::records::{Document, id_of, lock};
use crate::support::{Answer, Demo, Http, Member};

/// Clients that submit all the time.
const CLIENTS: u64 = 6;
/// Receipts that are looked up after each restart, the newest first.
const LOOKED_UP: usize = 24;

/// A record whose receipt a client holds.
#[derive(Clone)]
struct Acknowledged {
    by: Member,
    record: String,
    receipt: String,
}

/// What all clients together hold.
#[derive(Default)]
struct Held {
    all: Mutex<Vec<Acknowledged>>,
    /// Requests that met no answer: how often the load was really cut off.
    cut_off: Mutex<u64>,
}

impl Held {
    fn keep(&self, acknowledged: Acknowledged) {
        self.all.lock().unwrap().push(acknowledged);
    }

    fn newest(&self) -> Vec<Acknowledged> {
        let all = self.all.lock().unwrap();
        all.iter().rev().take(LOOKED_UP).cloned().collect()
    }
}

/// One client: issues, locks, sends again.
struct Client {
    http: Http,
    merchant: Member,
    employer: Member,
    held: Arc<Held>,
    stop: Arc<AtomicBool>,
    random: StdRng,
}

impl Client {
    async fn run(mut self) {
        while !self.stop.load(Ordering::Relaxed) {
            match self.random.random_range(0..10) {
                0..6 => self.issue_and_lock().await,
                6..8 => self.issue_a_batch().await,
                _ => self.send_an_old_one_again().await,
            }
        }
    }

    async fn issue_and_lock(&mut self) {
        let document = Document::invoice(&self.merchant, None);
        let (merchant, employer) = (self.merchant.clone(), self.employer.clone());
        self.submit(&merchant, document.text()).await;
        let claim = lock(&employer, &document.key, "employer", None);
        self.submit(&employer, claim).await;
    }

    /// Hands in a record until it is answered: the same bytes, whatever happened to the answer.
    async fn submit(&mut self, by: &Member, record: String) {
        let Some(answer) = self.until_answered(self.http.envelope(by, &record)).await else {
            return;
        };
        assert!(
            matches!(answer.status, 200 | 201),
            "{}: {}",
            answer.status,
            answer.text()
        );
        let receipt = answer.text().to_owned();
        let by = by.clone();
        self.held.keep(Acknowledged {
            by,
            record,
            receipt,
        });
    }

    async fn issue_a_batch(&mut self) {
        let count = self.random.random_range(2..12);
        let records: Vec<_> = (0..count)
            .map(|_| Document::invoice(&self.merchant, None).text())
            .collect();
        let atomic = self.random.random_bool(0.5);
        let envelope = self.http.batch(&self.merchant, &records, atomic);
        let Some(answer) = self.until_answered(envelope).await else {
            return;
        };
        #[derive(serde::Deserialize)]
        struct Results {
            results: Vec<Line>,
        }
        #[derive(serde::Deserialize)]
        struct Line {
            status: u16,
            receipt: Box<RawValue>,
        }
        let answer = answer.is(200);
        let found: Results = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(found.results.len(), records.len());
        for (record, line) in records.into_iter().zip(found.results) {
            assert!(matches!(line.status, 200 | 201), "{}", line.status);
            self.held.keep(Acknowledged {
                by: self.merchant.clone(),
                record,
                receipt: line.receipt.get().to_owned(),
            });
        }
    }

    async fn send_an_old_one_again(&mut self) {
        let old = {
            let all = self.held.all.lock().unwrap();
            if all.is_empty() {
                return;
            }
            all[self.random.random_range(0..all.len())].clone()
        };
        let envelope = self.http.envelope(&old.by, &old.record);
        if let Some(answer) = self.until_answered(envelope).await {
            assert_replayed(&answer, &old);
        }
    }

    /// `None` when the test ends first.
    async fn until_answered(&mut self, envelope: Vec<u8>) -> Option<Answer> {
        loop {
            match Http::try_send(self.http.posting(envelope.clone())).await {
                // The node is starting or stopping: not now.
                Ok(answer) if answer.status == 503 => {}
                Ok(answer) => return Some(answer),
                Err(_) => *self.held.cut_off.lock().unwrap() += 1,
            }
            if self.stop.load(Ordering::Relaxed) {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[track_caller]
fn assert_replayed(answer: &Answer, held: &Acknowledged) {
    assert_eq!(answer.status, 200, "{}: {}", held.record, answer.text());
    assert_eq!(answer.header("Idempotent-Replayed"), Some("true"));
    assert_eq!(answer.text(), held.receipt);
}

/// Every acknowledged record is found by its member and id, with the receipt that was given.
async fn look_up(http: &Http, newest: &[Acknowledged]) {
    for held in newest {
        let path = format!("/v1/records/{}/{}", held.by.id, id_of(&held.record));
        let found = http.ask(&held.by, &path).await.is(200);
        assert_eq!(found.json()["state"], "final", "{}", held.record);
        assert_eq!(found.receipt().as_deref(), Some(held.receipt.as_str()));
    }
}

fn number_from_environment(name: &str, otherwise: u64) -> u64 {
    env::var(name)
        .ok()
        .map_or(otherwise, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_every_kill() {
    let kills = number_from_environment("PIAOLIAN_KILLS", 100);
    let seed = number_from_environment("PIAOLIAN_SEED", rand::random());
    println!("PIAOLIAN_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut demo = Demo::start();
    let held = Arc::new(Held::default());
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let place = usize::try_from(number % 2).unwrap() + 1;
            let client = Client {
                http: demo.http.clone(),
                merchant: demo.member("merchant", place),
                employer: demo.member("employer", place),
                held: Arc::clone(&held),
                stop: Arc::clone(&stop),
                random: StdRng::seed_from_u64(seed.wrapping_add(number + 1)),
            };
            tokio::spawn(client.run())
        })
        .collect();

    let mut server = demo.server.take().unwrap();
    let mut killed = 0;
    while killed < kills {
        let millis = random.random_range(20..700);
        tokio::time::sleep(Duration::from_millis(millis)).await;
        server.kill();
        killed += 1;
        // Sometimes the next one comes while the node is still opening its store.
        while killed < kills && random.random_bool(0.25) {
            let mut child = Server::spawn(&serve_args(demo.path()));
            let millis = random.random_range(0..250);
            tokio::time::sleep(Duration::from_millis(millis)).await;
            child.kill().unwrap();
            child.wait().unwrap();
            killed += 1;
        }
        server = serve(demo.path()).expect("the node starts after a kill");
        demo.http.moved_to(&server.url);
        look_up(&demo.http, &held.newest()).await;
        if clients.iter().any(tokio::task::JoinHandle::is_finished) {
            break;
        }
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }

    let all = std::mem::take(&mut *held.all.lock().unwrap());
    let cut_off = *held.cut_off.lock().unwrap();
    println!(
        "{killed} kills, {} receipts, {cut_off} lost answers",
        all.len()
    );
    assert!(killed >= kills && !all.is_empty() && cut_off > 0);
    let mut leaves = HashMap::new();
    stream::iter(&all)
        .for_each_concurrent(16, |held| {
            let http = &demo.http;
            async move {
                let answer = http.post(http.envelope(&held.by, &held.record)).await;
                assert_replayed(&answer, held);
            }
        })
        .await;
    for held in &all {
        let receipt = invoice_core::chain::Receipt::parse(held.receipt.as_bytes()).unwrap();
        assert_eq!(receipt.record, held.record);
        // No two records share a leaf.
        let other = leaves.insert(receipt.index, &held.record);
        assert!(other.is_none_or(|other| *other == held.record));
    }
    assert!(demo.http.tree_size().await >= leaves.len() as u64);
    for held in all.iter().step_by(97) {
        let receipt = invoice_core::chain::Receipt::parse(held.receipt.as_bytes()).unwrap();
        receipt.verify(&demo.genesis).unwrap();
    }

    assert!(server.end().success());
    let verified = run(&["--json", "verify", "--data", demo.path().to_str().unwrap()]);
    let said = String::from_utf8_lossy(&verified.stdout);
    assert_eq!(verified.status.code(), Some(0), "{said}");
}

//! The way of records through a node, without HTTP: order, fairness, bounds, and what is answered.

mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use invoice_api::registry::{
    RecordState, RecordVerdict, Recorded, Registry, Submission, Submitted, UnavailableReason,
};
use invoice_core::crypto::{PublicKey, SecretKey, SecretKeySigner, SignError, Signature, Signer};
use tax_node::node::{Node, NodeConfig, Stopped, system_clock};
use tokio::sync::oneshot;
use world::World;

/// A node on a new folder.
struct Running {
    node: Node,
    ended: oneshot::Receiver<Stopped>,
    _folder: tempfile::TempDir,
}

fn start(world: &World, signer: Arc<dyn Signer>) -> Running {
    let folder = tempfile::tempdir().unwrap();
    Node::create(folder.path(), &world.genesis).unwrap();
    let (node, ended) = Node::start(NodeConfig {
        data: folder.path().to_owned(),
        genesis: world.genesis.clone(),
        signer,
        consortium: None,
        clock: system_clock(),
        cache_bytes: 16 * 1024 * 1024,
        disk_reserve_bytes: 0,
        verify_threads: 2,
        oversight: false,
        webhook_networks: Default::default(),
    })
    .unwrap();
    Running {
        node,
        ended,
        _folder: folder,
    }
}

fn validator() -> Arc<dyn Signer> {
    Arc::new(SecretKeySigner::new(
        SecretKey::from_bytes(&[9; 32]).unwrap(),
    ))
}

/// The one record of an answer that must be on the chain and accepted.
fn accepted(answer: Submitted) -> Recorded {
    let mut answers = answer.unwrap();
    assert_eq!(answers.len(), 1);
    let answer = answers.remove(0);
    let RecordVerdict::Final(recorded) = answer.verdict else {
        panic!("{answer:?}")
    };
    assert!(recorded.outcome.is_accepted(), "{recorded:?}");
    recorded
}

/// A record signed by nobody: the signature is of other bytes.
fn junk(world: &World, serial: u32) -> Submission {
    let seller = &world.sellers[0];
    let record = Bytes::from(world.record(seller, serial));
    Submission {
        records: vec![record],
        ..world.single(seller, 0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_made_from_memory_are_those_that_are_read_back() {
    let world = World::new(2);
    let running = start(&world, validator());
    let node = &running.node;
    let mut first = 0;
    for round in 0..4_u32 {
        let seller = &world.sellers[usize::try_from(round % 2).unwrap()];
        let mut submissions = vec![
            world.single(seller, first),
            world.batch(seller, first + 1..first + 8),
            world.single(seller, first + 8),
        ];
        // The second record of this batch is a repetition, so its leaf is left out.
        submissions.push(world.batch(seller, first + 8..first + 11));
        first += 11;
        for submission in &mut submissions {
            submission.receipts = true;
        }
        for answers in node.submit_many(submissions).await {
            for answer in answers.unwrap() {
                let RecordVerdict::Final(recorded) = answer.verdict else {
                    panic!("{answer:?}")
                };
                let receipt = recorded.receipt.unwrap();
                receipt.verify(&world.genesis).unwrap();
                let id = answer.id.unwrap();
                let asker = World::asker(seller);
                let found = node.record_by_id(&asker, seller.id, id).await.unwrap();
                let RecordState::Final(read_back) = found else {
                    panic!("{found:?}")
                };
                assert_eq!(
                    serde_json::to_string(&*receipt).unwrap(),
                    serde_json::to_string(&*read_back).unwrap()
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_member_sends_in_order_is_recorded_in_order() {
    let world = World::new(3);
    let running = start(&world, validator());
    let mut streams = Vec::new();
    for seller in &world.sellers {
        let submissions: Vec<_> = (0..600)
            .map(|serial| world.single(seller, serial))
            .collect();
        let node = running.node.clone();
        streams.push(tokio::spawn(async move {
            // Handed over in pieces of all sizes, each without waiting for the one before.
            let (mut rest, mut pieces, mut size) = (submissions, Vec::new(), 1);
            while !rest.is_empty() {
                let behind = rest.split_off(size.min(rest.len()));
                pieces.push(node.submit_many(rest));
                rest = behind;
                size = size % 97 + 3;
            }
            let answers = futures_util::future::join_all(pieces).await;
            answers
                .into_iter()
                .flatten()
                .map(|answer| accepted(answer).index)
                .collect::<Vec<u64>>()
        }));
    }
    for stream in streams {
        let indexes = stream.await.unwrap();
        assert_eq!(indexes.len(), 600);
        assert!(indexes.is_sorted(), "{indexes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn junk_in_one_members_name_does_not_stand_before_what_another_sends() {
    let world = World::new(2);
    let running = start(&world, validator());
    let answered = Arc::new(AtomicUsize::new(0));
    let mut floods = Vec::new();
    let junk = junk(&world, 1);
    for _ in 0..15 {
        let (node, answered) = (running.node.clone(), Arc::clone(&answered));
        let junk = vec![junk.clone(); 1_000];
        floods.push(tokio::spawn(async move {
            for answer in node.submit_many(junk).await {
                let verdict = &answer.unwrap()[0].verdict;
                assert!(matches!(verdict, RecordVerdict::Unauthenticated(_)));
                answered.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    // The flood is 15,000 signatures, all bad; most of it waits when the first are answered.
    while answered.load(Ordering::Relaxed) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let honest: Vec<_> = (0..200)
        .map(|serial| world.single(&world.sellers[1], serial))
        .collect();
    for answer in running.node.submit_many(honest).await {
        accepted(answer);
    }
    let before = answered.load(Ordering::Relaxed);
    assert!(before < 15_000, "all bad ones went first");
    for flood in floods {
        flood.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_refused_beyond_what_may_wait() {
    let world = World::new(1);
    let running = start(&world, validator());
    let mut stranger = junk(&world, 1);
    stranger.kid = Some("00".repeat(16));
    let each = stranger.records[0].len();
    let waiting = |node: &Node| {
        let gauges = node.gauges();
        let bytes = gauges.iter().find(|gauge| gauge.name == "waiting_bytes");
        usize::try_from(bytes.unwrap().value).unwrap()
    };
    let (mut most, mut floods) = (0, Vec::new());
    for _ in 0..100 {
        let (node, flood) = (running.node.clone(), vec![stranger.clone(); 1_000]);
        floods.push(tokio::spawn(async move {
            let answers = node.submit_many(flood).await;
            let refused = answers.iter().filter(|answer| {
                matches!(answer, Err(error) if error.reason == UnavailableReason::Overloaded)
            });
            refused.count()
        }));
        most = most.max(waiting(&running.node));
    }
    let mut refused = 0;
    for flood in floods {
        most = most.max(waiting(&running.node));
        refused += flood.await.unwrap();
    }
    // A lane holds 16,384 envelopes; 100 hand-overs may be counting theirs at the same moment.
    assert!(refused > 0, "nothing was refused");
    assert!(most < 60_000 * each, "{most} bytes waited");
    assert_eq!(waiting(&running.node), 0);
    // And then there is room again.
    accepted(
        running
            .node
            .submit(world.single(&world.sellers[0], 7))
            .await,
    );
}

/// A key that stops answering after some signatures.
struct Failing {
    inner: Arc<dyn Signer>,
    left: AtomicUsize,
}

impl Signer for Failing {
    fn public_key(&self) -> &PublicKey {
        self.inner.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        let left = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
        match left {
            Ok(_) => self.inner.sign(message),
            Err(_) => Err(SignError::Unavailable("unplugged".to_owned())),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_engine_fails_everyone_who_waits_is_told() {
    let world = World::new(2);
    let signer = Failing {
        inner: validator(),
        left: AtomicUsize::new(1),
    };
    let running = start(&world, Arc::new(signer));
    accepted(
        running
            .node
            .submit(world.single(&world.sellers[0], 0))
            .await,
    );
    let mut waiting = Vec::new();
    for seller in &world.sellers {
        for first in (1..400).step_by(40) {
            let submissions: Vec<_> = (first..first + 40)
                .map(|serial| world.single(seller, serial))
                .collect();
            let node = running.node.clone();
            waiting.push(tokio::spawn(
                async move { node.submit_many(submissions).await },
            ));
        }
    }
    for answers in waiting {
        for answer in answers.await.unwrap() {
            let error = answer.unwrap_err();
            assert_eq!(error.reason, UnavailableReason::StorageFailed);
        }
    }
    assert!(running.ended.await.unwrap().is_err());
    let readiness = running.node.readiness();
    assert!(!readiness.storage_ok);
    let late = running
        .node
        .submit(world.single(&world.sellers[0], 9_000))
        .await;
    assert_eq!(late.unwrap_err().reason, UnavailableReason::StorageFailed);
}

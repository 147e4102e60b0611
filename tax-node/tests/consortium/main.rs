//! Several nodes in one process, with real links, logs and stores.

#[path = "../pipeline/world.rs"]
#[allow(dead_code, reason = "the tests of the pipeline use the rest")]
mod world;

mod clock;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use invoice_api::registry::{RecordVerdict, Recorded, Registry, Submitted};
use invoice_core::crypto::{SecretKey, SecretKeySigner, Signer};
use tax_node::links::{Peer, Role};
use tax_node::node::{Clock, ConsortiumConfig, Node, NodeConfig, Stopped, system_clock};
use tokio::sync::oneshot;
use world::World;

/// Numbers of the validators' keys.
const VALIDATORS: [u8; 4] = [101, 102, 103, 104];
/// Number of the key of a node without a vote.
const SUPERVISOR: u8 = 111;

fn signer(number: u8) -> Arc<dyn Signer> {
    Arc::new(SecretKeySigner::new(
        SecretKey::from_bytes(&[number; 32]).unwrap(),
    ))
}

/// The nodes of a consortium; some of them run.
struct Consortium {
    world: World,
    folder: tempfile::TempDir,
    addresses: Vec<(u8, SocketAddr)>,
}

/// A node that runs.
struct Running {
    node: Node,
    ended: oneshot::Receiver<Stopped>,
}

impl Consortium {
    fn new() -> Self {
        let numbers = VALIDATORS.into_iter().chain([SUPERVISOR]);
        // All at once, so that no port is given twice.
        let listeners: Vec<(u8, TcpListener)> = numbers
            .map(|number| (number, TcpListener::bind("127.0.0.1:0").unwrap()))
            .collect();
        let addresses = listeners
            .iter()
            .map(|(number, listener)| (*number, listener.local_addr().unwrap()))
            .collect();
        let consortium = Self {
            world: World::with_validators(3, &VALIDATORS),
            folder: tempfile::tempdir().unwrap(),
            addresses,
        };
        for (number, _) in &consortium.addresses {
            Node::create(&consortium.data(*number), &consortium.world.genesis).unwrap();
        }
        consortium
    }

    fn data(&self, number: u8) -> std::path::PathBuf {
        let data = self.folder.path().join(number.to_string());
        std::fs::create_dir_all(&data).unwrap();
        data
    }

    fn start(&self, number: u8) -> Running {
        self.start_with_clock(number, system_clock())
    }

    /// Starts a node whose clock is another.
    fn start_with_clock(&self, number: u8, clock: Clock) -> Running {
        let peers = self.addresses.iter().map(|(number, address)| Peer {
            name: number.to_string(),
            address: Some(address.to_string()),
            public_key: signer(*number).public_key().clone(),
            role: match *number {
                SUPERVISOR => Role::Supervisor,
                _ => Role::Validator,
            },
        });
        let own = self.addresses.iter().find(|(of, _)| *of == number);
        let (node, ended) = Node::start(NodeConfig {
            data: self.data(number),
            genesis: self.world.genesis.clone(),
            signer: signer(number),
            consortium: Some(ConsortiumConfig {
                listen: own.map(|(_, address)| *address),
                peers: peers.collect(),
                timeouts: Default::default(),
                tuning: Default::default(),
                limits: Default::default(),
            }),
            clock,
            cache_bytes: 16 * 1024 * 1024,
            disk_reserve_bytes: 0,
            verify_threads: 1,
            oversight: false,
            webhook_networks: Default::default(),
        })
        .unwrap();
        Running { node, ended }
    }
}

impl Running {
    /// Waits until the node takes records: it sees a quorum.
    async fn takes_records(&self) {
        let begin = Instant::now();
        while self.node.readiness().refusing.is_some() {
            assert!(begin.elapsed() < Duration::from_secs(60), "no quorum");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the node has so many blocks.
    async fn reaches(&self, height: u64) {
        let begin = Instant::now();
        while self.node.readiness().height < height {
            assert!(begin.elapsed() < Duration::from_secs(60), "stuck");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn stop(self) {
        self.node.stop();
        drop(self.node);
        self.ended.await.unwrap().unwrap();
    }
}

fn recorded(answer: Submitted) -> Recorded {
    let mut answers = answer.unwrap();
    assert_eq!(answers.len(), 1);
    let answer = answers.remove(0);
    let RecordVerdict::Final(recorded) = answer.verdict else {
        panic!("{answer:?}")
    };
    recorded
}

#[tokio::test(flavor = "multi_thread")]
async fn records_sent_to_any_node_become_final_once_on_all() {
    let consortium = Consortium::new();
    let nodes: Vec<Running> = VALIDATORS
        .into_iter()
        .chain([SUPERVISOR])
        .map(|number| consortium.start(number))
        .collect();
    for node in &nodes {
        node.takes_records().await;
    }
    let world = &consortium.world;
    // Each record goes to two nodes at once: one records it, the other hears the same.
    let answers = (0..60_u32).map(|serial| {
        let seller = &world.sellers[serial as usize % 3];
        let (one, other) = (serial as usize % 5, (serial as usize + 2) % 5);
        let (one, other) = (&nodes[one].node, &nodes[other].node);
        async move {
            let single = || world.single(seller, serial);
            tokio::join!(one.submit(single()), other.submit(single()))
        }
    });
    let mut places = Vec::new();
    for (one, other) in futures_util::future::join_all(answers).await {
        let (one, other) = (recorded(one), recorded(other));
        assert!(one.outcome.is_accepted());
        assert_eq!(one.index, other.index);
        assert_eq!(one.outcome, other.outcome);
        places.push(one.index);
    }
    places.sort_unstable();
    assert_eq!(places, (0..60).collect::<Vec<u64>>());
    let height = nodes[0].node.readiness().height;
    for node in &nodes {
        node.reaches(height).await;
    }
    for node in nodes {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_without_another_node_is_refused_and_the_former_one_stays() {
    let consortium = Consortium::new();
    let three = VALIDATORS.into_iter().take(3);
    let nodes: Vec<Running> = three.map(|number| consortium.start(number)).collect();
    for node in &nodes {
        node.takes_records().await;
    }
    let itself = Peer {
        name: "itself".to_owned(),
        address: None,
        public_key: signer(VALIDATORS[0]).public_key().clone(),
        role: Role::Validator,
    };
    for list in [Vec::new(), vec![itself]] {
        let refused = nodes[0].node.set_peers(list).unwrap_err();
        assert!(refused.to_string().contains("peers.json"), "{refused}");
    }
    // Each of the three is needed.
    let world = &consortium.world;
    recorded(
        nodes[0]
            .node
            .submit(world.single(&world.sellers[0], 1))
            .await,
    );
    for node in nodes {
        node.stop().await;
    }
}

//! Engines that do not decide what this node built last.

#[path = "../../tests/pipeline/world.rs"]
#[allow(dead_code, reason = "the tests of the pipeline use the rest")]
mod world;

use invoice_api::registry::{RecordVerdict, Registry};
use invoice_core::chain::{Block, Certificate};
use invoice_core::crypto::SecretKeySigner;
use invoice_core::crypto::messages::precommit_message;

use super::super::clock::system_clock;
use super::*;
use crate::engine::{Application, Build, BuildRequest, EngineError, Replica, Validity};
use world::World;

/// Proposes anew now and then, and sometimes decides a block as if another node had built it.
struct Changing {
    signer: Arc<dyn Signer>,
}

impl Changing {
    fn certify(
        &self,
        application: &dyn Application,
        block: &Block,
    ) -> Result<Certificate, EngineError> {
        let (kid, id) = (self.signer.public_key().kid(), block.header.id());
        let height = block.header.height;
        let message = precommit_message(application.chain_id(), height, 0, &id, &kid);
        let signature = self.signer.sign(&message)?;
        Ok(Certificate::new(height, 0, id, vec![(kid, signature)]))
    }
}

const REQUEST: BuildRequest = BuildRequest {
    patience: Duration::from_millis(500),
    empty: false,
};

impl Engine for Changing {
    fn run(self, application: &mut dyn Replica) -> Result<(), EngineError> {
        let mut first: Option<Block> = None;
        let mut turn = 0_u32;
        loop {
            let block = match application.build(REQUEST)? {
                Build::Block(block) => *block,
                Build::Idle => continue,
                Build::Finished => return Ok(()),
            };
            assert_eq!(application.check(&block)?, Validity::Valid);
            turn += 1;
            match (turn % 3, first.take()) {
                // This proposal is lost; its records come again.
                (0, _) => first = Some(block),
                // The lost one is decided after all, and this one is not.
                (1, Some(earlier)) => {
                    assert_eq!(application.check(&earlier)?, Validity::Valid);
                    let certificate = self.certify(application, &earlier)?;
                    application.commit(earlier, certificate)?;
                }
                _ => {
                    let certificate = self.certify(application, &block)?;
                    application.commit(block, certificate)?;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_a_lost_proposal_come_again_first_and_once() {
    let world = World::new(1);
    let seller = &world.sellers[0];
    let folder = tempfile::tempdir().unwrap();
    Node::create(folder.path(), &world.genesis).unwrap();
    let config = || NodeConfig {
        data: folder.path().to_owned(),
        genesis: world.genesis.clone(),
        consortium: None,
        signer: Arc::new(SecretKeySigner::new(
            invoice_core::crypto::SecretKey::from_bytes(&[9; 32]).unwrap(),
        )),
        clock: system_clock(),
        cache_bytes: 16 * 1024 * 1024,
        disk_reserve_bytes: 0,
        verify_threads: 2,
        oversight: false,
        webhook_networks: Default::default(),
    };
    let (node, ended) = Node::start_with(config(), |config, _| {
        Ok(Changing {
            signer: Arc::clone(&config.signer),
        })
    })
    .unwrap();
    let mut answers = Vec::new();
    for burst in (0..480).step_by(40) {
        let pieces = (burst..burst + 40).step_by(8).map(|first| {
            let piece = (first..first + 8).map(|serial| world.single(seller, serial));
            node.submit_many(piece.collect())
        });
        answers.extend(futures_util::future::join_all(pieces).await);
    }
    let indexes: Vec<u64> = answers
        .into_iter()
        .flatten()
        .map(|answer| {
            let answers = answer.unwrap();
            let RecordVerdict::Final(recorded) = &answers[0].verdict else {
                panic!("{answers:?}")
            };
            assert!(recorded.outcome.is_accepted());
            recorded.index
        })
        .collect();
    assert_eq!(indexes, (0..480).collect::<Vec<u64>>());
    node.stop();
    ended.await.unwrap().unwrap();
    drop(node);
    // What is on disk executes to what it states.
    let (node, _) = Node::start(config()).unwrap();
    assert!(node.readiness().height >= 6);
    node.stop();
}

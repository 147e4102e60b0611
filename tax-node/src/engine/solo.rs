//! Agreement with oneself: the chain of a single validator.

use std::sync::Arc;
use std::time::Duration;

use invoice_core::chain::Certificate;
use invoice_core::crypto::Signer;
use invoice_core::crypto::messages::precommit_message;

use super::{Build, BuildRequest, Engine, EngineError, Replica, Validity};

/// Decides every block that its own application builds and finds valid.
///
/// It signs the same precommit bytes as a validator among several and verifies its certificate by
/// the same rule, so what it leaves on disk is the beginning of a chain that others can join.
/// A block that was signed and not committed before a crash never left this process.
pub struct Solo {
    signer: Arc<dyn Signer>,
}

impl Solo {
    /// An engine that signs with this key.
    #[must_use]
    pub fn new(signer: Arc<dyn Signer>) -> Self {
        Self { signer }
    }
}

/// The only round of a height that nobody contests.
const ROUND: u32 = 0;

/// Alone there is no reason for a block without records.
const REQUEST: BuildRequest = BuildRequest {
    patience: Duration::from_millis(500),
    empty: false,
};

impl Engine for Solo {
    fn run(self, application: &mut dyn Replica) -> Result<(), EngineError> {
        let kid = self.signer.public_key().kid();
        loop {
            let block = match application.build(REQUEST)? {
                Build::Block(block) => *block,
                Build::Idle => continue,
                Build::Finished => return Ok(()),
            };
            let height = block.header.height;
            if let Validity::Invalid { reason, .. } = application.check(&block)? {
                return Err(EngineError::OwnBlock { height, reason });
            }
            let block_id = block.header.id();
            let message = precommit_message(application.chain_id(), height, ROUND, &block_id, &kid);
            let signature = self.signer.sign(&message)?;
            let certificate = Certificate::new(height, ROUND, block_id, vec![(kid, signature)]);
            certificate
                .verify(&application.validators(height), application.chain_id())
                .map_err(EngineError::NotAlone)?;
            application.commit(block, certificate)?;
        }
    }
}

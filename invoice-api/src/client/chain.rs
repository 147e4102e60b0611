//! The public face of the chain: checkpoints and proofs.

use bytes::Bytes;
use invoice_core::chain::ChainId;
use invoice_core::crypto::Hash;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Client;
use super::error::ClientError;

/// The newest final header and the signatures over it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Checkpoint {
    /// The chain's name, a part of every signed message.
    pub chain_id: ChainId,
    /// Everything else: height, tree size, root, time, header, signatures.
    #[serde(flatten)]
    pub other: serde_json::Map<String, Value>,
}

/// The path from a leaf to a root of the log.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct InclusionProof {
    /// Sibling hashes from the leaf upwards (RFC 6962 §2.1.1).
    pub path: Vec<Hash>,
    /// Everything else that the answer says.
    #[serde(flatten)]
    pub other: serde_json::Map<String, Value>,
}

/// The proof that one size of the log continues another.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct ConsistencyProof {
    /// The hashes of RFC 6962 §2.1.2.
    pub path: Vec<Hash>,
    /// Everything else that the answer says.
    #[serde(flatten)]
    pub other: serde_json::Map<String, Value>,
}

/// What is read of a genesis file to know the chain's name.
#[derive(Deserialize)]
struct Named {
    chain_id: ChainId,
}

impl Client {
    /// The newest checkpoint.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn checkpoint(&self) -> Result<Checkpoint, ClientError> {
        self.answer(&self.get(&["checkpoint"], &[]))
            .await?
            .into_value()
    }

    /// The name of the chain, as the server says. Whoever has the genesis file should rather take
    /// it from there: a signature made for a false name is worth nothing, but it is made.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn chain_id(&self) -> Result<ChainId, ClientError> {
        match self.checkpoint().await {
            Ok(checkpoint) => Ok(checkpoint.chain_id),
            // A chain without a block has no checkpoint yet, but it has its first file.
            Err(ClientError::Refused(problem)) if problem.status == 404 => {
                let genesis = self.answer(&self.get(&["genesis"], &[])).await?;
                Ok(genesis.into_value::<Named>()?.chain_id)
            }
            Err(error) => Err(error),
        }
    }

    /// The exact bytes of the genesis file, as the server has it. What is to be trusted comes from
    /// elsewhere; this is for comparing.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn genesis(&self) -> Result<Bytes, ClientError> {
        let answer = self.answer(&self.get(&["genesis"], &[])).await?;
        match answer.status {
            200 => Ok(answer.body),
            _ => Err(answer.into_error()),
        }
    }

    /// The node's figures for monitoring, as OpenMetrics text.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn metrics(&self) -> Result<String, ClientError> {
        let answer = self.answer(&self.outside(&["metrics"])).await?;
        match answer.status {
            200 => Ok(String::from_utf8_lossy(&answer.body).into_owned()),
            _ => Err(answer.into_error()),
        }
    }

    /// One block without any content.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn block(&self, height: u64) -> Result<Value, ClientError> {
        self.answer(&self.get(&["blocks", &height.to_string()], &[]))
            .await?
            .into_value()
    }

    /// The path of leaf `index` in the log of `tree_size` leaves.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn inclusion_proof(
        &self,
        index: u64,
        tree_size: u64,
    ) -> Result<InclusionProof, ClientError> {
        let (index, size) = (index.to_string(), tree_size.to_string());
        let query = [("index", index.as_str()), ("tree_size", size.as_str())];
        self.answer(&self.get(&["proofs", "inclusion"], &query))
            .await?
            .into_value()
    }

    /// The proof that the log of `to` leaves continues the log of `from` leaves.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn consistency_proof(
        &self,
        from: u64,
        to: u64,
    ) -> Result<ConsistencyProof, ClientError> {
        let (from, to) = (from.to_string(), to.to_string());
        let query = [("from", from.as_str()), ("to", to.as_str())];
        self.answer(&self.get(&["proofs", "consistency"], &query))
            .await?
            .into_value()
    }
}

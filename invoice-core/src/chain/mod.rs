//! What stands on the chain and what proves it: blocks, headers, certificates, the log's leaves,
//! the genesis file and receipts.

mod batch_tree;
mod block;
mod certificate;
mod chain_id;
mod genesis;
mod header;
mod leaf;
mod outcome;
mod receipt;
mod receipt_json;
mod receipt_proof;
mod validator_history;
mod validator_list;
mod wire;

pub use batch_tree::BatchTree;
pub use block::{
    Authorization, BATCH_RECORDS_MAX, BLOCK_BYTES_MAX, BLOCK_RECORDS_MAX, BatchProof, Block,
    BlockEnvelope, Entry, RECORD_BYTES_MAX,
};
pub use certificate::{
    Certificate, CertificateError, VALIDATORS_MAX, Validator, ValidatorSet, ValidatorSetError,
};
pub use chain_id::{ChainId, ChainIdError};
pub use genesis::{
    GENESIS_BYTES_MAX, GENESIS_FORMAT, GENESIS_MEMBERS_MAX, Genesis, GenesisError, GenesisMember,
};
pub use header::{HEADER_BYTES, Header};
pub use leaf::{Leaf, leaf_hashes};
pub use outcome::{CODE_BYTES_MAX, FACTS_MAX, Facts, Outcome};
pub use receipt::{
    Inclusion, RECEIPT_BYTES_MAX, Receipt, ReceiptAuthorization, ReceiptFault, ReceiptSignature,
};
pub use validator_history::{
    ChangeFault, FROM_HEIGHT_AHEAD_MAX, FROM_HEIGHT_AHEAD_MIN, VALIDATOR_CHANGES_MAX,
    ValidatorChange, ValidatorChanges, ValidatorHistory,
};
pub use validator_list::{Group, VALIDATOR_NAME_CHARS_MAX};

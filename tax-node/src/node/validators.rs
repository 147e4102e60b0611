//! Who decides on which heights: read from the state, proved from the log, kept in memory.

use std::sync::{Arc, PoisonError, RwLock};

use invoice_core::chain::{
    Certificate, ChangeFault, Genesis, Header, ValidatorChange, ValidatorHistory, ValidatorSet,
};
use invoice_core::state::{Changes, Fault, StateView, Table, TypedState, ValidatorsEntry};

use super::receipts::Receipts;
use super::registry::NodeError;
use crate::store::{ReadError, Snapshot};

/// Why the validators are not known.
#[derive(Debug, thiserror::Error)]
pub enum ValidatorsError {
    /// The state cannot be read.
    #[error(transparent)]
    State(#[from] Fault<ReadError>),
    /// The log cannot be read.
    #[error("the record of a change of the validators cannot be read: {0}")]
    Log(String),
    /// A change does not verify.
    #[error(transparent)]
    Change(#[from] ChangeFault),
    /// The state and the log say different things.
    #[error("the validators from height {0} on are not those of the log")]
    Differ(u64),
}

impl From<NodeError> for ValidatorsError {
    fn from(error: NodeError) -> Self {
        Self::Log(error.to_string())
    }
}

/// The validators of a chain, shared by all who need them.
#[derive(Debug)]
pub(super) struct Validators {
    genesis: Genesis,
    history: RwLock<Arc<ValidatorHistory>>,
}

impl Validators {
    /// Reads all changes from the store and verifies each.
    pub(super) fn load(snapshot: &Snapshot, genesis: &Genesis) -> Result<Self, ValidatorsError> {
        let validators = Self {
            genesis: genesis.clone(),
            history: RwLock::new(Arc::new(ValidatorHistory::new(genesis))),
        };
        validators.refresh(snapshot)?;
        Ok(validators)
    }

    /// What is known now.
    pub(super) fn history(&self) -> Arc<ValidatorHistory> {
        let history = self.history.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&history)
    }

    /// The validators of a height.
    pub(super) fn at(&self, height: u64) -> Arc<ValidatorSet> {
        Arc::clone(self.history().at(height))
    }

    /// Takes over what a block that is in the store now changed of them.
    pub(super) fn advance(
        &self,
        snapshot: impl FnOnce() -> Result<Snapshot, ReadError>,
        changes: &Changes,
    ) -> Result<(), ValidatorsError> {
        if changes.has_any(Table::Validators) {
            self.refresh(&snapshot().map_err(Fault::View)?)?;
        }
        Ok(())
    }

    fn refresh(&self, snapshot: &Snapshot) -> Result<(), ValidatorsError> {
        let mut history = ValidatorHistory::clone(&self.history());
        for entry in entries_after(snapshot, history.len() as u64)? {
            // Which changes the receipt itself would carry is left out of its proof.
            let known = Arc::new(history.clone());
            let receipt = Receipts::new(snapshot, &self.genesis, known).receipt(entry.index)?;
            history.push(Arc::new(ValidatorChange::from(receipt)))?;
            if **history.at(entry.from_height) != entry.set {
                return Err(ValidatorsError::Differ(entry.from_height));
            }
        }
        let mut shared = self.history.write().unwrap_or_else(PoisonError::into_inner);
        *shared = Arc::new(history);
        Ok(())
    }
}

/// The changes after the first `known` ones, oldest first.
fn entries_after(
    snapshot: &Snapshot,
    known: u64,
) -> Result<Vec<ValidatorsEntry>, Fault<ReadError>> {
    let state = TypedState(snapshot);
    let mut entries = Vec::new();
    let mut next = state.newest_validators()?;
    while let Some(entry) = next.filter(|entry| entry.number > known) {
        next = state.validators_from(entry.previous)?;
        entries.push(entry);
    }
    entries.reverse();
    Ok(entries)
}

/// Decides whether a certificate proves a header final, by the validators that a state names for its
/// height. The state itself is verified later: by the proofs of all changes, and by replay.
pub(crate) fn certified<V: StateView>(
    genesis: &Genesis,
    state: &V,
    header: &Header,
    certificate: &Certificate,
) -> bool {
    let entry = TypedState(state).validators_at(header.height);
    let Ok(Some(entry)) = entry else {
        return false;
    };
    header.validators == entry.set.digest()
        && certificate.height == header.height
        && certificate.verify(&entry.set, genesis.chain_id()).is_ok()
}

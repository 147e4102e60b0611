//! Names of members, read once for each answer.

use std::collections::HashMap;

use invoice_core::identity::MemberId;
use invoice_core::state::TypedState;
use oversight::Named;

use super::super::registry::NodeError;
use crate::store::Snapshot;

/// Looks names up and remembers them.
pub(super) struct Names<'s> {
    snapshot: &'s Snapshot,
    known: HashMap<MemberId, Option<String>>,
}

impl<'s> Names<'s> {
    pub(super) fn new(snapshot: &'s Snapshot) -> Self {
        Self {
            snapshot,
            known: HashMap::new(),
        }
    }

    /// Adds the name to a member.
    pub(super) fn add(&mut self, named: &mut Named) -> Result<(), NodeError> {
        named.name = match self.known.get(&named.id) {
            Some(name) => name.clone(),
            None => {
                let member = TypedState(self.snapshot).member(&named.id)?;
                let name = member.map(|member| member.name);
                self.known.insert(named.id, name.clone());
                name
            }
        };
        Ok(())
    }

    /// A member with its name.
    pub(super) fn of(&mut self, id: MemberId) -> Result<Named, NodeError> {
        let mut named = Named::from(id);
        self.add(&mut named)?;
        Ok(named)
    }
}

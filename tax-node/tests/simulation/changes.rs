//! Changes of the validators: who joins, who leaves, who gets another key.

use invoice_core::chain::ValidatorSet;
use invoice_core::crypto::Signer;

use crate::cast::{self, BEGIN_MS, signer, validator, validator_key};
use crate::plan::Change;
use crate::world::{Happening, World};

/// So many heights ahead of the chain a change takes effect, and a few more.
const AHEAD: u64 = 3;

impl World {
    /// Both bureaus change the validators.
    pub(crate) fn change(&mut self, change: Change) {
        let (from, present) = self.oracle.newest_validators();
        if from > self.oracle.height() + 1 {
            // One at a time.
            return;
        }
        let mut list = present.validators().to_vec();
        match change {
            Change::Add => {
                let place = self.plan.validators;
                list.push(validator(validator_key(place, false), place));
            }
            Change::Remove(node) => {
                let key = self.machines[node].config.signer.public_key().clone();
                list.retain(|one| one.public_key != key);
            }
            Change::Renew(node) => {
                let key = self.machines[node].config.signer.public_key().clone();
                for one in list.iter_mut().filter(|one| one.public_key == key) {
                    *one = validator(validator_key(node, true), node);
                }
            }
        }
        let Ok(next) = ValidatorSet::new(list) else {
            // Not every set can be made smaller.
            return;
        };
        if next.digest() == present.digest() {
            return;
        }
        let from_height = self.oracle.height() + AHEAD + self.dice.below(4);
        self.tally.changes += 1;
        self.note(40 << 8, &[], || {
            format!("{change:?} from height {from_height} on")
        });
        let now_ms = BEGIN_MS + self.now as i64;
        let record = cast::change(self.now, &present, &next, from_height, now_ms);
        let to = [self.any_node(), self.any_node()];
        self.want(record, &to, Vec::new());
    }

    /// Whoever decides by another key from the next height on is given it.
    pub(crate) fn renew_keys(&mut self) {
        let (from, newest) = self.oracle.newest_validators();
        if from > self.oracle.height() + 1 {
            return;
        }
        for node in 0..self.plan.validators {
            let key = validator_key(node, true);
            let public_key = signer(key).public_key().clone();
            let machine = &mut self.machines[node];
            let due = newest
                .validators()
                .iter()
                .any(|one| one.public_key == public_key);
            if due && machine.key != key {
                machine.key = key;
                self.tally.renewed += 1;
                let soon = self.dice.below(200);
                self.after(soon, Happening::Renew { node });
            }
        }
    }

    /// The operator of a node puts the new key in place and starts it again.
    pub(crate) fn renew(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        machine.config.signer = signer(machine.key);
        self.mishap(node, crate::plan::Mishap::Killed, 100);
    }
}

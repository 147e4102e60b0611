//! What a run is made of.

use std::sync::Arc;

use consensus::{StepTime, Timeouts};
use invoice_core::chain::{ChainId, Group, Validator, ValidatorSet};
use invoice_core::crypto::{SecretKey, SecretKeySigner, Signer};

/// A node stops and comes back.
#[derive(Clone, Copy)]
pub(crate) struct Crash {
    pub(crate) at_ms: u64,
    pub(crate) node: usize,
    pub(crate) down_ms: u64,
    /// Whether its log is lost, too.
    pub(crate) forgets: bool,
}

/// While it lasts, only nodes of the same side reach each other.
#[derive(Clone)]
pub(crate) struct Partition {
    pub(crate) from_ms: u64,
    pub(crate) to_ms: u64,
    pub(crate) sides: Vec<u8>,
}

/// One run.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// Which key each node has; two with the same are twins.
    pub(crate) keys: Vec<usize>,
    /// From each of these heights on, which keys vote and with what weight.
    pub(crate) sets: Vec<(u64, Vec<(usize, u64)>)>,
    /// Chance in a hundred that something sent is lost, or comes twice.
    pub(crate) loss: u64,
    pub(crate) twice: u64,
    pub(crate) delay_ms: u64,
    pub(crate) partitions: Vec<Partition>,
    pub(crate) crashes: Vec<Crash>,
    /// Nodes that never start.
    pub(crate) dead: Vec<usize>,
    /// Nodes whose blocks are invalid.
    pub(crate) bad: Vec<usize>,
    /// From here on nothing is lost.
    pub(crate) calm_ms: u64,
    /// The run ends here, or when all nodes that live have this many blocks.
    pub(crate) end_ms: u64,
    pub(crate) heights: u64,
}

impl Plan {
    /// `count` validators of equal weight and a network without faults.
    pub(crate) fn calm(seed: u64, count: usize) -> Self {
        Self {
            seed,
            keys: (0..count).collect(),
            sets: vec![(1, (0..count).map(|key| (key, 1)).collect())],
            loss: 0,
            twice: 0,
            delay_ms: 30,
            partitions: Vec::new(),
            crashes: Vec::new(),
            dead: Vec::new(),
            bad: Vec::new(),
            calm_ms: 0,
            end_ms: 60_000,
            heights: 6,
        }
    }

    /// As [`Plan::calm`], with a tenth of all lost, some doubled, and all out of order, for a time.
    pub(crate) fn rough(seed: u64, count: usize) -> Self {
        Self {
            loss: 10,
            twice: 10,
            delay_ms: 120,
            calm_ms: 15_000,
            ..Self::calm(seed, count)
        }
    }

    /// The validators of a height.
    pub(crate) fn set(&self, height: u64) -> Arc<ValidatorSet> {
        let (_, members) = self
            .sets
            .iter()
            .rfind(|(from, _)| *from <= height)
            .expect("a set from height 1 on");
        let members = members.iter().zip(Group::ALL.into_iter().cycle());
        let validators = members.map(|((key, weight), group)| Validator {
            public_key: signer(*key).public_key().clone(),
            weight: *weight,
            group: Some(group),
            name: format!("v{key}"),
        });
        Arc::new(ValidatorSet::new(validators.collect()).expect("a good set"))
    }
}

pub(crate) fn chain() -> ChainId {
    "sim-2026".parse().expect("a good name")
}

pub(crate) fn signer(key: usize) -> Arc<SecretKeySigner> {
    let byte = u8::try_from(key + 1).expect("few keys");
    let secret = SecretKey::from_bytes(&[byte; 32]).expect("a key");
    Arc::new(SecretKeySigner::new(secret))
}

pub(crate) fn timeouts() -> Timeouts {
    let step = |base_ms, per_round_ms| StepTime {
        base_ms,
        per_round_ms,
    };
    Timeouts {
        propose: step(400, 100),
        prevote: step(150, 50),
        precommit: step(150, 50),
        rebroadcast: step(700, 100),
        longest_ms: 5_000,
    }
}

//! What a run is made of, drawn from its seed.

use consensus::{StepTime, Timeouts};
use std::time::Duration;
use tax_node::engine::Fault;
use tax_node::engine::consortium::Tuning;
use tax_node::store::fault::Dice;

/// What a validator that is not correct does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Treason {
    /// Its key is used by two nodes, each of which believes to be alone.
    Twins,
    /// It takes part and says nothing.
    Silent,
    /// It does not pass its blocks to everybody.
    Withholding,
    /// It says one thing to some and another to others.
    Equivocating,
    /// It votes in others' names, proposes blocks that break rules, and doctors certificates.
    Forging,
    /// It sends bytes that mean nothing.
    Junk,
    /// Its clock is hours ahead.
    WrongClock,
}

impl Treason {
    pub(crate) const ALL: [Self; 7] = [
        Self::Twins,
        Self::Silent,
        Self::Withholding,
        Self::Equivocating,
        Self::Forging,
        Self::Junk,
        Self::WrongClock,
    ];
}

/// What happens to a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// The process ends; the machine goes on.
    Killed,
    /// The power goes off between two events.
    PowerCut,
    /// The power goes off in the middle of what happens next, after so many writes and syncs.
    PowerCutAmid(u64),
    /// The disk is replaced by an empty one.
    Wiped,
    /// A backup that was made before is put back.
    Restored,
}

/// Something planned.
#[derive(Clone, Debug)]
pub(crate) enum Planned {
    Mishap {
        node: usize,
        mishap: Mishap,
        down_ms: u64,
    },
    /// All machines lose their power at once.
    Blackout { down_ms: u64 },
    /// A backup of a node's disk is made.
    Backup { node: usize },
    /// From now on nothing from the first gets to the second, for each pair.
    Cut { pairs: Vec<(usize, usize)> },
    /// All can reach each other again.
    Joined,
    /// A machine takes so long for each event from now on.
    Slow { node: usize, ms: u64 },
    /// A member sends something to these nodes.
    Submit { what: usize, to: Vec<usize> },
    /// The bureaus change the validators.
    Change(Change),
}

/// A change of the validators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The node that is none yet becomes one.
    Add,
    /// This one leaves.
    Remove(usize),
    /// This one gets another key.
    Renew(usize),
}

/// One run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// Validators of the genesis file.
    pub(crate) validators: usize,
    /// Whether a further node waits to become one.
    pub(crate) candidate: bool,
    pub(crate) treasons: Vec<(usize, Treason)>,
    /// Chance in a hundred that something sent is lost, or comes twice.
    pub(crate) loss: u64,
    pub(crate) twice: u64,
    pub(crate) delay_ms: u64,
    /// This node's links are slower by so much.
    pub(crate) far: Option<(usize, u64)>,
    /// By how much the clock of each node is wrong.
    pub(crate) skews_ms: Vec<i64>,
    pub(crate) timeouts: Timeouts,
    pub(crate) tuning: Tuning,
    pub(crate) events: Vec<(u64, Planned)>,
    /// From here on nothing bad happens.
    pub(crate) calm_ms: u64,
    /// A fault that is to be caught.
    pub(crate) planted: Option<Fault>,
}

/// Times that let much happen in little virtual time.
fn brisk() -> (Timeouts, Tuning) {
    let step = |base_ms, per_round_ms| StepTime {
        base_ms,
        per_round_ms,
    };
    let timeouts = Timeouts {
        propose: step(600, 150),
        prevote: step(200, 100),
        precommit: step(200, 100),
        rebroadcast: step(900, 200),
        longest_ms: 5_000,
    };
    let tuning = Tuning {
        heartbeat: Duration::from_secs(3),
        patience: Duration::from_millis(100),
        grace: Duration::from_millis(100),
        fetch: Duration::from_millis(1_500),
        status: Duration::from_millis(400),
    };
    (timeouts, tuning)
}

impl Plan {
    /// Nodes: validators, the candidate, the supervisor. Twins come after them.
    pub(crate) fn nodes(&self) -> usize {
        self.validators + usize::from(self.candidate) + 1
    }

    /// `count` validators and a supervisor, and nothing bad.
    pub(crate) fn calm(seed: u64, count: usize) -> Self {
        let (timeouts, tuning) = brisk();
        let mut plan = Self {
            seed,
            validators: count,
            candidate: false,
            treasons: Vec::new(),
            loss: 0,
            twice: 0,
            delay_ms: 20,
            far: None,
            skews_ms: Vec::new(),
            timeouts,
            tuning,
            events: Vec::new(),
            calm_ms: 1_500,
            planted: None,
        };
        plan.submissions(&mut Dice::new(seed), 4);
        plan
    }

    /// Members send papers at any time, to any nodes.
    fn submissions(&mut self, dice: &mut Dice, documents: u64) {
        for number in 0..documents {
            let at = dice.below(self.calm_ms * 3 / 4);
            let what = number as usize;
            let to = self.some_nodes(dice);
            self.events.push((at, Planned::Submit { what, to }));
        }
    }

    /// One node, or two, or three.
    fn some_nodes(&self, dice: &mut Dice) -> Vec<usize> {
        let count = 1 + dice.below(6).saturating_sub(3);
        (0..count).map(|_| dice.below(self.nodes() as u64) as usize).collect()
    }
}

//! What a run is made of, drawn from its seed.

use consensus::{StepTime, Timeouts};
use std::time::Duration;
use tax_node::engine::Fault;
use tax_node::engine::consortium::Tuning;
use tax_node::store::fault::Dice;

use crate::cast::{BATCHES, DOCUMENTS};

/// By how much a clock is wrong at most: two differ by less than blocks may lie ahead.
const SKEW_MAX_MS: u64 = 2_000;

/// One run in so many is long.
const LONG_EVERY: u64 = 50;

/// In one run of so many the supervisor boasts, and in one of so many a validator that is not
/// correct does. Not drawn: a seed that found a fault once stays what it was.
const BOASTS_EVERY: (u64, u64) = (5, 7);

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
    /// It says that it has blocks that nobody has, and gives an old one, or none and leaves.
    Boasting,
}

impl Treason {
    /// Those that are drawn.
    const DRAWN: [Self; 7] = [
        Self::Twins,
        Self::Silent,
        Self::Withholding,
        Self::Equivocating,
        Self::Forging,
        Self::Junk,
        Self::WrongClock,
    ];

    /// How many there are.
    pub(crate) const COUNT: usize = Self::DRAWN.len() + 1;
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
    /// The power goes off so many writes and syncs after the next vote that may decide.
    PowerCutDeciding(u64),
    /// The disk is replaced by an empty one.
    Wiped,
    /// A backup that was made before is put back.
    Restored,
    /// The same by the command, which leaves a mark.
    Marked,
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

    /// Anything that a consortium must bear: fewer than a third of the validators are not correct
    /// or lose their memory, anybody crashes at any time, and the network does what it wants.
    pub(crate) fn random(seed: u64) -> Self {
        let dice = &mut Dice::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let count = [4, 4, 4, 4, 5, 6, 7][dice.below(7) as usize];
        let mut plan = Self::calm(seed, count);
        plan.events.clear();
        plan.candidate = dice.once_in(5);
        if dice.once_in(6) {
            (plan.timeouts, plan.tuning) = Default::default();
        }
        plan.calm_ms = 1_500 + dice.below(4_500);
        plan.delay_ms = 5 + dice.below(100);
        if dice.once_in(2) {
            plan.loss = dice.below(20);
        }
        if dice.once_in(3) {
            plan.twice = dice.below(20);
        }
        if dice.once_in(4) {
            plan.far = Some((plan.any_node(dice), 50 + dice.below(400)));
        }
        if dice.once_in(2) {
            plan.skews_ms = (0..plan.nodes())
                .map(|_| dice.below(2 * SKEW_MAX_MS) as i64 - SKEW_MAX_MS as i64)
                .collect();
        }
        if seed % LONG_EVERY == LONG_EVERY - 1 {
            // So many blocks that the first ones go into files.
            (plan.timeouts, plan.tuning) = brisk();
            plan.tuning.heartbeat = Duration::from_millis(50);
            plan.tuning.patience = Duration::from_millis(20);
            (plan.calm_ms, plan.delay_ms, plan.loss, plan.far) = (6_000, 10, 0, None);
        }
        plan.faulty(dice);
        plan.changes(dice);
        plan.mishaps(dice);
        plan.partitions(dice);
        if dice.once_in(3) {
            let (node, ms) = (plan.any_node(dice), 10 + dice.below(300));
            plan.some_time(dice, Planned::Slow { node, ms });
        }
        let documents = 2 + dice.below(5);
        plan.submissions(dice, documents);
        plan
    }

    fn any_node(&self, dice: &mut Dice) -> usize {
        dice.below(self.nodes() as u64) as usize
    }

    fn some_time(&mut self, dice: &mut Dice, planned: Planned) {
        let at = dice.below(self.calm_ms * 9 / 10);
        self.events.push((at, planned));
    }

    /// Who is not correct, and who loses its memory.
    fn faulty(&mut self, dice: &mut Dice) {
        let mut validators: Vec<usize> = (0..self.validators).collect();
        for _ in 0..(self.validators - 1) / 3 {
            let node = validators.swap_remove(dice.below(validators.len() as u64) as usize);
            match dice.below(4) {
                0 | 1 => {
                    let drawn = Treason::DRAWN[dice.below(7) as usize];
                    let boasts = self.seed % BOASTS_EVERY.1 == BOASTS_EVERY.1 - 1;
                    let treason = if boasts { Treason::Boasting } else { drawn };
                    self.treasons.push((node, treason));
                }
                2 => {
                    let restored = match self.seed.is_multiple_of(3) {
                        true => Mishap::Marked,
                        false => Mishap::Restored,
                    };
                    self.forgets(dice, node, restored);
                }
                _ => {}
            }
        }
        if dice.once_in(8) {
            self.forgets(dice, self.nodes() - 1, Mishap::Restored);
        }
        if self.seed % BOASTS_EVERY.0 == BOASTS_EVERY.0 - 1 {
            self.treasons.push((self.nodes() - 1, Treason::Boasting));
        }
        for (node, treason) in &self.treasons {
            if *treason == Treason::WrongClock {
                self.skews_ms.resize(self.validators + 2, 0);
                self.skews_ms[*node] = 3_600_000;
            }
        }
    }

    /// Who joins, who leaves, and who gets another key.
    fn changes(&mut self, dice: &mut Dice) {
        if self.candidate {
            self.some_time(dice, Planned::Change(Change::Add));
        }
        let correct = |node: &usize| self.treasons.iter().all(|(of, _)| of != node);
        let correct: Vec<usize> = (0..self.validators).filter(correct).collect();
        let node = correct[dice.below(correct.len() as u64) as usize];
        let bears = (self.validators - 2) / 3 >= (self.validators - 1) / 3;
        if dice.once_in(6) && bears {
            self.some_time(dice, Planned::Change(Change::Remove(node)));
        } else if dice.once_in(5) {
            self.some_time(dice, Planned::Change(Change::Renew(node)));
        }
    }

    /// The disk of a node goes back in time, once or twice.
    fn forgets(&mut self, dice: &mut Dice, node: usize, restored: Mishap) {
        for _ in 0..=dice.below(2) {
            let backup = dice.below(self.calm_ms / 2);
            let mishap = match dice.below(3) {
                0 => Mishap::Wiped,
                _ => {
                    self.events.push((backup, Planned::Backup { node }));
                    restored
                }
            };
            let at = backup + dice.below(self.calm_ms / 2 - 100);
            let down_ms = 50 + dice.below(1_000);
            let planned = Planned::Mishap {
                node,
                mishap,
                down_ms,
            };
            self.events.push((at, planned));
        }
    }

    fn mishaps(&mut self, dice: &mut Dice) {
        for _ in 0..dice.below(6) {
            let mishap = match dice.below(6) {
                0 => Mishap::Killed,
                1 => Mishap::PowerCut,
                2 | 3 => Mishap::PowerCutAmid(1 + dice.below(80)),
                _ => Mishap::PowerCutDeciding(1 + dice.below(40)),
            };
            let (node, down_ms) = (self.any_node(dice), 50 + dice.below(2_000));
            let planned = Planned::Mishap {
                node,
                mishap,
                down_ms,
            };
            self.some_time(dice, planned);
        }
        if dice.once_in(8) {
            let down_ms = 50 + dice.below(1_000);
            self.some_time(dice, Planned::Blackout { down_ms });
        }
    }

    fn partitions(&mut self, dice: &mut Dice) {
        if dice.once_in(2) {
            return;
        }
        let nodes = self.nodes();
        for _ in 0..=dice.below(3) {
            let from = dice.below(self.calm_ms * 3 / 4);
            let pairs = match dice.below(3) {
                // Two sides.
                0 => {
                    let side: Vec<bool> = (0..nodes).map(|_| dice.once_in(2)).collect();
                    pairs_where(nodes, |one, other| side[one] != side[other])
                }
                // One is alone, or only heard, or only hears.
                1 => {
                    let alone = self.any_node(dice);
                    let kind = dice.below(3);
                    pairs_where(nodes, |from, to| match kind {
                        0 => from == alone || to == alone,
                        1 => from == alone,
                        _ => to == alone,
                    })
                }
                // Some ways are closed.
                _ => {
                    let mut dice = Dice::new(dice.next());
                    pairs_where(nodes, |_, _| dice.once_in(4))
                }
            };
            self.events.push((from, Planned::Cut { pairs }));
            let to = from + 200 + dice.below(2_000);
            self.events.push((to, Planned::Joined));
        }
    }

    /// Members send papers at any time, to any nodes.
    fn submissions(&mut self, dice: &mut Dice, documents: u64) {
        for number in 0..documents {
            let at = dice.below(self.calm_ms * 3 / 4);
            let what = number as usize;
            let to = self.some_nodes(dice);
            self.events.push((at, Planned::Submit { what, to }));
        }
        if dice.once_in(3) {
            let what = DOCUMENTS + dice.below(BATCHES as u64) as usize;
            let to = self.some_nodes(dice);
            self.some_time(dice, Planned::Submit { what, to });
        }
    }

    /// One node, or two, or three.
    fn some_nodes(&self, dice: &mut Dice) -> Vec<usize> {
        let count = 1 + dice.below(6).saturating_sub(3);
        (0..count).map(|_| self.any_node(dice)).collect()
    }
}

fn pairs_where(nodes: usize, mut choose: impl FnMut(usize, usize) -> bool) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for from in 0..nodes {
        for to in (0..nodes).filter(|to| *to != from) {
            if choose(from, to) {
                pairs.push((from, to));
            }
        }
    }
    pairs
}

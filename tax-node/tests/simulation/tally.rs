//! What happened in some runs: a simulation in which nothing goes wrong proves nothing.

use crate::plan::Treason;

/// Counts of what happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) seeds: u64,
    pub(crate) heights: u64,
    pub(crate) rounds_above_0: u64,
    pub(crate) messages: u64,
    pub(crate) lost: u64,
    pub(crate) twice: u64,
    pub(crate) links: u64,
    pub(crate) cuts: u64,
    pub(crate) doubted: u64,
    pub(crate) kills: u64,
    pub(crate) power_cuts: u64,
    pub(crate) power_cuts_amid: u64,
    pub(crate) blackouts: u64,
    pub(crate) wiped: u64,
    pub(crate) restored: u64,
    pub(crate) forgotten: u64,
    pub(crate) relapsed: u64,
    pub(crate) logs_replayed: u64,
    pub(crate) fetched: u64,
    pub(crate) partitions: u64,
    pub(crate) slow: u64,
    pub(crate) answered: u64,
    pub(crate) retried: u64,
    pub(crate) double_claims: u64,
    pub(crate) changes: u64,
    pub(crate) renewed: u64,
    pub(crate) treasons: [u64; Treason::COUNT],
    pub(crate) lies: u64,
    pub(crate) invalid_proposals: u64,
    pub(crate) misbehaved: u64,
    /// Longest time from healing to a new block on all correct nodes.
    pub(crate) progress_ms: u64,
    /// Longest time from healing to the answer to everything that waited.
    pub(crate) answered_ms: u64,
}

impl Tally {
    pub(crate) fn add(mut self, other: &Self) -> Self {
        let Self {
            seeds,
            heights,
            rounds_above_0,
            messages,
            lost,
            twice,
            links,
            cuts,
            doubted,
            kills,
            power_cuts,
            power_cuts_amid,
            blackouts,
            wiped,
            restored,
            forgotten,
            relapsed,
            logs_replayed,
            fetched,
            partitions,
            slow,
            answered,
            retried,
            double_claims,
            changes,
            renewed,
            treasons,
            lies,
            invalid_proposals,
            misbehaved,
            progress_ms,
            answered_ms,
        } = other;
        for (sum, more) in [
            (&mut self.seeds, seeds),
            (&mut self.heights, heights),
            (&mut self.rounds_above_0, rounds_above_0),
            (&mut self.messages, messages),
            (&mut self.lost, lost),
            (&mut self.twice, twice),
            (&mut self.links, links),
            (&mut self.cuts, cuts),
            (&mut self.doubted, doubted),
            (&mut self.kills, kills),
            (&mut self.power_cuts, power_cuts),
            (&mut self.power_cuts_amid, power_cuts_amid),
            (&mut self.blackouts, blackouts),
            (&mut self.wiped, wiped),
            (&mut self.restored, restored),
            (&mut self.forgotten, forgotten),
            (&mut self.relapsed, relapsed),
            (&mut self.logs_replayed, logs_replayed),
            (&mut self.fetched, fetched),
            (&mut self.partitions, partitions),
            (&mut self.slow, slow),
            (&mut self.answered, answered),
            (&mut self.retried, retried),
            (&mut self.double_claims, double_claims),
            (&mut self.changes, changes),
            (&mut self.renewed, renewed),
            (&mut self.lies, lies),
            (&mut self.invalid_proposals, invalid_proposals),
            (&mut self.misbehaved, misbehaved),
        ] {
            *sum += more;
        }
        for (sum, more) in self.treasons.iter_mut().zip(treasons) {
            *sum += more;
        }
        self.progress_ms = self.progress_ms.max(*progress_ms);
        self.answered_ms = self.answered_ms.max(*answered_ms);
        self
    }

    /// What never happened and should have.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        let mut counts = vec![
            ("heights", self.heights),
            ("rounds_above_0", self.rounds_above_0),
            ("messages", self.messages),
            ("lost", self.lost),
            ("twice", self.twice),
            ("links", self.links),
            ("cuts", self.cuts),
            ("doubted", self.doubted),
            ("kills", self.kills),
            ("power_cuts", self.power_cuts),
            ("power_cuts_amid", self.power_cuts_amid),
            ("blackouts", self.blackouts),
            ("wiped", self.wiped),
            ("restored", self.restored),
            ("forgotten", self.forgotten),
            ("logs_replayed", self.logs_replayed),
            ("fetched", self.fetched),
            ("partitions", self.partitions),
            ("slow", self.slow),
            ("answered", self.answered),
            ("retried", self.retried),
            ("double_claims", self.double_claims),
            ("changes", self.changes),
            ("renewed", self.renewed),
            ("lies", self.lies),
            ("invalid_proposals", self.invalid_proposals),
            ("misbehaved", self.misbehaved),
        ];
        counts.extend(self.treasons.iter().map(|count| ("treason", *count)));
        let missing = counts.into_iter().filter(|(_, count)| *count == 0);
        missing.map(|(what, _)| what).collect()
    }
}

//! What happened in some runs: a simulation in which nothing goes wrong proves nothing.

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
    pub(crate) treasons: [u64; 7],
    pub(crate) lies: u64,
    pub(crate) invalid_proposals: u64,
    pub(crate) misbehaved: u64,
    pub(crate) healed_ms: u64,
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
            healed_ms,
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
        self.healed_ms = self.healed_ms.max(*healed_ms);
        self
    }
}

//! A chain in memory that takes one record a block.

use invoice_core::apply::{
    BlockPosition, Candidate, Event, Execution, Inadmissible, Verdict, genesis_changes,
};
use invoice_core::calendar::Instant;
use invoice_core::crypto::Kid;
use invoice_core::record::parse_record;
use invoice_core::state::{Changes, MemoryState};
use serde_json::Value;

use crate::common::{genesis, id_of, kid_of};

pub(crate) const HOUR_MS: i64 = 3_600_000;

/// The state after some blocks, and the time of the next.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) state: MemoryState,
    pub(crate) now: i64,
    next_index: u64,
    /// Height of the next block.
    pub(crate) height: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        let mut state = MemoryState::new();
        state.apply(&genesis_changes(genesis()));
        Self {
            state,
            now: genesis().time_ms() + 1,
            next_index: 0,
            height: 1,
        }
    }

    pub(crate) fn wait(&mut self, ms: i64) {
        self.now += ms;
    }

    /// So much later, as a record spells it.
    pub(crate) fn after(&self, ms: i64) -> String {
        Instant::from_ms(self.now + ms).to_string()
    }

    /// One record in a block of its own, under the member's first key.
    pub(crate) fn send(&mut self, by: usize, body: &Value) -> Verdict {
        self.signed(kid_of(by), by, body).0
    }

    /// The same under any key; with the changes of the block.
    pub(crate) fn signed(&mut self, kid: Kid, by: usize, body: &Value) -> (Verdict, Changes) {
        let candidate = self.candidate(kid, by, body);
        let mut execution = Execution::new(&self.state, self.position());
        let verdict = execution.execute(&candidate).expect("memory can be read");
        let changes = execution.finish();
        self.commit(&changes, std::slice::from_ref(&verdict));
        (verdict, changes)
    }

    /// An atomic batch in a block of its own.
    pub(crate) fn send_atomic(&mut self, batch: &[(usize, Value)]) -> Vec<&'static str> {
        let candidates: Vec<_> = batch
            .iter()
            .map(|(by, body)| self.candidate(kid_of(*by), *by, body))
            .collect();
        let mut execution = Execution::new(&self.state, self.position());
        let verdicts = execution
            .execute_atomic(&candidates)
            .expect("memory can be read");
        let changes = execution.finish();
        self.commit(&changes, &verdicts);
        verdicts.iter().map(code).collect()
    }

    /// A record that has to be accepted, with its events.
    pub(crate) fn accept(&mut self, by: usize, body: &Value) -> Vec<Event> {
        let verdict = self.send(by, body);
        assert_eq!(code(&verdict), "accepted", "{body}");
        let Verdict::Recorded(recorded) = verdict else {
            panic!("{body} is not recorded");
        };
        recorded.events
    }

    fn position(&self) -> BlockPosition {
        BlockPosition {
            time: Instant::from_ms(self.now),
            first_index: self.next_index,
            height: self.height,
        }
    }

    fn commit(&mut self, changes: &Changes, verdicts: &[Verdict]) {
        self.state.apply(changes);
        self.now += 1;
        self.height += 1;
        self.next_index += verdicts
            .iter()
            .filter(|v| matches!(v, Verdict::Recorded(_)))
            .count() as u64;
    }

    /// The record with `by` and an `id` of its own, unless the body has them.
    fn candidate(&self, kid: Kid, by: usize, body: &Value) -> Candidate {
        let mut record = body.clone();
        let text = body.to_string();
        let members = record.as_object_mut().expect("an object");
        members
            .entry("by")
            .or_insert_with(|| id_of(by).to_string().into());
        members
            .entry("at")
            .or_insert("2026-11-21T12:00:00+08:00".into());
        // The same body from the same member is the same record, unless time has passed.
        let own = invoice_core::crypto::sm3(&[text.as_bytes(), &self.now.to_be_bytes()]);
        members.entry("id").or_insert(own.to_string().into());
        let text = record.to_string();
        let parsed =
            parse_record(text.as_bytes()).unwrap_or_else(|faults| panic!("{faults:?}: {text}"));
        Candidate::new(parsed, kid)
    }
}

/// What a verdict says, in one word.
pub(crate) fn code(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Recorded(recorded) => match &recorded.rejection {
            Some(rejection) => {
                assert_eq!(recorded.outcome.code(), Some(rejection.code()));
                rejection.code()
            }
            None => "accepted",
        },
        Verdict::Replayed { accepted: true, .. } => "replayed",
        Verdict::Replayed {
            accepted: false, ..
        } => "replayed refusal",
        Verdict::IdReused => "id_reused",
        Verdict::Inadmissible(Inadmissible::Unauthenticated(error)) => error.code(),
        Verdict::Inadmissible(Inadmissible::Forbidden(forbidden)) => forbidden.code(),
        Verdict::Inadmissible(Inadmissible::Invalid(violations)) => {
            panic!("a test's record is unsound: {violations:?}")
        }
        Verdict::Aborted => "aborted",
    }
}

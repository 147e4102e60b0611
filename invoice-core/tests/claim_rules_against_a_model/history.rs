//! One history: executed block by block, answered by the model, replayed from the genesis.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use invoice_core::apply::{
    BlockPosition, Candidate, ChainPoint, Execution, Inadmissible, Recorded, Signatures, Verdict,
    execute_block, genesis_changes,
};
use invoice_core::calendar::Instant;
use invoice_core::chain::{Authorization, Block, BlockEnvelope, Entry, Header, Leaf, Outcome};
use invoice_core::crypto::{Hash, SecretKeySigner, Signature, Signer as _};
use invoice_core::record::{ClaimKind, parse_record};
use invoice_core::state::{Changes, MemoryState, Overlay, StateView, Table, TypedState};

use crate::common::{genesis, kid_of, secret};
use crate::generator::{Generator, Sent};
use crate::model::{Answer, Model};
use crate::records::{Key, Op};

/// What histories gave: how many answers of each code.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) records: u64,
    pub(crate) answers: BTreeMap<String, u64>,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.records += other.records;
        for (code, count) in &other.answers {
            *self.answers.entry(code.clone()).or_default() += count;
        }
    }

    fn count(&mut self, answer: &Answer) {
        let code = match answer {
            Answer::Accepted(_) => "accepted",
            Answer::Refused(code) | Answer::Forbidden(code) => code,
            Answer::Replayed { .. } => "replayed",
            Answer::IdReused => "id_reused",
            Answer::Aborted => "aborted",
        };
        self.records += 1;
        match self.answers.get_mut(code) {
            Some(count) => *count += 1,
            None => drop(self.answers.insert(code.to_owned(), 1)),
        }
    }
}

/// A record that went on the chain, for asking again at the end.
struct OnChain {
    candidate: Candidate,
    time: i64,
    index: u64,
    accepted: bool,
}

struct History {
    seed: u64,
    generator: Generator,
    model: Model,
    state: MemoryState,
    point: ChainPoint,
    blocks: Vec<(Block, Hash)>,
    on_chain: Vec<OnChain>,
    tally: Tally,
}

/// Runs the history of a seed; panics when an invariant is broken.
pub(crate) fn run(seed: u64) -> Tally {
    let mut history = History {
        seed,
        generator: Generator::new(seed),
        model: Model::default(),
        state: founded(),
        point: ChainPoint::genesis(genesis()),
        blocks: Vec::new(),
        on_chain: Vec::new(),
        tally: Tally::default(),
    };
    let length = 20 + history.generator.dice.below(41) as u64;
    while history.tally.records < length {
        history.block();
    }
    history.outcomes_never_change();
    history.replay_is_byte_identical();
    history.refused_records_change_nothing_else();
    history.tally
}

fn founded() -> MemoryState {
    static FOUNDED: OnceLock<MemoryState> = OnceLock::new();
    let founded = FOUNDED.get_or_init(|| {
        let mut state = MemoryState::new();
        state.apply(&genesis_changes(genesis()));
        state
    });
    founded.clone()
}

/// Any signature: whoever trusts the block does not look at it.
fn signature() -> Signature {
    static SIGNATURE: OnceLock<Signature> = OnceLock::new();
    *SIGNATURE.get_or_init(|| {
        SecretKeySigner::new(secret(1))
            .sign(b"any")
            .expect("a signature")
    })
}

fn candidate(sent: &Sent) -> Candidate {
    let parsed = parse_record(sent.text.as_bytes())
        .unwrap_or_else(|faults| panic!("{faults:?}: {}", sent.text));
    Candidate::new(parsed, kid_of(sent.by))
}

impl History {
    /// One block of single records and batches.
    fn block(&mut self) {
        let now = self.generator.time(&self.model, self.point.time.ms());
        let first_index = self.point.frontier.size();
        let position = BlockPosition {
            time: Instant::from_ms(now),
            first_index,
            height: self.point.height + 1,
        };
        let before = std::mem::take(&mut self.state);
        let mut execution = Execution::new(&before, position);
        let mut envelopes = Vec::new();
        for _ in 0..1 + self.generator.dice.below(4) {
            let single = self.generator.dice.chance(75);
            let (size, atomic) = match single {
                true => (1, false),
                false => (
                    1 + self.generator.dice.below(4),
                    self.generator.dice.chance(70),
                ),
            };
            let batch: Vec<Sent> = self.batch(size, now);
            let candidates: Vec<Candidate> = batch.iter().map(candidate).collect();
            let verdicts = if atomic {
                let sent: Vec<_> = batch
                    .iter()
                    .map(|s| (s.by, s.id, s.text.as_str(), &s.op))
                    .collect();
                let answers = self.model.submit_atomic(now, &sent);
                let verdicts = execution
                    .execute_atomic(&candidates)
                    .expect("memory can be read");
                self.agree(&batch, &answers, &verdicts, execution.state(), now);
                verdicts
            } else {
                let mut verdicts = Vec::new();
                for (sent, candidate) in batch.iter().zip(&candidates) {
                    let answer = self
                        .model
                        .submit(now, sent.by, sent.id, &sent.text, &sent.op);
                    verdicts.push(execution.execute(candidate).expect("memory can be read"));
                    let (sent, verdict) =
                        (std::slice::from_ref(sent), &verdicts[verdicts.len() - 1..]);
                    self.agree(sent, &[answer], verdict, execution.state(), now);
                }
                verdicts
            };
            let entries = self.record(batch, candidates, verdicts, now);
            envelopes.extend(envelope(entries, single, atomic));
        }
        let changes = execution.finish();
        self.state = before;
        self.commit(&changes, envelopes, now, first_index);
    }

    /// Records of one member: one signature covers them.
    fn batch(&mut self, size: usize, now: i64) -> Vec<Sent> {
        let mut batch: Vec<Sent> = Vec::new();
        for _ in 0..size * 4 {
            let sent = self.generator.send(&self.model, now);
            if batch.len() < size && batch.first().is_none_or(|first| first.by == sent.by) {
                batch.push(sent);
            }
        }
        batch
    }

    /// The rules answer what the model answers, and the sums of both agree.
    fn agree(
        &mut self,
        batch: &[Sent],
        answers: &[Answer],
        verdicts: &[Verdict],
        state: &impl StateView,
        now: i64,
    ) {
        let mut accepted = Vec::new();
        for ((sent, answer), verdict) in batch.iter().zip(answers).zip(verdicts) {
            self.tally.count(answer);
            assert_eq!(
                read(verdict),
                *answer,
                "history {}: {} at {now}",
                self.seed,
                sent.text
            );
            if matches!(answer, Answer::Accepted(_)) {
                accepted.push(sent);
            }
        }
        for sent in &accepted {
            let Some(key) = self.model.document_of(sent.by, sent.id) else {
                continue;
            };
            self.sums_agree(state, key, now);
            // What is reversed or granted later in a batch may well leave a lock too large.
            let others = |sent: &&Sent| matches!(sent.op, Op::Reverse { .. } | Op::Grant { .. });
            if matches!(sent.op, Op::Lock { .. }) && !accepted.iter().any(others) {
                self.lock_fits(key, sent, now);
            }
        }
    }

    fn sums_agree(&self, state: &impl StateView, key: Key, now: i64) {
        let (seed, time) = (self.seed, Instant::from_ms(now));
        let Ok(Some(document)) = TypedState(state).document(&key.core()) else {
            panic!("history {seed}: {key} is not in the state");
        };
        let held = document.settled().get() + document.locked_at(time).get();
        let sums = (
            held,
            document.capacity().get(),
            document.free_at(time).get(),
        );
        let model = &self.model;
        let due = (
            model.held(key, now, |_| true),
            model.capacity(key),
            model.free(key, now),
        );
        assert_eq!(
            sums, due,
            "history {seed}: held, capacity and free of {key} at {now}"
        );
    }

    /// After an accepted lock: settled + locked ≤ capacity, and the same of the component and of
    /// the claimant's share.
    fn lock_fits(&self, key: Key, sent: &Sent, now: i64) {
        let Op::Lock {
            kind, component, ..
        } = sent.op
        else {
            return;
        };
        if kind == ClaimKind::Reference {
            return;
        }
        let (seed, model) = (self.seed, &self.model);
        let held = model.held(key, now, |_| true);
        assert!(
            held <= model.capacity(key),
            "history {seed}: more is held of {key} than its capacity"
        );
        if let Some(cap) = model.component_cap(key, component) {
            let held = model.held(key, now, |lock| lock.component == component);
            assert!(
                held <= cap,
                "history {seed}: more is held of {key} than its {component}"
            );
        }
        if let Some(allowance) = model.allowance(key, sent.by) {
            let held = model.held(key, now, |lock| lock.by == sent.by);
            assert!(
                held <= allowance,
                "history {seed}: a claimant of {key} holds more than its share"
            );
        }
    }

    /// The entries of the records that go on the chain.
    fn record(
        &mut self,
        batch: Vec<Sent>,
        candidates: Vec<Candidate>,
        verdicts: Vec<Verdict>,
        time: i64,
    ) -> Vec<(usize, Entry)> {
        let mut entries = Vec::new();
        for ((sent, candidate), verdict) in batch.into_iter().zip(candidates).zip(verdicts) {
            if let Verdict::Recorded(Recorded {
                index,
                outcome,
                rejection,
                ..
            }) = verdict
            {
                let accepted = rejection.is_none();
                self.on_chain.push(OnChain {
                    candidate,
                    time,
                    index,
                    accepted,
                });
                entries.push((
                    sent.by,
                    Entry {
                        record: sent.text.into(),
                        outcome,
                    },
                ));
            }
        }
        entries
    }

    fn commit(
        &mut self,
        changes: &Changes,
        envelopes: Vec<BlockEnvelope>,
        now: i64,
        first_index: u64,
    ) {
        let mut frontier = self.point.frontier.clone();
        let mut count = 0;
        for envelope in &envelopes {
            for Entry { record, outcome } in &envelope.entries {
                let kid = envelope.authorization.kid();
                frontier.push(
                    Leaf {
                        kid,
                        record,
                        outcome,
                    }
                    .hash()
                    .expect("a leaf"),
                );
                count += 1;
            }
        }
        let header = Header {
            chain_id: self.point.chain_id.clone(),
            height: self.point.height + 1,
            time_ms: now,
            previous: self.point.block_id,
            first_index,
            count,
            log_size: frontier.size(),
            log_root: frontier.root(),
            effects_root: changes.root(),
            validators: genesis().validators().digest(),
        };
        self.state.apply(changes);
        self.point = self.point.after(&header, frontier);
        self.blocks
            .push((Block { header, envelopes }, changes.root()));
    }

    /// Every record on the chain, sent again at the end, gets its first answer; an id resolves to
    /// one record.
    fn outcomes_never_change(&self) {
        let later = Instant::from_ms(self.point.time.ms() + 1);
        let position = BlockPosition {
            time: later,
            first_index: self.point.frontier.size(),
            height: self.point.height + 1,
        };
        let mut execution = Execution::new(&self.state, position);
        for OnChain {
            candidate,
            index,
            accepted,
            ..
        } in &self.on_chain
        {
            let again = execution.execute(candidate).expect("memory can be read");
            let first = Verdict::Replayed {
                index: *index,
                accepted: *accepted,
            };
            assert_eq!(again, first, "history {}: an outcome changed", self.seed);
        }
        assert!(
            execution.finish().is_empty(),
            "history {}: a repetition changed the state",
            self.seed
        );
        let ids = self
            .state
            .iter()
            .filter(|(table, ..)| *table == Table::Record)
            .count();
        assert_eq!(
            ids,
            self.on_chain.len(),
            "history {}: an id resolves twice",
            self.seed
        );
    }

    /// The blocks, executed from the genesis as a stranger would, give the same bytes.
    fn replay_is_byte_identical(&self) {
        let (mut state, mut point) = (founded(), ChainPoint::genesis(genesis()));
        for (block, effects) in &self.blocks {
            let executed = execute_block(&point, &state, block, Signatures::Trust)
                .unwrap_or_else(|fault| panic!("history {}: {fault}", self.seed));
            assert_eq!(
                executed.changes.root(),
                *effects,
                "history {}: effects differ",
                self.seed
            );
            state.apply(&executed.changes);
            point = point.after(&block.header, executed.frontier);
        }
        assert_eq!(
            state, self.state,
            "history {}: the replayed state differs",
            self.seed
        );
        assert_eq!(point.block_id, self.point.block_id);
    }

    /// The accepted records alone, each in a block of its own, give the state without the entries
    /// of the refused ones.
    fn refused_records_change_nothing_else(&self) {
        let mut state = founded();
        let mut refused = Changes::new();
        for OnChain {
            candidate,
            time,
            index,
            accepted,
        } in &self.on_chain
        {
            let time = Instant::from_ms(*time);
            let mut execution = Execution::new(
                &state,
                BlockPosition {
                    time,
                    first_index: *index,
                    height: 1,
                },
            );
            let verdict = execution.execute(candidate).expect("memory can be read");
            let changes = execution.finish();
            if *accepted {
                assert!(matches!(
                    verdict,
                    Verdict::Recorded(Recorded {
                        rejection: None,
                        ..
                    })
                ));
                state.apply(&changes);
            } else {
                let own = changes.iter().find(|(table, ..)| *table == Table::Record);
                let (table, key, _) =
                    own.unwrap_or_else(|| panic!("history {}: no entry", self.seed));
                refused.put(table, key, Vec::new());
            }
        }
        let all = Overlay {
            base: &self.state,
            changes: &refused,
        };
        let mut kept = 0;
        for (table, key, value) in state.iter() {
            let Ok(found) = all.get(table, key);
            assert_eq!(
                found.as_deref(),
                Some(value),
                "history {}: a refused record changed {table:?}",
                self.seed
            );
            kept += 1;
        }
        assert_eq!(
            kept + refused.len(),
            self.state.iter().count(),
            "history {}: a refused record left entries",
            self.seed
        );
    }
}

fn envelope(entries: Vec<(usize, Entry)>, single: bool, atomic: bool) -> Option<BlockEnvelope> {
    let kid = kid_of(entries.first()?.0);
    let entries: Vec<Entry> = entries.into_iter().map(|(_, entry)| entry).collect();
    let signature = signature();
    let authorization = match single {
        true => Authorization::Single { kid, signature },
        false => Authorization::Batch {
            kid,
            signature,
            atomic,
            count: entries.len() as u32,
            omitted: Vec::new(),
        },
    };
    Some(BlockEnvelope {
        authorization,
        entries,
        parity: None,
    })
}

/// A verdict in the words of the model.
fn read(verdict: &Verdict) -> Answer {
    match verdict {
        Verdict::Recorded(Recorded {
            outcome: Outcome::Accepted { detail },
            ..
        }) => {
            let fact = |(name, value): (&str, &str)| (known_fact(name), value.to_owned());
            Answer::Accepted(detail.iter().map(fact).collect())
        }
        Verdict::Recorded(Recorded {
            rejection: Some(rejection),
            ..
        }) => Answer::Refused(rejection.code()),
        Verdict::Recorded(recorded) => panic!("refused without a rejection: {recorded:?}"),
        Verdict::Replayed { index, accepted } => Answer::Replayed {
            index: *index,
            accepted: *accepted,
        },
        Verdict::IdReused => Answer::IdReused,
        Verdict::Inadmissible(Inadmissible::Forbidden(forbidden)) => {
            Answer::Forbidden(forbidden.code())
        }
        Verdict::Inadmissible(other) => panic!("the histories only hold sound records: {other:?}"),
        Verdict::Aborted => Answer::Aborted,
    }
}

fn known_fact(name: &str) -> &'static str {
    let known = [
        "amount",
        "freed",
        "over_claimed",
        "priority_skipped",
        "remaining",
        "settled",
    ];
    known
        .into_iter()
        .find(|known| *known == name)
        .unwrap_or("unknown fact")
}

//! Running the records of a block in order.

use std::borrow::Borrow;

use super::candidate::{Candidate, Task};
use super::context::{Context, Signer, Stop};
use super::event::{Event, EventKind};
use super::layers::Layers;
use super::work::Work;
use super::{rights, *};
use crate::calendar::{Date, Instant};
use crate::chain::Outcome;
use crate::crypto::Hash;
use crate::identity::MemberId;
use crate::refusal::{AuthenticationError, Forbidden, Rejection, Violation};
use crate::state::{Changes, Fault, MemberNo, RecordEntry, StateView, Table, by_id_key};

/// Where a block stands: all that `apply` knows besides state and record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockPosition {
    /// The block's time: the chain's only clock.
    pub time: Instant,
    /// Leaf index of the block's first record.
    pub first_index: u64,
    /// The block's height.
    pub height: u64,
}

/// A record that leaves no trace: it does not go on the chain and does not use up its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inadmissible {
    /// 401
    Unauthenticated(AuthenticationError),
    /// 403
    Forbidden(Forbidden),
    /// 422: every rule that the record's own values break.
    Invalid(Vec<Violation>),
}

/// A record that went on the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its leaf index.
    pub index: u64,
    /// SM3 of its exact bytes.
    pub hash: Hash,
    /// What stands beside it on the chain.
    pub outcome: Outcome,
    /// The refusal behind a refused outcome.
    pub rejection: Option<Rejection>,
    /// What it tells to whom.
    pub events: Vec<Event>,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on the chain, accepted or refused.
    Recorded(Recorded),
    /// The same bytes were recorded before, at this index: the first answer stands.
    Replayed {
        /// Leaf index of the first time.
        index: u64,
        /// Whether it was accepted then.
        accepted: bool,
    },
    /// The member used the id for another record. Not recorded.
    IdReused,
    /// It leaves no trace.
    Inadmissible(Inadmissible),
    /// Another record of its atomic batch left no trace, so neither does this one.
    Aborted,
}

impl Verdict {
    fn is_success(&self) -> bool {
        match self {
            Self::Recorded(recorded) => recorded.rejection.is_none(),
            Self::Replayed { accepted, .. } => *accepted,
            Self::IdReused | Self::Inadmissible(_) | Self::Aborted => false,
        }
    }

    fn is_fresh_refusal(&self) -> bool {
        match self {
            Self::Recorded(recorded) => recorded.rejection.is_some(),
            Self::Replayed { .. } | Self::IdReused | Self::Inadmissible(_) | Self::Aborted => false,
        }
    }
}

/// The execution of one block over a state.
pub struct Execution<'v, V> {
    layers: Layers<'v, V>,
    time: Instant,
    today: Date,
    next_index: u64,
    height: u64,
}

impl<'v, V: StateView> Execution<'v, V> {
    /// Begins a block over the state that the previous block left.
    pub fn new(state: &'v V, position: BlockPosition) -> Self {
        Self {
            layers: Layers::new(state),
            time: position.time,
            today: position.time.date_utc8(),
            next_index: position.first_index,
            height: position.height,
        }
    }

    /// The state as this block has left it so far.
    pub fn state(&self) -> &impl StateView<Error = V::Error> {
        &self.layers
    }

    /// Executes the next record.
    ///
    /// # Errors
    /// The state cannot be read; the block must be abandoned.
    pub fn execute(&mut self, candidate: &Candidate) -> Result<Verdict, Fault<V::Error>> {
        match candidate.kid {
            Some(_) => self.judge(candidate),
            None => Ok(Verdict::Inadmissible(Inadmissible::Unauthenticated(
                AuthenticationError::KeyUnknown,
            ))),
        }
    }

    /// Says what executing a record would give. The same as [`execute`](Self::execute), but a
    /// record that nobody signed is judged without the checks of its key: what comes of it must
    /// not be recorded.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn judge(&mut self, candidate: &Candidate) -> Result<Verdict, Fault<V::Error>> {
        let (member, task) = match self.admit(candidate)? {
            Ok(admitted) => admitted,
            Err(verdict) => return Ok(verdict),
        };
        let signer = Signer {
            id: task.by,
            number: member,
        };
        let (index, time, today) = ((self.next_index, self.height), self.time, self.today);
        self.layers.push();
        let mut context = Context::new(&mut self.layers, signer, &task.id, index, time, today);
        let result = dispatch(&mut context, &task.work);
        let (facts, events) = context.into_parts();
        match result {
            Ok(()) => {
                self.layers.keep();
                let outcome = Outcome::Accepted { detail: facts };
                Ok(self.finish_record(candidate, member, task, outcome, None, events))
            }
            Err(Stop::Rejected(rejection)) => {
                self.layers.discard();
                Ok(self.refuse(candidate, member, task, rejection))
            }
            Err(Stop::Fault(fault)) => Err(fault),
        }
    }

    /// Executes a batch of which all are accepted or none.
    ///
    /// When a record is refused by state, every record of the batch is recorded as refused, the
    /// innocent ones as [`Rejection::BatchAborted`]. When the batch fails for a record that leaves
    /// no trace itself (inadmissible, a reused id, or the repetition of a refused record), nothing
    /// of it is recorded: whoever replays the block could not see the reason.
    ///
    /// # Errors
    /// The state cannot be read; the block must be abandoned.
    pub fn execute_atomic<C: Borrow<Candidate>>(
        &mut self,
        batch: &[C],
    ) -> Result<Vec<Verdict>, Fault<V::Error>> {
        let first_index = self.next_index;
        self.layers.push();
        let trial = batch
            .iter()
            .map(|candidate| self.execute(candidate.borrow()))
            .collect::<Result<Vec<_>, _>>()?;
        if trial.iter().all(Verdict::is_success) {
            self.layers.keep();
            return Ok(trial);
        }
        self.layers.discard();
        self.next_index = first_index;
        let leaves_trace = trial.iter().all(|v| v.is_success() || v.is_fresh_refusal());
        batch
            .iter()
            .zip(trial)
            .map(|(candidate, verdict)| self.abort(candidate.borrow(), verdict, leaves_trace))
            .collect()
    }

    /// The verdict of one record of a failed atomic batch.
    fn abort(
        &mut self,
        candidate: &Candidate,
        verdict: Verdict,
        leaves_trace: bool,
    ) -> Result<Verdict, Fault<V::Error>> {
        let rejection = match verdict {
            Verdict::Recorded(_) if !leaves_trace => return Ok(Verdict::Aborted),
            Verdict::Recorded(recorded) => recorded.rejection.unwrap_or(Rejection::BatchAborted),
            // A copy of another record of this very batch has no earlier answer any more.
            Verdict::Replayed { .. } => {
                return Ok(self.admit(candidate)?.err().unwrap_or(Verdict::Aborted));
            }
            Verdict::IdReused | Verdict::Inadmissible(_) | Verdict::Aborted => return Ok(verdict),
        };
        match self.admit(candidate)? {
            Ok((member, task)) => Ok(self.refuse(candidate, member, task, rejection)),
            Err(verdict) => Ok(verdict),
        }
    }

    /// Ends the block and gives its changes.
    #[must_use]
    pub fn finish(self) -> Changes {
        self.layers.into_changes()
    }

    /// Everything that comes before the rules of state: 401, the first answer of a known record,
    /// 403, 422, a reused id.
    #[allow(
        clippy::type_complexity,
        reason = "the two parts are used together once; a type for them would only move them"
    )]
    fn admit<'c>(
        &mut self,
        candidate: &'c Candidate,
    ) -> Result<Result<(MemberNo, &'c Task), Verdict>, Fault<V::Error>> {
        let unauthenticated = |error| {
            Ok(Err(Verdict::Inadmissible(Inadmissible::Unauthenticated(
                error,
            ))))
        };
        let key = match &candidate.kid {
            Some(kid) => match self.layers.key_standing(kid)? {
                Some(key) => Some(key),
                None => return unauthenticated(AuthenticationError::KeyUnknown),
            },
            None => None,
        };
        let Some(by) = candidate.by else {
            return unauthenticated(AuthenticationError::KeyNotOfMember);
        };
        let member = match self.layers.standing(&by)? {
            Some(member) if key.is_none_or(|key| key.owner == member.number) => member,
            Some(_) | None => return unauthenticated(AuthenticationError::KeyNotOfMember),
        };
        let state = self.layers.typed();
        let known = match &candidate.id {
            Some(id) => state.record(member.number, id)?,
            None => None,
        };
        if let Some(entry) = known.filter(|entry| entry.is(&candidate.hash)) {
            return Ok(Err(Verdict::Replayed {
                index: entry.index,
                accepted: entry.accepted,
            }));
        }
        if let Some(Err(error)) = key.map(|key| key.usable_at(self.time)) {
            return unauthenticated(error);
        }
        if let Some(forbidden) = rights::check(&state, candidate, &by, member)? {
            return Ok(Err(Verdict::Inadmissible(Inadmissible::Forbidden(
                forbidden,
            ))));
        }
        let task = match &candidate.task {
            Ok(task) => task,
            Err(violations) => {
                let invalid = Inadmissible::Invalid(violations.clone());
                return Ok(Err(Verdict::Inadmissible(invalid)));
            }
        };
        if let Work::ValidatorsChange(body) = &task.work
            && let Some(inadmissible) =
                validators_change::countersigned(&state, body, &by, member.roles, self.time)?
        {
            return Ok(Err(Verdict::Inadmissible(inadmissible)));
        }
        if known.is_some() {
            return Ok(Err(Verdict::IdReused));
        }
        Ok(Ok((member.number, task)))
    }

    fn refuse(
        &mut self,
        candidate: &Candidate,
        member: MemberNo,
        task: &Task,
        rejection: Rejection,
    ) -> Verdict {
        let outcome = Outcome::Refused {
            code: rejection.code().to_owned(),
            detail: rejection.facts(),
        };
        let mut event = Event::new(EventKind::RecordRefused, vec![task.by]);
        event.code = Some(rejection.code().to_owned());
        event.document = task.work.document().copied();
        event.claim = Some((task.by, task.id.clone()));
        self.finish_record(
            candidate,
            member,
            task,
            outcome,
            Some(rejection),
            vec![event],
        )
    }

    fn finish_record(
        &mut self,
        candidate: &Candidate,
        member: MemberNo,
        task: &Task,
        outcome: Outcome,
        rejection: Option<Rejection>,
        events: Vec<Event>,
    ) -> Verdict {
        let index = self.next_index;
        self.next_index = self.next_index.saturating_add(1);
        let entry = RecordEntry::new(index, rejection.is_none(), &candidate.hash);
        let key = by_id_key(member, &task.id);
        self.layers.put(Table::Record, key, entry.encode());
        Verdict::Recorded(Recorded {
            index,
            hash: candidate.hash,
            outcome,
            rejection,
            events,
        })
    }
}

fn dispatch<V: StateView>(
    context: &mut Context<'_, '_, V>,
    work: &Work,
) -> Result<(), Stop<V::Error>> {
    match work {
        Work::MemberAdmit(body) => members::admit(context, body),
        Work::MemberSuspend(body) => members::suspend(context, &body.member),
        Work::MemberResume(body) => members::resume(context, &body.member),
        Work::KeyAdd(body) => keys::add(context, body),
        Work::KeyRevoke(body) => keys::revoke(context, body),
        Work::QuotaSet(body) => quota::set(context, body),
        Work::Issue(draft) => issue::issue(context, draft),
        Work::Register(draft) => issue::register(context, draft),
        Work::DocumentReverse(body) => document_reverse::reverse(context, body),
        Work::ConfirmReversal(body) => confirm_reversal::confirm(context, body),
        Work::DocumentFreeze(body) => document_freeze::freeze(context, &body.document),
        Work::DocumentUnfreeze(body) => document_freeze::unfreeze(context, &body.document),
        Work::DocumentAlias(body) => alias::add(context, body),
        Work::ClaimLock(body) => claim_lock::lock(context, body),
        Work::ClaimSettle(body) => claim_settle::settle(context, body),
        Work::ClaimRelease(body) => claim_release::release(context, body),
        Work::ClaimReverse(body) => claim_reverse::reverse(context, body),
        Work::ShareGrant(body) => share_grant::grant(context, body),
        Work::ValidatorsChange(body) => validators_change::change(context, body),
    }
}

/// The members of a list, each once, in order.
pub(super) fn each_once(mut members: Vec<MemberId>) -> Vec<MemberId> {
    members.sort_unstable();
    members.dedup();
    members
}

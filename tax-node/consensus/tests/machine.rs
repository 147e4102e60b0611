//! One machine and what it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use consensus::{
    EARLY_HEIGHTS, EARLY_ROUNDS, LogEntry, Machine, MachineError, Message, Output, Polka,
    ROUND_MAX, SIGN_ATTEMPTS, Timeouts, Timer, TimerKind, Vote, Voting, WEIGHT_TOTAL_MAX,
};
use invoice_core::chain::{ChainId, Group, Validator, ValidatorSet};
use invoice_core::crypto::messages::{VoteKind, vote_message};
use invoice_core::crypto::{
    Hash, Kid, PublicKey, SecretKey, SecretKeySigner, SignError, Signature, Signer,
};

const ID: Hash = Hash::new([7; 32]);

fn chain() -> ChainId {
    "sz-2026".parse().unwrap()
}

fn signer(n: u8) -> SecretKeySigner {
    SecretKeySigner::new(SecretKey::from_bytes(&[n; 32]).unwrap())
}

fn kid(n: u8) -> Kid {
    signer(n).public_key().kid()
}

fn weighted(weights: &[u64]) -> Arc<ValidatorSet> {
    let members = weights.iter().zip(1..).zip(Group::ALL.into_iter().cycle());
    let validators = members.map(|((weight, n), group)| Validator {
        public_key: signer(n).public_key().clone(),
        weight: *weight,
        group: Some(group),
        name: "v".to_owned(),
    });
    Arc::new(ValidatorSet::new(validators.collect()).unwrap())
}

fn set() -> Arc<ValidatorSet> {
    weighted(&[1; 4])
}

fn machine(n: u8) -> Machine {
    Machine::new(chain(), Arc::new(signer(n)), Timeouts::default())
}

fn begun(n: u8) -> Machine {
    let mut machine = machine(n);
    machine.begin(1, set(), Vec::new(), Voting::May).unwrap();
    machine
}

fn vote(n: u8, kind: VoteKind, height: u64, round: u32, block_id: Option<Hash>) -> Message {
    let voter = kid(n);
    let bytes = vote_message(
        &chain(),
        kind,
        height,
        i64::from(round),
        block_id.as_ref(),
        &voter,
    );
    Message::Vote(Vote {
        kind,
        height,
        round,
        block_id,
        voter,
        signature: signer(n).sign(&bytes).unwrap(),
    })
}

fn logged(outputs: &[Output]) -> Vec<LogEntry> {
    let mut entries = Vec::new();
    for output in outputs {
        if let Output::Log(entry) = output {
            entries.push(entry.clone());
        }
    }
    entries
}

fn sent(outputs: &[Output]) -> Vec<Message> {
    let mut messages = Vec::new();
    for output in outputs {
        if let Output::Send(message) = output {
            messages.push(message.clone());
        }
    }
    messages
}

/// A device that fails, or signs something else, the first times it is asked.
struct Flaky {
    inner: SecretKeySigner,
    bad: usize,
    asked: AtomicUsize,
    wrong: bool,
}

impl Signer for Flaky {
    fn public_key(&self) -> &PublicKey {
        self.inner.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        if self.asked.fetch_add(1, Ordering::SeqCst) >= self.bad {
            self.inner.sign(message)
        } else if self.wrong {
            self.inner.sign(b"something else")
        } else {
            Err(SignError::Unavailable("busy".to_owned()))
        }
    }
}

#[test]
fn a_failing_signer_is_asked_again_and_then_the_machine_stops() {
    for (bad, wrong, error) in [
        (SIGN_ATTEMPTS - 1, false, None),
        (SIGN_ATTEMPTS - 1, true, None),
        (
            SIGN_ATTEMPTS,
            false,
            Some(MachineError::CannotSign(SignError::Unavailable(
                "busy".to_owned(),
            ))),
        ),
        (SIGN_ATTEMPTS, true, Some(MachineError::WrongSignature)),
    ] {
        let flaky = Arc::new(Flaky {
            inner: signer(1),
            bad,
            asked: AtomicUsize::new(0),
            wrong,
        });
        let mut machine = Machine::new(chain(), flaky.clone(), Timeouts::default());
        machine.begin(1, set(), Vec::new(), Voting::May).unwrap();
        let outcome = machine.proposed(0, ID);
        assert_eq!(outcome.as_ref().err(), error.as_ref());
        if error.is_some() {
            assert_eq!(flaky.asked.load(Ordering::SeqCst), SIGN_ATTEMPTS);
            // Nothing is signed by it ever again, though the device works now.
            assert_eq!(machine.proposed(0, ID), Err(MachineError::Dead));
            let again = machine.begin(1, set(), Vec::new(), Voting::May);
            assert_eq!(again, Err(MachineError::Dead));
        }
    }
}

#[test]
fn what_is_said_is_logged_before() {
    let mut machine = begun(1);
    let outputs = machine.proposed(0, ID).unwrap();
    let mut log = Vec::new();
    let mut own = 0;
    for output in &outputs {
        if let Output::Log(entry) = output {
            log.push(entry.clone());
        }
        if let Output::Send(Message::Vote(vote)) = output {
            assert!(log.contains(&LogEntry::Vote(vote.clone())));
            own += 1;
        }
        if let Output::Send(Message::Proposal(proposal)) = output {
            assert!(log.contains(&LogEntry::Proposal(proposal.clone())));
            own += 1;
        }
    }
    assert_eq!(own, 2, "a proposal and a prevote");
}

#[test]
fn the_same_is_said_after_a_crash_wherever_it_came() {
    let mut before = begun(1);
    let mut outputs = before.proposed(0, ID).unwrap();
    for n in [2, 3] {
        let prevote = vote(n, VoteKind::Prevote, 1, 0, Some(ID));
        outputs.extend(before.receive(prevote).unwrap());
    }
    let said = sent(&outputs);
    assert_eq!(said.len(), 3, "proposal, prevote, precommit");
    let log = logged(&outputs);
    for kept in 0..=log.len() {
        let mut after = machine(1);
        let first = log[..kept].to_vec();
        let mut outputs = after.begin(1, set(), first.clone(), Voting::May).unwrap();
        // What is on disk is not written again.
        assert!(logged(&outputs).iter().all(|entry| !first.contains(entry)));
        let builds = outputs
            .iter()
            .any(|output| matches!(output, Output::Build { .. }));
        assert_eq!(builds, kept == 0, "{kept}");
        if builds {
            outputs.extend(after.proposed(0, ID).unwrap());
        }
        // This signer derives k from the message, so even the signatures are the same.
        for message in sent(&outputs) {
            assert!(said.contains(&message), "{kept}: {message:?}");
        }
        // A second block for the round is not proposed.
        assert_eq!(after.proposed(0, Hash::new([8; 32])), Ok(Vec::new()));
    }
}

#[test]
fn a_log_that_contradicts_itself_stops_the_machine() {
    let mut before = begun(1);
    let mut log = logged(&before.proposed(0, ID).unwrap());
    let own = log
        .iter()
        .position(|entry| matches!(entry, LogEntry::Vote(_)))
        .unwrap();
    let Message::Vote(other) = vote(1, VoteKind::Prevote, 1, 0, None) else {
        unreachable!()
    };
    log[own] = LogEntry::Vote(other);
    let outcome = machine(1).begin(1, set(), log, Voting::May);
    assert!(
        matches!(outcome, Err(MachineError::Diverged(_))),
        "{outcome:?}"
    );
}

#[test]
fn a_height_is_begun_once_upwards_and_with_its_own_log() {
    let mut machine = begun(1);
    let outcome = machine.begin(0, set(), Vec::new(), Voting::May);
    assert_eq!(outcome, Err(MachineError::Backwards { from: 1, to: 0 }));
    let mut machine = begun(1);
    machine.begin(5, set(), Vec::new(), Voting::May).unwrap();
    let outcome = machine.begin(4, set(), Vec::new(), Voting::May);
    assert_eq!(outcome, Err(MachineError::Backwards { from: 5, to: 4 }));
    let timer = Timer {
        height: 2,
        round: 0,
        kind: TimerKind::Propose,
    };
    let outcome = begun(1).begin(3, set(), vec![LogEntry::Elapsed(timer)], Voting::May);
    assert_eq!(
        outcome,
        Err(MachineError::ForeignLog {
            expected: 3,
            found: 2
        })
    );
    let heavy = weighted(&[WEIGHT_TOTAL_MAX, WEIGHT_TOTAL_MAX, 1, 1]);
    let outcome = begun(1).begin(2, heavy, Vec::new(), Voting::May);
    assert_eq!(outcome, Err(MachineError::Weights));
}

#[test]
fn who_must_not_vote_and_who_is_no_validator_sign_nothing() {
    for (n, voting) in [(1, Voting::MustNot), (9, Voting::May), (9, Voting::MustNot)] {
        let mut machine = machine(n);
        let mut outputs = machine.begin(1, set(), Vec::new(), voting).unwrap();
        assert!(!machine.is_voting());
        outputs.extend(machine.checked(1, 0, None, kid(1), ID, true).unwrap());
        for kind in [VoteKind::Prevote, VoteKind::Precommit] {
            for voter in 2..=4 {
                outputs.extend(machine.receive(vote(voter, kind, 1, 0, Some(ID))).unwrap());
            }
        }
        for kind in [TimerKind::Propose, TimerKind::Prevote, TimerKind::Precommit] {
            let timer = Timer {
                height: 1,
                round: machine.round(),
                kind,
            };
            outputs.extend(machine.elapsed(timer).unwrap());
        }
        assert_eq!(sent(&outputs), []);
        assert!(
            !outputs
                .iter()
                .any(|output| matches!(output, Output::Build { .. }))
        );
    }
}

#[test]
fn a_machine_that_lost_its_log_at_a_height_does_not_contradict_itself() {
    // The same machine is told to begin again with nothing in the log.
    let mut machine = begun(1);
    machine.proposed(0, ID).unwrap();
    machine.begin(1, set(), Vec::new(), Voting::May).unwrap();
    let outcome = machine.proposed(0, Hash::new([8; 32]));
    assert_eq!(
        outcome,
        Err(MachineError::DoubleSign {
            height: 1,
            round: 0,
            what: "proposal"
        })
    );
}

#[test]
fn strangers_and_forgers_change_nothing() {
    let mut machine = begun(2);
    // A stranger's vote is not even looked at; a forged one is counted.
    let stranger = vote(9, VoteKind::Prevote, 1, 0, Some(ID));
    assert_eq!(machine.receive(stranger), Ok(Vec::new()));
    assert_eq!(machine.refused_signatures(), 0);
    let Message::Vote(mut forged) = vote(9, VoteKind::Prevote, 1, 0, Some(ID)) else {
        unreachable!()
    };
    forged.voter = kid(3);
    assert_eq!(
        machine.receive(Message::Vote(forged.clone())),
        Ok(Vec::new())
    );
    assert_eq!(machine.refused_signatures(), 1);
    // The genuine one counts afterwards, once.
    let genuine = vote(3, VoteKind::Prevote, 1, 0, Some(ID));
    assert_eq!(logged(&machine.receive(genuine.clone()).unwrap()).len(), 1);
    assert_eq!(machine.receive(genuine), Ok(Vec::new()));
    // Too few, named twice, or not what they say: no polka.
    let signature = forged.signature;
    let mut voters = [kid(1), kid(3), kid(4)];
    voters.sort_unstable();
    for (signatures, refused) in [
        (vec![(voters[0], signature)], 2),
        (vec![(voters[0], signature); 4], 3),
        (voters.map(|voter| (voter, signature)).to_vec(), 4),
    ] {
        let polka = Polka {
            height: 1,
            round: 0,
            block_id: ID,
            signatures,
        };
        assert_eq!(machine.receive(Message::Polka(polka)), Ok(Vec::new()));
        assert_eq!(machine.refused_signatures(), refused);
    }
    let far = vote(3, VoteKind::Prevote, 1, EARLY_ROUNDS + 1, Some(ID));
    assert_eq!(machine.receive(far), Ok(Vec::new()));
    let beyond = vote(3, VoteKind::Prevote, 1, ROUND_MAX + 1, Some(ID));
    assert_eq!(machine.receive(beyond), Ok(Vec::new()));
}

#[test]
fn early_messages_are_kept_within_bounds_and_count_later() {
    let mut machine = begun(2);
    for (n, height, round, kept) in [
        (3, 2, 0, 1),
        (3, 2, 0, 1),                // again
        (3, 2, EARLY_ROUNDS, 2),     // the last round that is kept
        (3, 2, EARLY_ROUNDS + 1, 2), // too far
        (3, 1 + EARLY_HEIGHTS, 0, 3),
        (3, 2 + EARLY_HEIGHTS, 0, 3), // too high
        (9, 2, 0, 3),                 // no validator
    ] {
        let early = vote(n, VoteKind::Prevote, height, round, Some(ID));
        assert_eq!(machine.receive(early), Ok(Vec::new()));
        assert_eq!(machine.early_messages(), kept, "{n} {height} {round}");
    }
    let Message::Vote(mut forged) = vote(9, VoteKind::Precommit, 2, 0, Some(ID)) else {
        unreachable!()
    };
    forged.voter = kid(4);
    machine.receive(Message::Vote(forged)).unwrap();
    assert_eq!(
        (machine.early_messages(), machine.refused_signatures()),
        (3, 1)
    );
    // Once a newcomer is foreseen, what it says early is kept, too.
    let five = weighted(&[1; 9]);
    machine.foresee(five.clone()).unwrap();
    machine
        .receive(vote(9, VoteKind::Prevote, 2, 0, Some(ID)))
        .unwrap();
    assert_eq!(machine.early_messages(), 4);
    let outputs = machine.begin(2, five, Vec::new(), Voting::May).unwrap();
    assert_eq!(logged(&outputs).len(), 3);
    assert_eq!(machine.early_messages(), 1);
    machine.begin(9, set(), Vec::new(), Voting::May).unwrap();
    assert_eq!(machine.early_messages(), 0);
}

#[test]
fn whose_turn_it_is_follows_from_the_validators_of_that_height() {
    let (four, nine) = (set(), weighted(&[1; 9]));
    let by = |set: &Arc<ValidatorSet>, height| {
        let mut machine = machine(2);
        let begun = machine.begin(height, Arc::clone(set), Vec::new(), Voting::May);
        begun.unwrap();
        machine.proposer(height, 0)
    };
    let mut machine = machine(2);
    assert_eq!(machine.proposer(1, 0), None, "nobody said who validates");
    machine.foresee(four.clone()).unwrap();
    assert_eq!(machine.proposer(1, 0), by(&four, 1));
    machine
        .begin(1, four.clone(), Vec::new(), Voting::May)
        .unwrap();
    machine.foresee(nine.clone()).unwrap();
    assert_eq!(machine.proposer(1, 0), by(&four, 1));
    let differ = |height: &u64| by(&four, *height) != by(&nine, *height);
    let height = (2..9).find(differ).unwrap();
    assert_eq!(machine.proposer(height, 0), by(&nine, height));
}

#[test]
fn timers_of_another_time_and_messages_before_the_beginning_are_nothing() {
    let timer = |height, round| Timer {
        height,
        round,
        kind: TimerKind::Propose,
    };
    let mut machine = machine(2);
    assert_eq!(machine.elapsed(timer(1, 0)), Ok(Vec::new()));
    let early = vote(3, VoteKind::Prevote, 1, 0, None);
    assert_eq!(machine.receive(early), Ok(Vec::new()));
    assert_eq!(machine.proposed(0, ID), Ok(Vec::new()));
    assert_eq!(machine.height(), 0);
    machine.begin(2, set(), Vec::new(), Voting::May).unwrap();
    assert_eq!(machine.elapsed(timer(1, 0)), Ok(Vec::new()));
    assert_eq!(machine.elapsed(timer(2, 1)), Ok(Vec::new()));
    // Machine 2 proposes at height 2: its own time is up, and it votes for nothing.
    let outputs = machine.elapsed(timer(2, 0)).unwrap();
    let votes = sent(&outputs);
    assert!(matches!(&votes[..], [Message::Vote(vote)] if vote.block_id.is_none()));
    assert_eq!(machine.leave(), Ok(vec![Output::StopAll]));
    assert_eq!(machine.elapsed(timer(2, 0)), Ok(Vec::new()));
}

#[test]
fn proposers_take_turns_by_height_and_round() {
    let machine = begun(1);
    for (height, round, n) in [
        (1, 0, 1),
        (1, 1, 2),
        (2, 0, 2),
        (4, 0, 4),
        (5, 0, 1),
        (4, 5, 1),
    ] {
        assert_eq!(machine.proposer(height, round), Some(kid(n)));
    }
    assert!(machine.proposer(u64::MAX, u32::MAX).is_some());
}

#[test]
fn a_machine_may_move_between_threads() {
    fn assert_send<T: Send>() {}
    assert_send::<Machine>();
}

//! What the library asks for, answered at once or turned into outputs.

use std::collections::BTreeSet;

use arc_malachitebft_core_consensus::{
    ConsensusMsg, Effect, LivenessMsg, MisbehaviorEvidence, Resumable, Resume, SignedConsensusMsg,
    VoteExtensionError,
};
use arc_malachitebft_core_types as library;
use invoice_core::chain::Certificate;
use invoice_core::crypto::PublicKey;
use library::{CertificateError, CommitCertificate, SignedMessage, Timeout};

use crate::context::Context;
use crate::convert;
use crate::log::LogEntry;
use crate::message::Message;
use crate::output::{Evidence, MachineError, Output};
use crate::signing::Voice;
use crate::timer::{Timeouts, Timer, TimerKind};
use crate::validators::Validators;
use crate::verify;

/// Everything that the library's requests at one height touch.
pub(crate) struct Hands {
    pub(crate) voice: Voice,
    pub(crate) timeouts: Timeouts,
    pub(crate) height: u64,
    pub(crate) validators: Validators,
    /// What was asked for in the call that is being answered.
    pub(crate) outputs: Vec<Output>,
    /// The encoded entries of the log that is being replayed, which are not logged again.
    pub(crate) replayed: BTreeSet<Vec<u8>>,
    pub(crate) replaying: bool,
    /// Whether the message being handled was verified before it was kept.
    pub(crate) trusted: bool,
    /// The round for which a block is being built.
    pub(crate) building: Option<u32>,
    pub(crate) decided: Option<Certificate>,
    pub(crate) evidence: Vec<Evidence>,
    /// Signatures that did not verify, since the machine exists.
    pub(crate) refused: u64,
}

type Answer = Result<Resume<Context>, MachineError>;

impl Hands {
    /// Does what one effect asks for.
    pub(crate) fn answer(&mut self, effect: Effect<Context>) -> Answer {
        Ok(match effect {
            Effect::CancelAllTimeouts(r) => {
                self.outputs.push(Output::StopAll);
                r.resume_with(())
            }
            Effect::CancelTimeout(timeout, r) => {
                let timer = Timer::from_library(self.height, timeout);
                self.outputs.extend(timer.map(Output::Stop));
                r.resume_with(())
            }
            Effect::ScheduleTimeout(timeout, r) => {
                self.start(timeout);
                r.resume_with(())
            }
            Effect::StartRound(_, _, _, _, r) => {
                self.building = None;
                r.resume_with(())
            }
            Effect::PublishConsensusMsg(signed, r) => {
                self.send(convert::message(signed));
                r.resume_with(())
            }
            Effect::PublishLivenessMsg(message, r) => {
                self.send(match message {
                    LivenessMsg::Vote(signed) => Message::Vote(convert::vote(signed)),
                    LivenessMsg::PolkaCertificate(polka) => Message::Polka(convert::polka(polka)),
                    LivenessMsg::SkipRoundCertificate(change) => {
                        Message::RoundChange(convert::round_change(change))
                    }
                });
                r.resume_with(())
            }
            Effect::RepublishVote(signed, r) => {
                self.send(Message::Vote(convert::vote(signed)));
                r.resume_with(())
            }
            Effect::RepublishRoundCertificate(change, r) => {
                self.send(Message::RoundChange(convert::round_change(change)));
                r.resume_with(())
            }
            Effect::GetValue(_, round, _, r) => {
                let round = convert::number(round);
                self.building = Some(round);
                if !self.replaying {
                    self.ask_to_build(round);
                }
                r.resume_with(())
            }
            Effect::RestreamProposal(_, round, valid_round, proposer, id, r) => {
                self.outputs.push(Output::Resend {
                    round: convert::number(round),
                    valid_round: valid_round.as_u32(),
                    block_id: id.0,
                    proposer: proposer.0,
                });
                r.resume_with(())
            }
            Effect::Decide(certificate, _, r) => {
                self.decided = Some(convert::certificate(&certificate));
                r.resume_with(())
            }
            Effect::Finalize(_, _, evidence, r) => {
                self.evidence.extend(evidence_of(evidence));
                r.resume_with(())
            }
            Effect::SignVote(vote, r) => {
                let signature = self.voice.sign_vote(&vote)?;
                r.resume_with(SignedMessage::new(vote, signature))
            }
            Effect::SignProposal(proposal, r) => {
                let signature = self.voice.sign_proposal(&proposal)?;
                r.resume_with(SignedMessage::new(proposal, signature))
            }
            Effect::VerifySignature(signed, key, r) => {
                let good = self.trusted || self.is_good(signed, &key);
                if !good {
                    self.refused = self.refused.saturating_add(1);
                }
                r.resume_with(good)
            }
            Effect::VerifyCommitCertificate(commit, _, _, r) => {
                self.check_decision(&commit)?;
                r.resume_with(Ok(()))
            }
            Effect::VerifyPolkaCertificate(polka, validators, _, r) => {
                let verdict = verify::polka(self.voice.chain(), &polka, &validators);
                r.resume_with(self.counted(verdict))
            }
            Effect::VerifyRoundCertificate(change, validators, _, r) => {
                let verdict = verify::round_change(self.voice.chain(), &change, &validators);
                r.resume_with(self.counted(verdict))
            }
            Effect::WalAppend(_, input, r) => {
                if let Some(entry) = convert::entry(self.height, input) {
                    self.log(entry);
                }
                r.resume_with(())
            }
            // Extensions are off, and decided blocks come from the shell, not through the library.
            Effect::ExtendVote(_, _, _, _, r) => r.resume_with(None),
            Effect::VerifyVoteExtension(_, _, _, _, _, _, r) => {
                r.resume_with(Err(VoteExtensionError::InvalidVoteExtension))
            }
            Effect::VerifyExtendedCommitCertificate(_, _, _, _, r) => {
                r.resume_with(Err(CertificateError::VerificationError(None)))
            }
            Effect::CertVerifiedSyncValue(_, _, r) => r.resume_with(()),
            Effect::CertRejectedSyncValue(_, _, _, r) => r.resume_with(()),
        })
    }

    /// Asks for a block of a round.
    pub(crate) fn ask_to_build(&mut self, round: u32) {
        self.outputs.push(Output::Build {
            round,
            within: self.timeouts.duration(TimerKind::Propose, round),
        });
    }

    fn start(&mut self, timeout: Timeout) {
        if let Some(timer) = Timer::from_library(self.height, timeout) {
            let duration = self.timeouts.duration(timer.kind, timer.round);
            self.outputs.push(Output::Start(timer, duration));
        }
    }

    fn send(&mut self, message: Message) {
        self.outputs.push(Output::Send(message));
    }

    fn log(&mut self, entry: LogEntry) {
        // What the library logs has a signature of each validator at most: it can be encoded.
        let known = self.replaying
            && entry
                .encode()
                .is_ok_and(|bytes| self.replayed.contains(&bytes));
        if !known {
            self.outputs.push(Output::Log(entry));
        }
    }

    fn is_good(
        &self,
        signed: SignedMessage<Context, ConsensusMsg<Context>>,
        key: &PublicKey,
    ) -> bool {
        let SignedMessage { message, signature } = signed;
        let chain = self.voice.chain();
        let (bytes, own) = match message {
            ConsensusMsg::Vote(vote) => {
                let vote = convert::vote(SignedMessage::new(vote, signature));
                (verify::bytes_of_vote(chain, &vote), vote.voter)
            }
            ConsensusMsg::Proposal(proposal) => {
                let proposal = convert::proposal(SignedMessage::new(proposal, signature));
                (
                    verify::bytes_of_proposal(chain, &proposal),
                    proposal.proposer,
                )
            }
        };
        let just_signed = own == self.voice.kid() && self.voice.is_last(&bytes, &signature);
        just_signed || key.verify(&bytes, &signature)
    }

    fn counted(
        &mut self,
        verdict: Result<(), CertificateError<Context>>,
    ) -> Result<(), CertificateError<Context>> {
        if verdict.is_err() {
            self.refused = self.refused.saturating_add(1);
        }
        verdict
    }

    /// A decision counts by the rule of receipts, or not at all.
    fn check_decision(&self, commit: &CommitCertificate<Context>) -> Result<(), MachineError> {
        let certificate = convert::certificate(commit);
        Ok(certificate.verify(self.validators.set(), self.voice.chain())?)
    }
}

fn evidence_of(evidence: MisbehaviorEvidence<Context>) -> Vec<Evidence> {
    let mut found = Vec::new();
    for (address, pairs) in evidence.votes {
        for (first, second) in pairs {
            found.push(Evidence {
                kid: address.0,
                first: convert::message(SignedConsensusMsg::Vote(first)),
                second: convert::message(SignedConsensusMsg::Vote(second)),
            });
        }
    }
    for (address, pairs) in evidence.proposals {
        for (first, second) in pairs {
            found.push(Evidence {
                kid: address.0,
                first: convert::message(SignedConsensusMsg::Proposal(first)),
                second: convert::message(SignedConsensusMsg::Proposal(second)),
            });
        }
    }
    found
}

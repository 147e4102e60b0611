//! Between the registry's messages and the library's.

use arc_malachitebft_core_consensus::{Input, ProposedValue, SignedConsensusMsg};
use arc_malachitebft_core_types as library;
use invoice_core::chain::Certificate;
use invoice_core::crypto::Hash;
use invoice_core::crypto::messages::VoteKind;
use library::{
    CommitCertificate, NilOrVal, PolkaCertificate, PolkaSignature, Round, RoundCertificate,
    RoundCertificateType, RoundSignature, SignedMessage, Validity, ValueOrigin, VoteType,
};

use crate::context::{Address, BlockId, Context, Height, RawProposal, RawVote};
use crate::log::{LogEntry, Value};
use crate::message::{Message, Polka, Proposal, RoundChange, RoundChangeReason, RoundVote, Vote};
use crate::timer::Timer;

/// A round that is one. The library counts from −1, but nothing of that round is ever signed.
pub(crate) fn number(round: Round) -> u32 {
    round.as_u32().unwrap_or_default()
}

pub(crate) fn kind(kind: VoteType) -> VoteKind {
    match kind {
        VoteType::Prevote => VoteKind::Prevote,
        VoteType::Precommit => VoteKind::Precommit,
    }
}

fn library_kind(kind: VoteKind) -> VoteType {
    match kind {
        VoteKind::Prevote => VoteType::Prevote,
        VoteKind::Precommit => VoteType::Precommit,
    }
}

pub(crate) fn block(value: &NilOrVal<BlockId>) -> Option<Hash> {
    match value {
        NilOrVal::Nil => None,
        NilOrVal::Val(id) => Some(id.0),
    }
}

fn library_block(block_id: Option<Hash>) -> NilOrVal<BlockId> {
    block_id.map_or(NilOrVal::Nil, |id| NilOrVal::Val(BlockId(id)))
}

fn library_round(round: Option<u32>) -> Round {
    round.map_or(Round::Nil, Round::new)
}

pub(crate) fn vote(signed: SignedMessage<Context, RawVote>) -> Vote {
    let RawVote {
        kind: vote_type,
        height,
        round,
        value,
        voter,
    } = signed.message;
    Vote {
        kind: kind(vote_type),
        height: height.0,
        round: number(round),
        block_id: block(&value),
        voter: voter.0,
        signature: signed.signature,
    }
}

fn library_vote(vote: Vote) -> SignedMessage<Context, RawVote> {
    let raw = RawVote {
        kind: library_kind(vote.kind),
        height: Height(vote.height),
        round: Round::new(vote.round),
        value: library_block(vote.block_id),
        voter: Address(vote.voter),
    };
    SignedMessage::new(raw, vote.signature)
}

pub(crate) fn proposal(signed: SignedMessage<Context, RawProposal>) -> Proposal {
    let RawProposal {
        height,
        round,
        value,
        valid_round,
        proposer,
    } = signed.message;
    Proposal {
        height: height.0,
        round: number(round),
        block_id: value.0,
        valid_round: valid_round.as_u32(),
        proposer: proposer.0,
        signature: signed.signature,
    }
}

fn library_proposal(proposal: Proposal) -> SignedMessage<Context, RawProposal> {
    let raw = RawProposal {
        height: Height(proposal.height),
        round: Round::new(proposal.round),
        value: BlockId(proposal.block_id),
        valid_round: library_round(proposal.valid_round),
        proposer: Address(proposal.proposer),
    };
    SignedMessage::new(raw, proposal.signature)
}

pub(crate) fn message(signed: SignedConsensusMsg<Context>) -> Message {
    match signed {
        SignedConsensusMsg::Vote(signed) => Message::Vote(vote(signed)),
        SignedConsensusMsg::Proposal(signed) => Message::Proposal(proposal(signed)),
    }
}

pub(crate) fn polka(certificate: PolkaCertificate<Context>) -> Polka {
    let mut signatures: Vec<_> = certificate
        .polka_signatures
        .into_iter()
        .map(|signed| (signed.address.0, signed.signature))
        .collect();
    signatures.sort_unstable();
    Polka {
        height: certificate.height.0,
        round: number(certificate.round),
        block_id: certificate.value_id.0,
        signatures,
    }
}

fn library_polka(polka: Polka) -> PolkaCertificate<Context> {
    PolkaCertificate {
        height: Height(polka.height),
        round: Round::new(polka.round),
        value_id: BlockId(polka.block_id),
        polka_signatures: polka
            .signatures
            .into_iter()
            .map(|(voter, signature)| PolkaSignature::new(Address(voter), signature))
            .collect(),
    }
}

pub(crate) fn round_change(certificate: RoundCertificate<Context>) -> RoundChange {
    let mut votes: Vec<_> = certificate
        .round_signatures
        .into_iter()
        .map(|signed| RoundVote {
            voter: signed.address.0,
            kind: kind(signed.vote_type),
            block_id: block(&signed.value_id),
            signature: signed.signature,
        })
        .collect();
    votes.sort_unstable();
    RoundChange {
        height: certificate.height.0,
        round: number(certificate.round),
        reason: match certificate.cert_type {
            RoundCertificateType::Skip => RoundChangeReason::Skip,
            RoundCertificateType::Precommit => RoundChangeReason::Precommits,
        },
        votes,
    }
}

fn library_round_change(change: RoundChange) -> RoundCertificate<Context> {
    RoundCertificate {
        height: Height(change.height),
        round: Round::new(change.round),
        cert_type: match change.reason {
            RoundChangeReason::Skip => RoundCertificateType::Skip,
            RoundChangeReason::Precommits => RoundCertificateType::Precommit,
        },
        round_signatures: change
            .votes
            .into_iter()
            .map(|vote| {
                RoundSignature::new(
                    library_kind(vote.kind),
                    library_block(vote.block_id),
                    Address(vote.voter),
                    vote.signature,
                )
            })
            .collect(),
    }
}

/// The certificate that receipts carry, with its signatures in order.
pub(crate) fn certificate(commit: &CommitCertificate<Context>) -> Certificate {
    let signed = &commit.commit_signatures;
    Certificate::new(
        commit.height.0,
        number(commit.round),
        commit.value_id.0,
        signed
            .iter()
            .map(|signed| (signed.address.0, signed.signature))
            .collect(),
    )
}

fn value(value: ProposedValue<Context>) -> Value {
    Value {
        height: value.height.0,
        round: number(value.round),
        valid_round: value.valid_round.as_u32(),
        proposer: value.proposer.0,
        block_id: value.value.0,
        valid: value.validity.is_valid(),
    }
}

/// What the library is told about a block that was checked.
pub(crate) fn value_input(value: &Value) -> Input<Context> {
    let proposed = ProposedValue {
        height: Height(value.height),
        round: Round::new(value.round),
        valid_round: library_round(value.valid_round),
        proposer: Address(value.proposer),
        value: BlockId(value.block_id),
        validity: Validity::from_bool(value.valid),
    };
    Input::ProposedValue(proposed, ValueOrigin::Consensus)
}

pub(crate) fn message_input(message: Message) -> Input<Context> {
    match message {
        Message::Vote(vote) => Input::Vote(library_vote(vote)),
        Message::Proposal(proposal) => Input::Proposal(library_proposal(proposal)),
        Message::Polka(polka) => Input::PolkaCertificate(library_polka(polka)),
        Message::RoundChange(change) => Input::RoundCertificate(library_round_change(change)),
    }
}

/// `None` for what the library has no use for.
pub(crate) fn entry_input(entry: LogEntry) -> Option<Input<Context>> {
    Some(match entry {
        LogEntry::Vote(vote) => Input::Vote(library_vote(vote)),
        LogEntry::Proposal(proposal) => Input::Proposal(library_proposal(proposal)),
        LogEntry::Polka(polka) => Input::PolkaCertificate(library_polka(polka)),
        LogEntry::Value(value) => value_input(&value),
        LogEntry::Elapsed(timer) => Input::TimeoutElapsed(timer.to_library()),
        LogEntry::Block { .. } => return None,
    })
}

/// `None` for inputs that the library never logs.
pub(crate) fn entry(height: u64, input: Input<Context>) -> Option<LogEntry> {
    Some(match input {
        Input::Vote(signed) => LogEntry::Vote(vote(signed)),
        Input::Proposal(signed) => LogEntry::Proposal(proposal(signed)),
        Input::PolkaCertificate(certificate) => LogEntry::Polka(polka(certificate)),
        Input::ProposedValue(proposed, _) => LogEntry::Value(value(proposed)),
        Input::TimeoutElapsed(timeout) => LogEntry::Elapsed(Timer::from_library(height, timeout)?),
        Input::StartHeight(..)
        | Input::RoundCertificate(_)
        | Input::Propose(_)
        | Input::SyncValueResponse(_) => return None,
    })
}

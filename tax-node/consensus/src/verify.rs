//! Whether messages were signed by whom they name.

use arc_malachitebft_core_types as library;
use invoice_core::chain::ChainId;
use invoice_core::crypto::messages::{VoteKind, proposal_message, vote_message};
use invoice_core::crypto::{Hash, Kid, Signature};
use library::{
    CertificateError, PolkaCertificate, RoundCertificate, RoundCertificateType, VoteType,
};

use crate::context::{Address, Context};
use crate::convert;
use crate::message::{Proposal, Vote};
use crate::validators::Validators;

/// What a vote's signature is over.
pub(crate) fn vote_bytes(
    chain: &ChainId,
    kind: VoteKind,
    height: u64,
    round: u32,
    block_id: Option<&Hash>,
    voter: &Kid,
) -> Vec<u8> {
    vote_message(chain, kind, height, i64::from(round), block_id, voter)
}

/// What the signature of this vote is over.
pub(crate) fn bytes_of_vote(chain: &ChainId, vote: &Vote) -> Vec<u8> {
    vote_bytes(
        chain,
        vote.kind,
        vote.height,
        vote.round,
        vote.block_id.as_ref(),
        &vote.voter,
    )
}

/// What the signature of this proposal is over.
pub(crate) fn bytes_of_proposal(chain: &ChainId, proposal: &Proposal) -> Vec<u8> {
    proposal_message(
        chain,
        proposal.height,
        proposal.round,
        &proposal.block_id,
        proposal.valid_round,
        &proposal.proposer,
    )
}

/// Prevotes of a quorum for one block.
///
/// Names and weights are looked at before any signature, so that nobody but a quorum makes this
/// costly.
pub(crate) fn polka(
    chain: &ChainId,
    certificate: &PolkaCertificate<Context>,
    validators: &Validators,
) -> Result<(), CertificateError<Context>> {
    let voters = certificate.polka_signatures.iter();
    let weight = weigh(validators, voters.map(|signed| signed.address))?;
    if !validators.set().is_quorum(weight) {
        return Err(too_few(validators, weight));
    }
    let (height, round) = (certificate.height.0, convert::number(certificate.round));
    let id = certificate.value_id.0;
    for signed in &certificate.polka_signatures {
        let voter = signed.address.0;
        let bytes = vote_bytes(chain, VoteKind::Prevote, height, round, Some(&id), &voter);
        if !is_signed(validators, &voter, &bytes, &signed.signature) {
            return Err(CertificateError::InvalidPolkaSignature(signed.clone()));
        }
    }
    Ok(())
}

/// Votes that justify a new round: precommits of a quorum, or votes of more than a third.
pub(crate) fn round_change(
    chain: &ChainId,
    certificate: &RoundCertificate<Context>,
    validators: &Validators,
) -> Result<(), CertificateError<Context>> {
    let voters = certificate.round_signatures.iter();
    let weight = weigh(validators, voters.map(|signed| signed.address))?;
    let enough = match certificate.cert_type {
        RoundCertificateType::Precommit => validators.set().is_quorum(weight),
        RoundCertificateType::Skip => {
            u128::from(weight).saturating_mul(3) > u128::from(validators.set().total_weight())
        }
    };
    if !enough {
        return Err(too_few(validators, weight));
    }
    let (height, round) = (certificate.height.0, convert::number(certificate.round));
    for signed in &certificate.round_signatures {
        let voter = signed.address.0;
        if certificate.cert_type == RoundCertificateType::Precommit
            && signed.vote_type == VoteType::Prevote
        {
            return Err(CertificateError::InvalidVoteType(signed.address));
        }
        let kind = convert::kind(signed.vote_type);
        let id = convert::block(&signed.value_id);
        let bytes = vote_bytes(chain, kind, height, round, id.as_ref(), &voter);
        if !is_signed(validators, &voter, &bytes, &signed.signature) {
            return Err(CertificateError::InvalidRoundSignature(signed.clone()));
        }
    }
    Ok(())
}

/// The weight of voters that are validators, none of them named twice.
fn weigh(
    validators: &Validators,
    voters: impl Iterator<Item = Address>,
) -> Result<u64, CertificateError<Context>> {
    let mut seen = std::collections::BTreeSet::new();
    let mut sum = 0_u64;
    for voter in voters {
        if !seen.insert(voter) {
            return Err(CertificateError::DuplicateVote(voter));
        }
        let (_, weight) = validators
            .get(&voter.0)
            .ok_or(CertificateError::UnknownValidator(voter))?;
        // Distinct validators' weights do not exceed their sum, which fits.
        sum = sum.saturating_add(weight);
    }
    Ok(sum)
}

fn is_signed(validators: &Validators, voter: &Kid, bytes: &[u8], signature: &Signature) -> bool {
    validators
        .get(voter)
        .is_some_and(|(key, _)| key.verify(bytes, signature))
}

fn too_few(validators: &Validators, signed: u64) -> CertificateError<Context> {
    let total = validators.set().total_weight();
    CertificateError::NotEnoughVotingPower {
        signed,
        total,
        expected: total,
    }
}

//! The library's vocabulary in the registry's terms. Nothing here leaves the crate.

use std::fmt;

use arc_malachitebft_core_types as library;
use invoice_core::crypto::{Hash, Kid, PublicKey, Signature};
use library::{NilOrVal, Round, SignedExtension, VoteType};

use crate::timer::Timeouts;
use crate::validators::{Member, Validators};

/// Ties the types together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Context;

/// A voter is known by the identifier of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address(pub(crate) Kid);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl library::Address for Address {}

/// Number of a block, from 1; 0 is the genesis file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Height(pub(crate) u64);

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl library::Height for Height {
    const ZERO: Self = Self(0);
    const INITIAL: Self = Self(1);

    fn increment_by(&self, n: u64) -> Self {
        Self(self.0.saturating_add(n))
    }

    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0.checked_sub(n).map(Self)
    }

    fn as_u64(&self) -> u64 {
        self.0
    }
}

/// What is agreed on: the id of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BlockId(pub(crate) Hash);

impl fmt::Display for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl library::Value for BlockId {
    type Id = Self;

    fn id(&self) -> Self {
        *self
    }
}

/// Blocks travel outside of the library; it never sees a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoPart;

impl library::ProposalPart<Context> for NoPart {
    fn is_first(&self) -> bool {
        true
    }

    fn is_last(&self) -> bool {
        true
    }
}

/// The contents of a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawProposal {
    pub(crate) height: Height,
    pub(crate) round: Round,
    pub(crate) value: BlockId,
    pub(crate) valid_round: Round,
    pub(crate) proposer: Address,
}

impl library::Proposal<Context> for RawProposal {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &BlockId {
        &self.value
    }

    fn take_value(self) -> BlockId {
        self.value
    }

    fn pol_round(&self) -> Round {
        self.valid_round
    }

    fn validator_address(&self) -> &Address {
        &self.proposer
    }
}

/// The contents of a vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawVote {
    pub(crate) kind: VoteType,
    pub(crate) height: Height,
    pub(crate) round: Round,
    pub(crate) value: NilOrVal<BlockId>,
    pub(crate) voter: Address,
}

impl library::Vote<Context> for RawVote {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &NilOrVal<BlockId> {
        &self.value
    }

    fn take_value(self) -> NilOrVal<BlockId> {
        self.value
    }

    fn vote_type(&self) -> VoteType {
        self.kind
    }

    fn validator_address(&self) -> &Address {
        &self.voter
    }

    fn extension(&self) -> Option<&SignedExtension<Context>> {
        None
    }

    fn take_extension(&mut self) -> Option<SignedExtension<Context>> {
        None
    }

    /// Votes have no extensions, and the library is told so.
    fn extend(self, _extension: SignedExtension<Context>) -> Self {
        self
    }
}

/// SM2 under the registry's identifier; the private key stays with the signer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sm2;

impl library::SigningScheme for Sm2 {
    type DecodingError = &'static str;
    type Signature = Signature;
    type PublicKey = PublicKey;
    type PrivateKey = ();

    fn decode_signature(bytes: &[u8]) -> Result<Signature, &'static str> {
        let bytes = bytes.try_into().map_err(|_| "length of a signature")?;
        Signature::from_bytes(bytes).map_err(|_| "range of a signature")
    }

    fn encode_signature(signature: &Signature) -> Vec<u8> {
        signature.as_bytes().to_vec()
    }

    fn decode_public_key(bytes: &[u8]) -> Result<PublicKey, &'static str> {
        PublicKey::from_sec1(bytes).map_err(|_| "form of a public key")
    }

    fn encode_public_key(public_key: &PublicKey) -> Vec<u8> {
        public_key.as_sec1().to_vec()
    }
}

impl library::Context for Context {
    type Address = Address;
    type Height = Height;
    type ProposalPart = NoPart;
    type Proposal = RawProposal;
    type Validator = Member;
    type ValidatorSet = Validators;
    type Timeouts = Timeouts;
    type Value = BlockId;
    type Vote = RawVote;
    type Extension = ();
    type SigningScheme = Sm2;

    fn select_proposer<'a>(
        &self,
        validators: &'a Validators,
        height: Height,
        round: Round,
    ) -> &'a Member {
        validators.proposer(height.0, round.as_u32().unwrap_or_default())
    }

    fn new_proposal(
        &self,
        height: Height,
        round: Round,
        value: BlockId,
        valid_round: Round,
        proposer: Address,
    ) -> RawProposal {
        RawProposal {
            height,
            round,
            value,
            valid_round,
            proposer,
        }
    }

    fn new_prevote(
        &self,
        height: Height,
        round: Round,
        value: NilOrVal<BlockId>,
        voter: Address,
    ) -> RawVote {
        RawVote {
            kind: VoteType::Prevote,
            height,
            round,
            value,
            voter,
        }
    }

    fn new_precommit(
        &self,
        height: Height,
        round: Round,
        value: NilOrVal<BlockId>,
        voter: Address,
    ) -> RawVote {
        RawVote {
            kind: VoteType::Precommit,
            height,
            round,
            value,
            voter,
        }
    }
}

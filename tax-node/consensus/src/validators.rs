//! The validators of a height, as the library asks for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_malachitebft_core_types as library;
use invoice_core::chain::ValidatorSet;
use invoice_core::crypto::{Kid, PublicKey};

use crate::context::{Address, Context};
use crate::rotation::rotation;

/// Largest sum of weights that can agree: the library multiplies weights by 3 in 64 bits.
pub const WEIGHT_TOTAL_MAX: u64 = u64::MAX / 3;

/// One validator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    address: Address,
    public_key: PublicKey,
    weight: u64,
}

impl library::Validator<Context> for Member {
    fn address(&self) -> &Address {
        &self.address
    }

    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn voting_power(&self) -> u64 {
        self.weight
    }
}

/// A validator set with what is looked up in it; clones share everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Validators(Arc<Shared>);

#[derive(Debug, PartialEq, Eq)]
struct Shared {
    set: Arc<ValidatorSet>,
    members: Vec<Member>,
    places: BTreeMap<Kid, usize>,
    rotation: Vec<usize>,
}

impl Validators {
    /// `None` when the weights exceed [`WEIGHT_TOTAL_MAX`].
    pub(crate) fn new(set: Arc<ValidatorSet>) -> Option<Self> {
        if set.total_weight() > WEIGHT_TOTAL_MAX {
            return None;
        }
        let members: Vec<Member> = set
            .validators()
            .iter()
            .map(|validator| Member {
                address: Address(validator.public_key.kid()),
                public_key: validator.public_key.clone(),
                weight: validator.weight,
            })
            .collect();
        let kids = members.iter().map(|member| member.address.0);
        let places = kids.enumerate().map(|(place, kid)| (kid, place)).collect();
        let weights: Vec<u64> = members.iter().map(|member| member.weight).collect();
        Some(Self(Arc::new(Shared {
            rotation: rotation(&weights),
            set,
            members,
            places,
        })))
    }

    /// The set itself.
    pub(crate) fn set(&self) -> &Arc<ValidatorSet> {
        &self.0.set
    }

    /// The key and the weight of a validator.
    pub(crate) fn get(&self, kid: &Kid) -> Option<(&PublicKey, u64)> {
        let member = self.0.members.get(*self.0.places.get(kid)?)?;
        Some((&member.public_key, member.weight))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.members.len()
    }

    /// Who proposes in a round of a height: the place (height − 1 + round) of the rotation.
    pub(crate) fn proposer(&self, height: u64, round: u32) -> &Member {
        let steps = u64::try_from(self.0.rotation.len()).unwrap_or(u64::MAX);
        // Each part is below the number of steps, which is small: the sum does not overflow.
        let place = height
            .saturating_sub(1)
            .checked_rem(steps)
            .unwrap_or_default()
            .saturating_add(u64::from(round))
            .checked_rem(steps)
            .and_then(|place| usize::try_from(place).ok());
        let turn = place.and_then(|place| self.0.rotation.get(place));
        match turn.and_then(|turn| self.0.members.get(*turn)) {
            Some(member) => member,
            None => unreachable!("a set has a validator, and a rotation only has its places"),
        }
    }

    /// The kid of [`Validators::proposer`].
    pub(crate) fn proposer_kid(&self, height: u64, round: u32) -> Kid {
        self.proposer(height, round).address.0
    }
}

impl library::ValidatorSet<Context> for Validators {
    fn count(&self) -> usize {
        self.len()
    }

    fn total_voting_power(&self) -> u64 {
        self.0.set.total_weight()
    }

    fn get_by_address(&self, address: &Address) -> Option<&Member> {
        self.0.members.get(*self.0.places.get(&address.0)?)
    }

    fn get_by_index(&self, index: usize) -> Option<&Member> {
        self.0.members.get(index)
    }
}

//! Places for work that holds much memory or lasts: a number in all, and fewer for each member and
//! address, so that nobody takes the places of everybody.
//!
//! Whoever has not proved yet to be the member that it names has at most half of each: what
//! strangers hold in others' names leaves the other half to those who are who they say.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use invoice_core::identity::MemberId;

use super::budget::Network;

/// How many places there are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// In all.
    pub(crate) all: usize,
    /// Of one member. Who says to be one may turn out to be somebody else.
    pub(crate) member: usize,
    /// Of one address: a stranger who names a member takes no more than a part of its places.
    pub(crate) network: usize,
}

/// Whether a holder is known to be the member that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// By a session, or by a signature that was verified.
    Proved,
    /// It only says so.
    Claimed,
}

/// Who holds how many places.
#[derive(Debug)]
pub(crate) struct Places {
    bounds: Bounds,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    all: Count,
    members: HashMap<MemberId, Count>,
    networks: HashMap<Network, Count>,
}

/// Places that are held, and those of them whose holders have proved nothing.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Count {
    held: usize,
    claimed: usize,
}

impl Count {
    /// Whether there is room for one more within a bound.
    fn has_room(self, proof: Proof, bound: usize) -> bool {
        self.held < bound && (proof == Proof::Proved || self.claimed < bound.div_ceil(2))
    }

    fn add(&mut self, proof: Proof) {
        self.held += 1;
        self.claimed += usize::from(proof == Proof::Claimed);
    }

    fn prove(&mut self) {
        self.claimed = self.claimed.saturating_sub(1);
    }

    fn remove(&mut self, proof: Proof) {
        self.held = self.held.saturating_sub(1);
        if proof == Proof::Claimed {
            self.prove();
        }
    }
}

/// One place, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    member: MemberId,
    network: Network,
    proof: Proof,
}

impl Places {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            held: Mutex::default(),
        }
    }

    /// A place, when there is one left for this member and address.
    pub(crate) fn take(
        self: &Arc<Self>,
        member: MemberId,
        network: Network,
        proof: Proof,
    ) -> Option<Place> {
        let mut held = self.held();
        let of_member = held.members.get(&member).copied().unwrap_or_default();
        let of_network = held.networks.get(&network).copied().unwrap_or_default();
        let bounds = self.bounds;
        let room = held.all.has_room(proof, bounds.all)
            && of_member.has_room(proof, bounds.member)
            && of_network.has_room(proof, bounds.network);
        if !room {
            return None;
        }
        held.all.add(proof);
        held.members.entry(member).or_default().add(proof);
        held.networks.entry(network).or_default().add(proof);
        Some(Place {
            places: Arc::clone(self),
            member,
            network,
            proof,
        })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Its holder has proved to be the member: the place counts among those of the members.
    pub(crate) fn prove(&mut self) {
        if self.proof == Proof::Proved {
            return;
        }
        self.proof = Proof::Proved;
        let mut held = self.places.held();
        held.all.prove();
        if let Some(count) = held.members.get_mut(&self.member) {
            count.prove();
        }
        if let Some(count) = held.networks.get_mut(&self.network) {
            count.prove();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.places.held();
        held.all.remove(self.proof);
        give_back(&mut held.members, self.member, self.proof);
        give_back(&mut held.networks, self.network, self.proof);
    }
}

/// One less; who holds none is not remembered.
fn give_back<K: Hash + Eq>(counts: &mut HashMap<K, Count>, key: K, proof: Proof) {
    if let Some(count) = counts.get_mut(&key) {
        count.remove(proof);
        if count.held == 0 {
            counts.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "91330000142942095H";
    const OTHER: &str = "91350100M000100Y43";

    fn member(text: &str) -> MemberId {
        text.parse().unwrap()
    }

    fn network(last: u8) -> Network {
        Network::V4([127, 0, 0, last])
    }

    fn places(all: usize, member: usize, network: usize) -> Arc<Places> {
        Arc::new(Places::new(Bounds {
            all,
            member,
            network,
        }))
    }

    fn assert_empty(places: &Places) {
        let held = places.held();
        assert_eq!(held.all, Count::default());
        assert!(held.members.is_empty() && held.networks.is_empty());
    }

    #[test]
    fn nobody_takes_the_places_of_everybody() {
        let places = places(4, 3, 2);
        let (one, other) = (member(ONE), member(OTHER));
        let [near, far, away] = [1, 2, 3].map(network);
        let mut held: Vec<Option<Place>> = Vec::new();
        for (member, network, given) in [
            (one, near, true),
            (one, near, true),
            // The address has its part, and so has the member.
            (one, near, false),
            (other, near, false),
            (one, far, true),
            (one, away, false),
            (other, far, true),
            // All are taken.
            (other, away, false),
        ] {
            let place = places.take(member, network, Proof::Proved);
            assert_eq!(place.is_some(), given, "{member} {network:?}");
            held.push(place);
        }
        held.clear();
        assert_empty(&places);
    }

    #[test]
    fn half_of_the_places_are_for_those_who_are_who_they_say() {
        let places = places(8, 6, 4);
        let mut held: Vec<Place> = Vec::new();
        for (name, last, proof, given) in [
            // Of one address.
            (ONE, 1, Proof::Claimed, true),
            (ONE, 1, Proof::Claimed, true),
            (ONE, 1, Proof::Claimed, false),
            // Of one member.
            (ONE, 2, Proof::Claimed, true),
            (ONE, 2, Proof::Claimed, false),
            // Of all.
            (OTHER, 3, Proof::Claimed, true),
            (OTHER, 4, Proof::Claimed, false),
            // The members have the other half.
            (ONE, 1, Proof::Proved, true),
            (ONE, 1, Proof::Proved, true),
            (ONE, 2, Proof::Proved, true),
            (OTHER, 4, Proof::Proved, true),
            (OTHER, 4, Proof::Proved, false),
        ] {
            let place = places.take(member(name), network(last), proof);
            assert_eq!(place.is_some(), given, "{name} {last} {proof:?}");
            held.extend(place);
        }
        // Whose signature turned out to be good makes room for another one's file.
        held.truncate(4);
        held[0].prove();
        held[0].prove();
        let place = places.take(member(OTHER), network(5), Proof::Claimed);
        assert!(place.is_some());
        held.extend(place);
        let place = places.take(member(OTHER), network(6), Proof::Claimed);
        assert!(place.is_none());
        drop(held);
        assert_empty(&places);
    }
}

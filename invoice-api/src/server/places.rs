//! Places for work that holds much memory: a number in all, and fewer for each member and address,
//! so that nobody takes the places of everybody.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

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

/// Who holds how many places.
#[derive(Debug)]
pub(crate) struct Places {
    bounds: Bounds,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    all: usize,
    members: HashMap<MemberId, usize>,
    networks: HashMap<Network, usize>,
}

/// One place, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    member: MemberId,
    network: Network,
}

impl Places {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            held: Mutex::default(),
        }
    }

    /// A place, when there is one left for this member and address.
    pub(crate) fn take(self: &Arc<Self>, member: MemberId, network: Network) -> Option<Place> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let of_member = held.members.get(&member).copied().unwrap_or(0);
        let of_network = held.networks.get(&network).copied().unwrap_or(0);
        if held.all >= self.bounds.all
            || of_member >= self.bounds.member
            || of_network >= self.bounds.network
        {
            return None;
        }
        held.all += 1;
        held.members.insert(member, of_member + 1);
        held.networks.insert(network, of_network + 1);
        Some(Place {
            places: Arc::clone(self),
            member,
            network,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let places = &self.places;
        let mut held = places.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.all = held.all.saturating_sub(1);
        give_back(&mut held.members, self.member);
        give_back(&mut held.networks, self.network);
    }
}

/// One less; who holds none is not remembered.
fn give_back<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: K) {
    let left = counts.get(&key).map_or(0, |count| count.saturating_sub(1));
    if left == 0 {
        counts.remove(&key);
    } else {
        counts.insert(key, left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_the_places_of_everybody() {
        let places = Arc::new(Places::new(Bounds {
            all: 4,
            member: 3,
            network: 2,
        }));
        let one: MemberId = "91330000142942095H".parse().unwrap();
        let other: MemberId = "91350100M000100Y43".parse().unwrap();
        let [near, far, away] = [1, 2, 3].map(|last| Network::V4([127, 0, 0, last]));
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
            let place = places.take(member, network);
            assert_eq!(place.is_some(), given, "{member} {network:?}");
            held.push(place);
        }
        held.clear();
        let empty = places.held.lock().unwrap();
        assert_eq!(
            (empty.all, empty.members.len(), empty.networks.len()),
            (0, 0, 0)
        );
    }
}

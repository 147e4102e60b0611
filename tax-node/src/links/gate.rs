//! How many strangers may knock.
//!
//! Who they are shows only at the end of the handshake, so no place can be kept for a peer. Instead
//! the newest always gets in, and where there is no room the oldest has to go: an honest end has
//! shown itself long before that, and whoever only holds a place keeps nobody out.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio_util::sync::CancellationToken;

use super::limits::Limits;

/// After how many connections networks that have been quiet are forgotten.
const SWEEP_EVERY: u32 = 1_024;

/// Where a connection comes from: an IPv4 address, or the /64 that one IPv6 customer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Network {
    V4([u8; 4]),
    V6([u8; 8]),
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                Self::V6([a, b, c, d, e, f, g, h])
            }
        }
    }
}

/// Too many connections from a network in a second: the newest is closed at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooFast;

/// Lets strangers in, as many as the limits allow.
pub(super) struct Gate {
    rate: DefaultKeyedRateLimiter<Network>,
    entered: AtomicU32,
    inside: Arc<Mutex<Inside>>,
    total_max: usize,
    network_max: usize,
}

#[derive(Default)]
struct Inside {
    next: u64,
    /// By the order in which they came.
    places: BTreeMap<u64, (Network, CancellationToken)>,
    networks: HashMap<Network, usize>,
}

impl Inside {
    fn remove(&mut self, number: u64) {
        let Some((network, _)) = self.places.remove(&number) else {
            return;
        };
        if let Some(here) = self.networks.get_mut(&network) {
            *here -= 1;
            if *here == 0 {
                self.networks.remove(&network);
            }
        }
    }

    /// Whoever has waited longest, of one network or of all, has to go.
    fn push_out(&mut self, of: Option<Network>) {
        let mut places = self.places.iter();
        let oldest = places.find(|(_, (network, _))| of.is_none_or(|of| of == *network));
        if let Some((number, (_, gone))) = oldest {
            gone.cancel();
            let number = *number;
            self.remove(number);
        }
    }
}

/// A stranger's place, given back when it is dropped.
pub(super) struct Place {
    inside: Arc<Mutex<Inside>>,
    number: u64,
    gone: CancellationToken,
}

impl Place {
    /// Waits until a newer stranger takes this place.
    pub(super) async fn is_taken(&self) {
        self.gone.cancelled().await;
    }
}

impl Gate {
    pub(super) fn new(limits: &Limits) -> Self {
        let per_second = NonZeroU32::new(limits.connections_per_second);
        Self {
            rate: RateLimiter::keyed(Quota::per_second(per_second.unwrap_or(NonZeroU32::MIN))),
            entered: AtomicU32::new(0),
            inside: Arc::default(),
            total_max: limits.strangers_max,
            network_max: limits.strangers_per_network,
        }
    }

    pub(super) fn enter(&self, address: IpAddr) -> Result<Place, TooFast> {
        let network = Network::from(address);
        if self.entered.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            // What is kept are networks of the last second and of the last few connections.
            self.rate.retain_recent();
            self.rate.shrink_to_fit();
        }
        self.rate.check_key(&network).map_err(|_| TooFast)?;
        let mut inside = lock(&self.inside);
        let here = inside.networks.get(&network).copied().unwrap_or(0);
        if here >= self.network_max {
            inside.push_out(Some(network));
        } else if inside.places.len() >= self.total_max {
            inside.push_out(None);
        }
        let (number, gone) = (inside.next, CancellationToken::new());
        inside.next += 1;
        inside.places.insert(number, (network, gone.clone()));
        *inside.networks.entry(network).or_default() += 1;
        Ok(Place {
            inside: Arc::clone(&self.inside),
            number,
            gone,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.inside).remove(self.number);
    }
}

fn lock(inside: &Mutex<Inside>) -> MutexGuard<'_, Inside> {
    inside.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(strangers_max: usize, strangers_per_network: usize, per_second: u32) -> Gate {
        Gate::new(&Limits {
            strangers_max,
            strangers_per_network,
            connections_per_second: per_second,
            ..Limits::default()
        })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn places_are_bounded_in_all_and_per_network_and_the_oldest_has_to_go() {
        let gate = gate(3, 2, 1_000);
        let enter = |text: &str| gate.enter(ip(text)).unwrap();
        let left = |places: &[&Place]| -> Vec<bool> {
            let gone = places.iter().map(|place| place.gone.is_cancelled());
            gone.collect()
        };
        let first = enter("10.0.0.2");
        let (second, third) = (enter("10.0.0.1"), enter("10.0.0.1"));
        assert_eq!(left(&[&first, &second, &third]), [false; 3]);
        // Its network is full: the older of its own goes, not that of another.
        let fourth = enter("10.0.0.1");
        assert_eq!(left(&[&first, &second, &third]), [false, true, false]);
        // All is full: the oldest of all goes.
        let fifth = enter("10.0.0.3");
        assert_eq!(left(&[&first, &third, &fourth]), [true, false, false]);
        assert_eq!(lock(&gate.inside).places.len(), 3);
        // A place that was given back costs nobody another.
        drop(third);
        let _sixth = enter("10.0.0.4");
        assert_eq!(left(&[&fourth, &fifth]), [false, false]);
        drop((first, second, fourth, fifth));
        assert_eq!(lock(&gate.inside).networks.len(), 1);
    }

    #[test]
    fn a_second_has_so_many_connections_from_one_network() {
        let gate = gate(64, 64, 3);
        for _ in 0..3 {
            gate.enter(ip("2001:db8::1")).unwrap();
        }
        assert_eq!(gate.enter(ip("2001:db8::ffff")).err(), Some(TooFast));
        assert!(gate.enter(ip("2001:db8:0:1::1")).is_ok());
        // The same address, written as IPv6.
        for _ in 0..3 {
            gate.enter(ip("10.0.0.1")).unwrap();
        }
        assert_eq!(gate.enter(ip("::ffff:10.0.0.1")).err(), Some(TooFast));
    }

    #[test]
    fn networks_that_are_quiet_are_forgotten() {
        let gate = gate(64, 64, 1_000_000);
        for n in 0..20_000_u32 {
            gate.enter(IpAddr::V4(n.into())).unwrap();
        }
        assert!(gate.rate.len() <= usize::try_from(SWEEP_EVERY).unwrap());
    }
}

//! How many strangers may knock.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

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

/// Why a connection is closed at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Too many from its network in a second.
    Rate,
    /// Too many strangers at this moment, in all or from its network.
    Room,
}

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
    total: usize,
    networks: HashMap<Network, usize>,
}

/// A stranger's place, given back when it is dropped.
pub(super) struct Place {
    inside: Arc<Mutex<Inside>>,
    network: Network,
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

    pub(super) fn enter(&self, address: IpAddr) -> Result<Place, Refused> {
        let network = Network::from(address);
        if self.entered.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            // What is kept are networks of the last second and of the last few connections.
            self.rate.retain_recent();
            self.rate.shrink_to_fit();
        }
        self.rate.check_key(&network).map_err(|_| Refused::Rate)?;
        let mut inside = lock(&self.inside);
        let here = inside.networks.get(&network).copied().unwrap_or(0);
        if inside.total >= self.total_max || here >= self.network_max {
            return Err(Refused::Room);
        }
        inside.total += 1;
        inside.networks.insert(network, here + 1);
        Ok(Place {
            inside: Arc::clone(&self.inside),
            network,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = lock(&self.inside);
        inside.total -= 1;
        if let Some(here) = inside.networks.get_mut(&self.network) {
            *here -= 1;
            if *here == 0 {
                inside.networks.remove(&self.network);
            }
        }
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
    fn places_are_bounded_in_all_and_per_network_and_come_back() {
        let gate = gate(3, 2, 1_000);
        let first = gate.enter(ip("10.0.0.1")).unwrap();
        let _second = gate.enter(ip("10.0.0.1")).unwrap();
        assert_eq!(gate.enter(ip("10.0.0.1")).err(), Some(Refused::Room));
        let _third = gate.enter(ip("10.0.0.2")).unwrap();
        assert_eq!(gate.enter(ip("10.0.0.3")).err(), Some(Refused::Room));
        drop(first);
        assert!(gate.enter(ip("10.0.0.3")).is_ok());
        assert!(lock(&gate.inside).networks.len() == 2);
    }

    #[test]
    fn a_second_has_so_many_connections_from_one_network() {
        let gate = gate(64, 64, 3);
        for _ in 0..3 {
            gate.enter(ip("2001:db8::1")).unwrap();
        }
        assert_eq!(gate.enter(ip("2001:db8::ffff")).err(), Some(Refused::Rate));
        assert!(gate.enter(ip("2001:db8:0:1::1")).is_ok());
        // The same address, written as IPv6.
        for _ in 0..3 {
            gate.enter(ip("10.0.0.1")).unwrap();
        }
        assert_eq!(gate.enter(ip("::ffff:10.0.0.1")).err(), Some(Refused::Rate));
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

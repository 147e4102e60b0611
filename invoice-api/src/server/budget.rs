//! Rate budgets per member and per address.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock, QuantaInstant, Reference};
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{NotUntil, Quota, RateLimiter};
use invoice_core::crypto::Kid;
use invoice_core::identity::MemberId;

use crate::config::BudgetConfig;
use crate::limits::BUDGET_KEYS_MAX;

const MINUTE_NANOS: u64 = 60_000_000_000;

/// The budgets of a server.
pub(crate) struct Budgets {
    /// Records sent, by member.
    pub(crate) records: Budget<MemberId>,
    /// Documents checked, by member.
    pub(crate) checks: Budget<MemberId>,
    /// Other signed questions, by member.
    pub(crate) reads: Budget<MemberId>,
    /// Requests without a signature, by address.
    pub(crate) anonymous: Budget<Network>,
    /// Failed authentications, by address and the key that was named: whoever sends junk in a
    /// member's name from elsewhere, or beside it, costs the member nothing.
    pub(crate) failures: Budget<(Network, Option<Kid>)>,
    /// Public checks that found nothing, by address: whoever guesses what a document says is soon
    /// refused.
    pub(crate) misses: Budget<Network>,
    /// Test messages to webhooks, by member: nobody makes the node hammer a third party.
    pub(crate) webhook_tests: Budget<MemberId>,
}

impl Budgets {
    pub(crate) fn new(config: &BudgetConfig) -> Self {
        Self {
            records: Budget::new(config.records_per_minute),
            checks: Budget::new(config.checks_per_minute),
            reads: Budget::new(config.reads_per_minute),
            anonymous: Budget::new(config.anonymous_per_minute),
            failures: Budget::new(config.failures_per_minute),
            misses: Budget::new(config.misses_per_minute),
            webhook_tests: Budget::new(config.webhook_tests_per_minute),
        }
    }
}

/// Where a request comes from: an IPv4 address, or the /64 that one IPv6 customer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Network {
    V4([u8; 4]),
    V6([u8; 8]),
    /// Not a network connection.
    Unknown,
}

impl Network {
    /// The same, an IPv6 address by the /48 that one customer may have: for what is scarce.
    pub(crate) fn wide(self) -> Self {
        match self {
            Self::V6([a, b, c, d, e, f, ..]) => Self::V6([a, b, c, d, e, f, 0, 0]),
            Self::V4(_) | Self::Unknown => self,
        }
    }

    /// A number that tells networks apart.
    pub(crate) fn origin(self) -> u64 {
        match self {
            Self::V4(octets) => u64::from(u32::from_be_bytes(octets)),
            Self::V6(octets) => u64::from_be_bytes(octets),
            Self::Unknown => u64::MAX,
        }
    }
}

impl From<Option<IpAddr>> for Network {
    fn from(address: Option<IpAddr>) -> Self {
        match address.map(|address| address.to_canonical()) {
            Some(IpAddr::V4(address)) => Self::V4(address.octets()),
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                Self::V6([a, b, c, d, e, f, g, h])
            }
            None => Self::Unknown,
        }
    }
}

/// The budget is spent; when the same will be possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spent {
    pub(crate) wait: Duration,
}

impl Spent {
    /// For `Retry-After`: whole seconds, rounded up, at least one.
    pub(crate) fn seconds(self) -> u32 {
        u32::try_from(self.wait.as_millis().div_ceil(1_000))
            .unwrap_or(u32::MAX)
            .max(1)
    }
}

/// One budget for each key, bounded in memory.
pub(crate) struct Budget<K: Hash + Eq + Clone> {
    per_minute: NonZeroU32,
    limiter: RateLimiter<K, Shared<K>, DefaultClock>,
    store: Shared<K>,
    clock: DefaultClock,
    start: QuantaInstant,
}

impl<K: Hash + Eq + Clone> Budget<K> {
    fn new(per_minute: NonZeroU32) -> Self {
        let clock = DefaultClock::default();
        let store = Shared(Arc::new(Table {
            keys_max: BUDGET_KEYS_MAX,
            clock: clock.clone(),
            start: clock.now(),
            taken: Mutex::default(),
        }));
        let start = clock.now();
        let limiter = RateLimiter::new(Quota::per_minute(per_minute), store.clone(), clock.clone());
        Self {
            per_minute,
            limiter,
            store,
            clock,
            start,
        }
    }

    /// Takes `amount` from the budget, all or nothing. More than a whole minute's worth counts as
    /// just that, so that nothing is impossible for ever.
    pub(crate) fn take(&self, key: &K, amount: usize) -> Result<(), Spent> {
        let amount = u32::try_from(amount)
            .unwrap_or(u32::MAX)
            .min(self.per_minute.get());
        let Some(amount) = NonZeroU32::new(amount) else {
            return Ok(());
        };
        match self.limiter.check_key_n(key, amount) {
            Ok(Ok(())) | Err(_) => Ok(()),
            Ok(Err(not_until)) => Err(self.spent(&not_until)),
        }
    }

    /// Gives back what was taken and turned out not to be owed.
    pub(crate) fn give_back(&self, key: &K, amount: u32) {
        let interval = (MINUTE_NANOS / u64::from(self.per_minute.get())).max(1);
        let amount = amount.min(self.per_minute.get());
        self.store
            .give_back(key, interval.saturating_mul(u64::from(amount)));
    }

    fn spent(&self, not_until: &NotUntil<QuantaInstant>) -> Spent {
        Spent {
            wait: not_until.wait_time_from(self.clock.now()),
        }
    }

    /// Refuses when less than `amount` is left, without taking any. More than a whole minute's
    /// worth counts as just that.
    pub(crate) fn check(&self, key: &K, amount: usize) -> Result<(), Spent> {
        let amount = u32::try_from(amount)
            .unwrap_or(u32::MAX)
            .min(self.per_minute.get());
        let missing = amount.saturating_sub(self.left(key));
        if missing == 0 {
            return Ok(());
        }
        let wait = Duration::from_nanos(
            MINUTE_NANOS / u64::from(self.per_minute.get()) * u64::from(missing),
        );
        Err(Spent { wait })
    }

    /// How much there is per minute.
    pub(crate) fn per_minute(&self) -> u32 {
        self.per_minute.get()
    }

    /// How much is left, without taking any.
    pub(crate) fn left(&self, key: &K) -> u32 {
        let interval = (MINUTE_NANOS / u64::from(self.per_minute.get())).max(1);
        let now = self.clock.now().duration_since(self.start).as_u64();
        let owed = self
            .store
            .taken(key)
            .map_or(0, |until| until.as_u64().saturating_sub(now));
        let owed = u32::try_from(owed.div_ceil(interval)).unwrap_or(u32::MAX);
        self.per_minute.get().saturating_sub(owed)
    }
}

/// The times until which budgets are spoken for, shared with the limiter.
struct Shared<K>(Arc<Table<K>>);

struct Table<K> {
    keys_max: usize,
    clock: DefaultClock,
    start: QuantaInstant,
    taken: Mutex<Taken<K>>,
}

struct Taken<K> {
    by_key: HashMap<K, Nanos>,
    /// The budget of all keys for which there was no room.
    others: Option<Nanos>,
}

impl<K> Default for Taken<K> {
    fn default() -> Self {
        Self {
            by_key: HashMap::new(),
            others: None,
        }
    }
}

impl<K> Clone for Shared<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Hash + Eq> Shared<K> {
    fn taken(&self, key: &K) -> Option<Nanos> {
        let taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.by_key.get(key).copied()
    }

    fn give_back(&self, key: &K, nanos: u64) {
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = &mut *taken;
        let until = taken.by_key.get_mut(key).or(taken.others.as_mut());
        if let Some(until) = until {
            *until = Nanos::from(until.as_u64().saturating_sub(nanos));
        }
    }
}

impl<K: Hash + Eq + Clone> StateStore for Shared<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let table = &*self.0;
        let mut taken = table.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = taken.by_key.get_mut(key) {
            let (answer, next) = decide(Some(*until))?;
            *until = next;
            return Ok(answer);
        }
        if taken.by_key.len() >= table.keys_max {
            let now = table.clock.now().duration_since(table.start).as_u64();
            taken.by_key.retain(|_, until| until.as_u64() > now);
        }
        if taken.by_key.len() >= table.keys_max {
            let (answer, next) = decide(taken.others)?;
            taken.others = Some(next);
            return Ok(answer);
        }
        let (answer, next) = decide(None)?;
        taken.by_key.insert(key.clone(), next);
        Ok(answer)
    }
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;

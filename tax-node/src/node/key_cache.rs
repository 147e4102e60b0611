//! Registered keys, remembered by their identifiers.
//!
//! Every record and every signed question names a key. Reading it from the state costs a look-up,
//! and making a point of its bytes costs more; so both are done once. What is remembered is the
//! state of the last block: entries that a block changes are forgotten when it is final, and what
//! was read from an older snapshot meanwhile is not put back. The sequencer looks at the key again
//! over the state of the block, so a stale entry can cost a refusal or a verification, never admit
//! anything.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use invoice_api::registry::KeyStanding;
use invoice_core::calendar::Instant;
use invoice_core::crypto::{Kid, PublicKey};
use invoice_core::identity::MemberId;
use invoice_core::record::RoleSet;
use invoice_core::state::{Changes, Fault, MemberNo, StateView, Table, TypedState};

/// Keys remembered at most. Each has its point and may have a table of multiples.
pub(super) const KEYS_CACHED_MAX: usize = 16_384;

/// A registered key and its owner, as of some block.
#[derive(Debug, Clone)]
pub(super) struct KnownKey {
    pub(super) kid: Kid,
    pub(super) public_key: Arc<PublicKey>,
    pub(super) number: MemberNo,
    /// `None` when the state has the key and not its owner.
    pub(super) owner: Option<KeyOwner>,
    not_after: Option<Instant>,
    revoked: bool,
}

/// Whose key it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyOwner {
    pub(super) id: MemberId,
    pub(super) roles: RoleSet,
    suspended: bool,
}

impl KnownKey {
    /// Reads a key and its owner from the state; `None` when it was never registered.
    pub(super) fn read<V: StateView>(
        state: &TypedState<'_, V>,
        kid: &Kid,
    ) -> Result<Option<Self>, Fault<V::Error>> {
        let Some(entry) = state.key(kid)? else {
            return Ok(None);
        };
        let owner = match state.member_id(entry.owner)? {
            Some(id) => state.member(&id)?.map(|member| KeyOwner {
                id,
                roles: member.roles,
                suspended: member.suspended,
            }),
            None => None,
        };
        Ok(Some(Self {
            kid: *kid,
            public_key: Arc::new(entry.public_key),
            number: entry.owner,
            owner,
            not_after: entry.not_after,
            revoked: entry.revoked_at.is_some(),
        }))
    }

    /// Whether the key may sign something new at an instant; `None` without an owner.
    pub(super) fn standing(&self, time: Instant) -> Option<KeyStanding> {
        let owner = self.owner.as_ref()?;
        Some(if self.revoked {
            KeyStanding::Revoked
        } else if self.not_after.is_some_and(|end| time > end) {
            KeyStanding::Expired
        } else if owner.suspended {
            KeyStanding::MemberSuspended
        } else {
            KeyStanding::Good
        })
    }
}

/// The keys in use. Bounded: of two generations the older one is forgotten when the younger is
/// full, so what is in use stays.
#[derive(Debug)]
pub(super) struct KeyCache {
    known: RwLock<Generations>,
    /// Time of the last block.
    time_ms: AtomicI64,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Kid, Arc<KnownKey>>,
    old: HashMap<Kid, Arc<KnownKey>>,
    /// How often blocks changed keys or members.
    changes: u64,
}

impl Generations {
    fn put(&mut self, key: Arc<KnownKey>) {
        if self.young.len() >= KEYS_CACHED_MAX / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key.kid, key);
    }
}

impl KeyCache {
    /// Nothing known yet; the last block is of this time.
    pub(super) fn new(time: Instant) -> Self {
        Self {
            known: RwLock::default(),
            time_ms: AtomicI64::new(time.ms()),
        }
    }

    /// The time of the last block.
    pub(super) fn time(&self) -> Instant {
        Instant::from_ms(self.time_ms.load(Ordering::Acquire))
    }

    /// The key, from memory or by `read`, which reads the state as of now.
    pub(super) fn get<E>(
        &self,
        kid: &Kid,
        read: impl FnOnce() -> Result<Option<KnownKey>, E>,
    ) -> Result<Option<Arc<KnownKey>>, E> {
        let changes = {
            let known = self.read();
            if let Some(key) = known.young.get(kid) {
                return Ok(Some(Arc::clone(key)));
            }
            known.changes
        };
        let aged = self.write().old.remove(kid);
        let key = match aged {
            Some(key) => key,
            None => match read()? {
                Some(key) => Arc::new(key),
                // Strangers may make up any number of identifiers, so absence is not remembered.
                None => return Ok(None),
            },
        };
        let mut known = self.write();
        if known.changes == changes {
            known.put(Arc::clone(&key));
        }
        Ok(Some(key))
    }

    /// Forgets what a block changed. Called when the block can be read.
    pub(super) fn advance(&self, time: Instant, changes: &Changes) {
        self.time_ms.store(time.ms(), Ordering::Release);
        let (mut kids, mut members) = (HashSet::new(), HashSet::new());
        // In the order of the tables: documents and records, which are many, come later.
        let few = changes
            .iter()
            .take_while(|(table, ..)| table.number() <= Table::Key.number());
        for (table, key, _) in few {
            if table == Table::Key {
                kids.extend(<[u8; 16]>::try_from(key).map(Kid::new));
            } else if table == Table::Member {
                members.extend(MemberId::from_bytes(key));
            }
        }
        if kids.is_empty() && members.is_empty() {
            return;
        }
        let mut known = self.write();
        known.changes = known.changes.wrapping_add(1);
        let stays = |kid: &Kid, key: &mut Arc<KnownKey>| {
            !kids.contains(kid)
                && key
                    .owner
                    .as_ref()
                    .is_some_and(|owner| !members.contains(&owner.id))
        };
        known.young.retain(stays);
        known.old.retain(stays);
    }

    fn read(&self) -> RwLockReadGuard<'_, Generations> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Generations> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

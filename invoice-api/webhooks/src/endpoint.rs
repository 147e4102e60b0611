//! An endpoint: where a member is told what, and how far it was told.

use invoice_core::identity::MemberId;
use serde::{Deserialize, Serialize};

use crate::delivery::{Attempt, Delivery, Verdict};
use crate::message::EventPlace;
use crate::position::{Cursor, Failing, State};
use crate::reason::{Disabled, Reason};
use crate::replaced::Replaced;
use crate::schedule::{FAILING_MAX_MS, HURRY_MS, retry_wait_ms};
use crate::secret::Secret;
use crate::settings::{EndpointId, Settings};

/// Endpoints of one member at most.
pub const ENDPOINTS_PER_MEMBER_MAX: usize = 10;
/// Endpoints of one node at most.
pub const ENDPOINTS_MAX: usize = 10_000;
/// Deliveries that are kept of one endpoint; older ones fall off.
pub const DELIVERIES_KEPT: u64 = 1_000;

/// Whose endpoint, and which.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointKey {
    /// The member.
    pub member: MemberId,
    /// Its name for the endpoint.
    pub id: EndpointId,
}

/// An endpoint, as a node keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Whose it is, and its name.
    pub key: EndpointKey,
    /// What the member said about it.
    pub settings: Settings,
    /// The key that said so last, in hexadecimal: messages are read with its rights.
    pub kid: String,
    secret: Secret,
    #[serde(alias = "old_secret")]
    old_secrets: Replaced,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
    /// How far it was told.
    pub cursor: Cursor,
    /// Whether it is told anything.
    pub state: State,
    /// The trouble that it has.
    pub failing: Option<Failing>,
    /// Grows whenever its member changes where it stands or where it leads, so that an attempt
    /// that was under way does not undo that.
    pub generation: u64,
    /// The delivery that is being tried.
    pub open: Option<u64>,
    /// The number of the next delivery.
    pub next_delivery: u64,
    /// When the last attempt ended, in milliseconds since 1970.
    #[serde(default)]
    tried_ms: Option<i64>,
    /// Its member asked for an attempt before it was due.
    #[serde(default)]
    hurried: bool,
}

impl Endpoint {
    /// A new endpoint that is told what happens after a height.
    #[must_use]
    pub fn new(
        key: EndpointKey,
        settings: Settings,
        kid: String,
        secret: Secret,
        height: u64,
        now_ms: i64,
    ) -> Self {
        Self {
            key,
            settings,
            kid,
            secret,
            old_secrets: Replaced::default(),
            created_ms: now_ms,
            cursor: Cursor {
                height,
                within: None,
            },
            state: State::Active,
            failing: None,
            generation: 0,
            open: None,
            next_delivery: 0,
            tried_ms: None,
            hurried: false,
        }
    }

    /// A new endpoint whose member has just removed another one is not tried sooner than that one
    /// would have been.
    #[must_use]
    pub fn resting_since(mut self, at_ms: i64) -> Self {
        self.tried_ms = Some(at_ms);
        self.hurried = true;
        self
    }

    /// When it may be tried at all: at its next attempt when it fails, and, however often its
    /// member asks for an attempt, not within [`HURRY_MS`] of the last one. In milliseconds from
    /// now; `None` for now.
    #[must_use]
    pub fn wait_ms(&self, now_ms: i64) -> Option<u64> {
        let due = self
            .failing
            .map_or(0, |failing| failing.next_ms.saturating_sub(now_ms));
        let rest = self.tried_ms.filter(|_| self.hurried).map_or(0, |tried| {
            let since = now_ms.saturating_sub(tried);
            // A clock that was put back makes nobody wait for longer.
            HURRY_MS.saturating_sub(since).min(HURRY_MS)
        });
        u64::try_from(due.max(rest)).ok().filter(|wait| *wait > 0)
    }

    /// The secret, to be shown once.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The secrets that sign at an instant, the newest first.
    pub fn secrets(&self, now_ms: i64) -> impl Iterator<Item = &Secret> {
        std::iter::once(&self.secret).chain(self.old_secrets.valid(now_ms))
    }

    /// Until when the secret before this one signs too, if it still does.
    #[must_use]
    pub fn old_secret_until_ms(&self, now_ms: i64) -> Option<i64> {
        self.old_secrets.until_ms(now_ms)
    }

    /// Whether an event of this kind is sent.
    #[must_use]
    pub fn wants(&self, kind: &str) -> bool {
        let events = self.settings.events.as_ref();
        events.is_none_or(|events| events.iter().any(|event| event == kind))
    }

    /// Takes new settings; another URL is tried without waiting for the next attempt that was due.
    pub fn change(&mut self, settings: Settings, kid: String) {
        if settings.url != self.settings.url {
            self.generation = self.generation.saturating_add(1);
            self.hurry();
        }
        self.settings = settings;
        self.kid = kid;
    }

    /// Replaces the secret; those before it sign beside it, each until
    /// [`OVERLAP_MS`](crate::OVERLAP_MS) after it was replaced.
    pub fn rotate(&mut self, secret: Secret, kid: String, now_ms: i64) {
        let secret = std::mem::replace(&mut self.secret, secret);
        self.old_secrets.add(secret, now_ms);
        self.kid = kid;
    }

    /// Moves the cursor back to a height; never forward, so nothing is skipped.
    pub fn replay(&mut self, after: u64, kid: String) {
        if after < self.cursor.height || self.cursor.within.is_some() {
            self.cursor = Cursor {
                height: after.min(self.cursor.height),
                within: None,
            };
            self.generation = self.generation.saturating_add(1);
            self.open = None;
            self.hurry();
        }
        self.kid = kid;
    }

    /// Makes it active again; a failing one is tried without waiting for its next attempt.
    pub fn enable(&mut self, kid: String) {
        self.state = State::Active;
        self.hurry();
        self.kid = kid;
    }

    fn hurry(&mut self) {
        self.failing = None;
        self.hurried = true;
    }

    /// The chain ends at this height, see [`Cursor::end_at`].
    pub fn end_at(&mut self, head: u64) -> bool {
        self.cursor.end_at(head)
    }

    /// Everything to a height was taken or not wanted. A height below the cursor is that of a
    /// chain that was restored: there is nothing beyond it.
    pub fn complete_to(&mut self, height: u64) {
        self.cursor = Cursor {
            height,
            within: None,
        };
    }

    /// The delivery of a message: the open one when that is being tried again, else a new one.
    #[must_use]
    pub fn delivery(
        &self,
        open: Option<Delivery>,
        message: String,
        event: String,
        place: EventPlace,
    ) -> Delivery {
        let open = open.filter(|open| open.message == message && !open.delivered);
        open.unwrap_or_else(|| Delivery::new(self.next_delivery, message, event, place))
    }

    /// Takes what came of an attempt and writes it into the delivery. When the member moved or
    /// changed the endpoint meanwhile (`generation` is not that of the attempt), only the delivery
    /// remembers it.
    pub fn tried(
        &mut self,
        delivery: &mut Delivery,
        attempt: Attempt,
        verdict: Verdict,
        generation: u64,
        chance: u16,
    ) {
        let end_ms = attempt
            .at_ms
            .saturating_add(i64::try_from(attempt.duration_ms).unwrap_or(i64::MAX));
        self.next_delivery = self.next_delivery.max(delivery.number.saturating_add(1));
        self.tried_ms = Some(end_ms);
        if generation != self.generation {
            delivery.tried(attempt, None);
            return;
        }
        self.hurried = false;
        match verdict {
            Verdict::Taken => {
                self.cursor.within = Some(delivery.place);
                self.failing = None;
                self.open = None;
                delivery.tried(attempt, None);
            }
            Verdict::Failed {
                reason,
                retry_after_ms,
            } => {
                let before = self.failing;
                let since_ms = before.map_or(attempt.at_ms, |failing| failing.since_ms);
                let failures = before
                    .map_or(0, |failing| failing.failures)
                    .saturating_add(1);
                let wait = retry_wait_ms(failures, chance, retry_after_ms);
                let next_ms = end_ms.saturating_add(wait);
                self.failing = Some(Failing {
                    since_ms,
                    failures,
                    next_ms,
                    reason,
                });
                let disabled = if reason == Reason::Gone {
                    Some(Disabled::Gone)
                } else if end_ms.saturating_sub(since_ms) >= FAILING_MAX_MS {
                    Some(Disabled::Failing)
                } else {
                    None
                };
                if let Some(reason) = disabled {
                    self.state = State::Disabled {
                        reason,
                        at_ms: end_ms,
                    };
                }
                self.open = Some(delivery.number);
                delivery.tried(attempt, disabled.is_none().then_some(next_ms));
            }
        }
    }
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;

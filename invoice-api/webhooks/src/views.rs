//! Endpoints and deliveries as their member sees them. Secrets are in none but the two answers
//! that show one once.

use invoice_core::calendar::Instant;
use serde::Serialize;
use utoipa::ToSchema;

use crate::delivery::{Attempt, Delivery};
use crate::endpoint::Endpoint;
use crate::position::{Failing, State};

fn time(ms: i64) -> String {
    Instant::from_ms(ms).to_rfc3339_utc8()
}

/// The endpoints of a member on this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EndpointsView {
    /// In the order of their ids.
    pub endpoints: Vec<EndpointView>,
    /// The head of the chain: what `cursor` of an endpoint lags behind.
    pub height: u64,
}

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EndpointView {
    /// Its name.
    pub id: String,
    /// Where messages go.
    pub url: String,
    /// The kinds of events that are sent; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<String>>,
    /// A note for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `active`, `failing` (a message waits to be tried again), `paused` (the member is suspended
    /// or has no good key) or `disabled`.
    pub state: &'static str,
    /// Why it is disabled: `gone` or `failing`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// Since when it is disabled, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<String>,
    /// The trouble that it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing: Option<FailingView>,
    /// Everything up to this height was taken or not wanted.
    pub cursor: u64,
    /// When it was made, RFC 3339.
    pub created: String,
    /// Until when the secret before the present one signs too, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_secret_until: Option<String>,
    /// The newest delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<DeliveryView>,
}

/// A message that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FailingView {
    /// Since when, RFC 3339.
    pub since: String,
    /// Failures in a row.
    pub failures: u32,
    /// When it is tried again, RFC 3339.
    pub next: String,
    /// The code of the last failure.
    pub reason: &'static str,
}

impl From<&Failing> for FailingView {
    fn from(failing: &Failing) -> Self {
        Self {
            since: time(failing.since_ms),
            failures: failing.failures,
            next: time(failing.next_ms),
            reason: failing.reason.code(),
        }
    }
}

impl EndpointView {
    /// An endpoint as it is now; `paused` when its member may not be told anything.
    #[must_use]
    pub fn new(endpoint: &Endpoint, last: Option<&Delivery>, paused: bool, now_ms: i64) -> Self {
        let (state, disabled) = match endpoint.state {
            State::Disabled { reason, at_ms } => ("disabled", Some((reason, at_ms))),
            State::Active if paused => ("paused", None),
            State::Active if endpoint.failing.is_some() => ("failing", None),
            State::Active => ("active", None),
        };
        Self {
            id: endpoint.key.id.to_string(),
            url: endpoint.settings.url.clone(),
            events: endpoint.settings.events.clone(),
            description: endpoint.settings.description.clone(),
            state,
            reason: disabled.map(|(reason, _)| reason.code()),
            disabled_at: disabled.map(|(_, at_ms)| time(at_ms)),
            failing: endpoint.failing.as_ref().map(FailingView::from),
            cursor: endpoint.cursor.height,
            created: time(endpoint.created_ms),
            old_secret_until: endpoint.old_secret_until_ms(now_ms).map(time),
            last: last.map(DeliveryView::from),
        }
    }
}

/// An endpoint with its secret, which is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CreatedView {
    /// The endpoint.
    #[serde(flatten)]
    pub endpoint: EndpointView,
    /// `whsec_` and the base64 of 32 bytes.
    pub secret: String,
}

impl std::fmt::Debug for CreatedView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("CreatedView").field(&self.endpoint).finish()
    }
}

/// A new secret, which is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SecretView {
    /// The endpoint.
    pub id: String,
    /// `whsec_` and the base64 of 32 bytes.
    pub secret: String,
    /// Until when the secret before it signs too, RFC 3339.
    pub old_secret_until: String,
}

impl SecretView {
    /// What the owner of an endpoint is told after a rotation.
    #[must_use]
    pub fn new(endpoint: &Endpoint, now_ms: i64) -> Self {
        Self {
            id: endpoint.key.id.to_string(),
            secret: endpoint.secret().reveal(),
            old_secret_until: time(endpoint.old_secret_until_ms(now_ms).unwrap_or(now_ms)),
        }
    }
}

impl std::fmt::Debug for SecretView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SecretView").field(&self.id).finish()
    }
}

/// What came of a test message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TestView {
    /// The message's id.
    pub message: String,
    /// Whether the receiver took it.
    pub delivered: bool,
    /// The attempt.
    #[serde(flatten)]
    pub attempt: AttemptView,
}

/// A page of deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeliveriesView {
    /// The newest first.
    pub deliveries: Vec<DeliveryView>,
    /// The cursor of the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One message and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeliveryView {
    /// The message's id: the same whenever it is sent again.
    pub id: String,
    /// The kind of event.
    pub event: String,
    /// Height of the event's block.
    pub height: u64,
    /// Leaf index of the record that caused it.
    pub index: u64,
    /// Whether it was taken.
    pub delivered: bool,
    /// How many attempts there were; of many, the first and the last ones are kept.
    pub attempts_total: u32,
    /// The attempts, in order.
    pub attempts: Vec<AttemptView>,
    /// When it is tried again, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl From<&Delivery> for DeliveryView {
    fn from(delivery: &Delivery) -> Self {
        Self {
            id: delivery.message.clone(),
            event: delivery.event.clone(),
            height: delivery.place.height,
            index: delivery.place.index,
            delivered: delivery.delivered,
            attempts_total: delivery.attempts_total,
            attempts: delivery.attempts.iter().map(AttemptView::from).collect(),
            next: delivery.next_ms.map(time),
        }
    }
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AttemptView {
    /// When it began, RFC 3339.
    pub at: String,
    /// How long it took.
    pub duration_ms: u64,
    /// The HTTP status, when there was an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The code of the failure, if it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The beginning of the answer's body.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub answer: String,
}

impl From<&Attempt> for AttemptView {
    fn from(attempt: &Attempt) -> Self {
        Self {
            at: time(attempt.at_ms),
            duration_ms: attempt.duration_ms,
            status: attempt.status,
            reason: attempt.reason.map(crate::reason::Reason::code),
            answer: attempt.answer.clone(),
        }
    }
}

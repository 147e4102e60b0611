//! Webhooks: what happened on the chain, told to a member's own server and signed.
//!
//! The layout is that of Standard Webhooks 1.0: three headers and an HMAC-SHA256 over id, time and
//! body ([`sign`]). This package says what is sent, when it is tried again ([`retry_wait_ms`]),
//! where it may go ([`Target`]), and how an endpoint and its deliveries change ([`Endpoint`]). It
//! reads no clock, opens no connection and keeps nothing: time and chance arrive as arguments.
//!
//! Messages of one endpoint are delivered in the order of the chain, at least once. A message that
//! is sent again, for whatever reason, has the same id and the same body.

mod address;
mod delivery;
mod endpoint;
mod message;
mod position;
mod question;
mod reason;
mod replaced;
mod schedule;
mod secret;
mod settings;
mod target;
mod views;

pub use address::{AddressClass, Networks, NetworksError};
pub use delivery::{ANSWER_BYTES_MAX, ATTEMPTS_KEPT, Attempt, Delivery, Verdict};
pub use endpoint::{
    DELIVERIES_KEPT, ENDPOINTS_MAX, ENDPOINTS_PER_MEMBER_MAX, Endpoint, EndpointKey,
};
pub use message::{
    EventPlace, HEADER_ID, HEADER_SIGNATURE, HEADER_TIMESTAMP, TEST_EVENT, body, message_id,
    test_message_id,
};
pub use position::{Cursor, Failing, State};
pub use question::{WebhookAnswer, WebhookQuestion};
pub use reason::{Disabled, Reason};
pub use replaced::OLD_SECRETS_MAX;
pub use schedule::{FAILING_MAX_MS, HURRY_MS, RETRY_AFTER_MAX_MS, retry_wait_ms};
pub use secret::{OVERLAP_MS, SECRET_BYTES, Secret, SecretError, sign};
pub use settings::{
    DESCRIPTION_CHARACTERS_MAX, EndpointId, EndpointIdError, SETTINGS_BYTES_MAX, Settings,
    SettingsError,
};
pub use target::{PORT_MIN, Scheme, Target, URL_BYTES_MAX, UrlFault};
pub use views::{
    AttemptView, CreatedView, DeliveriesView, DeliveryView, EndpointView, EndpointsView,
    FailingView, SecretView, TestView,
};

//! What a member asks about its endpoints, and the answers.

use crate::settings::{EndpointId, Settings, SettingsError};
use crate::target::UrlFault;
use crate::views::{
    CreatedView, DeliveriesView, EndpointView, EndpointsView, SecretView, TestView,
};

/// A question or order of the member that signed it, about endpoints of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookQuestion {
    /// All endpoints.
    List,
    /// One endpoint.
    One(EndpointId),
    /// Makes or changes an endpoint.
    Put(EndpointId, Settings),
    /// Replaces the secret.
    Rotate(EndpointId),
    /// Removes an endpoint with its deliveries.
    Remove(EndpointId),
    /// Sends a test message now.
    Test(EndpointId),
    /// Deliveries before a number (the newest when absent), the newest first.
    Deliveries(EndpointId, Option<u64>, usize),
    /// Moves the cursor back to a height.
    Replay(EndpointId, u64),
    /// Makes an endpoint active again, and tries at once.
    Enable(EndpointId),
}

/// What the node answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookAnswer {
    /// This registry sends no messages.
    Off,
    /// The member has no such endpoint here.
    NotFound,
    /// The member has as many as it may have, or the node as many as it takes.
    TooMany,
    /// The URL is not one that messages go to.
    UrlRefused(UrlFault),
    /// The settings are wrong.
    SettingsRefused(SettingsError),
    /// All endpoints.
    Endpoints(EndpointsView),
    /// An endpoint, as it is now.
    Endpoint(Box<EndpointView>),
    /// An endpoint that was made just now, with its secret.
    Created(Box<CreatedView>),
    /// The new secret.
    Secret(SecretView),
    /// It is no more.
    Removed,
    /// What came of the test message.
    Tested(TestView),
    /// A page of deliveries.
    Deliveries(DeliveriesView),
}

//! What a member says about an endpoint.

use std::fmt;

use invoice_core::apply::EventKind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Characters of a description at most.
pub const DESCRIPTION_CHARACTERS_MAX: usize = 200;
/// Bytes of the body of a request about an endpoint at most.
pub const SETTINGS_BYTES_MAX: usize = 8 * 1_024;

/// Characters of an endpoint's id at most.
const ID_CHARACTERS_MAX: usize = 32;

/// The name that a member gives an endpoint: 1 to 32 of `a-z 0-9 -`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EndpointId(String);

/// The text is no id of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an endpoint's id is 1 to 32 of a-z 0-9 -")]
pub struct EndpointIdError;

impl EndpointId {
    /// Reads an id.
    ///
    /// # Errors
    /// [`EndpointIdError`] for every other spelling.
    pub fn parse(text: &str) -> Result<Self, EndpointIdError> {
        let plain = text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        match plain && (1..=ID_CHARACTERS_MAX).contains(&text.len()) {
            true => Ok(Self(text.to_owned())),
            false => Err(EndpointIdError),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for EndpointId {
    type Error = EndpointIdError;

    fn try_from(text: String) -> Result<Self, EndpointIdError> {
        Self::parse(&text)
    }
}

impl From<EndpointId> for String {
    fn from(id: EndpointId) -> Self {
        id.0
    }
}

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The body of `PUT /v1/webhooks/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where messages go: `https`, at most 1,024 bytes.
    pub url: String,
    /// The kinds of events that are sent; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<String>>,
    /// A note for people, at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What is wrong with settings, apart from the URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingsError {
    /// A kind of event that there is not.
    EventUnknown(String),
    /// No event, or one named twice.
    EventsNotASet,
    /// The description is too long or has control characters.
    Description,
}

impl Settings {
    /// Checks what does not depend on the node.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), SettingsError> {
        if let Some(events) = &self.events {
            for (place, event) in events.iter().enumerate() {
                if !EventKind::ALL.iter().any(|kind| kind.as_str() == event) {
                    return Err(SettingsError::EventUnknown(
                        event.chars().take(64).collect(),
                    ));
                }
                if events.iter().take(place).any(|earlier| earlier == event) {
                    return Err(SettingsError::EventsNotASet);
                }
            }
            if events.is_empty() {
                return Err(SettingsError::EventsNotASet);
            }
        }
        let description = self.description.as_deref().unwrap_or_default();
        let long = description.chars().count() > DESCRIPTION_CHARACTERS_MAX;
        match long || description.chars().any(char::is_control) {
            true => Err(SettingsError::Description),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let longest = "a".repeat(ID_CHARACTERS_MAX);
        for good in ["a", "erp", "erp-2", "0", &longest] {
            assert_eq!(EndpointId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "A", "a_b", "a b", "票", "a/b", &format!("{longest}a")] {
            assert_eq!(EndpointId::parse(bad), Err(EndpointIdError), "{bad}");
        }
    }

    #[test]
    fn settings_name_events_that_there_are() {
        let settings = |events: Option<&[&str]>, description: Option<String>| Settings {
            url: String::new(),
            events: events.map(|events| events.iter().map(|event| (*event).to_owned()).collect()),
            description,
        };
        let unknown = || SettingsError::EventUnknown("paid".to_owned());
        for (events, description, error) in [
            (None, None, None),
            (
                Some(&["document_reversed", "over_claimed"][..]),
                Some("报销系统".to_owned()),
                None,
            ),
            (Some(&[][..]), None, Some(SettingsError::EventsNotASet)),
            (Some(&["paid"][..]), None, Some(unknown())),
            (
                Some(&["over_claimed", "over_claimed"][..]),
                None,
                Some(SettingsError::EventsNotASet),
            ),
            (None, Some("票".repeat(DESCRIPTION_CHARACTERS_MAX)), None),
            (
                None,
                Some("票".repeat(DESCRIPTION_CHARACTERS_MAX + 1)),
                Some(SettingsError::Description),
            ),
            (
                None,
                Some("a\nb".to_owned()),
                Some(SettingsError::Description),
            ),
        ] {
            assert_eq!(settings(events, description).check().err(), error);
        }
    }

    #[test]
    fn a_body_with_unknown_or_repeated_members_is_none() {
        for (text, good) in [
            ("{\"url\":\"https://a/\"}", true),
            (
                "{\"url\":\"https://a/\",\"events\":[\"claim_locked\"],\"description\":\"x\"}",
                true,
            ),
            ("{}", false),
            ("{\"url\":\"https://a/\",\"event\":[]}", false),
            ("{\"url\":\"https://a/\",\"url\":\"https://b/\"}", false),
            ("{\"url\":1}", false),
        ] {
            assert_eq!(
                serde_json::from_str::<Settings>(text).is_ok(),
                good,
                "{text}"
            );
        }
    }
}

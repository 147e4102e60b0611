//! What a message says and how it is named.

use invoice_core::calendar::Instant;
use invoice_core::crypto::{Hash, sm3};
use serde::{Deserialize, Serialize};

use crate::endpoint::EndpointKey;

/// Header with the message's id: the same whenever the message is sent again.
pub const HEADER_ID: &str = "webhook-id";
/// Header with the time of this attempt, in Unix seconds.
pub const HEADER_TIMESTAMP: &str = "webhook-timestamp";
/// Header with the signatures.
pub const HEADER_SIGNATURE: &str = "webhook-signature";
/// The type of the message that the test button sends. No event has this name.
pub const TEST_EVENT: &str = "webhook.test";

/// Hexadecimal digits of a message id after its prefix: 128 bits.
const ID_DIGITS: usize = 32;

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventPlace {
    /// Height of the block.
    pub height: u64,
    /// Leaf index of the record that caused it.
    pub index: u64,
    /// Its number among the events of that record, from 0, whoever sees them.
    pub number: u32,
}

/// The id of the message about an event: a function of chain, endpoint, place, and of the leaf's
/// hash in the log alone, so that a receiver recognises a repetition after a crash, a restored
/// backup or a replay. Another record that comes to stand in the place of one that was lost is
/// another event: its leaf has another hash.
#[must_use]
pub fn message_id(
    chain_id: &str,
    endpoint: &EndpointKey,
    place: EventPlace,
    leaf: &Hash,
) -> String {
    let EventPlace {
        height,
        index,
        number,
    } = place;
    let (member, id) = (&endpoint.member, endpoint.id.as_str());
    let text = format!(
        "piaolian/webhook-message/2\n{chain_id}\n{member}\n{id}\n{height}:{index}:{number}\n{leaf}\n"
    );
    let digest = sm3(&[text.as_bytes()]).to_string();
    format!("msg_{}", digest.get(..ID_DIGITS).unwrap_or_default())
}

/// The id of a test message, from 16 random bytes.
#[must_use]
pub fn test_message_id(random: [u8; 16]) -> String {
    let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("msg_test_{digits}")
}

/// The body of a message. `data` is JSON, written as it stands.
#[must_use]
pub fn body(kind: &str, time: Instant, data: &serde_json::Value) -> String {
    serde_json::json!({
        "type": kind,
        "timestamp": time.to_rfc3339_utc8(),
        "data": data,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::EndpointId;
    use invoice_core::identity::MemberId;
    use invoice_core::read::Spelled;

    fn key(id: &str) -> EndpointKey {
        EndpointKey {
            member: MemberId::spelled("11330000DEM0000012").unwrap(),
            id: EndpointId::parse(id).unwrap(),
        }
    }

    #[test]
    fn an_id_depends_on_chain_endpoint_place_and_leaf_alone() {
        let place = |height, index, number| EventPlace {
            height,
            index,
            number,
        };
        let (leaf, other_leaf) = (sm3(&[b"leaf"]), sm3(&[b"another"]));
        let one = message_id("chain", &key("a"), place(1, 2, 3), &leaf);
        assert_eq!(one.len(), 4 + ID_DIGITS);
        assert_eq!(one, message_id("chain", &key("a"), place(1, 2, 3), &leaf));
        for other in [
            message_id("chain-2", &key("a"), place(1, 2, 3), &leaf),
            message_id("chain", &key("b"), place(1, 2, 3), &leaf),
            message_id("chain", &key("a"), place(12, 3, 3), &leaf),
            message_id("chain", &key("a"), place(1, 2, 4), &leaf),
            message_id("chain", &key("a"), place(1, 2, 3), &other_leaf),
        ] {
            assert_ne!(one, other);
        }
        // Part of the format: a change would make every repetition look new.
        assert_eq!(one, "msg_d4baaa0e21527a309e94ec824b5146c9");
        assert_eq!(test_message_id([0xab; 16]).len(), 9 + 32);
    }

    #[test]
    fn a_body_has_the_layout_of_the_standard() {
        let text = body(
            "document_reversed",
            Instant::from_ms(1_763_706_600_123),
            &serde_json::json!({"height": 1}),
        );
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["type"], "document_reversed");
        assert_eq!(value["timestamp"], "2025-11-21T14:30:00.123+08:00");
        assert_eq!(value["data"]["height"], 1);
        assert_eq!(value.as_object().unwrap().len(), 3);
    }
}

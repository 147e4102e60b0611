//! Checking documents: are they genuine, and is anything left to claim?

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::ClientError;
use super::{Client, limits};

/// What a client holds of a document and wants compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum CheckItem {
    /// The text of its QR code.
    Qr {
        /// The text as scanned.
        qr: String,
    },
    /// The elements printed on it.
    Elements {
        /// The document key.
        document: String,
        /// The amount in yuan.
        #[serde(skip_serializing_if = "Option::is_none")]
        amount: Option<String>,
        /// The date of issue, `YYYY-MM-DD`.
        #[serde(skip_serializing_if = "Option::is_none")]
        date: Option<String>,
        /// The check code, where the document has one.
        #[serde(skip_serializing_if = "Option::is_none")]
        check_code: Option<String>,
    },
    /// The original XML file.
    Xml {
        /// Its bytes in base64.
        xml: String,
    },
}

/// The answers to a list of items.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Checked {
    /// One result per item, in order.
    pub results: Vec<CheckResult>,
    /// The state that they describe.
    pub as_of: AsOf,
}

/// The answer to one item.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct CheckResult {
    /// The document, as asked.
    #[serde(default)]
    pub document: Option<String>,
    /// What was found.
    pub verdict: Verdict,
    /// What is free for the asker, in yuan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimable: Option<String>,
    /// Which of the given elements are wrong, or why the item could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Value>,
    /// Everything else that the answer says.
    #[serde(flatten)]
    pub other: serde_json::Map<String, Value>,
}

/// The chain's state that an answer describes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct AsOf {
    /// Height of the last final block.
    pub height: u64,
    /// Time of that block.
    #[serde(default)]
    pub time: Option<String>,
}

/// What a check finds; the first that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No such document, or not enough supplied to be told more.
    NotFound,
    /// It exists, but an element given is wrong.
    Mismatch,
    /// It was reversed (红冲) as a whole.
    Reversed,
    /// An authority froze it.
    Frozen,
    /// All of it is settled.
    Claimed,
    /// Nothing is free, but something is only locked.
    Locked,
    /// Something is free, but something is settled, locked or reversed.
    PartlyClaimed,
    /// All of it is free.
    Claimable,
    /// The item could not be read as a document.
    #[serde(other)]
    Unreadable,
}

impl Verdict {
    /// Whether the document is genuine and something of it can still be claimed.
    #[must_use]
    pub const fn is_claimable(self) -> bool {
        matches!(self, Self::Claimable | Self::PartlyClaimed)
    }
}

impl Client {
    /// Compares up to 1,000 documents with what the client holds.
    ///
    /// # Errors
    /// [`ClientError`]; [`ClientError::Setup`] for no item or more than 1,000.
    pub async fn checks(&self, items: &[CheckItem]) -> Result<Checked, ClientError> {
        if !(1..=limits::CHECK_ITEMS_MAX).contains(&items.len()) {
            let text = "一次查验 1 至 1,000 项 / 1 to 1,000 items can be checked at once";
            return Err(ClientError::Setup(text.into()));
        }
        let body = json!({ "items": items }).to_string();
        let answer = self
            .answer(&self.post(&["checks"], body.into()).signed())
            .await?;
        let status = answer.status;
        let checked: Checked = answer.into_value()?;
        if checked.results.len() == items.len() {
            return Ok(checked);
        }
        let excerpt = format!("{} results / {} items", checked.results.len(), items.len());
        Err(ClientError::Foreign { status, excerpt })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_says_only_what_was_given() {
        let item = CheckItem::Elements {
            document: "D:24442000000012345678".into(),
            amount: Some("16000.00".into()),
            date: None,
            check_code: None,
        };
        let text = serde_json::to_string(&item).unwrap();
        assert_eq!(
            text,
            r#"{"document":"D:24442000000012345678","amount":"16000.00"}"#
        );
        let item = CheckItem::Qr {
            qr: "01,32,".into(),
        };
        assert_eq!(serde_json::to_string(&item).unwrap(), r#"{"qr":"01,32,"}"#);
    }

    #[test]
    fn verdicts_have_the_contracts_names() {
        for (name, verdict) in [
            ("not_found", Verdict::NotFound),
            ("partly_claimed", Verdict::PartlyClaimed),
            ("claimable", Verdict::Claimable),
            ("something_new", Verdict::Unreadable),
        ] {
            assert_eq!(
                serde_json::from_value::<Verdict>(name.into()).unwrap(),
                verdict
            );
        }
        assert!(Verdict::PartlyClaimed.is_claimable());
        assert!(!Verdict::Locked.is_claimable());
    }
}

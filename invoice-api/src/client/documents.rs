//! Documents, claims and budgets, as far as they are the asker's business.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Client;
use super::error::ClientError;

/// Which claims to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimQuestion {
    /// `locked`, `settled`, `released`, `expired` or `reversed`; all when absent.
    pub status: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// A page of claims.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct ClaimPage {
    /// The claims, oldest first.
    pub claims: Vec<Value>,
    /// Where the next page begins; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A printed document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaperFile {
    /// The file.
    pub bytes: Bytes,
    /// The characters that could not be printed: `U+9F98 U+30EDD`; empty when there are none.
    pub unprintable: String,
    /// Whether its QR code bears a validator's stamp.
    pub stamped: bool,
}

impl Client {
    /// Everything about a document, for its parties and authorities. `None` both when there is no
    /// such document and when it is none of the asker's business.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn document(&self, key: &str) -> Result<Option<Value>, ClientError> {
        let answer = self
            .answer(&self.get(&["documents", key], &[]).signed())
            .await?;
        match answer.status {
            404 if answer.problem().is_some() => Ok(None),
            _ => answer.into_value().map(Some),
        }
    }

    /// A document as a file for people: `format` is `pdf`, `ofd`, `html`, `svg` or `png`, the last
    /// two being its QR code alone. `None` both when there is no such document and when it is none
    /// of the asker's business.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn paper(&self, key: &str, format: &str) -> Result<Option<PaperFile>, ClientError> {
        let call = match format {
            "svg" | "png" => self.get(&["documents", key, &format!("qr.{format}")], &[]),
            _ => self.get(&["documents", key, "paper"], &[("format", format)]),
        };
        let answer = self.answer(&call.signed()).await?;
        if answer.status == 404 && answer.problem().is_some() {
            return Ok(None);
        }
        if answer.status != 200 {
            return Err(answer.into_error());
        }
        let header = |name: &str| {
            let value = answer.headers.get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        Ok(Some(PaperFile {
            unprintable: header("piaolian-unprintable").unwrap_or_default(),
            stamped: header("piaolian-stamp").as_deref() == Some("present"),
            bytes: answer.body,
        }))
    }

    /// A page of the asker's own claims, or of everyone's for an authority.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn claims(&self, question: &ClaimQuestion) -> Result<ClaimPage, ClientError> {
        let members = [("status", &question.status), ("cursor", &question.cursor)];
        let query: Vec<(&str, &str)> = members
            .into_iter()
            .filter_map(|(name, value)| value.as_deref().map(|value| (name, value)))
            .collect();
        self.answer(&self.get(&["claims"], &query).signed())
            .await?
            .into_value()
    }

    /// The asker's budgets and what is left of them.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn limits(&self) -> Result<Value, ClientError> {
        self.answer(&self.get(&["limits"], &[]).signed())
            .await?
            .into_value()
    }
}

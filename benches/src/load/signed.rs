//! Questions that carry a request signature.

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use invoice_core::crypto::Signer as _;
use invoice_core::crypto::messages::request_message;
use invoice_core::record::parse_envelope;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Failure;
use super::http::Connection;
use crate::cast::{Cast, Player};

/// Random bytes of a nonce.
const NONCE_BYTES: usize = 16;

/// Asks in a member's name; gives the status.
///
/// # Errors
/// The connection broke.
pub async fn ask(
    connection: &mut Connection,
    asker: &Player,
    method: &str,
    path: &str,
    body: &[u8],
    answer: &mut Vec<u8>,
) -> Result<u16, Failure> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(|error| error.to_string())?;
    let nonce = hex::encode(nonce);
    let timestamp = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let timestamp = timestamp.to_string();
    let message = request_message(method, path, &timestamp, &nonce, body);
    let signature = asker.signer.sign(&message)?;
    let kid = asker.signer_key().kid();
    let header = format!(
        "Authorization: SM2-WITH-SM3 kid=\"{kid}\",timestamp=\"{timestamp}\",\
         nonce=\"{nonce}\",signature=\"{signature}\"\r\n"
    );
    connection.ask(method, path, &header, body, answer).await
}

#[derive(Deserialize)]
struct StateAnswer<'a> {
    #[serde(borrow)]
    receipt: Option<&'a RawValue>,
}

/// The receipt of an envelope's first record, asked for as the member that sent it.
///
/// # Errors
/// The node does not have it.
pub async fn receipt(
    address: SocketAddr,
    cast: &Cast,
    envelope: &Bytes,
) -> Result<String, Failure> {
    #[derive(Deserialize)]
    struct Named {
        id: String,
        by: String,
    }
    let envelope = parse_envelope(envelope).map_err(|errors| format!("{errors:?}"))?;
    let record = envelope.contents.records().first().ok_or("no record")?;
    let Named { id, by } = serde_json::from_slice(record)?;
    let asker = cast
        .members()
        .find(|player| player.id.as_str() == by)
        .ok_or("no member of the cast")?;
    let mut connection = Connection::open(address).await?;
    let mut answer = Vec::new();
    let path = format!("/v1/records/{by}/{id}");
    ask(&mut connection, asker, "GET", &path, b"", &mut answer).await?;
    let state: StateAnswer<'_> = serde_json::from_slice(&answer)?;
    match state.receipt {
        Some(receipt) => Ok(receipt.get().to_owned()),
        None => {
            let text = String::from_utf8_lossy(&answer);
            Err(format!("{path}: 没有回执 / no receipt: {text}").into())
        }
    }
}

//! Request bodies, whole and bounded.

use actix_web::http::header::CONTENT_LENGTH;
use actix_web::{HttpRequest, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use invoice_core::refusal::{ShapeCode, ShapeError};

use crate::fault::Fault;
use crate::limits::BODY_TIMEOUT;
use crate::problem::Problem;

/// Reads the whole body, at most `limit` bytes of it.
pub(crate) async fn read(
    request: &HttpRequest,
    payload: web::Payload,
    limit: usize,
) -> Result<Bytes, Problem> {
    let declared = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<u64>().ok());
    if declared.is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    tokio::time::timeout(BODY_TIMEOUT, collect(payload, limit))
        .await
        .map_err(|_| Problem::from(Fault::RequestTimeout))?
}

async fn collect(mut payload: web::Payload, limit: usize) -> Result<Bytes, Problem> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::from(Fault::BadRequest))?;
        if body.len().saturating_add(chunk.len()) > limit {
            return Err(too_large(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn too_large(limit: usize) -> Problem {
    let error = ShapeError::at(ShapeCode::BodyTooLarge, "").with("limit", limit.to_string());
    Problem::from(vec![error])
}

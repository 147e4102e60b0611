//! Request bodies, whole and bounded.

use std::time::{Duration, Instant};

use actix_web::http::header::CONTENT_LENGTH;
use actix_web::{HttpRequest, web};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use invoice_core::refusal::{ShapeCode, ShapeError};

use crate::fault::Fault;
use crate::limits::BODY_TIMEOUT;
use crate::problem::Problem;

/// How fast a body has to come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Time until its first bytes, and how long it may fall behind.
    pub(crate) patience: Duration,
    /// Bytes in a second, on the whole.
    pub(crate) bytes_per_second: u64,
}

impl Pace {
    /// Any, within [`BODY_TIMEOUT`].
    const ANY: Self = Self {
        patience: BODY_TIMEOUT,
        bytes_per_second: u64::MAX,
    };

    /// When the next bytes have to be there, after the beginning, when so many have come.
    fn due(self, received: usize) -> Duration {
        let rate = self.bytes_per_second.max(1);
        let sent = Duration::from_millis((received as u64).saturating_mul(1_000) / rate);
        self.patience.saturating_add(sent).min(BODY_TIMEOUT)
    }
}

/// Reads the whole body, at most `limit` bytes of it.
pub(crate) async fn read(
    request: &HttpRequest,
    payload: web::Payload,
    limit: usize,
) -> Result<Bytes, Problem> {
    read_at(request, payload, limit, Pace::ANY).await
}

/// The same of a body that has to come at a pace, as it holds what others wait for.
pub(crate) async fn read_at(
    request: &HttpRequest,
    payload: web::Payload,
    limit: usize,
    pace: Pace,
) -> Result<Bytes, Problem> {
    let declared = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<u64>().ok());
    if declared.is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    collect(payload, limit, pace).await
}

async fn collect<E>(
    mut payload: impl Stream<Item = Result<Bytes, E>> + Unpin,
    limit: usize,
    pace: Pace,
) -> Result<Bytes, Problem> {
    let began = Instant::now();
    let mut body = BytesMut::new();
    loop {
        let due = began + pace.due(body.len());
        let chunk = tokio::time::timeout_at(due.into(), payload.next())
            .await
            .map_err(|_| Problem::from(Fault::RequestTimeout))?;
        let Some(chunk) = chunk else {
            return Ok(body.freeze());
        };
        let chunk = chunk.map_err(|_| Problem::from(Fault::BadRequest))?;
        if body.len().saturating_add(chunk.len()) > limit {
            return Err(too_large(limit));
        }
        body.extend_from_slice(&chunk);
    }
}

fn too_large(limit: usize) -> Problem {
    let error = ShapeError::at(ShapeCode::BodyTooLarge, "").with("limit", limit.to_string());
    Problem::from(vec![error])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    use futures_util::stream;

    /// A body of chunks, each after a wait, and then nothing and no end.
    fn slow(
        waits_ms: &'static [u64],
        bytes: usize,
    ) -> impl Stream<Item = Result<Bytes, Infallible>> {
        let chunks = stream::iter(waits_ms).then(move |wait| async move {
            tokio::time::sleep(Duration::from_millis(*wait)).await;
            Ok(Bytes::from(vec![0; bytes]))
        });
        chunks.chain(stream::pending())
    }

    #[tokio::test]
    async fn a_body_comes_at_its_pace_or_is_given_up() {
        let pace = Pace {
            patience: Duration::from_millis(300),
            bytes_per_second: 1_000,
        };
        for (received, due_ms) in [(0, 300), (1, 301), (100, 400), (300, 600)] {
            assert_eq!(pace.due(received), Duration::from_millis(due_ms));
        }
        for (waits, bytes, least_ms) in [
            // Nothing comes.
            (&[][..], 0, 300),
            // A hundred bytes are worth a tenth of a second.
            (&[10], 100, 400),
            // A trickle buys no time.
            (&[50; 100], 1, 300),
        ] {
            let began = Instant::now();
            let body = Box::pin(slow(waits, bytes));
            assert!(collect(body, 1 << 20, pace).await.is_err());
            assert!(began.elapsed() >= Duration::from_millis(least_ms));
        }
        let whole = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"whole"))]);
        assert_eq!(&collect(whole, 5, pace).await.unwrap()[..], b"whole");
        assert_eq!(pace.due(usize::MAX), BODY_TIMEOUT);
        assert_eq!(Pace::ANY.due(0), BODY_TIMEOUT);
    }
}

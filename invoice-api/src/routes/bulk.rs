//! Bulk: envelopes line by line, answers line by line.
//!
//! Lines that have arrived are handed in together, while earlier ones are still being decided, up
//! to a bounded number and a bounded size; answers come in the order of the lines. A record that depends on another of the
//! stream belongs into the same batch envelope, or after the other's answer.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::{Error, HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use invoice_core::refusal::{ShapeCode, ShapeError};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::envelope::{self, Patience};
use super::lines::{Line, Lines};
use crate::language::Language;
use crate::limits::{
    BULK_CHUNK_BYTES, BULK_CHUNK_LINES, BULK_IDLE_TIMEOUT, BULK_LINE_BYTES_MAX,
    BULK_LOOKAHEAD_BYTES, BULK_LOOKAHEAD_CHUNKS,
};
use crate::problem::Problem;
use crate::registry::UnavailableReason;
use crate::server::state::AppState;
use crate::wire::{LineAnswer, ProblemAnswer, SummaryAnswer, SummaryLine};

const NDJSON: &str = "application/x-ndjson";

/// Lines being decided, with their numbers, and what they take of the stream's share of memory.
struct Work {
    lines: Vec<(u64, Line)>,
    _share: Option<OwnedSemaphorePermit>,
}

/// Records envelopes, one a line, and answers one line per record.
///
/// Answers have the order of the lines. When a budget is spent or the queues are full the stream
/// is slowed down, not refused. A client must read while it writes.
#[utoipa::path(
    post, path = "/v1/records:bulk", tag = "records",
    request_body(content = String, content_type = "application/x-ndjson", description = "One envelope a line, either form"),
    responses(
        (status = 200, description = "One line per record, then a line with a summary", body = LineAnswer, content_type = "application/x-ndjson"),
        (status = 503, description = "Too many streams", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn bulk(
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    state.charge_anonymous(&request)?;
    let slot = Arc::clone(&state.bulk_streams)
        .try_acquire_owned()
        .map_err(|_| Problem::from(UnavailableReason::Overloaded))?;
    let language = Language::of(request.headers());
    let summary = Rc::new(RefCell::new(SummaryAnswer::default()));

    let counted = Rc::clone(&summary);
    let answers = work(state.clone(), payload, Rc::clone(&summary))
        .map(move |work| {
            let (state, request) = (state.clone(), request.clone());
            let counted = Rc::clone(&counted);
            async move {
                let mut text = Vec::new();
                for answer in decide(&state, &request, work, language).await {
                    counted.borrow_mut().count(answer.status);
                    write_line(&mut text, &answer);
                }
                Ok::<_, Error>(Bytes::from(text))
            }
        })
        .buffered(BULK_LOOKAHEAD_CHUNKS);
    let end = stream::once(async move {
        let _slot = slot;
        let mut text = Vec::new();
        write_line(
            &mut text,
            &SummaryLine {
                summary: *summary.borrow(),
            },
        );
        Ok::<_, Error>(Bytes::from(text))
    });
    Ok(HttpResponse::Ok()
        .content_type(NDJSON)
        .streaming(answers.chain(end)))
}

/// The lines of the body, numbered, as fast as there is room for them.
fn work(
    state: web::Data<AppState>,
    payload: web::Payload,
    summary: Rc<RefCell<SummaryAnswer>>,
) -> impl futures_util::Stream<Item = Work> {
    let lines = Lines::new(payload, BULK_LINE_BYTES_MAX, BULK_IDLE_TIMEOUT);
    let room = Arc::new(Semaphore::new(BULK_LOOKAHEAD_BYTES / 1024));
    let start = (lines, state, summary, room);
    stream::unfold(start, |(mut lines, state, summary, room)| async move {
        loop {
            let next = tokio::select! {
                next = lines.next() => next,
                () = state.stopping.cancelled() => {
                    summary.borrow_mut().stopping = true;
                    return None;
                }
            };
            // A broken stream ends like a whole one: what was read is answered.
            let mut next = Some(next.ok().flatten()?);
            let (mut together, mut bytes) = (Vec::new(), 0_usize);
            while let Some(line) = next {
                let number = {
                    let mut summary = summary.borrow_mut();
                    summary.lines = summary.lines.saturating_add(1);
                    summary.lines
                };
                if let Line::Whole(text) = &line {
                    bytes = bytes.saturating_add(text.len());
                }
                if !matches!(&line, Line::Whole(text) if text.trim_ascii().is_empty()) {
                    together.push((number, line));
                }
                let more = together.len() < BULK_CHUNK_LINES && bytes < BULK_CHUNK_BYTES;
                next = more.then(|| lines.arrived()).flatten();
            }
            if together.is_empty() {
                continue;
            }
            let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
            let work = Work {
                lines: together,
                _share: Some(Arc::clone(&room).acquire_many_owned(kib).await.ok()?),
            };
            return Some((work, (lines, state, summary, room)));
        }
    })
}

async fn decide(
    state: &AppState,
    request: &HttpRequest,
    work: Work,
    language: Language,
) -> Vec<LineAnswer> {
    state.metrics.bulk_lines(work.lines.len() as u64);
    let mut submissions = Vec::with_capacity(work.lines.len());
    let mut read = Vec::with_capacity(work.lines.len());
    for (number, line) in &work.lines {
        let submission = match line {
            Line::Whole(bytes) => envelope::signed(bytes, false),
            Line::TooLong => {
                let limit = BULK_LINE_BYTES_MAX.to_string();
                let error = ShapeError::at(ShapeCode::BodyTooLarge, "").with("limit", limit);
                Err(vec![error].into())
            }
        };
        read.push((*number, submission.map(|one| submissions.push(one))));
    }
    let decided = envelope::submit_many(state, request, submissions, Patience::Wait).await;
    let mut decided = decided.into_iter();
    let mut answers = Vec::with_capacity(read.len());
    for (number, read) in read {
        let of_line = read.and_then(|()| {
            decided
                .next()
                .unwrap_or_else(|| Err(UnavailableReason::Stopping.into()))
        });
        match of_line {
            Ok(of_line) => answers.extend(
                (1_u64..)
                    .zip(of_line)
                    .map(|(record, answer)| LineAnswer::owned(number, record, answer, language)),
            ),
            Err(problem) => answers.push(LineAnswer::failed(number, &problem, language)),
        }
    }
    answers
}

/// Appends one line of JSON. Serialising these types cannot fail: they have text keys only.
fn write_line(text: &mut Vec<u8>, answer: &impl Serialize) {
    let before = text.len();
    match serde_json::to_writer(&mut *text, answer) {
        Ok(()) => text.push(b'\n'),
        Err(_) => text.truncate(before),
    }
}

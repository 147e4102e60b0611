//! The feed of changes: server-sent events that go on, or NDJSON that ends at the head.
//!
//! The place in the feed is a block height. Every batch ends with the height up to which it is
//! complete; only that has an `id`, so a client that reconnects gets whole blocks again and never
//! misses an event.

use std::collections::VecDeque;

use actix_web::http::header::{ACCEPT, CACHE_CONTROL};
use actix_web::{Error, HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::{Stream, stream};
use serde_json::json;
use tokio::sync::watch;

use super::query::{Query, whole_number};
use crate::limits::{EVENTS_KEEP_ALIVE, EVENTS_PAGE};
use crate::problem::Problem;
use crate::registry::{Asker, EventPage, KeyStanding, UnavailableReason};
use crate::server::authenticate::{Suspended, acting_roles, reader};
use crate::server::places::{Place, Proof};
use crate::server::source::network;
use crate::server::state::AppState;
use crate::wire::{EventAnswer, ProblemAnswer};

/// The two forms of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `text/event-stream`: stays open.
    Sse,
    /// `application/x-ndjson`: ends when there is nothing more.
    Ndjson,
}

/// The changes that concern the asker, after a height; all changes, for an authority.
///
/// With `Accept: application/x-ndjson` the answer ends at the head of the chain; otherwise it is a
/// stream of server-sent events that goes on. `Last-Event-ID` counts before `after`.
#[utoipa::path(
    get, path = "/v1/events", tag = "documents", security(("request_signature" = [])),
    params(
        ("after" = Option<u64>, Query, description = "The height up to which the asker has everything; 0 when absent"),
        ("Last-Event-ID" = Option<u64>, Header, description = "The same, as a reconnecting client sends it"),
    ),
    responses(
        (status = 200, description = "Events; each batch ends with {\"complete_to\": height}", body = EventAnswer, content_type = "text/event-stream"),
        (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn events(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut after = Query::strict(&request, &["after"])?
        .number("after")?
        .unwrap_or(0);
    if let Some(last) = request.headers().get("Last-Event-ID") {
        let last = last.to_str().ok().and_then(whole_number);
        after = last.ok_or_else(|| Problem::query("Last-Event-ID"))?;
    }
    let form = form(&request);
    let asker = reader(&state, &request, b"", Suspended::MayRead).await?;
    let place = state
        .event_streams
        .take(asker.member, network(&state, &request), Proof::Proved)
        .ok_or_else(|| Problem::from(UnavailableReason::Overloaded))?;
    // The first page is read before the head of the answer, so that trouble is a problem document.
    let head = state.registry.head();
    let page = state.registry.events(&asker, after, EVENTS_PAGE).await?;
    let feed = Feed {
        state,
        asker,
        form,
        after,
        head,
        ready: VecDeque::new(),
        last: false,
        _place: place,
    };
    let media_type = match form {
        Form::Sse => "text/event-stream",
        Form::Ndjson => "application/x-ndjson",
    };
    Ok(HttpResponse::Ok()
        .content_type(media_type)
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(feed.stream(page)))
}

fn form(request: &HttpRequest) -> Form {
    let accept = request
        .headers()
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok());
    match accept {
        Some(accept) if accept.contains("ndjson") => Form::Ndjson,
        Some(_) | None => Form::Sse,
    }
}

/// A feed being sent.
struct Feed {
    state: web::Data<AppState>,
    asker: Asker,
    form: Form,
    after: u64,
    head: watch::Receiver<u64>,
    ready: VecDeque<Bytes>,
    last: bool,
    _place: Place,
}

impl Feed {
    fn stream(mut self, first: EventPage) -> impl Stream<Item = Result<Bytes, Error>> {
        self.take(&first, true);
        stream::unfold(self, |mut feed| async move {
            let bytes = feed.next().await?;
            Some((Ok(bytes), feed))
        })
    }

    /// Puts a page into the queue of what is to be sent.
    fn take(&mut self, page: &EventPage, first: bool) {
        for event in &page.events {
            let answer = json!(EventAnswer::from(event));
            self.ready.push_back(match self.form {
                Form::Sse => format!("event: {}\ndata: {answer}\n\n", event.kind).into(),
                Form::Ndjson => format!("{answer}\n").into(),
            });
        }
        let news = page.complete_to != self.after;
        self.after = page.complete_to;
        if news || first {
            let answer = json!({ "complete_to": self.after });
            self.ready.push_back(match self.form {
                Form::Sse => {
                    format!("event: complete\nid: {}\ndata: {answer}\n\n", self.after).into()
                }
                Form::Ndjson => format!("{answer}\n").into(),
            });
        }
        self.last = self.form == Form::Ndjson && !news;
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Some(bytes);
            }
            if self.last || !self.may_go_on().await {
                return None;
            }
            if *self.head.borrow_and_update() <= self.after {
                if self.form == Form::Ndjson {
                    return None;
                }
                tokio::select! {
                    changed = self.head.changed() => changed.ok()?,
                    () = self.state.stopping.cancelled() => return None,
                    () = tokio::time::sleep(EVENTS_KEEP_ALIVE) => {
                        return Some(Bytes::from_static(b": \n\n"));
                    }
                }
                // The block that was waited for may have changed what the asker may see.
                if !self.may_go_on().await {
                    return None;
                }
            }
            let page = self
                .state
                .registry
                .events(&self.asker, self.after, EVENTS_PAGE)
                .await;
            self.take(&page.ok()?, false);
        }
    }

    /// A feed outlives its request, so the key's standing is looked at again. One that gives or
    /// takes a view of what belongs to others ends the feed, too: whoever comes again has it.
    async fn may_go_on(&self) -> bool {
        if self.state.stopping.is_cancelled() {
            return false;
        }
        match self.state.registry.key(self.asker.kid).await {
            Ok(Some(key)) => match key.standing {
                KeyStanding::Good | KeyStanding::MemberSuspended => {
                    acting_roles(&key) == self.asker.roles
                }
                KeyStanding::Revoked | KeyStanding::Expired => false,
            },
            Ok(None) | Err(_) => false,
        }
    }
}

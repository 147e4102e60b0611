//! What a member asks about its webhooks, and what it orders.

use std::sync::Arc;

use invoice_api::registry::{
    Asker, Unavailable, UnavailableReason, WebhookAnswer, WebhookQuestion,
};
use webhooks::{
    CreatedView, DeliveriesView, DeliveryView, ENDPOINTS_MAX, ENDPOINTS_PER_MEMBER_MAX, Endpoint,
    EndpointId, EndpointKey, EndpointView, EndpointsView, SECRET_BYTES, Secret, SecretView,
    Settings, TEST_EVENT, Target, TestView,
};

use super::tell::attempt;
use super::{Entry, Push};
use crate::node::pipeline::reply::unavailable;
use crate::store::WebhookChange;

/// Answers a member about endpoints of its own: the key of every look-up begins with the asker.
pub(in crate::node) async fn answer(
    push: &Arc<Push>,
    asker: &Asker,
    question: WebhookQuestion,
) -> Result<WebhookAnswer, Unavailable> {
    let (push, asker) = (Arc::clone(push), asker.clone());
    let runtime = push.runtime.clone();
    let task = async move {
        if let WebhookQuestion::Test(id) = question {
            return test(&push, key(&asker, id)).await;
        }
        // All else waits for the disk and for nobody else.
        let asked = tokio::task::spawn_blocking(move || answer_now(&push, &asker, question));
        asked.await.unwrap_or(Err(failed()))
    };
    // The node's own runtime, whichever thread serves the connection.
    runtime.spawn(task).await.unwrap_or(Err(failed()))
}

fn failed() -> Unavailable {
    unavailable(UnavailableReason::StorageFailed)
}

fn key(asker: &Asker, id: EndpointId) -> EndpointKey {
    EndpointKey {
        member: asker.member,
        id,
    }
}

fn answer_now(
    push: &Arc<Push>,
    asker: &Asker,
    question: WebhookQuestion,
) -> Result<WebhookAnswer, Unavailable> {
    let kid = asker.kid.to_string();
    let changed = |id, change: &dyn Fn(&mut Endpoint, String)| {
        let kid = kid.clone();
        let key = key(asker, id);
        match push.update(&key, |endpoint| (change(endpoint, kid), None))? {
            Some(_) => one(push, &key),
            None => Ok(WebhookAnswer::NotFound),
        }
    };
    match question {
        WebhookQuestion::List => list(push, asker),
        WebhookQuestion::One(id) => one(push, &key(asker, id)),
        WebhookQuestion::Put(id, settings) => put(push, key(asker, id), settings, kid),
        WebhookQuestion::Rotate(id) => rotate(push, &key(asker, id), kid),
        WebhookQuestion::Remove(id) => remove(push, &key(asker, id)),
        WebhookQuestion::Deliveries(id, before, limit) => {
            deliveries(push, &key(asker, id), before, limit)
        }
        WebhookQuestion::Replay(id, after) => {
            changed(id, &|endpoint, kid| endpoint.replay(after, kid))
        }
        WebhookQuestion::Enable(id) => changed(id, &Endpoint::enable),
        // Answered before: it waits for the receiver.
        WebhookQuestion::Test(_) => Ok(WebhookAnswer::NotFound),
    }
}

fn list(push: &Push, asker: &Asker) -> Result<WebhookAnswer, Unavailable> {
    let entries: Vec<Entry> = push
        .book()
        .values()
        .filter(|entry| entry.endpoint.key.member == asker.member)
        .cloned()
        .collect();
    let endpoints = entries.iter().map(|entry| view(push, entry));
    Ok(WebhookAnswer::Endpoints(EndpointsView {
        endpoints: endpoints.collect::<Result<_, _>>()?,
        height: *push.feed.head.borrow(),
    }))
}

fn one(push: &Push, key: &EndpointKey) -> Result<WebhookAnswer, Unavailable> {
    match push.entry(key) {
        Some(entry) => Ok(WebhookAnswer::Endpoint(Box::new(view(push, &entry)?))),
        None => Ok(WebhookAnswer::NotFound),
    }
}

fn view(push: &Push, entry: &Entry) -> Result<EndpointView, Unavailable> {
    let newest = push.file.deliveries(&entry.endpoint.key, None, 1);
    let newest = newest.map_err(|error| push.fail(&error))?;
    let now_ms = push.now_ms();
    Ok(EndpointView::new(
        &entry.endpoint,
        newest.first(),
        entry.paused,
        now_ms,
    ))
}

fn put(
    push: &Arc<Push>,
    key: EndpointKey,
    settings: Settings,
    kid: String,
) -> Result<WebhookAnswer, Unavailable> {
    if let Err(error) = settings.check() {
        return Ok(WebhookAnswer::SettingsRefused(error));
    }
    if let Err(fault) = Target::parse(&settings.url, &push.networks) {
        return Ok(WebhookAnswer::UrlRefused(fault));
    }
    let changed = push.update(&key, |endpoint| {
        endpoint.change(settings.clone(), kid.clone());
        ((), None)
    })?;
    if changed.is_some() {
        return one(push, &key);
    }
    make(push, key, settings, kid)
}

/// Makes a new endpoint; the secret is in this answer alone.
fn make(
    push: &Arc<Push>,
    key: EndpointKey,
    settings: Settings,
    kid: String,
) -> Result<WebhookAnswer, Unavailable> {
    let now_ms = push.now_ms();
    let secret = secret()?;
    let revealed = secret.reveal();
    let height = *push.feed.head.borrow();
    let mut endpoint = Endpoint::new(key.clone(), settings, kid, secret, height, now_ms);
    if let Some(removed_ms) = push.removed_ms(key.member) {
        endpoint = endpoint.resting_since(removed_ms);
    }
    {
        let _writing = push
            .writing
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let (of_member, all, exists) = {
            let book = push.book();
            let of_member = book.keys().filter(|other| other.member == key.member);
            (of_member.count(), book.len(), book.contains_key(&key))
        };
        if exists {
            // Somebody else of the same member made it in between, and was shown its secret.
            return Err(unavailable(UnavailableReason::Overloaded));
        }
        if of_member >= ENDPOINTS_PER_MEMBER_MAX || all >= ENDPOINTS_MAX {
            return Ok(WebhookAnswer::TooMany);
        }
        push.commit(&[WebhookChange::Put(Box::new(endpoint.clone()))])?;
        push.book()
            .insert(key.clone(), Entry::new(endpoint.clone()));
    }
    push.spawn(key);
    let view = EndpointView::new(&endpoint, None, false, now_ms);
    Ok(WebhookAnswer::Created(Box::new(CreatedView {
        endpoint: view,
        secret: revealed,
    })))
}

fn rotate(push: &Push, key: &EndpointKey, kid: String) -> Result<WebhookAnswer, Unavailable> {
    let (secret, now_ms) = (secret()?, push.now_ms());
    let rotated = push.update(key, |endpoint| {
        endpoint.rotate(secret, kid, now_ms);
        ((), None)
    })?;
    Ok(match rotated {
        Some(((), endpoint)) => WebhookAnswer::Secret(SecretView::new(&endpoint, now_ms)),
        None => WebhookAnswer::NotFound,
    })
}

fn remove(push: &Push, key: &EndpointKey) -> Result<WebhookAnswer, Unavailable> {
    let _writing = push
        .writing
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(entry) = push.entry(key) else {
        return Ok(WebhookAnswer::NotFound);
    };
    push.commit(&[WebhookChange::Remove(key.clone())])?;
    push.book().remove(key);
    push.note_removal(key.member);
    entry.gone.cancel();
    Ok(WebhookAnswer::Removed)
}

fn deliveries(
    push: &Push,
    key: &EndpointKey,
    before: Option<u64>,
    limit: usize,
) -> Result<WebhookAnswer, Unavailable> {
    if push.entry(key).is_none() {
        return Ok(WebhookAnswer::NotFound);
    }
    let page = push.file.deliveries(key, before, limit);
    let page = page.map_err(|error| push.fail(&error))?;
    let full = page.len() >= limit;
    let last = page.last().map(|last| last.number);
    let next = last.filter(|last| full && *last > 0);
    Ok(WebhookAnswer::Deliveries(DeliveriesView {
        deliveries: page.iter().map(DeliveryView::from).collect(),
        next: next.map(|next| next.to_string()),
    }))
}

/// Sends a test message, once and now; it moves no cursor and stands in no list.
async fn test(push: &Arc<Push>, key: EndpointKey) -> Result<WebhookAnswer, Unavailable> {
    let Some(Entry { endpoint, .. }) = push.entry(&key) else {
        return Ok(WebhookAnswer::NotFound);
    };
    let Ok(_turn) = push.sending.acquire().await else {
        return Err(unavailable(UnavailableReason::Stopping));
    };
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|_| failed())?;
    let id = webhooks::test_message_id(random);
    let data = serde_json::json!({ "webhook": key.id, "member": key.member });
    let body = webhooks::body(TEST_EVENT, (push.feed.clock)(), &data);
    let (attempt, _) = attempt(push, &endpoint, &id, body).await;
    Ok(WebhookAnswer::Tested(TestView {
        message: id,
        delivered: attempt.reason.is_none(),
        attempt: (&attempt).into(),
    }))
}

fn secret() -> Result<Secret, Unavailable> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(%error, "the system gives no random bytes");
        failed()
    })?;
    Ok(Secret::new(bytes))
}

//! `document.freeze`, `document.unfreeze`: an authority's hold on a document.

use super::context::{Context, Found, Stop};
use super::event::{Event, EventKind};
use super::execution::each_once;
use crate::identity::DocumentKey;
use crate::refusal::Rejection;
use crate::state::{StateView, Title};

pub(super) fn freeze<V: StateView>(
    context: &mut Context<'_, '_, V>,
    key: &DocumentKey,
) -> Result<(), Stop<V::Error>> {
    set(
        context,
        key,
        true,
        Rejection::DocumentAlreadyFrozen,
        EventKind::DocumentFrozen,
    )
}

pub(super) fn unfreeze<V: StateView>(
    context: &mut Context<'_, '_, V>,
    key: &DocumentKey,
) -> Result<(), Stop<V::Error>> {
    set(
        context,
        key,
        false,
        Rejection::DocumentNotFrozen,
        EventKind::DocumentUnfrozen,
    )
}

fn set<V: StateView>(
    context: &mut Context<'_, '_, V>,
    key: &DocumentKey,
    frozen: bool,
    otherwise: Rejection,
    kind: EventKind,
) -> Result<(), Stop<V::Error>> {
    let Found {
        key, mut document, ..
    } = context.document(key)?;
    if document.frozen == frozen {
        return Err(otherwise.into());
    }
    document.frozen = frozen;
    let mut concerns = context.ids(document.holders_at(context.time))?;
    concerns.extend(context.ids([document.issuer])?);
    if let Title::Organisation(buyer) = document.title {
        concerns.push(buyer);
    }
    context.put_document(&key, &mut document);
    context.tell(Event::new(kind, each_once(concerns)).of(key));
    Ok(())
}

//! `document.alias`: one document, two numbers (数电纸票, 换开纸质票据).

use super::context::{Context, Found, Stop};
use super::event::{Event, EventKind};
use crate::identity::DocumentKey;
use crate::money::Fen;
use crate::record::DocumentAlias;
use crate::refusal::Rejection;
use crate::state::{
    ALIASES_PER_DOCUMENT_MAX, AliasEntry, AliasKind, Family, StateView, Table, document_key,
};

pub(super) fn add<V: StateView>(
    context: &mut Context<'_, '_, V>,
    body: &DocumentAlias,
) -> Result<(), Stop<V::Error>> {
    if super::resolve(&context.state(), &body.alias)?.is_some() {
        return Err(Rejection::IdentityTaken.into());
    }
    let Found {
        key,
        mut document,
        via,
    } = context.document(&body.document)?;
    if document.issuer != context.signer.number {
        return Err(Rejection::NotIssuer.into());
    }
    if document.is_reversed() || via == Some(AliasKind::RedLetter) {
        return Err(Rejection::DocumentReversed.into());
    }
    // A fully digital invoice is printed with a paper code and number, a fiscal e-bill is
    // exchanged for a paper bill of the same numbering.
    let applicable = matches!(
        (&key, &body.alias),
        (DocumentKey::Digital(_), DocumentKey::Paper { .. })
            | (DocumentKey::Fiscal { .. }, DocumentKey::Fiscal { .. })
    );
    if !applicable {
        return Err(Rejection::AliasNotApplicable.into());
    }
    // What happened to a bill elsewhere has happened, whoever holds money on it: without the second
    // number it would be registered a second time under it, and be paid a second time. Both numbers
    // share what was settled and what is left.
    let held = !document.registered
        && (document.locked_at(context.time) > Fen::ZERO || document.settled() > Fen::ZERO);
    if document.family == Family::Bill && held {
        return Err(Rejection::DocumentInUse.into());
    }
    if document.aliases >= ALIASES_PER_DOCUMENT_MAX {
        return Err(Rejection::TooManyAliases.into());
    }
    document.aliases = document.aliases.saturating_add(1);
    let entry = AliasEntry {
        kind: AliasKind::Paper,
        document: key,
    };
    context.put(Table::Alias, document_key(&body.alias), entry.encode());
    context.put_document(&key, &mut document);
    context.tell(Event::new(EventKind::AliasAdded, vec![context.signer.id]).of(key));
    Ok(())
}

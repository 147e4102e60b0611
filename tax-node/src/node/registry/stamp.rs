//! The stamp on the link of a printed document.

use invoice_core::paper_link::{PaperLink, Stamp};

use crate::node::start::Shared;

/// Signs what a link says with the validator's key. The message begins with `piaolian/1/paper` and
/// the chain's name, so it is no vote, no record and no request; all else in it has one spelling
/// (a key, an amount, a date, a code, a digest, a number). A node that is no validator of the next
/// block stamps nothing: nobody could check it against the chain.
pub(super) fn stamp(shared: &Shared, link: &PaperLink) -> Option<Stamp> {
    let kid = shared.signer.public_key().kid();
    let next = shared.head.borrow().saturating_add(1);
    shared.validators.at(next).get(&kid)?;
    let message = link.message(shared.genesis.chain_id());
    match shared.signer.sign(&message) {
        Ok(signature) => Some(Stamp::new(&kid, signature)),
        Err(error) => {
            tracing::warn!(%error, "a paper was not stamped");
            None
        }
    }
}

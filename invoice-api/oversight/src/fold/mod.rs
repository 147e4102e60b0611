//! Folding one block after another into rows.

mod claims;
pub(crate) use claims::claim_of;
mod freezes;
mod incidents;
mod members;
mod merchants;
mod origin;
mod over_claims;
mod quotas;
mod volume;

use invoice_core::apply::{Event, EventKind};
use invoice_core::chain::Outcome;
use invoice_core::codec::DecodeError;
use invoice_core::crypto::Hash;
use invoice_core::identity::{DocumentKey, MemberId};
use invoice_core::money::Fen;
use invoice_core::record::{Body, Document, Record};

use crate::keys::{self, Measure, Total};
use crate::row::{Head, Tally};
use crate::rows::{Changes, Rows};

/// A final block as the fold sees it.
#[derive(Clone, Debug)]
pub struct SeenBlock {
    /// Its height: one more than that of the block before.
    pub height: u64,
    /// Its id.
    pub id: Hash,
    /// Its time, in milliseconds.
    pub time_ms: i64,
    /// Records of the log after it.
    pub log_size: u64,
    /// Its records, in order; `None` when they cannot be read any more.
    pub records: Option<Vec<SeenRecord>>,
}

/// A record of a final block.
#[derive(Clone, Debug)]
pub struct SeenRecord {
    /// Its leaf index.
    pub index: u64,
    /// The record.
    pub record: Record,
    /// What became of it.
    pub outcome: Outcome,
    /// What its execution told. The event that a document was issued need not be among them.
    pub events: Vec<Event>,
}

/// Why a block was not folded. The changes must be thrown away then.
#[derive(Debug, thiserror::Error)]
pub enum FoldError<E> {
    /// The rows cannot be read.
    #[error("the rows of the figures cannot be read")]
    Rows(E),
    /// A row is not what it should be.
    #[error("a row of the figures is damaged: {0}")]
    Damaged(DecodeError),
    /// The block does not follow the last one that was folded.
    #[error("block {0} does not follow the last one that was folded")]
    NotNext(u64),
}

impl<E> From<DecodeError> for FoldError<E> {
    fn from(error: DecodeError) -> Self {
        Self::Damaged(error)
    }
}

/// Rows with changes, and where the block stands in time.
struct Context<'c, 'r, R> {
    rows: &'c mut Changes<'r, R>,
    height: u64,
    time_ms: i64,
}

/// Short for what every step of the fold gives.
type Folded<R, T = ()> = Result<T, FoldError<<R as Rows>::Error>>;

/// Begins with the first block.
pub fn begin<R: Rows>(changes: &mut Changes<'_, R>, head: &Head) {
    changes.put(keys::head(), head.encode());
}

/// How far rows are complete; `None` when nothing was ever folded into them.
///
/// # Errors
/// They cannot be read.
pub fn head_of<R: Rows>(rows: &R) -> Result<Option<Head>, FoldError<R::Error>> {
    let row = rows.get(&keys::head()).map_err(FoldError::Rows)?;
    Ok(row.as_deref().map(Head::decode).transpose()?)
}

/// Folds the next block.
///
/// # Errors
/// The rows cannot be read, or the block is not the next; the changes must be thrown away.
pub fn fold<R: Rows>(changes: &mut Changes<'_, R>, block: &SeenBlock) -> Folded<R> {
    let row = changes.get(&keys::head()).map_err(FoldError::Rows)?;
    let mut head = Head::decode(row.as_deref().unwrap_or_default())?;
    if block.height != head.height.saturating_add(1) {
        return Err(FoldError::NotNext(block.height));
    }
    let mut context = Context {
        rows: changes,
        height: block.height,
        time_ms: block.time_ms,
    };
    claims::expire(&mut context)?;
    match &block.records {
        Some(records) => {
            for record in records {
                context.record(record)?;
            }
        }
        None => head.left_out = head.left_out.saturating_add(1),
    }
    head.height = block.height;
    head.block = block.id;
    head.time_ms = block.time_ms;
    if block.height == 1 {
        head.first_ms = block.time_ms;
    }
    head.log_size = block.log_size;
    changes.put(keys::head(), head.encode());
    Ok(())
}

impl<R: Rows> Context<'_, '_, R> {
    fn record(&mut self, seen: &SeenRecord) -> Folded<R> {
        members::activity(self, seen)?;
        if let Some(code) = seen.outcome.code() {
            return self.refused(seen, code);
        }
        if let Some(document) = seen.record.body.issued() {
            let registered = matches!(seen.record.body, Body::DocumentRegister(_));
            return merchants::issued(self, seen.index, &document, registered);
        }
        let late = incidents::holders_before(self, seen)?;
        for event in &seen.events {
            self.event(seen, event)?;
        }
        self.accepted(seen, late)
    }

    /// What no event tells.
    fn accepted(&mut self, seen: &SeenRecord, late: Option<incidents::Before>) -> Folded<R> {
        if let Body::DocumentAlias(body) = &seen.record.body {
            self.alias(&body.alias, &body.document)?;
        } else if let Body::DocumentReverse(body) = &seen.record.body {
            if let Some(red) = body.red_number {
                self.alias(&DocumentKey::Digital(red.0), &body.document)?;
            }
            if let Some(before) = late {
                incidents::late_reversal(self, seen, body.amount, before)?;
            }
        } else if let Body::QuotaSet(body) = &seen.record.body {
            quotas::set(self, seen.index, &body.member, body.month, body.amount)?;
        }
        Ok(())
    }

    fn event(&mut self, seen: &SeenRecord, event: &Event) -> Folded<R> {
        let amount = event.amount.unwrap_or(Fen::ZERO);
        match (event.kind, &event.document, &event.claim) {
            (EventKind::ClaimLocked, Some(document), Some((by, id))) => {
                claims::locked(self, seen, document, by, id, amount)
            }
            (EventKind::ClaimSettled, Some(document), Some((by, id))) => {
                claims::settled(self, seen, document, by, id, amount)
            }
            (EventKind::ClaimReleased, Some(_), Some((by, id))) => claims::ended(self, by, id),
            (EventKind::ClaimReversed, Some(document), Some((by, _))) => {
                claims::taken_back(self, document, by, amount)?;
                over_claims::taken_back(self, document, amount)
            }
            (EventKind::DocumentReversed, Some(document), _) => {
                merchants::reversed(self, seen, document, amount)?;
                over_claims::reversed(self, seen.index, document, amount)
            }
            (EventKind::OverClaimed, Some(document), _) => {
                over_claims::opened(self, seen, document, amount)
            }
            (EventKind::OverClaimCleared, Some(document), _) => {
                over_claims::cleared(self, seen.index, document)
            }
            (EventKind::MemberAdmitted, ..) => {
                self.total(Total::Members, |total| total.add(Fen::ZERO))
            }
            (EventKind::DocumentFrozen, Some(document), _) => {
                freezes::frozen(self, seen.index, document)
            }
            (EventKind::DocumentUnfrozen, Some(document), _) => freezes::unfrozen(self, document),
            _ => Ok(()),
        }
    }

    fn refused(&mut self, seen: &SeenRecord, code: &str) -> Folded<R> {
        volume::refused(self, seen, code)?;
        if seen.record.body.issued().is_some() {
            merchants::refused(self, seen, code)?;
        }
        incidents::attempted(self, seen, code)
    }

    /// Changes a tally.
    fn tally(&mut self, key: Vec<u8>, change: impl FnOnce(&mut Tally)) -> Folded<R> {
        let changed = self.rows.update(key, |value| {
            let mut tally = Tally::decode(value)?;
            change(&mut tally);
            *value = tally.encode();
            Ok::<_, DecodeError>(())
        });
        Ok(changed.map_err(FoldError::Rows)??)
    }

    fn total(&mut self, total: Total, change: impl FnOnce(&mut Tally)) -> Folded<R> {
        self.tally(keys::total(total), change)
    }

    /// Counts a record in its hour and day, in the sum of all, and in the hour's list.
    fn count(&mut self, measure: Measure, index: u64, place: (u8, u8), amount: Fen) -> Folded<R> {
        volume::count(self, measure, index, place, amount)
    }

    fn value(&self, key: &[u8]) -> Folded<R, Option<Vec<u8>>> {
        self.rows.get(key).map_err(FoldError::Rows)
    }

    fn alias(&mut self, alias: &DocumentKey, document: &DocumentKey) -> Folded<R> {
        let document = self.resolve(document)?;
        self.rows
            .put(keys::by_document(keys::ALIAS, alias), document.to_bytes());
        Ok(())
    }

    /// The key that a document was issued under.
    fn resolve(&self, key: &DocumentKey) -> Folded<R, DocumentKey> {
        let row = self.value(&keys::by_document(keys::ALIAS, key))?;
        let known = row.map(|row| DocumentKey::from_bytes(&row));
        Ok(match known {
            None => *key,
            Some(Some(known)) => known,
            Some(None) => return Err(DecodeError::Invalid { what: "alias" }.into()),
        })
    }
}

/// Who issued a document, for whose region and figures.
fn issuer<'d>(document: &'d Document<'_>) -> &'d MemberId {
    match document {
        Document::Invoice(invoice) => &invoice.seller.id,
        Document::Bill(bill) => &bill.issuer.id,
    }
}

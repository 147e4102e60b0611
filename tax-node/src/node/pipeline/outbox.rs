//! What waits to be recorded, as far as other nodes are concerned.
//!
//! In a consortium this node proposes only in its turn. Until then verified envelopes of its own
//! members are forwarded to whoever proposes next, and again to the one after, until they are
//! final; they stay in this node's own pipeline as well, which answers those who wait. Envelopes
//! that came from a peer are counted here and not forwarded any further.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use invoice_api::registry::Submission;
use invoice_core::chain::{BATCH_RECORDS_MAX, Block};
use invoice_core::codec::{DecodeError, Reader, Writer};
use invoice_core::crypto::Signature;

use crate::engine::consortium::frames::{FORWARDED_BYTES_TARGET, FORWARDED_MAX};

/// Longest member of an envelope that is not a record, in bytes.
const NAME_BYTES_MAX: usize = 1_024;
/// Longest record that a peer may forward, in bytes: what is longer is refused anyway.
const RECORD_BYTES_MAX: usize = 64 * 1024;

/// An envelope that is not final after this time is given up. Whoever sent it was told long before
/// that the outcome is open.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(60);

/// Where forwarded envelopes come from, as far as lanes are concerned.
pub(in crate::node) const ORIGIN_OF_PEERS: u64 = u64::MAX;

/// Verified envelopes that are not final.
#[derive(Default)]
pub(in crate::node) struct Outbox {
    /// Own envelopes in the order in which they came.
    own: Mutex<Own>,
    /// All envelopes.
    waiting: AtomicUsize,
    /// Envelopes that were given up since the start.
    given_up: AtomicU64,
    /// Wakes the engine; nobody to wake with a single validator.
    waker: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

#[derive(Default)]
struct Own {
    envelopes: BTreeMap<u64, Bytes>,
    /// The first that waits by each signature, under which it stands in a block of another.
    signed: HashMap<Signature, u64>,
    /// Those that another's block recorded while they waited: the leaves of that block.
    recorded: HashMap<u64, Range<u64>>,
    last: u64,
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbox")
            .field("waiting", &self.waiting)
            .finish_non_exhaustive()
    }
}

/// An envelope that waits; dropped when it was answered or given up.
#[derive(Debug)]
pub(in crate::node) struct Held {
    outbox: Arc<Outbox>,
    number: Option<u64>,
    signature: Signature,
    since: Instant,
}

impl Held {
    /// The leaves of the block of another that recorded this very envelope while it waited here;
    /// empty when none did.
    pub(in crate::node) fn recorded(&self) -> Range<u64> {
        let own = self.outbox.lock();
        let leaves = self.number.and_then(|number| own.recorded.get(&number));
        leaves.cloned().unwrap_or_default()
    }

    /// Whether it has waited too long; counted when it has.
    pub(in crate::node) fn is_given_up(&self) -> bool {
        let given_up = self.since.elapsed() > GIVEN_UP_AFTER;
        if given_up {
            self.outbox.given_up.fetch_add(1, Ordering::Relaxed);
        }
        given_up
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.outbox.waiting.fetch_sub(1, Ordering::Relaxed);
        if let Some(number) = self.number {
            let mut own = self.outbox.lock();
            own.envelopes.remove(&number);
            own.recorded.remove(&number);
            if own.signed.get(&self.signature) == Some(&number) {
                own.signed.remove(&self.signature);
            }
        }
    }
}

impl Outbox {
    /// Wakes the engine by this from now on: there are other validators.
    pub(in crate::node) fn connect(&self, waker: Box<dyn Fn() + Send + Sync>) {
        let _ = self.waker.set(waker);
    }

    /// Tells the engine that something waits.
    pub(in crate::node) fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker();
        }
    }

    /// Holds a verified envelope; `None` where there is nobody to forward it to.
    pub(in crate::node) fn hold(
        self: &Arc<Self>,
        envelope: &Submission,
        signature: Signature,
    ) -> Option<Held> {
        self.waker.get()?;
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let number = (envelope.origin != ORIGIN_OF_PEERS).then(|| {
            let mut own = self.lock();
            own.last = own.last.saturating_add(1);
            let number = own.last;
            own.envelopes.insert(number, encode(envelope));
            own.signed.entry(signature).or_insert(number);
            number
        });
        Some(Held {
            outbox: Arc::clone(self),
            number,
            signature,
            since: Instant::now(),
        })
    }

    /// A block of another is final: those of its envelopes that wait here were recorded with it.
    pub(in crate::node) fn recorded(&self, block: &Block) {
        let mut own = self.lock();
        if own.signed.is_empty() {
            return;
        }
        let first = block.header.first_index;
        let leaves = first..first.saturating_add(u64::from(block.header.count));
        for envelope in &block.envelopes {
            if let Some(number) = own.signed.remove(&envelope.authorization.signature()) {
                own.recorded.insert(number, leaves.clone());
            }
        }
    }

    /// Whether there are other validators.
    pub(in crate::node) fn is_connected(&self) -> bool {
        self.waker.get().is_some()
    }

    /// How many envelopes were given up since the start.
    pub(in crate::node) fn given_up(&self) -> u64 {
        self.given_up.load(Ordering::Relaxed)
    }

    /// How many wait.
    pub(in crate::node) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Own envelopes from after one number to another, as many as go into one frame, and the
    /// number of the last.
    pub(in crate::node) fn between(&self, after: u64, up_to: u64) -> (Vec<Bytes>, u64) {
        if after >= up_to {
            return (Vec::new(), after);
        }
        let own = self.lock();
        let (mut envelopes, mut bytes, mut last) = (Vec::new(), 0_usize, after);
        for (number, envelope) in own.envelopes.range(after.saturating_add(1)..=up_to) {
            if envelopes.len() >= FORWARDED_MAX || bytes >= FORWARDED_BYTES_TARGET {
                break;
            }
            bytes = bytes.saturating_add(envelope.len());
            envelopes.push(envelope.clone());
            last = *number;
        }
        (envelopes, last)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Own> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `flags u8 | kid length u16 | kid | signature length u16 | signature | (length u32 | record)*`;
/// flag 1 stands for a batch, 2 for an atomic one.
fn encode(envelope: &Submission) -> Bytes {
    let size = envelope.records.iter().map(|record| record.len() + 4).sum();
    let mut writer = Writer::with_capacity(size);
    writer.put_u8(u8::from(envelope.batch) | (u8::from(envelope.atomic) << 1));
    for text in [&envelope.kid, &envelope.sig] {
        let text = text.as_deref().unwrap_or_default();
        writer.put_u16(u16::try_from(text.len()).unwrap_or(u16::MAX));
        writer.put(text.as_bytes());
    }
    for record in &envelope.records {
        writer.put_u32(u32::try_from(record.len()).unwrap_or(u32::MAX));
        writer.put(record);
    }
    writer.into_bytes().into()
}

/// Reads an envelope that a peer forwarded.
pub(in crate::node) fn decode(bytes: &Bytes) -> Result<Submission, DecodeError> {
    let mut reader = Reader::new(bytes);
    let flags = reader.u8("flags")?;
    if flags > 3 || flags == 2 {
        return Err(DecodeError::Invalid { what: "flags" });
    }
    let kid = reader.text16("kid", NAME_BYTES_MAX)?.to_owned();
    let sig = reader.text16("signature", NAME_BYTES_MAX)?.to_owned();
    let mut records = Vec::new();
    while reader.remaining() > 0 {
        if records.len() >= BATCH_RECORDS_MAX {
            return Err(DecodeError::TooLarge {
                what: "records",
                limit: BATCH_RECORDS_MAX,
            });
        }
        records.push(bytes.slice_ref(reader.bytes32("record", RECORD_BYTES_MAX)?));
    }
    if records.is_empty() || (flags == 0 && records.len() != 1) {
        return Err(DecodeError::Invalid { what: "records" });
    }
    Ok(Submission {
        kid: Some(kid),
        sig: Some(sig),
        records,
        batch: flags & 1 != 0,
        atomic: flags & 2 != 0,
        receipts: false,
        origin: ORIGIN_OF_PEERS,
    })
}

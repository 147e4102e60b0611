//! The node as the HTTP interface sees it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::TrySendError;

use async_trait::async_trait;
use invoice_api::registry::{
    AsOf, Asker, BlockView, CheckItem, Checked, CheckpointView, ClaimPage, ClaimQuery,
    DocumentView, EventPage, Gauge, InclusionView, KeyStanding, KeyView, Readiness, RecordAnswer,
    RecordFindings, RecordState, RecordVerdict, Recorded, Registry, Submission, Unavailable,
    UnavailableReason,
};
use invoice_core::apply::{Inadmissible, Verdict};
use invoice_core::calendar::Instant;
use invoice_core::chain::{Facts, Outcome};
use invoice_core::codec::DecodeError;
use invoice_core::crypto::{Hash, Kid};
use invoice_core::identity::{DocumentKey, MemberId, RecordId};
use invoice_core::merkle;
use invoice_core::read::Spelled;
use invoice_core::refusal::Rejection;
use invoice_core::state::TypedState;
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};

use super::access_log::AccessLogError;
use super::checks::{self, Fault, Party};
use super::gauges::gauge;
use super::job::{JOB_BYTES_WAITING_MAX, Job};
use super::receipts::{self, Receipts};
use super::start::Shared;
use super::{Node, admission, claims, documents, events, validate};
use crate::store::{ReadError, Snapshot};

/// Why the node cannot answer: an operational accident, never a refusal.
#[derive(Debug, thiserror::Error)]
pub(super) enum NodeError {
    /// The store failed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The state failed.
    #[error(transparent)]
    State(#[from] Fault),
    /// A row of an index is damaged.
    #[error("a row of an index is damaged: {0}")]
    Row(#[from] DecodeError),
    /// The access log failed: nothing may be told that is not logged.
    #[error(transparent)]
    Log(#[from] AccessLogError),
}

/// Seconds after which to ask again.
const RETRY_OVERLOADED: u32 = 1;
const RETRY_LOW_DISK: u32 = 60;
const RETRY_STOPPED: u32 = 5;

fn unavailable(reason: UnavailableReason) -> Unavailable {
    let retry_after_seconds = match reason {
        UnavailableReason::Overloaded | UnavailableReason::NoQuorum => RETRY_OVERLOADED,
        UnavailableReason::LowDisk => RETRY_LOW_DISK,
        UnavailableReason::StorageFailed | UnavailableReason::Stopping => RETRY_STOPPED,
    };
    Unavailable {
        reason,
        retry_after_seconds,
    }
}

impl Shared {
    /// Answers a question from a snapshot of the store, unless too many are being answered.
    async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Self, &Snapshot) -> Result<T, NodeError> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let Ok(permit) = Arc::clone(&self.reads).try_acquire_owned() else {
            return Err(unavailable(UnavailableReason::Overloaded));
        };
        self.read_with(permit, read).await
    }

    /// Reads what is needed to answer records that are final already: it waits for its turn, since
    /// whoever sent them has waited for their block.
    async fn read_answer<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Self, &Snapshot) -> Result<T, NodeError> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let Ok(permit) = Arc::clone(&self.reads).acquire_owned().await else {
            return Err(unavailable(UnavailableReason::Stopping));
        };
        self.read_with(permit, read).await
    }

    /// Runs a read of the store away from the threads that serve connections.
    async fn read_with<T: Send + 'static>(
        self: &Arc<Self>,
        permit: OwnedSemaphorePermit,
        read: impl FnOnce(&Self, &Snapshot) -> Result<T, NodeError> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let shared = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let snapshot = shared.store.snapshot()?;
            read(&shared, &snapshot)
        });
        match task.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                tracing::error!(%error, "a read failed");
                Err(unavailable(UnavailableReason::StorageFailed))
            }
            Err(error) => {
                tracing::error!(%error, "a read did not end");
                Err(unavailable(UnavailableReason::StorageFailed))
            }
        }
    }

    fn refusing(&self) -> Option<UnavailableReason> {
        if self.store.stopped() || self.engine_failed.load(Ordering::Acquire) {
            Some(UnavailableReason::StorageFailed)
        } else if self.stopping.load(Ordering::Acquire) {
            Some(UnavailableReason::Stopping)
        } else if self.disk.is_low() {
            Some(UnavailableReason::LowDisk)
        } else {
            None
        }
    }

    /// The instant that questions are answered for: expiries take effect although no block came.
    fn as_of(&self, snapshot: &Snapshot) -> AsOf {
        let head = snapshot.head();
        let time = (self.clock)().max(Instant::from_ms(head.time_ms));
        AsOf {
            height: head.height,
            time,
        }
    }

    /// Verifies an envelope on the pool.
    async fn admit(
        self: &Arc<Self>,
        submission: Arc<Submission>,
    ) -> Result<admission::Admitted, Unavailable> {
        let Ok(permit) = Arc::clone(&self.admissions).try_acquire_owned() else {
            return Err(unavailable(UnavailableReason::Overloaded));
        };
        let (reply, answer) = oneshot::channel();
        let shared = Arc::clone(self);
        self.pool.spawn(move || {
            let _permit = permit;
            let admitted = shared
                .store
                .snapshot()
                .map_err(NodeError::from)
                .and_then(|snapshot| {
                    let state = TypedState(&snapshot);
                    Ok(admission::admit(
                        &state,
                        shared.genesis.chain_id(),
                        &submission,
                    )?)
                });
            // Whoever asked may have gone.
            let _ = reply.send(admitted);
        });
        match answer.await {
            Ok(Ok(admitted)) => Ok(admitted),
            Ok(Err(error)) => {
                tracing::error!(%error, "the state cannot be read");
                Err(unavailable(UnavailableReason::StorageFailed))
            }
            Err(_) => Err(unavailable(UnavailableReason::Stopping)),
        }
    }

    /// Hands verified records to the engine and waits until they are final.
    async fn decide(
        self: &Arc<Self>,
        verified: admission::Verified,
    ) -> Result<Vec<Verdict>, Unavailable> {
        let (reply, answer) = oneshot::channel();
        let _pending = self.pending.enter(&verified.records);
        let job = Job {
            kid: verified.kid,
            signature: verified.signature,
            form: verified.form,
            records: verified.records,
            reply,
        };
        let bytes = job.bytes();
        if self.waiting_bytes.fetch_add(bytes, Ordering::AcqRel) > JOB_BYTES_WAITING_MAX {
            self.waiting_bytes.fetch_sub(bytes, Ordering::AcqRel);
            return Err(unavailable(UnavailableReason::Overloaded));
        }
        let sent = match self.jobs.lock().map(|jobs| jobs.clone()) {
            Ok(Some(jobs)) => jobs.try_send(job),
            Ok(None) | Err(_) => Err(TrySendError::Disconnected(job)),
        };
        if let Err(error) = sent {
            self.waiting_bytes.fetch_sub(bytes, Ordering::AcqRel);
            return Err(unavailable(match error {
                TrySendError::Full(_) => UnavailableReason::Overloaded,
                TrySendError::Disconnected(_) => {
                    self.refusing().unwrap_or(UnavailableReason::Stopping)
                }
            }));
        }
        answer
            .await
            .map_err(|_| unavailable(UnavailableReason::Stopping))?
    }
}

/// The answers of an envelope whose records were decided.
fn answers(
    snapshot: &Snapshot,
    shared: &Shared,
    mut admitted: admission::Admitted,
    positions: &[usize],
    verdicts: Vec<Verdict>,
    with_receipts: bool,
) -> Result<Vec<RecordAnswer>, NodeError> {
    let mut receipts = Receipts::new(snapshot, &shared.genesis);
    // In the order of the log: records of one batch that are answered again share its tree.
    let mut decided: Vec<_> = positions.iter().zip(verdicts).collect();
    decided.sort_by_key(|(_, verdict)| index_of(verdict));
    for (position, verdict) in decided {
        let verdict = match verdict {
            Verdict::Recorded(recorded) => {
                final_answer(&mut receipts, recorded.index, false, with_receipts)?
            }
            Verdict::Replayed { index, .. } => {
                final_answer(&mut receipts, index, true, with_receipts)?
            }
            Verdict::IdReused => RecordVerdict::IdReused {
                facts: Facts::new(),
            },
            Verdict::Inadmissible(Inadmissible::Unauthenticated(error)) => {
                RecordVerdict::Unauthenticated(error)
            }
            Verdict::Inadmissible(Inadmissible::Forbidden(forbidden)) => {
                RecordVerdict::Forbidden(forbidden)
            }
            Verdict::Inadmissible(Inadmissible::Invalid(violations)) => {
                RecordVerdict::Invalid(violations)
            }
            Verdict::Aborted => RecordVerdict::BatchAborted,
        };
        if let Some(slot) = admitted.answers.get_mut(*position) {
            let id = admitted.ids.get(*position).cloned().flatten();
            *slot = Some(RecordAnswer { id, verdict });
        }
    }
    Ok(admitted.answers.into_iter().flatten().collect())
}

/// Where in the log the answer to a record stands.
fn index_of(verdict: &Verdict) -> Option<u64> {
    match verdict {
        Verdict::Recorded(recorded) => Some(recorded.index),
        Verdict::Replayed { index, .. } => Some(*index),
        Verdict::IdReused | Verdict::Inadmissible(_) | Verdict::Aborted => None,
    }
}

/// The answer of a record that is on the chain.
fn final_answer(
    receipts: &mut Receipts<'_>,
    index: u64,
    replayed: bool,
    with_receipt: bool,
) -> Result<RecordVerdict, NodeError> {
    let (outcome, place) = receipts.outcome(index)?;
    let context = context(receipts.snapshot(), &outcome)?;
    let receipt = with_receipt.then(|| receipts.receipt(index)).transpose()?;
    Ok(RecordVerdict::Final(Recorded {
        replayed,
        outcome,
        context,
        place,
        receipt: receipt.map(Arc::new),
    }))
}

/// What an answer says beyond the outcome on the chain: which record was first.
fn context(snapshot: &Snapshot, outcome: &Outcome) -> Result<Facts, NodeError> {
    let mut context = Facts::new();
    let exists = Rejection::DocumentExists { first_index: 0 }.code();
    if outcome.code() != Some(exists) {
        return Ok(context);
    }
    let first = outcome
        .detail()
        .get("first_index")
        .and_then(|index| index.parse().ok());
    if let Some(first) = first
        .map(|index| receipts::logged(snapshot, index))
        .transpose()?
        .flatten()
    {
        context.set("first_id", first.record.id.as_str());
        context.set("first_height", first.place.height);
        context.set("first_time", first.place.time.to_rfc3339_utc8());
    }
    Ok(context)
}

#[async_trait]
impl Registry for Node {
    fn chain_id(&self) -> &str {
        self.shared.genesis.chain_id().as_str()
    }

    fn genesis(&self) -> &[u8] {
        self.shared.genesis.bytes()
    }

    async fn submit(&self, submission: Submission) -> Result<Vec<RecordAnswer>, Unavailable> {
        if let Some(reason) = self.shared.refusing() {
            return Err(unavailable(reason));
        }
        let with_receipts = submission.receipts;
        let mut admitted = self.shared.admit(Arc::new(submission)).await?;
        let Some(verified) = admitted.verified.take() else {
            return Ok(admitted.answers.into_iter().flatten().collect());
        };
        let positions: Vec<_> = verified
            .records
            .iter()
            .map(|record| record.position)
            .collect();
        // The records are decided even when whoever sent them has gone meanwhile.
        let shared = Arc::clone(&self.shared);
        let decided = tokio::spawn(async move { shared.decide(verified).await });
        let verdicts = decided
            .await
            .map_err(|_| unavailable(UnavailableReason::StorageFailed))??;
        self.shared
            .read_answer(move |shared, snapshot| {
                answers(
                    snapshot,
                    shared,
                    admitted,
                    &positions,
                    verdicts,
                    with_receipts,
                )
            })
            .await
    }

    async fn validate(
        &self,
        asker: &Asker,
        submission: Submission,
    ) -> Result<Vec<RecordFindings>, Unavailable> {
        let asker = asker.clone();
        self.shared
            .read(move |shared, snapshot| {
                let next = snapshot.head().time_ms.saturating_add(1);
                let time = (shared.clock)().max(Instant::from_ms(next));
                let chain_id = shared.genesis.chain_id();
                validate::findings(snapshot, chain_id, &asker, &submission, time)
            })
            .await
    }

    async fn key(&self, kid: Kid) -> Result<Option<KeyView>, Unavailable> {
        self.shared
            .read(move |shared, snapshot| {
                let state = TypedState(snapshot);
                let Some(key) = state.key(&kid)? else {
                    return Ok(None);
                };
                let Some(id) = state.member_id(key.owner)? else {
                    return Ok(None);
                };
                let Some(member) = state.member(&id)? else {
                    return Ok(None);
                };
                let standing = match key.usable_at(shared.as_of(snapshot).time) {
                    Err(_) if key.revoked_at.is_some() => KeyStanding::Revoked,
                    Err(_) => KeyStanding::Expired,
                    Ok(()) if member.suspended => KeyStanding::MemberSuspended,
                    Ok(()) => KeyStanding::Good,
                };
                let public_key = Arc::new(key.public_key);
                Ok(Some(KeyView {
                    public_key,
                    member: id,
                    roles: member.roles,
                    standing,
                }))
            })
            .await
    }

    async fn record_by_id(
        &self,
        asker: &Asker,
        by: MemberId,
        id: String,
    ) -> Result<RecordState, Unavailable> {
        let Ok(id) = RecordId::spelled(&id) else {
            return Ok(RecordState::Absent);
        };
        if by != asker.member && !asker.roles.has_authority() {
            return Ok(RecordState::Absent);
        }
        let pending = self.shared.pending.has_id(&by, &id);
        self.shared
            .read(move |shared, snapshot| {
                let state = TypedState(snapshot);
                let entry = match state.member(&by)? {
                    Some(member) => state.record(member.number, &id)?,
                    None => None,
                };
                let mut receipts = Receipts::new(snapshot, &shared.genesis);
                Ok(match entry {
                    Some(entry) => RecordState::Final(Arc::new(receipts.receipt(entry.index)?)),
                    None if pending => RecordState::Pending,
                    None => RecordState::Absent,
                })
            })
            .await
    }

    async fn record_by_hash(&self, asker: &Asker, sm3: Hash) -> Result<RecordState, Unavailable> {
        let asker = asker.clone();
        let pending = self.shared.pending.owner_of(&sm3);
        self.shared
            .read(move |shared, snapshot| {
                let visible = |by: MemberId| by == asker.member || asker.roles.has_authority();
                if let Some(index) = snapshot.leaf_of_record(&sm3)? {
                    let logged = receipts::logged(snapshot, index)?;
                    if logged.is_none_or(|logged| !visible(logged.record.by)) {
                        return Ok(RecordState::Absent);
                    }
                    let receipt = Receipts::new(snapshot, &shared.genesis).receipt(index)?;
                    return Ok(RecordState::Final(Arc::new(receipt)));
                }
                Ok(match pending.filter(|by| visible(*by)) {
                    Some(_) => RecordState::Pending,
                    None => RecordState::Absent,
                })
            })
            .await
    }

    async fn checks(&self, asker: &Asker, items: Vec<CheckItem>) -> Result<Checked, Unavailable> {
        let asker = asker.clone();
        self.shared
            .read(move |shared, snapshot| check_all(shared, snapshot, Some(&asker), &items))
            .await
    }

    async fn public_check(&self, item: CheckItem) -> Result<Checked, Unavailable> {
        self.shared
            .read(move |shared, snapshot| check_all(shared, snapshot, None, &[item]))
            .await
    }

    async fn document(
        &self,
        asker: &Asker,
        key: DocumentKey,
    ) -> Result<Option<DocumentView>, Unavailable> {
        let asker = asker.clone();
        self.shared
            .read(move |shared, snapshot| {
                let as_of = shared.as_of(snapshot);
                let view = documents::view(snapshot, &asker, &key, as_of)?;
                let access = super::access_log::Access {
                    time: as_of.time.to_rfc3339_utc8(),
                    by: asker.member.as_str(),
                    kid: asker.kid.to_string(),
                    call: "document",
                    document: key.to_string(),
                    asked: Vec::new(),
                    differs: &[],
                    answer: if view.is_some() {
                        "content"
                    } else {
                        "not_found"
                    },
                };
                shared.access_log.append(&[access])?;
                Ok(view)
            })
            .await
    }

    async fn claims(
        &self,
        asker: &Asker,
        query: ClaimQuery,
    ) -> Result<Option<ClaimPage>, Unavailable> {
        let asker = asker.clone();
        self.shared
            .read(move |shared, snapshot| {
                claims::page(snapshot, &asker, &query, shared.as_of(snapshot))
            })
            .await
    }

    async fn events(
        &self,
        asker: &Asker,
        after: u64,
        limit: usize,
    ) -> Result<EventPage, Unavailable> {
        let asker = asker.clone();
        self.shared
            .read(move |_, snapshot| events::page(snapshot, &asker, after, limit))
            .await
    }

    fn head(&self) -> watch::Receiver<u64> {
        self.shared.head.clone()
    }

    async fn checkpoint(&self) -> Result<Option<CheckpointView>, Unavailable> {
        self.shared
            .read(|_, snapshot| {
                let outline = snapshot.outline(snapshot.head().height)?;
                Ok(outline.map(|outline| CheckpointView {
                    height: outline.header.height,
                    tree_size: outline.header.log_size,
                    root_hash: outline.header.log_root,
                    time: Instant::from_ms(outline.header.time_ms),
                    header: outline.header.encode(),
                    certificate: outline.certificate.clone(),
                }))
            })
            .await
    }

    async fn block(&self, height: u64) -> Result<Option<BlockView>, Unavailable> {
        self.shared
            .read(move |_, snapshot| {
                let Some(outline) = snapshot.outline(height)? else {
                    return Ok(None);
                };
                let (first, count) = (outline.header.first_index, outline.header.count);
                let mut leaf_hashes = Vec::new();
                for index in first..first.saturating_add(u64::from(count)) {
                    leaf_hashes.push(snapshot.node(0, index)?);
                }
                Ok(Some(BlockView {
                    height,
                    time: Instant::from_ms(outline.header.time_ms),
                    first_index: first,
                    header: outline.header.encode(),
                    certificate: outline.certificate.clone(),
                    leaf_hashes,
                }))
            })
            .await
    }

    async fn inclusion_proof(
        &self,
        index: u64,
        tree_size: u64,
    ) -> Result<Option<InclusionView>, Unavailable> {
        self.shared
            .read(move |_, snapshot| {
                let Some(path) = snapshot.inclusion_path(index, tree_size)? else {
                    return Ok(None);
                };
                let leaf_hash = snapshot.node(0, index)?;
                let root_hash = merkle::root_from_path(&leaf_hash, index, tree_size, &path);
                Ok(root_hash.map(|root_hash| InclusionView {
                    leaf_hash,
                    root_hash,
                    path,
                }))
            })
            .await
    }

    async fn consistency_proof(
        &self,
        from: u64,
        to: u64,
    ) -> Result<Option<Vec<Hash>>, Unavailable> {
        self.shared
            .read(move |_, snapshot| Ok(snapshot.consistency_path(from, to)?))
            .await
    }

    fn readiness(&self) -> Readiness {
        let shared = &self.shared;
        let height = *shared.head.borrow();
        let head = shared
            .store
            .snapshot()
            .ok()
            .map(|snapshot| snapshot.head().clone());
        Readiness {
            height,
            time: head
                .filter(|head| head.height > 0)
                .map(|head| Instant::from_ms(head.time_ms)),
            storage_ok: !shared.store.stopped() && !shared.engine_failed.load(Ordering::Acquire),
            refusing: shared.refusing(),
        }
    }

    fn gauges(&self) -> Vec<Gauge> {
        let shared = &self.shared;
        let waiting = shared.waiting_bytes.load(Ordering::Relaxed) as u64;
        let (accesses, _) = shared.access_log.root();
        let records = shared
            .store
            .snapshot()
            .map_or(0, |snapshot| snapshot.head().log_size());
        vec![
            gauge(
                "height",
                "Height of the last final block.",
                *shared.head.borrow(),
            ),
            gauge("log_records", "Records in the log.", records),
            gauge(
                "waiting_bytes",
                "Bytes of records that wait for a block.",
                waiting,
            ),
            gauge(
                "disk_free_bytes",
                "Room on the disk.",
                shared.disk.free_bytes(),
            ),
            gauge(
                "access_log_entries",
                "Questions in the access log.",
                accesses,
            ),
        ]
    }
}

/// Compares items and writes the access log before anything is told.
fn check_all(
    shared: &Shared,
    snapshot: &Snapshot,
    asker: Option<&Asker>,
    items: &[CheckItem],
) -> Result<Checked, NodeError> {
    let as_of = shared.as_of(snapshot);
    let state = TypedState(snapshot);
    let party = asker
        .map(|asker| Party::of(&state, asker))
        .transpose()?
        .flatten();
    let results = items
        .iter()
        .map(|item| checks::check(&state, party.as_ref(), item, as_of))
        .collect::<Result<Vec<_>, _>>()?;
    let accesses: Vec<_> = items
        .iter()
        .zip(&results)
        .map(|(item, result)| checks::access(asker, item, result, as_of.time))
        .collect();
    shared.access_log.append(&accesses)?;
    Ok(Checked { results, as_of })
}

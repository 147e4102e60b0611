//! The steps beside the blocks: young blocks go into files, runs are merged, dictionaries trained.
//!
//! A step writes new files and changes nothing else. When they are whole and synced, it hands an
//! [`Edit`] to the next block's transaction; only then readers turn to the new files, and old ones
//! are removed. So a step that is interrupted anywhere leaves the store as it was, and some garbage.
//! If no block comes, edits wait; they cost memory and nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use invoice_core::merkle::leaf_hashes;

use super::bodies::{BodyWriter, Place, join, year_of};
use super::bundle::Part;
use super::dictionary::{Dictionaries, Dictionary, TRAINED_ON};
use super::error::{Damage, OpenError, ReadError};
use super::head::Head;
use super::manifest::{Edit, Flushed};
use super::rows::Row;
use super::runs::{Generation, Run, RunError, RunInfo, plan_merge};
use super::shared::{Published, Shared};
use super::snapshot::Snapshot;
use super::tables::{self, key};
use super::young::Segment;

/// Threads that merge runs: while one merges large runs, the other keeps up with the small ones.
const MERGERS: usize = 2;

/// How long a commit waits before it looks again whether the store has stopped.
const PATIENCE: Duration = Duration::from_millis(100);

/// What is under way in the background.
#[derive(Debug)]
pub(super) struct Work {
    /// Steps whose edits wait for a block.
    finished: Vec<Edit>,
    /// The last height of which a step made, or makes, files.
    flush_begun: Option<u64>,
    /// The last height whose files are whole.
    flush_done: Option<u64>,
    /// Runs that a merge, finished or not, replaces.
    merging: BTreeSet<String>,
    /// How many dictionaries there are or were tried.
    trained: usize,
    /// Runs that were merged away and not yet removed.
    garbage: Vec<String>,
    closing: bool,
}

impl Work {
    pub(super) fn over(published: &Published) -> Self {
        let flushed = published.flushed.as_ref().map(|head| head.height);
        Self {
            finished: Vec::new(),
            flush_begun: flushed,
            flush_done: flushed,
            merging: BTreeSet::new(),
            trained: published.dictionaries.len(),
            garbage: Vec::new(),
            closing: false,
        }
    }

    /// The edits for the next block's transaction.
    pub(super) fn take_finished(&mut self) -> Vec<Edit> {
        std::mem::take(&mut self.finished)
    }

    /// The transaction with an edit is durable, and readers have turned to what it names.
    pub(super) fn adopted(&mut self, edit: Edit) {
        if let Edit::Merged { replaced, .. } = edit {
            for name in &replaced {
                self.merging.remove(name);
            }
            self.garbage.extend(replaced);
        }
    }
}

/// One step.
enum Job {
    Flush {
        segment: Arc<Segment>,
        /// Nothing older is in any run.
        first: bool,
    },
    Merge {
        /// Newest first.
        runs: Vec<Arc<Run>>,
        /// The oldest run of all is among them.
        oldest: bool,
    },
    Train {
        number: u32,
    },
    Remove(Vec<String>),
}

/// What a thread does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Duty {
    Flush,
    Merge,
}

fn next_job(shared: &Shared, work: &mut Work, duty: Duty) -> Option<Job> {
    if work.closing || shared.stopped() {
        return None;
    }
    let published = shared.published();
    match duty {
        Duty::Flush => {
            if !work.garbage.is_empty() {
                return Some(Job::Remove(std::mem::take(&mut work.garbage)));
            }
            let begun = work.flush_begun;
            let ripe = |segment: &&Arc<Segment>| Some(segment.last_height()) > begun;
            if let Some(segment) = published.ripe().find(ripe) {
                work.flush_begun = Some(segment.last_height());
                return Some(Job::Flush {
                    segment: Arc::clone(segment),
                    first: begun.is_none(),
                });
            }
            let due = shared.tuning.dictionaries_at.get(work.trained)?;
            if published.head.log_size() < *due {
                return None;
            }
            work.trained = work.trained.saturating_add(1);
            u32::try_from(work.trained)
                .ok()
                .map(|number| Job::Train { number })
        }
        Duty::Merge => {
            let runs = published.version.runs();
            let free = |run: &&Arc<Run>| !work.merging.contains(&run.info().name);
            let infos: Vec<RunInfo> = runs
                .iter()
                .take_while(free)
                .map(|run| run.info().clone())
                .collect();
            let range = plan_merge(&infos)?;
            let runs_to_merge = runs.get(range.clone())?.to_vec();
            let names = runs_to_merge.iter().map(|run| run.info().name.clone());
            work.merging.extend(names);
            Some(Job::Merge {
                runs: runs_to_merge,
                oldest: range.end == runs.len(),
            })
        }
    }
}

fn perform(shared: &Arc<Shared>, job: Job) -> Result<(), ReadError> {
    let edit = match job {
        Job::Flush { segment, first } => flush(shared, segment, first)?,
        Job::Merge { runs, oldest } => {
            let name = run_name(shared.take_number());
            let info = shared.home.merge(&name, &runs, oldest, &shared.closing)?;
            Edit::Merged {
                replaced: runs.iter().map(|run| run.info().name.clone()).collect(),
                run: shared.home.open(&info)?,
            }
        }
        Job::Train { number } => match train(shared, number)? {
            Some(dictionary) => Edit::Trained(Arc::new(dictionary)),
            None => return Ok(()),
        },
        Job::Remove(names) => {
            for name in names {
                shared.home.remove(&name)?;
            }
            return Ok(());
        }
    };
    let mut work = shared.work();
    if let Edit::Flushed(flushed) = &edit {
        work.flush_done = Some(flushed.head.height);
    }
    work.finished.push(edit);
    drop(work);
    shared.work_changed.notify_all();
    Ok(())
}

fn run_name(number: u32) -> String {
    format!("{number:010}.run")
}

fn train(shared: &Arc<Shared>, number: u32) -> Result<Option<Dictionary>, ReadError> {
    let snapshot = Snapshot::of(shared);
    let size = snapshot.head().log_size();
    let count = u32::try_from(size).unwrap_or(u32::MAX).min(TRAINED_ON);
    let leaves = snapshot.read_leaves(size.saturating_sub(u64::from(count)), count)?;
    Ok(Dictionary::train(number, &leaves))
}

/// Writes a segment to body files and a run.
fn flush(shared: &Arc<Shared>, segment: Arc<Segment>, first: bool) -> Result<Edit, ReadError> {
    let dictionaries = Arc::clone(&shared.published().dictionaries);
    let blocks = segment.blocks();
    let Some(last) = blocks.last() else {
        return Err(Damage::new("journal", segment.last_height(), "has no block").into());
    };
    let header = &last.outline.header;
    let head = Head {
        height: header.height,
        block_id: last.outline.certificate.block_id,
        time_ms: header.time_ms,
        frontier: last.frontier.clone(),
    };
    let mut shelf = Shelf {
        shared,
        dictionaries: &dictionaries,
        rows: Vec::new(),
        files: Vec::new(),
        open: Vec::new(),
        writer: None,
    };
    for block in &blocks {
        if shared.closing.load(Ordering::Acquire) {
            return Err(RunError::Cancelled.into());
        }
        shelf.turn_to(year_of(block.outline.header.time_ms))?;
        for part in &block.parts {
            shelf.leaves(part)?;
        }
        shelf.block(&block.outline)?;
    }
    shelf.close()?;
    let Shelf {
        mut rows, files, ..
    } = shelf;
    rows.sort_unstable();
    let places = Generation::new(segment.generation.first_height());
    let height = segment.last_height();
    places.apply(
        height,
        rows.iter()
            .map(|(key, value)| (key.as_slice(), value.as_deref())),
    );
    places.seal();
    let name = run_name(shared.take_number());
    let generations = [Arc::new(places), Arc::clone(&segment.generation)];
    let info = shared
        .home
        .flush(&name, &generations, first, &shared.closing)?;
    Ok(Edit::Flushed(Flushed {
        run: shared.home.open(&info)?,
        segment,
        bodies: files,
        head,
    }))
}

/// Body files while a segment goes into them, and the rows that tell where things are.
struct Shelf<'s> {
    shared: &'s Shared,
    dictionaries: &'s Dictionaries,
    rows: Vec<Row>,
    files: Vec<super::bodies::BodyFile>,
    /// Parts of one bundle that wait for the rest of it.
    open: Vec<&'s Part>,
    writer: Option<BodyWriter<'s>>,
}

impl<'s> Shelf<'s> {
    /// Ends the file of another year and begins one of this.
    fn turn_to(&mut self, year: u16) -> Result<(), ReadError> {
        if self.writer.as_ref().map(BodyWriter::year) != Some(year) {
            self.close()?;
            let number = self.shared.take_number();
            self.writer = Some(BodyWriter::begin(&self.shared.bodies, number, year)?);
        }
        Ok(())
    }

    fn leaves(&mut self, part: &'s Part) -> Result<(), ReadError> {
        if self
            .open
            .last()
            .is_some_and(|open| open.bundle() != part.bundle())
        {
            self.close_bundle()?;
        }
        self.open.push(part);
        Ok(())
    }

    fn close_bundle(&mut self) -> Result<(), ReadError> {
        let parts = std::mem::take(&mut self.open);
        let (Some(first), Some(writer)) = (parts.first(), &mut self.writer) else {
            return Ok(());
        };
        let damage = |fault| Damage::new("bundles", first.bundle(), fault);
        let (part, unpacked) = join(&parts, self.dictionaries).map_err(damage)?;
        let place = writer.leaves(&part, self.dictionaries)?;
        // At most 255, since a bundle has 256 leaves.
        let within = (part.first % super::bundle::BUNDLE_LEAVES) as u8;
        let bundle = part.bundle().to_be_bytes();
        self.rows.push((
            key(tables::BUNDLES, &[&bundle, &[within]]),
            Some(place.encode()),
        ));
        if !part.is_whole()
            && let Some(unpacked) = unpacked
        {
            // A bundle in several parts may lie in two years, and proofs of the later one must
            // not need the bodies of the earlier.
            let leaves: Vec<&[u8]> = unpacked.leaves().collect();
            let hashes = leaf_hashes(&leaves);
            let bytes = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
            self.rows
                .push((key(tables::PART_HASHES, &[&bundle, &[within]]), Some(bytes)));
        }
        Ok(())
    }

    fn block(&mut self, outline: &super::block_row::BlockOutline) -> Result<(), ReadError> {
        if let Some(writer) = &mut self.writer {
            let places = writer.block(outline)?;
            self.places(places);
        }
        Ok(())
    }

    fn places(&mut self, places: Vec<(u64, Place)>) {
        self.rows.extend(places.into_iter().map(|(height, place)| {
            (
                key(tables::BLOCKS, &[&height.to_be_bytes()]),
                Some(place.encode()),
            )
        }));
    }

    fn close(&mut self) -> Result<(), ReadError> {
        self.close_bundle()?;
        if let Some(writer) = self.writer.take() {
            let (file, places) = writer.finish()?;
            self.places(places);
            self.files.push(file);
        }
        Ok(())
    }
}

/// Performs every step that is due, on the caller's thread: for tests that repeat from a seed.
pub(super) fn perform_due(shared: &Arc<Shared>) -> Result<(), ReadError> {
    for duty in [Duty::Flush, Duty::Merge] {
        loop {
            let job = next_job(shared, &mut shared.work(), duty);
            let Some(job) = job else { break };
            shared.guard(|| perform(shared, job))?;
        }
    }
    Ok(())
}

/// Waits while young blocks take too much memory because flushing lags behind.
pub(super) fn wait_for_room(shared: &Shared) {
    if shared.tuning.inline {
        return;
    }
    let mut work = shared.work();
    loop {
        let done = work.flush_done;
        let waiting = shared
            .published()
            .ripe()
            .filter(|segment| Some(segment.last_height()) > done)
            .count();
        if waiting < shared.tuning.waiting_segments_max || shared.stopped() {
            return;
        }
        let waited = shared.work_changed.wait_timeout(work, PATIENCE);
        (work, _) = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
    }
}

/// The threads of a store. Dropping them ends what is under way and waits for it.
#[derive(Debug)]
pub(super) struct Threads {
    shared: Arc<Shared>,
    handles: Vec<JoinHandle<()>>,
}

impl Threads {
    /// Starts them.
    pub(super) fn start(shared: &Arc<Shared>) -> Result<Self, OpenError> {
        let mut threads = Self {
            shared: Arc::clone(shared),
            handles: Vec::new(),
        };
        if shared.tuning.inline {
            return Ok(threads);
        }
        let duties = std::iter::once((Duty::Flush, "store-flush"))
            .chain(std::iter::repeat_n((Duty::Merge, "store-merge"), MERGERS));
        for (duty, name) in duties {
            let shared = Arc::clone(shared);
            let thread = std::thread::Builder::new().name(name.to_owned());
            let handle = thread.spawn(move || work_until_closed(&shared, duty));
            threads.handles.push(handle.map_err(OpenError::Thread)?);
        }
        Ok(threads)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Release);
        self.shared.work().closing = true;
        self.shared.work_changed.notify_all();
        for handle in self.handles.drain(..) {
            // A panic of the thread has stopped the store already.
            let _ = handle.join();
        }
    }
}

fn work_until_closed(shared: &Arc<Shared>, duty: Duty) {
    loop {
        let mut work = shared.work();
        let job = loop {
            if work.closing || shared.stopped() {
                return;
            }
            if let Some(job) = next_job(shared, &mut work, duty) {
                break job;
            }
            let waited = shared.work_changed.wait(work);
            work = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
        };
        drop(work);
        let done = shared.guard(|| perform(shared, job));
        if let Err(error) = done {
            if !matches!(
                error,
                ReadError::File(RunError::Cancelled) | ReadError::Stopped
            ) {
                tracing::error!(%error, "the store stopped: a step in the background failed");
            }
            shared.stop();
            return;
        }
    }
}

//! What all handles and threads of one opened store share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::block_row::BlockOutline;
use super::bodies::{Bodies, BodyFile};
use super::bundle::{BundleCache, bundle_cache};
use super::dictionary::Dictionaries;
use super::error::{ReadError, contained};
use super::head::Head;
use super::log_tree::{TreeCache, tree_cache};
use super::maintenance::Work;
use super::manifest::Edit;
use super::runs::{Home, Run, Version};
use super::young::Segment;
use super::{Tuning, tables};

/// What exists at one moment. It never changes; the next block brings another.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) head: Arc<Head>,
    /// Blocks that are in no file yet, newest first; the first takes more blocks.
    pub(super) segments: Vec<Arc<Segment>>,
    /// The rows of the segments and of all runs.
    pub(super) version: Arc<Version>,
    /// The last block that is in files.
    pub(super) flushed: Option<Arc<Head>>,
    pub(super) bodies: Arc<BTreeMap<u32, BodyFile>>,
    pub(super) dictionaries: Arc<Dictionaries>,
}

impl Published {
    /// The rows of segments and runs, both newest first.
    pub(super) fn version_of(segments: &[Arc<Segment>], runs: Vec<Arc<Run>>) -> Arc<Version> {
        let generations = segments
            .iter()
            .map(|segment| Arc::clone(&segment.generation))
            .collect();
        Arc::new(Version::new(tables::FILTERS, generations, runs))
    }

    /// The same without a head of its own.
    pub(super) fn with_head(&self, head: Arc<Head>) -> Self {
        Self {
            head,
            segments: self.segments.clone(),
            version: Arc::clone(&self.version),
            flushed: self.flushed.clone(),
            bodies: Arc::clone(&self.bodies),
            dictionaries: Arc::clone(&self.dictionaries),
        }
    }

    /// Takes over what a step in the background did.
    pub(super) fn adopt(&mut self, edit: &Edit) {
        let mut runs = self.version.runs().to_vec();
        match edit {
            Edit::Flushed(flushed) => {
                self.segments
                    .retain(|segment| !Arc::ptr_eq(segment, &flushed.segment));
                runs.insert(0, Arc::clone(&flushed.run));
                let files = flushed
                    .bodies
                    .iter()
                    .map(|file| (file.number, file.clone()));
                let known = self.bodies.iter().map(|(n, file)| (*n, file.clone()));
                self.bodies = Arc::new(known.chain(files).collect());
                self.flushed = Some(Arc::new(flushed.head.clone()));
            }
            Edit::Merged { replaced, run } => {
                let place = runs
                    .iter()
                    .position(|run| replaced.contains(&run.info().name));
                runs.retain(|run| !replaced.contains(&run.info().name));
                runs.insert(place.unwrap_or(0), Arc::clone(run));
            }
            Edit::Trained(dictionary) => {
                let all = self.dictionaries.with(Arc::clone(dictionary));
                self.dictionaries = Arc::new(all);
                return;
            }
        }
        self.version = Self::version_of(&self.segments, runs);
    }

    /// Seals the newest segment and begins another.
    pub(super) fn seal(&mut self) {
        if let Some(newest) = self.segments.first() {
            newest.generation.seal();
        }
        let next = Segment::new(self.head.height.saturating_add(1));
        self.segments.insert(0, Arc::new(next));
        self.version = Self::version_of(&self.segments, self.version.runs().to_vec());
    }

    /// The number of leaves that are in body files.
    pub(super) fn flushed_leaves(&self) -> u64 {
        self.flushed.as_ref().map_or(0, |head| head.log_size())
    }

    /// Sealed segments that may go into files, oldest first: all of their blocks are so old that
    /// no opening replays them.
    pub(super) fn ripe(&self) -> impl Iterator<Item = &Arc<Segment>> {
        let oldest_replayed = self.head.height.saturating_sub(tables::REPLAYED_BLOCKS);
        let ripe = move |segment: &&Arc<Segment>| {
            segment.generation.is_sealed() && segment.last_height() <= oldest_replayed
        };
        self.segments.iter().rev().filter(ripe)
    }
}

/// Envelopes whose outlines are kept after they were read from a body file.
const CACHED_ENVELOPES: u64 = 100_000;

/// Blocks of light load have an envelope or two.
const CACHED_OUTLINES: usize = 4_096;

/// Outlines of old blocks that were asked for last, by height: receipts of one block ask for its
/// outline often.
pub(super) type OutlineCache = Cache<u64, Arc<BlockOutline>, OutlineWeight>;

/// An outline weighs as much as it has envelopes.
#[derive(Clone, Debug)]
pub(super) struct OutlineWeight;

impl Weighter<u64, Arc<BlockOutline>> for OutlineWeight {
    fn weight(&self, _height: &u64, outline: &Arc<BlockOutline>) -> u64 {
        (outline.envelopes.len() as u64).saturating_add(1)
    }
}

/// What all handles and threads of one opened store share.
#[derive(Debug)]
pub(super) struct Shared {
    stopped: AtomicBool,
    published: RwLock<Arc<Published>>,
    pub(super) home: Home,
    pub(super) bodies: Bodies,
    pub(super) bundles: BundleCache,
    pub(super) trees: TreeCache,
    pub(super) outlines: OutlineCache,
    pub(super) genesis: Vec<u8>,
    pub(super) tuning: Tuning,
    /// Number of the next file.
    next_number: AtomicU32,
    /// Set when the store closes: what is under way in the background is given up.
    pub(super) closing: AtomicBool,
    work: Mutex<Work>,
    pub(super) work_changed: Condvar,
}

impl Shared {
    pub(super) fn new(
        published: Published,
        (home, bodies): (Home, Bodies),
        genesis: Vec<u8>,
        tuning: Tuning,
        next_number: u32,
    ) -> Self {
        let work = Work::over(&published);
        Self {
            stopped: AtomicBool::new(false),
            published: RwLock::new(Arc::new(published)),
            home,
            bodies,
            bundles: bundle_cache(),
            trees: tree_cache(),
            outlines: Cache::with_weighter(CACHED_OUTLINES, CACHED_ENVELOPES, OutlineWeight),
            genesis,
            tuning,
            next_number: AtomicU32::new(next_number),
            closing: AtomicBool::new(false),
            work: Mutex::new(work),
            work_changed: Condvar::new(),
        }
    }

    /// Ends all service through this opening of the store.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.work_changed.notify_all();
    }

    pub(super) fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Runs a read; one that finds the files unreadable stops the store.
    pub(super) fn guard<T>(
        &self,
        read: impl FnOnce() -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        if self.stopped() {
            return Err(ReadError::Stopped);
        }
        contained(read, ReadError::storage).inspect_err(|error| {
            if !error.is_harmless() {
                self.stop();
            }
        })
    }

    /// What exists now.
    pub(super) fn published(&self) -> Arc<Published> {
        let published = self
            .published
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&published)
    }

    /// Shows readers what exists from now on.
    pub(super) fn publish(&self, next: Published) {
        let next = Arc::new(next);
        let mut published = self
            .published
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let last = std::mem::replace(&mut *published, next);
        drop(published);
        // Freeing a segment takes time, which no reader should wait for.
        drop(last);
    }

    pub(super) fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that no file has had.
    pub(super) fn take_number(&self) -> u32 {
        self.next_number.fetch_add(1, Ordering::Relaxed)
    }
}

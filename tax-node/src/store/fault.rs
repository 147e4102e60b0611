//! A simulated disk with a write cache that loses, reorders and tears what was not synced.
//!
//! The crash tests run the real store on it. The disk keeps two images: what reads see, and what
//! is certain to survive a power cut. Between two syncs every write and every change of length is
//! remembered, and a power cut decides for each of them, from a seed, whether it reached the
//! platter wholly, in part or not at all, and in which order.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use redb::StorageBackend;

/// The unit in which most disks write atomically, in bytes.
const SECTOR_BYTES: usize = 512;

/// A small seeded generator (SplitMix64), so that a printed seed replays on every version.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Starts a sequence; the same seed gives the same sequence for ever.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to and excluding `end`; 0 when `end` is 0.
    pub const fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.next() % end }
    }

    /// True once in `times` throws.
    pub const fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(count.saturating_add(8));
        while bytes.len() < count {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(count);
        bytes
    }

    fn index(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).unwrap_or(0)
    }
}

/// An input or output error that is injected once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A write fails and nothing of it is seen again.
    Write,
    /// A write fails after its first half went through.
    WriteHalf,
    /// A sync fails; the cache keeps what it has and may still write it later.
    Sync,
    /// A sync fails although everything reached the platter.
    SyncAfterPersisting,
    /// A sync fails, part of the cache was lost and the kernel forgets that it was dirty: reads
    /// still see it, a later sync succeeds without writing it.
    SyncAndForget,
}

#[derive(Clone, Debug)]
pub(super) enum Pending {
    Write { offset: usize, data: Vec<u8> },
    Length(usize),
}

impl Pending {
    pub(super) fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Self::Write { offset, data } => put(image, *offset, data),
            Self::Length(length) => image.resize(*length, 0),
        }
    }
}

pub(super) fn put(image: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset.saturating_add(data.len());
    if image.len() < end {
        image.resize(end, 0);
    }
    if let Some(target) = image.get_mut(offset..end) {
        target.copy_from_slice(data);
    }
}

#[derive(Debug, Default)]
struct State {
    seen: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Pending>,
    generation: u64,
    operations: u64,
    syncs: u64,
    powered: bool,
    cut_after: Option<u64>,
    cut_at_sync: Option<u64>,
    failure: Option<(u64, Failure)>,
    failed: bool,
    ignores_syncs: bool,
    dice: u64,
}

/// The simulated disk; clones are handles of the same disk.
#[derive(Clone, Debug)]
pub struct Disk {
    state: Arc<Mutex<State>>,
}

impl Disk {
    /// A powered disk that holds `image` durably.
    #[must_use]
    pub fn new(image: Vec<u8>) -> Self {
        let state = State {
            seen: image.clone(),
            durable: image,
            powered: true,
            ..State::default()
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A backend for one opening of the store; backends of earlier openings stop working.
    #[must_use]
    pub fn backend(&self) -> Backend {
        let mut state = self.state();
        state.generation = state.generation.wrapping_add(1);
        Backend {
            disk: self.clone(),
            generation: state.generation,
        }
    }

    /// Switches the power off when `operations` more writes, changes of length and syncs have
    /// begun; the last of them fails with the rest.
    pub fn cut_after(&self, operations: u64) {
        let mut state = self.state();
        state.cut_after = Some(state.operations.saturating_add(operations));
    }

    /// Switches the power off when `syncs` more syncs have begun, in the middle of the last: the
    /// moments in which a commit is decided.
    pub fn cut_at_sync(&self, syncs: u64) {
        let mut state = self.state();
        state.cut_at_sync = Some(state.syncs.saturating_add(syncs));
    }

    /// Injects `failure` into the first operation of its kind after `operations` more.
    pub fn fail_after(&self, operations: u64, failure: Failure, dice: u64) {
        let mut state = self.state();
        state.failure = Some((state.operations.saturating_add(operations), failure));
        state.failed = false;
        state.dice = dice;
    }

    /// Whether the failure that was asked for has struck.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.state().failed
    }

    /// Makes every sync a lie: it reports success and keeps nothing. It proves that the tests
    /// notice a store that does not sync.
    pub fn ignore_syncs(&self) {
        self.state().ignores_syncs = true;
    }

    /// Counts a change or a sync of another file of the same machine, so that one count decides when
    /// the power goes off for all of them, and may strike it with the failure that was asked for.
    ///
    /// # Errors
    /// The power is off or goes off now, or the failure strikes.
    pub fn step(&self) -> io::Result<()> {
        let mut state = self.state();
        if !state.powered {
            return Err(error("the power is off"));
        }
        let any = [Failure::Write, Failure::WriteHalf, Failure::Sync];
        let failure = Backend::begin(&mut state, &any);
        if !state.powered {
            return Err(error("the power went off"));
        }
        match failure {
            None => Ok(()),
            Some(_) => Err(error("injected: a step failed")),
        }
    }

    /// Whether the power is on.
    #[must_use]
    pub fn powered(&self) -> bool {
        self.state().powered
    }

    /// How many writes, changes of length and syncs have begun.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// How many syncs have begun.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// The image that is certain to survive.
    #[must_use]
    pub fn durable(&self) -> Vec<u8> {
        self.state().durable.clone()
    }

    /// Cuts the power now (if it is still on), decides by `dice` what of the unsynced operations
    /// survived, and switches the power on again. True when the cut came in the middle of
    /// something: the power was off already, or something was unsynced.
    pub fn cut(&self, dice: &mut Dice) -> bool {
        let mut state = self.state();
        let amid = !state.powered || !state.pending.is_empty();
        let mut image = std::mem::take(&mut state.durable);
        survive(&mut image, std::mem::take(&mut state.pending), dice);
        state.seen.clone_from(&image);
        state.durable = image;
        state.powered = true;
        state.cut_after = None;
        state.cut_at_sync = None;
        state.failure = None;
        state.generation = state.generation.wrapping_add(1);
        amid
    }

    /// Ends the process but not the machine: the cache is kept, and so is what it forgot.
    pub fn kill_process(&self) {
        let mut state = self.state();
        state.cut_after = None;
        state.cut_at_sync = None;
        state.failure = None;
        state.generation = state.generation.wrapping_add(1);
    }
}

/// Applies to `image` what a power cut lets through of `pending`.
pub(super) fn survive(image: &mut Vec<u8>, pending: Vec<Pending>, dice: &mut Dice) {
    let mode = dice.below(8);
    let total = pending.len();
    let mut survivors: Vec<Pending> = match mode {
        // Nothing, everything, or everything up to a point.
        0 => Vec::new(),
        1 => pending,
        2 => {
            let keep = dice.index(total.saturating_add(1));
            pending.into_iter().take(keep).collect()
        }
        // All but one, or only one.
        3 => {
            let lost = dice.index(total);
            pending
                .into_iter()
                .enumerate()
                .filter(|(n, _)| *n != lost)
                .map(|(_, p)| p)
                .collect()
        }
        4 => {
            let kept = dice.index(total);
            pending.into_iter().skip(kept).take(1).collect()
        }
        // Each by the throw of a coin.
        _ => pending.into_iter().filter(|_| dice.once_in(2)).collect(),
    };
    if mode >= 6 {
        for n in (1..survivors.len()).rev() {
            let other = dice.index(n.saturating_add(1));
            survivors.swap(n, other);
        }
    }
    let torn_one_in = match dice.below(3) {
        0 => 0,
        1 => 2,
        _ => 8,
    };
    for operation in survivors {
        let torn = torn_one_in > 0 && dice.once_in(torn_one_in);
        match operation {
            Pending::Write { offset, data } if torn => tear(image, offset, &data, dice),
            Pending::Write { .. } | Pending::Length(_) => operation.apply(image),
        }
    }
}

/// Writes only parts of `data`: some sectors, or a run of bytes.
fn tear(image: &mut Vec<u8>, offset: usize, data: &[u8], dice: &mut Dice) {
    if dice.once_in(2) {
        let mut start = 0;
        while start < data.len() {
            let into_sector = offset.saturating_add(start) % SECTOR_BYTES;
            let end = start
                .saturating_add(SECTOR_BYTES - into_sector)
                .min(data.len());
            if dice.once_in(2)
                && let Some(sector) = data.get(start..end)
            {
                put(image, offset.saturating_add(start), sector);
            }
            start = end;
        }
    } else {
        let start = if dice.once_in(2) {
            0
        } else {
            dice.index(data.len())
        };
        let end =
            start.saturating_add(dice.index(data.len().saturating_sub(start).saturating_add(1)));
        if let Some(run) = data.get(start..end) {
            put(image, offset.saturating_add(start), run);
        }
    }
}

/// One opening of a [`Disk`], as the storage engine sees it.
#[derive(Debug)]
pub struct Backend {
    disk: Disk,
    generation: u64,
}

fn error(text: &'static str) -> io::Error {
    io::Error::other(text)
}

fn position(value: u64) -> io::Result<usize> {
    usize::try_from(value).map_err(|_| error("offset beyond the address space"))
}

impl Backend {
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.disk.state();
        if state.generation != self.generation {
            return Err(error("the process that opened this backend has ended"));
        }
        if !state.powered {
            return Err(error("the power is off"));
        }
        Ok(state)
    }

    /// Counts an operation that changes the disk; says which failure strikes it.
    fn begin(state: &mut State, kinds: &[Failure]) -> Option<Failure> {
        state.operations = state.operations.saturating_add(1);
        if state.cut_after.is_some_and(|at| state.operations >= at) {
            state.powered = false;
        }
        let (at, failure) = state.failure?;
        if state.operations >= at && kinds.contains(&failure) {
            state.failure = None;
            state.failed = true;
            return Some(failure);
        }
        None
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state()?.seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state()?;
        let start = position(offset)?;
        let source = state.seen.get(start..start.saturating_add(out.len()));
        out.copy_from_slice(source.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state()?;
        let length = position(len)?;
        Self::begin(&mut state, &[]);
        state.pending.push(Pending::Length(length));
        if !state.powered {
            return Err(error("the power went off"));
        }
        state.seen.resize(length, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state()?;
        let failure = Self::begin(
            &mut state,
            &[
                Failure::Sync,
                Failure::SyncAfterPersisting,
                Failure::SyncAndForget,
            ],
        );
        state.syncs = state.syncs.saturating_add(1);
        if state.cut_at_sync.is_some_and(|at| state.syncs >= at) {
            state.powered = false;
        }
        if !state.powered {
            return Err(error("the power went off"));
        }
        if state.ignores_syncs {
            return Ok(());
        }
        if failure == Some(Failure::Sync) {
            return Err(error("injected: sync failed"));
        }
        let pending = std::mem::take(&mut state.pending);
        let mut durable = std::mem::take(&mut state.durable);
        if failure == Some(Failure::SyncAndForget) {
            let mut dice = Dice::new(state.dice);
            survive(&mut durable, pending, &mut dice);
        } else {
            for operation in &pending {
                operation.apply(&mut durable);
            }
        }
        state.durable = durable;
        match failure {
            None => Ok(()),
            Some(_) => Err(error("injected: sync failed")),
        }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state()?;
        let offset = position(offset)?;
        let failure = Self::begin(&mut state, &[Failure::Write, Failure::WriteHalf]);
        let half = data.get(..data.len() / 2).unwrap_or_default();
        let kept = match failure {
            None => data,
            Some(Failure::WriteHalf) => half,
            Some(
                Failure::Write
                | Failure::Sync
                | Failure::SyncAfterPersisting
                | Failure::SyncAndForget,
            ) => &[],
        };
        state.pending.push(Pending::Write {
            offset,
            data: kept.to_vec(),
        });
        if !state.powered {
            return Err(error("the power went off"));
        }
        put(&mut state.seen, offset, kept);
        match failure {
            None => Ok(()),
            Some(_) => Err(error("injected: write failed")),
        }
    }
}

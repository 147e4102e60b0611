//! A simulated file system that loses what was not synced: data by file, names by folder.
//!
//! Between two syncs of a file its writes are remembered, and a power cut decides for each of
//! them, from a seed, whether it reached the platter wholly, in part or not at all; likewise for
//! the names of a folder. A synced file whose folder was not synced may be gone, and a name may be
//! there whose file has lost its bytes.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::files::{FileIn, FileOut, Files};
use crate::store::fault::{Dice, Pending, put, survive};

/// Called before every change and every sync; an error fails it.
type Begin = dyn Fn() -> io::Result<()> + Send + Sync;

#[derive(Debug, Default)]
struct Node {
    seen: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Pending>,
}

#[derive(Clone, Debug)]
enum NameChange {
    Link(PathBuf, usize),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf, usize),
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Link(path, node) => {
                names.insert(path.clone(), *node);
            }
            Self::Unlink(path) => {
                names.remove(path);
            }
            Self::Rename(from, to, node) => {
                names.remove(from);
                names.insert(to.clone(), *node);
            }
        }
    }

    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Link(path, _) | Self::Unlink(path) | Self::Rename(_, path, _) => path.parent(),
        }
    }
}

#[derive(Debug, Default)]
struct State {
    nodes: Vec<Node>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    pending_names: Vec<NameChange>,
    generation: u64,
}

impl State {
    fn node(&mut self, number: usize, generation: u64) -> io::Result<&mut Node> {
        if self.generation != generation {
            return Err(error("the process that opened this file has ended"));
        }
        self.nodes.get_mut(number).ok_or_else(|| error("no node"))
    }

    fn number(&self, path: &Path) -> io::Result<usize> {
        let number = self.names.get(path).copied();
        number.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn change_name(&mut self, change: NameChange, begun: io::Result<()>) -> io::Result<()> {
        self.pending_names.push(change.clone());
        begun?;
        change.apply(&mut self.names);
        Ok(())
    }
}

/// The simulated file system; clones are handles of the same one. Folders need not be created.
#[derive(Clone)]
pub struct FaultFiles {
    state: Arc<Mutex<State>>,
    begin: Arc<Begin>,
}

impl fmt::Debug for FaultFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultFiles").finish_non_exhaustive()
    }
}

fn error(text: &'static str) -> io::Error {
    io::Error::other(text)
}

impl FaultFiles {
    /// An empty file system. `begin` is called before everything that changes it and before every
    /// sync. An error from it fails the call; what was to be written is then not seen by reads,
    /// but may be there after a power cut.
    #[must_use]
    pub fn new(begin: Arc<Begin>) -> Self {
        Self {
            state: Arc::default(),
            begin,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cuts the power: decides by `dice` what of the unsynced data and names survived, and ends
    /// all open handles.
    pub fn cut(&self, dice: &mut Dice) {
        let mut state = self.state();
        let State {
            nodes,
            names,
            durable_names,
            pending_names,
            generation,
        } = &mut *state;
        for node in nodes {
            survive(&mut node.durable, std::mem::take(&mut node.pending), dice);
            node.seen.clone_from(&node.durable);
        }
        // None, all, all up to a point, or each by the throw of a coin.
        let mode = dice.below(4);
        let kept = dice.below(pending_names.len() as u64 + 1);
        for (n, change) in (0..).zip(std::mem::take(pending_names)) {
            let survives = match mode {
                0 => false,
                1 => true,
                2 => n < kept,
                _ => dice.once_in(2),
            };
            if survives {
                change.apply(durable_names);
            }
        }
        names.clone_from(durable_names);
        *generation = generation.wrapping_add(1);
    }

    /// Ends the process but not the machine: handles die, everything seen stays to be synced.
    pub fn kill_process(&self) {
        let mut state = self.state();
        state.generation = state.generation.wrapping_add(1);
    }

    /// Another file system with the same files, all of them durable.
    #[must_use]
    pub fn copy(&self, begin: Arc<Begin>) -> Self {
        let state = self.state();
        let copy = |node: &Node| Node {
            seen: node.seen.clone(),
            durable: node.seen.clone(),
            pending: Vec::new(),
        };
        let copied = State {
            nodes: state.nodes.iter().map(copy).collect(),
            names: state.names.clone(),
            durable_names: state.names.clone(),
            pending_names: Vec::new(),
            generation: 0,
        };
        Self {
            state: Arc::new(Mutex::new(copied)),
            begin,
        }
    }

    /// The bytes of a file as reads see them.
    #[must_use]
    pub fn bytes_of(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state();
        let number = state.number(path).ok()?;
        state.nodes.get(number).map(|node| node.seen.clone())
    }

    /// Puts a file there durably, in place of one that has the name: to damage it.
    pub fn replace(&self, path: &Path, bytes: Vec<u8>) {
        let mut state = self.state();
        let number = state.nodes.len();
        state.nodes.push(Node {
            seen: bytes.clone(),
            durable: bytes,
            pending: Vec::new(),
        });
        state.names.insert(path.to_owned(), number);
        state.durable_names.insert(path.to_owned(), number);
    }
}

impl Files for FaultFiles {
    fn create(&self, path: &Path) -> io::Result<Box<dyn FileOut>> {
        let begun = (self.begin)();
        let mut state = self.state();
        if state.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let number = state.nodes.len();
        state.nodes.push(Node::default());
        state.change_name(NameChange::Link(path.to_owned(), number), begun)?;
        Ok(Box::new(Handle {
            files: self.clone(),
            number,
            generation: state.generation,
        }))
    }

    fn append(&self, path: &Path, length: u64) -> io::Result<Box<dyn FileOut>> {
        let begun = (self.begin)();
        let mut state = self.state();
        let generation = state.generation;
        let number = state.number(path)?;
        let node = state.node(number, generation)?;
        let length = usize::try_from(length).map_err(io::Error::other)?;
        if node.seen.len() < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if node.seen.len() > length {
            node.pending.push(Pending::Length(length));
        }
        begun?;
        node.seen.truncate(length);
        Ok(Box::new(Handle {
            files: self.clone(),
            number,
            generation,
        }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn FileIn>> {
        let state = self.state();
        Ok(Arc::new(Handle {
            files: self.clone(),
            number: state.number(path)?,
            generation: state.generation,
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let begun = (self.begin)();
        let mut state = self.state();
        let number = state.number(from)?;
        let change = NameChange::Rename(from.to_owned(), to.to_owned(), number);
        state.change_name(change, begun)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let begun = (self.begin)();
        let mut state = self.state();
        state.number(path)?;
        state.change_name(NameChange::Unlink(path.to_owned()), begun)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let state = self.state();
        let here = state
            .names
            .keys()
            .filter(|path| path.parent() == Some(folder));
        Ok(here
            .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
            .collect())
    }

    fn create_folder(&self, _folder: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        (self.begin)()?;
        let mut state = self.state();
        let State {
            durable_names,
            pending_names,
            ..
        } = &mut *state;
        pending_names.retain(|change| {
            let here = change.folder() == Some(folder);
            if here {
                change.apply(durable_names);
            }
            !here
        });
        Ok(())
    }
}

/// An open file.
#[derive(Debug)]
struct Handle {
    files: FaultFiles,
    number: usize,
    generation: u64,
}

impl FileOut for Handle {
    fn write(&mut self, data: &[u8]) -> io::Result<()> {
        let begun = (self.files.begin)();
        let mut state = self.files.state();
        let node = state.node(self.number, self.generation)?;
        let offset = node.seen.len();
        node.pending.push(Pending::Write {
            offset,
            data: data.to_vec(),
        });
        begun?;
        put(&mut node.seen, offset, data);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        (self.files.begin)()?;
        let mut state = self.files.state();
        let node = state.node(self.number, self.generation)?;
        for pending in std::mem::take(&mut node.pending) {
            pending.apply(&mut node.durable);
        }
        Ok(())
    }
}

impl FileIn for Handle {
    fn length(&self) -> io::Result<u64> {
        let mut state = self.files.state();
        Ok(state.node(self.number, self.generation)?.seen.len() as u64)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.files.state();
        let node = state.node(self.number, self.generation)?;
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let source = node.seen.get(start..start.saturating_add(out.len()));
        out.copy_from_slice(source.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

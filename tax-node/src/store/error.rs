//! What can go wrong with the store, one enum per operation.
//!
//! All of these are operational accidents or damage, never refusals: nothing here depends on what
//! a member asked for.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use invoice_core::crypto::Hash;

use super::runs::RunError;

/// A row that is missing, unreadable or contradicts the rows around it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("table {table}, row {row}: {fault}")]
pub struct Damage {
    /// The table or keyspace as `tables.rs` names it, or the kind of file.
    pub table: &'static str,
    /// The key of the row, for a person to read.
    pub row: String,
    /// What is wrong with it.
    pub fault: &'static str,
}

impl Damage {
    /// Describes damage found in `table` at `row`.
    #[must_use]
    pub fn new(table: &'static str, row: impl ToString, fault: &'static str) -> Self {
        Self {
            table,
            row: row.to_string(),
            fault,
        }
    }
}

/// Runs code of the storage engine. On a damaged page the engine may panic; that counts as a
/// damaged file and not as a bug of this program.
pub(super) fn contained<T, E>(
    run: impl FnOnce() -> Result<T, E>,
    failed: impl FnOnce(redb::Error) -> E,
) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        let text = "the storage engine met a page that it cannot read".to_owned();
        Err(failed(redb::Error::Corrupted(text)))
    })
}

/// Why a store could not be created or opened. Nothing was changed that a second attempt would
/// have to undo.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no store in the folder.
    #[error("没有数据库 {0} / there is no store at {0}")]
    Missing(PathBuf),
    /// A store is there already, and creating never overwrites one.
    #[error("数据库已存在 {0} / a store exists already at {0}; choose another folder")]
    Exists(PathBuf),
    /// There is no store, but files of one: a new store would remove them.
    #[error("数据库不在而其文件仍在 {0} / the store is gone, but files of it lie in {0}")]
    Orphans(PathBuf),
    /// Another process has the store open.
    #[error(
        "数据库正被另一进程使用，请先停止它 / the store is already in use by another process; stop that process first"
    )]
    InUse,
    /// The operating system refused a step.
    #[error("{action} {path}: {source}; 请检查磁盘与权限 / check the disk and the permissions")]
    Io {
        /// What was being done, such as "sync".
        action: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// The answer of the operating system.
        source: io::Error,
    },
    /// The storage engine failed.
    #[error(
        "存储引擎出错 / the storage engine failed: {0}; 请检查磁盘后重新启动 / check the disk, then start again"
    )]
    Storage(#[source] Box<redb::Error>),
    /// The file was written by a version of the program that this one cannot read.
    #[error(
        "数据库格式为 {found}，本程序读取格式 {known}，请安装相应版本 / the store has format {found}, this program reads format {known}; install the matching version"
    )]
    Format {
        /// What the file says.
        found: u32,
        /// What this program writes.
        known: u32,
    },
    /// A run file or body file cannot be read or written.
    #[error(transparent)]
    File(RunError),
    /// A background thread cannot be started.
    #[error(
        "无法启动线程 / a thread of the store cannot be started: {0}; 请提高线程数上限 / raise the limit of threads"
    )]
    Thread(io::Error),
    /// The end of the chain does not verify.
    #[error(
        "数据库已损坏，请从备份或其他节点恢复 / the store is damaged ({0}); restore the folder from a backup or from another node"
    )]
    Damaged(#[from] Damage),
}

impl OpenError {
    /// Wraps an error of the storage engine; a lock held by someone else becomes
    /// [`OpenError::InUse`].
    pub(super) fn storage(error: impl Into<redb::Error>) -> Self {
        let error = error.into();
        if matches!(error, redb::Error::DatabaseAlreadyOpen) {
            Self::InUse
        } else {
            Self::Storage(Box::new(error))
        }
    }

    /// Whether this user may not read or write what the store needs.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        answer(self) == Some(io::ErrorKind::PermissionDenied)
    }

    /// Whether a file that the store names is gone.
    #[must_use]
    pub fn is_missing_file(&self) -> bool {
        matches!(self, Self::File(_)) && answer(self) == Some(io::ErrorKind::NotFound)
    }

    /// Whether the file holds bytes that were never written to it, unlike a disk that fails or a
    /// file that is in use.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged(_) => true,
            Self::Storage(source) => is_damage(source),
            Self::File(source) => source.is_damage(),
            Self::Missing(_)
            | Self::Exists(_)
            | Self::Orphans(_)
            | Self::InUse
            | Self::Io { .. }
            | Self::Thread(_)
            | Self::Format { .. } => false,
        }
    }
}

/// What the system answered, where an error of the storage engine or of a file came from it.
fn answer(error: &OpenError) -> Option<io::ErrorKind> {
    match error {
        OpenError::Io { source, .. } | OpenError::File(RunError::Io { source, .. }) => {
            Some(source.kind())
        }
        OpenError::Storage(source) => {
            if let redb::Error::Io(source) = source.as_ref() {
                return Some(source.kind());
            }
            None
        }
        OpenError::Missing(_)
        | OpenError::Exists(_)
        | OpenError::Orphans(_)
        | OpenError::InUse
        | OpenError::Thread(_)
        | OpenError::Format { .. }
        | OpenError::File(_)
        | OpenError::Damaged(_) => None,
    }
}

/// Whether an error of the storage engine means a damaged file.
fn is_damage(error: &redb::Error) -> bool {
    if let redb::Error::Io(error) = error {
        let kinds = [io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof];
        return kinds.contains(&error.kind());
    }
    // The engine's format and the tables' names and types have been the same in every store that
    // was ever written.
    matches!(
        error,
        redb::Error::Corrupted(_)
            | redb::Error::UpgradeRequired(_)
            | redb::Error::TableDoesNotExist(_)
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::TypeDefinitionChanged { .. }
            | redb::Error::TableIsMultimap(_)
            | redb::Error::TableIsNotMultimap(_)
    )
}

impl From<RunError> for OpenError {
    fn from(error: RunError) -> Self {
        Self::File(error)
    }
}

impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Stopped => Self::Storage(Box::new(redb::Error::PreviousIo)),
            ReadError::Storage(source) => Self::Storage(source),
            ReadError::Damaged(damage) => Self::Damaged(damage),
            ReadError::File(source) => Self::File(source),
            ReadError::BeyondLog { leaf } => {
                Self::Damaged(Damage::new("bundles", leaf, "is beyond the log"))
            }
            ReadError::BodiesAway { year } => {
                Self::Damaged(Damage::new("bodies", year, "are needed and not there"))
            }
        }
    }
}

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// An earlier error stopped the store. It serves nothing until it is reopened, because after a
    /// failed sync nobody knows what is on disk.
    #[error(
        "the store was stopped by an earlier error; restart the node so that the file is checked"
    )]
    Stopped,
    /// The storage engine failed; the store is stopped.
    #[error("reading the store failed: {0}; check the disk, then restart the node")]
    Storage(#[source] Box<redb::Error>),
    /// The log is not long enough for what was asked. The store goes on.
    #[error("the log does not reach to leaf {leaf}; ask for less, or for an earlier tree size")]
    BeyondLog {
        /// The first leaf that is not there.
        leaf: u64,
    },
    /// A run file or body file cannot be read; the store is stopped.
    #[error(transparent)]
    File(#[from] RunError),
    /// The bodies of a year were moved away from this node. The store goes on.
    #[error(
        "本节点没有 {year} 年的票据正文，请向其他节点查询 / the bodies of {year} are not on this node; ask another node, or put the folder back"
    )]
    BodiesAway {
        /// The year of the block's time in UTC+8.
        year: u16,
    },
    /// A row is missing or unreadable; the store is stopped.
    #[error("the store is damaged ({0}); restore the folder from a backup or from another node")]
    Damaged(#[from] Damage),
}

impl ReadError {
    /// Whether the store serves on after it.
    pub(super) const fn is_harmless(&self) -> bool {
        matches!(self, Self::BeyondLog { .. } | Self::BodiesAway { .. })
    }

    /// Wraps an error of the storage engine.
    pub(super) fn storage(error: impl Into<redb::Error>) -> Self {
        Self::Storage(Box::new(error.into()))
    }
}

/// Why a block was not acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// An earlier error stopped the store.
    #[error(
        "the store was stopped by an earlier error; restart the node so that the file is checked"
    )]
    Stopped,
    /// The engine failed while the block was being written. The block is on disk wholly or not at
    /// all, and only reopening tells which; the store is stopped.
    #[error(
        "the block may or may not be on disk: {0}; restart the node so that the file is checked"
    )]
    OutcomeUnknown(#[source] Box<redb::Error>),
    /// Another block of this height is final already. Nothing was written.
    #[error(
        "height {height} holds block {stored} already, and was given block {given}; two blocks of one height mean a broken consensus: stop all nodes and compare them"
    )]
    OtherBlock {
        /// The height of both.
        height: u64,
        /// The id of the block in the store.
        stored: Hash,
        /// The id of the block that was offered.
        given: Hash,
    },
    /// The block is not the next one. Nothing was written.
    #[error("the next block has height {expected}, not {given}")]
    NotNext {
        /// The height of the head plus one.
        expected: u64,
        /// The height of the block that was offered.
        given: u64,
    },
    /// The parts that were handed over contradict each other. Nothing was written.
    #[error("the block contradicts itself or the chain before it: {0}")]
    Inconsistent(&'static str),
    /// A row that the block builds upon is missing or unreadable; the store is stopped, the block
    /// was not written.
    #[error("the store is damaged ({0}); restore the folder from a backup or from another node")]
    Damaged(Damage),
    /// A file that the block builds upon cannot be read; the block was not written.
    #[error("the block was not written: {0}")]
    Unreadable(Box<ReadError>),
}

impl CommitError {
    /// Wraps an error of the storage engine.
    pub(super) fn storage(error: impl Into<redb::Error>) -> Self {
        Self::OutcomeUnknown(Box::new(error.into()))
    }
}

impl From<ReadError> for CommitError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Stopped => Self::Stopped,
            ReadError::Storage(source) => Self::OutcomeUnknown(source),
            ReadError::Damaged(damage) => Self::Damaged(damage),
            error @ (ReadError::BeyondLog { .. }
            | ReadError::BodiesAway { .. }
            | ReadError::File(_)) => Self::Unreadable(Box::new(error)),
        }
    }
}

//! What can go wrong with run files. All of it is an accident of the machine, never a refusal.

use std::io;
use std::path::{Path, PathBuf};

/// Why a run file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
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
    /// The file holds other bytes than were written to it.
    #[error(
        "{path} 已损坏，请从备份或其他节点恢复 / is damaged at byte {offset} ({fault}); restore the folder from a backup or from another node"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in the file the damaged part begins, in bytes.
        offset: u64,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The caller asked to stop; nothing was published.
    #[error("stopped on request before the run was written")]
    Cancelled,
}

impl RunError {
    /// Describes a step that the operating system refused.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// Describes damage.
    pub(crate) fn damaged(path: &Path, offset: u64, fault: &'static str) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            offset,
            fault,
        }
    }

    /// Whether the file holds bytes that were never written to it, unlike a disk that fails.
    #[must_use]
    pub const fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}

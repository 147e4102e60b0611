//! Why a command ended without its result.

use std::fmt::Display;
use std::path::Path;

use crate::key_file::KeyFileError;
use crate::links::LinksError;
use crate::node::StartError;
use crate::store::{OpenError, ReadError};

/// What to do about a file that this user may not read or write.
pub(super) const PERMISSIONS: &str = "以节点的用户运行，或把目录交给该用户：chown -R / run as the node's user, or give the folder to that user: chown -R";

/// The exit code of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Exit {
    Refused = 1,
    Usage = 2,
    Network = 3,
    Authentication = 4,
    Integrity = 5,
}

/// A failure with its stable code, what happened and what to do next.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    pub(super) code: &'static str,
    pub(super) text: String,
    pub(super) hint: Option<String>,
}

impl Failure {
    pub(super) fn new(exit: Exit, code: &'static str, text: impl Display) -> Self {
        Self {
            exit,
            code,
            text: text.to_string(),
            hint: None,
        }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn file(path: &Path, error: impl Display) -> Self {
        Self::new(Exit::Usage, "file", format!("{}: {error}", path.display()))
    }

    pub(super) fn integrity(text: impl Display) -> Self {
        Self::new(Exit::Integrity, "integrity", text)
            .hint("停止使用该目录，从其他节点或备份恢复 / stop using this folder, restore it from another node or a backup")
    }
}

impl From<KeyFileError> for Failure {
    fn from(error: KeyFileError) -> Self {
        let (exit, code) = match &error {
            KeyFileError::Io { .. } => (Exit::Usage, "file"),
            KeyFileError::Exists(_) => (Exit::Usage, "key_exists"),
            KeyFileError::Pem { .. } => (Exit::Authentication, "key_unreadable"),
            KeyFileError::PassphraseMissing => (Exit::Authentication, "passphrase_needed"),
            KeyFileError::PassphraseMismatch => (Exit::Usage, "passphrase_mismatch"),
            KeyFileError::Random(_) => (Exit::Usage, "randomness"),
        };
        Self::new(exit, code, error)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let (exit, code) = match &error {
            error if error.is_damage() => (Exit::Integrity, "damaged"),
            OpenError::Missing(_) => (Exit::Usage, "no_store"),
            OpenError::Orphans(_) => (Exit::Integrity, "store_gone"),
            error if error.is_missing_file() => (Exit::Integrity, "damaged"),
            OpenError::InUse => (Exit::Usage, "in_use"),
            OpenError::Format { .. } => (Exit::Usage, "format"),
            OpenError::Exists(_)
            | OpenError::Io { .. }
            | OpenError::Storage(_)
            | OpenError::File(_)
            | OpenError::Thread(_)
            | OpenError::Damaged(_) => (Exit::Usage, "store"),
        };
        let hint = match &error {
            OpenError::Missing(_) => Some(
                "确认 --data；曾有数据则用 tax-node restore 恢复或找回 chain.redb，新节点先运行 tax-node init / check --data; what was lost comes back by tax-node restore or with its chain.redb, a new node begins with tax-node init",
            ),
            OpenError::Orphans(_) => Some(
                "找回 chain.redb，或把此目录改名后用 tax-node restore 恢复 / put chain.redb back, or rename the folder and restore it from a backup",
            ),
            error if error.is_denied() => Some(PERMISSIONS),
            _ if exit == Exit::Integrity => Some(
                "停止使用该目录，从其他节点或备份恢复 / stop using this folder, restore it from another node or a backup",
            ),
            OpenError::Exists(_)
            | OpenError::InUse
            | OpenError::Io { .. }
            | OpenError::Storage(_)
            | OpenError::Format { .. }
            | OpenError::File(_)
            | OpenError::Thread(_)
            | OpenError::Damaged(_) => None,
        };
        let failure = Self::new(exit, code, error);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        if matches!(error, ReadError::BodiesAway { .. }) {
            return Self::new(Exit::Usage, "bodies_away", error);
        }
        Self::integrity(error)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Open(error) => error.into(),
            StartError::Webhooks(_) => Self::new(Exit::Integrity, "webhooks", error),
            StartError::NotValidator(_) => Self::new(Exit::Authentication, "not_validator", error),
            StartError::PeersMissing { .. } => Self::new(Exit::Usage, "peers_missing", error).hint(
                "把其他节点的 peers.json 放到节点目录，或从备份恢复 / put the peers.json of the other nodes into the folder, or restore it from a backup",
            ),
            StartError::LostBlocks { .. } => Self::new(Exit::Refused, "lost_blocks", error).hint(
                "先找更新的副本；确认接受丢失后加 --accept-lost-blocks（有 peers.json 时删除 restored 文件）/ look for a newer copy first; who accepts the loss adds --accept-lost-blocks (beside a peers.json: removes the file `restored`)",
            ),
            // As for the address of the HTTP interface.
            StartError::Links(LinksError::Listen { .. }) => {
                Self::new(Exit::Network, "listen", error)
            }
            StartError::AccessLog(_)
            | StartError::Thread(_)
            | StartError::Alone
            | StartError::Restored { .. }
            | StartError::Links(_) => Self::new(Exit::Usage, "start", error),
            StartError::Read(_)
            | StartError::Replay(_)
            | StartError::Block(_)
            | StartError::Validators(_)
            | StartError::Genesis(_) => Self::integrity(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;
    use crate::store::RunError;

    #[test]
    fn a_file_of_the_store_that_is_gone_is_damage_and_one_that_is_denied_is_not() {
        let open = |kind: ErrorKind| {
            let fault = RunError::io("open", Path::new("runs/7.run"))(kind.into());
            Failure::from(OpenError::from(fault))
        };
        let gone = open(ErrorKind::NotFound);
        assert_eq!((gone.exit, gone.code), (Exit::Integrity, "damaged"));
        let denied = open(ErrorKind::PermissionDenied);
        assert_eq!((denied.exit, denied.code), (Exit::Usage, "store"));
        assert!(denied.hint.is_some_and(|hint| hint.contains("chown")));
    }
}

//! Why a command ended without its result.

use std::fmt::Display;
use std::path::Path;

use crate::key_file::KeyFileError;
use crate::node::StartError;
use crate::store::{OpenError, ReadError};

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
            OpenError::InUse => (Exit::Usage, "in_use"),
            OpenError::Format { .. } => (Exit::Usage, "format"),
            OpenError::Exists(_)
            | OpenError::Io { .. }
            | OpenError::Storage(_)
            | OpenError::File(_)
            | OpenError::Thread(_)
            | OpenError::Damaged(_) => (Exit::Usage, "store"),
        };
        Self::new(exit, code, error)
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
            StartError::NotValidator(_) => Self::new(Exit::Authentication, "not_validator", error),
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

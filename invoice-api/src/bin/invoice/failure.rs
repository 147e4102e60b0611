//! What went wrong, and what to do next.

use invoice_api::client::{ClientError, Problem};
use serde_json::{Value, json};

use crate::exit::Exit;

/// Why a verb did not do what it was asked to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    /// How the command ends.
    pub(crate) exit: Exit,
    /// A stable code: the registry's, or one of this command.
    pub(crate) code: String,
    /// What happened.
    pub(crate) message: String,
    /// What to do next, when the code's own hint is not all there is to say.
    pub(crate) hint: Option<String>,
    /// The registry's answer.
    pub(crate) problem: Option<Box<Problem>>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, code: &str, message: impl Into<String>) -> Self {
        Self {
            exit,
            code: code.to_owned(),
            message: message.into(),
            hint: None,
            problem: None,
        }
    }

    /// The command cannot be carried out as given.
    pub(crate) fn usage(code: &str, message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, code, message)
    }

    /// A file cannot be read or written.
    pub(crate) fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::usage("file", format!("{}: {error}", path.display()))
    }

    /// Something that must be proved is not.
    pub(crate) fn integrity(message: impl Into<String>) -> Self {
        Self::new(Exit::Integrity, "integrity", message)
    }

    /// The registry's refusal.
    pub(crate) fn refused(problem: Problem) -> Self {
        let message = if problem.detail.is_empty() {
            &problem.title
        } else {
            &problem.detail
        };
        Self {
            exit: Exit::of_status(problem.status),
            code: problem.code.clone(),
            message: message.clone(),
            hint: None,
            problem: Some(Box::new(problem)),
        }
    }

    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// As one JSON object.
    pub(crate) fn to_json(&self, hint: Option<&str>) -> Value {
        json!({
            "error": {
                "exit": self.exit as u8,
                "code": self.code,
                "message": self.message,
                "hint": hint,
                "problem": self.problem,
            }
        })
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let exit = Exit::of_error(&error);
        let message = error.to_string();
        match error {
            ClientError::Refused(problem) => Self::refused(*problem),
            ClientError::Setup(_) => Self::new(exit, "setup", message),
            ClientError::Network { .. } => Self::new(exit, "network", message).with_hint(
                "检查 --server 地址与网络，稍后原样重试 / check --server and the network, then try the same again",
            ),
            ClientError::Foreign { .. } => Self::new(exit, "foreign_answer", message)
                .with_hint("检查 --server 是否为登记系统地址 / check that --server is a registry"),
            ClientError::Sign(_) => Self::new(exit, "signing", message),
            ClientError::KeyMissing => Self::new(exit, "key_missing", message)
                .with_hint("用 --key 或 PIAOLIAN_KEY 指定密钥 / name the key with --key or PIAOLIAN_KEY"),
            ClientError::Envelope(_) => Self::new(exit, "envelope", message),
        }
    }
}

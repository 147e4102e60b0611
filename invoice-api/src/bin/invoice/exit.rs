//! Exit codes: the one file that knows them.

use std::process::ExitCode;

use invoice_api::client::ClientError;

/// How the command ended, for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done, and the answer is yes.
    Ok = 0,
    /// The registry refused, or something is not valid.
    Refused = 1,
    /// The command was not understood, or a file cannot be used.
    Usage = 2,
    /// No answer, or none for now.
    Network = 3,
    /// The key or its passphrase is not good.
    Authentication = 4,
    /// Something that must be proved is not.
    Integrity = 5,
}

/// What `--help` says about them.
pub(crate) const HELP: &str = "\
退出码 / Exit codes:
  0  成功 / ok
  1  被拒绝或无效 / refused or invalid
  2  用法错误 / usage
  3  网络故障或暂不可用 / network, or not available now
  4  身份认证失败 / authentication
  5  完整性校验失败 / integrity";

impl Exit {
    /// The exit for an answer with this HTTP status.
    pub(crate) const fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Ok,
            401 => Self::Authentication,
            408 | 429 | 500..=599 => Self::Network,
            _ => Self::Refused,
        }
    }

    /// The exit for a call that gave no answer of the kind that was asked for.
    pub(crate) fn of_error(error: &ClientError) -> Self {
        match error {
            ClientError::Setup(_) | ClientError::Envelope(_) => Self::Usage,
            ClientError::Network { .. } | ClientError::Foreign { .. } => Self::Network,
            ClientError::Refused(problem) => Self::of_status(problem.status),
            ClientError::Sign(_) | ClientError::KeyMissing => Self::Authentication,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use invoice_api::client::Problem;

    use super::*;

    #[test]
    fn every_status_has_its_exit_code() {
        for (status, exit) in [
            (200, Exit::Ok),
            (201, Exit::Ok),
            (400, Exit::Refused),
            (401, Exit::Authentication),
            (403, Exit::Refused),
            (404, Exit::Refused),
            (409, Exit::Refused),
            (413, Exit::Refused),
            (422, Exit::Refused),
            (429, Exit::Network),
            (500, Exit::Network),
            (503, Exit::Network),
        ] {
            assert_eq!(Exit::of_status(status), exit, "{status}");
        }
    }

    #[test]
    fn every_error_has_its_exit_code() {
        let network = ClientError::Network {
            server: String::new(),
            reason: String::new(),
        };
        let refused = |status| {
            ClientError::Refused(Box::new(Problem {
                status,
                ..Problem::default()
            }))
        };
        for (error, exit) in [
            (ClientError::Setup(String::new()), Exit::Usage),
            (network, Exit::Network),
            (
                ClientError::Foreign {
                    status: 200,
                    excerpt: String::new(),
                },
                Exit::Network,
            ),
            (ClientError::KeyMissing, Exit::Authentication),
            (refused(401), Exit::Authentication),
            (refused(404), Exit::Refused),
            (refused(503), Exit::Network),
        ] {
            assert_eq!(Exit::of_error(&error), exit, "{error}");
        }
    }
}

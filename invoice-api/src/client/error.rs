//! What can go wrong between a caller and the registry.

use invoice_core::crypto::SignError;

use super::envelope::EnvelopeError;
use super::problem::Problem;

/// Why a call gave no answer of the kind that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address, a certificate or an argument cannot be used; nothing was sent.
    #[error("{0}")]
    Setup(String),
    /// No answer came. What was sent to be recorded may have been recorded: send the same bytes
    /// again, or look the record up, before anything else is done with the same money.
    #[error("网络故障，没有收到应答 / no answer from {server}: {reason}")]
    Network {
        /// The registry's address.
        server: String,
        /// What the last attempt met.
        reason: String,
    },
    /// The registry answered with a problem document.
    #[error("{}", .0.line())]
    Refused(Box<Problem>),
    /// The answer is not one of the contract's, so whatever answered is no registry.
    #[error("应答不符合协议 / the answer is not the registry's: {status} {excerpt}")]
    Foreign {
        /// The HTTP status.
        status: u16,
        /// How it begins.
        excerpt: String,
    },
    /// The signing key gave no signature.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The question must be signed, and the client has no key.
    #[error("此请求需要签名密钥 / this question must be signed, and there is no key")]
    KeyMissing,
    /// The envelope cannot be built.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
}

impl ClientError {
    /// Whether a record that was sent may have been recorded all the same.
    #[must_use]
    pub fn leaves_outcome_unknown(&self) -> bool {
        match self {
            Self::Network { .. } | Self::Foreign { .. } => true,
            Self::Refused(problem) => problem.status >= 500 || problem.status == 408,
            Self::Setup(_) | Self::Sign(_) | Self::KeyMissing | Self::Envelope(_) => false,
        }
    }
}

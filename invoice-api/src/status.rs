//! HTTP status codes: the one file that knows them.
//!
//! No match here has a catch-all arm, so a new kind of answer stops the build until someone has
//! chosen its status.

use actix_web::http::StatusCode;
use invoice_core::chain::Outcome;
use invoice_core::refusal::catalogue::{Class, Entry};
use invoice_core::refusal::{
    AuthenticationError, Forbidden, Rejection, Rule, ShapeCode, ShapeError,
};

use papers::PaperError;

use crate::fault::Fault;
use crate::registry::{RecordVerdict, Recorded, Refusal};

/// Something that an answer says, and the status that it has when it is the whole answer.
pub(crate) trait HasStatus {
    /// The status.
    fn status(&self) -> StatusCode;
}

/// An answer that is what was asked for.
pub(crate) const OK: StatusCode = StatusCode::OK;
/// Something was made.
pub(crate) const CREATED: StatusCode = StatusCode::CREATED;
/// Done, and nothing to say.
pub(crate) const NO_CONTENT: StatusCode = StatusCode::NO_CONTENT;
/// The browser has this very version.
pub(crate) const NOT_MODIFIED: StatusCode = StatusCode::NOT_MODIFIED;
/// What a person asked for is on another page.
pub(crate) const SEE_OTHER: StatusCode = StatusCode::SEE_OTHER;
/// A batch that is all or nothing and was refused by a rule of state.
pub(crate) const BATCH_REFUSED: StatusCode = StatusCode::CONFLICT;

impl HasStatus for RecordVerdict {
    fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(errors) => errors.as_slice().status(),
            Self::Unauthenticated(error) => error.status(),
            Self::Forbidden(forbidden) => forbidden.status(),
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::IdReused { .. } | Self::BatchAborted => StatusCode::CONFLICT,
            Self::Final(recorded) => recorded.status(),
        }
    }
}

impl HasStatus for Recorded {
    fn status(&self) -> StatusCode {
        match (&self.outcome, self.replayed) {
            (Outcome::Accepted { .. }, false) => StatusCode::CREATED,
            (Outcome::Accepted { .. }, true) => StatusCode::OK,
            (Outcome::Refused { .. }, false | true) => StatusCode::CONFLICT,
        }
    }
}

impl HasStatus for [ShapeError] {
    fn status(&self) -> StatusCode {
        let too_large = self.iter().any(|error| error.code.is_too_large());
        if too_large {
            StatusCode::PAYLOAD_TOO_LARGE
        } else {
            StatusCode::BAD_REQUEST
        }
    }
}

impl HasStatus for ShapeCode {
    fn status(&self) -> StatusCode {
        if self.is_too_large() {
            StatusCode::PAYLOAD_TOO_LARGE
        } else {
            StatusCode::BAD_REQUEST
        }
    }
}

impl HasStatus for AuthenticationError {
    fn status(&self) -> StatusCode {
        StatusCode::UNAUTHORIZED
    }
}

impl HasStatus for Forbidden {
    fn status(&self) -> StatusCode {
        StatusCode::FORBIDDEN
    }
}

impl HasStatus for PaperError {
    fn status(&self) -> StatusCode {
        StatusCode::UNPROCESSABLE_ENTITY
    }
}

impl HasStatus for Rule {
    fn status(&self) -> StatusCode {
        StatusCode::UNPROCESSABLE_ENTITY
    }
}

impl HasStatus for Rejection {
    fn status(&self) -> StatusCode {
        StatusCode::CONFLICT
    }
}

impl HasStatus for Refusal {
    fn status(&self) -> StatusCode {
        StatusCode::CONFLICT
    }
}

impl HasStatus for Fault {
    fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest
            | Self::QueryInvalid
            | Self::CursorInvalid
            | Self::ItemsEmpty
            | Self::WebhookBody => StatusCode::BAD_REQUEST,
            Self::TooManyItems => StatusCode::PAYLOAD_TOO_LARGE,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::QrSpelling
            | Self::XmlUnreadable
            | Self::WebhookIdSpelling
            | Self::WebhookUrlRefused
            | Self::WebhookEventsRefused
            | Self::WebhookDescription => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotFound | Self::NoFigures | Self::NoWebhooks => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BatchFailed | Self::LedgerTooLong | Self::TooManyWebhooks => StatusCode::CONFLICT,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Overloaded
            | Self::NoQuorum
            | Self::LowDisk
            | Self::StorageFailed
            | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// The fault that stands for an error answer which the framework made itself.
pub(crate) fn fault_of(status: StatusCode) -> Fault {
    match status {
        StatusCode::NOT_FOUND => Fault::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Fault::MethodNotAllowed,
        StatusCode::REQUEST_TIMEOUT => Fault::RequestTimeout,
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Fault::HeadTooLarge,
        status if status.is_server_error() => Fault::Internal,
        _ => Fault::BadRequest,
    }
}

/// The status of a code of the catalogue.
pub(crate) fn catalogue_status(entry: &Entry) -> StatusCode {
    match entry.class {
        Class::Shape => ShapeCode::ALL
            .iter()
            .find(|shape| shape.code() == entry.code)
            .map_or(StatusCode::BAD_REQUEST, HasStatus::status),
        Class::Authentication => StatusCode::UNAUTHORIZED,
        Class::Right => StatusCode::FORBIDDEN,
        Class::Rule => StatusCode::UNPROCESSABLE_ENTITY,
        Class::State => StatusCode::CONFLICT,
    }
}

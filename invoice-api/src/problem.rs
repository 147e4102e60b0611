//! Problem documents (RFC 9457): every answer that is not "yes".
//!
//! A handler returns a [`Problem`]; language and trace id are known only to the middleware, which
//! renders the body.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use invoice_core::refusal::{AuthenticationError, Forbidden, ShapeCode, ShapeError, Violation};
use papers::PaperError;
use serde_json::{Map, Value, json};

use crate::fault::Fault;
use crate::language::Language;
use crate::registry::{Unavailable, UnavailableReason};
use crate::server::budget::Spent;
use crate::status::HasStatus;
use crate::texts;

/// The media type of a problem document.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Names and values that explain a problem.
pub(crate) type Facts = Vec<(String, String)>;

/// An answer that is not "yes", in no language yet.
#[derive(Debug, Clone)]
pub(crate) struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    code: String,
    facts: Facts,
    errors: Vec<ErrorItem>,
    members: Map<String, Value>,
    retry_after: Option<u32>,
    allow: Option<&'static str>,
}

/// One entry of `errors`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ErrorItem {
    pub(crate) code: &'static str,
    pub(crate) pointer: String,
    pub(crate) facts: Facts,
}

impl ErrorItem {
    pub(crate) fn new(code: &'static str, pointer: impl Into<String>) -> Self {
        Self {
            code,
            pointer: pointer.into(),
            facts: Facts::new(),
        }
    }

    /// As it stands in an answer.
    pub(crate) fn render(&self, language: Language) -> Value {
        json!({
            "code": self.code,
            "pointer": self.pointer,
            "detail": texts::detail(self.code, &self.facts, language),
        })
    }
}

impl From<&ShapeError> for ErrorItem {
    fn from(error: &ShapeError) -> Self {
        Self {
            code: error.code.code(),
            pointer: error.pointer.clone(),
            facts: owned(&error.details),
        }
    }
}

impl From<&Violation> for ErrorItem {
    fn from(violation: &Violation) -> Self {
        Self {
            code: violation.rule.code(),
            pointer: violation.pointer.clone(),
            facts: owned(&violation.details),
        }
    }
}

fn owned(details: &[(&'static str, String)]) -> Facts {
    details
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            status,
            code: code.into(),
            facts: Facts::new(),
            errors: Vec::new(),
            members: Map::new(),
            retry_after: None,
            allow: None,
        }))
    }

    /// Method not allowed, with the methods that are.
    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        let mut problem = Self::from(Fault::MethodNotAllowed);
        problem.0.allow = Some(allow);
        problem
    }

    /// A parameter of the query is wrong.
    pub(crate) fn query(name: &str) -> Self {
        Self::from(Fault::QueryInvalid).with_fact("parameter", name)
    }

    /// Several places of a request are wrong; `code` is that of the gravest.
    pub(crate) fn items(status: StatusCode, code: &'static str, errors: Vec<ErrorItem>) -> Self {
        let mut problem = Self::new(status, code);
        problem.0.errors = errors;
        problem
    }

    pub(crate) fn with_fact(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.facts.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn with_facts(mut self, facts: Facts) -> Self {
        self.0.facts.extend(facts);
        self
    }

    /// Adds a member of our own to the document.
    pub(crate) fn with_member(mut self, name: &str, value: Value) -> Self {
        self.0.members.insert(name.to_owned(), value);
        self
    }

    fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after = Some(seconds.max(1));
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.0.status
    }

    pub(crate) fn set_status(&mut self, status: StatusCode) {
        self.0.status = status;
    }

    pub(crate) fn errors(&self) -> &[ErrorItem] {
        &self.0.errors
    }

    pub(crate) fn facts(&self) -> &[(String, String)] {
        &self.0.facts
    }

    pub(crate) fn code(&self) -> &str {
        &self.0.code
    }

    /// The document. Members of our own come last and never replace one of the contract's.
    pub(crate) fn render(&self, language: Language, trace_id: &str) -> Value {
        let mut document = Map::new();
        document.insert(
            "type".into(),
            format!("/v1/rejections#{}", self.0.code).into(),
        );
        document.insert("title".into(), texts::title(&self.0.code, language).into());
        document.insert("status".into(), self.0.status.as_u16().into());
        document.insert("code".into(), self.0.code.clone().into());
        document.insert(
            "detail".into(),
            texts::detail(&self.0.code, &self.0.facts, language).into(),
        );
        let errors = self
            .0
            .errors
            .iter()
            .map(|error| error.render(language))
            .collect::<Vec<_>>();
        document.insert("errors".into(), errors.into());
        document.insert("trace_id".into(), trace_id.into());
        if !self.0.facts.is_empty() {
            let facts = self
                .0
                .facts
                .iter()
                .map(|(name, value)| (name.clone(), value.clone().into()));
            document.insert("facts".into(), Value::Object(facts.collect()));
        }
        for (name, value) in &self.0.members {
            document
                .entry(name.clone())
                .or_insert_with(|| value.clone());
        }
        Value::Object(document)
    }

    /// A response with the right headers, its body still to be rendered.
    pub(crate) fn into_response(self) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.0.status);
        response.insert_header((CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON)));
        if let Some(seconds) = self.0.retry_after {
            response.insert_header((RETRY_AFTER, seconds));
        }
        if let Some(allow) = self.0.allow {
            response.insert_header((ALLOW, HeaderValue::from_static(allow)));
        }
        if self.0.status == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, HeaderValue::from_static("SM2-WITH-SM3")));
        }
        let mut response = response.finish();
        response.extensions_mut().insert(self);
        response
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} {}", self.0.status.as_u16(), self.0.code)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse {
        self.clone().into_response()
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::new(fault.status(), fault.code())
    }
}

impl From<Unavailable> for Problem {
    fn from(unavailable: Unavailable) -> Self {
        Self::from(Fault::from(unavailable.reason)).retry_after(unavailable.retry_after_seconds)
    }
}

impl From<UnavailableReason> for Problem {
    fn from(reason: UnavailableReason) -> Self {
        Self::from(Unavailable {
            reason,
            retry_after_seconds: 1,
        })
    }
}

impl From<Spent> for Problem {
    fn from(spent: Spent) -> Self {
        Self::from(Fault::RateLimited).retry_after(spent.seconds())
    }
}

impl From<AuthenticationError> for Problem {
    fn from(error: AuthenticationError) -> Self {
        Self::new(error.status(), error.code())
    }
}

impl From<PaperError> for Problem {
    fn from(error: PaperError) -> Self {
        Self::new(error.status(), error.code())
    }
}

impl From<Forbidden> for Problem {
    fn from(forbidden: Forbidden) -> Self {
        Self::new(forbidden.status(), forbidden.code())
    }
}

impl From<Vec<ShapeError>> for Problem {
    fn from(errors: Vec<ShapeError>) -> Self {
        // Declaration order is precedence: what makes a 413 comes before all else.
        let gravest = errors.iter().map(|error| error.code).min();
        Self::items(
            errors.as_slice().status(),
            gravest.map_or(Fault::BadRequest.code(), ShapeCode::code),
            errors.iter().map(ErrorItem::from).collect(),
        )
    }
}

impl From<Vec<Violation>> for Problem {
    fn from(violations: Vec<Violation>) -> Self {
        let Some(gravest) = violations.iter().map(|violation| violation.rule).min() else {
            return Fault::Internal.into();
        };
        let errors = violations.iter().map(ErrorItem::from).collect();
        Self::items(gravest.status(), gravest.code(), errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_the_members_of_the_contract_in_both_languages() {
        let problem = Problem::query("limit");
        let zh = problem.render(Language::Zh, "t");
        let en = problem.render(Language::En, "t");
        for document in [&zh, &en] {
            assert_eq!(document["type"], "/v1/rejections#query_invalid");
            assert_eq!(document["status"], 400);
            assert_eq!(document["code"], "query_invalid");
            assert_eq!(document["trace_id"], "t");
            assert_eq!(document["errors"], json!([]));
            assert_eq!(document["facts"]["parameter"], "limit");
        }
        assert_ne!(zh["title"], en["title"]);
        assert!(en["detail"].as_str().unwrap().contains("parameter: limit"));
    }

    #[test]
    fn members_of_our_own_do_not_replace_those_of_the_contract() {
        let problem = Problem::from(Fault::BatchFailed)
            .with_member("status", 1.into())
            .with_member("results", json!([]));
        let document = problem.render(Language::En, "t");
        assert_eq!(document["status"], 409);
        assert_eq!(document["results"], json!([]));
    }

    #[test]
    fn a_problem_says_when_to_come_back_what_is_allowed_and_how_to_authenticate() {
        let retry = Unavailable {
            reason: UnavailableReason::LowDisk,
            retry_after_seconds: 7,
        };
        let response = Problem::from(retry).into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers().get(RETRY_AFTER).unwrap(), "7");
        let response = Problem::method_not_allowed("GET, HEAD").into_response();
        assert_eq!(response.headers().get(ALLOW).unwrap(), "GET, HEAD");
        let response = Problem::from(AuthenticationError::KeyUnknown).into_response();
        assert_eq!(
            response.headers().get(WWW_AUTHENTICATE).unwrap(),
            "SM2-WITH-SM3"
        );
    }
}

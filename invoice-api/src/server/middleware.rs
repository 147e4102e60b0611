//! What every request passes through: trace id, size of its head, log, figures, and the rendering
//! of problems.

use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{
    CONTENT_LANGUAGE, CONTENT_TYPE, HeaderName, HeaderValue, VARY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::{Error, web};

use super::state::AppState;
use super::trace_id::TraceId;
use crate::fault::Fault;
use crate::language::Language;
use crate::limits::HEAD_BYTES_MAX;
use crate::pages::problem_page::{is_for_a_person, problem_page};
use crate::problem::{PROBLEM_JSON, Problem};
use crate::status::fault_of;

/// The header that names the trace id in every answer.
const TRACE_ID: HeaderName = HeaderName::from_static("trace-id");

/// Wraps every request.
pub(crate) async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let begun = Instant::now();
    let trace_id = TraceId::of(request.headers());
    let language = Language::of(request.headers());
    let method = known_method(request.method());
    let state = request.app_data::<web::Data<AppState>>().cloned();
    let guard = state.as_ref().map(|state| state.metrics.begin());

    let response = if head_bytes(&request) > HEAD_BYTES_MAX {
        request.into_response(Problem::from(Fault::HeadTooLarge).into_response())
    } else {
        next.call(request).await?.map_into_boxed_body()
    };
    let mut response = with_problem(response, language, trace_id);
    if let Ok(value) = HeaderValue::from_str(&trace_id.to_string()) {
        response.headers_mut().insert(TRACE_ID, value);
    }
    let no_sniff = HeaderValue::from_static("nosniff");
    response
        .headers_mut()
        .insert(X_CONTENT_TYPE_OPTIONS, no_sniff);

    let route = response
        .request()
        .match_pattern()
        .unwrap_or_else(|| "unmatched".to_owned());
    let status = response.status().as_u16();
    let took = begun.elapsed();
    // The path itself is not logged: it can hold a document's number. Who asked what is for the
    // registry's access log.
    tracing::info!(
        trace_id = %trace_id,
        method,
        route,
        status,
        duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "answered"
    );
    if let Some(state) = &state {
        state.metrics.answered(method, route, status, took);
    }
    drop(guard);
    Ok(response)
}

/// Gives a problem its body, and an error answer that the framework made the form of a problem.
fn with_problem(
    mut response: ServiceResponse<BoxBody>,
    language: Language,
    trace_id: TraceId,
) -> ServiceResponse<BoxBody> {
    let status = response.status();
    let problem = response.response_mut().extensions_mut().remove::<Problem>();
    let problem = match problem {
        Some(problem) => problem,
        None if status.is_client_error() || status.is_server_error() => {
            let mut problem = Problem::from(fault_of(status));
            problem.set_status(status);
            problem
        }
        None => return response,
    };
    if is_for_a_person(response.request()) {
        let request = response.request().clone();
        let headers = response.headers_mut();
        let page = problem_page(&request, &problem, &trace_id.to_string(), headers);
        return response.map_body(|_, _| BoxBody::new(page));
    }
    let body = problem.render(language, &trace_id.to_string()).to_string();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    headers.insert(VARY, HeaderValue::from_static("Accept-Language"));
    response.map_body(|_, _| BoxBody::new(body))
}

/// Bytes in the request line and headers, with their separators.
fn head_bytes(request: &ServiceRequest) -> usize {
    let line = request.method().as_str().len() + request.uri().to_string().len() + 12;
    let headers = request.headers().iter();
    line + headers
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum::<usize>()
}

/// Methods are labels of figures, so strangers may not invent any.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

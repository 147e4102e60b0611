//! What people see: pages with one frame, in both languages, that load nothing from elsewhere.
//!
//! A page is made by the server and is of use without scripts wherever that is possible; what
//! needs a key or a proof is done by the modules under `assets/`, which are served as they are
//! written.

pub(crate) mod assets;
pub(crate) mod check_form;
pub(crate) mod claims;
pub(crate) mod document;
pub(crate) mod frame;
pub(crate) mod home;
pub(crate) mod language;
pub(crate) mod ledger;
pub(crate) mod oversight;
pub(crate) mod problem_page;
pub(crate) mod push;
pub(crate) mod sign_in;
mod statement;
mod validators;

pub(crate) use frame::{Page, Section, escape};
pub(crate) use language::page_language;

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse};

use crate::limits::NEXT_CHARACTERS_MAX;
use crate::problem::Problem;
use crate::registry::Asker;
use crate::server::authenticate::session;
use crate::server::state::AppState;
use crate::status::SEE_OTHER;

/// Who reads a page; the answer that sends to the sign-in page when nobody does.
pub(crate) async fn reader_of_page(
    state: &AppState,
    request: &HttpRequest,
) -> Result<Result<Asker, HttpResponse>, Problem> {
    state.charge_anonymous(request)?;
    if let Some((asker, _)) = session(state, request).await? {
        state.budgets.reads.take(&asker.member, 1)?;
        return Ok(Ok(asker));
    }
    let here = request
        .uri()
        .path_and_query()
        .map_or("/", |here| here.as_str());
    let next = percent_encoded(local_path(here).unwrap_or("/"));
    Ok(Err(see_other(&format!("/sign-in?next={next}"))))
}

/// Sends the browser to another page of this server.
pub(crate) fn see_other(location: &str) -> HttpResponse {
    HttpResponse::build(SEE_OTHER)
        .insert_header((LOCATION, location))
        .finish()
}

/// An address of this server and of no other: a path with one slash at its beginning, in plain
/// visible ASCII. Browsers take `//host` and `/\host` for another server.
pub(crate) fn local_path(text: &str) -> Option<&str> {
    let local = text.starts_with('/')
        && !text.starts_with("//")
        && text.len() <= NEXT_CHARACTERS_MAX
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>'));
    local.then_some(text)
}

/// Text for the value of a query parameter: all but letters, digits and `-._~` as `%XX`.
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex::encode_upper([byte]));
        }
    }
    encoded
}

/// A time of the contract as people read it, to the second: it is in UTC+8 already.
pub(crate) fn readable(time: &str) -> String {
    time.chars()
        .take(19)
        .map(|character| if character == 'T' { ' ' } else { character })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_on_only_to_this_server() {
        for good in ["/", "/app", "/oversight/claims?status=locked&cursor=ab"] {
            assert_eq!(local_path(good), Some(good));
        }
        for bad in [
            "",
            "app",
            "//example.org",
            "/\\example.org",
            "https://example.org/",
            "/a b",
            "/票",
            "/a\r\nSet-Cookie: x",
            "/\"><script>",
        ] {
            assert_eq!(local_path(bad), None, "{bad}");
        }
        assert_eq!(local_path(&format!("/{}", "a".repeat(1_024))), None);
    }

    #[test]
    fn a_value_is_encoded_byte_by_byte() {
        assert_eq!(
            percent_encoded("/v/D:1?a=b&c=票"),
            "%2Fv%2FD%3A1%3Fa%3Db%26c%3D%E7%A5%A8"
        );
    }
}

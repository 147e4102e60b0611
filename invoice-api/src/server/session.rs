//! Sessions of people who read in a browser.
//!
//! A session is opened by a signed request and lets its browser read in the name of that key for
//! a few hours. It never records anything: records are signed by the browser's own key. Sessions
//! are kept in memory only, so a restart ends them all.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use actix_web::HttpRequest;
use actix_web::http::header::{COOKIE, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use invoice_core::crypto::{Kid, sm3};

use crate::limits::{SESSION_SECONDS, SESSIONS_MAX, SESSIONS_PER_KEY_MAX};

/// The cookie's name.
pub(crate) const SESSION_COOKIE: &str = "piaolian_session";

/// Bytes of randomness in a cookie.
const TOKEN_BYTES: usize = 32;

/// What a browser holds: the text of its cookie.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl Token {
    /// A new one; `None` when the system has no randomness to give.
    fn random() -> Option<Self> {
        let mut bytes = [0_u8; TOKEN_BYTES];
        getrandom::fill(&mut bytes).ok()?;
        Some(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The one that a request carries. Of several cookies with the name none is believed.
    pub(crate) fn of(request: &HttpRequest) -> Option<Self> {
        let text = cookie(request, SESSION_COOKIE)?;
        let plain = text.len() == TOKEN_BYTES.div_ceil(3) * 4 - 1
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        plain.then(|| Self(text.to_owned()))
    }

    /// Under which name it is kept: who reads the memory of the table finds no cookie in it, and
    /// looking one up compares nothing that a stranger chose byte by byte.
    fn name(&self) -> [u8; 32] {
        *sm3(&[self.0.as_bytes()]).as_bytes()
    }

    /// The header that gives it to a browser.
    pub(crate) fn set_cookie(&self, secure: bool) -> String {
        set_cookie(&self.0, SESSION_SECONDS, secure)
    }

    /// The header that takes it away again.
    pub(crate) fn unset_cookie(secure: bool) -> String {
        set_cookie("", 0, secure)
    }
}

fn set_cookie(value: &str, seconds: u64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!(
        "{SESSION_COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    )
}

/// Whether the browser came by https, to this server or to one before it. Forwarding headers are
/// believed here alone: a false one costs its sender the cookie and nobody else anything.
pub(crate) fn came_by_tls(request: &HttpRequest) -> bool {
    request.app_config().secure() || request.connection_info().scheme() == "https"
}

/// The value of the one cookie with this name.
pub(crate) fn cookie<'r>(request: &'r HttpRequest, name: &str) -> Option<&'r str> {
    let headers = request.headers().get_all(COOKIE);
    let mut values = headers
        .filter_map(|header: &HeaderValue| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value);
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// The open sessions, bounded in all and by key.
pub(crate) struct Sessions {
    open: Mutex<HashMap<[u8; 32], Session>>,
    max: usize,
    per_key_max: usize,
}

#[derive(Debug, Clone, Copy)]
struct Session {
    kid: Kid,
    /// Unix seconds from which it is over.
    ends_at: u64,
}

impl Sessions {
    pub(crate) fn new() -> Self {
        Self::bounded(SESSIONS_MAX, SESSIONS_PER_KEY_MAX)
    }

    fn bounded(max: usize, per_key_max: usize) -> Self {
        Self {
            open: Mutex::default(),
            max,
            per_key_max,
        }
    }

    /// Opens a session for a key that has just proved itself. The oldest of that key makes room
    /// when it has its share; `None` when all keys together fill the table.
    pub(crate) fn open(&self, kid: Kid, now: u64) -> Option<Token> {
        let token = Token::random()?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, session| session.ends_at > now);
        let of_key = open.iter().filter(|(_, session)| session.kid == kid);
        let (count, oldest) = of_key.fold((0_usize, None), |(count, oldest), (name, session)| {
            let oldest = match oldest {
                Some((_, ends_at)) if ends_at <= session.ends_at => oldest,
                Some(_) | None => Some((*name, session.ends_at)),
            };
            (count + 1, oldest)
        });
        if let Some((name, _)) = oldest.filter(|_| count >= self.per_key_max) {
            open.remove(&name);
        }
        if open.len() >= self.max {
            return None;
        }
        let ends_at = now.saturating_add(SESSION_SECONDS);
        open.insert(token.name(), Session { kid, ends_at });
        Some(token)
    }

    /// The key in whose name a session reads, and the second in which it ends.
    pub(crate) fn find(&self, token: &Token, now: u64) -> Option<(Kid, u64)> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let session = open.get(&token.name())?;
        (session.ends_at > now).then_some((session.kid, session.ends_at))
    }

    /// Ends a session.
    pub(crate) fn close(&self, token: &Token) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(&token.name());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn kid(byte: u8) -> Kid {
        Kid::new([byte; 16])
    }

    fn request(cookies: &str) -> HttpRequest {
        TestRequest::default()
            .insert_header((COOKIE, cookies))
            .to_http_request()
    }

    #[test]
    fn a_session_lasts_until_it_ends_or_is_ended() {
        let sessions = Sessions::new();
        let token = sessions.open(kid(1), 1_000).unwrap();
        let ends_at = 1_000 + SESSION_SECONDS;
        assert_eq!(sessions.find(&token, 1_000), Some((kid(1), ends_at)));
        assert_eq!(sessions.find(&token, ends_at - 1), Some((kid(1), ends_at)));
        assert_eq!(sessions.find(&token, ends_at), None);
        sessions.close(&token);
        assert_eq!(sessions.find(&token, 1_000), None);
    }

    #[test]
    fn a_key_has_its_share_and_all_keys_have_an_end() {
        let sessions = Sessions::bounded(3, 2);
        let first = sessions.open(kid(1), 1).unwrap();
        let second = sessions.open(kid(1), 2).unwrap();
        let third = sessions.open(kid(1), 3).unwrap();
        assert_eq!(sessions.find(&first, 3), None, "the oldest made room");
        assert!(sessions.find(&second, 3).is_some() && sessions.find(&third, 3).is_some());
        assert!(sessions.open(kid(2), 3).is_some());
        assert!(sessions.open(kid(3), 3).is_none(), "the table is full");
        assert!(sessions.open(kid(3), 3 + SESSION_SECONDS).is_some());
    }

    #[test]
    fn a_cookie_is_read_when_it_is_one() {
        let sessions = Sessions::new();
        let token = sessions.open(kid(1), 1).unwrap();
        let text = &token.0;
        let read = |cookies: String| Token::of(&request(&cookies)).is_some_and(|t| t == token);
        assert!(read(format!("piaolian_session={text}")));
        assert!(read(format!("a=b; piaolian_session={text}; c=d")));
        for bad in [
            String::new(),
            "piaolian_session=".into(),
            format!("piaolian_session={text}x"),
            format!("piaolian_session={}+", &text[1..]),
            format!("piaolian_session={text}; piaolian_session={text}"),
            format!("Piaolian_session={text}"),
        ] {
            assert!(Token::of(&request(&bad)).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_cookie_is_kept_from_scripts_other_sites_and_plain_http() {
        let token = Token("t".repeat(43));
        let plain = token.set_cookie(false);
        for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=28800"] {
            assert!(plain.contains(part), "{part}");
        }
        assert!(!plain.contains("Secure"));
        assert!(token.set_cookie(true).ends_with("; Secure"));
        assert!(Token::unset_cookie(true).contains("=; Path=/; Max-Age=0;"));
    }
}

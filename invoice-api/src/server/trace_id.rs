//! The id that ties an answer to the log lines about it.

use std::fmt;

use actix_web::http::header::HeaderMap;

/// A W3C trace id: 16 bytes, not all zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceId([u8; 16]);

impl TraceId {
    /// The caller's, from a valid `traceparent` header, else a random one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        headers
            .get("traceparent")
            .and_then(|value| value.to_str().ok())
            .and_then(Self::from_traceparent)
            .unwrap_or_else(Self::random)
    }

    /// Reads `traceparent` (W3C Trace Context §3.2): version, trace id, parent id and flags.
    pub(crate) fn from_traceparent(value: &str) -> Option<Self> {
        let mut fields = value.split('-');
        let version = lower_hex(fields.next()?, 2)?;
        let trace = lower_hex(fields.next()?, 32)?;
        let parent = lower_hex(fields.next()?, 16)?;
        lower_hex(fields.next()?, 2)?;
        // Version 00 has four fields; a later one may append more; ff is forbidden.
        if version == "ff" || (version == "00" && fields.next().is_some()) {
            return None;
        }
        if parent.bytes().all(|byte| byte == b'0') {
            return None;
        }
        let mut id = [0; 16];
        hex::decode_to_slice(trace, &mut id).ok()?;
        (id != [0; 16]).then_some(Self(id))
    }

    /// 16 random bytes.
    pub(crate) fn random() -> Self {
        let mut id = [0; 16];
        // Without randomness the id is a constant that is valid and unlikely to be another's.
        if getrandom::fill(&mut id).is_err() || id == [0; 16] {
            id = [0xff; 16];
        }
        Self(id)
    }
}

fn lower_hex(text: &str, length: usize) -> Option<&str> {
    let fits = text.len() == length
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    fits.then_some(text)
}

impl fmt::Display for TraceId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_traceparent_gives_its_trace_id() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        for (value, taken) in [
            (format!("00-{id}-00f067aa0ba902b7-01"), true),
            (format!("01-{id}-00f067aa0ba902b7-01-more"), true),
            (format!("00-{id}-00f067aa0ba902b7-01-more"), false),
            (format!("ff-{id}-00f067aa0ba902b7-01"), false),
            (format!("00-{id}-0000000000000000-01"), false),
            (format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)), false),
            (
                format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()),
                false,
            ),
            (format!("00-{id}-00f067aa0ba902b7"), false),
            (String::new(), false),
        ] {
            let read = TraceId::from_traceparent(&value).map(|id| id.to_string());
            assert_eq!(read, taken.then(|| id.to_owned()), "{value}");
        }
    }

    #[test]
    fn two_random_ids_differ() {
        assert_ne!(TraceId::random(), TraceId::random());
    }
}

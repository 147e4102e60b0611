//! The `Authorization` header of signed questions, read strictly.
//!
//! `SM2-WITH-SM3 kid="…",timestamp="…",nonce="…",signature="…"`: one space after the scheme, the
//! four parameters in any order, each once, each quoted, nothing between them but a comma and
//! spaces. A second reading of the same bytes must be impossible, so there are no escapes.

/// The parameters of a header, spelt right and not yet believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization<'h> {
    /// The key's identifier as sent.
    pub kid: &'h str,
    /// Unix seconds.
    pub timestamp: u64,
    /// The timestamp as sent, which is what was signed.
    pub timestamp_text: &'h str,
    /// 16 to 64 visible characters.
    pub nonce: &'h str,
    /// The signature in base64.
    pub signature: &'h str,
}

const SCHEME: &str = "SM2-WITH-SM3 ";

impl<'h> Authorization<'h> {
    /// Reads a header value; `None` when it has not the layout.
    #[must_use]
    pub fn parse(value: &'h str) -> Option<Self> {
        let mut rest = value.strip_prefix(SCHEME)?.trim_matches(' ');
        let (mut kid, mut timestamp, mut nonce, mut signature) = (None, None, None, None);
        loop {
            let (name, after) = rest.split_once("=\"")?;
            let (text, after) = after.split_once('"')?;
            let slot = match name {
                "kid" => &mut kid,
                "timestamp" => &mut timestamp,
                "nonce" => &mut nonce,
                "signature" => &mut signature,
                _ => return None,
            };
            if slot.replace(text).is_some() {
                return None;
            }
            if after.is_empty() {
                break;
            }
            rest = after
                .trim_start_matches(' ')
                .strip_prefix(',')?
                .trim_start_matches(' ');
        }
        let timestamp_text = timestamp?;
        Some(Self {
            kid: kid?,
            timestamp: decimal(timestamp_text)?,
            timestamp_text,
            nonce: nonce.filter(|nonce| is_nonce(nonce))?,
            signature: signature.filter(|text| !text.is_empty() && text.len() <= 128)?,
        })
    }
}

/// Unix seconds without sign or leading zero.
fn decimal(text: &str) -> Option<u64> {
    let plain = text.len() <= 12
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && !(text.len() > 1 && text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

/// 16 to 64 visible ASCII characters; quotes cannot stand in one, and a backslash would look like
/// an escape.
fn is_nonce(text: &str) -> bool {
    (16..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "SM2-WITH-SM3 kid=\"00\",timestamp=\"1700000000\",\
                        nonce=\"0123456789abcdef\",signature=\"QUJD\"";

    #[test]
    fn the_layout_of_the_contract_is_read() {
        let read = Authorization::parse(GOOD).unwrap();
        assert_eq!(read.kid, "00");
        assert_eq!(read.timestamp, 1_700_000_000);
        assert_eq!(read.nonce, "0123456789abcdef");
        assert_eq!(read.signature, "QUJD");
        let other_order = "SM2-WITH-SM3 signature=\"QUJD\", nonce=\"0123456789abcdef\" ,\
                           kid=\"00\",timestamp=\"1700000000\"";
        assert_eq!(Authorization::parse(other_order).unwrap(), read);
    }

    #[test]
    fn anything_else_is_not() {
        let nonce = |nonce: &str| GOOD.replace("0123456789abcdef", nonce);
        let timestamp = |timestamp: &str| GOOD.replace("1700000000", timestamp);
        for bad in [
            String::new(),
            "SM2-WITH-SM3".into(),
            "SM2-WITH-SM3 ".into(),
            GOOD.replace("SM2-WITH-SM3", "sm2-with-sm3"),
            GOOD.replace("SM2-WITH-SM3 ", "Bearer "),
            format!("{GOOD},kid=\"00\""),
            format!("{GOOD},extra=\"1\""),
            format!("{GOOD},"),
            format!("{GOOD} x"),
            GOOD.replace("kid=\"00\",", ""),
            GOOD.replace("kid=\"00\"", "kid=00"),
            GOOD.replace("kid=", "kid ="),
            GOOD.replace("\",nonce", "\" nonce"),
            GOOD.replace("\",nonce", "\",,nonce"),
            GOOD.replace("\"QUJD\"", "\"QUJD"),
            GOOD.replace("QUJD", ""),
            nonce("short"),
            nonce(&"n".repeat(65)),
            nonce("0123456789abcde\\"),
            nonce("0123456789 abcdef"),
            nonce("0123456789票链abcdef"),
            timestamp(""),
            timestamp("+1700000000"),
            timestamp("-1"),
            timestamp("01700000000"),
            timestamp("1700000000.0"),
            timestamp("9999999999999"),
        ] {
            assert_eq!(Authorization::parse(&bad), None, "{bad}");
        }
    }
}

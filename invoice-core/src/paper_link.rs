//! The link in the QR code of a printed document: what is printed, where it is recorded, and a
//! validator's stamp over both.
//!
//! `<base>/v/<key>?amount=…&date=…[&check_code=…]&h=…&i=…[&k=…&s=…]`. `h` is the first 16 bytes of
//! the SM3 hash of the record's exact bytes and `i` its leaf, so the link names one record of one
//! log. `k` and `s` are the stamp: a validator's SM2 signature, by which a paper is told genuine
//! without asking anyone (GB/T 32918.2). The stamp says what was issued, not whether it was
//! reversed or claimed since: that only the registry knows.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::calendar::Date;
use crate::chain::ChainId;
use crate::crypto::{Kid, PublicKey, Signature, sm3};
use crate::identity::DocumentKey;
use crate::money::Fen;
use crate::read::Spelled;
use crate::record::{CheckCode, Document};

/// Longest link that is read, in bytes: no QR code of version 10 holds more.
pub const PAPER_LINK_BYTES_MAX: usize = 512;

/// Longest public address of a registry, in bytes: with it the longest link still fits into a QR
/// code of version 10.
pub const PAPER_BASE_BYTES_MAX: usize = 48;

/// A validator's signature on a paper link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The first 4 bytes of the identifier of its key: enough to choose among a chain's validators.
    pub kid: [u8; 4],
    /// The signature over [`PaperLink::message`].
    pub signature: Signature,
}

impl Stamp {
    /// The stamp of a key.
    #[must_use]
    pub fn new(kid: &Kid, signature: Signature) -> Self {
        Self {
            kid: kid_prefix(kid),
            signature,
        }
    }
}

/// What the QR code of a printed document says.
///
/// ```
/// use invoice_core::paper_link::PaperLink;
///
/// let text = "https://tax.example/v/D:26332000000012345678?amount=106.00&date=2026-11-20\
///             &h=AAAAAAAAAAAAAAAAAAAAAA&i=7";
/// let link = PaperLink::parse(text).unwrap();
/// assert_eq!(link.index, 7);
/// assert_eq!(link.to_url("https://tax.example"), text);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaperLink {
    /// The document.
    pub document: DocumentKey,
    /// The total on it.
    pub amount: Fen,
    /// The date of issue on it.
    pub date: Date,
    /// The check code on it; fiscal bills only.
    pub check_code: Option<CheckCode>,
    /// The first 16 bytes of the SM3 hash of the record's exact bytes.
    pub digest: [u8; 16],
    /// The record's leaf in the log.
    pub index: u64,
    /// The stamp, where a validator printed.
    pub stamp: Option<Stamp>,
}

/// A text is no paper link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaperLinkFault {
    /// It has not the shape of one, or a part is badly spelt.
    #[error("不是票据核验链接 / not the link of a printed document")]
    Form,
    /// It has only a half of a stamp, or one that is no signature.
    #[error("签章不完整 / the stamp is not whole")]
    Stamp,
}

/// What is known of a stamp without asking anyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StampVerdict {
    /// A validator of the chain signed exactly what the link says.
    Genuine,
    /// The link bears no stamp.
    Absent,
    /// None of the keys that were given has the stamp's identifier.
    UnknownKey,
    /// The signature is not that of the key: the link was changed or made up.
    Forged,
}

impl PaperLink {
    /// The link of an issued document, not stamped.
    #[must_use]
    pub fn new(document: Document<'_>, record: &[u8], index: u64) -> Self {
        let (key, amount, date, check_code) = match document {
            Document::Invoice(invoice) => (invoice.key, invoice.total, invoice.issue_date, None),
            Document::Bill(bill) => (bill.key, bill.total, bill.issue_date, Some(bill.check_code)),
        };
        Self {
            document: key,
            amount,
            date,
            check_code,
            digest: digest_of(record),
            index,
            stamp: None,
        }
    }

    /// Whether the link names this record.
    #[must_use]
    pub fn names_record(&self, record: &[u8]) -> bool {
        self.digest == digest_of(record)
    }

    /// What a validator signs: `piaolian/1/paper`, the chain, key, amount, date, check code (empty
    /// where there is none), the digest in lower-case hexadecimal and the leaf in decimal, a line
    /// feed after each but the last.
    #[must_use]
    pub fn message(&self, chain: &ChainId) -> Vec<u8> {
        let check_code = self.check_code.as_ref().map(CheckCode::as_str);
        format!(
            "piaolian/1/paper\n{chain}\n{}\n{}\n{}\n{}\n{}\n{}",
            self.document,
            self.amount,
            self.date,
            check_code.unwrap_or_default(),
            hex::encode(self.digest),
            self.index,
        )
        .into_bytes()
    }

    /// Checks the stamp against the chain's validators; those of the past are good as well.
    #[must_use]
    pub fn verify<'k>(
        &self,
        chain: &ChainId,
        validators: impl IntoIterator<Item = &'k PublicKey>,
    ) -> StampVerdict {
        let Some(stamp) = &self.stamp else {
            return StampVerdict::Absent;
        };
        let message = self.message(chain);
        let mut verdict = StampVerdict::UnknownKey;
        for key in validators {
            if kid_prefix(&key.kid()) == stamp.kid {
                if key.verify(&message, &stamp.signature) {
                    return StampVerdict::Genuine;
                }
                verdict = StampVerdict::Forged;
            }
        }
        verdict
    }

    /// The path and the query, from the `/` on.
    #[must_use]
    pub fn to_path(&self) -> String {
        let mut path = format!(
            "/v/{}?amount={}&date={}",
            self.document, self.amount, self.date
        );
        if let Some(check_code) = &self.check_code {
            path.push_str("&check_code=");
            path.push_str(check_code.as_str());
        }
        path.push_str("&h=");
        path.push_str(&URL_SAFE_NO_PAD.encode(self.digest));
        path.push_str("&i=");
        path.push_str(&self.index.to_string());
        if let Some(stamp) = &self.stamp {
            path.push_str("&k=");
            path.push_str(&hex::encode(stamp.kid));
            path.push_str("&s=");
            path.push_str(&URL_SAFE_NO_PAD.encode(stamp.signature.as_bytes()));
        }
        path
    }

    /// The whole link at a registry's public address, which has no `/` at its end.
    #[must_use]
    pub fn to_url(&self, base: &str) -> String {
        let mut url = base.to_owned();
        url.push_str(&self.to_path());
        url
    }

    /// Reads a link, or only its path and query. Where it leads to is not looked at: what counts is
    /// signed. Each part stands once; unknown parts (`lang`, marks of messengers) are passed over.
    ///
    /// # Errors
    /// [`PaperLinkFault`] when something is missing, badly spelt or there twice.
    pub fn parse(text: &str) -> Result<Self, PaperLinkFault> {
        if text.len() > PAPER_LINK_BYTES_MAX {
            return Err(PaperLinkFault::Form);
        }
        let (path, query) = text.split_once('?').ok_or(PaperLinkFault::Form)?;
        let (_, key) = path.rsplit_once("/v/").ok_or(PaperLinkFault::Form)?;
        let query = query.split('#').next().unwrap_or_default();
        let document = DocumentKey::spelled(&key.replace("%3A", ":").replace("%3a", ":"))
            .map_err(|_| PaperLinkFault::Form)?;
        let mut parts: [(&str, Option<&str>); 7] = [
            ("amount", None),
            ("date", None),
            ("check_code", None),
            ("h", None),
            ("i", None),
            ("k", None),
            ("s", None),
        ];
        for part in query.split('&') {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            if let Some((_, place)) = parts.iter_mut().find(|(known, _)| *known == name)
                && place.replace(value).is_some()
            {
                return Err(PaperLinkFault::Form);
            }
        }
        let [amount, date, check_code, digest, index, kid, signature] =
            parts.map(|(_, value)| value);
        Ok(Self {
            document,
            amount: spelled(amount)?,
            date: spelled(date)?,
            check_code: check_code.map(|code| spelled(Some(code))).transpose()?,
            digest: digest.and_then(bytes).ok_or(PaperLinkFault::Form)?,
            index: index.and_then(decimal).ok_or(PaperLinkFault::Form)?,
            stamp: stamp(kid, signature)?,
        })
    }
}

fn spelled<T: Spelled>(text: Option<&str>) -> Result<T, PaperLinkFault> {
    let text = text.ok_or(PaperLinkFault::Form)?;
    T::spelled(text).map_err(|_| PaperLinkFault::Form)
}

/// Base64url without padding.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

/// A number in its one spelling.
fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn stamp(kid: Option<&str>, signature: Option<&str>) -> Result<Option<Stamp>, PaperLinkFault> {
    let (kid, signature) = match (kid, signature) {
        (None, None) => return Ok(None),
        (Some(kid), Some(signature)) => (kid, signature),
        (Some(_), None) | (None, Some(_)) => return Err(PaperLinkFault::Stamp),
    };
    let mut prefix = [0; 4];
    hex::decode_to_slice(kid, &mut prefix).map_err(|_| PaperLinkFault::Stamp)?;
    let signature: [u8; 64] = bytes(signature).ok_or(PaperLinkFault::Stamp)?;
    let signature = Signature::from_bytes(&signature).map_err(|_| PaperLinkFault::Stamp)?;
    Ok(Some(Stamp {
        kid: prefix,
        signature,
    }))
}

fn digest_of(record: &[u8]) -> [u8; 16] {
    let mut digest = [0; 16];
    for (to, from) in digest.iter_mut().zip(sm3(&[record]).as_bytes()) {
        *to = *from;
    }
    digest
}

fn kid_prefix(kid: &Kid) -> [u8; 4] {
    let mut prefix = [0; 4];
    for (to, from) in prefix.iter_mut().zip(kid.as_bytes()) {
        *to = *from;
    }
    prefix
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{SecretKey, SecretKeySigner, Signer as _};

    fn chain() -> ChainId {
        "sz-2026".parse().unwrap()
    }

    fn signer(number: u8) -> SecretKeySigner {
        SecretKeySigner::new(SecretKey::from_bytes(&[number; 32]).unwrap())
    }

    fn link() -> PaperLink {
        PaperLink {
            document: DocumentKey::spelled("F:33060226-0000012345").unwrap(),
            amount: Fen::new(450_000),
            date: Date::new(2026, 11, 20).unwrap(),
            check_code: Some(CheckCode::spelled("a1B2c3").unwrap()),
            digest: [0xab; 16],
            index: 7,
            stamp: None,
        }
    }

    fn stamped(by: &SecretKeySigner) -> PaperLink {
        let mut link = link();
        let signature = by.sign(&link.message(&chain())).unwrap();
        link.stamp = Some(Stamp::new(&by.public_key().kid(), signature));
        link
    }

    #[test]
    fn the_message_has_these_bytes() {
        let due = format!(
            "piaolian/1/paper\nsz-2026\nF:33060226-0000012345\n4500.00\n2026-11-20\na1B2c3\n{}\n7",
            "ab".repeat(16)
        );
        assert_eq!(link().message(&chain()), due.as_bytes());
        let mut invoice = link();
        invoice.document = DocumentKey::spelled("D:26332000000012345678").unwrap();
        invoice.check_code = None;
        let text = String::from_utf8(invoice.message(&chain())).unwrap();
        assert!(text.contains("2026-11-20\n\nabab"), "{text}");
    }

    #[test]
    fn a_link_is_read_as_it_was_written() {
        for link in [link(), stamped(&signer(3))] {
            let url = link.to_url("https://a.example");
            assert_eq!(PaperLink::parse(&url), Ok(link.clone()), "{url}");
            assert_eq!(PaperLink::parse(&link.to_path()), Ok(link.clone()));
            assert_eq!(PaperLink::parse(&format!("{url}&lang=en#top")), Ok(link));
        }
    }

    #[test]
    fn a_stamp_is_told_from_everything_else() {
        let (validator, other) = (signer(3), signer(4));
        let keys = [other.public_key(), validator.public_key()];
        let good = stamped(&validator);
        let verify = |link: &PaperLink| link.verify(&chain(), keys);
        assert_eq!(verify(&good), StampVerdict::Genuine);
        assert_eq!(verify(&link()), StampVerdict::Absent);
        assert_eq!(verify(&stamped(&signer(5))), StampVerdict::UnknownKey);
        let changes: [fn(&mut PaperLink); 6] = [
            |link| link.amount = Fen::new(450_001),
            |link| link.date = Date::new(2026, 11, 21).unwrap(),
            |link| link.check_code = None,
            |link| link.digest[15] ^= 1,
            |link| link.index += 1,
            |link| link.document = DocumentKey::spelled("F:33060226-0000012346").unwrap(),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut changed = good.clone();
            change(&mut changed);
            assert_eq!(verify(&changed), StampVerdict::Forged, "{number}");
        }
        let elsewhere = "other".parse().unwrap();
        assert_eq!(good.verify(&elsewhere, keys), StampVerdict::Forged);
    }

    #[test]
    fn what_is_no_link_is_refused() {
        let good = link().to_url("https://a.example");
        let half = format!("{good}&k=00000000");
        let cases: Vec<(String, PaperLinkFault)> = vec![
            (String::new(), PaperLinkFault::Form),
            ("https://a.example/v/".into(), PaperLinkFault::Form),
            (good.replace("/v/", "/w/"), PaperLinkFault::Form),
            (
                good.replace("amount=4500.00", "amount=4500,00"),
                PaperLinkFault::Form,
            ),
            (good.replace("&i=7", "&i=07"), PaperLinkFault::Form),
            (good.replace("&i=7", ""), PaperLinkFault::Form),
            (good.replace("&h=q", "&h="), PaperLinkFault::Form),
            (format!("{good}&amount=1.00"), PaperLinkFault::Form),
            (
                format!("{good}&x={}", "y".repeat(512)),
                PaperLinkFault::Form,
            ),
            (half.clone(), PaperLinkFault::Stamp),
            (format!("{half}&s=AAAA"), PaperLinkFault::Stamp),
            (
                format!("{half}&s={}", "A".repeat(86)),
                PaperLinkFault::Stamp,
            ),
        ];
        for (text, fault) in cases {
            assert_eq!(PaperLink::parse(&text), Err(fault), "{text}");
        }
    }

    #[test]
    fn a_link_names_one_record() {
        let mut link = link();
        link.digest = digest_of(b"{}");
        assert!(link.names_record(b"{}"));
        assert!(!link.names_record(b"{ }"));
    }
}

//! The identity of a document: what must be unique so that nothing is paid twice.

use std::fmt;

use super::digits::Digits;
use crate::read::{Spelled, spelled_as_text};
use crate::refusal::Rule;

/// The code of a paper or tax-control invoice (发票代码).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PaperCode {
    /// Ten digits: special and ordinary invoices on paper.
    Ten(Digits<10>),
    /// Twelve digits: electronic, rolled and blockchain invoices.
    Twelve(Digits<12>),
}

impl PaperCode {
    /// The code, when the text is 10 or 12 digits.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        Digits::new(text)
            .map(Self::Ten)
            .or_else(|| Digits::new(text).map(Self::Twelve))
    }

    /// The code's digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Ten(digits) => digits.as_str(),
            Self::Twelve(digits) => digits.as_str(),
        }
    }
}

/// The key under which a document stands in the registry. It has exactly one spelling.
///
/// No amount, date or file hash takes part: a document that differs only there is a conflict,
/// never a new document.
///
/// ```
/// use invoice_core::identity::DocumentKey;
/// let key: DocumentKey = "P:011001605111-80100798".parse().unwrap();
/// assert_eq!(key.to_string(), "P:011001605111-80100798");
/// assert!("P:011001605111-8010079８".parse::<DocumentKey>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKey {
    /// `D:` and 20 digits: a fully digital invoice (数电票).
    Digital(Digits<20>),
    /// `P:`, code, `-`, number: an invoice of the tax-control system or a blockchain invoice.
    Paper {
        /// 发票代码.
        code: PaperCode,
        /// 发票号码.
        number: Digits<8>,
    },
    /// `F:`, code, `-`, number: a fiscal e-bill (财政电子票据).
    Fiscal {
        /// 票据代码.
        code: Digits<8>,
        /// 票据号码.
        number: Digits<10>,
    },
}

const DIGITAL: u8 = 1;
const PAPER_TEN: u8 = 2;
const PAPER_TWELVE: u8 = 3;
const FISCAL: u8 = 4;

impl DocumentKey {
    /// The key in the form of the state's tables: a tag byte (1 `D:`, 2 `P:` with a code of ten
    /// digits, 3 `P:` with twelve, 4 `F:`), then the digits. Numbers that follow one another sort
    /// one after another.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (tag, code, number) = self.parts();
        [&[tag], code, number].concat()
    }

    /// The parts of that form: the tag, the digits of the code, the digits of the number.
    pub(crate) fn parts(&self) -> (u8, &[u8], &[u8]) {
        match self {
            Self::Digital(number) => (DIGITAL, &[], number.as_bytes()),
            Self::Paper { code, number } => {
                let (tag, code): (u8, &[u8]) = match code {
                    PaperCode::Ten(code) => (PAPER_TEN, code.as_bytes()),
                    PaperCode::Twelve(code) => (PAPER_TWELVE, code.as_bytes()),
                };
                (tag, code, number.as_bytes())
            }
            Self::Fiscal { code, number } => (FISCAL, code.as_bytes(), number.as_bytes()),
        }
    }

    /// How many digits a key with this tag has, always an even number; `None` for no tag.
    pub(crate) const fn digits_of(tag: u8) -> Option<usize> {
        match tag {
            DIGITAL | PAPER_TWELVE => Some(20),
            PAPER_TEN | FISCAL => Some(18),
            _ => None,
        }
    }

    /// The key from the form of the state's tables; `None` for any other bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (tag, digits) = bytes.split_first()?;
        match *tag {
            DIGITAL => Digits::from_bytes(digits).map(Self::Digital),
            PAPER_TEN => {
                let (code, number) = digits.split_at_checked(10)?;
                Some(Self::Paper {
                    code: PaperCode::Ten(Digits::from_bytes(code)?),
                    number: Digits::from_bytes(number)?,
                })
            }
            PAPER_TWELVE => {
                let (code, number) = digits.split_at_checked(12)?;
                Some(Self::Paper {
                    code: PaperCode::Twelve(Digits::from_bytes(code)?),
                    number: Digits::from_bytes(number)?,
                })
            }
            FISCAL => {
                let (code, number) = digits.split_at_checked(8)?;
                Some(Self::Fiscal {
                    code: Digits::from_bytes(code)?,
                    number: Digits::from_bytes(number)?,
                })
            }
            _ => None,
        }
    }

    /// The code, where the document has one (发票代码, 票据代码).
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Digital(_) => None,
            Self::Paper { code, .. } => Some(code.as_str()),
            Self::Fiscal { code, .. } => Some(code.as_str()),
        }
    }

    /// The number (发票号码, 票据号码).
    #[must_use]
    pub fn number(&self) -> &str {
        match self {
            Self::Digital(number) => number.as_str(),
            Self::Paper { number, .. } => number.as_str(),
            Self::Fiscal { number, .. } => number.as_str(),
        }
    }
}

impl Spelled for DocumentKey {
    fn spelled(text: &str) -> Result<Self, Rule> {
        let key = || match text.split_at_checked(2)? {
            ("D:", number) => Digits::new(number).map(Self::Digital),
            ("P:", rest) => {
                let (code, number) = rest.split_once('-')?;
                Some(Self::Paper {
                    code: PaperCode::new(code)?,
                    number: Digits::new(number)?,
                })
            }
            ("F:", rest) => {
                let (code, number) = rest.split_once('-')?;
                Some(Self::Fiscal {
                    code: Digits::new(code)?,
                    number: Digits::new(number)?,
                })
            }
            _ => None,
        };
        key().ok_or(Rule::DocumentKeySpelling)
    }
}

impl fmt::Display for DocumentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digital(number) => write!(f, "D:{number}"),
            Self::Paper { code, number } => write!(f, "P:{}-{number}", code.as_str()),
            Self::Fiscal { code, number } => write!(f, "F:{code}-{number}"),
        }
    }
}

spelled_as_text!(
    DocumentKey,
    r"^(D:\d{20}|P:(\d{10}|\d{12})-\d{8}|F:\d{8}-\d{10})$",
    "D:26442000004359167806"
);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_document_key_has_one_spelling() {
        let cases: &[(&str, bool)] = &[
            ("D:24312000000136634917", true),
            ("P:3300194130-12345678", true),
            ("P:011001605111-80100798", true),
            ("F:33060122-0123456789", true),
            ("D:2431200000013663491", false),
            ("D:243120000001366349170", false),
            ("D:2431200000013663491７", false),
            ("d:24312000000136634917", false),
            ("D: 24312000000136634917", false),
            ("D:24312000000136634917 ", false),
            ("24312000000136634917", false),
            ("D：24312000000136634917", false),
            ("P:01100160511-80100798", false),
            ("P:011001605111-8010079", false),
            ("P:01100160511180100798", false),
            ("P:011001605111-80100798-", false),
            ("F:33060122-012345678", false),
            ("F:3306012-20123456789", false),
            ("X:24312000000136634917", false),
            ("", false),
        ];
        for (text, valid) in cases {
            let key = DocumentKey::spelled(text);
            assert_eq!(key.is_ok(), *valid, "{text}");
            if let Ok(key) = key {
                assert_eq!(key.to_string(), *text);
            }
        }
    }

    proptest! {
        #[test]
        fn keys_survive_the_tables(text in r"(D:[0-9]{20}|P:([0-9]{10}|[0-9]{12})-[0-9]{8}|F:[0-9]{8}-[0-9]{10})") {
            let key = DocumentKey::spelled(&text).unwrap();
            prop_assert_eq!(DocumentKey::from_bytes(&key.to_bytes()), Some(key));
            prop_assert_eq!(key.to_string(), text);
        }

        #[test]
        fn other_bytes_are_no_key(bytes in proptest::collection::vec(any::<u8>(), 0..24)) {
            if let Some(key) = DocumentKey::from_bytes(&bytes) {
                prop_assert_eq!(key.to_bytes(), bytes);
            }
        }
    }
}

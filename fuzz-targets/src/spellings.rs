//! Values that are spelt as text, among them what is printed on a document: what was read is
//! written and read back equal.

use std::fmt::{Debug, Display};

use invoice_core::amount_words;
use invoice_core::calendar::{Date, Instant, Month};
use invoice_core::chain::ChainId;
use invoice_core::decimal::DecimalText;
use invoice_core::identity::{DocumentKey, MemberId, RecordId, is_resident_id};
use invoice_core::invoice::{InvoiceKind, TaxRate};
use invoice_core::money::Fen;
use invoice_core::qr;
use invoice_core::read::Spelled;
use invoice_core::record::{BuyerId, CheckCode};

pub(crate) fn run(bytes: &[u8]) {
    let Some((chosen, text)) = super::choice_of_text(bytes, 10) else {
        return;
    };
    match chosen {
        0 => one_spelling::<DocumentKey>(text, |key| {
            assert_eq!(DocumentKey::from_bytes(&key.to_bytes()), Some(key));
        }),
        1 => some_spelling::<Fen>(text, |amount| {
            assert!(amount.get().abs() <= Fen::MAX.get());
            assert_eq!(
                amount_words::parse(&amount_words::write(amount)),
                Ok(amount)
            );
        }),
        2 => one_spelling::<DecimalText>(text, |number| {
            let normal = number.normalized();
            let again = DecimalText::spelled(normal).expect("the normal form is a decimal");
            assert_eq!(again.normalized(), normal);
            let one = DecimalText::spelled("1").expect("1 is a decimal");
            if let Ok(amount) = Fen::parse(normal) {
                assert!(number.product_is(&one, amount));
            }
        }),
        3 => some_spelling::<Instant>(text, |at| {
            assert_eq!(at.date_utc8().month(), at.month_utc8());
            one_spelling::<Date>(&at.date_utc8().to_string(), |_| {});
        }),
        4 => {
            one_spelling::<Date>(text, |date| {
                assert_eq!(Date::parse_compact(&date.to_compact()), Ok(date));
                assert_eq!(Date::from_days(date.days()), Some(date));
            });
            one_spelling::<Month>(text, |_| {});
            if let Ok(date) = Date::parse_compact(text) {
                assert_eq!(date.to_compact(), text);
            }
        }
        5 => {
            one_spelling::<MemberId>(text, |id| {
                assert_eq!(MemberId::from_bytes(id.as_bytes()), Some(id));
            });
            one_spelling::<RecordId>(text, |_| {});
            let _ = is_resident_id(text);
        }
        6 => {
            if let Ok(amount) = amount_words::parse(text) {
                let written = amount_words::write(amount);
                assert_eq!(amount_words::parse(&written), Ok(amount), "{written}");
            }
        }
        7 => {
            if let Ok(read) = qr::parse(text) {
                assert_eq!(qr::parse(&read.to_string()), Ok(read));
            }
        }
        8 => {
            some_spelling::<TaxRate>(text, |_| {});
            one_spelling::<InvoiceKind>(text, |_| {});
            one_spelling::<CheckCode>(text, |_| {});
            some_spelling::<BuyerId>(text, |_| {});
        }
        _ => {
            if let Ok(chain) = text.parse::<ChainId>() {
                assert_eq!(chain.as_str(), text);
                assert_eq!(ChainId::from_padded(&chain.to_padded()), Ok(chain));
            }
        }
    }
}

/// What a value is written as is the text that it was read from.
fn one_spelling<T: Spelled + Display + Debug + PartialEq>(text: &str, more: impl Fn(T)) {
    if let Ok(value) = T::spelled(text) {
        assert_eq!(value.to_string(), text);
        more(value);
    }
}

/// What a value is written as is read back as the same value.
fn some_spelling<T: Spelled + Display + Debug + PartialEq>(text: &str, more: impl Fn(T)) {
    if let Ok(value) = T::spelled(text) {
        let written = value.to_string();
        assert_eq!(T::spelled(&written).as_ref(), Ok(&value), "{written}");
        more(value);
    }
}

//! Records as the histories use them, and their texts on the wire.

use std::fmt;

use invoice_core::calendar::{Date, Instant};
use invoice_core::identity::DocumentKey;
use invoice_core::money::Fen;
use invoice_core::read::Spelled;
use invoice_core::record::{ClaimKind, Component};

use crate::common::id_of;

/// The numbers that documents and aliases bear: a family of numbering and a running number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(pub(crate) char, pub(crate) u32);

impl Key {
    fn parts(self) -> (&'static str, String) {
        match self.0 {
            'D' => ("", format!("264420{:014}", self.1)),
            'P' => ("3300194130", format!("{:08}", self.1)),
            _ => ("33060122", format!("{:010}", self.1)),
        }
    }

    pub(crate) fn core(self) -> DocumentKey {
        DocumentKey::spelled(&self.to_string()).expect("a key")
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, number) = self.parts();
        let dash = if code.is_empty() { "" } else { "-" };
        write!(f, "{}:{code}{dash}{number}", self.0)
    }
}

/// The payment split of a medical document, in fen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) fund: i64,
    pub(crate) account: i64,
    pub(crate) cash: i64,
    pub(crate) self_pay: i64,
    pub(crate) self_fund: i64,
}

/// What a document says, amounts in fen, dates in days since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Paper {
    pub(crate) key: Key,
    /// Whose name stands on it as the issuer's.
    pub(crate) issuer: usize,
    pub(crate) buyer: Option<usize>,
    pub(crate) without_tax: i64,
    pub(crate) tax: i64,
    pub(crate) split: Option<Split>,
    pub(crate) issued_on: i32,
}

impl Paper {
    pub(crate) fn is_bill(&self) -> bool {
        self.key.0 == 'F'
    }

    pub(crate) fn total(&self) -> i64 {
        self.without_tax + self.tax
    }
}

/// What a record wants. Claims are named by the number of the lock's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Issue(Paper),
    Register(Paper),
    Quota {
        member: usize,
        month: i32,
        amount: i64,
    },
    Reverse {
        document: Key,
        amount: i64,
        whole: bool,
        red: Option<Key>,
    },
    Confirm {
        document: Key,
        amount: i64,
    },
    Freeze {
        document: Key,
        on: bool,
    },
    Alias {
        document: Key,
        alias: Key,
    },
    Grant {
        document: Key,
        to: usize,
        amount: i64,
    },
    Lock {
        document: Key,
        amount: Option<i64>,
        kind: ClaimKind,
        component: Component,
        expires: i64,
    },
    Settle {
        claim: u32,
        amount: i64,
        booked_on: i32,
    },
    Release {
        claim: u32,
    },
    TakeBack {
        claim: u32,
        amount: i64,
    },
}

fn yuan(fen: i64) -> Fen {
    Fen::new(fen)
}

fn date(days: i32) -> Date {
    Date::from_days(days).expect("a date")
}

/// The text of a record.
pub(crate) fn text(by: usize, id: u32, op: &Op) -> String {
    let (word, body) = match op {
        Op::Issue(paper) if paper.is_bill() => ("bill.issue", document(paper)),
        Op::Issue(paper) => ("invoice.issue", document(paper)),
        Op::Register(paper) => {
            let sm3 = "5a".repeat(32);
            let original = format!(r#","original":{{"sm3":"{sm3}","format":"ofd"}}"#);
            ("document.register", document(paper) + &original)
        }
        Op::Quota {
            member,
            month,
            amount,
        } => {
            let (year, month) = (month / 12, month % 12 + 1);
            let body = format!(
                r#""member":"{}","month":"{year:04}-{month:02}","amount":"{}""#,
                id_of(*member),
                yuan(*amount)
            );
            ("quota.set", body)
        }
        Op::Reverse {
            document,
            amount,
            whole,
            red,
        } => {
            let reason = if *whole { "01" } else { "02" };
            let red = red.map_or(String::new(), |red| {
                format!(r#","red_number":"{}""#, red.parts().1)
            });
            let amount = yuan(*amount);
            let body =
                format!(r#""document":"{document}","amount":"{amount}","reason":"{reason}"{red}"#);
            ("document.reverse", body)
        }
        Op::Confirm { document, amount } => {
            let body = format!(r#""document":"{document}","amount":"{}""#, yuan(*amount));
            ("document.confirm_reversal", body)
        }
        Op::Freeze { document, on } => {
            let word = if *on {
                "document.freeze"
            } else {
                "document.unfreeze"
            };
            (word, format!(r#""document":"{document}","reason":"r""#))
        }
        Op::Alias { document, alias } => {
            let body = format!(r#""document":"{document}","alias":"{alias}""#);
            ("document.alias", body)
        }
        Op::Grant {
            document,
            to,
            amount,
        } => {
            let (to, amount) = (id_of(*to), yuan(*amount));
            let body = format!(r#""document":"{document}","to":"{to}","amount":"{amount}""#);
            ("share.grant", body)
        }
        Op::Lock {
            document,
            amount,
            kind,
            component,
            expires,
        } => {
            let amount = amount.map_or(String::new(), |amount| {
                format!(r#""amount":"{}","#, yuan(amount))
            });
            let expires = Instant::from_ms(*expires);
            let body = format!(
                r#""document":"{document}",{amount}"kind":"{kind}","component":"{component}","reference":"r","expires_at":"{expires}""#
            );
            ("claim.lock", body)
        }
        Op::Settle {
            claim,
            amount,
            booked_on,
        } => {
            let body = format!(
                r#""claim":"r{claim}","amount":"{}","voucher":"v","booked_on":"{}","booking":"02""#,
                yuan(*amount),
                date(*booked_on)
            );
            ("claim.settle", body)
        }
        Op::Release { claim } => (
            "claim.release",
            format!(r#""claim":"r{claim}","reason":"r""#),
        ),
        Op::TakeBack { claim, amount } => {
            let body = format!(
                r#""claim":"r{claim}","amount":"{}","reason":"r""#,
                yuan(*amount)
            );
            ("claim.reverse", body)
        }
    };
    let by = id_of(by);
    format!(
        r#"{{"type":"{word}","id":"r{id}","by":"{by}","at":"2026-11-21T12:00:00+08:00",{body}}}"#
    )
}

fn document(paper: &Paper) -> String {
    let (code, number) = paper.key.parts();
    let (issuer, day) = (id_of(paper.issuer), date(paper.issued_on));
    let total = yuan(paper.total());
    let payment = paper.split.map_or(String::new(), |split| {
        let Split { fund, account, cash, self_pay, self_fund } = split;
        let [fund, account, cash] = [fund, account, cash].map(yuan);
        let (pay, own) = (yuan(self_pay), yuan(self_fund));
        format!(
            r#","payment":{{"fund":"{fund}","other":"0.00","account":"{account}","cash":"{cash}","self_pay":"{pay}","self_fund":"{own}"}}"#
        )
    });
    if paper.is_bill() {
        return format!(
            r#""bill":{{"code":"{code}","number":"{number}","check_code":"a1B2c3","issue_date":"{day}","issuer":{{"id":"{issuer}","name":"h"}},"visit":"outpatient","items":[{{"name":"i","amount":"{total}"}}],"total":"{total}"{payment}}}"#
        );
    }
    let (amount, tax) = (yuan(paper.without_tax), yuan(paper.tax));
    let buyer = paper.buyer.map_or(String::new(), |buyer| {
        format!(r#""id":"{}","#, id_of(buyer))
    });
    format!(
        r#""invoice":{{"number":"{number}","kind":"82","issue_date":"{day}","seller":{{"id":"{issuer}","name":"s"}},"buyer":{{{buyer}"name":"b"}},"lines":[{{"name":"l","amount":"{amount}","tax_rate":"0.06","tax":"{tax}"}}],"total_without_tax":"{amount}","total_tax":"{tax}","total":"{total}"{payment}}}"#
    )
}

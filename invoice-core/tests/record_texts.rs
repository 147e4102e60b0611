//! Records written by this library are read back equal, whatever they say.

use invoice_core::calendar::{Date, Instant, Month};
use invoice_core::crypto::{Hash, Kid, SecretKey};
use invoice_core::decimal::DecimalText;
use invoice_core::identity::{Digits, DocumentKey, MemberId, PaperCode, RecordId};
use invoice_core::invoice::{InvoiceKind, Line, Payment, TaxRate};
use invoice_core::money::Fen;
use invoice_core::record::*;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

fn member() -> impl Strategy<Value = MemberId> {
    "[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{9}".prop_map(|first| {
        let check = MemberId::check_character(&first).unwrap();
        format!("{first}{check}").parse().unwrap()
    })
}

fn words() -> impl Strategy<Value = String> {
    "[A-Za-z0-9一-龥\"\\\\/*（）]{1,40}"
}

fn positive() -> impl Strategy<Value = Fen> {
    (1..=100_000_000_i64).prop_map(Fen::new)
}

fn instant() -> impl Strategy<Value = Instant> {
    (0..4_000_000_000_000_i64).prop_map(Instant::from_ms)
}

fn date() -> impl Strategy<Value = Date> {
    // From the day on which the rates of today came into force.
    (17_987..30_000_i32).prop_map(|days| Date::from_days(days).unwrap())
}

fn record_id() -> impl Strategy<Value = RecordId> {
    "[A-Za-z0-9-]{1,64}".prop_map(|id| id.parse().unwrap())
}

fn digits<const N: usize>() -> impl Strategy<Value = Digits<N>> {
    proptest::collection::vec(b'0'..=b'9', N)
        .prop_map(|digits| Digits::from_bytes(&digits).unwrap())
}

fn key() -> impl Strategy<Value = DocumentKey> {
    prop_oneof![
        digits().prop_map(DocumentKey::Digital),
        (digits(), digits()).prop_map(|(code, number)| DocumentKey::Paper {
            code: PaperCode::Ten(code),
            number
        }),
        (digits(), digits()).prop_map(|(code, number)| DocumentKey::Paper {
            code: PaperCode::Twelve(code),
            number
        }),
        (digits(), digits()).prop_map(|(code, number)| DocumentKey::Fiscal { code, number }),
    ]
}

fn party() -> impl Strategy<Value = Party> {
    (member(), words()).prop_map(|(id, name)| Party { id, name })
}

fn buyer() -> impl Strategy<Value = Buyer> {
    let id = prop_oneof![
        member()
            .prop_filter("not a person's number", |id| {
                !invoice_core::identity::is_resident_id(id.as_str())
            })
            .prop_map(BuyerId::Organisation),
        "[0-9A-Z]{15}".prop_map(|number| number.parse().unwrap()),
    ];
    (of(id), words()).prop_map(|(id, name)| Buyer { id, name })
}

fn kind_and_key() -> impl Strategy<Value = (InvoiceKind, DocumentKey)> {
    (
        select(InvoiceKind::ALL),
        digits::<20>(),
        digits::<10>(),
        digits::<8>(),
    )
        .prop_map(|(kind, digital, code, number)| {
            let key = kind
                .key(None, digital.as_str())
                .or_else(|_| kind.key(Some(code.as_str()), number.as_str()))
                .or_else(|_| kind.key(Some(&format!("14{code}")), number.as_str()));
            (kind, key.unwrap())
        })
}

/// A line at 1, with quantity and price where asked, then its discount.
fn lines() -> impl Strategy<Value = Vec<Line>> {
    let rate = select(vec![
        "0.13",
        "0.09",
        "0.06",
        "0.03",
        "0",
        "免税",
        "不征税",
        "***",
    ]);
    let line = (
        words(),
        of(words()),
        100..=10_000_000_i64,
        rate,
        any::<bool>(),
        of(1..100_i64),
    );
    proptest::collection::vec(line, 1..6).prop_map(|lines| {
        lines
            .into_iter()
            .flat_map(|(name, spec, fen, rate, priced, discount)| {
                let rate: TaxRate = rate.parse().unwrap();
                let amount = Fen::new(fen);
                let line = Line {
                    name,
                    spec,
                    unit: priced.then(|| "件".to_owned()),
                    quantity: priced.then(|| "1.0".parse::<DecimalText>().unwrap()),
                    unit_price: priced.then(|| amount.to_string().parse().unwrap()),
                    amount,
                    tax_rate: rate,
                    tax: tax(rate, fen),
                    tax_code: priced.then(|| "3040201000000000000".to_owned()),
                };
                let off = discount.map(|percent| {
                    let fen = -fen * percent / 100;
                    Line {
                        unit: None,
                        quantity: None,
                        unit_price: None,
                        amount: Fen::new(fen),
                        tax: tax(rate, fen),
                        ..line.clone()
                    }
                });
                [Some(line), off.filter(|line| line.amount.is_negative())]
                    .into_iter()
                    .flatten()
            })
            .collect()
    })
}

fn tax(rate: TaxRate, fen: i64) -> Fen {
    match rate {
        TaxRate::Fraction(millionths) => Fen::new(fen * i64::from(millionths) / 1_000_000),
        TaxRate::Exempt | TaxRate::NotTaxable | TaxRate::Starred => Fen::ZERO,
    }
}

fn payment_of(total: Fen, fund: u8, account: u8, own: u8) -> Payment {
    let part = |whole: i64, of: u8| whole * i64::from(of) / 255;
    let fund = part(total.get(), fund);
    let borne = total.get() - fund;
    let (account, self_pay) = (part(borne, account), part(borne, own));
    Payment {
        fund: Fen::new(fund),
        other: Fen::ZERO,
        account: Fen::new(account),
        cash: Fen::new(borne - account),
        self_pay: Fen::new(self_pay),
        self_fund: Fen::new(borne - self_pay),
    }
}

fn sealed() -> impl Strategy<Value = Sealed> {
    (
        any::<[u8; 12]>(),
        proptest::collection::vec(any::<u8>(), 16..200),
        any::<[u8; 16]>(),
        any::<[u8; 32]>(),
    )
        .prop_map(|(nonce, ciphertext, kid, root)| Sealed {
            nonce,
            ciphertext,
            wraps: vec![Wrap {
                kid: Kid::new(kid),
                key: vec![0x30, 3, 2, 1, 1],
            }],
            root: Hash::new(root),
        })
}

fn invoice() -> impl Strategy<Value = Body> {
    (
        kind_and_key(),
        date(),
        party(),
        buyer(),
        lines(),
        of(any::<[u8; 3]>()),
        of(sealed()),
        of("[a-z一-龥\n]{0,50}x"),
    )
        .prop_map(
            |((kind, key), issue_date, seller, buyer, lines, split, sealed, note)| {
                let total_without_tax =
                    Fen::checked_sum(lines.iter().map(|line| line.amount)).unwrap();
                let total_tax = Fen::checked_sum(lines.iter().map(|line| line.tax)).unwrap();
                let total = total_without_tax.checked_add(total_tax).unwrap();
                let payment =
                    split.map(|[fund, account, own]| payment_of(total, fund, account, own));
                let invoice = Invoice {
                    key,
                    kind,
                    issue_date,
                    seller,
                    buyer,
                    lines,
                    total_without_tax,
                    total_tax,
                    total,
                    payment,
                    sealed,
                    note,
                };
                Body::InvoiceIssue(InvoiceIssue { invoice })
            },
        )
}

fn bill() -> impl Strategy<Value = Body> {
    let item = (of("[0-9]{2,6}"), words(), positive()).prop_map(|(code, name, amount)| Item {
        code,
        name,
        amount,
    });
    let items = proptest::collection::vec(item, 1..8);
    let check = "[0-9A-Za-z]{6}".prop_map(|code| code.parse::<CheckCode>().unwrap());
    (
        digits(),
        digits(),
        check,
        date(),
        party(),
        select(Visit::ALL),
        items,
        any::<[u8; 3]>(),
        of(sealed()),
    )
        .prop_map(
            |(
                code,
                number,
                check_code,
                issue_date,
                issuer,
                visit,
                items,
                [fund, account, own],
                sealed,
            )| {
                let total = Fen::checked_sum(items.iter().map(|item| item.amount)).unwrap();
                let key = DocumentKey::Fiscal { code, number };
                let payment = payment_of(total, fund, account, own);
                Body::BillIssue(BillIssue {
                    bill: Bill {
                        key,
                        check_code,
                        issue_date,
                        issuer,
                        visit,
                        items,
                        total,
                        payment,
                        sealed,
                    },
                })
            },
        )
}

fn register() -> impl Strategy<Value = Body> {
    let document = prop_oneof![invoice(), bill()].prop_map(|body| {
        if let Body::InvoiceIssue(issue) = body {
            Registered::Invoice(Box::new(issue.invoice))
        } else if let Body::BillIssue(issue) = body {
            Registered::Bill(Box::new(issue.bill))
        } else {
            unreachable!("an invoice or a bill")
        }
    });
    let original = (
        any::<[u8; 32]>(),
        select(OriginalFormat::ALL),
        of(select(OriginalSignature::ALL)),
    );
    (document, original).prop_map(|(document, (sm3, format, signature))| {
        let original = Original {
            sm3: Hash::new(sm3),
            format,
            signature,
        };
        Body::DocumentRegister(DocumentRegister { document, original })
    })
}

fn new_key() -> impl Strategy<Value = NewKey> {
    (1..=255_u8, of(instant())).prop_map(|(seed, not_after)| NewKey {
        public_key: SecretKey::from_bytes(&[seed.min(254); 32])
            .unwrap()
            .public_key()
            .clone(),
        not_after,
    })
}

fn membership() -> impl Strategy<Value = Body> {
    let roles = proptest::collection::vec(select(Role::ALL), 1..4).prop_map(RoleSet::from_iter);
    let month =
        (2000..2100_i32, 1..=12_u32).prop_map(|(year, month)| Month::new(year, month).unwrap());
    prop_oneof![
        (member(), words(), roles, new_key()).prop_map(|(id, name, roles, key)| Body::MemberAdmit(
            MemberAdmit {
                member: NewMember { id, name, roles },
                key
            }
        )),
        (member(), words())
            .prop_map(|(member, reason)| Body::MemberSuspend(MemberSuspend { member, reason })),
        (member(), words())
            .prop_map(|(member, reason)| Body::MemberResume(MemberResume { member, reason })),
        (member(), new_key(), of(words())).prop_map(|(member, key, reason)| Body::KeyAdd(KeyAdd {
            member,
            key,
            reason
        })),
        (member(), any::<[u8; 16]>(), of(words())).prop_map(|(member, kid, reason)| {
            Body::KeyRevoke(KeyRevoke {
                member,
                kid: Kid::new(kid),
                reason,
            })
        }),
        (member(), month, positive()).prop_map(|(member, month, amount)| Body::QuotaSet(
            QuotaSet {
                member,
                month,
                amount
            }
        )),
    ]
}

fn about_documents() -> impl Strategy<Value = Body> {
    let red = of(digits().prop_map(RedNumber));
    prop_oneof![
        (key(), positive(), select(ReversalReason::ALL), red).prop_map(
            |(document, amount, reason, red_number)| Body::DocumentReverse(DocumentReverse {
                document,
                amount,
                reason,
                red_number
            })
        ),
        (key(), positive()).prop_map(|(document, amount)| Body::ConfirmReversal(ConfirmReversal {
            document,
            amount
        })),
        (key(), words()).prop_map(|(document, reason)| Body::DocumentFreeze(DocumentFreeze {
            document,
            reason
        })),
        (key(), words()).prop_map(
            |(document, reason)| Body::DocumentUnfreeze(DocumentUnfreeze { document, reason })
        ),
        (key(), key())
            .prop_filter("two keys", |(one, other)| one != other)
            .prop_map(|(document, alias)| Body::DocumentAlias(DocumentAlias { document, alias })),
        (key(), member(), positive()).prop_map(|(document, to, amount)| Body::ShareGrant(
            ShareGrant {
                document,
                to,
                amount
            }
        )),
    ]
}

fn claims() -> impl Strategy<Value = Body> {
    prop_oneof![
        (
            key(),
            of(positive()),
            select(ClaimKind::ALL),
            select(Component::ALL),
            words(),
            instant()
        )
            .prop_map(
                |(document, amount, kind, component, reference, expires_at)| {
                    let amount = amount.map(|amount| {
                        if kind == ClaimKind::Reference {
                            Fen::ZERO
                        } else {
                            amount
                        }
                    });
                    Body::ClaimLock(ClaimLock {
                        document,
                        amount,
                        kind,
                        component,
                        reference,
                        expires_at,
                    })
                }
            ),
        (
            record_id(),
            positive(),
            words(),
            date(),
            select(Booking::ALL)
        )
            .prop_map(
                |(claim, amount, voucher, booked_on, booking)| Body::ClaimSettle(ClaimSettle {
                    claim,
                    amount,
                    voucher,
                    booked_on,
                    booking
                })
            ),
        (record_id(), words())
            .prop_map(|(claim, reason)| Body::ClaimRelease(ClaimRelease { claim, reason })),
        (record_id(), positive(), words()).prop_map(|(claim, amount, reason)| Body::ClaimReverse(
            ClaimReverse {
                claim,
                amount,
                reason
            }
        )),
    ]
}

fn record() -> impl Strategy<Value = Record> {
    let body = prop_oneof![
        invoice(),
        bill(),
        register(),
        membership(),
        about_documents(),
        claims()
    ];
    (record_id(), member(), instant(), body).prop_map(|(id, by, at, body)| Record {
        id,
        by,
        at,
        body,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_record_is_read_back_as_it_was_written(record in record()) {
        let text = record.to_json();
        let parsed = parse_record(text.as_bytes());
        prop_assert!(parsed.is_ok(), "{text} {parsed:?}");
        let parsed = parsed.unwrap();
        prop_assert_eq!(parsed.record_type, record.record_type());
        prop_assert_eq!(parsed.record.as_ref(), Ok(&record), "{}", text);
    }

    #[test]
    fn no_change_of_one_byte_breaks_the_reader(record in record(), place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = record.to_json().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        let _ = parse_record(&bytes);
    }
}

//! The link of any document fits into a code that a phone reads from paper.

use invoice_core::calendar::Date;
use invoice_core::crypto::{SecretKey, SecretKeySigner, Signer as _};
use invoice_core::identity::DocumentKey;
use invoice_core::money::Fen;
use invoice_core::paper_link::{PAPER_BASE_BYTES_MAX, PaperLink, Stamp};
use invoice_core::read::Spelled as _;
use invoice_core::record::CheckCode;
use print::{QR_VERSION_MAX, QrCode};
use proptest::prelude::*;

fn keys() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{20}".prop_map(|number| format!("D:{number}")),
        ("[0-9]{12}", "[0-9]{8}").prop_map(|(code, number)| format!("P:{code}-{number}")),
        ("[0-9]{8}", "[0-9]{10}").prop_map(|(code, number)| format!("F:{code}-{number}")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_longest_links_fit(
        key in keys(),
        host in "[a-z]{32}",
        check_code in "[0-9A-Za-z]{6}",
        digest in any::<[u8; 16]>(),
        index in 1_u64 << 60..=u64::MAX,
        secret in 1_u8..255,
    ) {
        let base = format!("https://{host}.gov.cn");
        let base = format!("{base}{}", "x".repeat(PAPER_BASE_BYTES_MAX - base.len()));
        prop_assert_eq!(base.len(), PAPER_BASE_BYTES_MAX);
        let document = DocumentKey::spelled(&key).unwrap();
        let mut link = PaperLink {
            document,
            amount: Fen::MAX,
            date: Date::new(2026, 12, 31).unwrap(),
            check_code: key.starts_with('F').then(|| CheckCode::spelled(&check_code).unwrap()),
            digest,
            index,
            stamp: None,
        };
        let signer = SecretKeySigner::new(SecretKey::from_bytes(&[secret; 32]).unwrap());
        let signature = signer.sign(&link.message(&"sz-2026".parse().unwrap())).unwrap();
        link.stamp = Some(Stamp::new(&signer.public_key().kid(), signature));
        let url = link.to_url(&base);
        let code = QrCode::new(&url).unwrap();
        prop_assert!(code.version() <= QR_VERSION_MAX && code.width() <= 57);
        prop_assert_eq!(PaperLink::parse(&url), Ok(link));
    }
}

//! Records: one that breaks no rule is written and read back equal, with the same fingerprint.

use invoice_core::qr::{self, QrText};
use invoice_core::record::{Body, Fingerprint, RECORD_BYTES_MAX, Record, parse_record, peek_id};

pub(crate) fn run(bytes: &[u8]) {
    let parsed = match parse_record(bytes) {
        Ok(parsed) => parsed,
        Err(errors) => {
            assert!(!errors.is_empty(), "a refusal names its reason");
            return;
        }
    };
    assert_eq!(peek_id(bytes).as_deref(), Some(&*parsed.id));
    let record = match &parsed.record {
        Ok(record) => record,
        Err(violations) => {
            assert!(!violations.is_empty(), "a refusal names its reason");
            return;
        }
    };
    assert_eq!(record.record_type(), parsed.record_type);
    assert_eq!(record.id.as_str(), parsed.id);
    assert_eq!(Ok(record.by), parsed.signer());
    let written = record.to_json();
    if written.len() <= RECORD_BYTES_MAX {
        let again = parse_record(written.as_bytes()).expect("what is written has the right shape");
        assert_eq!(again.record.as_ref(), Ok(record), "{written}");
        assert_eq!(again.claims_kind, parsed.claims_kind);
        assert_eq!(again.stated_issuer, parsed.stated_issuer);
        if let Ok(again) = &again.record {
            assert_eq!(again.to_json(), written);
            assert_eq!(fingerprint(again), fingerprint(record));
        }
    }
    if let Body::InvoiceIssue(body) = &record.body
        && let Some(text) = QrText::of_invoice(&body.invoice)
    {
        assert_eq!(qr::parse(&text.to_string()), Ok(text));
    }
}

fn fingerprint(record: &Record) -> Option<Fingerprint> {
    if let Body::InvoiceIssue(body) = &record.body {
        Some(body.invoice.fingerprint())
    } else if let Body::BillIssue(body) = &record.body {
        Some(body.bill.fingerprint())
    } else {
        None
    }
}

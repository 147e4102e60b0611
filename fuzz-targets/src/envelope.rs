//! Envelopes: the records in them are parts of the body, and both readers agree.

use invoice_core::record::{
    BATCH_RECORDS_MAX, Contents, parse_envelope, parse_open_envelope, parse_record,
};

pub(crate) fn run(bytes: &[u8]) {
    let (signed, open) = (parse_envelope(bytes), parse_open_envelope(bytes));
    match (&signed, &open) {
        (Ok(signed), Ok(open)) => {
            assert_eq!(Some(&signed.kid), open.kid.as_ref());
            assert_eq!(Some(&signed.sig), open.sig.as_ref());
            assert_eq!(signed.contents, open.contents);
        }
        (Ok(_), Err(errors)) => panic!("a signed envelope is an open one: {errors:?}"),
        (Err(errors), _) => assert!(!errors.is_empty(), "a refusal names its reason"),
    }
    let Ok(open) = open else { return };
    if open.kid.is_some() && open.sig.is_some() {
        assert!(signed.is_ok());
    }
    let records = open.contents.records();
    assert!((1..=BATCH_RECORDS_MAX).contains(&records.len()));
    let mut from = bytes.as_ptr_range().start;
    for record in records {
        let range = record.as_ptr_range();
        assert!(from <= range.start && range.end <= bytes.as_ptr_range().end);
        from = range.end;
        // Any shape is a good envelope's; reading it must only not break.
        let _ = parse_record(record);
    }
    if let Contents::One(_) = open.contents {
        assert_eq!(records.len(), 1);
    }
}

//! Files of documents: XML, OFD, PDF, zip, pictures and texts of QR codes.

use invoice_core::calendar::Instant;
use invoice_core::crypto::sm3;
use invoice_core::identity::DocumentKey;
use invoice_core::read::deceives;
use invoice_core::record::{
    Body, DocumentRegister, Original, OriginalFormat, Record, parse_record,
};
use papers::{Limits, Paper, Supplement, read};

/// Warnings of one document at most.
const WARNINGS_MAX: usize = 100;

pub(crate) fn run(bytes: &[u8]) {
    let limits = Limits::default();
    let Ok(reading) = read(bytes, &limits) else {
        return;
    };
    assert_eq!(read(bytes, &limits).as_ref(), Ok(&reading));
    assert!(reading.spent.inflated_bytes <= limits.inflated_bytes);
    assert!(reading.spent.xml_elements <= limits.xml_elements);
    assert!(reading.spent.pdf_bytes <= limits.pdf_bytes);
    assert!(reading.spent.pixels <= limits.image_pixels);
    assert!(reading.spent.qr_visits <= limits.qr_visits);
    assert!((1..=limits.documents).contains(&reading.papers.len()));
    for paper in &reading.papers {
        judge(bytes, paper);
    }
}

fn judge(bytes: &[u8], paper: &Paper) {
    let key = paper.document.to_string();
    assert_eq!(key.parse::<DocumentKey>(), Ok(paper.document));
    assert!(paper.warnings.len() <= WARNINGS_MAX);
    assert!(!paper.seal.trusted, "nobody was given as trusted");
    for text in [&paper.seller.name, &paper.buyer.name] {
        assert!(!text.iter().any(|text| text.chars().any(deceives)));
    }
    let note = paper.note.as_deref().unwrap_or_default();
    assert!(!note.chars().any(|c| c != '\n' && deceives(c)));
    let Ok(document) = paper.to_registered(Supplement::default()) else {
        return;
    };
    let (Ok(id), Ok(by)) = ("r".parse(), "91330000142942095H".parse()) else {
        unreachable!("both are well spelt")
    };
    let record = Record {
        id,
        by,
        at: Instant::from_ms(0),
        body: Body::DocumentRegister(DocumentRegister {
            document,
            original: Original {
                sm3: sm3(&[bytes]),
                format: OriginalFormat::Ofd,
                signature: Some(paper.original_signature()),
            },
        }),
    };
    // Its values may break rules; its shape is always right, unless it is too long.
    let text = record.to_json();
    match parse_record(text.as_bytes()) {
        Ok(parsed) => {
            if let Ok(read) = parsed.record {
                assert_eq!(read, record);
            }
        }
        Err(errors) => assert_eq!(errors[0].code.code(), "record_too_large", "{text}"),
    }
}

//! What is printed is read again, by the crate that reads the files of others.

use invoice_core::record::{Document, Fingerprint};
use papers::{Format, Limits, Paper, SealState, Tier, read};
use print::QrCode;

use super::{laid_out, papers as records};

fn one(file: &[u8]) -> (Format, Paper) {
    let reading = read(file, &Limits::default()).unwrap();
    let [paper] = &reading.papers[..] else {
        panic!("{reading:?}")
    };
    (reading.format, paper.clone())
}

#[test]
fn an_invoice_comes_back_from_ofd_and_pdf_with_every_line() {
    let record = records::invoice(30, |_| {});
    let layout = laid_out(&record);
    for (file, format) in [
        (layout.ofd().unwrap(), Format::Ofd),
        (layout.pdf().unwrap(), Format::Pdf),
    ] {
        let (found, paper) = one(&file);
        assert_eq!((found, paper.tier), (format, Tier::Attachment));
        assert_eq!(paper.document.to_string(), "D:26332000000012345678");
        assert_eq!(paper.amount.to_string(), "3180.00");
        assert_eq!(paper.total_tax.unwrap().to_string(), "180.00");
        assert_eq!(paper.date.to_string(), "2026-11-20");
        assert_eq!(paper.seller.id.as_deref(), Some("91330100MA0000003M"));
        assert_eq!(paper.buyer.name.as_deref(), Some("福建某某贸易有限公司"));
        assert_eq!(paper.lines.len(), 30);
        assert_eq!(paper.lines[29].name, "*信息技术服务*软件维护30");
        assert_eq!(paper.lines[29].tax_rate.as_deref(), Some("0.06"));
        assert_eq!(paper.seal.state, SealState::Absent);
    }
}

#[test]
fn a_bill_comes_back_from_ofd_and_pdf_with_its_check_code() {
    let layout = laid_out(&records::bill(7, "inpatient"));
    for file in [layout.ofd().unwrap(), layout.pdf().unwrap()] {
        let (_, paper) = one(&file);
        assert_eq!(paper.document.to_string(), "F:33060226-0000012345");
        assert_eq!(paper.amount.to_string(), "700.00");
        assert_eq!(paper.check_code.as_deref(), Some("a1B2c3"));
        assert_eq!(paper.lines.len(), 7);
        let payment = paper.payment.unwrap();
        assert_eq!(payment.fund.unwrap().to_string(), "350.00");
    }
}

/// What a document means, whoever recorded it.
fn fingerprint(document: Document<'_>) -> Fingerprint {
    match document {
        Document::Invoice(invoice) => invoice.fingerprint(),
        Document::Bill(bill) => bill.fingerprint(),
    }
}

/// The record that registers what a file says.
fn registered(file: &[u8]) -> invoice_core::record::Registered {
    let (_, paper) = one(file);
    assert!(paper.warnings.is_empty(), "{:?}", paper.warnings);
    paper.to_registered(papers::Supplement::default()).unwrap()
}

#[test]
fn what_is_printed_registers_as_what_was_recorded() {
    let medical = records::invoice(2, |invoice| {
        invoice["kind"] = "82".into();
        invoice["note"] = "第一行\n第二行".into();
        invoice["lines"][0]["tax_code"] = "3040201010000000000".into();
        invoice["payment"] = serde_json::json!({
            "fund": "150.00", "other": "0.00", "account": "12.00", "cash": "50.00",
            "self_pay": "50.00", "self_fund": "12.00",
        });
    });
    for record in [
        medical,
        records::bill(3, "inpatient"),
        records::bill(3, "outpatient"),
    ] {
        let parsed = invoice_core::record::parse_record(record.as_bytes()).unwrap();
        let body = parsed.record.unwrap().body;
        let due = fingerprint(body.issued().unwrap());
        let layout = laid_out(&record);
        for file in [layout.ofd().unwrap(), layout.pdf().unwrap()] {
            assert_eq!(fingerprint(registered(&file).as_document()), due);
        }
        // The XML of the OFD alone, which other programs read, says the same.
        let mut archive =
            zip::ZipArchive::new(std::io::Cursor::new(layout.ofd().unwrap())).unwrap();
        let mut xml = Vec::new();
        let mut entry = archive
            .by_name("Doc_0/Attachs/original_invoice.xml")
            .unwrap();
        std::io::Read::read_to_end(&mut entry, &mut xml).unwrap();
        assert_eq!(one(&xml).1.tier, Tier::Xml);
        let (_, paper) = one(&xml);
        let supplement = papers::Supplement::default();
        let again = paper.to_registered(supplement).unwrap();
        assert_eq!(
            fingerprint(again.as_document()),
            due,
            "{}",
            String::from_utf8_lossy(&xml)
        );
    }
}

#[test]
fn a_photo_of_the_code_is_enough() {
    let code = QrCode::new(records::LINK).unwrap();
    let (format, paper) = one(&code.png(6).unwrap());
    assert_eq!((format, paper.tier), (Format::QrImage, Tier::Qr));
    assert_eq!(paper.document.to_string(), "D:26332000000012345678");
    assert_eq!(paper.amount.to_string(), "16960.00");
}

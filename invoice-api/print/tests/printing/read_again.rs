//! What is printed is read again, by the crate that reads the files of others.

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

#[test]
fn a_photo_of_the_code_is_enough() {
    let code = QrCode::new(records::LINK).unwrap();
    let (format, paper) = one(&code.png(6).unwrap());
    assert_eq!((format, paper.tier), (Format::QrImage, Tier::Qr));
    assert_eq!(paper.document.to_string(), "D:26332000000012345678");
    assert_eq!(paper.amount.to_string(), "16960.00");
}

use super::*;

/// After the sample of the Ministry of Finance for fully digital invoices, version 0.31.
const DIGITAL: &str = r#"<?xml version="1.0" encoding="utf-8" standalone="yes"?>
<EInvoice>
  <Header><EIid>24442000000000000016</EIid><EInvoiceTag>SWEI4400</EInvoiceTag></Header>
  <EInvoiceData>
    <SellerInformation><SellerName>A &amp; B</SellerName></SellerInformation>
    <BasicInformation>
      <TotalAmWithoutTax>15841.58</TotalAmWithoutTax>
      <TotalTaxAm>158.42</TotalTaxAm>
      <TotalTax-includedAmount>16000.00</TotalTax-includedAmount>
      <RequestTime>2024-01-24 16:23:48</RequestTime>
    </BasicInformation>
    <IssuItemInformation>
      <TotaltaxIncludedAmount>99.00</TotaltaxIncludedAmount>
    </IssuItemInformation>
    <SpecificInformation/>
  </EInvoiceData>
  <TaxSupervisionInfo>
    <InvoiceNumber>24442000000000000016</InvoiceNumber>
    <IssueTime>2024-01-24</IssueTime>
  </TaxSupervisionInfo>
</EInvoice>"#;

const FISCAL: &str = "<EInvoice><Header><EInvoiceTag>CZ-EI-33</EInvoiceTag></Header>\
    <EInvoiceData><Main><EInvoiceCode>33060122</EInvoiceCode>\
    <EInvoiceNumber>0000000017</EInvoiceNumber><RandomNumber>a1B2c3</RandomNumber>\
    <TotalAmount>133.0000</TotalAmount><IssueDate>20240124</IssueDate></Main></EInvoiceData>\
    </EInvoice>";

#[test]
fn a_fully_digital_invoice_is_read_by_full_paths() {
    let read = read(DIGITAL.as_bytes()).unwrap();
    assert_eq!(read.document.to_string(), "D:24442000000000000016");
    assert_eq!(read.amount.to_string(), "16000.00");
    assert_eq!(read.date.to_string(), "2024-01-24");
    assert_eq!(read.check_code, None);
    let with_time = DIGITAL.replace("<IssueTime>2024-01-24<", "<IssueTime>2024-01-24 10:00:00<");
    assert_eq!(super::read(with_time.as_bytes()).unwrap(), read);
    let with_mark = format!("\u{feff}{DIGITAL}");
    assert_eq!(super::read(with_mark.as_bytes()).unwrap(), read);
}

#[test]
fn a_fiscal_bill_is_read_with_its_check_code() {
    let read = read(FISCAL.as_bytes()).unwrap();
    assert_eq!(read.document.to_string(), "F:33060122-0000000017");
    assert_eq!(read.amount.to_string(), "133.00");
    assert_eq!(read.date.to_string(), "2024-01-24");
    assert_eq!(read.check_code.as_deref(), Some("a1B2c3"));
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    let digital = |from: &str, to: &str| DIGITAL.replacen(from, to, 1);
    let amount = "<TotalTax-includedAmount>16000.00</TotalTax-includedAmount>";
    let entity = "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><EInvoice>";
    let main = "<EInvoiceData><Main><EInvoiceCode>33060122</EInvoiceCode></Main>";
    for (name, text, error) in [
        ("nothing", String::new(), XmlError::Malformed),
        ("no XML", "20240124".into(), XmlError::Malformed),
        (
            "another root",
            digital("<EInvoice>", "<Einvoice>"),
            XmlError::Malformed,
        ),
        ("another document", "<a><b/></a>".into(), XmlError::Unknown),
        (
            "cut short",
            DIGITAL[..DIGITAL.len() - 4].into(),
            XmlError::Malformed,
        ),
        (
            "a document type",
            digital("<EInvoice>", entity),
            XmlError::Entities,
        ),
        ("an entity", digital("A &amp; B", "&x;"), XmlError::Entities),
        (
            "a reference in a value",
            digital("16000.00", "16000.0&#48;"),
            XmlError::Entities,
        ),
        (
            "two totals",
            digital(amount, &amount.repeat(2)),
            XmlError::Ambiguous,
        ),
        ("two documents", DIGITAL.repeat(2), XmlError::Malformed),
        (
            "two roots",
            format!("{FISCAL}{FISCAL}"),
            XmlError::Ambiguous,
        ),
        (
            "two numbers",
            digital("000016</EIid>", "000017</EIid>"),
            XmlError::Ambiguous,
        ),
        (
            "two dialects",
            digital("<EInvoiceData>", main),
            XmlError::Ambiguous,
        ),
        ("no total", digital(amount, ""), XmlError::Unknown),
        ("an empty total", digital("16000.00", ""), XmlError::Unknown),
        (
            "thirds of a fen",
            digital("16000.00", "16000.001"),
            XmlError::Spelling,
        ),
        (
            "an exponent",
            digital("16000.00", "1.6e4"),
            XmlError::Spelling,
        ),
        (
            "no such day",
            digital("<IssueTime>2024-01-24", "<IssueTime>2024-02-30"),
            XmlError::Spelling,
        ),
    ] {
        // A second XML declaration in the middle is malformed in some readers and ambiguous in
        // others; refusing is what counts.
        let read = read(text.as_bytes());
        match name {
            "two documents" => assert!(read.is_err()),
            _ => assert_eq!(read, Err(error), "{name}"),
        }
    }
}

#[test]
fn a_file_is_bounded_in_bytes_elements_and_depth() {
    assert_eq!(
        read(&vec![b' '; XML_BYTES_MAX + 1]),
        Err(XmlError::TooLarge)
    );
    let many = format!("<EInvoice>{}</EInvoice>", "<a/>".repeat(XML_ELEMENTS_MAX));
    assert_eq!(read(many.as_bytes()), Err(XmlError::TooLarge));
    let deep = "<EInvoice>".repeat(XML_DEPTH_MAX + 1);
    assert_eq!(read(deep.as_bytes()), Err(XmlError::TooLarge));
    assert_eq!(read(&[0xff, 0xfe, b'<']), Err(XmlError::Malformed));
}

use invoice_core::identity::is_resident_id;
use invoice_core::invoice::InvoiceKind;
use invoice_core::record::Visit;

use super::*;
use crate::limits::Limits;
use crate::paper::SealState;
use crate::warning::WarningCode;

/// After the sample of the Ministry of Finance for fully digital invoices, version 0.31.
const DIGITAL: &str = include_str!("../../tests/files/invoice.xml");
/// After 财政电子票据数据规范.
const FISCAL: &str = include_str!("../../tests/files/bill.xml");

fn read(text: &str) -> Result<Paper, PaperError> {
    let limits = Limits::default();
    super::read(text.as_bytes(), Tier::Xml, &mut Meter::new(&limits)).map(|(_, paper)| paper)
}

fn codes(paper: &Paper) -> Vec<WarningCode> {
    paper.warnings.iter().map(|warning| warning.code).collect()
}

fn digital(from: &str, to: &str) -> String {
    assert!(DIGITAL.contains(from), "{from}");
    DIGITAL.replacen(from, to, 1)
}

fn fiscal(from: &str, to: &str) -> String {
    assert!(FISCAL.contains(from), "{from}");
    FISCAL.replacen(from, to, 1)
}

#[test]
fn a_fully_digital_invoice_is_read_by_full_paths() {
    let paper = read(DIGITAL).unwrap();
    assert_eq!(paper.document.to_string(), "D:24442000000000000016");
    assert_eq!(paper.amount.to_string(), "16000.00");
    assert_eq!(paper.date.to_string(), "2024-01-24");
    assert_eq!(paper.check_code, None);
    assert_eq!(paper.kind, Some(InvoiceKind::DigitalSpecial));
    assert_eq!(paper.seller.name.as_deref(), Some("甲 & 乙软件有限公司"));
    assert_eq!(paper.seller.id.as_deref(), Some("91330000142942095H"));
    assert_eq!(paper.buyer.id.as_deref(), Some("91350100M000100Y43"));
    assert_eq!(paper.words, Some(paper.amount));
    assert_eq!(paper.lines.len(), 2);
    assert_eq!(paper.lines[0].name, "*信息技术服务*软件开发");
    assert_eq!(
        paper.lines[0].unit_price.as_deref(),
        Some("15841.5841584158")
    );
    assert_eq!(paper.lines[0].tax_rate.as_deref(), Some("0.01"));
    assert_eq!(paper.lines[1].amount.unwrap().to_string(), "-99.00");
    assert_eq!(paper.seal.state, SealState::NotVerifiable);
    assert_eq!(codes(&paper), [WarningCode::SignatureNotVerifiable]);
    let with_time = digital("<IssueTime>2024-01-24<", "<IssueTime>2024-01-24 10:00:00<");
    assert_eq!(read(&with_time).unwrap(), paper);
    assert_eq!(read(&format!("\u{feff}{DIGITAL}")).unwrap(), paper);
}

#[test]
fn a_fiscal_bill_is_read_with_its_payment_split() {
    let paper = read(FISCAL).unwrap();
    assert_eq!(paper.document.to_string(), "F:33060122-0000000017");
    assert_eq!(paper.amount.to_string(), "133.00");
    assert_eq!(paper.date.to_string(), "2024-01-24");
    assert_eq!(paper.check_code.as_deref(), Some("a1B2c3"));
    assert_eq!(paper.kind, None);
    assert_eq!(paper.visit, Some(Visit::Outpatient));
    assert_eq!(paper.seller.name.as_deref(), Some("示例市人民医院"));
    // The patient's number is not kept, masked or not.
    assert_eq!(paper.buyer.id, None);
    let split = paper.payment.unwrap();
    let parts = [
        split.fund,
        split.other,
        split.account,
        split.cash,
        split.self_pay,
        split.self_fund,
    ];
    let parts = parts.map(|part| part.unwrap().to_string());
    assert_eq!(parts, ["120.00", "0.00", "0.00", "13.00", "10.00", "3.00"]);
    assert_eq!(paper.lines.len(), 2);
    assert_eq!(paper.lines[0].code.as_deref(), Some("A001"));
    assert_eq!(
        codes(&paper),
        [
            WarningCode::PersonalNumberDropped,
            WarningCode::SignatureNotVerifiable
        ]
    );
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    let amount = "<TotalTax-includedAmount>16000.00</TotalTax-includedAmount>";
    let entity = "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><EInvoice>";
    let main = "<EInvoiceData><Main><EInvoiceCode>33060122</EInvoiceCode></Main>";
    for (name, text, error) in [
        ("nothing", String::new(), PaperError::XmlMalformed),
        ("no XML", "20240124".into(), PaperError::XmlMalformed),
        (
            "another root",
            digital("<EInvoice>", "<Einvoice>"),
            PaperError::XmlMalformed,
        ),
        (
            "another document",
            "<a><b/></a>".into(),
            PaperError::XmlUnknown,
        ),
        (
            "cut short",
            DIGITAL.trim()[..DIGITAL.trim().len() - 4].into(),
            PaperError::XmlMalformed,
        ),
        (
            "a document type",
            digital("<EInvoice>", entity),
            PaperError::XmlEntities,
        ),
        (
            "an entity",
            digital("甲 &amp; 乙", "&x;"),
            PaperError::XmlEntities,
        ),
        (
            "a reference in a value",
            digital("16000.00<", "16000.0&#48;<"),
            PaperError::XmlEntities,
        ),
        (
            "two totals",
            digital(amount, &amount.repeat(2)),
            PaperError::Contradictory,
        ),
        (
            "two totals, one with a prefix",
            digital(
                amount,
                &format!("{amount}<x:TotalTax-includedAmount>1.00</x:TotalTax-includedAmount>"),
            ),
            PaperError::Contradictory,
        ),
        (
            "two roots",
            format!(
                "{FISCAL}{}",
                FISCAL.replace("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "")
            ),
            PaperError::SeveralDocuments,
        ),
        (
            "two numbers",
            digital("000016</EIid>", "000017</EIid>"),
            PaperError::Contradictory,
        ),
        (
            "two dialects",
            digital("<EInvoiceData>", main),
            PaperError::Contradictory,
        ),
        (
            "no total",
            digital(amount, "").replace("TotalTaxAm>", "T>"),
            PaperError::XmlUnknown,
        ),
        (
            "no number",
            digital("<InvoiceNumber>24442000000000000016</InvoiceNumber>", ""),
            PaperError::XmlUnknown,
        ),
        (
            "thirds of a fen",
            digital("16000.00<", "16000.001<"),
            PaperError::Spelling,
        ),
        (
            "an exponent",
            digital("16000.00<", "1.6e4<"),
            PaperError::Spelling,
        ),
        (
            "no such day",
            digital("<IssueTime>2024-01-24", "<IssueTime>2024-02-30"),
            PaperError::Spelling,
        ),
        (
            "a number of 19 digits",
            DIGITAL.replace("24442000000000000016", "2444200000000000016"),
            PaperError::Spelling,
        ),
        (
            "a check code of five",
            fiscal("a1B2c3", "a1B2c"),
            PaperError::Spelling,
        ),
        (
            "a total that a comment divides",
            digital("16000.00<", "1<!-- -->6000.00<"),
            PaperError::Spelling,
        ),
        (
            "a total that an instruction divides",
            digital("16000.00<", "1<?a?>6000.00<"),
            PaperError::Spelling,
        ),
        (
            "a total that a section divides",
            digital("16000.00<", "1<![CDATA[6000.00]]><"),
            PaperError::Spelling,
        ),
        (
            "a number that an element divides",
            digital("<InvoiceNumber>24442", "<InvoiceNumber>2444<x>9</x>2"),
            PaperError::Spelling,
        ),
        (
            "a number with an element after it",
            digital("000016</InvoiceNumber>", "000016<x>9</x></InvoiceNumber>"),
            PaperError::Spelling,
        ),
        (
            "a number with an element before it",
            digital("<InvoiceNumber>", "<InvoiceNumber><x>9</x>"),
            PaperError::Spelling,
        ),
        (
            "a number of another dialect that an element divides",
            "<发票><发票号码>2444<x>9</x>2000000000000016</发票号码></发票>".into(),
            PaperError::Spelling,
        ),
        (
            "two days",
            digital(
                "<IssueTime>2024-01-24",
                "<IssueTime>2024-01-24 or 2025-02-02",
            ),
            PaperError::Spelling,
        ),
        (
            "a day in another zone",
            digital("<IssueTime>2024-01-24", "<IssueTime>2024-01-24T23:30:00Z"),
            PaperError::Spelling,
        ),
        (
            "an invoice of another dialect inside",
            digital(
                "<AdditionalInformation/>",
                "<AdditionalInformation/><x><eInvoice/></x>",
            ),
            PaperError::SeveralDocuments,
        ),
        (
            "a list of invoices",
            format!("<List>{0}{0}</List>", DIGITAL.split_once("?>").unwrap().1),
            PaperError::SeveralDocuments,
        ),
        (
            "two sets of data",
            digital(
                "<EInvoiceData>",
                "<EInvoiceData></EInvoiceData><EInvoiceData>",
            ),
            PaperError::SeveralDocuments,
        ),
    ] {
        assert_eq!(
            read(&text).map(|paper| paper.document),
            Err(error),
            "{name}"
        );
    }
}

/// Each of these is a mistake that some reader of these files has made (or would).
#[test]
fn the_traps_of_the_format_are_avoided() {
    // The plate of a toll invoice is no invoice number.
    let toll = "<SpecificInformation><Toll><PlateNumber>24442000000000000099</PlateNumber>\
        <InvoiceNumber>24442000000000000098</InvoiceNumber></Toll></SpecificInformation>";
    let paper = read(&digital("<SpecificInformation/>", toll)).unwrap();
    assert_eq!(paper.document.to_string(), "D:24442000000000000016");
    // The lines' own totals differ from the document's in the case of letters only.
    let paper = read(&digital(
        "<TotaltaxIncludedAmount>16000.00<",
        "<TotaltaxIncludedAmount>1.00<",
    ));
    assert_eq!(paper.unwrap().amount.to_string(), "16000.00");
    // Three elements are called LabelName, and many begin with Seller.
    let paper = read(&digital(
        "<LabelCode>01</LabelCode><LabelName>增值税专用发票",
        "<LabelCode>02</LabelCode><LabelName>普通发票",
    ));
    assert_eq!(paper.unwrap().kind, Some(InvoiceKind::DigitalOrdinary));
    // One line, several lines, none, and nil.
    let (before, rest) = DIGITAL.split_once("<IssuItemInformation>").unwrap();
    let (_, after) = rest.rsplit_once("</IssuItemInformation>").unwrap();
    let nil = format!(
        "{before}<IssuItemInformation xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\"/>{after}"
    );
    assert!(read(&nil).unwrap().lines.is_empty());
    assert!(read(&format!("{before}{after}")).unwrap().lines.is_empty());
    // A nil value is none, whatever stands in it.
    let nil = digital("<BuyerIdNum>", "<BuyerIdNum xsi:nil=\"true\">");
    assert_eq!(read(&nil).unwrap().buyer.id, None);
    // The signature's subtree holds elements with the names of values.
    let signature = "<TaxBureauSignature><InvoiceNumber>24442000000000000098</InvoiceNumber>";
    let paper = read(&digital("<TaxBureauSignature>", signature)).unwrap();
    assert_eq!(paper.document.to_string(), "D:24442000000000000016");
    // Rates are spelled in three ways.
    for rate in ["0.01", "0.010000", "1%"] {
        let paper = read(&digital("<TaxRate>0.01<", &format!("<TaxRate>{rate}<"))).unwrap();
        assert_eq!(paper.lines[0].tax_rate.as_deref(), Some("0.01"), "{rate}");
    }
    for rate in ["免税", "不征税", "***"] {
        let paper = read(&digital("<TaxRate>0.01<", &format!("<TaxRate>{rate}<"))).unwrap();
        assert_eq!(paper.lines[0].tax_rate.as_deref(), Some(rate));
    }
    // A comment before or after a value, and a value in a section, are read by all alike.
    for value in [
        "<!-- -->16000.00",
        "16000.00<!-- -->",
        "\n<![CDATA[16000.00]]>\n",
    ] {
        let paper = read(&digital(
            ">16000.00</TotalTax",
            &format!(">{value}</TotalTax"),
        ));
        assert_eq!(paper.unwrap().amount.to_string(), "16000.00");
    }
    // Sums of four decimals, as decimal(18,4) writes them.
    let paper = read(&digital("16000.00<", "16000.0000<")).unwrap();
    assert_eq!(paper.amount.to_string(), "16000.00");
}

#[test]
fn numbers_of_natural_persons_are_not_kept() {
    let resident = "11010519491231002X";
    assert!(is_resident_id(resident));
    let passenger = format!(
        "<SpecificInformation><PassengerTransportation><Name>张三</Name>\
         <IDNumber>{resident}</IDNumber></PassengerTransportation></SpecificInformation>"
    );
    let paper = read(&digital("<SpecificInformation/>", &passenger)).unwrap();
    assert!(!format!("{paper:?}").contains(resident));
    let paper = read(&digital("91350100M000100Y43", resident)).unwrap();
    assert!(!format!("{paper:?}").contains(resident));
    assert!(codes(&paper).contains(&WarningCode::PersonalNumberDropped));
    let paper = read(&fiscal("330***********1234", resident)).unwrap();
    assert!(!format!("{paper:?}").contains(resident));
}

#[test]
fn what_does_not_add_up_is_warned_of() {
    let cases: &[(&str, &str, WarningCode)] = &[
        (
            "<TotalAmWithoutTax>15841.58<",
            "<TotalAmWithoutTax>15841.50<",
            WarningCode::SumsDiffer,
        ),
        (
            "<ComTaxAm>159.41<",
            "<ComTaxAm>160.41<",
            WarningCode::LineTaxDiffers,
        ),
        (
            "<Quantity>1.0062491125<",
            "<Quantity>2<",
            WarningCode::LineAmountDiffers,
        ),
        ("壹万陆仟圆整", "壹万陆仟圆零壹分", WarningCode::WordsDiffer),
        ("壹万陆仟圆整", "一万六千", WarningCode::WordsUnreadable),
        (
            "91330000142942095H",
            "91330000142942095J",
            WarningCode::IdCheckCharacter,
        ),
        (
            "<Quantity>1.0062491125<",
            "<Quantity>some<",
            WarningCode::ValueUnreadable,
        ),
        ("软件开发", "软件\u{202e}开发", WarningCode::TextCleaned),
        ("<LabelCode>Y<", "<LabelCode>N<", WarningCode::RedLetter),
    ];
    for (from, to, code) in cases {
        let paper = read(&digital(from, to)).unwrap();
        assert!(codes(&paper).contains(code), "{to}: {:?}", paper.warnings);
    }
    let cases: &[(&str, &str, WarningCode)] = &[
        (
            "<ownPayAmount>13.00<",
            "<ownPayAmount>14.00<",
            WarningCode::PaymentSourcesDiffer,
        ),
        (
            "<selfpaymentCost>3.00<",
            "<selfpaymentCost>2.00<",
            WarningCode::PaymentBurdenDiffers,
        ),
        (
            "<fundPayAmount>120.00</fundPayAmount>",
            "",
            WarningCode::PaymentIncomplete,
        ),
        (
            "<ItemAmount>33.00<",
            "<ItemAmount>34.00<",
            WarningCode::SumsDiffer,
        ),
    ];
    for (from, to, code) in cases {
        let paper = read(&fiscal(from, to)).unwrap();
        assert!(codes(&paper).contains(code), "{to}: {:?}", paper.warnings);
    }
    // A fen is tolerated.
    let paper = read(&digital(
        "<TotalAmWithoutTax>15841.58<",
        "<TotalAmWithoutTax>15841.59<",
    ));
    assert!(!codes(&paper.unwrap()).contains(&WarningCode::SumsDiffer));
    // 圆 or 元, 整 or 正 are the same.
    let paper = read(&digital("壹万陆仟圆整", "人民币壹万陆仟元正")).unwrap();
    assert!(!codes(&paper).contains(&WarningCode::WordsDiffer));
}

#[test]
fn names_in_the_extension_of_a_bill_are_read_in_any_case() {
    for name in [
        "fundPayAmount",
        "FundPayAmount",
        "fundpayamount",
        "FUNDPAYAMOUNT",
    ] {
        let text = FISCAL.replace("fundPayAmount", name);
        assert_eq!(
            read(&text)
                .unwrap()
                .payment
                .unwrap()
                .fund
                .unwrap()
                .to_string(),
            "120.00"
        );
    }
    let twice = fiscal(
        "<fundPayAmount>",
        "<FundPayAmount>1.00</FundPayAmount><fundPayAmount>",
    );
    assert_eq!(read(&twice).unwrap_err(), PaperError::Contradictory);
}

#[test]
fn red_letters_name_the_blue_document() {
    let red = "<SpecificInformation><RedEInvoice>\
        <OriginalInvoiceCode>24442000000000000015</OriginalInvoiceCode>\
        <CreditNoteNumber>44010124011234567890</CreditNoteNumber></RedEInvoice></SpecificInformation>";
    let text = digital("<SpecificInformation/>", red)
        .replace("16000.00", "-16000.00")
        .replace(
            "<TotalAmWithoutTax>15841.58",
            "<TotalAmWithoutTax>-15841.58",
        )
        .replace("<TotalTaxAm>158.42", "<TotalTaxAm>-158.42")
        .replace("壹万陆仟圆整", "（负数）壹万陆仟圆整");
    let paper = read(&text).unwrap();
    assert_eq!(paper.amount.to_string(), "-16000.00");
    assert_eq!(paper.words, Some(paper.amount));
    let red = paper.red_letter.unwrap();
    assert_eq!(red.of.unwrap().to_string(), "D:24442000000000000015");
    assert_eq!(red.confirmation.as_deref(), Some("44010124011234567890"));
    let related = "<relatedInvoiceCode>33060122</relatedInvoiceCode>\
        <relatedInvoiceNumber>0000000016</relatedInvoiceNumber></MainExt>";
    let paper = read(&fiscal("</MainExt>", related)).unwrap();
    assert_eq!(
        paper.red_letter.unwrap().of.unwrap().to_string(),
        "F:33060122-0000000016"
    );
}

#[test]
fn the_other_dialects_are_read() {
    let chinese = "<电子发票><发票号码>24442000000000000016</发票号码><开票日期>2024年01月24日</开票日期>\
        <销售方名称>甲</销售方名称><合计金额>100.00</合计金额><合计税额>13.00</合计税额>\
        <价税合计>113.00</价税合计></电子发票>";
    let pinyin = "<fp><FPHM>24442000000000000016</FPHM><KPRQ>20240124</KPRQ><XSFMC>甲</XSFMC>\
        <HJJE>100.00</HJJE><HJSE>13.00</HJSE><JSHJXX>113.00</JSHJXX></fp>";
    let mixed = "<Fp><Fphm>24442000000000000016</Fphm><Kprq>2024-01-24</Kprq><Xfmc>甲</Xfmc>\
        <Hjje>100.00</Hjje><Hjse>13.00</Hjse><Jshj>113.00</Jshj></Fp>";
    for text in [chinese, pinyin, mixed] {
        let paper = read(text).unwrap();
        assert_eq!(paper.document.to_string(), "D:24442000000000000016");
        assert_eq!(paper.amount.to_string(), "113.00");
        assert_eq!(paper.date.to_string(), "2024-01-24");
        assert_eq!(paper.seller.name.as_deref(), Some("甲"));
        assert_eq!(paper.total_without_tax.unwrap().to_string(), "100.00");
        assert!(paper.warnings.is_empty(), "{:?}", paper.warnings);
    }
    let other = chinese.replace(
        "</电子发票>",
        "<FPHM>24442000000000000017</FPHM></电子发票>",
    );
    assert_eq!(read(&other).unwrap_err(), PaperError::SeveralDocuments);
    let other = chinese.replace("</电子发票>", "<JSHJ>114.00</JSHJ></电子发票>");
    assert_eq!(read(&other).unwrap_err(), PaperError::Contradictory);
    let railway = "<rai:xbrl xmlns:rai=\"http://xbrl.mof.gov.cn/taxonomy/2023-05-15/rai\">\
        <rai:ElectronicInvoiceRailwayETicketNumber>26339132621000219582</rai:ElectronicInvoiceRailwayETicketNumber>\
        <rai:DateOfIssue>2026-04-23</rai:DateOfIssue><rai:Fare>56.00</rai:Fare>\
        <rai:TotalAmountExcludingTax>51.38</rai:TotalAmountExcludingTax><rai:TaxAmount>4.62</rai:TaxAmount>\
        <rai:NameOfPurchaser>甲</rai:NameOfPurchaser></rai:xbrl>";
    let paper = read(railway).unwrap();
    assert_eq!(paper.kind, Some(InvoiceKind::Railway));
    assert_eq!(paper.amount.to_string(), "56.00");
    assert!(paper.warnings.is_empty(), "{:?}", paper.warnings);
}

#[test]
fn a_file_is_bounded_in_bytes_elements_attributes_values_and_depth() {
    let limits = Limits::default();
    let refused = |bytes: &[u8]| {
        let mut meter = Meter::new(&limits);
        let error = super::read(bytes, Tier::Xml, &mut meter).unwrap_err();
        assert!(meter.spent.xml_elements <= limits.xml_elements + 1);
        error
    };
    assert_eq!(
        refused(&vec![b' '; limits.xml_bytes + 1]),
        PaperError::XmlTooLarge
    );
    let many = format!(
        "<EInvoice>{}</EInvoice>",
        "<a/>".repeat(limits.xml_elements)
    );
    assert_eq!(refused(many.as_bytes()), PaperError::XmlTooLarge);
    let deep = "<EInvoice>".repeat(limits.xml_depth + 1);
    assert_eq!(refused(deep.as_bytes()), PaperError::XmlTooLarge);
    let wide: String = (0..=limits.xml_attributes)
        .map(|n| format!(" a{n}=\"\""))
        .collect();
    assert_eq!(
        refused(format!("<EInvoice{wide}/>").as_bytes()),
        PaperError::XmlTooLarge
    );
    let long = "x".repeat(limits.xml_value_bytes + 1);
    assert_eq!(
        refused(format!("<a>{long}</a>").as_bytes()),
        PaperError::XmlTooLarge
    );
    assert_eq!(
        refused(format!("<a b=\"{long}\"/>").as_bytes()),
        PaperError::XmlTooLarge
    );
    assert_eq!(refused(&[0xff, 0xfe, b'<']), PaperError::XmlEncoding);
}

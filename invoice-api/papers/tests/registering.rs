//! From files to records: what is refused, what is kept back, and what is passed on.

use invoice_core::invoice::InvoiceKind;
use invoice_core::record::{Invoice, OriginalSignature, Registered, Visit};
use papers::{Limits, Paper, SealState, Supplement, Unfit, WarningCode, read};

const INVOICE: &str = include_str!("files/invoice.xml");
const BILL: &str = include_str!("files/bill.xml");
const BUYER: &str = "91350100M000100Y43";
const NAME: &str = "示例制造有限公司";

fn paper(text: &str) -> Paper {
    let mut reading = read(text.as_bytes(), &Limits::default()).unwrap();
    reading.papers.remove(0)
}

fn changed(file: &str, pairs: &[(&str, &str)]) -> Paper {
    let mut text = file.to_owned();
    for (from, to) in pairs {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    paper(&text)
}

fn invoice(paper: &Paper, supplement: Supplement) -> Result<Invoice, Vec<String>> {
    match paper.to_registered(supplement) {
        Ok(Registered::Invoice(invoice)) => Ok(*invoice),
        Ok(Registered::Bill(_)) => unreachable!("an invoice"),
        Err(Unfit(places)) => Err(places),
    }
}

fn plain(paper: &Paper) -> Result<Invoice, Vec<String>> {
    invoice(paper, Supplement::default())
}

fn remark(text: &str) -> (&'static str, String) {
    let note = format!("<AdditionalInformation><Remark>{text}</Remark></AdditionalInformation>");
    ("<AdditionalInformation/>", note)
}

#[test]
fn a_medical_split_is_passed_on_whole_or_not_at_all() {
    let medical = |inside: &str| {
        let specific = format!(
            "<SpecificInformation><MedicalService>{inside}</MedicalService></SpecificInformation>"
        );
        changed(INVOICE, &[("<SpecificInformation/>", &specific)])
    };
    let parts = [
        ("fundPayAmount", "12000.00"),
        ("otherPayAmount", "0.00"),
        ("accountPayAmount", "0.00"),
        ("ownPayAmount", "4000.00"),
        ("selfpaymentAmount", "3000.00"),
        ("selfpaymentCost", "1000.00"),
    ];
    let whole: String = parts
        .iter()
        .map(|(name, amount)| format!("<{name}>{amount}</{name}>"))
        .collect();
    let split = plain(&medical(&whole)).unwrap().payment.unwrap();
    assert_eq!(split.fund.to_string(), "12000.00");
    assert_eq!(split.cash.to_string(), "4000.00");
    assert_eq!(split.self_fund.to_string(), "1000.00");
    let partly =
        "<医保统筹基金支付>14000.00</医保统筹基金支付><个人现金支付>2000.00</个人现金支付>";
    assert_eq!(
        plain(&medical(partly)).unwrap_err(),
        ["other", "account", "self_pay", "self_fund"]
            .map(|part| format!("/invoice/payment/{part}"))
    );
    // A split in a form that nobody has published: it is there, and what it says is not known.
    let unknown = medical("<ybtcjjzfje>14000.00</ybtcjjzfje>");
    assert_eq!(plain(&unknown).unwrap_err(), ["/invoice/payment"]);
    let labelled = changed(
        INVOICE,
        &[(
            "</InherentLabel>",
            "</InherentLabel><UndefinedLabel><Label><LabelName>医疗（门诊）</LabelName></Label></UndefinedLabel>",
        )],
    );
    assert_eq!(plain(&labelled).unwrap_err(), ["/invoice/payment"]);
    assert_eq!(plain(&paper(INVOICE)).unwrap().payment, None);
}

#[test]
fn a_masked_buyer_is_a_buyer() {
    for (id, unread) in [
        ("9135****M000100Y43", true),
        ("G12345678", true),
        ("913501?0M000100Y43", true),
        ("110105194912310021", true),
        ("", false),
        ("11010519491231002X", false),
    ] {
        let paper = changed(INVOICE, &[(BUYER, id)]);
        assert_eq!(
            (paper.buyer.id.as_ref(), paper.buyer.unread),
            (None, unread),
            "{id}"
        );
        let due = if unread {
            Err(vec!["/invoice/buyer/id".to_owned()])
        } else {
            Ok(())
        };
        assert_eq!(plain(&paper).map(|_| ()), due, "{id}");
        // What may be a person's number is told to nobody.
        let said = format!("{paper:?}");
        assert!(id.is_empty() || !said.contains(id), "{said}");
    }
    // A bill says whether its payer is a person.
    assert!(!paper(BILL).buyer.unread);
}

#[test]
fn personal_numbers_are_in_no_answer() {
    for id in [
        "11010519491231002X",
        "L11010519491231002X",
        "11010519491231002X01",
        "L1101051949123100",
        "1101051949123100201X",
    ] {
        let paper = changed(INVOICE, &[(BUYER, id)]);
        let codes: Vec<WarningCode> = paper.warnings.iter().map(|warning| warning.code).collect();
        assert!(codes.contains(&WarningCode::PersonalNumberDropped), "{id}");
        assert!(!format!("{paper:?}").contains(id), "{id}");
    }
    let (from, to) = remark("患者 110105 19491231 002X");
    let paper = changed(
        INVOICE,
        &[(from, &to), ("软件开发", "软件 11010519491231002X")],
    );
    let said = format!("{paper:?}");
    assert!(!said.contains("002X"), "{said}");
    assert!(paper.lines[0].name.contains("软件"));
}

#[test]
fn persons_are_not_written_on_the_chain_in_clear() {
    let (from, to) = remark("诊断：高血压");
    let person = changed(INVOICE, &[(BUYER, ""), (NAME, "欧阳小明"), (from, &to)]);
    let registered = plain(&person).unwrap();
    assert_eq!(registered.buyer.name, "欧**");
    assert_eq!(registered.note, None);
    let keep = Supplement {
        note: Some(true),
        ..Supplement::default()
    };
    let omit = Supplement {
        note: Some(false),
        ..Supplement::default()
    };
    assert_eq!(
        invoice(&person, keep).unwrap().note.as_deref(),
        Some("诊断：高血压")
    );
    let nobody = changed(INVOICE, &[(BUYER, ""), (NAME, "个人")]);
    assert_eq!(plain(&nobody).unwrap().buyer.name, "个人");
    let organisation = changed(INVOICE, &[(from, &to)]);
    assert_eq!(
        plain(&organisation).unwrap().note.as_deref(),
        Some("诊断：高血压")
    );
    assert_eq!(plain(&organisation).unwrap().buyer.name, NAME);
    assert_eq!(invoice(&organisation, omit).unwrap().note, None);
    // A resident's number is never recorded, whoever asks for it.
    let (from, to) = remark("身份证11010519491231002X");
    let numbered = changed(INVOICE, &[(from, &to)]);
    assert_eq!(plain(&numbered).unwrap_err(), ["/invoice/note"]);
    assert_eq!(invoice(&numbered, keep).unwrap_err(), ["/invoice/note"]);
    assert_eq!(invoice(&numbered, omit).unwrap().note, None);
}

#[test]
fn a_text_that_was_cut_is_not_registered() {
    let (from, to) = remark(&"备".repeat(1_001));
    let long = changed(INVOICE, &[(from, &to)]);
    assert!(
        long.warnings
            .iter()
            .any(|warning| warning.code == WarningCode::TextCut)
    );
    assert_eq!(plain(&long).unwrap_err(), ["/invoice/note"]);
    let omit = Supplement {
        note: Some(false),
        ..Supplement::default()
    };
    assert!(invoice(&long, omit).is_ok());
    let named = changed(INVOICE, &[(NAME, &"长".repeat(1_001))]);
    assert_eq!(plain(&named).unwrap_err(), ["/invoice/buyer/name"]);
    let bill = changed(
        BILL,
        &[("<ItemName>", &format!("<ItemName>{}", "长".repeat(1_001)))],
    );
    let Err(Unfit(places)) = bill.to_registered(Supplement::default()) else {
        panic!("a bill with a name that was cut")
    };
    assert_eq!(places, ["/bill/items/0/name"]);
    let (from, to) = remark("一\r\n二");
    let lines = changed(INVOICE, &[(from, &to)]);
    assert_eq!(plain(&lines).unwrap().note.as_deref(), Some("一\n二"));
}

#[test]
fn what_is_added_must_not_contradict_the_file() {
    let with = |kind| Supplement {
        kind: Some(kind),
        ..Supplement::default()
    };
    let known = paper(INVOICE);
    assert_eq!(known.kind, Some(InvoiceKind::DigitalSpecial));
    assert!(invoice(&known, with(InvoiceKind::DigitalSpecial)).is_ok());
    assert_eq!(
        invoice(&known, with(InvoiceKind::DigitalOrdinary)).unwrap_err(),
        ["/invoice/kind"]
    );
    // The label tells special from ordinary, and nothing of paper forms and vehicles.
    for (from, to) in [
        (
            "<LabelCode>01</LabelCode><LabelName>电子发票",
            "<LabelCode>02</LabelCode><LabelName>纸质发票",
        ),
        (
            "<SpecificInformation/>",
            "<SpecificInformation><MotorVehicle/></SpecificInformation>",
        ),
    ] {
        let open = changed(INVOICE, &[(from, to)]);
        assert_eq!(open.kind, None);
        assert_eq!(plain(&open).unwrap_err(), ["/invoice/kind"]);
        let kind = InvoiceKind::ALL[0];
        assert_eq!(invoice(&open, with(kind)).unwrap().kind, kind);
    }
    let bill = paper(BILL);
    assert_eq!(bill.visit, Some(Visit::Outpatient));
    let inpatient = Supplement {
        visit: Some(Visit::Inpatient),
        ..Supplement::default()
    };
    assert_eq!(
        bill.to_registered(inpatient),
        Err(Unfit(vec!["/bill/visit".into()]))
    );
}

#[test]
fn only_a_trusted_seal_is_recorded_as_verified() {
    let mut paper = paper(INVOICE);
    paper.seal.state = SealState::Verified;
    assert_eq!(paper.original_signature(), OriginalSignature::NotVerified);
    paper.seal.trusted = true;
    assert_eq!(paper.original_signature(), OriginalSignature::Verified);
}

#[test]
fn a_fully_digital_invoice_on_paper_has_two_keys() {
    let flat = |rest: &str| {
        format!("<发票><开票日期>2024-01-24</开票日期><价税合计>100.00</价税合计>{rest}</发票>")
    };
    let digital = "<数电票号码>24442000000000000016</数电票号码>";
    let form = "<发票代码>144032309110</发票代码><发票号码>12345678</发票号码>";
    for (text, alias) in [
        (format!("{form}{digital}"), Some("P:144032309110-12345678")),
        (digital.to_owned(), None),
        (digital.replace("数电票号码", "发票号码"), None),
        (
            format!("{digital}{}", digital.replace("数电票号码", "发票号码")),
            None,
        ),
    ] {
        let paper = paper(&flat(&text));
        assert_eq!(paper.document.to_string(), "D:24442000000000000016");
        assert_eq!(
            paper.alias.map(|key| key.to_string()).as_deref(),
            alias,
            "{text}"
        );
    }
    let other = digital
        .replace("数电票号码", "发票号码")
        .replace("016", "017");
    let refused = read(
        flat(&format!("{digital}{other}")).as_bytes(),
        &Limits::default(),
    );
    assert_eq!(refused.unwrap_err(), papers::PaperError::SeveralDocuments);
}

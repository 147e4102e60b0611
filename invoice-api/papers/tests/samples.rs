//! Files from elsewhere, where a checkout has them beside it.

use std::path::{Path, PathBuf};

use papers::{Format, Limits, SealState, Tier, WarningCode, read};

fn sample(name: &str) -> Option<Vec<u8>> {
    let beside: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)?
        .into();
    let found = beside
        .ancestors()
        .map(|folder| folder.join("shared/samples").join(name))
        .find(|path| path.exists());
    match found {
        Some(path) => Some(std::fs::read(path).unwrap()),
        None => {
            eprintln!("SKIPPED: no ../shared/samples/{name} beside this checkout");
            None
        }
    }
}

fn texts(party: &papers::PaperParty) -> (Option<&str>, Option<&str>) {
    (party.id.as_deref(), party.name.as_deref())
}

#[test]
fn the_published_sample_of_a_fully_digital_invoice_has_every_field_right() {
    let Some(file) = sample("einvoice-mof-sample.xml") else {
        return;
    };
    let reading = read(&file, &Limits::default()).unwrap();
    assert_eq!(reading.format, Format::InvoiceXml);
    let [paper] = reading.papers.as_slice() else {
        panic!("{reading:?}")
    };
    assert_eq!(paper.document.to_string(), "D:01234567890123456789");
    assert_eq!(paper.kind.unwrap().code(), "81");
    assert_eq!(paper.amount.to_string(), "16000.00");
    assert_eq!(paper.date.to_string(), "2024-01-24");
    assert_eq!(paper.check_code, None);
    let id = Some("012345678901234567");
    assert_eq!(texts(&paper.seller), (id, Some("广州市XXXXXXX有限公司")));
    assert_eq!(texts(&paper.buyer), (id, Some("广州XXXXXXXXXXX公司")));
    assert_eq!(paper.total_without_tax.unwrap().to_string(), "15841.58");
    assert_eq!(paper.total_tax.unwrap().to_string(), "158.42");
    assert_eq!(paper.words, Some(paper.amount));
    assert_eq!(
        (&paper.payment, &paper.red_letter, &paper.note),
        (&None, &None, &None)
    );
    let [line] = paper.lines.as_slice() else {
        panic!("{paper:?}")
    };
    assert_eq!(line.name, "*信息技术服务*信息技术服务");
    assert_eq!(
        (line.unit.as_deref(), line.spec.as_deref()),
        (Some("月"), None)
    );
    assert_eq!(line.quantity.as_deref(), Some("1"));
    assert_eq!(line.unit_price.as_deref(), Some("15841.5841584158"));
    assert_eq!(line.amount.unwrap().to_string(), "15841.58");
    assert_eq!(line.tax_rate.as_deref(), Some("0.01"));
    assert_eq!(line.tax.unwrap().to_string(), "158.42");
    assert_eq!(line.tax_code.as_deref(), Some("0000000000000000000"));
    assert_eq!(paper.tier, Tier::Xml);
    assert_eq!(paper.seal.state, SealState::NotVerifiable);
    let codes: Vec<_> = paper.warnings.iter().map(|warning| warning.code).collect();
    // The numbers of both parties were made up without their check character.
    assert_eq!(
        codes,
        [
            WarningCode::IdCheckCharacter,
            WarningCode::IdCheckCharacter,
            WarningCode::SignatureNotVerifiable
        ]
    );
}

#[test]
fn a_sealed_ofd_of_the_tax_control_system_has_every_field_right() {
    let Some(file) = sample("vat-e-invoice-sample.ofd") else {
        return;
    };
    let reading = read(&file, &Limits::default()).unwrap();
    assert_eq!(reading.format, Format::Ofd);
    let [paper] = reading.papers.as_slice() else {
        panic!("{reading:?}")
    };
    assert_eq!(paper.document.to_string(), "P:050001700111-99999951");
    assert_eq!(paper.kind.unwrap().code(), "10");
    assert_eq!(paper.amount.to_string(), "318.00");
    assert_eq!(paper.date.to_string(), "2020-10-10");
    assert_eq!(paper.check_code.as_deref(), Some("14754822929856772523"));
    assert_eq!(
        texts(&paper.seller),
        (
            Some("91500106MA2CE71F65"),
            Some("杭州融易算企业管理咨询有限公司")
        )
    );
    assert_eq!(
        texts(&paper.buyer),
        (Some("9150010807MGZHI002"), Some("科游迈利有限公司"))
    );
    assert_eq!(paper.total_without_tax.unwrap().to_string(), "300.00");
    assert_eq!(paper.total_tax.unwrap().to_string(), "18.00");
    assert_eq!(paper.lines.len(), 3);
    for line in &paper.lines {
        assert_eq!(line.name, "*餐饮服务*餐费");
        assert_eq!(line.unit.as_deref(), Some("次"));
        assert_eq!(line.quantity.as_deref(), Some("4"));
        assert_eq!(line.unit_price.as_deref(), Some("25"));
        assert_eq!(line.amount.unwrap().to_string(), "100.00");
        assert_eq!(line.tax_rate.as_deref(), Some("0.06"));
        assert_eq!(line.tax.unwrap().to_string(), "6.00");
    }
    assert_eq!(paper.tier, Tier::Attachment);
    // Somebody changed this one file of the package after it was sealed.
    assert_eq!(paper.seal.state, SealState::Broken);
    let broken = paper
        .warnings
        .iter()
        .find(|warning| warning.code == WarningCode::SealBroken);
    assert_eq!(broken.unwrap().detail, "Doc_0/Document.xml");
    assert!(!paper.seal.trusted);
    let codes: Vec<_> = paper.warnings.iter().map(|warning| warning.code).collect();
    // Its parties are made up: an I is no character of a credit code.
    assert!(
        codes.contains(&WarningCode::IdCheckCharacter),
        "{:?}",
        paper.warnings
    );
    assert!(
        !codes.contains(&WarningCode::SourcesContradict),
        "{:?}",
        paper.warnings
    );
}

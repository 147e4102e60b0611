//! The PDF, as poppler reads it.

use super::{laid_out, paper, papers, readers};
use print::{Fonts, Layout, Wording, lay_out};

fn written(layout: &Layout) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("paper.pdf");
    std::fs::write(&path, layout.pdf().unwrap()).unwrap();
    (folder, path)
}

#[test]
fn its_text_can_be_extracted() {
    if !readers::has("pdftotext") {
        return;
    }
    let record = papers::invoice(30, |_| {});
    let (_folder, path) = written(&laid_out(&record));
    let text = readers::run("pdftotext", &["-layout", path.to_str().unwrap(), "-"]);
    for due in [
        "电子发票（增值税专用发票）",
        "26332000000012345678",
        "2026年11月20日",
        "福建某某贸易有限公司",
        "91350100M000100Y43",
        "*信息技术服务*软件维护30",
        "V3.2",
        "6%",
        "¥3000.00",
        "¥180.00",
        "叁仟壹佰捌拾圆整",
        "¥3180.00",
        "合同号 HT-2026-0815；收款账号见合同。",
        "共3页 第3页",
    ] {
        assert!(text.contains(due), "{due}: {text}");
    }
    let (_folder, path) = written(&laid_out(&papers::bill(5, "outpatient")));
    let text = readers::run("pdftotext", &["-layout", path.to_str().unwrap(), "-"]);
    for due in [
        "医疗门诊收费票据（电子）",
        "33060226",
        "0000012345",
        "a1B2c3",
        "浙江某某医院",
        "床位费",
        "伍佰圆整",
        "医保统筹基金支付",
        "250.00",
    ] {
        assert!(text.contains(due), "{due}: {text}");
    }
}

#[test]
fn its_attachments_are_the_record_byte_by_byte() {
    if !readers::has("pdfdetach") {
        return;
    }
    let record = papers::invoice(2, |invoice| invoice["note"] = "一\n二\t三".into());
    let (folder, path) = written(&laid_out(&record));
    let to = folder.path().join("attached");
    std::fs::create_dir(&to).unwrap();
    readers::run(
        "pdfdetach",
        &[
            "-saveall",
            "-o",
            to.to_str().unwrap(),
            path.to_str().unwrap(),
        ],
    );
    assert_eq!(
        std::fs::read(to.join("record.json")).unwrap(),
        record.as_bytes()
    );
    assert_eq!(std::fs::read_dir(to).unwrap().count(), 1);
}

#[test]
fn it_is_an_archive_file_with_the_date_of_the_record() {
    if !readers::has("pdfinfo") {
        return;
    }
    let (_folder, path) = written(&laid_out(&papers::invoice(1, |_| {})));
    let path = path.to_str().unwrap();
    let facts = readers::run("pdfinfo", &["-rawdates", path]);
    assert!(facts.contains("D:20261120"), "{facts}");
    assert!(
        facts.contains("电子发票（增值税专用发票） D:26332000000012345678"),
        "{facts}"
    );
    assert!(facts.contains("595.276 x 396.85"), "{facts}");
    let meta = readers::run("pdfinfo", &["-meta", path]);
    assert!(meta.contains("<pdfaid:part>3</pdfaid:part>"), "{meta}");
    assert!(
        meta.contains("<pdfaid:conformance>U</pdfaid:conformance>"),
        "{meta}"
    );
    let fonts = readers::run("pdffonts", &[path]);
    assert!(fonts.contains("PiaolianSong"), "{fonts}");
}

#[test]
fn the_code_on_the_rendered_page_is_the_link() {
    if !readers::has("pdftoppm") {
        return;
    }
    for record in [papers::invoice(30, |_| {}), papers::bill(3, "inpatient")] {
        let (folder, path) = written(&laid_out(&record));
        // 300 dots an inch, as an office scanner reads.
        let pictures = readers::pictures(folder.path(), &path, 300);
        assert!(!pictures.is_empty());
        for (width, height, pixels) in pictures {
            assert_eq!(readers::qr_texts(width, height, &pixels), [papers::LINK]);
        }
    }
}

#[test]
fn captions_are_in_the_language_that_was_asked_for() {
    if !readers::has("pdftotext") {
        return;
    }
    let record = papers::invoice(1, |_| {});
    let layout = lay_out(
        &print::Paper {
            wording: Wording::En,
            stamped: false,
            ..paper(&record)
        },
        &Fonts::built_in(),
    );
    let (_folder, path) = written(&layout.unwrap());
    let text = readers::run("pdftotext", &[path.to_str().unwrap(), "-"]);
    assert!(text.contains("Page 1 of 1"), "{text}");
    assert!(text.contains("bears no validator's stamp"), "{text}");
    assert!(text.contains("价税合计（大写）"), "{text}");
}

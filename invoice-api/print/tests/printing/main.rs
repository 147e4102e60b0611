//! Documents printed as a reader gets them: what other programs find in the files.

mod geometry;
mod link;
mod ofd;
mod papers;
mod pdf;
mod read_again;
mod readers;

use print::{Fonts, Layout, Paper, PrintError, QrCode, Wording, lay_out};

/// A record with the usual link, in Chinese.
pub(crate) fn paper(record: &str) -> Paper<'_> {
    Paper {
        record,
        receipt: None,
        link: Some(papers::LINK),
        stamped: true,
        proved: true,
        attached: true,
        wording: Wording::Zh,
    }
}

/// Laid out with the built-in font.
pub(crate) fn laid_out(record: &str) -> Layout {
    lay_out(&paper(record), &Fonts::built_in()).unwrap()
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for record in [papers::invoice(30, |_| {}), papers::bill(7, "inpatient")] {
        let (one, other) = (laid_out(&record), laid_out(&record));
        assert_eq!(one.pdf().unwrap(), other.pdf().unwrap());
        assert_eq!(one.ofd().unwrap(), other.ofd().unwrap());
        assert_eq!(one.html("n"), other.html("n"));
    }
}

#[test]
fn what_cannot_be_printed_is_said() {
    let record = papers::invoice(1, |invoice| {
        invoice["buyer"]["name"] = "𰻝龘食品有限公司".into();
    });
    let layout = laid_out(&record);
    assert_eq!(layout.missing, ['龘', '𰻝']);
    let texts: Vec<&str> = layout.pages[0]
        .texts()
        .map(|text| text.content.as_str())
        .collect();
    assert!(texts.contains(&"〓〓食品有限公司"), "{texts:?}");
    assert!(
        texts.iter().any(|text| text.contains("U+9F98 U+30EDD")),
        "{texts:?}"
    );
}

#[test]
fn what_an_authority_registered_is_printed_as_such() {
    let layout = laid_out(&papers::registered());
    let said = |word: &str| {
        layout.pages[0]
            .texts()
            .any(|text| text.content.contains(word))
    };
    assert!(said("由主管机关登记") && said("电子发票（增值税专用发票）"));
    let issued = laid_out(&papers::invoice(1, |_| {}));
    assert!(
        !issued.pages[0]
            .texts()
            .any(|text| text.content.contains("登记，原件"))
    );
}

#[test]
fn only_a_document_with_its_own_receipt_is_printed() {
    let fonts = Fonts::built_in();
    let record = papers::invoice(1, |_| {});
    let receipt = Paper {
        receipt: Some("{}"),
        ..paper(&record)
    };
    assert!(matches!(
        lay_out(&receipt, &fonts),
        Err(PrintError::Receipt)
    ));
    assert!(matches!(
        lay_out(&paper("{}"), &fonts),
        Err(PrintError::Record)
    ));
    let link = "x".repeat(400);
    let link = Paper {
        link: Some(&link),
        ..paper(&record)
    };
    assert!(matches!(lay_out(&link, &fonts), Err(PrintError::Qr(_))));
}

#[test]
fn the_page_for_browsers_takes_nothing_from_elsewhere_and_escapes() {
    let record = papers::invoice(1, |invoice| {
        invoice["note"] = "<script>alert(1)</script> & \"x\"".into();
    });
    let html = laid_out(&record).html("abc");
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;x&quot;"));
    assert!(!html.contains("<script"));
    assert!(!html.contains("style=\""));
    assert!(html.contains("<style nonce=\"abc\">"));
    for outside in ["src=", "href=", "url(", "@import"] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn the_page_says_only_what_is_so() {
    let record = papers::invoice(1, |invoice| invoice["buyer"]["name"] = "龘公司".into());
    let fonts = Fonts::built_in();
    for (wording, proved, attached, due) in [
        (
            Wording::Zh,
            true,
            true,
            ["按链上记录打印；附件含记录原文。", "原文见附件"],
        ),
        (
            Wording::Zh,
            true,
            false,
            ["按链上记录打印；记录原文见登记系统。", "原文见登记系统"],
        ),
        (
            Wording::Zh,
            false,
            true,
            ["回执未核验；附件含记录原文。", "原文见附件"],
        ),
        (
            Wording::En,
            true,
            true,
            [
                "from the record on the chain; the record is attached.",
                "the attached record",
            ],
        ),
        (
            Wording::En,
            false,
            false,
            [
                "receipt not verified; the record is in the registry.",
                "in the registry has them",
            ],
        ),
    ] {
        let paper = Paper {
            wording,
            proved,
            attached,
            ..paper(&record)
        };
        let layout = lay_out(&paper, &fonts).unwrap();
        let said: String = layout.pages[0]
            .texts()
            .map(|text| text.content.as_str())
            .collect();
        for words in due {
            assert!(said.contains(words), "{words}: {said}");
        }
        assert_eq!(
            said.contains("链上") || said.contains("on the chain"),
            proved
        );
        let html = layout.html("n");
        let (page, form) = match wording {
            Wording::Zh => ("zh-CN", 0),
            Wording::En => ("en", 1),
        };
        assert!(html.contains(&format!("<html lang=\"{page}\">")));
        assert_eq!(html.matches("<text lang=\"zh-CN\"").count().min(1), form);
    }
}

#[test]
fn the_images_of_the_code_alone_decode_to_its_text() {
    let code = QrCode::new(papers::LINK).unwrap();
    assert_eq!((code.version(), code.level()), (9, "L"));
    let (edge, pixels) = readers::grey_png(&code.png(4).unwrap());
    assert_eq!(edge, (code.width() + 8) * 4);
    assert_eq!(readers::qr_texts(edge, edge, &pixels), [papers::LINK]);
    let svg = code.svg();
    assert_eq!(svg.matches("<path").count(), 2);
    assert!(!svg.contains("<rect"));
    // The same modules: the runs of the path, drawn again.
    let side = code.width() + 8;
    let drawn = readers::rasterise(svg.split("d=\"").nth(2).unwrap(), side, 4);
    assert_eq!(
        readers::qr_texts(side * 4, side * 4, &drawn),
        [papers::LINK]
    );
}

/// `PIAOLIAN_PRINTS=DIR` keeps the files, to be looked at.
#[test]
fn each_kind_is_written_in_each_format_within_a_megabyte() {
    let scratch = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("PIAOLIAN_PRINTS").map(std::path::PathBuf::from);
    let folder = kept.unwrap_or_else(|| scratch.path().to_owned());
    std::fs::create_dir_all(&folder).unwrap();
    let long = "甲乙丙丁戊己庚辛壬癸".repeat(20);
    for (name, record) in [
        ("invoice", papers::invoice(2, |_| {})),
        ("invoice-of-many-lines", papers::invoice(60, |_| {})),
        (
            "invoice-of-long-names",
            papers::invoice(2, |invoice| {
                invoice["lines"][0]["name"] = long.clone().into();
                invoice["lines"][0]["spec"] = long.clone().into();
                invoice["buyer"]["name"] = long.clone().into();
                invoice["seller"]["name"] = "𰻝龘".into();
                invoice["note"] = "备\n".repeat(300).into();
            }),
        ),
        ("bill-outpatient", papers::bill(5, "outpatient")),
        (
            "bill-inpatient-of-many-items",
            papers::bill(70, "inpatient"),
        ),
    ] {
        let layout = laid_out(&record);
        for (format, file) in [
            ("pdf", layout.pdf().unwrap()),
            ("ofd", layout.ofd().unwrap()),
            ("html", layout.html("print").into_bytes()),
        ] {
            assert!(file.len() < 1 << 20, "{name}.{format}: {}", file.len());
            std::fs::write(folder.join(format!("{name}.{format}")), file).unwrap();
        }
    }
}

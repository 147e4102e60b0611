//! Documents as files for people, from a running node.

use std::collections::BTreeMap;
use std::process::Command;

use invoice_core::chain::Receipt;
use invoice_core::paper_link::{PaperLink, StampVerdict};

use crate::support::{Demo, Document};

/// The text of the QR code in a PNG file.
fn decoded(file: &[u8]) -> String {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let (width, height) = (info.width as usize, info.height as usize);
    let mut image =
        rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| pixels[y * width + x]);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1);
    grids[0].decode().unwrap().1
}

#[tokio::test]
async fn the_code_on_paper_is_stamped_by_the_validator_and_checked_offline() {
    let demo = Demo::start();
    let (merchant, hospital, buyer) =
        (demo.merchant(), demo.member("hospital", 1), demo.employer());
    let genesis = &demo.genesis;
    for (document, issuer) in [
        (Document::invoice(&merchant, Some(&buyer)), &merchant),
        (Document::bill(&hospital), &hospital),
    ] {
        let record = document.text();
        demo.http.accept(issuer, &record).await;
        let path = format!("/v1/documents/{}/qr.png?scale=4", document.key);
        let answer = demo.http.ask(issuer, &path).await.is(200);
        assert_eq!(answer.header("piaolian-stamp"), Some("present"));
        let url = decoded(&answer.body);
        assert!(
            url.starts_with(&format!("{}/v/{}?", demo.http.url(), document.key)),
            "{url}"
        );
        let link = PaperLink::parse(&url).unwrap();
        assert!(link.names_record(record.as_bytes()));
        let validators = genesis.validators().validators();
        let keys = || validators.iter().map(|validator| &validator.public_key);
        assert_eq!(
            link.verify(genesis.chain_id(), keys()),
            StampVerdict::Genuine
        );
        let mut changed = link.clone();
        changed.index += 1;
        assert_eq!(
            changed.verify(genesis.chain_id(), keys()),
            StampVerdict::Forged
        );
        // The link leads to the public page, which knows the document.
        let page = demo
            .http
            .get(url.strip_prefix(&demo.http.url()).unwrap())
            .await
            .is(200);
        assert!(!page.text().contains("未找到"), "{}", page.text());
        let svg = demo
            .http
            .ask(issuer, &format!("/v1/documents/{}/qr.svg", document.key))
            .await;
        assert!(svg.is(200).text().starts_with("<svg "));
    }
}

#[tokio::test]
async fn a_document_is_printed_for_its_parties_alone() {
    let demo = Demo::start();
    let (merchant, buyer) = (demo.merchant(), demo.employer());
    let document = Document::invoice(&merchant, Some(&buyer));
    let record = document.text();
    demo.http.accept(&merchant, &record).await;
    let path = |format: &str| format!("/v1/documents/{}/paper?format={format}", document.key);
    let mut files = BTreeMap::new();
    for (format, media_type, begins) in [
        ("pdf", "application/pdf", "%PDF-1.7"),
        ("ofd", "application/ofd", "PK\u{3}\u{4}"),
        ("html", "text/html; charset=utf-8", "<!DOCTYPE html>"),
    ] {
        let answer = demo.http.ask(&buyer, &path(format)).await.is(200);
        assert_eq!(answer.header("content-type"), Some(media_type));
        assert_eq!(answer.header("piaolian-unprintable"), None);
        assert!(answer.body.starts_with(begins.as_bytes()), "{format}");
        let name = answer.header("content-disposition").unwrap();
        assert!(
            name.ends_with(&format!(".{format}\"")) && !name.contains(':'),
            "{name}"
        );
        let again = demo.http.ask(&demo.tax(), &path(format)).await.is(200);
        // Only the nonce of the page's style sheet differs.
        assert_eq!(again.body == answer.body, format != "html", "{format}");
        files.insert(format, answer.body);
    }
    let stranger = demo.member("employer", 2);
    let unknown = "/v1/documents/D:26332099999999999999/paper?format=pdf";
    for (who, path) in [(&stranger, path("pdf")), (&buyer, unknown.to_owned())] {
        demo.http.ask(who, &path).await.refused(404, "not_found");
    }
    demo.http.get(&path("pdf")).await.is(401);
    for wrong in ["docx", "pdf&x=1", "pdf&lang=de"] {
        demo.http
            .ask(&buyer, &path(wrong))
            .await
            .refused(400, "query_invalid");
    }

    if Command::new("pdfdetach").arg("-v").output().is_err() {
        eprintln!("SKIPPED: pdfdetach is not installed (Debian: poppler-utils)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.pdf");
    std::fs::write(&file, &files["pdf"]).unwrap();
    let status = Command::new("pdfdetach")
        .arg("-saveall")
        .arg("-o")
        .arg(folder.path())
        .arg(&file)
        .status();
    assert!(status.unwrap().success());
    let attached = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert_eq!(attached("record.json"), record.as_bytes());
    let receipt = Receipt::parse(&attached("receipt.json")).unwrap();
    receipt.verify(&demo.genesis).unwrap();
    assert_eq!(receipt.record, record);
}

#[tokio::test]
async fn names_that_no_font_has_are_told_in_a_header() {
    let demo = Demo::start();
    let merchant = demo.merchant();
    let mut document = Document::invoice(&merchant, None);
    document.record["invoice"]["buyer"]["name"] = "𰻝龘".into();
    demo.http.accept(&merchant, &document.text()).await;
    let path = format!("/v1/documents/{}/paper?format=html&lang=en", document.key);
    let answer = demo.http.ask(&merchant, &path).await.is(200);
    assert_eq!(
        answer.header("piaolian-unprintable"),
        Some("U+9F98 U+30EDD")
    );
    assert!(
        answer
            .text()
            .contains("These characters could not be printed")
    );
}

//! Documents printed by the command, from a node and from a receipt alone.

use std::fs;

use crate::demo::Demo;

#[test]
fn a_document_is_printed_by_a_node_and_from_its_receipt_without_one() {
    let demo = Demo::start();
    let seller = demo.member("merchant", 0);
    let mut content = demo.invoice_content(1);
    content["buyer"]["name"] = "𰻝龘食品有限公司".into();
    fs::write(demo.folder.path().join("invoice.json"), content.to_string()).unwrap();
    let key = format!("D:{}", content["number"].as_str().unwrap());
    demo.lines(
        &seller,
        0,
        &["issue", "invoice.json", "--save", "receipt.json"],
    );
    let read = |name: &str| fs::read(demo.folder.path().join(name)).unwrap();

    for (format, begins) in [
        ("pdf", &b"%PDF-"[..]),
        ("ofd", b"PK"),
        ("html", b"<!DOCTYPE html>"),
        ("svg", b"<svg "),
        ("png", b"\x89PNG"),
    ] {
        let file = format!("online.{format}");
        let print = ["print", &key, "--format", format, "-o", &file];
        let told = demo.lines(&seller, 0, &print);
        assert_eq!(told[0]["stamped"], true, "{told:?}");
        assert!(read(&file).starts_with(begins), "{format}");
        if ["pdf", "ofd", "html"].contains(&format) {
            let missing = serde_json::json!(["U+9F98", "U+30EDD"]);
            assert_eq!(told[0]["unprintable"], missing, "{format}");
        }

        // The registry is not there any more; the receipt is enough.
        let file = format!("offline.{format}");
        let print = [
            "print",
            "receipt.json",
            "--format",
            format,
            "-o",
            &file,
            "--public-url",
            "https://tax.example",
            "--server",
            "http://127.0.0.1:9",
        ];
        let told = demo.lines(&seller, 0, &print);
        assert_eq!(told[0]["stamped"], false, "{told:?}");
        assert!(read(&file).starts_with(begins), "{format}");
    }
    // Without --format the file's name says what is to be in it; one that says nothing is not written.
    for (file, start) in [
        ("named.ofd", "PK"),
        ("named.XML", "<?xml"),
        ("named.pdf", "%PDF"),
    ] {
        demo.lines(&seller, 0, &["print", &key, "-o", file]);
        assert!(read(file).starts_with(start.as_bytes()), "{file}");
    }
    demo.lines(&seller, 2, &["print", &key, "-o", "named.doc"]);
    assert!(!demo.folder.path().join("named.doc").exists());
    let unknown = ["print", "D:26332099999999999999", "-o", "x.pdf"];
    demo.lines(&seller, 1, &unknown);
    fs::write(demo.folder.path().join("other.json"), "{}").unwrap();
    demo.lines(&seller, 5, &["print", "other.json", "-o", "x.pdf"]);
    assert!(!demo.folder.path().join("x.pdf").exists());

    // A person is told which characters are missing, and that there is no stamp.
    let print = ["print", "receipt.json", "-o", "a.pdf", "--lang", "en"];
    let output = demo.invoice(&seller, &print);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("U+9F98 U+30EDD"), "{said}");
    assert!(said.contains("no QR code was printed"), "{said}");
}

//! A receipt and the whole chain, verified by a program that shares no code with this one and was
//! written from `docs/format.md`.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::process::run;
use crate::support::records::{id_of, lock, reverse, settle};
use crate::support::{Demo, Document};

/// The exit code of the verifier for something that does not verify.
pub(crate) const INVALID: i32 = 5;

pub(crate) fn verify(what: &str, file: &Path, genesis: &Path) -> i32 {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/verify.py");
    let output = Command::new("python3")
        .args([script, what])
        .arg(file)
        .arg("--genesis")
        .arg(genesis)
        .output()
        .expect("python3 runs");
    let code = output.status.code().unwrap();
    assert!(
        code == 0 || code == INVALID,
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    code
}

#[tokio::test]
async fn another_implementation_verifies_receipts_and_the_whole_chain() {
    let mut demo = Demo::start();
    let (merchant, employer) = (demo.merchant(), demo.employer());
    let document = Document::invoice(&merchant, None);
    let mut receipts = Vec::new();
    let mut keep = |body: Value| {
        assert!(body["header"].is_string(), "{body}");
        receipts.push(body);
    };
    keep(demo.http.submit(&merchant, &document.text()).await.json());
    let locked = lock(&employer, &document.key, "employer", Some("600.00"));
    keep(demo.http.submit(&employer, &locked).await.json());
    let id = id_of(&locked);
    keep(
        demo.http
            .submit(&employer, &settle(&employer, &id, "600.00"))
            .await
            .json(),
    );
    // Refused: nobody confirmed. The refusal is on the chain, too.
    demo.http
        .submit(
            &merchant,
            &reverse(&merchant, &document.key, "1060.00", "01"),
        )
        .await
        .refused(409, "reversal_not_confirmed");
    // A batch of which one record is malformed and one breaks a rule: both are omitted.
    let good: Vec<String> = (0..3)
        .map(|_| Document::invoice(&merchant, None).text())
        .collect();
    let mut wrong = Document::invoice(&merchant, None).record;
    wrong["invoice"]["total"] = "1.00".into();
    let batch = [
        good[0].clone(),
        r#"{"type":"invoice.issue"}"#.to_owned(),
        good[1].clone(),
        wrong.to_string(),
        good[2].clone(),
    ];
    let answer = demo
        .http
        .submit_batch(&merchant, &batch, false)
        .await
        .json();
    for result in answer["results"].as_array().unwrap() {
        if result["status"] == 201 {
            keep(result["receipt"].clone());
        }
    }
    assert_eq!(receipts.len(), 6);

    let genesis = demo.path().join("genesis.json");
    let file = demo.path().join("receipt.json");
    for receipt in &receipts {
        fs::write(&file, receipt.to_string()).unwrap();
        assert_eq!(verify("receipt", &file, &genesis), 0, "{receipt}");
        for name in [
            "by", "id", "record", "height", "index", "time", "header", "round",
        ] {
            let mut other = receipt.clone();
            other[name] = match &other[name] {
                Value::String(text) => format!("{text}0").into(),
                Value::Number(number) => (number.as_u64().unwrap() + 1).into(),
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                    panic!("{name}")
                }
            };
            fs::write(&file, other.to_string()).unwrap();
            assert_eq!(verify("receipt", &file, &genesis), INVALID, "{name}");
        }
    }

    assert!(demo.end().success());
    let data = demo.path().to_str().unwrap().to_owned();
    let exported = run(&["export", "--data", &data]);
    assert!(exported.status.success());
    let chain = demo.path().join("chain.ndjson");
    fs::write(&chain, &exported.stdout).unwrap();
    assert_eq!(verify("chain", &chain, &genesis), 0);

    // An outcome that someone turns round after the fact does not verify.
    let text = String::from_utf8(exported.stdout).unwrap();
    let forged = text.replacen("\"status\":\"refused\"", "\"status\":\"accepted\"", 1);
    assert_ne!(text, forged);
    fs::write(&chain, forged).unwrap();
    assert_eq!(verify("chain", &chain, &genesis), INVALID);
}

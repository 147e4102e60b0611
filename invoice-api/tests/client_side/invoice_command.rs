//! The `invoice` command as a script sees it: exit codes, output, and what it leaves behind.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::fake::{Reply, serve};
use invoice_core::chain::{Genesis, Validator, ValidatorSet};
use invoice_core::crypto::{KeyEncryption, SecretKey};
use serde_json::Value;

fn key() -> SecretKey {
    SecretKey::from_bytes(&[7; 32]).unwrap()
}

/// A folder with a key, a genesis file and a record.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = |name| folder.path().join(name);
    fs::write(path("key.pem"), key().to_pkcs8_pem().unwrap().as_bytes()).unwrap();
    let sealed = KeyEncryption {
        salt: [1; 16],
        iv: [2; 16],
    };
    let sealed = key().to_encrypted_pkcs8_pem(b"right", &sealed).unwrap();
    fs::write(path("sealed.pem"), sealed.as_bytes()).unwrap();
    let validator = Validator {
        public_key: key().public_key(),
        weight: 1,
        group: None,
        name: "税务局".into(),
    };
    let validators = ValidatorSet::new(vec![validator]).unwrap();
    let chain = "sz-2026".parse().unwrap();
    let genesis = Genesis::compose(chain, 1_795_242_600_000, validators, Vec::new()).unwrap();
    fs::write(path("genesis.json"), genesis.bytes()).unwrap();
    let record = r#"{"type":"x","id":"R-1","by":"M","at":"2026-11-20T00:00:00+08:00"}"#;
    fs::write(path("record.json"), record).unwrap();
    folder
}

async fn invoice(folder: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_invoice"));
    command
        .current_dir(folder)
        .args(line.split(' '))
        .env("LANG", "en_GB.UTF-8");
    for name in ["LC_ALL", "LC_MESSAGES"] {
        command.env_remove(name);
    }
    for name in ["SERVER", "KEY", "MEMBER", "PASSPHRASE", "GENESIS", "CA"] {
        command.env_remove(format!("PIAOLIAN_{name}"));
    }
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

fn exit(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[tokio::test]
async fn each_way_to_end_has_its_exit_code() {
    let folder = folder();
    fs::write(folder.path().join("receipt.json"), "{}").unwrap();
    for (line, code) in [
        ("explain id_reused", 0),
        ("completions bash", 0),
        ("explain no_such_code", 1),
        ("issue", 2),
        ("issue record.json", 2),
        (
            "issue record.json --key no.pem --server http://127.0.0.1:9 --genesis genesis.json",
            2,
        ),
        ("verify receipt.json", 2),
        ("verify receipt.json --genesis genesis.json", 5),
        ("verify receipt.json --genesis record.json", 5),
        (
            "show limits --server http://127.0.0.1:9 --key sealed.pem",
            4,
        ),
    ] {
        let output = invoice(folder.path(), line).await;
        assert_eq!(exit(&output), code, "{line}: {}", stderr(&output));
        if code > 0 && line != "issue" {
            assert!(!stderr(&output).is_empty(), "{line}");
        }
    }
}

#[tokio::test]
async fn codes_are_explained_in_both_languages() {
    let output = invoice(Path::new("."), "explain id_reused").await;
    let text = stdout(&output);
    assert!(
        text.contains("take a new id") && text.contains("请为新记录换用新的 id"),
        "{text}"
    );
    let output = invoice(Path::new("."), "explain --json").await;
    for line in stdout(&output).lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        assert!(!entry["zh"].as_str().unwrap().is_empty());
        assert!(!entry["en"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_refusal_says_what_failed_and_where() {
    let folder = folder();
    let body = r#"{"status":422,"code":"c","detail":"d","trace_id":"t","errors":[{"code":"e","pointer":"/p","detail":"x"}]}"#;
    for (option, wanted) in [("", "/p [e] x"), (" --json", "\"pointer\":\"/p\"")] {
        let (server, _) = serve(vec![Reply::Answer(422, "", body.to_owned())]).await;
        let line = format!(
            "issue record.json --key key.pem --genesis genesis.json --server {server}{option}"
        );
        let output = invoice(folder.path(), &line).await;
        assert_eq!(exit(&output), 1);
        let text = stdout(&output) + &stderr(&output);
        assert!(text.contains(wanted), "{text}");
    }
}

#[tokio::test]
async fn a_receipt_that_proves_nothing_is_an_integrity_failure() {
    let folder = folder();
    let receipt = r#"{"by":"M","id":"R-1","record":"{}","height":1,"index":0,"time":"t"}"#;
    let (server, _) = serve(vec![Reply::Answer(201, "", receipt.to_owned())]).await;
    let line = format!(
        "issue record.json --key key.pem --genesis genesis.json --server {server} --save kept/"
    );
    let output = invoice(folder.path(), &line).await;
    assert_eq!(exit(&output), 5, "{}", stderr(&output));
    // It is evidence all the same.
    let kept = fs::read_to_string(folder.path().join("kept/M-R-1.receipt.json")).unwrap();
    assert_eq!(kept, receipt);
}

#[tokio::test]
async fn a_bulk_run_goes_on_where_it_was_broken_off() {
    let folder = folder();
    let lines = "{\"type\":\"x\",\"by\":\"M\"}\n\n{\"type\":\"y\",\"by\":\"M\"}\n";
    fs::write(folder.path().join("month.ndjson"), lines).unwrap();
    let first = r#"{"line":1,"record":1,"id":"a","status":201,"height":1,"index":0}"#;
    let second = r#"{"line":1,"record":1,"id":"b","status":409,"code":"c","height":2,"index":1}"#;
    let summary = r#"{"summary":{"lines":1,"accepted":0,"replayed":0,"refused":1,"failed":0}}"#;
    let server = bulk_server(vec![format!("{first}\n"), format!("{second}\n{summary}\n")]).await;
    let line =
        format!("bulk month.ndjson --key key.pem --genesis genesis.json --json --server {server}");
    let output = invoice(folder.path(), &line).await;
    // The first answer broke off after one line; the second pass sent only what was left.
    assert_eq!(exit(&output), 1, "{}", stderr(&output));
    let text = stdout(&output);
    let answers: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers[0]["line"], 1);
    assert_eq!(answers[1]["line"], 3, "numbered as in the file");
    assert_eq!(answers[2]["summary"]["accepted"], 1);
    assert_eq!(answers[2]["summary"]["unanswered"], 0);

    // A run without --resume does not begin again, and one with it has nothing left to send.
    assert_eq!(exit(&invoice(folder.path(), &line).await), 2);
    let output = invoice(folder.path(), &format!("{line} --resume")).await;
    assert_eq!(exit(&output), 1, "{}", stderr(&output));
    fs::write(folder.path().join("month.ndjson"), "{}").unwrap();
    assert_eq!(
        exit(&invoice(folder.path(), &format!("{line} --resume")).await),
        2
    );
}

/// Reads a whole chunked request, then gives the next of these bodies and closes.
async fn bulk_server(bodies: Vec<String>) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for body in bodies {
            let (mut stream, _) = listener.accept().await.unwrap();
            crate::fake::read_head(&mut stream).await;
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n0\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            let text = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(text.as_bytes()).await.unwrap();
        }
    });
    server
}

#[tokio::test]
async fn what_an_endpoint_does_not_say_by_itself_is_said() {
    let folder = folder();
    let endpoint = |state: &str| format!(r#"{{"id":"erp","state":"{state}","cursor":3}}"#);
    let answer = |state: &str| Reply::Answer(200, "", endpoint(state));
    let rotate = "invoice webhooks rotate erp";
    let enable = "invoice webhooks enable erp";
    for (line, replies, exit_code, says, silent) in [
        // The answer with the secret was lost, and the second one has none.
        (
            "add erp https://erp.example/",
            vec![Reply::Lost, answer("active")],
            0,
            vec![rotate],
            vec![enable],
        ),
        (
            "add erp https://erp.example/",
            vec![answer("disabled")],
            0,
            vec![rotate, enable],
            vec![],
        ),
        (
            "replay erp --after 3",
            vec![answer("disabled")],
            0,
            vec![enable],
            vec![rotate],
        ),
        (
            "replay erp --after 3",
            vec![answer("active")],
            0,
            vec![],
            vec![enable, rotate],
        ),
        (
            "rotate erp",
            vec![Reply::Lost],
            3,
            vec!["signs for 24 hours more"],
            vec![],
        ),
    ] {
        let (server, _) = serve(replies).await;
        let line = format!("webhooks {line} --key key.pem --server {server}");
        let output = invoice(folder.path(), &line).await;
        assert_eq!(exit(&output), exit_code, "{line}: {}", stderr(&output));
        for part in says {
            assert!(
                stderr(&output).contains(part),
                "{line}: {}",
                stderr(&output)
            );
        }
        for part in silent {
            assert!(
                !stderr(&output).contains(part),
                "{line}: {}",
                stderr(&output)
            );
        }
    }
}

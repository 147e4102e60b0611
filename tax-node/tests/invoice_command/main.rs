//! The `invoice` command, the Rust example and the shell client against a demonstration node.

mod cut_off;
mod demo;
mod paper;
mod proxy;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use demo::{Demo, program};

fn code(line: &Value) -> &str {
    line["error"]["code"].as_str().unwrap()
}

#[test]
fn a_document_goes_from_issue_to_reversal_by_command() {
    let demo = Demo::start();
    let (seller, buyer, other) = (
        demo.member("merchant", 0),
        demo.member("employer", 0),
        demo.member("employer", 1),
    );
    let content = demo.invoice_content(1);
    fs::write(demo.folder.path().join("invoice.json"), content.to_string()).unwrap();
    let key = format!("D:{}", content["number"].as_str().unwrap());
    let date = content["issue_date"].as_str().unwrap();

    // Issued once, and the same again is the original receipt.
    let issue = [
        "issue",
        "invoice.json",
        "--id",
        "A-1",
        "--save",
        "receipt.json",
    ];
    let issued = demo.lines(&seller, 0, &issue);
    assert_eq!(
        (&issued[0]["status"], &issued[0]["verified"]),
        (&201.into(), &true.into())
    );
    let record = issued[0]["receipt"]["record"].as_str().unwrap();
    fs::write(demo.folder.path().join("again.json"), record).unwrap();
    let again = demo.lines(&seller, 0, &["issue", "again.json"]);
    assert_eq!(
        (&again[0]["status"], &again[0]["receipt"]),
        (&200.into(), &issued[0]["receipt"])
    );
    let reused = demo.lines(&seller, 1, &["issue", "invoice.json", "--id", "A-1"]);
    assert_eq!(code(&reused[0]), "id_reused");

    // Verified offline, and not with any byte changed.
    demo.lines(&seller, 0, &["verify", "receipt.json"]);
    let receipt = fs::read(demo.folder.path().join("receipt.json")).unwrap();
    for place in (0..receipt.len()).step_by(receipt.len() / 25) {
        let mut changed = receipt.clone();
        changed[place] ^= 1;
        fs::write(demo.folder.path().join("changed.json"), changed).unwrap();
        demo.lines(&seller, 5, &["verify", "changed.json"]);
    }

    // Checked by number, by CSV, and with a wrong amount.
    let check = ["check", &key[2..], "--amount", "1000", "--date", date];
    assert_eq!(demo.lines(&buyer, 0, &check)[0]["verdict"], "claimable");
    let wrong = ["check", &key[2..], "--amount", "1001", "--date", date];
    assert_eq!(demo.lines(&buyer, 1, &wrong)[0]["verdict"], "mismatch");
    let list = format!("发票号码,价税合计,开票日期\n{},1000.00,{date}\n", &key[2..]);
    fs::write(demo.folder.path().join("list.csv"), list).unwrap();
    assert_eq!(
        demo.lines(&buyer, 0, &["check", "--csv", "list.csv"])[0]["verdict"],
        "claimable"
    );

    // Locked, settled, and refused to everyone else.
    let lock = |amount| {
        [
            "claim",
            "lock",
            &key,
            "--kind",
            "employer",
            "--reference",
            "BX-1",
            "--amount",
            amount,
            "--id",
            "L-1",
        ]
    };
    demo.lines(&buyer, 0, &lock("600.00"));
    assert_eq!(
        demo.lines(&other, 1, &lock("600.00"))[0]["error"]["problem"]["status"],
        409
    );
    let settle = [
        "claim",
        "settle",
        "L-1",
        "--amount",
        "600.00",
        "--voucher",
        "记-1",
        "--booking",
        "02",
    ];
    demo.lines(&buyer, 0, &settle);
    let claims = demo.lines(
        &buyer,
        0,
        &["show", "claims", "--status", "settled", "--all"],
    );
    assert_eq!((claims.len(), &claims[0]["claim"]), (1, &"L-1".into()));
    let shown = demo.lines(&seller, 0, &["show", "document", &key]);
    assert_eq!(shown[0]["remaining"], "400.00");
    assert_eq!(
        demo.lines(&buyer, 0, &["show", "record", "L-1"])[0]["state"],
        "final"
    );
    assert_eq!(
        demo.lines(&buyer, 1, &["show", "record", "L-2"])[0]["state"],
        "absent"
    );

    // Taken back by the claimant, then reversed by the seller.
    let back = [
        "claim", "reverse", "L-1", "--amount", "600.00", "--reason", "退款",
    ];
    demo.lines(&buyer, 0, &back);
    demo.lines(
        &seller,
        0,
        &["reverse", &key, "--amount", "1000.00", "--reason", "01"],
    );
    assert_eq!(demo.lines(&buyer, 1, &check)[0]["verdict"], "reversed");
}

#[test]
fn a_bulk_file_is_issued_once_however_often_it_is_sent() {
    let demo = Demo::start();
    let seller = demo.member("merchant", 0);
    let mut lines: Vec<String> = (1..=120)
        .map(|number| demo.invoice_content(number).to_string())
        .collect();
    lines[7] = "oops".to_owned();
    let input = demo.folder.path().join("month.ndjson");
    fs::write(&input, lines.join("\n")).unwrap();
    let answers = demo.lines(&seller, 1, &["bulk", "month.ndjson"]);
    let summary = &answers.last().unwrap()["summary"];
    assert_eq!(
        (&summary["accepted"], &summary["failed"]),
        (&119.into(), &1.into())
    );
    assert_eq!(answers[7]["status"], 400);

    // All but the plan and a few answers are lost: the rest is sent again and answered as before.
    let journal = demo.folder.path().join("month.ndjson.journal");
    let text = fs::read_to_string(&journal).unwrap();
    let kept: Vec<&str> = text.lines().take(21).collect();
    fs::write(&journal, kept.join("\n") + "\n{\"line\":").unwrap();
    let answers = demo.lines(&seller, 1, &["bulk", "month.ndjson", "--resume"]);
    let summary = &answers.last().unwrap()["summary"];
    assert_eq!(
        summary["accepted"].as_u64().unwrap() + summary["replayed"].as_u64().unwrap(),
        119
    );
    assert_eq!(
        (&summary["refused"], &summary["failed"]),
        (&0.into(), &1.into())
    );
    assert_eq!(summary["replayed"], 100);
}

#[test]
fn the_example_and_the_shell_client_tell_their_stories() {
    let demo = Demo::start();
    let folder = demo.folder.path().join("demo");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/client.sh");
    for program in [program("examples", "quickstart"), script] {
        let output = Command::new(&program)
            .arg(&demo.server)
            .arg(&folder)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{}\n{text}\n{errors}",
            program.display()
        );
        for step in ["issued", "checked", "locked", "settled", "refused"] {
            assert!(text.contains(step), "{}\n{text}", program.display());
        }
    }
}

#[test]
fn the_shell_client_is_not_content_with_a_part_of_the_validators() {
    let demo = Demo::start();
    let folder = demo.folder.path().join("demo");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/client.sh");
    // The genesis file that this reader trusts has a second validator, who signed nothing.
    let beside = demo.folder.path().join("beside");
    fs::create_dir(&beside).unwrap();
    fs::copy(folder.join("members.json"), beside.join("members.json")).unwrap();
    std::os::unix::fs::symlink(folder.join("keys"), beside.join("keys")).unwrap();
    let text = fs::read_to_string(folder.join("genesis.json")).unwrap();
    let mut genesis: serde_json::Value = serde_json::from_str(&text).unwrap();
    let validators = genesis["validators"].as_array_mut().unwrap();
    let mut second = validators[0].clone();
    let key = invoice_core::crypto::SecretKey::from_bytes(&[5; 32]).unwrap();
    second["public_key"] = key.public_key().to_hex().into();
    validators.push(second);
    fs::write(
        beside.join("genesis.json"),
        serde_json::to_string(&genesis).unwrap(),
    )
    .unwrap();
    let run = Command::new(&script)
        .arg(&demo.server)
        .arg(&beside)
        .output();
    let output = run.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{errors}");
    assert!(errors.contains("two thirds"), "{errors}");
}

//! A month's invoices over a connection that is cut again and again.

use std::collections::{HashMap, HashSet};
use std::fs;

use serde_json::Value;

use crate::demo::Demo;
use crate::proxy::{Proxy, Way};

const LINES: u64 = 600;
/// A run gives up after so many passes that brought nothing new.
const IDLE_PASSES: usize = 5;
/// The exit code of a run that got no answer.
const NETWORK: i32 = 3;

/// Runs `invoice bulk` through the proxy, wants this exit code, and gives the answers and the
/// summary that it prints.
fn bulk(demo: &Demo, proxy: &Proxy, exit: i32, resume: &[&str]) -> (Vec<Value>, Value) {
    let arguments = [&["bulk", "month.ndjson", "--json"], resume].concat();
    let output = demo.invoice_to(&proxy.server, &demo.member("merchant", 0), &arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{text}\n{errors}");
    assert_eq!(proxy.left(), 0, "{text}\n{errors}");
    let mut answers = Vec::new();
    let mut summary = None;
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        match (line.get("summary"), line.get("line")) {
            (Some(found), _) => summary = Some(found.clone()),
            (None, Some(_)) => answers.push(line),
            // The error that ended the run.
            (None, None) => assert_eq!(exit, NETWORK, "{line}"),
        }
    }
    (answers, summary.unwrap())
}

fn tree_size(demo: &Demo) -> u64 {
    let shown = demo.lines(&demo.member("merchant", 0), 0, &["show", "checkpoint"]);
    shown[0]["tree_size"].as_u64().unwrap()
}

#[test]
fn a_bulk_file_is_issued_once_however_often_the_connection_is_cut() {
    let demo = Demo::start();
    let proxy = Proxy::before(&demo.server);
    let input = demo.folder.path().join("month.ndjson");
    let lines: Vec<String> = (1..=LINES)
        .map(|number| demo.invoice_content(number).to_string())
        .collect();
    fs::write(&input, lines.join("\n")).unwrap();
    let before = tree_size(&demo);

    // Cut within the lines that are sent, before the first answer that is seen, within an answer;
    // then the network is gone, until the run gives up.
    proxy.plan([
        Way::CutWhenSent(100_000),
        Way::CutWhenAnswered {
            bytes: 6_000,
            seen: 0,
        },
        Way::CutWhenAnswered {
            bytes: 9_000,
            seen: 5_003,
        },
    ]);
    proxy.plan([Way::Closed; IDLE_PASSES]);
    let (mut answers, summary) = bulk(&demo, &proxy, NETWORK, &[]);
    assert!(summary["unanswered"].as_u64().unwrap() > 0, "{summary}");

    // It goes on over a line that is no better, and comes to the end.
    proxy.plan([
        Way::CutWhenAnswered {
            bytes: 4_000,
            seen: 2_000,
        },
        Way::CutWhenSent(50_000),
    ]);
    let (rest, summary) = bulk(&demo, &proxy, 0, &["--resume"]);
    answers.extend(rest);
    let count = |name: &str| summary[name].as_u64().unwrap();
    assert_eq!(count("lines"), LINES);
    assert_eq!(count("accepted") + count("replayed"), LINES);
    assert!(
        count("replayed") > 0,
        "answers were lost on the way: {summary}"
    );
    for name in ["refused", "failed", "unanswered"] {
        assert_eq!(count(name), 0, "{summary}");
    }

    // Every line was answered once with its outcome, and every record stands in a leaf of its own.
    let places: HashMap<u64, u64> = answers
        .iter()
        .map(|answer| {
            let number = |name: &str| answer[name].as_u64().unwrap();
            (number("line"), number("index"))
        })
        .collect();
    assert_eq!(answers.len() as u64, LINES);
    assert_eq!(places.len() as u64, LINES);
    let leaves: HashSet<u64> = places.values().copied().collect();
    assert_eq!(leaves.len() as u64, LINES);
    assert_eq!(tree_size(&demo), before + LINES);

    // The journal holds the same answers, and nothing is sent again.
    let journal = fs::read_to_string(demo.folder.path().join("month.ndjson.journal")).unwrap();
    let noted: Vec<Value> = journal
        .lines()
        .skip(1)
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(noted, answers);
    let (again, told) = bulk(&demo, &proxy, 0, &["--resume"]);
    assert!(again.is_empty());
    assert_eq!(told, summary);
    assert_eq!(tree_size(&demo), before + LINES);
}

//! Figures after a kill, and after damage.

use std::time::Duration;

use oversight::Rows;
use serde_json::Value;
use tax_node::store::FigureFile;

use super::{figures, play};
use crate::support::process::serve;
use crate::support::{Demo, Document};

/// Spoils every row whose key begins so.
fn spoil(folder: &std::path::Path, kind: u8) {
    let file = FigureFile::open(folder).unwrap();
    let rows = file.rows().unwrap();
    let found = rows.scan(&[kind], &[kind + 1], false, 1_000).unwrap();
    assert!(!found.is_empty());
    let spoilt = |(key, mut value): (Vec<u8>, Vec<u8>)| {
        value.push(1);
        (key, Some(value))
    };
    file.commit(&found.into_iter().map(spoilt).collect())
        .unwrap();
}

#[tokio::test]
async fn rows_that_are_damaged_are_made_anew_while_the_node_runs() {
    let mut demo = Demo::start();
    let (tax, merchant) = (demo.tax(), demo.merchant());
    play(&demo).await;
    let attempts = figures(&demo, &tax, "/v1/oversight/attempts").await;
    // Rows of attempts are only read by whoever asks for them.
    demo.end();
    spoil(demo.path(), 10);
    demo.server = serve(demo.path());
    demo.http.moved_to(&demo.server.as_ref().unwrap().url);
    demo.http.ask(&tax, "/v1/oversight/attempts").await.is(503);
    let mut again = Value::Null;
    for _ in 0..400 {
        let answer = demo.http.ask(&tax, "/v1/oversight/attempts").await;
        if answer.status == 200 {
            again = answer.json();
            if again == attempts {
                break;
            }
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(again, attempts);
    // Those of issuers are changed by the next document.
    demo.end();
    spoil(demo.path(), 16);
    demo.server = serve(demo.path());
    demo.http.moved_to(&demo.server.as_ref().unwrap().url);
    demo.http
        .accept(&merchant, &Document::invoice(&merchant, None).text())
        .await;
    let overview = figures(&demo, &tax, "/v1/oversight/overview").await;
    assert_eq!(overview["issued"]["count"], 2);
    let path = format!("/v1/oversight/merchants/{}", merchant.id);
    let issuer = figures(&demo, &tax, &path).await;
    assert_eq!(issuer["issued"]["count"], 2);
    let health = demo
        .http
        .ask(&tax, "/v1/oversight/health")
        .await
        .is(200)
        .json();
    assert_eq!(health["figures_failed"], false);
}

#[tokio::test]
async fn figures_go_on_after_a_kill_and_are_the_same_when_made_anew() {
    let mut demo = Demo::start();
    let (tax, merchant) = (demo.tax(), demo.merchant());
    play(&demo).await;
    for round in 0..3 {
        let batch: Vec<String> = (0..200)
            .map(|_| Document::invoice(&merchant, None).text())
            .collect();
        demo.http
            .submit_batch(&merchant, &batch, false)
            .await
            .is(200);
        if round == 1 {
            figures(&demo, &tax, "/v1/oversight/overview").await;
        }
        // What the figures were in the middle of is lost with the process.
        demo.server.take().unwrap().kill();
        demo.server = serve(demo.path());
        demo.http.moved_to(&demo.server.as_ref().unwrap().url);
    }
    let paths = [
        "overview",
        "volume",
        "attempts",
        "pairs",
        "merchants",
        "locks",
        "members",
        "over-claims",
        "late-reversals",
    ];
    let mut before = Vec::new();
    for path in paths {
        before.push(figures(&demo, &tax, &format!("/v1/oversight/{path}")).await);
    }
    assert_eq!(before[0]["issued"]["count"], 601);
    demo.end();
    std::fs::remove_file(demo.path().join("figures.redb")).unwrap();
    demo.server = serve(demo.path());
    demo.http.moved_to(&demo.server.as_ref().unwrap().url);
    for (path, before) in paths.iter().zip(&before) {
        let after = figures(&demo, &tax, &format!("/v1/oversight/{path}")).await;
        assert_eq!(&after, before, "{path}");
    }
    // A file that is damaged is made anew as well.
    demo.end();
    std::fs::write(demo.path().join("figures.redb"), [7; 9_000]).unwrap();
    demo.server = serve(demo.path());
    demo.http.moved_to(&demo.server.as_ref().unwrap().url);
    let after = figures(&demo, &tax, "/v1/oversight/overview").await;
    assert_eq!(after, before[0]);
}

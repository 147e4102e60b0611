//! Changing the validators of a running node, and what receipts and the export say of it.

use std::fs;

use invoice_core::chain::{Validator, ValidatorSet};
use invoice_core::crypto::Signer;
use invoice_core::crypto::messages::validators_message;
use serde_json::{Value, json};

use crate::second_implementation::{INVALID, verify};
use crate::support::process::{Member, run, serve};
use crate::support::records::record_value;
use crate::support::{Demo, Document};

/// A change of the demo's single validator to another weight, which the same key can go on with.
fn change(demo: &Demo, tax: &Member, finance: &Member, from_height: u64) -> Value {
    let current = demo.genesis.validators();
    let one = &current.validators()[0];
    let next = ValidatorSet::new(vec![Validator {
        weight: 2,
        ..one.clone()
    }])
    .unwrap();
    let (chain, replaces) = (demo.genesis.chain_id(), current.digest());
    let message = validators_message(chain, from_height, &replaces, &next.list_digest());
    let sig = finance.signer.sign(&message).unwrap();
    let members = json!({
        "change": {
            "from_height": from_height,
            "replaces": replaces.to_string(),
            "validators": [{"public_key": one.public_key.to_hex(), "weight": 2, "name": one.name}],
        },
        "countersigned": {"by": finance.id, "kid": finance.kid(), "sig": sig.to_string()},
    });
    record_value(tax, "validators.change", members)
}

#[tokio::test]
async fn receipts_carry_a_change_of_the_validators_and_verify_by_the_genesis_file() {
    let mut demo = Demo::start();
    let (tax, finance, merchant) = (demo.tax(), demo.member("finance", 1), demo.merchant());
    let height = |receipt: &Value| receipt["height"].as_u64().unwrap();
    let before = Document::invoice(&merchant, None).text();
    let before = demo.http.submit(&merchant, &before).await;
    let last = height(&before.json());

    // Whoever countersigns signs this very change.
    let mut other = change(&demo, &tax, &finance, last + 4);
    other["change"]["from_height"] = (last + 5).into();
    let refused = demo.http.submit(&tax, &other.to_string()).await;
    refused.refused(401, "signature_invalid");
    let late = change(&demo, &tax, &finance, last + 2).to_string();
    let refused = demo.http.submit(&tax, &late).await;
    refused.refused(409, "from_height_too_early");
    let from_height = last + 4;
    let sent = change(&demo, &tax, &finance, from_height).to_string();
    let accepted = demo.http.submit(&tax, &sent).await.is(201);
    accepted.verified(&demo.genesis);

    let mut receipts = vec![before.json(), accepted.json()];
    while height(receipts.last().unwrap()) < from_height + 1 {
        let text = Document::invoice(&merchant, None).text();
        let answer = demo.http.submit(&merchant, &text).await.is(201);
        answer.verified(&demo.genesis);
        receipts.push(answer.json());
    }
    let genesis = demo.path().join("genesis.json");
    let file = demo.path().join("receipt.json");
    for receipt in &receipts {
        let changed = height(receipt) >= from_height;
        assert_eq!(
            receipt["validator_changes"].is_array(),
            changed,
            "{receipt}"
        );
        fs::write(&file, receipt.to_string()).unwrap();
        assert_eq!(verify("receipt", &file, &genesis), 0, "{receipt}");
        if changed {
            let mut cut = receipt.clone();
            cut.as_object_mut().unwrap().remove("validator_changes");
            fs::write(&file, cut.to_string()).unwrap();
            assert_eq!(verify("receipt", &file, &genesis), INVALID);
            let mut doctored = receipt.clone();
            doctored["validator_changes"][0]["height"] = 1.into();
            fs::write(&file, doctored.to_string()).unwrap();
            assert_eq!(verify("receipt", &file, &genesis), INVALID);
        }
    }

    // After a restart the change is read back from the log.
    assert!(demo.end().success());
    let data = demo.path().to_str().unwrap().to_owned();
    let verified = run(&["verify", "--data", &data]);
    assert!(verified.status.success(), "{verified:?}");
    let exported = run(&["export", "--data", &data]);
    let chain = demo.path().join("chain.ndjson");
    fs::write(&chain, &exported.stdout).unwrap();
    assert_eq!(verify("chain", &chain, &genesis), 0);
    let server = serve(demo.path()).expect("the node starts again");
    demo.http.moved_to(&server.url);
    let again = demo.http.submit(&tax, &sent).await;
    assert_eq!(again.json(), receipts[1]);
    let text = Document::invoice(&merchant, None).text();
    let after = demo.http.submit(&merchant, &text).await;
    after.verified(&demo.genesis);
    assert!(server.end().success());
}

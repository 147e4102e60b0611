//! What everyone may know: checkpoints, blocks, proofs, the catalogue, and how the node is.

use invoice_core::chain::{Certificate, Header};
use invoice_core::crypto::Hash;
use invoice_core::merkle::{verify_consistency, verify_inclusion};
use serde_json::Value;

use crate::support::{Answer, Demo, Document, Http};

fn hash(value: &Value) -> Hash {
    value.as_str().unwrap().parse().unwrap()
}

fn hashes(value: &Value) -> Vec<Hash> {
    value.as_array().unwrap().iter().map(hash).collect()
}

async fn json(demo: &Demo, path: &str) -> Value {
    demo.http.get(path).await.is(200).json()
}

/// The header of a checkpoint or a block, its signatures verified with the genesis file.
fn header(demo: &Demo, shown: &Value) -> Header {
    let bytes = hex::decode(shown["header"].as_str().unwrap()).unwrap();
    let header = Header::decode(&bytes).unwrap();
    let signatures = shown["signatures"].as_array().unwrap().iter();
    let signatures = signatures
        .map(|signature| {
            let text = |name: &str| signature[name].as_str().unwrap();
            (text("kid").parse().unwrap(), text("sig").parse().unwrap())
        })
        .collect();
    let round = u32::try_from(shown["round"].as_u64().unwrap()).unwrap();
    let certificate = Certificate::new(header.height, round, header.id(), signatures);
    certificate
        .verify(demo.genesis.validators(), demo.genesis.chain_id())
        .unwrap();
    assert_eq!(shown["height"], header.height);
    header
}

#[tokio::test]
async fn the_log_proves_itself() {
    let demo = Demo::start();
    let merchant = demo.merchant();
    let early = json(&demo, "/v1/checkpoint").await;
    let mut receipts = Vec::new();
    for _ in 0..5 {
        let records: Vec<_> = (0..3)
            .map(|_| Document::invoice(&merchant, None).text())
            .collect();
        demo.http
            .submit_batch(&merchant, &records, false)
            .await
            .is(200);
        let text = Document::invoice(&merchant, None).text();
        receipts.push(
            demo.http
                .accept(&merchant, &text)
                .await
                .verified(&demo.genesis),
        );
    }
    let late = json(&demo, "/v1/checkpoint").await;
    assert_eq!(late["chain_id"], demo.genesis.chain_id().as_str());
    let size = |checkpoint: &Value| checkpoint["tree_size"].as_u64().unwrap();
    for checkpoint in [&early, &late] {
        let header = header(&demo, checkpoint);
        assert_eq!(header.log_size, size(checkpoint));
        assert_eq!(header.log_root, hash(&checkpoint["root_hash"]));
    }
    let (from, to) = (size(&early), size(&late));
    assert_eq!(to, from + 20);
    for from in [1, from, from + 7, to] {
        let proof = json(
            &demo,
            &format!("/v1/proofs/consistency?from={from}&to={to}"),
        )
        .await;
        let path = hashes(&proof["path"]);
        let first_root = if from == size(&early) {
            hash(&early["root_hash"])
        } else {
            // The root of any earlier size follows from the leaves below it.
            root_of(&demo, from).await
        };
        let root = hash(&late["root_hash"]);
        assert!(
            verify_consistency(from, &first_root, to, &root, &path),
            "{from}"
        );
        let other = hash(&late["root_hash"]) == first_root;
        assert_eq!(
            verify_consistency(from, &root, to, &root, &path),
            other,
            "{from}"
        );
    }
    for index in 0..to {
        let proof = json(
            &demo,
            &format!("/v1/proofs/inclusion?index={index}&tree_size={to}"),
        )
        .await;
        let (leaf, path) = (hash(&proof["leaf_hash"]), hashes(&proof["path"]));
        let root = hash(&late["root_hash"]);
        assert_eq!(hash(&proof["root_hash"]), root);
        assert!(verify_inclusion(&leaf, index, to, &path, &root), "{index}");
        assert!(!verify_inclusion(&leaf, (index + 1) % to, to, &path, &root));
    }
    for receipt in &receipts {
        let index = receipt.index;
        let proof = json(
            &demo,
            &format!("/v1/proofs/inclusion?index={index}&tree_size={to}"),
        )
        .await;
        let block = json(&demo, &format!("/v1/blocks/{}", receipt.height)).await;
        let place = usize::try_from(index - block["first_index"].as_u64().unwrap()).unwrap();
        assert_eq!(block["leaf_hashes"][place], proof["leaf_hash"]);
    }
    demo.http
        .get(&format!("/v1/proofs/consistency?from=1&to={}", to + 1))
        .await
        .refused(404, "not_found");
    demo.http
        .get(&format!(
            "/v1/proofs/inclusion?index=0&tree_size={}",
            to + 1
        ))
        .await
        .refused(404, "not_found");
}

/// The root at a size, from the leaf hashes that the blocks show.
async fn root_of(demo: &Demo, size: u64) -> Hash {
    let mut leaves = Vec::new();
    for height in 1.. {
        if leaves.len() as u64 >= size {
            break;
        }
        let block = json(demo, &format!("/v1/blocks/{height}")).await;
        leaves.extend(hashes(&block["leaf_hashes"]));
    }
    leaves.truncate(usize::try_from(size).unwrap());
    invoice_core::merkle::root(&leaves)
}

#[tokio::test]
async fn blocks_are_chained_and_show_nothing_of_anyone() {
    let demo = Demo::start();
    let merchant = demo.merchant();
    demo.http
        .accept(&merchant, &Document::invoice(&merchant, None).text())
        .await;
    let head = json(&demo, "/v1/checkpoint").await["height"]
        .as_u64()
        .unwrap();
    let mut previous = demo.genesis.hash();
    let mut next_index = 0;
    for height in 1..=head {
        let block = demo.http.get(&format!("/v1/blocks/{height}")).await.is(200);
        for secret in [
            merchant.id.as_str(),
            merchant.name.as_str(),
            "餐饮",
            "1060.00",
        ] {
            assert!(!block.text().contains(secret), "{secret}");
        }
        let block = block.json();
        let header = header(&demo, &block);
        assert_eq!(
            (header.previous, header.first_index),
            (previous, next_index)
        );
        assert_eq!(
            hashes(&block["leaf_hashes"]).len() as u64,
            u64::from(header.count)
        );
        assert_eq!(block["first_index"], next_index);
        previous = header.id();
        next_index = header.log_size;
    }
    let genesis = demo.http.get("/v1/genesis").await.is(200);
    assert_eq!(genesis.body, demo.genesis.bytes());
    assert_eq!(
        genesis.body,
        std::fs::read(demo.path().join("genesis.json")).unwrap()
    );
}

#[tokio::test]
async fn the_service_describes_itself_and_how_it_is() {
    let demo = Demo::start();
    assert_eq!(demo.http.get("/livez").await.is(200).text().trim(), "ok");
    let ready = json(&demo, "/readyz").await;
    assert_eq!(
        (&ready["ready"], &ready["storage_ok"]),
        (&true.into(), &true.into())
    );
    let metrics = demo.http.get("/metrics").await.is(200);
    assert!(metrics.text().contains("# TYPE") && metrics.text().trim_end().ends_with("# EOF"));
    let openapi = json(&demo, "/openapi.json").await;
    let paths = openapi["paths"].as_object().unwrap();
    for path in [
        "/v1/records",
        "/v1/records:bulk",
        "/v1/records/{by}/{id}",
        "/v1/checks",
        "/v1/papers",
        "/v1/validate",
        "/v1/documents/{key}",
        "/v1/claims",
        "/v1/events",
        "/v1/checkpoint",
        "/v1/blocks/{height}",
        "/v1/proofs/inclusion",
        "/v1/proofs/consistency",
        "/v1/limits",
        "/v1/rejections",
        "/v/{key}",
        "/livez",
        "/readyz",
        "/metrics",
    ] {
        assert!(paths.contains_key(path), "{path}");
    }
    let docs = demo.http.get("/docs").await.is(200);
    assert!(
        docs.header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    for outside in ["src=\"http", "href=\"http", "@import"] {
        assert!(!docs.text().contains(outside), "{outside}");
    }
    let catalogue = json(&demo, "/v1/rejections").await;
    let codes: Vec<_> = catalogue["rejections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["code"].as_str().unwrap())
        .collect();
    for code in [
        "duplicate_member",
        "signature_invalid",
        "role_missing",
        "total_mismatch",
        "claim_exceeds_remaining",
        "id_reused",
    ] {
        assert!(codes.contains(&code), "{code}");
    }
    let mut once = codes.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), codes.len());
}

#[tokio::test]
async fn answers_speak_the_language_that_was_asked_for() {
    let demo = Demo::start();
    let ask = async |language: Option<&str>| -> Answer {
        let mut request = demo.http.request(reqwest::Method::GET, "/v1/blocks/0");
        if let Some(language) = language {
            request = request.header("accept-language", language);
        }
        Http::send(request).await
    };
    for (language, tag) in [
        (None, "zh-CN"),
        (Some("zh-CN"), "zh-CN"),
        (Some("en"), "en"),
        (Some("en-GB,en;q=0.9"), "en"),
        (Some("fr"), "zh-CN"),
        (Some("zh;q=0.5,en;q=0.8"), "en"),
        (Some("en;q=0"), "zh-CN"),
    ] {
        let answer = ask(language).await;
        assert_eq!(answer.header("content-language"), Some(tag), "{language:?}");
        let told = answer.refused(404, "not_found");
        for text in ["title", "detail"] {
            let english = told[text].as_str().unwrap().is_ascii();
            assert_eq!(english, tag == "en", "{language:?} {told}");
        }
    }
    // Each answer can be found again in the logs.
    let (one, two) = (ask(None).await.json(), ask(None).await.json());
    assert_ne!(one["trace_id"], two["trace_id"]);
}

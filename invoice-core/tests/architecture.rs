//! ARCHITECTURE.md must tell the truth: its paths exist and its "only" sentences hold.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

/// Files under `folder` that mention `word`, outside their tests and the places that may.
fn offenders(folder: &str, word: &str, allowed: &[&str]) -> Vec<PathBuf> {
    sources(&root().join(folder))
        .into_iter()
        .filter(|(path, text)| {
            let path = path.to_string_lossy();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            code.contains(word) && !allowed.iter().any(|part| path.contains(part))
        })
        .map(|(path, _)| path)
        .collect()
}

#[test]
fn every_path_on_the_page_exists() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut paths = 0;
    for quoted in page.split('`').skip(1).step_by(2) {
        if ["invoice-core/", "invoice-api/", "tax-node/", "docs/"]
            .iter()
            .any(|start| quoted.starts_with(start))
        {
            assert!(root().join(quoted).exists(), "{quoted}");
            paths += 1;
        }
    }
    assert!(paths > 20, "only {paths} paths were found");
}

#[test]
fn the_core_depends_on_no_runtime_no_database_and_no_randomness() {
    let manifest = fs::read_to_string(root().join("invoice-core/Cargo.toml")).unwrap();
    let (dependencies, _) = manifest.split_once("[dev-dependencies]").unwrap();
    for absent in [
        "tokio",
        "actix",
        "redb",
        "reqwest",
        "rand",
        "getrandom",
        "tracing",
        "\"now\"",
    ] {
        assert!(!dependencies.contains(absent), "{absent}");
    }
    for word in [
        "std::fs",
        "std::net",
        "SystemTime",
        "Utc::now",
        "std::env::var",
    ] {
        let found = offenders("invoice-core/src", word, &[]);
        assert!(found.is_empty(), "{word}: {found:?}");
    }
}

#[test]
fn agreement_has_no_clock_no_files_no_sockets_and_no_threads() {
    let manifest = fs::read_to_string(root().join("tax-node/consensus/Cargo.toml")).unwrap();
    let (dependencies, _) = manifest.split_once("[dev-dependencies]").unwrap();
    for absent in ["tokio", "redb", "rand", "getrandom", "tax-node"] {
        assert!(!dependencies.contains(absent), "{absent}");
    }
    for word in [
        "std::fs",
        "std::net",
        "std::thread",
        "Instant::now",
        "SystemTime",
        "HashMap",
    ] {
        let found = offenders("tax-node/consensus/src", word, &[]);
        assert!(found.is_empty(), "{word}: {found:?}");
    }
}

#[test]
fn only_the_store_knows_redb() {
    let found = offenders("tax-node/src", "redb::", &["/store/"]);
    assert!(found.is_empty(), "{found:?}");
    assert!(offenders("invoice-api/src", "redb::", &[]).is_empty());
}

#[test]
fn only_one_file_of_the_node_reads_the_clock() {
    let found = offenders("tax-node/src", "Utc::now", &["node/clock.rs"]);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn the_interface_knows_neither_node_nor_engine() {
    let manifest = fs::read_to_string(root().join("invoice-api/Cargo.toml")).unwrap();
    assert!(!manifest.contains("tax-node") && !manifest.contains("redb"));
}

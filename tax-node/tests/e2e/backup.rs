//! A backup and what comes out of it again.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::Demo;
use crate::support::Document;
use crate::support::process::{Server, run, serve_args};
use crate::support::verdict::{failed, said};

/// Every file of a folder but its keys, with its content.
fn content(folder: &Path, prefix: &str, into: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        match entry.file_type().unwrap().is_dir() {
            true if name == "keys" => {}
            true => content(&entry.path(), &format!("{name}/"), into),
            false => drop(into.insert(name, fs::read(entry.path()).unwrap())),
        }
    }
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    content(folder, "", &mut all);
    all
}

fn mode(path: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Names of the files in an archive.
fn names(archive: &str) -> Vec<String> {
    let bytes = zstd::decode_all(fs::File::open(archive).unwrap()).unwrap();
    let mut archive = tar::Archive::new(&bytes[..]);
    let entries = archive.entries().unwrap();
    entries
        .map(|entry| entry.unwrap().path().unwrap().to_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_backup_for_somebody_else_holds_the_chain_and_nothing_of_the_node() {
    let mut demo = Demo::start();
    let merchant = demo.merchant();
    let document = Document::invoice(&merchant, None);
    demo.http.accept(&merchant, &document.text()).await;
    // Somebody asks, which stands in the access log.
    let path = format!("/v1/documents/{}", document.key);
    demo.http.ask(&demo.tax(), &path).await.is(200);
    let data = demo.path().to_str().unwrap().to_owned();
    assert!(demo.end().success());
    // What validators of a consortium have beside it.
    fs::write(demo.path().join("votes.log"), b"signed").unwrap();
    assert!(files(demo.path())["access.ndjson"].len() > 10);
    let safe = tempfile::tempdir().unwrap();
    let path = |name: &str| safe.path().join(name).to_str().unwrap().to_owned();
    for flag in ["--for-others", "--without-webhooks"] {
        let file = path(&format!("for{flag}.tar.zst"));
        let args = ["--json", "backup", "--data", &data, "--out", &file, flag];
        let told = said(&args, 0);
        assert_eq!(
            (&told["for_others"], &told["keys"]),
            (&true.into(), &false.into())
        );
        assert_eq!(mode(&file), 0o600);
        let names = names(&file);
        for name in &names {
            let top = name.split('/').next().unwrap();
            let due = ["genesis.json", "chain.redb", "runs", "epochs"];
            assert!(
                due.contains(&top) || top == "BACKUP-MANIFEST.json",
                "{name}"
            );
        }
        assert!(names.iter().any(|name| name == "chain.redb"), "{names:?}");
        let hash = demo.genesis.hash().to_string();
        let copy = path(&format!("copy{flag}"));
        let restore = [
            "--json",
            "restore",
            "--snapshot",
            "--from",
            &file,
            "--data",
            &copy,
        ];
        let restored = said(&[&restore[..], &["--genesis-hash", &hash]].concat(), 0);
        assert_eq!(restored["height"], told["height"]);
        let with_keys = [&args[..], &["--with-keys"]].concat();
        assert_eq!(run(&with_keys).status.code(), Some(2));
    }
    // One's own has all of it.
    let own = path("own.tar.zst");
    said(&["--json", "backup", "--data", &data, "--out", &own], 0);
    let own = names(&own);
    for name in ["access.ndjson", "votes.log", "chain.redb"] {
        assert!(own.iter().any(|one| one == name), "{name}: {own:?}");
    }
}

#[tokio::test]
async fn a_backup_gives_the_folder_back_and_a_damaged_one_gives_nothing() {
    let mut demo = Demo::start();
    let merchant = demo.merchant();
    for _ in 0..5 {
        demo.http
            .accept(&merchant, &Document::invoice(&merchant, None).text())
            .await;
    }
    let data = demo.path().to_str().unwrap().to_owned();
    let safe = tempfile::tempdir().unwrap();
    let path = |name: &str| safe.path().join(name).to_str().unwrap().to_owned();
    let (file, copy) = (path("backup.tar.zst"), path("copy"));
    let backup = ["--json", "backup", "--data", &data, "--out", &file];
    failed(&backup, 2, "in_use");
    assert!(!Path::new(&file).exists());
    assert!(demo.end().success());
    let told = said(&backup, 0);
    assert_eq!(told["keys"], false);
    failed(&backup, 2, "exists");
    let within = format!("{data}/backup.tar.zst");
    failed(
        &["--json", "backup", "--data", &data, "--out", &within],
        2,
        "out_inside",
    );

    // The same files, and a node that goes on where it stood.
    let restored = said(&["--json", "restore", "--from", &file, "--data", &copy], 0);
    assert_eq!(restored["height"], told["height"]);
    let mut there = files(Path::new(&copy));
    // Who asked what is for the node's owner alone, in the archive as in the folder.
    assert_eq!(mode(&file), 0o600);
    for folder in [&data, &copy] {
        assert_eq!(mode(&format!("{folder}/access.ndjson")), 0o600, "{folder}");
    }
    // What tells a validator that its disk went back in time.
    assert_eq!(there.remove("restored"), Some(Vec::new()));
    // Figures are folded from the blocks again.
    let mut kept = files(demo.path());
    assert!(kept.remove("figures.redb").is_some());
    assert_eq!(there, kept);
    assert!(!Path::new(&copy).join("keys").exists());
    let verified = said(&["--json", "verify", "--data", &copy], 0);
    assert_eq!(verified, said(&["--json", "verify", "--data", &data], 0));
    failed(
        &["--json", "restore", "--from", &file, "--data", &copy],
        2,
        "folder_not_empty",
    );

    // With the keys it serves again.
    let (whole, moved) = (path("whole.tar.zst"), path("moved"));
    said(
        &[
            "--json",
            "backup",
            "--data",
            &data,
            "--out",
            &whole,
            "--with-keys",
        ],
        0,
    );
    assert_eq!(mode(&whole), 0o600);
    said(
        &["--json", "restore", "--from", &whole, "--data", &moved],
        0,
    );
    assert_eq!(mode(&format!("{moved}/keys/validator.pem")), 0o600);
    let accepted = [
        &serve_args(Path::new(&moved))[..],
        &["--accept-lost-blocks"],
    ]
    .concat();
    let server = Server::start(&accepted).expect("the restored node starts");
    assert!(server.end().success());

    // A flipped byte anywhere, an end that is missing: nothing is restored.
    let bytes = fs::read(&file).unwrap();
    let tar = zstd::decode_all(&bytes[..]).unwrap();
    let mut refused = 0;
    let (broken, target) = (path("broken.tar.zst"), path("target"));
    let places = (1..16)
        .map(|part| bytes.len() * part / 16)
        .chain([bytes.len() - 1]);
    for at in places {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        // In a run of equal bytes it does not matter from which of them a copy is taken.
        if zstd::decode_all(&damaged[..]).is_ok_and(|same| same == tar) {
            continue;
        }
        refused += 1;
        fs::write(&broken, damaged).unwrap();
        failed(
            &["--json", "restore", "--from", &broken, "--data", &target],
            5,
            "backup_damaged",
        );
        assert_eq!(fs::read_dir(&target).unwrap().count(), 0, "byte {at}");
    }
    assert!(refused > 8, "only {refused} flips changed anything");
    for length in [0, 10, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&broken, &bytes[..length]).unwrap();
        failed(
            &["--json", "restore", "--from", &broken, "--data", &target],
            5,
            "backup_damaged",
        );
    }
    // One file exchanged for another under the same manifest.
    let chain = b"\"piaolian-demo\"";
    let at = tar
        .windows(chain.len())
        .position(|text| text == chain)
        .unwrap();
    let mut forged = tar.clone();
    forged[at + 1] = b'q';
    fs::write(&broken, zstd::encode_all(&forged[..], 1).unwrap()).unwrap();
    failed(
        &["--json", "restore", "--from", &broken, "--data", &target],
        5,
        "backup_damaged",
    );
    assert_eq!(run(&["restore", "--data", &target]).status.code(), Some(2));
}

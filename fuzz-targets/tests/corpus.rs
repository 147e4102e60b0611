//! The committed inputs, given to the targets that libFuzzer gives its own to.

use std::fs;
use std::path::PathBuf;

use fuzz_targets::{TARGETS, example};

fn fuzz() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

#[test]
fn every_committed_input_is_survived() {
    for (name, target) in TARGETS {
        let mut count = 0;
        for file in fs::read_dir(fuzz().join("corpus").join(name)).expect("a folder a target") {
            let path = file.expect("the folder is read").path();
            // The name of the last file that was begun is in the output of a failure.
            println!("{}", path.display());
            target(&fs::read(&path).expect("the file is read"));
            count += 1;
        }
        assert!(count >= 10, "{name} has {count} inputs");
    }
}

#[test]
fn every_target_is_built_for_libfuzzer_and_no_other_is() {
    let mut built: Vec<String> = fs::read_dir(fuzz().join("fuzz_targets"))
        .expect("the folder is read")
        .map(|file| file.expect("the folder is read").path())
        .map(|path| path.file_stem().unwrap_or_default().display().to_string())
        .collect();
    built.sort();
    let mut known: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    known.sort_unstable();
    assert_eq!(built, known);
}

#[test]
fn the_receipts_that_inputs_are_made_from_are_good() {
    let genesis = example::genesis();
    for receipt in example::receipts() {
        assert_eq!(receipt.verify(&genesis), Ok(()));
    }
}

#[test]
fn the_records_that_inputs_are_made_from_break_no_rule() {
    for record in include_str!("../examples/records.ndjson").lines() {
        let parsed = invoice_core::record::parse_record(record.as_bytes()).expect(record);
        assert!(parsed.record.is_ok(), "{record}: {:?}", parsed.record);
    }
}

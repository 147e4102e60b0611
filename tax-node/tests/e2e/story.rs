//! The story that the README shows is the story that the program tells.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::support::tax_node;

/// How many sentences the story has.
const SENTENCES: usize = 5;

#[test]
fn the_readme_shows_what_the_program_prints() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let mut child = tax_node(&["--lang", "zh", "demo", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let told: Vec<String> = stdout
        .lines()
        .map(Result::unwrap)
        .filter(|line| line.starts_with('·'))
        .take(SENTENCES)
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(told.len(), SENTENCES, "{told:#?}");
    assert_eq!(shown(), told);
}

/// The lines of the transcript in the README that belong to the story.
fn shown() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let readme = std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("README.md cannot be read: {error}"));
    let (_, after) = readme
        .split_once("<!-- story -->\n")
        .expect("README.md has a line `<!-- story -->` before the transcript");
    let block = after
        .trim_start()
        .strip_prefix("```text\n")
        .expect("a block fenced as ```text follows the marker");
    block
        .lines()
        .take_while(|line| !line.starts_with("```"))
        .filter(|line| line.starts_with('·'))
        .map(str::to_owned)
        .collect()
}

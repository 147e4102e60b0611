//! What a command says at its end.

use std::process::Output;

use serde_json::Value;

use super::process::run;

/// What a command printed, line by line.
pub(crate) fn lines(output: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The first line of what a command said, after it ended with this code.
#[track_caller]
pub(crate) fn said(args: &[&str], exit: i32) -> Value {
    let output = run(args);
    let all = lines(&output);
    assert_eq!(output.status.code(), Some(exit), "{args:?}: {all:?}");
    all.first().cloned().unwrap_or_default()
}

/// A command that ends with this code, for this reason.
#[track_caller]
pub(crate) fn failed(args: &[&str], exit: i32, code: &str) {
    let told = said(args, exit);
    assert_eq!(told["error"]["code"], code, "{args:?}: {told}");
    assert!(
        told["error"]["detail"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
}

//! What comes with a request beside its records: header, query, items, lines and files.

use bytes::Bytes;
use invoice_api::limits::CHECK_ITEMS_MAX;
use invoice_api::routes::reading::{Authorization, check_items, lines, query};
use papers::{Limits, read_xml};

pub(crate) fn run(bytes: &[u8]) {
    let Some((chosen, rest)) = super::choice(bytes, 5) else {
        return;
    };
    match (chosen, std::str::from_utf8(rest)) {
        (0, Ok(text)) => authorization(text),
        (1, Ok(text)) => parameters(text),
        (2, _) => match check_items(rest) {
            Ok(items) => assert!((1..=CHECK_ITEMS_MAX).contains(&items.len())),
            Err(codes) => assert!(!codes.is_empty(), "a refusal names its reason"),
        },
        (3, _) => cut(rest),
        (4, _) => {
            let marked = [&b"\xef\xbb\xbf"[..], rest].concat();
            let limits = Limits::default();
            assert_eq!(read_xml(rest, &limits), read_xml(&marked, &limits));
        }
        _ => {}
    }
}

fn authorization(text: &str) {
    let Some(read) = Authorization::parse(text) else {
        return;
    };
    let written = format!(
        "SM2-WITH-SM3 kid=\"{}\",timestamp=\"{}\",nonce=\"{}\",signature=\"{}\"",
        read.kid, read.timestamp, read.nonce, read.signature
    );
    assert_eq!(Authorization::parse(&written).as_ref(), Some(&read));
    assert_eq!(read.timestamp.to_string(), read.timestamp_text);
}

fn parameters(text: &str) {
    let known = ["status", "cursor", "limit"];
    let Ok(pairs) = query(text, &known) else {
        return;
    };
    let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names.iter().all(|name| known.contains(name)));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), pairs.len());
}

thread_local! {
    static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime can be made");
}

/// Wherever a body is cut into chunks, its lines are the same. The first byte is the longest line,
/// the second where to cut.
fn cut(bytes: &[u8]) {
    let [line_bytes_max, chunk, body @ ..] = bytes else {
        return;
    };
    let max = usize::from(*line_bytes_max);
    let chunks = body.chunks(usize::from(*chunk).max(1));
    let chunks = chunks.map(Bytes::copy_from_slice).collect();
    let found = RUNTIME.with(|runtime| runtime.block_on(lines(chunks, max)));
    let mut due: Vec<&[u8]> = body.split(|byte| *byte == b'\n').collect();
    due.pop_if(|last| last.is_empty());
    let due: Vec<Option<&[u8]>> = due
        .into_iter()
        .map(|line| (line.len() <= max).then(|| line.strip_suffix(b"\r").unwrap_or(line)))
        .collect();
    assert_eq!(found.iter().map(Option::as_deref).collect::<Vec<_>>(), due);
}

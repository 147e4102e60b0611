//! The input of a bulk run, line by line.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use invoice_api::client::Envelope;
use invoice_core::chain::ChainId;
use invoice_core::crypto::Signer;
use invoice_core::merkle::{Frontier, leaf_hash};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::journal::Plan;
use crate::compose::{Common, Composed, compose};
use crate::failure::Failure;

/// Lines that are signed at the same time, at most so many of them and about so many bytes.
const LINES_TOGETHER: usize = 256;
const BYTES_TOGETHER: usize = 1 << 20;

/// The lines of a file with their numbers, from 1; blank lines have a number and are left out.
pub(crate) struct Lines<'p> {
    path: &'p Path,
    reader: BufReader<File>,
    number: u64,
}

impl<'p> Lines<'p> {
    pub(crate) fn open(path: &'p Path) -> Result<Self, Failure> {
        let file = File::open(path).map_err(|error| Failure::file(path, &error))?;
        Ok(Self {
            path,
            reader: BufReader::with_capacity(1 << 16, file),
            number: 0,
        })
    }

    /// The next lines that are wanted, as many as are signed at the same time; none at the end.
    pub(crate) fn next_together(
        &mut self,
        is_wanted: impl Fn(u64) -> bool,
    ) -> Result<Vec<(u64, Vec<u8>)>, Failure> {
        let (mut together, mut bytes) = (Vec::new(), 0);
        while together.len() < LINES_TOGETHER && bytes < BYTES_TOGETHER {
            let Some(line) = self.next() else { break };
            let (number, text) = line?;
            if is_wanted(number) {
                bytes += text.len();
                together.push((number, text));
            }
        }
        Ok(together)
    }
}

impl Iterator for Lines<'_> {
    type Item = Result<(u64, Vec<u8>), Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut line = Vec::new();
            match self.reader.read_until(b'\n', &mut line) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => return Some(Err(Failure::file(self.path, &error))),
            }
            self.number += 1;
            let end = line.trim_ascii_end().len();
            line.truncate(end);
            if !line.is_empty() {
                return Some(Ok((self.number, line)));
            }
        }
    }
}

/// What identifies an input: the root over its lines, and how many are not blank.
pub(crate) fn fingerprint(path: &Path) -> Result<(String, u64), Failure> {
    let mut tree = Frontier::new();
    for line in Lines::open(path)? {
        let (number, text) = line?;
        tree.push(leaf_hash(
            &[&number.to_be_bytes(), text.as_slice()].concat(),
        ));
    }
    Ok((tree.root().to_string(), tree.size()))
}

/// Makes the line that is sent out of a line of the input: always the same record bytes for the
/// same plan. What is not a record or a document is sent as it is, so that the registry names the
/// fault.
pub(crate) struct Maker {
    pub(crate) plan: Plan,
    pub(crate) chain_id: ChainId,
    pub(crate) signer: Arc<dyn Signer>,
}

impl Maker {
    /// Makes many lines on all processors, and gives them in the order in which they came.
    pub(crate) fn make_all(
        &self,
        lines: Vec<(u64, Vec<u8>)>,
    ) -> Result<Vec<(u64, Bytes)>, Failure> {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        let share = lines.len().div_ceil(threads).max(1);
        let make = |lines: &[(u64, Vec<u8>)]| {
            let made = lines
                .iter()
                .map(|(number, line)| Ok((*number, self.make(*number, line)?)));
            made.collect::<Result<Vec<_>, Failure>>()
        };
        std::thread::scope(|scope| {
            let shares: Vec<_> = lines
                .chunks(share)
                .map(|lines| scope.spawn(move || make(lines)))
                .collect();
            let mut all = Vec::with_capacity(lines.len());
            for share in shares {
                match share.join() {
                    Ok(made) => all.extend(made?),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            Ok(all)
        })
    }

    pub(crate) fn make(&self, number: u64, line: &[u8]) -> Result<Bytes, Failure> {
        let as_it_is = || Ok(Bytes::copy_from_slice(line));
        let Ok(text) = std::str::from_utf8(line) else {
            return as_it_is();
        };
        let id = self.plan.id(number);
        let common = Common {
            by: self.plan.by.as_deref(),
            id: &id,
            at: &self.plan.at,
        };
        match compose(text, common) {
            Ok(Composed::Envelope(envelope)) => Ok(envelope.into()),
            Ok(Composed::Record(record)) => {
                let envelope = Envelope::single(&self.chain_id, &*self.signer, &record)
                    .map_err(invoice_api::client::ClientError::from)?;
                Ok(envelope.body().clone())
            }
            Err(_) => as_it_is(),
        }
    }
}

/// How many records a line holds, as the answers will count them.
pub(crate) fn records_of(line: &[u8]) -> u64 {
    #[derive(Deserialize)]
    struct Batch<'l> {
        #[serde(borrow)]
        records: Vec<&'l RawValue>,
    }
    serde_json::from_slice::<Batch<'_>>(line).map_or(1, |batch| batch.records.len().max(1) as u64)
}

#[cfg(test)]
mod tests {
    use invoice_core::crypto::{SecretKey, SecretKeySigner};
    use serde_json::Value;

    use super::*;

    fn maker() -> Maker {
        let plan = Plan::new(
            String::new(),
            1,
            "sz".into(),
            None,
            "p".into(),
            "now".into(),
        );
        let key = SecretKey::from_bytes(&[7; 32]).unwrap();
        Maker {
            plan,
            chain_id: "sz".parse().unwrap(),
            signer: Arc::new(SecretKeySigner::new(key)),
        }
    }

    #[test]
    fn the_same_line_always_makes_the_same_record() {
        let line = br#"{"seller":{"id":"S"}}"#;
        let body = |body: Bytes| serde_json::from_slice::<Value>(&body).unwrap()["record"].clone();
        let record = body(maker().make(12, line).unwrap());
        assert_eq!(
            (&record["id"], &record["at"], &record["by"]),
            (&"p-12".into(), &"now".into(), &"S".into())
        );
        assert_eq!(record, body(maker().make(12, line).unwrap()));
    }

    #[test]
    fn lines_that_are_signed_together_keep_their_order_and_their_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in");
        let text: Vec<String> = (1..=1_000)
            .map(|line| format!("{{\"seller\":{{\"id\":\"S{line}\"}}}}"))
            .collect();
        std::fs::write(&path, text.join("\n")).unwrap();
        let mut lines = Lines::open(&path).unwrap();
        let mut numbers = Vec::new();
        loop {
            let together = lines.next_together(|number| number % 3 != 0).unwrap();
            if together.is_empty() {
                break;
            }
            for (number, body) in maker().make_all(together).unwrap() {
                let body: Value = serde_json::from_slice(&body).unwrap();
                assert_eq!(body["record"]["id"], format!("p-{number}"));
                assert_eq!(body["record"]["by"], format!("S{number}"));
                numbers.push(number);
            }
        }
        let wanted: Vec<u64> = (1..=1_000).filter(|number| number % 3 != 0).collect();
        assert_eq!(numbers, wanted);
    }

    #[test]
    fn what_cannot_be_signed_is_left_to_the_registry_to_refuse() {
        for line in [
            &b"oops"[..],
            b"{}",
            b"\xff\xfe",
            br#"{"kid":"k","sig":"s","records":[{},{}]}"#,
        ] {
            assert_eq!(maker().make(1, line).unwrap(), line);
        }
    }

    #[test]
    fn lines_are_numbered_as_an_editor_numbers_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in");
        std::fs::write(&path, "{\"a\":1}\r\n\n  \n{}").unwrap();
        let lines: Vec<_> = Lines::open(&path).unwrap().map(Result::unwrap).collect();
        assert_eq!(lines, [(1, b"{\"a\":1}".to_vec()), (4, b"{}".to_vec())]);
        let (root, count) = fingerprint(&path).unwrap();
        assert_eq!(count, 2);
        std::fs::write(&path, "{\"a\":1}\n{}").unwrap();
        assert_ne!(
            fingerprint(&path).unwrap().0,
            root,
            "ids follow from line numbers"
        );
    }

    #[test]
    fn batches_are_counted_by_their_records() {
        for (line, count) in [
            (&b"{\"records\":[{},{}]}"[..], 2),
            (b"{\"records\":[]}", 1),
            (b"{\"record\":{}}", 1),
            (b"oops", 1),
        ] {
            assert_eq!(records_of(line), count);
        }
    }
}

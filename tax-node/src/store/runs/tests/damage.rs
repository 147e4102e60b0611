//! Files that hold other bytes than were written to them.

use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use super::{FILTERS, GO, Rows, fault_free, home_on, sealed};
use crate::store::fault::Dice;
use crate::store::runs::block::{self, Builder};
use crate::store::runs::footer::Footer;
use crate::store::runs::index::Index;
use crate::store::runs::{Home, Order, RunError, RunInfo, Version};

fn rows() -> Rows {
    let mut dice = Dice::new(1);
    let row = |n: u8| {
        let mut key = vec![1 + n / 90, n / 30, n];
        key.extend_from_slice(b"document");
        let value = (!n.is_multiple_of(9)).then(|| {
            let count = dice.below(40) as usize;
            dice.bytes(count)
        });
        (key, value)
    };
    (0..200).map(row).collect()
}

/// All that can be read of the file, or the error.
fn read_all(home: &Home, info: &RunInfo, keys: &Rows) -> Result<Rows, RunError> {
    let run = home.open(info)?;
    let version = Arc::new(Version::new(FILTERS, Vec::new(), vec![run]));
    let view = version.at(info.last_height);
    let mut read = Vec::new();
    for (key, _) in keys {
        let value = view.get(key)?;
        read.push((key.clone(), value));
    }
    for order in [Order::Ascending, Order::Descending] {
        for row in view.scan(Bound::Unbounded, Bound::Unbounded, order) {
            let (key, value) = row?;
            read.push((key, Some(value)));
        }
    }
    home.merge("merged", version.runs(), false, &GO)?;
    home.remove("merged")?;
    Ok(read)
}

#[test]
fn a_damaged_file_gives_an_error_or_the_same_answer() {
    let files = fault_free();
    let rows = rows();
    let generation = sealed(1, std::slice::from_ref(&rows));
    let home = home_on(&files);
    let info = home.flush("a", &[generation], false, &GO).unwrap();
    let path = Path::new("/runs/a");
    let good = files.bytes_of(path).unwrap();
    let answer = read_all(&home, &info, &rows).unwrap();
    home.verify_file(&info).unwrap();

    let mut dice = Dice::new(2);
    let mut seen = 0;
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << dice.below(8);
        files.replace(path, bad);
        // A home of its own: the cache holds good blocks.
        let home = home_on(&files);
        match read_all(&home, &info, &rows) {
            Ok(read) => assert_eq!(read, answer, "byte {at}"),
            Err(error) => {
                assert!(error.is_damage(), "byte {at}: {error}");
                assert!(error.to_string().contains("is damaged at byte"));
                seen += 1;
            }
        }
        assert!(home.verify_file(&info).is_err(), "byte {at}");

        files.replace(path, good[..at].to_vec());
        assert!(home_on(&files).open(&info).unwrap_err().is_damage());
        // As if the manifest had been cut as well.
        let short = RunInfo {
            bytes: at as u64,
            ..info.clone()
        };
        assert!(home_on(&files).open(&short).unwrap_err().is_damage());
    }
    assert_eq!(seen, good.len(), "every byte is covered by a checksum");
}

#[test]
fn an_exchanged_file_is_not_taken_for_the_one_in_the_manifest() {
    let files = fault_free();
    let home = home_on(&files);
    let rows = rows();
    let one = home
        .flush("a", &[sealed(1, std::slice::from_ref(&rows))], false, &GO)
        .unwrap();
    let two = home.flush("b", &[sealed(2, &[rows])], false, &GO).unwrap();
    assert_eq!(one.bytes, two.bytes);
    files.replace(
        Path::new("/runs/a"),
        files.bytes_of(Path::new("/runs/b")).unwrap(),
    );
    assert!(home.open(&one).unwrap_err().is_damage());
    assert!(home.verify_file(&one).unwrap_err().is_damage());
}

/// The checksums keep damage away from the decoders; here they meet it without them.
#[test]
fn the_decoders_survive_any_bytes() {
    let mut builder = Builder::default();
    for (key, value) in rows() {
        builder.put(&key, value.as_deref());
    }
    let plain = builder.plain().to_vec();
    let mut index = Index::new(8);
    for (key, _) in rows() {
        index.push(&[], &key, 300).unwrap();
    }
    let index_bytes = index.encode();
    let mut dice = Dice::new(3);
    for n in 0..20_000_u64 {
        let flip = |bytes: &[u8], dice: &mut Dice| {
            let mut bytes = bytes.to_vec();
            for _ in 0..=dice.below(4) {
                let at = dice.below(bytes.len() as u64) as usize;
                bytes[at] = dice.next() as u8;
            }
            let end = dice.below(4 * bytes.len() as u64) as usize;
            bytes.truncate(end.max(1));
            bytes
        };
        let bad = flip(&plain, &mut dice);
        let _ = block::find(&bad, &rows()[n as usize % 200].0);
        let mut key = Vec::new();
        let mut at = 0;
        while at < bad.len() {
            let Ok(row) = block::row_at(&bad, at) else {
                break;
            };
            assert!(row.next > at && row.next <= bad.len());
            if block::next_key(&mut key, &bad, &row).is_err() {
                break;
            }
            at = row.next;
        }
        let _ = Index::decode(&flip(&index_bytes, &mut dice), 8, 200);
        let noise_bytes = dice.bytes(200);
        let _ = Footer::decode(&noise_bytes, &FILTERS);
        let _ = RunInfo::decode(&noise_bytes);
        let _ = block::unpack(&noise_bytes, &mut Vec::new());
    }
}

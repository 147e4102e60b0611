//! Power cuts under the file of figures: after each the rows are those of a whole batch, at least
//! of the last one that was acknowledged.

use std::collections::BTreeMap;

use oversight::{Changed, Rows};
use tax_node::store::FigureFile;
use tax_node::store::fault::{Dice, Disk};

type Kept = BTreeMap<Vec<u8>, Vec<u8>>;

/// Some rows written and some removed; the first says how many batches there were.
fn batch(dice: &mut Dice, number: u32) -> Changed {
    let mut changed = Changed::new();
    changed.insert(vec![0], Some(number.to_be_bytes().to_vec()));
    for _ in 0..dice.below(40) {
        let key = vec![1, u8::try_from(dice.below(200)).unwrap()];
        let length = usize::try_from(dice.below(300)).unwrap();
        let value = (dice.below(4) > 0).then(|| dice.bytes(length));
        changed.insert(key, value);
    }
    changed
}

fn apply(kept: &mut Kept, changed: &Changed) {
    for (key, value) in changed {
        match value {
            Some(value) => drop(kept.insert(key.clone(), value.clone())),
            None => drop(kept.remove(key)),
        }
    }
}

fn read(file: &FigureFile) -> Kept {
    let rows = file.rows().unwrap();
    let all = rows.scan(&[], &[u8::MAX], false, usize::MAX).unwrap();
    all.into_iter().collect()
}

#[test]
fn a_power_cut_leaves_the_rows_of_a_whole_batch() {
    let (mut cuts, mut lost) = (0, 0);
    for seed in 0..60 {
        let mut dice = Dice::new(seed);
        let disk = Disk::new(Vec::new());
        let mut file = FigureFile::on(disk.backend()).unwrap();
        let mut acknowledged = Kept::new();
        let mut number = 0;
        for _ in 0..4 {
            disk.cut_after(dice.below(120));
            let in_doubt = loop {
                number += 1;
                let changed = batch(&mut dice, number);
                let mut next = acknowledged.clone();
                apply(&mut next, &changed);
                match file.commit(&changed) {
                    Ok(()) => acknowledged = next,
                    Err(_) => break next,
                }
            };
            drop(file);
            disk.cut(&mut dice);
            cuts += 1;
            file = FigureFile::on(disk.backend()).unwrap();
            let found = read(&file);
            assert!(found == acknowledged || found == in_doubt, "seed {seed}");
            lost += u32::from(found == acknowledged);
            acknowledged = found;
        }
    }
    assert!(cuts == 240 && lost > 0 && lost <= cuts, "{lost} of {cuts}");
}

#[test]
fn rows_are_read_in_both_directions_and_cleared() {
    let file = FigureFile::on(Disk::new(Vec::new()).backend()).unwrap();
    let rows = (0..5_u8).map(|number| (vec![1, number], Some(vec![number])));
    file.commit(&rows.collect()).unwrap();
    let read = file.rows().unwrap();
    let keys = |descending, limit| -> Vec<u8> {
        let rows = read.scan(&[1, 1], &[1, 4], descending, limit).unwrap();
        rows.into_iter().map(|(key, _)| key[1]).collect()
    };
    assert_eq!(keys(false, 9), [1, 2, 3]);
    assert_eq!(keys(true, 2), [3, 2]);
    assert!(read.scan(&[1, 4], &[1, 1], false, 9).unwrap().is_empty());
    file.clear().unwrap();
    assert!(self::read(&file).is_empty());
}

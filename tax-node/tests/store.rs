//! The store in a real folder: creating, opening, committing, reading back, and finding damage.

mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use redb::{ReadableTable, TableDefinition};

use invoice_core::crypto::sm3;
use invoice_core::merkle::{leaf_hash, verify_consistency, verify_inclusion};
use invoice_core::state::{Changes, StateView, Table};
use support::{CACHE_BYTES, Chain, TUNING, certified, options, with_new_chain};
use tax_node::store::fault::{Dice, Disk};
use tax_node::store::{
    CommitError, DiskFiles, EventPosition, FILE_NAME, Files, OpenError, OpenOptions, PAGE_ROWS_MAX,
    Page, ReadError, ReplayError, Store, TEMPORARY_NAME, Tuning, file_of,
};

fn new_store(folder: &Path) -> Store {
    with_new_chain(|new| Store::create(folder, new)).unwrap();
    Store::open(folder, &options()).unwrap()
}

/// A store with blocks of the given numbers of leaves, closed.
fn filled(folder: &Path, sizes: &[usize]) -> Chain {
    let store = new_store(folder);
    let mut dice = Dice::new(1);
    let mut chain = Chain::default();
    for size in sizes {
        let made = chain.make(&mut dice, *size, 120);
        store.commit_block(&made.committed()).unwrap();
        chain.append(made);
    }
    chain.compare(&store).unwrap();
    chain
}

#[test]
fn a_store_is_created_once_and_opened_by_one_process() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(
        Store::open(folder.path(), &options()),
        Err(OpenError::Missing(_))
    ));
    fs::write(
        folder.path().join(TEMPORARY_NAME),
        b"left behind by a crash",
    )
    .unwrap();
    let store = new_store(folder.path());
    assert!(!folder.path().join(TEMPORARY_NAME).exists());
    assert!(matches!(
        Store::open(folder.path(), &options()),
        Err(OpenError::InUse)
    ));
    let again = with_new_chain(|new| Store::create(folder.path(), new));
    assert!(matches!(again, Err(OpenError::Exists(_))));
    Chain::default().compare(&store).unwrap();
}

#[test]
fn a_half_written_leftover_is_never_taken_for_a_store() {
    let folder = tempfile::tempdir().unwrap();
    drop(new_store(folder.path()));
    let whole = fs::read(file_of(folder.path())).unwrap();
    for length in [0, 1, 320, 4096, whole.len() / 2, whole.len() - 1] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(TEMPORARY_NAME), &whole[..length]).unwrap();
        assert!(matches!(
            Store::open(folder.path(), &options()),
            Err(OpenError::Missing(_))
        ));
        Chain::default().compare(&new_store(folder.path())).unwrap();
    }
}

#[test]
fn a_store_of_another_genesis_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), &[2]);
    let other = OpenOptions {
        genesis_hash: sm3(&[b"other"]),
        certified: &certified,
        cache_bytes: CACHE_BYTES,
        tuning: TUNING,
    };
    assert!(matches!(
        Store::open(folder.path(), &other),
        Err(OpenError::Damaged(_))
    ));
    let empty = tempfile::tempdir().unwrap();
    drop(new_store(empty.path()));
    assert!(matches!(
        Store::open(empty.path(), &other),
        Err(OpenError::Damaged(_))
    ));
}

#[test]
fn blocks_of_every_size_come_back_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let sizes = [0, 1, 254, 0, 1, 1, 255, 256, 257, 512, 3, 1000, 24, 0];
    let chain = filled(folder.path(), &sizes);
    let store = Store::open(folder.path(), &options()).unwrap();
    chain.compare(&store).unwrap();
    let snapshot = store.snapshot().unwrap();
    assert!(snapshot.block(0).unwrap().is_none());
    assert!(snapshot.block(chain.height() + 1).unwrap().is_none());
    assert!(snapshot.leaf(chain.log_size()).unwrap().is_none());
    assert!(snapshot.height_of_leaf(chain.log_size()).unwrap().is_none());
    assert_eq!(snapshot.blocks_from(0).count() as u64, chain.height());
    for made in &chain.blocks {
        let header = &made.block.header;
        for index in header.first_index..header.log_size {
            assert_eq!(snapshot.height_of_leaf(index).unwrap(), Some(header.height));
            let outline = snapshot.outline(header.height).unwrap().unwrap();
            let (envelope, first) = outline.envelope_of(index).unwrap();
            assert!((first..first + u64::from(envelope.entries)).contains(&index));
        }
        assert!(
            snapshot
                .outline(header.height)
                .unwrap()
                .unwrap()
                .envelope_of(header.log_size)
                .is_none()
        );
    }
}

#[test]
fn a_snapshot_does_not_see_later_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let store = new_store(folder.path());
    let before = store.snapshot().unwrap();
    let chain = Chain::default();
    let made = chain.make(&mut Dice::new(4), 5, 50);
    store.commit_block(&made.committed()).unwrap();
    assert_eq!(before.head().height, 0);
    assert!(before.block(1).unwrap().is_none());
    assert_eq!(store.snapshot().unwrap().head().height, 1);
}

#[test]
fn a_block_is_committed_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = new_store(folder.path());
    let mut dice = Dice::new(9);
    let mut chain = Chain::default();
    let fork = chain.make(&mut dice, 2, 50);
    for _ in 0..3 {
        let made = chain.make(&mut dice, 2, 50);
        store.commit_block(&made.committed()).unwrap();
        store.commit_block(&made.committed()).unwrap();
        chain.append(made);
    }
    store.commit_block(&chain.blocks[0].committed()).unwrap();
    assert!(matches!(
        store.commit_block(&fork.committed()),
        Err(CommitError::OtherBlock { height: 1, .. })
    ));
    assert!(!store.stopped());
    chain.compare(&store).unwrap();
}

#[test]
fn a_block_that_does_not_belong_here_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = new_store(folder.path());
    let mut dice = Dice::new(10);
    let mut chain = Chain::default();
    let first = chain.make(&mut dice, 3, 50);
    let mut ahead = chain.clone();
    ahead.append(first.clone());
    let second = ahead.make(&mut dice, 3, 50);
    assert!(matches!(
        store.commit_block(&second.committed()),
        Err(CommitError::NotNext {
            expected: 1,
            given: 2
        })
    ));
    let mut cases = Vec::new();
    let mut change = |edit: &dyn Fn(&mut support::Made)| {
        let mut made = first.clone();
        edit(&mut made);
        cases.push(made);
    };
    change(&|made| made.certificate.block_id = sm3(&[b"another block"]));
    change(&|made| made.certificate.height += 1);
    change(&|made| made.leaf_hashes[1] = sm3(&[b"another leaf"]));
    change(&|made| made.leaf_hashes.truncate(2));
    change(&|made| made.block.envelopes.truncate(0));
    for made in &cases {
        assert!(matches!(
            store.commit_block(&made.committed()),
            Err(CommitError::Inconsistent(_))
        ));
    }
    assert!(!store.stopped());
    Chain::default().compare(&store).unwrap();
    store.commit_block(&first.committed()).unwrap();
    chain.append(first);
    chain.compare(&store).unwrap();
}

#[test]
fn proofs_from_the_tiles_verify_for_every_size() {
    let folder = tempfile::tempdir().unwrap();
    let chain = filled(folder.path(), &[1, 2, 4, 100, 149, 1, 300, 43, 70_000]);
    let store = Store::open(folder.path(), &options()).unwrap();
    let snapshot = store.snapshot().unwrap();
    let heads: Vec<_> = chain
        .blocks
        .iter()
        .map(|made| (made.block.header.log_size, made.block.header.log_root))
        .collect();
    let mut dice = Dice::new(5);
    for (size, root) in &heads {
        for index in (0..20).map(|_| dice.below(*size)).chain([0, size - 1]) {
            let leaf = leaf_hash(&snapshot.leaf(index).unwrap().unwrap());
            let path = snapshot.inclusion_path(index, *size).unwrap().unwrap();
            assert!(
                verify_inclusion(&leaf, index, *size, &path, root),
                "{index} in {size}"
            );
        }
        assert!(snapshot.inclusion_path(*size, *size).unwrap().is_none());
        for (to, to_root) in heads.iter().filter(|(to, _)| to >= size) {
            let path = snapshot.consistency_path(*size, *to).unwrap().unwrap();
            assert!(
                verify_consistency(*size, root, *to, to_root, &path),
                "{size} to {to}"
            );
        }
    }
    assert!(
        snapshot
            .inclusion_path(0, chain.log_size() + 1)
            .unwrap()
            .is_none()
    );
    assert!(
        snapshot
            .consistency_path(1, chain.log_size() + 1)
            .unwrap()
            .is_none()
    );
    assert!(snapshot.consistency_path(7, 3).unwrap().is_none());
    for (level, index) in [
        (0, chain.log_size()),
        (0, u64::MAX),
        (17, 0),
        (63, 1),
        (64, 0),
        (255, 9),
    ] {
        let node = snapshot.node(level, index);
        assert!(
            matches!(node, Err(ReadError::BeyondLog { .. })),
            "({level}, {index})"
        );
    }
    for (size, root) in &heads {
        assert_eq!(snapshot.frontier_at(*size).unwrap().root(), *root);
    }
    assert!(matches!(
        snapshot.frontier_at(chain.log_size() + 1),
        Err(ReadError::BeyondLog { .. })
    ));
    assert!(!store.stopped(), "asking for too much is no storage error");
}

#[test]
fn the_indexes_answer_in_pages() {
    let folder = tempfile::tempdir().unwrap();
    let chain = filled(folder.path(), &[300, 5, 700, 1, 1]);
    let store = Store::open(folder.path(), &options()).unwrap();
    let snapshot = store.snapshot().unwrap();
    let rows = || chain.blocks.iter().map(|made| &made.rows);

    for (hash, index) in rows().flat_map(|rows| &rows.records) {
        let found = snapshot.leaf_of_record(hash).unwrap().unwrap();
        assert!(found <= *index);
    }
    assert_eq!(
        snapshot.leaf_of_record(&sm3(&[b"never recorded"])).unwrap(),
        None
    );

    let document = rows()
        .flat_map(|rows| &rows.timeline)
        .next()
        .unwrap()
        .0
        .clone();
    let expected: Vec<u64> = rows()
        .flat_map(|rows| &rows.timeline)
        .filter(|row| row.0 == document)
        .map(|row| row.1)
        .collect();
    let mut found = Vec::new();
    loop {
        let page = snapshot
            .timeline(
                &document,
                Page {
                    after: found.last().copied(),
                    limit: 3,
                },
            )
            .unwrap();
        if page.is_empty() {
            break;
        }
        found.extend(page);
    }
    assert_eq!(found, expected);

    let member = *b"AAAAAAAAAAAAAAAAAA";
    let mine: Vec<_> = rows()
        .flat_map(|rows| &rows.claims)
        .filter(|row| row.member == member)
        .cloned()
        .collect();
    assert!(mine.len() > 10);
    assert_eq!(
        snapshot
            .claims_of(
                &member,
                Page {
                    after: None,
                    limit: 9_999
                },
                false
            )
            .unwrap(),
        mine
    );
    let rest = snapshot
        .claims_of(
            &member,
            Page {
                after: Some(mine[3].leaf_index),
                limit: 2,
            },
            false,
        )
        .unwrap();
    assert_eq!(rest, mine[4..6]);
    let before = snapshot
        .claims_of(
            &member,
            Page {
                after: Some(mine[3].leaf_index),
                limit: 2,
            },
            true,
        )
        .unwrap();
    assert_eq!(before, [mine[2].clone(), mine[1].clone()]);
    let mut all: Vec<_> = rows().flat_map(|rows| &rows.claims).cloned().collect();
    all.sort();
    let after = Some((all[0].member, all[0].leaf_index));
    assert_eq!(
        snapshot
            .claims(Page {
                after,
                limit: 9_999
            })
            .unwrap(),
        all[1..]
    );

    let events: Vec<_> = rows().flat_map(|rows| &rows.events).collect();
    assert!(events.len() > 900);
    let page = snapshot
        .events(Page {
            after: None,
            limit: usize::MAX,
        })
        .unwrap();
    assert!(page.len() <= PAGE_ROWS_MAX);
    for (found, event) in page.iter().zip(&events) {
        assert_eq!(
            found.0,
            EventPosition {
                leaf_index: event.leaf_index,
                number: event.number
            }
        );
        assert_eq!(found.1, event.bytes, "{found:?}");
    }
    let mine: Vec<_> = events
        .iter()
        .filter(|event| event.members.contains(&member))
        .collect();
    let page = snapshot
        .events_of(
            &member,
            Page {
                after: None,
                limit: 5,
            },
        )
        .unwrap();
    assert_eq!(page.len(), 5);
    let next = snapshot
        .events_of(
            &member,
            Page {
                after: Some(page[4].0),
                limit: 1,
            },
        )
        .unwrap();
    assert_eq!(next[0].1, mine[5].bytes);
    assert!(
        snapshot
            .events_of(
                b"ZZZZZZZZZZZZZZZZZZ",
                Page {
                    after: None,
                    limit: 5
                }
            )
            .unwrap()
            .is_empty()
    );
}

#[test]
fn the_replayed_state_is_that_from_before_the_last_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let store = new_store(folder.path());
    let mut dice = Dice::new(77);
    let mut chain = Chain::default();
    let mut states = vec![chain.clone()];
    for _ in 0..40 {
        let made = chain.make(&mut dice, 3, 40);
        store.commit_block(&made.committed()).unwrap();
        chain.append(made);
        states.push(chain.clone());
    }
    let mut replay = store.tail_for_replay().unwrap();
    let mut replayed = 0;
    while let Some(stored) = replay.next_block().unwrap() {
        let height = stored.block.header.height as usize;
        for made in &chain.blocks {
            for (table, key, _) in made.changes.iter() {
                let found = replay.get(table, key).unwrap();
                assert_eq!(
                    found.as_deref(),
                    states[height - 1].value(table, key).map(Vec::as_slice),
                    "before {height}"
                );
            }
        }
        replay
            .advance(chain.blocks[height - 1].changes.clone())
            .unwrap();
        replayed += 1;
    }
    assert_eq!(replayed, tax_node::store::REPLAYED_BLOCKS);
    replay.finish().unwrap();
    assert!(matches!(
        store.tail_for_replay().unwrap().finish(),
        Err(ReplayError::Unfinished { height: 25 })
    ));
}

#[test]
fn an_execution_that_differs_stops_the_store() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), &[3, 3]);
    let store = Store::open(folder.path(), &options()).unwrap();
    let mut replay = store.tail_for_replay().unwrap();
    let mut changes = Changes::new();
    changes.put(Table::Claim, vec![1], vec![2]);
    assert!(matches!(
        replay.advance(changes),
        Err(ReplayError::Effects { height: 1 })
    ));
    assert!(store.stopped());
}

/// Changes one row behind the store's back.
fn tamper<'k, K: redb::Key + 'static>(
    folder: &Path,
    table: TableDefinition<'static, K, &'static [u8]>,
    key: K::SelfType<'k>,
    edit: impl FnOnce(&mut Vec<u8>),
) {
    let database = redb::Database::open(folder.join(FILE_NAME)).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut table = transaction.open_table(table).unwrap();
        let mut value = table.get(&key).unwrap().unwrap().value().to_vec();
        edit(&mut value);
        table.insert(&key, value.as_slice()).unwrap();
    }
    transaction.commit().unwrap();
}

#[test]
fn every_changed_bit_at_the_end_of_the_chain_is_found_on_opening() {
    const JOURNAL: TableDefinition<'static, (u64, u32), &[u8]> = TableDefinition::new("journal");
    const META: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("meta");
    let original = tempfile::tempdir().unwrap();
    filled(original.path(), &[200, 10, 100, 10, 10]);
    let mut dice = Dice::new(3);
    for case in 0..150 {
        let folder = tempfile::tempdir().unwrap();
        fs::copy(file_of(original.path()), file_of(folder.path())).unwrap();
        let place = dice.next() as usize;
        let flip = |value: &mut Vec<u8>| {
            let bit = place % (value.len() * 8);
            value[bit / 8] ^= 1 << (bit % 8);
        };
        let path = folder.path();
        match case % 3 {
            0 => tamper(path, META, "head", flip),
            _ => tamper(path, JOURNAL, (dice.below(6), 0), flip),
        }
        assert!(
            Store::open(path, &options()).is_err(),
            "case {case}, place {place}"
        );
    }
}

#[test]
fn a_changed_entry_of_the_state_is_found_by_replaying() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = filled(folder.path(), &[1]);
    let store = Store::open(folder.path(), &options()).unwrap();
    let mut made = chain.make(&mut Dice::new(9), 1, 10);
    let agreed = made.changes.clone();
    for (table, key, _) in agreed.iter() {
        made.changes.put(table, key, b"another value".to_vec());
    }
    assert!(!agreed.is_empty());
    store.commit_block(&made.committed()).unwrap();
    made.changes = agreed;
    chain.append(made);
    let fault = chain.replay(&store).unwrap_err();
    assert!(fault.contains("state."), "{fault}");
    assert!(store.stopped());
}

#[test]
fn another_format_is_refused_by_name() {
    const META: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("meta");
    let folder = tempfile::tempdir().unwrap();
    drop(new_store(folder.path()));
    tamper(folder.path(), META, "format", |value| value[3] = 9);
    let error = Store::open(folder.path(), &options());
    assert!(matches!(
        error,
        Err(OpenError::Format { found: 9, known: 3 })
    ));
}

#[test]
fn a_file_with_random_damage_is_an_error_and_never_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let chain = filled(folder.path(), &[200, 10, 100, 10, 10, 600]);
    let image = fs::read(file_of(folder.path())).unwrap();
    let mut found = 0;
    for seed in 0..200 {
        let mut dice = Dice::new(seed);
        let mut damaged = image.clone();
        for _ in 0..1 + dice.below(40) {
            let start = dice.below(damaged.len() as u64) as usize;
            let length = (1 + dice.below(600) as usize).min(damaged.len() - start);
            let bytes = dice.bytes(length);
            damaged[start..start + length].copy_from_slice(&bytes);
        }
        let disk = Disk::new(damaged);
        let folder = tempfile::tempdir().unwrap();
        let files: Arc<dyn Files> = Arc::new(DiskFiles);
        let whole = match Store::open_on(disk.backend(), &files, folder.path(), &options()) {
            Ok(store) => chain.compare(&store).is_ok(),
            Err(_) => false,
        };
        found += usize::from(!whole);
    }
    assert!(found > 50, "only {found} of 200 damaged files were noticed");
}

#[test]
fn the_pages_of_a_sound_file_check_out() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), &[200, 10, 100]);
    let mut store = Store::open(folder.path(), &options()).unwrap();
    store.check_pages().unwrap();
    assert!(store.snapshot().unwrap().check_files().unwrap().is_empty());
}

/// A store with so many blocks that most are in files, some of them merged.
fn long_chain(folder: &Path, tuning: Tuning) -> Chain {
    let with = OpenOptions {
        tuning,
        ..options()
    };
    with_new_chain(|new| Store::create(folder, new)).unwrap();
    let store = Store::open(folder, &with).unwrap();
    let mut dice = Dice::new(12);
    let mut chain = Chain::default();
    for _ in 0..120 {
        let made = chain.make(&mut dice, 13, 120);
        store.commit_block(&made.committed()).unwrap();
        chain.append(made);
    }
    chain.compare(&store).unwrap();
    store.close().unwrap();
    chain
}

#[test]
fn threads_write_files_beside_the_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let tuning = Tuning {
        inline: false,
        waiting_segments_max: 1,
        ..TUNING
    };
    let mut chain = long_chain(folder.path(), tuning);
    let with = OpenOptions {
        tuning,
        ..options()
    };
    let mut dice = Dice::new(13);
    for _ in 0..3 {
        let store = Store::open(folder.path(), &with).unwrap();
        chain.compare(&store).unwrap();
        for _ in 0..20 {
            let made = chain.make_any(&mut dice);
            store.commit_block(&made.committed()).unwrap();
            chain.append(made);
        }
        chain.compare(&store).unwrap();
    }
    // Commits wait for files, so most blocks are in some.
    let store = Store::open(folder.path(), &with).unwrap();
    let snapshot = store.snapshot().unwrap();
    assert!(snapshot.files().len() > 4, "{:?}", snapshot.files());
    assert!(snapshot.check_files().unwrap().is_empty());
    for file in snapshot.files() {
        assert!(folder.path().join(file).exists());
    }
}

#[test]
fn the_bodies_of_a_year_can_be_moved_away_and_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let chain = long_chain(folder.path(), TUNING);
    let year = folder.path().join("epochs/1970");
    let elsewhere = folder.path().join("1970");
    fs::rename(&year, &elsewhere).unwrap();

    let store = Store::open(folder.path(), &options()).unwrap();
    chain.replay(&store).unwrap();
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.check_files().unwrap(), [1970]);
    let away = |error| matches!(error, Some(ReadError::BodiesAway { year: 1970 }));
    assert!(away(snapshot.leaf(0).err()));
    assert!(away(snapshot.outline(1).err()));
    assert!(away(snapshot.block(1).err()));
    assert!(!store.stopped());
    // States, lookups that end before a body, and proofs above the bundles go on.
    for table in Table::ALL {
        snapshot.state_rows(table, &mut |_, _| {}).unwrap();
    }
    assert_eq!(snapshot.height_of_leaf(0).unwrap(), Some(1));
    snapshot.node(8, 0).unwrap();
    // Bundles here lie in several files, so their leaf hashes are rows.
    let first_leaf = chain.blocks[0].leaf_hashes[0];
    assert_eq!(snapshot.node(0, 0).unwrap(), first_leaf);
    let size = chain.log_size();
    let path = snapshot.inclusion_path(size - 1, size).unwrap();
    let root = chain.blocks.last().unwrap().block.header.log_root;
    let leaf = leaf_hash(&snapshot.leaf(size - 1).unwrap().unwrap());
    assert!(verify_inclusion(
        &leaf,
        size - 1,
        size,
        &path.unwrap(),
        &root
    ));
    drop(snapshot);
    drop(store);

    fs::rename(&elsewhere, &year).unwrap();
    let store = Store::open(folder.path(), &options()).unwrap();
    chain.compare(&store).unwrap();
}

#[test]
fn a_changed_bit_in_a_file_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let chain = long_chain(folder.path(), TUNING);
    let mut dice = Dice::new(14);
    let files = {
        let store = Store::open(folder.path(), &options()).unwrap();
        store.snapshot().unwrap().files()
    };
    assert!(files.iter().any(|file| file.starts_with("runs")));
    assert!(files.iter().any(|file| file.starts_with("epochs")));
    for file in &files {
        let path = folder.path().join(file);
        let whole = fs::read(&path).unwrap();
        for _ in 0..6 {
            let mut damaged = whole.clone();
            let place = dice.below(damaged.len() as u64) as usize;
            damaged[place] ^= 1 << dice.below(8);
            fs::write(&path, &damaged).unwrap();
            let found = match Store::open(folder.path(), &options()) {
                Ok(store) => store.snapshot().unwrap().check_files().is_err(),
                Err(error) => error.is_damage(),
            };
            assert!(found, "{} at {place}", path.display());
        }
        fs::write(&path, &whole).unwrap();
    }
    let store = Store::open(folder.path(), &options()).unwrap();
    chain.compare(&store).unwrap();
}

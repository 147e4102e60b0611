use fearless_simd::Level;
use proptest::prelude::*;

use super::*;

/// Every width that the processor at hand has.
fn levels() -> Vec<Level> {
    let best = Level::new();
    let mut levels = vec![best, Level::baseline()];
    #[cfg(target_arch = "x86_64")]
    levels.extend(
        [
            best.as_avx2().map(Level::Avx2),
            best.as_sse4_2().map(Level::Sse4_2),
        ]
        .into_iter()
        .flatten(),
    );
    levels
}

fn assert_same(messages: &[Vec<Vec<u8>>]) {
    let parts: Vec<Vec<&[u8]>> = messages
        .iter()
        .map(|message| message.iter().map(Vec::as_slice).collect())
        .collect();
    let parts: Vec<&[&[u8]]> = parts.iter().map(Vec::as_slice).collect();
    let one_by_one: Vec<Hash> = parts.iter().map(|message| sm3(message)).collect();
    for level in levels() {
        assert_eq!(digests_at(level, &parts), one_by_one, "{level:?}");
    }
}

fn bytes(count: usize, seed: usize) -> Vec<u8> {
    (0..count).map(|i| ((i * 131) ^ seed) as u8).collect()
}

#[test]
fn every_length_around_the_borders_of_blocks_comes_out() {
    let messages: Vec<Vec<Vec<u8>>> = (0..=300).map(|len| vec![bytes(len, len)]).collect();
    assert_same(&messages);
}

#[test]
fn any_number_of_equal_messages_comes_out() {
    for count in 0..=70 {
        assert_same(&vec![vec![bytes(120, count)]; count]);
    }
}

#[test]
fn one_giant_does_not_hold_up_the_others() {
    let mut messages = vec![vec![bytes(64 * 40, 1)]];
    messages.extend((0..40).map(|i| vec![bytes(i, i)]));
    assert_same(&messages);
    let queue = |blocks: &[usize]| -> Vec<Waiting> {
        let waiting = |(index, &blocks)| Waiting { blocks, index };
        blocks.iter().enumerate().map(waiting).collect()
    };
    assert_eq!(best_alone(&queue(&[40, 1, 1, 1, 1, 1, 1]), 8), 1);
    assert_eq!(best_alone(&queue(&[18; 64]), 16), 0);
    assert_eq!(best_alone(&queue(&[]), 16), 0);
}

proptest! {
    #[test]
    fn messages_side_by_side_hash_as_alone(
        messages in prop::collection::vec(
            prop::collection::vec((0_usize..150, any::<u8>()), 0..5),
            0..60,
        )
    ) {
        let messages: Vec<Vec<Vec<u8>>> = messages
            .iter()
            .map(|parts| parts.iter().map(|&(len, seed)| bytes(len, seed.into())).collect())
            .collect();
        assert_same(&messages);
    }
}

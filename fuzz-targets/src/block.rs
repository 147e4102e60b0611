//! The binary formats: whatever is decoded is encoded to the same bytes.

use invoice_core::chain::{Authorization, Block, Certificate, ChainId, Header, Outcome};
use invoice_core::codec::{Reader, Writer};
use invoice_core::merkle::{Frontier, leaf_hash, root_from_path};

pub(crate) fn run(bytes: &[u8]) {
    let Some((chosen, rest)) = super::choice(bytes, 5) else {
        return;
    };
    match chosen {
        0 => block(rest),
        1 => {
            if let Ok(header) = Header::decode(rest) {
                assert_eq!(header.encode(), rest);
            }
        }
        2 => {
            if let Ok(certificate) = Certificate::decode(rest) {
                assert_eq!(certificate.encode().as_deref(), Ok(rest));
            }
        }
        3 => {
            let mut reader = Reader::new(rest);
            if let Ok(outcome) = Outcome::read(&mut reader) {
                let mut writer = Writer::new();
                outcome.write(&mut writer).expect("what was read fits");
                let taken = rest.len() - reader.remaining();
                assert_eq!(writer.into_bytes(), rest[..taken]);
            }
        }
        _ => {
            if let Ok(frontier) = Frontier::decode(rest) {
                assert_eq!(frontier.encode(), rest);
                assert_eq!(Frontier::decode(&frontier.encode()).as_ref(), Ok(&frontier));
                let _ = frontier.root();
            }
        }
    }
}

fn block(bytes: &[u8]) {
    let Ok(block) = Block::decode(bytes) else {
        return;
    };
    assert_eq!(block.encode().as_deref(), Ok(bytes));
    for leaf in block.leaves() {
        leaf.hash().expect("what was read fits");
    }
    assert_eq!(block.leaves().count(), block.header.count as usize);
    let chain: ChainId = "sz-2026".parse().expect("a good name");
    for envelope in &block.envelopes {
        let message = envelope.signed_message(&chain);
        let message = message.expect("a decoded envelope is complete");
        let Authorization::Batch { count, .. } = &envelope.authorization else {
            assert_eq!(envelope.batch_proof(0), None);
            continue;
        };
        // Each entry's proof leads to the one root that is signed.
        for (place, entry) in envelope.entries.iter().enumerate() {
            let proof = envelope.batch_proof(place).expect("an entry has a proof");
            assert_eq!(proof.count, *count);
            let leaf = leaf_hash(&entry.record);
            let (position, count) = (u64::from(proof.position), u64::from(proof.count));
            let root = root_from_path(&leaf, position, count, &proof.path);
            let root = root.expect("the path has the right length").to_string();
            assert!(message.windows(root.len()).any(|w| w == root.as_bytes()));
        }
        assert_eq!(envelope.batch_proof(envelope.entries.len()), None);
    }
}

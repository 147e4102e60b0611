//! The exact bytes that are signed. Each kind begins with a text of its own, so that a signature
//! made for one purpose is never good for another.

use super::hash::Hash;
use super::key::Kid;
use crate::chain::ChainId;

/// The message for one record: `piaolian/1`, the chain, and the record's exact bytes.
///
/// ```
/// use invoice_core::{chain::ChainId, crypto::messages::record_message};
///
/// let chain: ChainId = "sz-2026".parse()?;
/// assert_eq!(record_message(&chain, b"{}"), b"piaolian/1\nsz-2026\n{}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn record_message(chain: &ChainId, record: &[u8]) -> Vec<u8> {
    join(&[b"piaolian/1\n", chain.as_str().as_bytes(), b"\n", record])
}

/// The message for a batch: its purpose, the chain, the number of records in decimal and the
/// Merkle root of their exact bytes in lower-case hexadecimal.
#[must_use]
pub fn batch_message(chain: &ChainId, count: u32, root: &Hash, atomic: bool) -> Vec<u8> {
    let purpose = if atomic { "batch-atomic" } else { "batch" };
    format!("piaolian/1/{purpose}\n{chain}\n{count}\n{root}").into_bytes()
}

/// The message for a request: method, path and query, timestamp, nonce and body, each followed by
/// a line feed.
#[must_use]
pub fn request_message(
    method: &str,
    path_and_query: &str,
    timestamp: &str,
    nonce: &str,
    body: &[u8],
) -> Vec<u8> {
    let lines = [
        method,
        "\n",
        path_and_query,
        "\n",
        timestamp,
        "\n",
        nonce,
        "\n",
    ]
    .map(str::as_bytes);
    let mut message = join(&lines);
    message.extend_from_slice(body);
    message.push(b'\n');
    message
}

/// The two kinds of vote of a consensus round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VoteKind {
    /// First vote of a round; it proves nothing to outsiders.
    Prevote,
    /// Second vote of a round; more than two thirds of them are a certificate.
    Precommit,
}

/// The message that a validator signs to vote for a block, or for none.
///
/// `piaolian/1/vote`, the chain, then one byte for the kind (0 prevote, 1 precommit), the height
/// (8 bytes, big-endian), the round (8 bytes, signed), 0 for no block or 1 and the 32 bytes of
/// the block id, and the 16 bytes of the voter's key identifier.
#[must_use]
pub fn vote_message(
    chain: &ChainId,
    kind: VoteKind,
    height: u64,
    round: i64,
    block_id: Option<&Hash>,
    voter: &Kid,
) -> Vec<u8> {
    let kind = match kind {
        VoteKind::Prevote => [0],
        VoteKind::Precommit => [1],
    };
    let (height, round) = (height.to_be_bytes(), round.to_be_bytes());
    let (presence, id): (&[u8], &[u8]) = match block_id {
        None => (&[0], &[]),
        Some(id) => (&[1], id.as_bytes()),
    };
    join(&[
        b"piaolian/1/vote\n",
        chain.as_str().as_bytes(),
        b"\n",
        &kind,
        &height,
        &round,
        presence,
        id,
        voter.as_bytes(),
    ])
}

/// The message by which the other bureau countersigns a change of the validators:
/// `piaolian/1/validators`, the chain, the first height of the new set in decimal, the digest of
/// the set that it replaces ([`ValidatorSet::digest`](crate::chain::ValidatorSet::digest)) and that
/// of the new list ([`ValidatorSet::list_digest`](crate::chain::ValidatorSet::list_digest)) in
/// lower-case hexadecimal.
#[must_use]
pub fn validators_message(
    chain: &ChainId,
    from_height: u64,
    replaces: &Hash,
    list_digest: &Hash,
) -> Vec<u8> {
    format!("piaolian/1/validators\n{chain}\n{from_height}\n{replaces}\n{list_digest}").into_bytes()
}

/// The vote that stands in a certificate: a precommit for `block_id`.
#[must_use]
pub fn precommit_message(
    chain: &ChainId,
    height: u64,
    round: u32,
    block_id: &Hash,
    voter: &Kid,
) -> Vec<u8> {
    vote_message(
        chain,
        VoteKind::Precommit,
        height,
        i64::from(round),
        Some(block_id),
        voter,
    )
}

/// The message that the proposer of a round signs to propose a block.
///
/// `piaolian/1/proposal`, the chain, then the height (8 bytes, big-endian), the round (8 bytes,
/// signed), the 32 bytes of the block id, the earlier round in which a quorum prevoted for the block
/// (8 bytes, signed, −1 for none), and the 16 bytes of the proposer's key identifier.
#[must_use]
pub fn proposal_message(
    chain: &ChainId,
    height: u64,
    round: u32,
    block_id: &Hash,
    valid_round: Option<u32>,
    proposer: &Kid,
) -> Vec<u8> {
    join(&[
        b"piaolian/1/proposal\n",
        chain.as_str().as_bytes(),
        b"\n",
        &height.to_be_bytes(),
        &i64::from(round).to_be_bytes(),
        block_id.as_bytes(),
        &valid_round.map_or(-1, i64::from).to_be_bytes(),
        proposer.as_bytes(),
    ])
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sm3;

    fn chain() -> ChainId {
        "sz-2026".parse().unwrap()
    }

    #[test]
    fn a_batch_names_its_purpose_count_and_root() {
        let root = sm3(&[]);
        let text = |atomic| String::from_utf8(batch_message(&chain(), 2, &root, atomic)).unwrap();
        assert_eq!(text(false), format!("piaolian/1/batch\nsz-2026\n2\n{root}"));
        assert_eq!(
            text(true),
            format!("piaolian/1/batch-atomic\nsz-2026\n2\n{root}")
        );
    }

    #[test]
    fn a_request_ends_each_part_with_a_line_feed() {
        assert_eq!(
            request_message("POST", "/v1/checks?x=1", "1790000000", "abc", b"{}"),
            b"POST\n/v1/checks?x=1\n1790000000\nabc\n{}\n"
        );
    }

    #[test]
    fn a_countersignature_names_height_and_both_digests() {
        let (replaces, list) = (Hash::new([0xab; 32]), Hash::new([0x01; 32]));
        let message = validators_message(&chain(), 10, &replaces, &list);
        let (replaces, list) = ("ab".repeat(32), "01".repeat(32));
        let due = format!("piaolian/1/validators\nsz-2026\n10\n{replaces}\n{list}");
        assert_eq!(message, due.as_bytes());
    }

    #[test]
    fn a_vote_has_these_bytes() {
        let golden = |kind: &str, round: &str, value: &str| {
            format!(
                "{}{kind}0000000000000102{round}{value}{}",
                hex::encode("piaolian/1/vote\nsz-2026\n"),
                "aa".repeat(16)
            )
        };
        let (id, voter) = (Hash::new([0xbb; 32]), Kid::new([0xaa; 16]));
        let vote =
            |kind, round, id| hex::encode(vote_message(&chain(), kind, 0x102, round, id, &voter));
        assert_eq!(
            vote(VoteKind::Prevote, -1, None),
            golden("00", "ffffffffffffffff", "00")
        );
        let precommit = golden("01", "0000000000000003", &format!("01{}", "bb".repeat(32)));
        assert_eq!(vote(VoteKind::Precommit, 3, Some(&id)), precommit);
        assert_eq!(
            hex::encode(precommit_message(&chain(), 0x102, 3, &id, &voter)),
            precommit
        );
    }

    #[test]
    fn a_proposal_has_these_bytes() {
        let (id, proposer) = (Hash::new([0xbb; 32]), Kid::new([0xaa; 16]));
        let golden = |valid_round: &str| {
            format!(
                "{}00000000000001020000000000000003{}{valid_round}{}",
                hex::encode("piaolian/1/proposal\nsz-2026\n"),
                "bb".repeat(32),
                "aa".repeat(16)
            )
        };
        let proposal = |valid_round| {
            hex::encode(proposal_message(
                &chain(),
                0x102,
                3,
                &id,
                valid_round,
                &proposer,
            ))
        };
        assert_eq!(proposal(None), golden("ffffffffffffffff"));
        assert_eq!(proposal(Some(2)), golden("0000000000000002"));
    }
}

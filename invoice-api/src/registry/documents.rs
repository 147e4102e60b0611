//! Questions about documents.

use invoice_core::calendar::{Date, Instant};
use invoice_core::chain::Facts;
use invoice_core::identity::{DocumentKey, MemberId};
use invoice_core::money::Fen;

use super::{CheckpointView, Place};

/// What an asker holds of a document and wants compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckItem {
    /// The document.
    pub document: DocumentKey,
    /// The amount on it.
    pub amount: Option<Fen>,
    /// Whether `amount` may also be the total without tax: QR codes of the kinds before the fully
    /// digital invoice carry either.
    pub amount_may_be_without_tax: bool,
    /// The date of issue on it.
    pub date: Option<Date>,
    /// The check code on it, as given: for a fiscal bill its six characters.
    pub check_code: Option<String>,
}

/// The chain's state that an answer describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsOf {
    /// Height of the last final block.
    pub height: u64,
    /// Time of that block.
    pub time: Instant,
}

/// The answers to a list of check items.
#[derive(Debug, Clone)]
pub struct Checked {
    /// One result per item, in order.
    pub results: Vec<CheckResult>,
    /// The state they describe.
    pub as_of: AsOf,
}

/// The answer to one check item. It holds nothing that the asker did not supply, but for the
/// verdict and the amount that is free for the asker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// The document, as asked.
    pub document: DocumentKey,
    /// The first verdict that applies, in the order of [`CheckVerdict`].
    pub verdict: CheckVerdict,
    /// What is free for the asker, its shares considered; with the last two verdicts only.
    pub claimable: Option<Fen>,
    /// Names of the given elements that are wrong (`amount`, `date`, `check_code`); with
    /// `mismatch` only.
    pub differs: Vec<&'static str>,
}

/// The answer to a question that anyone may ask.
#[derive(Debug, Clone)]
pub struct PublicCheck {
    /// The first verdict that applies.
    pub verdict: CheckVerdict,
    /// The issuer's registered name, which the paper shows, too; `None` unless everything given
    /// is as recorded.
    pub issuer: Option<String>,
    /// Whether a check code is recorded for the document, so that a given one was compared; false
    /// unless everything given is as recorded.
    pub has_check_code: bool,
    /// The state that this describes.
    pub as_of: AsOf,
    /// The checkpoint of the same state; `None` before the first block.
    pub checkpoint: Option<CheckpointView>,
}

/// What a check finds; the first that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckVerdict {
    /// No such document, or not enough supplied to be told more.
    NotFound,
    /// It exists, but an element given is wrong.
    Mismatch,
    /// It was reversed (红冲) as a whole.
    Reversed,
    /// An authority froze it.
    Frozen,
    /// All of it is settled.
    Claimed,
    /// Nothing is free, but something is only locked.
    Locked,
    /// Something is free, but something is settled, locked or reversed.
    PartlyClaimed,
    /// All of it is free.
    Claimable,
}

impl CheckVerdict {
    /// The word of the wire contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Mismatch => "mismatch",
            Self::Reversed => "reversed",
            Self::Frozen => "frozen",
            Self::Claimed => "claimed",
            Self::Locked => "locked",
            Self::PartlyClaimed => "partly_claimed",
            Self::Claimable => "claimable",
        }
    }
}

/// Everything about one document, for those who may see it.
#[derive(Debug, Clone)]
pub struct DocumentView {
    /// Its key; when it was asked for by an alias, the key it was issued under.
    pub document: DocumentKey,
    /// The other identities of the same paper.
    pub aliases: Vec<DocumentKey>,
    /// Other identities that are recorded and were not looked for any further.
    pub aliases_left_out: usize,
    /// The exact text of the record that issued it: its full content.
    pub record: String,
    /// Where that record stands.
    pub place: Place,
    /// Its state as a check would name it.
    pub state: DocumentState,
    /// What happened to it, oldest first: a page of what was accepted.
    pub timeline: Vec<TimelineEntry>,
    /// What was refused, oldest first, in pages of its own: whoever sends records that are refused
    /// cannot push away what was accepted.
    pub refused: Vec<TimelineEntry>,
    /// Where this view begins.
    pub from: TimelineCursor,
    /// Where what was accepted goes on; `None` on the last page.
    pub next: Option<TimelineCursor>,
    /// Where what was refused goes on; `None` on the last page.
    pub refused_next: Option<TimelineCursor>,
    /// The state of the chain that this describes.
    pub as_of: AsOf,
}

/// Where a view of a document's life begins: after which leaf of the log each of its two lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimelineCursor {
    /// What was accepted after this leaf; from the beginning when absent.
    pub accepted_after: Option<u64>,
    /// What was refused after this leaf.
    pub refused_after: Option<u64>,
}

impl TimelineCursor {
    /// As an address carries it: each place plus one in big-endian, zero for the beginning.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        let place = |after: Option<u64>| after.map_or(0, |after| after.saturating_add(1));
        [self.accepted_after, self.refused_after]
            .map(|after| place(after).to_be_bytes())
            .concat()
    }

    /// The cursor of such bytes; `None` for other ones.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (accepted, refused) = bytes.split_first_chunk::<8>()?;
        let place = |bytes: &[u8; 8]| u64::from_be_bytes(*bytes).checked_sub(1);
        Some(Self {
            accepted_after: place(accepted),
            refused_after: place(refused.try_into().ok()?),
        })
    }
}

/// The amounts and flags of a document at one height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentState {
    /// `Reversed` and later of [`CheckVerdict`]: the first that applies.
    pub verdict: CheckVerdict,
    /// The total on the document.
    pub total: Fen,
    /// How much of it was reversed.
    pub reversed: Fen,
    /// How much could be claimed if nobody had claimed anything.
    pub capacity: Fen,
    /// How much is settled.
    pub settled: Fen,
    /// How much is under live locks.
    pub locked: Fen,
    /// `capacity` less `settled` and `locked`; zero when over-claimed.
    pub remaining: Fen,
    /// How much of that is free for the asker, its shares considered.
    pub claimable: Fen,
    /// Whether an authority froze it.
    pub frozen: bool,
    /// Whether more is settled than a later reversal left.
    pub over_claimed: bool,
}

/// One thing that happened to a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEntry {
    /// Where it is recorded.
    pub place: Place,
    /// The record's type: `claim.lock`.
    pub kind: String,
    /// The member that did it; `None` when that is none of the asker's business.
    pub by: Option<MemberId>,
    /// The record's id; `None` together with `by`.
    pub id: Option<String>,
    /// The money that it moved.
    pub amount: Option<Fen>,
    /// What else the asker may see, as named values.
    pub facts: Facts,
}

//! A document of either family and the money that is claimed on it.

use super::MemberNo;
use crate::calendar::{Date, Instant};
use crate::identity::{MemberId, RecordId};
use crate::money::Fen;
use crate::record::{ClaimKind, Component};

/// Live locks and settlements that a document can carry.
pub const HOLDINGS_PER_DOCUMENT_MAX: usize = 256;
/// Members that can hold a share of a document.
pub const SHARES_PER_DOCUMENT_MAX: usize = 256;
/// Second identities of a document.
pub const ALIASES_PER_DOCUMENT_MAX: u8 = 4;

/// The most members that the content of a document has.
pub(crate) const CONTENT_FIELDS_MAX: usize = 11;

/// The two families of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Issued by a seller under tax supervision (发票).
    Invoice,
    /// Issued by a hospital under finance supervision (医疗收费电子票据).
    Bill,
}

impl Family {
    /// How many members the content has, by which documents of the family are compared.
    pub(crate) const fn content_fields(self) -> usize {
        match self {
            Self::Invoice => CONTENT_FIELDS_MAX,
            Self::Bill => 8,
        }
    }
}

/// To whom a document is made out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Title {
    /// A natural person, or nobody by number: the kind of claim decides who may claim.
    Open,
    /// An organisation: it claims, or grants shares.
    Organisation(MemberId),
    /// An organisation by its old 15-digit tax number, which no member can have.
    OldTaxNumber,
}

/// What the patient bore (rules M1, M2) and whether an insurance paid at the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burden {
    /// Personal account plus cash (R0): the most that can be claimed.
    pub claimable: Fen,
    /// Inside the catalogue and borne by the patient (个人自付).
    pub self_pay: Fen,
    /// Outside the catalogue (个人自费).
    pub self_fund: Fen,
    /// A fund paid at the counter: nothing is left for a `basic` claim (rule C2).
    pub directly_settled: bool,
}

/// A live lock or a settlement of one claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Who claims.
    pub owner: MemberNo,
    /// Id of the lock's record.
    pub claim: RecordId,
    /// In which capacity.
    pub kind: ClaimKind,
    /// Of which component.
    pub component: Component,
    /// What is locked; zero once it is settled.
    pub locked: Fen,
    /// Until when the lock lives.
    pub expires_at: Instant,
    /// What is settled and not taken back.
    pub settled: Fen,
}

impl Holding {
    /// The money that the claim holds at an instant.
    #[must_use]
    pub fn held_at(&self, time: Instant) -> Fen {
        if self.is_live_at(time) {
            sum([self.settled, self.locked])
        } else {
            self.settled
        }
    }

    /// Whether the lock is live.
    #[must_use]
    pub fn is_live_at(&self, time: Instant) -> bool {
        self.locked > Fen::ZERO && time < self.expires_at
    }
}

/// A share that the buyer granted (原始凭证分割单).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Who may claim it.
    pub holder: MemberNo,
    /// Up to how much, over all its claims.
    pub amount: Fen,
}

/// A document as the rules see it. Its content stands in the log at `index`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Invoice or bill.
    pub family: Family,
    /// Who issued it; of a registered one the authority that registered it.
    pub issuer: MemberNo,
    /// Issued elsewhere: it took no quota, and its reversal is a fact that nobody here decides.
    pub registered: bool,
    /// To whom it is made out.
    pub title: Title,
    /// Leaf index of the record that issued it.
    pub index: u64,
    /// Date of issue.
    pub issue_date: Date,
    /// The sum that it states, with tax.
    pub total: Fen,
    /// The sum without tax; of a bill its total.
    pub total_without_tax: Fen,
    /// Check code of a bill (校验码).
    pub check_code: Option<[u8; 6]>,
    /// Payment split of a medical document.
    pub burden: Option<Burden>,
    /// Σ reversals.
    pub reversed: Fen,
    /// What reversals gave back to the issuer's quota.
    pub quota_restored: Fen,
    /// Frozen by an authority: takes no lock and no settlement.
    pub frozen: bool,
    /// Second identities so far.
    pub aliases: u8,
    /// First 16 bytes of the SM3 over the content's meaning.
    pub content: [u8; 16],
    /// 8 bits of SM3 of each member of the content, to name the members that differ; zeros after
    /// as many as the family has. A changed member keeps its 8 bits once in 256 times and is then
    /// not named; `content` tells the documents apart all the same.
    pub content_fields: [u8; CONTENT_FIELDS_MAX],
    /// Live locks and settlements, oldest first; locks that ended are removed when the document
    /// next changes.
    pub holdings: Vec<Holding>,
    /// Granted shares, oldest first.
    pub shares: Vec<Share>,
}

impl Document {
    /// What can be claimed altogether: what the document states or the patient bore, less
    /// reversals, never below zero.
    #[must_use]
    pub fn capacity(&self) -> Fen {
        let stated = self.burden.map_or(self.total, |burden| burden.claimable);
        difference(stated, self.reversed)
    }

    /// What is left to reverse.
    #[must_use]
    pub fn unreversed(&self) -> Fen {
        difference(self.total, self.reversed)
    }

    /// Whether reversals took the whole document.
    #[must_use]
    pub fn is_reversed(&self) -> bool {
        self.reversed >= self.total
    }

    /// Σ settlements.
    #[must_use]
    pub fn settled(&self) -> Fen {
        sum(self.holdings.iter().map(|holding| holding.settled))
    }

    /// Σ live locks.
    #[must_use]
    pub fn locked_at(&self, time: Instant) -> Fen {
        sum(self.live_at(time).map(|holding| holding.locked))
    }

    /// Claims whose lock is live.
    pub fn live_at(&self, time: Instant) -> impl Iterator<Item = &Holding> {
        self.holdings
            .iter()
            .filter(move |holding| holding.is_live_at(time))
    }

    /// Members with a live lock or a settlement, each once, by number.
    #[must_use]
    pub fn holders_at(&self, time: Instant) -> Vec<MemberNo> {
        let mut holders: Vec<_> = self
            .holdings
            .iter()
            .filter(|holding| holding.held_at(time) > Fen::ZERO)
            .map(|holding| holding.owner)
            .collect();
        holders.sort_unstable();
        holders.dedup();
        holders
    }

    /// Whether settlements exceed the capacity.
    #[must_use]
    pub fn is_over_claimed(&self) -> bool {
        self.settled() > self.capacity()
    }

    /// `free = capacity − settled − locked`, never below zero.
    #[must_use]
    pub fn free_at(&self, time: Instant) -> Fen {
        difference(self.capacity(), sum([self.settled(), self.locked_at(time)]))
    }

    /// What is free of a component, never more than what is free at all. `None` when the document
    /// has no payment split.
    #[must_use]
    pub fn component_free_at(&self, component: Component, time: Instant) -> Option<Fen> {
        let burden = self.burden?;
        let cap = match component {
            Component::Any => return Some(self.free_at(time)),
            Component::SelfPay => burden.self_pay,
            Component::SelfFund => burden.self_fund,
        };
        let held = sum(self
            .holdings
            .iter()
            .filter(|holding| holding.component == component)
            .map(|holding| holding.held_at(time)));
        Some(difference(cap, held).min(self.free_at(time)))
    }

    /// What the member could lock now without naming a component: zero for a member that is
    /// neither the buyer nor the holder of a share.
    #[must_use]
    pub fn free_for(&self, id: &MemberId, number: MemberNo, time: Instant) -> Fen {
        let own = sum(self
            .holdings
            .iter()
            .filter(|holding| holding.owner == number)
            .map(|holding| holding.held_at(time)));
        let allowance = match self.title {
            Title::Open => return self.free_at(time),
            Title::Organisation(buyer) if buyer == *id => {
                difference(self.capacity(), sum([self.granted(), own]))
            }
            Title::Organisation(_) | Title::OldTaxNumber => {
                difference(self.share_of(number).unwrap_or(Fen::ZERO), own)
            }
        };
        allowance.min(self.free_at(time))
    }

    /// Whether the member may claim at all.
    #[must_use]
    pub fn entitles(&self, id: &MemberId, number: MemberNo) -> bool {
        match self.title {
            Title::Open => true,
            Title::Organisation(buyer) if buyer == *id => true,
            Title::Organisation(_) | Title::OldTaxNumber => self.share_of(number).is_some(),
        }
    }

    /// The member's share, if the buyer granted one.
    #[must_use]
    pub fn share_of(&self, number: MemberNo) -> Option<Fen> {
        self.shares
            .iter()
            .find(|share| share.holder == number)
            .map(|share| share.amount)
    }

    /// Σ granted shares.
    #[must_use]
    pub fn granted(&self) -> Fen {
        sum(self.shares.iter().map(|share| share.amount))
    }

    /// Drops locks that ended, so that the entry does not grow with history.
    pub fn forget_ended(&mut self, time: Instant) {
        self.holdings
            .retain(|holding| holding.held_at(time) > Fen::ZERO);
    }
}

/// Sums amounts of one document: each is at most [`Fen::MAX`] and their number is limited, so the
/// sum stays far below the range of 64 bits; saturation keeps the function total.
pub(crate) fn sum(amounts: impl IntoIterator<Item = Fen>) -> Fen {
    Fen::new(
        amounts
            .into_iter()
            .fold(0, |total, amount| total.saturating_add(amount.get())),
    )
}

/// `a − b`, never below zero.
pub(crate) fn difference(a: Fen, b: Fen) -> Fen {
    Fen::new(a.get().saturating_sub(b.get()).max(0))
}

//! A document of either family and the money that is claimed on it.

use super::MemberNo;
use super::layout::{put_short, take_short};
use crate::calendar::{Date, Instant};
use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::{MemberId, RecordId};
use crate::money::Fen;
use crate::read::Spelled;
use crate::record::{ClaimKind, Component};

/// Live locks and settlements that a document can carry.
pub const HOLDINGS_PER_DOCUMENT_MAX: usize = 256;
/// Members that can hold a share of a document.
pub const SHARES_PER_DOCUMENT_MAX: usize = 256;
/// Second identities of a document.
pub const ALIASES_PER_DOCUMENT_MAX: u8 = 4;

/// The two families of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Issued by a seller under tax supervision (发票).
    Invoice,
    /// Issued by a hospital under finance supervision (医疗收费电子票据).
    Bill,
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
    /// Who issued it.
    pub issuer: MemberNo,
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
    /// 16 bits of SM3 of each member of the content, to name the members that differ.
    pub content_fields: Vec<u16>,
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

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Writer::new();
        bytes.put_u8(match self.family {
            Family::Invoice => 0,
            Family::Bill => 1,
        });
        bytes.put_u32(self.issuer.0);
        match self.title {
            Title::Open => bytes.put_u8(0),
            Title::Organisation(id) => {
                bytes.put_u8(1);
                bytes.put(id.as_bytes());
            }
            Title::OldTaxNumber => bytes.put_u8(2),
        }
        bytes.put_u64(self.index);
        bytes.put_u32(days(self.issue_date));
        put_fen(&mut bytes, self.total);
        put_fen(&mut bytes, self.total_without_tax);
        match &self.check_code {
            Some(code) => {
                bytes.put_u8(1);
                bytes.put(code);
            }
            None => bytes.put_u8(0),
        }
        match &self.burden {
            Some(burden) => {
                bytes.put_u8(1);
                put_fen(&mut bytes, burden.claimable);
                put_fen(&mut bytes, burden.self_pay);
                put_fen(&mut bytes, burden.self_fund);
                bytes.put_u8(u8::from(burden.directly_settled));
            }
            None => bytes.put_u8(0),
        }
        put_fen(&mut bytes, self.reversed);
        put_fen(&mut bytes, self.quota_restored);
        bytes.put_u8(u8::from(self.frozen));
        bytes.put_u8(self.aliases);
        bytes.put(&self.content);
        // At most a dozen members of a document take part; shares and holdings have limits above.
        put_count(&mut bytes, self.content_fields.len());
        for field in &self.content_fields {
            bytes.put_u16(*field);
        }
        put_count(&mut bytes, self.holdings.len());
        for holding in &self.holdings {
            bytes.put_u32(holding.owner.0);
            put_short(&mut bytes, holding.claim.as_str().as_bytes());
            bytes.put_u8(holding.kind.number());
            bytes.put_u8(holding.component.number());
            put_fen(&mut bytes, holding.locked);
            bytes.put_i64(holding.expires_at.ms());
            put_fen(&mut bytes, holding.settled);
        }
        put_count(&mut bytes, self.shares.len());
        for share in &self.shares {
            bytes.put_u32(share.holder.0);
            put_fen(&mut bytes, share.amount);
        }
        bytes.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let family = match reader.u8("family")? {
            0 => Family::Invoice,
            1 => Family::Bill,
            _ => return Err(DecodeError::Invalid { what: "family" }),
        };
        let issuer = MemberNo(reader.u32("issuer")?);
        let title = match reader.u8("title")? {
            0 => Title::Open,
            1 => Title::Organisation(
                MemberId::from_bytes(reader.take("buyer", 18)?)
                    .ok_or(DecodeError::Invalid { what: "buyer" })?,
            ),
            2 => Title::OldTaxNumber,
            _ => return Err(DecodeError::Invalid { what: "title" }),
        };
        let index = reader.u64("index")?;
        let issue_date = i32::try_from(reader.u32("issue_date")?)
            .ok()
            .and_then(Date::from_days)
            .ok_or(DecodeError::Invalid { what: "issue_date" })?;
        let total = take_fen(&mut reader, "total")?;
        let total_without_tax = take_fen(&mut reader, "total_without_tax")?;
        let check_code = match reader.flag("check_code")? {
            true => Some(reader.array("check_code")?),
            false => None,
        };
        let burden = match reader.flag("burden")? {
            true => Some(Burden {
                claimable: take_fen(&mut reader, "claimable")?,
                self_pay: take_fen(&mut reader, "self_pay")?,
                self_fund: take_fen(&mut reader, "self_fund")?,
                directly_settled: reader.flag("directly_settled")?,
            }),
            false => None,
        };
        let reversed = take_fen(&mut reader, "reversed")?;
        let quota_restored = take_fen(&mut reader, "quota_restored")?;
        let frozen = reader.flag("frozen")?;
        let aliases = reader.u8("aliases")?;
        let content = reader.array("content")?;
        let mut content_fields = Vec::new();
        for _ in 0..reader.u16("content_fields")? {
            content_fields.push(reader.u16("content_field")?);
        }
        let mut holdings = Vec::new();
        for _ in 0..reader.u16("holdings")? {
            holdings.push(Holding {
                owner: MemberNo(reader.u32("owner")?),
                claim: take_record_id(&mut reader)?,
                kind: ClaimKind::from_number(reader.u8("kind")?)
                    .ok_or(DecodeError::Invalid { what: "kind" })?,
                component: Component::from_number(reader.u8("component")?)
                    .ok_or(DecodeError::Invalid { what: "component" })?,
                locked: take_fen(&mut reader, "locked")?,
                expires_at: Instant::from_ms(reader.i64("expires_at")?),
                settled: take_fen(&mut reader, "settled")?,
            });
        }
        let mut shares = Vec::new();
        for _ in 0..reader.u16("shares")? {
            shares.push(Share {
                holder: MemberNo(reader.u32("holder")?),
                amount: take_fen(&mut reader, "amount")?,
            });
        }
        reader.finish()?;
        Ok(Self {
            family,
            issuer,
            title,
            index,
            issue_date,
            total,
            total_without_tax,
            check_code,
            burden,
            reversed,
            quota_restored,
            frozen,
            aliases,
            content,
            content_fields,
            holdings,
            shares,
        })
    }
}

/// Days since 1970-01-01; documents of the registry are younger.
fn days(date: Date) -> u32 {
    u32::try_from(date.days()).unwrap_or(0)
}

fn put_fen(bytes: &mut Writer, amount: Fen) {
    bytes.put_i64(amount.get());
}

fn take_fen(reader: &mut Reader<'_>, what: &'static str) -> Result<Fen, DecodeError> {
    reader.i64(what).map(Fen::new)
}

fn put_count(bytes: &mut Writer, count: usize) {
    bytes.put_u16(u16::try_from(count).unwrap_or(u16::MAX));
}

fn take_record_id(reader: &mut Reader<'_>) -> Result<RecordId, DecodeError> {
    std::str::from_utf8(take_short(reader, "claim")?)
        .ok()
        .and_then(|id| RecordId::spelled(id).ok())
        .ok_or(DecodeError::Invalid { what: "claim" })
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

//! Histories from a seed: what members send, drawn so that rules collide.

use invoice_core::record::{ClaimKind, Component};

use crate::common::{
    EMPLOYER, FINANCE, HEALTH, HOSPITAL, INSURER, MERCHANT, OTHER_EMPLOYER, OTHER_MERCHANT, TAX,
};
use crate::model::{DAY_MS, Lock, Model, month_of, today};
use crate::records::{Key, Op, Paper, Split, text};

const CLAIMANTS: [usize; 4] = [EMPLOYER, OTHER_EMPLOYER, INSURER, HEALTH];
const CONFIRMATION_MS: i64 = 72 * 3_600_000;

/// SplitMix64: the same numbers for a seed for ever.
pub(crate) struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below a bound.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// True so many times in a hundred.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn amount(&mut self, most: i64) -> i64 {
        1 + self.below(most.max(1) as usize) as i64
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// A record as it is sent.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) by: usize,
    pub(crate) id: u32,
    pub(crate) op: Op,
    pub(crate) text: String,
}

pub(crate) struct Generator {
    pub(crate) dice: Dice,
    sent: Vec<Sent>,
    numbers: u32,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            dice: Dice(seed),
            sent: Vec::new(),
            numbers: 0,
        }
    }

    /// The time of the next block: soon, after days, or just when a lock or a consent ends.
    pub(crate) fn time(&mut self, model: &Model, now: i64) -> i64 {
        let step = match self.dice.below(20) {
            0..6 => 1 + self.dice.below(10) as i64,
            6..13 => 1 + self.dice.below(3_600_000) as i64,
            13..15 => self.dice.amount(4 * DAY_MS),
            15 if self.dice.chance(30) => self.dice.amount(25 * DAY_MS),
            _ => {
                let mut ends: Vec<i64> = Vec::new();
                for (paper, _) in model.papers() {
                    let live = model
                        .locks(paper.key, now)
                        .into_iter()
                        .filter(|lock| lock.expires > now);
                    ends.extend(live.map(|lock| lock.expires));
                    ends.extend(
                        model
                            .last_confirmation(paper.key)
                            .map(|(_, at)| at + CONFIRMATION_MS),
                    );
                }
                ends.retain(|end| *end > now + 1);
                match ends.as_slice() {
                    [] => 1,
                    ends => self.dice.pick(ends) - now - self.dice.below(2) as i64,
                }
            }
        };
        now + step
    }

    /// The next record: new, sent again, or with an id that was used before.
    pub(crate) fn send(&mut self, model: &Model, now: i64) -> Sent {
        if !self.sent.is_empty() && self.dice.chance(6) {
            let at = self.dice.below(self.sent.len());
            return self.sent[at].clone();
        }
        let (by, op) = self.op(model, now);
        let used = self
            .sent
            .iter()
            .rev()
            .find(|sent| sent.by == by)
            .map(|sent| sent.id);
        let id = match used {
            Some(id) if self.dice.chance(4) => id,
            // Each member counts for itself, so that members use the same ids.
            Some(_) | None => self.sent.iter().filter(|sent| sent.by == by).count() as u32,
        };
        let text = text(by, id, &op);
        let sent = Sent { by, id, op, text };
        self.sent.push(sent.clone());
        sent
    }

    fn number(&mut self, family: char) -> Key {
        self.numbers += 1;
        // Every now and then a number that may be taken already.
        let taken = self.dice.chance(8);
        Key(
            family,
            if taken {
                1 + self.dice.below(self.numbers as usize) as u32
            } else {
                self.numbers
            },
        )
    }

    fn op(&mut self, model: &Model, now: i64) -> (usize, Op) {
        let papers: Vec<(Paper, usize)> = model
            .papers()
            .map(|(paper, by)| (paper.clone(), by))
            .collect();
        if papers.is_empty() || self.dice.below(100) < 14 / papers.len() {
            return self.issue(&papers, now);
        }
        let (paper, issuer) = &papers[self.dice.below(papers.len())];
        let locks = model.locks(paper.key, now);
        let document = self.name(paper.key);
        let live = locks.iter().any(|lock| lock.held > 0);
        if model.frozen(paper.key) && self.dice.chance(25) {
            return (
                TAX,
                Op::Freeze {
                    document,
                    on: false,
                },
            );
        }
        match self.dice.below(100) {
            0..34 => self.lock(model, paper, document, now),
            34..66 if !live && self.dice.chance(85) => self.lock(model, paper, document, now),
            34..62 => self.after_lock(&locks, now),
            62..72 => {
                let by = self.holder(&locks);
                (
                    by,
                    Op::Confirm {
                        document,
                        amount: self.reversal(model, paper),
                    },
                )
            }
            72..85 if !live && self.dice.chance(75) => self.lock(model, paper, document, now),
            72..85 => {
                let by = if self.dice.chance(4) {
                    OTHER_MERCHANT
                } else {
                    *issuer
                };
                let whole = self.dice.chance(10);
                let amount = self.reversal(model, paper);
                let red = self.dice.chance(15).then(|| self.number('D'));
                (
                    by,
                    Op::Reverse {
                        document,
                        amount,
                        whole,
                        red,
                    },
                )
            }
            85..87 => (
                TAX,
                Op::Freeze {
                    document,
                    on: self.dice.chance(80),
                },
            ),
            87..91 => {
                let family = if paper.is_bill() == self.dice.chance(90) {
                    'F'
                } else {
                    'P'
                };
                let alias = self.number(family);
                let alias = if alias == document {
                    Key(family, alias.1 + 1_000)
                } else {
                    alias
                };
                let by = if self.dice.chance(5) {
                    OTHER_MERCHANT
                } else {
                    *issuer
                };
                (by, Op::Alias { document, alias })
            }
            91..98 if paper.buyer.is_some() || self.dice.chance(15) => {
                let by = paper
                    .buyer
                    .filter(|_| self.dice.chance(95))
                    .unwrap_or(EMPLOYER);
                let to = self.dice.pick(&[OTHER_EMPLOYER, INSURER, EMPLOYER]);
                let to = if to == by { INSURER } else { to };
                let free = model.free_for(paper.key, by, now);
                (
                    by,
                    Op::Grant {
                        document,
                        to,
                        amount: self.around(free),
                    },
                )
            }
            _ => {
                let member = if self.dice.chance(90) {
                    *issuer
                } else {
                    EMPLOYER
                };
                let amount = self.dice.amount(60_000);
                (
                    TAX,
                    Op::Quota {
                        member,
                        month: month_of(today(now)),
                        amount,
                    },
                )
            }
        }
    }

    fn issue(&mut self, papers: &[(Paper, usize)], now: i64) -> (usize, Op) {
        if !papers.is_empty() && self.dice.chance(15) {
            let (paper, _) = &papers[self.dice.below(papers.len())];
            let mut again = paper.clone();
            again.without_tax += i64::from(self.dice.chance(50) && paper.split.is_none());
            again.tax = if paper.tax == 0 {
                0
            } else {
                (again.without_tax * 6 + 50) / 100
            };
            return self.entered(again);
        }
        let without_tax =
            self.dice.pick(&[3, 100, 1_000, 9_999, 40_000]) + self.dice.below(3) as i64;
        let day = match self.dice.below(20) {
            0 => 1,
            1 => -30,
            _ => 0,
        };
        let medical = self.dice.chance(50);
        let bill = medical && self.dice.chance(60);
        let tax = if bill {
            0
        } else {
            (without_tax * 6 + 50) / 100
        };
        let by = match medical {
            true => HOSPITAL,
            false => self.dice.pick(&[MERCHANT, MERCHANT, OTHER_MERCHANT]),
        };
        let paper = Paper {
            key: self.number(if bill { 'F' } else { 'D' }),
            issuer: by,
            buyer: (!bill && self.dice.chance(65)).then_some(EMPLOYER),
            without_tax,
            tax,
            split: medical.then(|| self.split(without_tax + tax)),
            issued_on: today(now) + day,
        };
        self.entered(paper)
    }

    /// By its issuer, or by the authority over its family for an issuer that is not connected.
    fn entered(&mut self, paper: Paper) -> (usize, Op) {
        let authority = if paper.is_bill() { FINANCE } else { TAX };
        match self.dice.chance(20) {
            true => (authority, Op::Register(paper)),
            false => (paper.issuer, Op::Issue(paper)),
        }
    }

    /// The parts may miss the total, and one another, by a fen (rules M1, M2).
    fn split(&mut self, total: i64) -> Split {
        let fund = if self.dice.chance(50) {
            0
        } else {
            self.dice.below(total as usize) as i64
        };
        let stray = self.dice.pick(&[0, 0, 0, 1, -1]);
        let borne = (total - fund + stray).max(0);
        let account = self.dice.below(borne as usize + 1) as i64;
        let self_pay = self.dice.below(borne as usize + 1) as i64;
        let nature = self.dice.pick(&[0, 0, 0, 1]);
        Split {
            fund,
            account,
            cash: borne - account,
            self_pay,
            self_fund: borne - self_pay + nature,
        }
    }

    fn lock(&mut self, model: &Model, paper: &Paper, document: Key, now: i64) -> (usize, Op) {
        let by = match paper.buyer {
            Some(buyer) if self.dice.chance(50) => buyer,
            Some(_) | None => self.dice.pick(&CLAIMANTS),
        };
        let kind = match by {
            _ if self.dice.chance(8) => self.dice.pick(ClaimKind::ALL),
            INSURER => ClaimKind::Commercial,
            HEALTH => self.dice.pick(&[ClaimKind::Basic, ClaimKind::Supplement]),
            _ => ClaimKind::Employer,
        };
        let named = if paper.split.is_some() { 45 } else { 3 };
        let component = match self.dice.chance(named) {
            true => self.dice.pick(&[Component::SelfPay, Component::SelfFund]),
            false => Component::Any,
        };
        let free = match model.component_cap(paper.key, component) {
            Some(cap) if self.dice.chance(70) => cap.min(model.free_for(paper.key, by, now)),
            Some(_) | None => model.free_for(paper.key, by, now),
        };
        let amount =
            (kind != ClaimKind::Reference && self.dice.chance(80)).then(|| self.around(free));
        let life = match self.dice.below(24) {
            0 => 0,
            1 => 30 * DAY_MS + 1,
            2 => 30 * DAY_MS,
            3 => 1,
            4..12 => self.dice.amount(3_600_000),
            _ => self.dice.amount(6 * DAY_MS),
        };
        (
            by,
            Op::Lock {
                document,
                amount,
                kind,
                component,
                expires: now + life,
            },
        )
    }

    /// Settle, release or take back: mostly by the owner, mostly what can be.
    fn after_lock(&mut self, locks: &[Lock], now: i64) -> (usize, Op) {
        let live: Vec<&Lock> = locks.iter().filter(|lock| lock.held > 0).collect();
        let any = locks.get(self.dice.below(locks.len()));
        let lock = match live.get(self.dice.below(live.len())).copied() {
            Some(live) if self.dice.chance(80) => Some(live),
            Some(_) | None => any,
        };
        let Some(lock) = lock else {
            return (EMPLOYER, Op::Release { claim: 10_000 });
        };
        let by = if self.dice.chance(6) {
            self.dice.pick(&CLAIMANTS)
        } else {
            lock.by
        };
        let claim = lock.id;
        match self.dice.below(20) {
            0..12 => {
                let booked_on = today(now) + i32::from(self.dice.chance(4));
                let amount = if self.dice.chance(50) {
                    lock.amount.max(1)
                } else {
                    self.around(lock.amount)
                };
                (
                    by,
                    Op::Settle {
                        claim,
                        amount,
                        booked_on,
                    },
                )
            }
            12..15 => (by, Op::Release { claim }),
            _ => (
                by,
                Op::TakeBack {
                    claim,
                    amount: self.around(lock.held),
                },
            ),
        }
    }

    fn holder(&mut self, locks: &[Lock]) -> usize {
        let holders: Vec<usize> = locks
            .iter()
            .filter(|lock| lock.held > 0)
            .map(|lock| lock.by)
            .collect();
        match holders.as_slice() {
            [] => self.dice.pick(&CLAIMANTS),
            _ if self.dice.chance(8) => self.dice.pick(&CLAIMANTS),
            holders => self.dice.pick(holders),
        }
    }

    /// An amount to reverse: what was confirmed last, the whole, or a part.
    fn reversal(&mut self, model: &Model, paper: &Paper) -> i64 {
        match model.last_confirmation(paper.key) {
            Some((amount, _)) if self.dice.chance(75) => amount,
            _ if (paper.is_bill() && self.dice.chance(80)) || self.dice.chance(15) => paper.total(),
            Some(_) | None => self.around(paper.total() * 2 / 3),
        }
    }

    /// Exactly so much, a fen more, or any part of it; never nothing.
    fn around(&mut self, most: i64) -> i64 {
        match self.dice.below(10) {
            0..3 => most.max(1),
            3 => most + 1,
            _ => self.dice.amount(most),
        }
    }

    /// A number of the document: its own, one that may be its alias, or any.
    fn name(&mut self, key: Key) -> Key {
        match self.dice.below(25) {
            0 | 1 => Key(
                self.dice.pick(&['P', 'F', 'D']),
                1 + self.dice.below(self.numbers as usize) as u32,
            ),
            _ => key,
        }
    }
}

//! The claim rules a second time, naively: plain vectors of what was accepted, every sum taken anew
//! from the whole history. Nothing is kept up to date, so nothing can get out of date.

use invoice_core::record::{ClaimKind, Component};

use crate::common::{EMPLOYER, FINANCE, HEALTH, INSURER, OTHER_EMPLOYER, TAX};
use crate::records::{Key, Op, Paper};

pub(crate) const DAY_MS: i64 = 86_400_000;

/// The answer that is due to a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// With the facts of the outcome, sorted by name.
    Accepted(Vec<(&'static str, String)>),
    Refused(&'static str),
    Replayed {
        index: u64,
        accepted: bool,
    },
    IdReused,
    Forbidden(&'static str),
    Aborted,
}

/// An accepted record: `document` by its own key, `amount` as it was decided.
#[derive(Clone, Debug)]
struct Done {
    at: i64,
    by: usize,
    id: u32,
    document: Option<Key>,
    amount: i64,
    op: Op,
}

/// A record that has an answer on the chain.
#[derive(Clone, Debug)]
struct Known {
    by: usize,
    id: u32,
    text: String,
    index: u64,
    accepted: bool,
}

/// How a lock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Live,
    Released,
    Expired,
    Settled,
}

/// A lock and what became of it.
pub(crate) struct Lock {
    pub(crate) by: usize,
    pub(crate) id: u32,
    pub(crate) document: Key,
    pub(crate) kind: ClaimKind,
    pub(crate) component: Component,
    pub(crate) amount: i64,
    pub(crate) expires: i64,
    /// Live or settled money.
    pub(crate) held: i64,
    settled: i64,
    status: Status,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    done: Vec<Done>,
    known: Vec<Known>,
    next_index: u64,
}

type Facts = Vec<(&'static str, String)>;

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

/// Day and month (counted from year 0) in UTC+8.
pub(crate) fn today(at: i64) -> i32 {
    ((at + 8 * 3_600_000) / DAY_MS) as i32
}

pub(crate) fn month_of(day: i32) -> i32 {
    use chrono::Datelike as _;
    let date = chrono::NaiveDate::from_epoch_days(day).expect("a date");
    date.year() * 12 + date.month0() as i32
}

impl Model {
    /// Decides a record and remembers the answer.
    pub(crate) fn submit(&mut self, now: i64, by: usize, id: u32, text: &str, op: &Op) -> Answer {
        let known = self
            .known
            .iter()
            .find(|known| (known.by, known.id) == (by, id));
        if let Some(Known {
            index,
            accepted,
            text: first,
            ..
        }) = known
        {
            if first == text {
                return Answer::Replayed {
                    index: *index,
                    accepted: *accepted,
                };
            }
        }
        if let Some(code) = forbidden(by, op) {
            return Answer::Forbidden(code);
        }
        if known.is_some() {
            return Answer::IdReused;
        }
        let decided = self.decide(now, by, op);
        self.remember(by, id, text, decided.is_ok());
        match decided {
            Ok((document, amount, facts)) => {
                self.done.push(Done {
                    at: now,
                    by,
                    id,
                    document,
                    amount,
                    op: op.clone(),
                });
                Answer::Accepted(facts)
            }
            Err(code) => Answer::Refused(code),
        }
    }

    /// Decides a batch of which all are accepted or none.
    pub(crate) fn submit_atomic(
        &mut self,
        now: i64,
        batch: &[(usize, u32, &str, &Op)],
    ) -> Vec<Answer> {
        let mut trial = self.clone();
        let answers: Vec<_> = batch
            .iter()
            .map(|(by, id, text, op)| trial.submit(now, *by, *id, text, op))
            .collect();
        let good = |answer: &Answer| {
            matches!(
                answer,
                Answer::Accepted(_) | Answer::Replayed { accepted: true, .. }
            )
        };
        if answers.iter().all(good) {
            *self = trial;
            return answers;
        }
        let traces = answers
            .iter()
            .all(|a| good(a) || matches!(a, Answer::Refused(_)));
        batch
            .iter()
            .zip(answers)
            .map(|((by, id, text, _), answer)| {
                let earlier = self.known.iter().find(|k| (k.by, k.id) == (*by, *id));
                match (answer, earlier) {
                    (
                        Answer::Replayed { .. },
                        Some(Known {
                            index, accepted, ..
                        }),
                    ) => Answer::Replayed {
                        index: *index,
                        accepted: *accepted,
                    },
                    (Answer::Accepted(_) | Answer::Refused(_) | Answer::Replayed { .. }, _)
                        if !traces =>
                    {
                        Answer::Aborted
                    }
                    (Answer::Refused(code), _) => {
                        self.remember(*by, *id, text, false);
                        Answer::Refused(code)
                    }
                    (Answer::Accepted(_) | Answer::Replayed { .. }, _) => {
                        self.remember(*by, *id, text, false);
                        Answer::Refused("batch_aborted")
                    }
                    (other @ (Answer::IdReused | Answer::Forbidden(_) | Answer::Aborted), _) => {
                        other
                    }
                }
            })
            .collect()
    }

    fn remember(&mut self, by: usize, id: u32, text: &str, accepted: bool) {
        let index = self.next_index;
        self.next_index += 1;
        self.known.push(Known {
            by,
            id,
            text: text.to_owned(),
            index,
            accepted,
        });
    }

    #[allow(
        clippy::type_complexity,
        reason = "document, amount and facts, used once"
    )]
    fn decide(
        &self,
        now: i64,
        by: usize,
        op: &Op,
    ) -> Result<(Option<Key>, i64, Facts), &'static str> {
        match op {
            Op::Issue(paper) => self.issue(now, by, paper),
            Op::Quota { member, amount, .. } => {
                let issues = !matches!(
                    *member,
                    TAX | FINANCE | HEALTH | EMPLOYER | OTHER_EMPLOYER | INSURER
                );
                ensure(issues, "member_not_issuer")?;
                Ok((None, *amount, vec![]))
            }
            Op::Freeze { document, on } => {
                let (key, ..) = self.find(*document)?;
                let already = if *on {
                    "document_already_frozen"
                } else {
                    "document_not_frozen"
                };
                ensure(self.frozen(key) != *on, already)?;
                Ok((Some(key), 0, vec![]))
            }
            Op::Alias { document, alias } => self.alias(now, by, *document, *alias),
            Op::Grant {
                document, amount, ..
            } => {
                let (key, paper, _, red) = self.find(*document)?;
                ensure(paper.buyer == Some(by), "not_buyer")?;
                self.open(key, paper, red)?;
                ensure(
                    *amount <= self.free_for(key, by, now),
                    "share_exceeds_remaining",
                )?;
                Ok((Some(key), *amount, vec![]))
            }
            Op::Confirm { document, amount } => {
                let (key, paper, ..) = self.find(*document)?;
                let holds = self
                    .locks(key, now)
                    .iter()
                    .any(|lock| lock.by == by && lock.held > 0);
                ensure(holds, "nothing_to_confirm")?;
                let left = paper.total() - self.reversed(key);
                ensure(*amount <= left, "reversal_exceeds_remaining")?;
                Ok((Some(key), *amount, vec![]))
            }
            Op::Reverse {
                document,
                amount,
                whole,
                red,
            } => self.reverse(now, by, *document, *amount, *whole, *red),
            Op::Lock {
                document,
                amount,
                kind,
                component,
                expires,
            } => self.lock(now, by, *document, *amount, *kind, *component, *expires),
            Op::Settle {
                claim,
                amount,
                booked_on,
            } => {
                let lock = self.own_claim(by, *claim, now)?;
                ensure(!self.frozen(lock.document), "document_frozen")?;
                lock.ensure_live()?;
                ensure(*booked_on <= today(now), "booked_in_future")?;
                ensure(*amount <= lock.amount, "settle_exceeds_lock")?;
                Ok((
                    Some(lock.document),
                    *amount,
                    vec![("freed", yuan(lock.amount - amount))],
                ))
            }
            Op::Release { claim } => {
                let lock = self.own_claim(by, *claim, now)?;
                lock.ensure_live()?;
                Ok((Some(lock.document), lock.amount, vec![]))
            }
            Op::TakeBack { claim, amount } => {
                let lock = self.own_claim(by, *claim, now)?;
                lock.ensure_money()?;
                ensure(lock.status == Status::Settled, "claim_not_settled")?;
                ensure(lock.settled > 0, "claim_reversed")?;
                ensure(*amount <= lock.settled, "reverse_exceeds_settlement")?;
                Ok((
                    Some(lock.document),
                    *amount,
                    vec![("settled", yuan(lock.settled - amount))],
                ))
            }
        }
    }

    #[allow(
        clippy::type_complexity,
        reason = "document, amount and facts, used once"
    )]
    fn issue(
        &self,
        now: i64,
        by: usize,
        paper: &Paper,
    ) -> Result<(Option<Key>, i64, Facts), &'static str> {
        if let Ok((key, known, issuer, _)) = self.find(paper.key) {
            ensure(key == paper.key, "identity_taken")?;
            return Err(if (known, issuer) == (paper, by) {
                "document_exists"
            } else {
                "document_conflict"
            });
        }
        ensure(paper.issued_on <= today(now), "issue_date_in_future")?;
        let month = month_of(paper.issued_on);
        let limit = self.done.iter().rev().find_map(|done| match &done.op {
            Op::Quota {
                member,
                month: of,
                amount,
            } if (*member, *of) == (by, month) => Some(*amount),
            _ => None,
        });
        let quota = limit.filter(|_| !paper.is_bill());
        ensure(
            quota.is_none_or(|limit| self.used(by, month) + paper.without_tax <= limit),
            "quota_exceeded",
        )?;
        Ok((Some(paper.key), paper.total(), vec![]))
    }

    /// What the documents of a month used of their issuer's quota, less what reversals restored.
    fn used(&self, issuer: usize, month: i32) -> i64 {
        let of_month = self
            .done
            .iter()
            .filter(|done| done.by == issuer)
            .filter_map(|done| match &done.op {
                Op::Issue(paper) if !paper.is_bill() && month_of(paper.issued_on) == month => {
                    Some(paper)
                }
                _ => None,
            });
        of_month
            .map(|paper| paper.without_tax - self.restored(paper, month))
            .sum()
    }

    /// Rounded down for each part; the whole comes back with the last one.
    fn restored(&self, paper: &Paper, month: i32) -> i64 {
        let (mut reversed, mut restored) = (0, 0);
        for done in self.reversals(paper.key) {
            reversed += done.amount;
            if month_of(today(done.at)) == month {
                restored = if reversed == paper.total() {
                    paper.without_tax
                } else {
                    restored + done.amount * paper.without_tax / paper.total()
                };
            }
        }
        restored
    }

    #[allow(
        clippy::type_complexity,
        reason = "document, amount and facts, used once"
    )]
    fn alias(
        &self,
        now: i64,
        by: usize,
        document: Key,
        alias: Key,
    ) -> Result<(Option<Key>, i64, Facts), &'static str> {
        ensure(self.find(alias).is_err(), "identity_taken")?;
        let (key, paper, issuer, red) = self.find(document)?;
        ensure(issuer == by, "not_issuer")?;
        ensure(
            !red && self.reversed(key) < paper.total(),
            "document_reversed",
        )?;
        ensure(
            matches!((key.0, alias.0), ('D', 'P') | ('F', 'F')),
            "alias_not_applicable",
        )?;
        let held = self.locks(key, now).iter().any(|lock| lock.held > 0);
        ensure(!(paper.is_bill() && held), "document_in_use")?;
        ensure(self.aliases(key) < 4, "too_many_aliases")?;
        Ok((Some(key), 0, vec![]))
    }

    #[allow(
        clippy::type_complexity,
        reason = "document, amount and facts, used once"
    )]
    fn reverse(
        &self,
        now: i64,
        by: usize,
        document: Key,
        amount: i64,
        whole: bool,
        red: Option<Key>,
    ) -> Result<(Option<Key>, i64, Facts), &'static str> {
        ensure(
            red.is_none_or(|red| self.find(red).is_err()),
            "identity_taken",
        )?;
        let (key, paper, issuer, is_red) = self.find(document)?;
        ensure(issuer == by, "not_issuer")?;
        let reversed = self.reversed(key);
        ensure(!is_red && reversed < paper.total(), "document_reversed")?;
        let must = whole || paper.is_bill();
        ensure(
            !must || (amount, reversed) == (paper.total(), 0),
            "reversal_must_be_whole",
        )?;
        ensure(
            amount <= paper.total() - reversed,
            "reversal_exceeds_remaining",
        )?;
        let locks = self.locks(key, now);
        let unconfirmed = locks
            .iter()
            .any(|lock| lock.held > 0 && !self.confirmed(key, lock.by, amount, now));
        ensure(!unconfirmed, "reversal_not_confirmed")?;
        let settled: i64 = locks.iter().map(|lock| lock.settled).sum();
        let (before, after) = (
            claimable(paper) - reversed,
            claimable(paper) - reversed - amount,
        );
        let mut facts = vec![("remaining", yuan(paper.total() - reversed - amount))];
        if settled <= before.max(0) && settled > after.max(0) {
            facts.insert(0, ("over_claimed", yuan(settled - after.max(0))));
        }
        Ok((Some(key), amount, facts))
    }

    /// Whether the member's last word on the document is a consent to this amount, given since the
    /// last reversal and within 72 h.
    fn confirmed(&self, key: Key, by: usize, amount: i64, now: i64) -> bool {
        let last = self
            .done
            .iter()
            .rev()
            .filter(|done| done.document == Some(key))
            .find_map(|done| match done.op {
                Op::Reverse { .. } => Some(None),
                Op::Confirm { .. } if done.by == by => Some(Some(done)),
                _ => None,
            });
        last.flatten()
            .is_some_and(|done| done.amount == amount && now - done.at < 72 * 3_600_000)
    }

    #[allow(
        clippy::type_complexity,
        reason = "document, amount and facts, used once"
    )]
    #[allow(clippy::too_many_arguments, reason = "the members of a lock")]
    fn lock(
        &self,
        now: i64,
        by: usize,
        document: Key,
        amount: Option<i64>,
        kind: ClaimKind,
        component: Component,
        expires: i64,
    ) -> Result<(Option<Key>, i64, Facts), &'static str> {
        let (key, paper, _, red) = self.find(document)?;
        self.open(key, paper, red)?;
        let on_paper = paper.is_bill() && self.aliases(key) > 0 && document == key;
        ensure(!on_paper, "reissued_on_paper")?;
        let entitled = paper
            .buyer
            .is_none_or(|buyer| buyer == by || self.share(key, by) > 0);
        ensure(entitled, "claimant_not_entitled")?;
        let medical = matches!(kind, ClaimKind::Basic | ClaimKind::Supplement);
        ensure(
            !medical || paper.split.is_some(),
            "claim_kind_not_applicable",
        )?;
        let direct = paper.split.is_some_and(|split| split.fund > 0);
        ensure(!(kind == ClaimKind::Basic && direct), "directly_settled")?;
        ensure(
            component == Component::Any || paper.split.is_some(),
            "component_not_applicable",
        )?;
        ensure(
            now < expires && expires <= now + 30 * DAY_MS,
            "expiry_out_of_range",
        )?;
        if kind == ClaimKind::Reference {
            return Ok((Some(key), 0, vec![("amount", yuan(0))]));
        }
        if self.free(key, now) == 0 {
            let live = self
                .locks(key, now)
                .iter()
                .any(|lock| lock.held > lock.settled);
            return Err(if live {
                "already_locked"
            } else {
                "already_claimed"
            });
        }
        let mine = self.free_for(key, by, now);
        let of_component = mine.min(self.component_free(key, component, now));
        let amount = amount.unwrap_or(of_component);
        ensure(mine > 0 && amount <= mine, "claim_exceeds_remaining")?;
        ensure(
            of_component > 0 && amount <= of_component,
            "component_exceeded",
        )?;
        let basic = self
            .locks(key, now)
            .iter()
            .any(|lock| lock.kind == ClaimKind::Basic && lock.held > 0);
        let mut facts = vec![("amount", yuan(amount))];
        if paper.split.is_some() && !direct && !basic && kind != ClaimKind::Basic {
            facts.push(("priority_skipped", "true".into()));
        }
        Ok((Some(key), amount, facts))
    }

    /// A document that takes locks and shares: not frozen, not reversed, not over-claimed.
    fn open(&self, key: Key, paper: &Paper, red: bool) -> Result<(), &'static str> {
        ensure(!self.frozen(key), "document_frozen")?;
        ensure(
            !red && self.reversed(key) < paper.total(),
            "document_reversed",
        )?;
        let settled: i64 = self
            .locks(key, i64::MAX)
            .iter()
            .map(|lock| lock.settled)
            .sum();
        ensure(settled <= self.capacity(key), "document_over_claimed")
    }

    /// The document's own key, its content and issuer, and whether a red letter's number was given.
    fn find(&self, number: Key) -> Result<(Key, &Paper, usize, bool), &'static str> {
        let mut target = (number, false);
        for done in &self.done {
            match (&done.op, done.document) {
                (Op::Alias { alias, .. }, Some(own)) if *alias == number => target = (own, false),
                (Op::Reverse { red: Some(red), .. }, Some(own)) if *red == number => {
                    target = (own, true)
                }
                _ => {}
            }
        }
        let found = self.done.iter().find_map(|done| match &done.op {
            Op::Issue(paper) if paper.key == target.0 => Some((target.0, paper, done.by, target.1)),
            _ => None,
        });
        found.ok_or("document_unknown")
    }

    fn reversals(&self, key: Key) -> impl Iterator<Item = &Done> {
        let of =
            move |done: &&Done| done.document == Some(key) && matches!(done.op, Op::Reverse { .. });
        self.done.iter().filter(of)
    }

    fn reversed(&self, key: Key) -> i64 {
        self.reversals(key).map(|done| done.amount).sum()
    }

    pub(crate) fn frozen(&self, key: Key) -> bool {
        let last = self.done.iter().rev().find_map(|done| match done.op {
            Op::Freeze { on, .. } if done.document == Some(key) => Some(on),
            _ => None,
        });
        last.unwrap_or(false)
    }

    fn aliases(&self, key: Key) -> usize {
        let of = |done: &&Done| done.document == Some(key) && matches!(done.op, Op::Alias { .. });
        self.done.iter().filter(of).count()
    }

    /// What of a document can be claimed at all.
    pub(crate) fn capacity(&self, key: Key) -> i64 {
        let stated = self.find(key).map_or(0, |(_, paper, ..)| claimable(paper));
        (stated - self.reversed(key)).max(0)
    }

    /// Capacity less everything that is held.
    pub(crate) fn free(&self, key: Key, now: i64) -> i64 {
        (self.capacity(key) - self.held(key, now, |_| true)).max(0)
    }

    /// Money of the document that claims hold.
    pub(crate) fn held(&self, key: Key, now: i64, of: impl Fn(&Lock) -> bool) -> i64 {
        self.locks(key, now)
            .iter()
            .filter(|lock| of(lock))
            .map(|lock| lock.held)
            .sum()
    }

    fn component_free(&self, key: Key, component: Component, now: i64) -> i64 {
        match (component, self.component_cap(key, component)) {
            (Component::SelfPay | Component::SelfFund, Some(cap)) => {
                (cap - self.held(key, now, |lock| lock.component == component)).max(0)
            }
            _ => i64::MAX,
        }
    }

    /// The part of the patient's burden that a component names.
    pub(crate) fn component_cap(&self, key: Key, component: Component) -> Option<i64> {
        let split = self.find(key).ok()?.1.split?;
        match component {
            Component::Any => None,
            Component::SelfPay => Some(split.self_pay),
            Component::SelfFund => Some(split.self_fund),
        }
    }

    /// What a member may hold on the document at most: `None` when only the capacity limits it.
    pub(crate) fn allowance(&self, key: Key, by: usize) -> Option<i64> {
        let buyer = self.find(key).ok()?.1.buyer?;
        let granted: i64 = (0..9).map(|to| self.share(key, to)).sum();
        Some(if buyer == by {
            self.capacity(key) - granted
        } else {
            self.share(key, by)
        })
    }

    /// What a member could lock now.
    pub(crate) fn free_for(&self, key: Key, by: usize, now: i64) -> i64 {
        let free = self.free(key, now);
        let own = self.held(key, now, |lock| lock.by == by);
        self.allowance(key, by)
            .map_or(free, |allowance| (allowance - own).clamp(0, free))
    }

    fn share(&self, key: Key, holder: usize) -> i64 {
        let granted = self.done.iter().filter_map(|done| match done.op {
            Op::Grant { to, amount, .. } if done.document == Some(key) && to == holder => {
                Some(amount)
            }
            _ => None,
        });
        granted.sum()
    }

    fn own_claim(&self, by: usize, claim: u32, now: i64) -> Result<Lock, &'static str> {
        let at = self.done.iter().position(|done| {
            (done.by, done.id) == (by, claim) && matches!(done.op, Op::Lock { .. })
        });
        at.and_then(|at| self.lock_at(at, now))
            .ok_or("claim_not_found")
    }

    /// Every lock on the document that was ever accepted, as it stands now.
    pub(crate) fn locks(&self, key: Key, now: i64) -> Vec<Lock> {
        let of = |at: &usize| self.done[*at].document == Some(key);
        (0..self.done.len())
            .filter(of)
            .filter_map(|at| self.lock_at(at, now))
            .collect()
    }

    /// A lock's story, told from its first record to now.
    fn lock_at(&self, at: usize, now: i64) -> Option<Lock> {
        let first = &self.done[at];
        let Op::Lock {
            kind,
            component,
            expires,
            ..
        } = first.op
        else {
            return None;
        };
        let (mut status, mut settled) = (Status::Live, 0);
        for done in &self.done[at + 1..] {
            let mine = |claim: u32| done.by == first.by && claim == first.id;
            match done.op {
                Op::Settle { claim, amount, .. } if mine(claim) => {
                    (status, settled) = (Status::Settled, amount)
                }
                Op::Release { claim } if mine(claim) => status = Status::Released,
                Op::TakeBack { claim, amount } if mine(claim) => settled -= amount,
                Op::Reverse { .. }
                    if done.document == first.document
                        && status == Status::Live
                        && done.at < expires =>
                {
                    status = Status::Released;
                }
                _ => {}
            }
        }
        if status == Status::Live && now >= expires {
            status = Status::Expired;
        }
        let held = if status == Status::Live {
            first.amount
        } else {
            settled
        };
        let (by, id, document) = (first.by, first.id, first.document?);
        Some(Lock {
            by,
            id,
            document,
            kind,
            component,
            amount: first.amount,
            expires,
            held,
            settled,
            status,
        })
    }

    /// The documents, oldest first, with their issuers.
    pub(crate) fn papers(&self) -> impl Iterator<Item = (&Paper, usize)> {
        self.done.iter().filter_map(|done| match &done.op {
            Op::Issue(paper) => Some((paper, done.by)),
            _ => None,
        })
    }

    /// The document that an accepted record is about, by its own key.
    pub(crate) fn document_of(&self, by: usize, id: u32) -> Option<Key> {
        self.done
            .iter()
            .find(|done| (done.by, done.id) == (by, id))?
            .document
    }

    /// What was last confirmed about a document, and when.
    pub(crate) fn last_confirmation(&self, key: Key) -> Option<(i64, i64)> {
        let of = |done: &&Done| done.document == Some(key) && matches!(done.op, Op::Confirm { .. });
        self.done
            .iter()
            .rev()
            .find(of)
            .map(|done| (done.amount, done.at))
    }
}

impl Lock {
    fn ensure_money(&self) -> Result<(), &'static str> {
        ensure(self.kind != ClaimKind::Reference, "claim_is_reference")
    }

    fn ensure_live(&self) -> Result<(), &'static str> {
        self.ensure_money()?;
        match self.status {
            Status::Live => Ok(()),
            Status::Released => Err("claim_released"),
            Status::Expired => Err("claim_expired"),
            Status::Settled => Err("claim_already_settled"),
        }
    }
}

/// What the document states, or the patient bore.
fn claimable(paper: &Paper) -> i64 {
    paper.split.map_or(paper.total(), |split| {
        (split.account + split.cash).min(paper.total())
    })
}

/// Static rights of the members that the histories use.
fn forbidden(by: usize, op: &Op) -> Option<&'static str> {
    let Op::Lock { kind, .. } = op else {
        return None;
    };
    let kinds: &[ClaimKind] = match by {
        EMPLOYER | OTHER_EMPLOYER => &[ClaimKind::Employer, ClaimKind::Reference],
        INSURER => &[ClaimKind::Commercial, ClaimKind::Reference],
        HEALTH => &[
            ClaimKind::Basic,
            ClaimKind::Supplement,
            ClaimKind::Reference,
        ],
        _ => return Some("role_missing"),
    };
    (!kinds.contains(kind)).then_some("claim_kind_not_allowed")
}

fn ensure(holds: bool, code: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(code) }
}

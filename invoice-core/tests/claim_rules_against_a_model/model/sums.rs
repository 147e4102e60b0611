//! What the history adds up to: every sum from its first record on.

use invoice_core::record::Component;

use super::{Done, Lock, Model, Status, claimable, month_of, today};
use crate::records::{Key, Op, Paper};

impl Model {
    /// What the documents of a month used of their issuer's quota, less what reversals restored.
    pub(super) fn used(&self, issuer: usize, month: i32) -> i64 {
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
    pub(super) fn restored(&self, paper: &Paper, month: i32) -> i64 {
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

    /// The document's own key, its content and issuer, and whether a red letter's number was given.
    pub(super) fn find(&self, number: Key) -> Result<(Key, &Paper, usize, bool), &'static str> {
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
            Op::Issue(paper) | Op::Register(paper) if paper.key == target.0 => {
                Some((target.0, paper, done.by, target.1))
            }
            _ => None,
        });
        found.ok_or("document_unknown")
    }

    pub(super) fn reversals(&self, key: Key) -> impl Iterator<Item = &Done> {
        let of =
            move |done: &&Done| done.document == Some(key) && matches!(done.op, Op::Reverse { .. });
        self.done.iter().filter(of)
    }

    pub(super) fn reversed(&self, key: Key) -> i64 {
        self.reversals(key).map(|done| done.amount).sum()
    }

    pub(crate) fn frozen(&self, key: Key) -> bool {
        let last = self.done.iter().rev().find_map(|done| match done.op {
            Op::Freeze { on, .. } if done.document == Some(key) => Some(on),
            _ => None,
        });
        last.unwrap_or(false)
    }

    pub(super) fn aliases(&self, key: Key) -> usize {
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

    pub(super) fn component_free(&self, key: Key, component: Component, now: i64) -> i64 {
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

    pub(super) fn share(&self, key: Key, holder: usize) -> i64 {
        let granted = self.done.iter().filter_map(|done| match done.op {
            Op::Grant { to, amount, .. } if done.document == Some(key) && to == holder => {
                Some(amount)
            }
            _ => None,
        });
        granted.sum()
    }

    pub(super) fn own_claim(&self, by: usize, claim: u32, now: i64) -> Result<Lock, &'static str> {
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
    pub(super) fn lock_at(&self, at: usize, now: i64) -> Option<Lock> {
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

    /// The documents, oldest first, with who answers for them: the issuer, or the authority that
    /// registered them.
    pub(crate) fn papers(&self) -> impl Iterator<Item = (&Paper, usize)> {
        self.done.iter().filter_map(|done| match &done.op {
            Op::Issue(paper) | Op::Register(paper) => Some((paper, done.by)),
            _ => None,
        })
    }

    /// Whether the document was issued elsewhere.
    pub(super) fn registered(&self, key: Key) -> bool {
        let entered = |done: &Done| matches!(&done.op, Op::Register(paper) if paper.key == key);
        self.done.iter().any(entered)
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

//! Each kind of record: its rules in the order of the catalogue.

use invoice_core::record::{ClaimKind, Component};

use super::{DAY_MS, Decision, Model, Status, claimable, ensure, month_of, today, yuan};
use crate::common::{EMPLOYER, FINANCE, HEALTH, INSURER, OTHER_EMPLOYER, TAX};
use crate::records::{Key, Op, Paper};

impl Model {
    pub(super) fn decide(&self, now: i64, by: usize, op: &Op) -> Decision {
        match op {
            Op::Issue(paper) => self.issue(now, by, paper),
            Op::Register(paper) => self.enter(now, paper),
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

    /// What issuing and registering have in common: what is entered already is not entered again,
    /// whoever entered it and however.
    fn enter(&self, now: i64, paper: &Paper) -> Decision {
        if let Ok((key, known, ..)) = self.find(paper.key) {
            ensure(key == paper.key, "identity_taken")?;
            return Err(if known == paper {
                "document_exists"
            } else {
                "document_conflict"
            });
        }
        ensure(paper.issued_on <= today(now), "issue_date_in_future")?;
        Ok((Some(paper.key), paper.total(), vec![]))
    }

    fn issue(&self, now: i64, by: usize, paper: &Paper) -> Decision {
        let entered = self.enter(now, paper)?;
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
        Ok(entered)
    }

    fn alias(&self, now: i64, by: usize, document: Key, alias: Key) -> Decision {
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
        let here = paper.is_bill() && !self.registered(key);
        ensure(!(here && held), "document_in_use")?;
        ensure(self.aliases(key) < 4, "too_many_aliases")?;
        Ok((Some(key), 0, vec![]))
    }

    fn reverse(
        &self,
        now: i64,
        by: usize,
        document: Key,
        amount: i64,
        whole: bool,
        red: Option<Key>,
    ) -> Decision {
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
        ensure(
            self.registered(key) || !unconfirmed,
            "reversal_not_confirmed",
        )?;
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
    ) -> Decision {
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
}

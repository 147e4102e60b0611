//! Attempts, over-claims and late reversals one by one; pairs.

use invoice_core::calendar::Instant;

use super::{Figures, PAGE_MAX, Read};
use crate::codec::{member, part, u64_at};
use crate::fold::FoldError;
use crate::keys::{self, ATTEMPT, LATE, OVER_LOG, PAIR, PAIR_RANK, Total};
use crate::row::{Incident, Pair};
use crate::rows::Rows;
use crate::views::{HolderView, IncidentView, IncidentsPage, PairView, PairsPage};

/// Which incidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncidentKind {
    /// Claims that were refused while others held money on the document.
    Attempts,
    /// Settlements beyond what a reversal left.
    OverClaims,
    /// Reversals of what was claimed.
    LateReversals,
}

impl<R: Rows> Figures<'_, R> {
    /// A page of incidents, the newest first; `None` when the cursor is none of this list.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn incidents(
        &self,
        kind: IncidentKind,
        cursor: Option<&[u8]>,
        limit: usize,
    ) -> Read<R, Option<IncidentsPage>> {
        let (space, total) = match kind {
            IncidentKind::Attempts => (ATTEMPT, Total::Attempted),
            IncidentKind::OverClaims => (OVER_LOG, Total::Over),
            IncidentKind::LateReversals => (LATE, Total::Late),
        };
        let to = match cursor.map(<[u8; 8]>::try_from) {
            None => keys::after(&[space]),
            Some(Ok(index)) => keys::key(space, &[&index]),
            Some(Err(_)) => return Ok(None),
        };
        let limit = limit.clamp(1, PAGE_MAX);
        let rows = self.rows.scan(&[space], &to, true, limit);
        let rows = rows.map_err(FoldError::Rows)?;
        let next = match rows.last() {
            Some((key, _)) if rows.len() >= limit => Some(hex::encode(part(key, 1, 8)?)),
            Some(_) | None => None,
        };
        let mut incidents = Vec::new();
        for (key, value) in rows {
            incidents.push(view(kind, u64_at(&key, 1)?, Incident::decode(&value)?));
        }
        Ok(Some(IncidentsPage {
            as_of: self.basis(),
            incidents,
            total: self.total(total)?,
            next,
        }))
    }

    /// One attempt.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn attempt(&self, index: u64) -> Read<R, Option<IncidentView>> {
        let row = self.rows.get(&keys::by_index(ATTEMPT, index));
        let row = row.map_err(FoldError::Rows)?;
        let incident = row.as_deref().map(Incident::decode).transpose()?;
        let view = |incident| view(IncidentKind::Attempts, index, incident);
        Ok(incident.map(view))
    }

    /// A page of pairs, those with the most attempts first; `None` when the cursor is none of this
    /// list.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn pairs(&self, cursor: Option<&[u8]>, limit: usize) -> Read<R, Option<PairsPage>> {
        let limit = limit.clamp(1, PAGE_MAX);
        let from = match cursor.map(<[u8; 44]>::try_from) {
            None => vec![PAIR_RANK],
            Some(Ok(place)) => keys::key(PAIR_RANK, &[&place, &[0]]),
            Some(Err(_)) => return Ok(None),
        };
        let rows = self
            .rows
            .scan(&from, &keys::after(&[PAIR_RANK]), false, limit);
        let rows = rows.map_err(FoldError::Rows)?;
        let next = match rows.last() {
            Some((key, _)) if rows.len() >= limit => Some(hex::encode(part(key, 1, 44)?)),
            Some(_) | None => None,
        };
        let mut pairs = Vec::new();
        for (key, _) in rows {
            let (tried, held) = (part(&key, 9, 18)?, part(&key, 27, 18)?);
            let row = self.rows.get(&keys::key(PAIR, &[tried, held]));
            let row = row.map_err(FoldError::Rows)?;
            let pair = Pair::decode(row.as_deref().unwrap_or_default())?;
            pairs.push(PairView {
                tried: member(tried)?.into(),
                held: member(held)?.into(),
                sum: pair.tally.into(),
                last: pair.last,
            });
        }
        Ok(Some(PairsPage {
            as_of: self.basis(),
            pairs,
            next,
        }))
    }
}

fn view(kind: IncidentKind, index: u64, incident: Incident) -> IncidentView {
    let holder = |(member, holding): (_, crate::row::Holding)| HolderView {
        member: crate::views::Named::from(member),
        locked: holding.locked,
        settled: holding.settled,
    };
    IncidentView {
        height: incident.height,
        index,
        time: Instant::from_ms(incident.time_ms),
        by: incident.by.into(),
        id: incident.id,
        document: incident.document,
        amount: incident.amount,
        largest: (kind == IncidentKind::OverClaims).then_some(incident.largest),
        code: (!incident.code.is_empty()).then_some(incident.code),
        holders_count: incident.holders.number,
        holders: incident.holders.named.into_iter().map(holder).collect(),
        cleared_by: incident.cleared,
    }
}

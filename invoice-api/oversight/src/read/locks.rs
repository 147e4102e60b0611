//! Live locks, by age.

use invoice_core::calendar::Instant;

use super::{Figures, PAGE_MAX, Read};
use crate::codec::{part, u32_at};
use crate::fold::{FoldError, claim_of};
use crate::keys::{self, LOCK_DAY, LOCK_ORDER, Level};
use crate::row::{Lock, Tally};
use crate::rows::Rows;
use crate::views::{AgeBucket, LockView, LocksPage, Sum};

/// The ages of locks in days: from each to below the next.
const AGES: [u32; 6] = [0, 1, 3, 7, 14, 21];
/// Days with live locks that are read: a lock lives at most 30.
const LOCK_DAYS_MAX: usize = 100;

impl<R: Rows> Figures<'_, R> {
    /// A page of live locks of an age, the oldest first, and all of them by age; `None` when the
    /// cursor is none of this list.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn locks(
        &self,
        age: Option<(u32, Option<u32>)>,
        cursor: Option<&[u8]>,
        limit: usize,
    ) -> Read<R, Option<LocksPage>> {
        let limit = limit.clamp(1, PAGE_MAX);
        // An age is a number of calendar days before that of the last block.
        let today = Level::Day.bucket(self.time_ms());
        let before = |days: u32| match today.checked_sub(days) {
            Some(day) => keys::key(LOCK_ORDER, &[&day.saturating_add(1).to_be_bytes()]),
            None => vec![LOCK_ORDER],
        };
        let (youngest, oldest) = age.unwrap_or((0, None));
        let to = match youngest {
            0 => keys::after(&[LOCK_ORDER]),
            youngest => before(youngest),
        };
        let mut from = oldest.map_or_else(|| vec![LOCK_ORDER], before);
        match cursor.map(<[u8; 12]>::try_from) {
            None => {}
            Some(Ok(place)) => from = keys::key(LOCK_ORDER, &[&place, &[0]]).max(from),
            Some(Err(_)) => return Ok(None),
        }
        let rows = self.rows.scan(&from, &to, false, limit);
        let rows = rows.map_err(FoldError::Rows)?;
        let next = match rows.last() {
            Some((key, _)) if rows.len() >= limit => Some(hex::encode(part(key, 1, 12)?)),
            Some(_) | None => None,
        };
        let mut locks = Vec::new();
        for (_, claim) in rows {
            let (by, id) = claim_of(&claim)?;
            let row = self.rows.get(&keys::lock(&by, &id));
            let row = row.map_err(FoldError::Rows)?;
            let lock = Lock::decode(row.as_deref().unwrap_or_default())?;
            locks.push(LockView {
                index: lock.index,
                by: by.into(),
                id: id.as_str().to_owned(),
                document: lock.document,
                amount: lock.amount,
                kind: lock.kind,
                locked_at: Instant::from_ms(lock.locked_ms),
                expires_at: Instant::from_ms(lock.expires_ms),
            });
        }
        Ok(Some(LocksPage {
            as_of: self.basis(),
            ages: self.ages()?,
            locks,
            next,
        }))
    }

    fn ages(&self) -> Read<R, Vec<AgeBucket>> {
        let rows = self
            .rows
            .scan(&[LOCK_DAY], &keys::after(&[LOCK_DAY]), true, LOCK_DAYS_MAX)
            .map_err(FoldError::Rows)?;
        let mut ages: Vec<AgeBucket> = AGES
            .iter()
            .enumerate()
            .map(|(number, from)| AgeBucket {
                days_from: *from,
                days_below: AGES.get(number.saturating_add(1)).copied(),
                sum: Sum::default(),
            })
            .collect();
        let today = Level::Day.bucket(self.time_ms());
        for (key, value) in rows {
            let age = today.saturating_sub(u32_at(&key, 1)?);
            let tally = Tally::decode(&value)?;
            let bucket = ages.iter_mut().rev().find(|bucket| bucket.days_from <= age);
            if let Some(bucket) = bucket {
                super::joined(&mut bucket.sum, tally);
            }
        }
        Ok(ages)
    }
}

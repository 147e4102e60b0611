//! Issuers and members.

use invoice_core::calendar::Instant;
use invoice_core::identity::MemberId;

use super::{Figures, PAGE_MAX, Read};
use crate::codec::{member, part};
use crate::fold::FoldError;
use crate::keys::{self, Level, MEMBER, MERCHANT, MERCHANT_RANK, SERIES};
use crate::row::{Activity, Merchant, Series};
use crate::rows::Rows;
use crate::signals::{self, Signal};
use crate::views::{
    MemberView, MembersPage, MerchantDetail, MerchantView, MerchantsPage, NumberSeries, TypeCount,
};

/// Series of an issuer that are shown.
const SERIES_MAX: usize = 100;

impl<R: Rows> Figures<'_, R> {
    /// A page of issuers, those with the most signals first; `None` when the cursor is none of this
    /// list.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn merchants(&self, cursor: Option<&[u8]>, limit: usize) -> Read<R, Option<MerchantsPage>> {
        let limit = limit.clamp(1, PAGE_MAX);
        let from = match cursor.map(<[u8; 20]>::try_from) {
            None => vec![MERCHANT_RANK],
            Some(Ok(place)) => keys::key(MERCHANT_RANK, &[&place, &[0]]),
            Some(Err(_)) => return Ok(None),
        };
        let end = keys::after(&[MERCHANT_RANK]);
        let rows = self.rows.scan(&from, &end, false, limit);
        let rows = rows.map_err(FoldError::Rows)?;
        let next = match rows.last() {
            Some((key, _)) if rows.len() >= limit => Some(hex::encode(part(key, 1, 20)?)),
            Some(_) | None => None,
        };
        let mut merchants = Vec::new();
        for (key, _) in rows {
            let id = member(part(&key, 3, 18)?)?;
            merchants.extend(self.issuer(&id)?);
        }
        Ok(Some(MerchantsPage {
            as_of: self.basis(),
            merchants,
            next,
        }))
    }

    /// One issuer; `None` when the member is none.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn merchant(&self, id: &MemberId) -> Read<R, Option<MerchantDetail>> {
        let Some(merchant) = self.issuer(id)? else {
            return Ok(None);
        };
        let prefix = keys::by_member(SERIES, id);
        let rows = self
            .rows
            .scan(&prefix, &keys::after(&prefix), false, SERIES_MAX)
            .map_err(FoldError::Rows)?;
        let mut series = Vec::new();
        for (key, value) in rows {
            let numbers = Series::decode(&value)?;
            let digits = key.get(prefix.len()..).unwrap_or_default();
            series.push(NumberSeries {
                prefix: String::from_utf8_lossy(digits).into_owned(),
                lowest: numbers.lowest,
                highest: numbers.highest,
                used: numbers.count,
                missing: numbers.missing(),
            });
        }
        Ok(Some(MerchantDetail {
            as_of: self.basis(),
            merchant,
            series,
        }))
    }

    fn issuer(&self, id: &MemberId) -> Read<R, Option<MerchantView>> {
        let row = self.rows.get(&keys::by_member(MERCHANT, id));
        let Some(row) = row.map_err(FoldError::Rows)? else {
            return Ok(None);
        };
        let merchant = Merchant::decode(&row)?;
        let signals = signals::of(&merchant);
        let burst = signals
            .iter()
            .any(|signal| matches!(signal, Signal::Burst { .. }));
        let quota = merchant.quota_year > 0;
        let month = format!("{:04}-{:02}", merchant.quota_year, merchant.quota_month);
        let burst_at = Instant::from_ms(Level::Hour.start_ms(merchant.burst_hour));
        Ok(Some(MerchantView {
            member: (*id).into(),
            issued: merchant.issued.into(),
            reversed: merchant.reversed.into(),
            signals,
            burst_at: burst.then_some(burst_at),
            quota_month: quota.then_some(month),
            quota_limit: quota.then_some(merchant.quota_limit),
            quota_billed: quota.then_some(merchant.quota_billed),
        }))
    }

    /// A page of members that sent records, by id; `None` when the cursor is none of this list.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn members(&self, cursor: Option<&[u8]>, limit: usize) -> Read<R, Option<MembersPage>> {
        let limit = limit.clamp(1, PAGE_MAX);
        let from = match cursor {
            None => vec![MEMBER],
            Some(cursor) if cursor.len() == 18 => keys::key(MEMBER, &[cursor, &[0]]),
            Some(_) => return Ok(None),
        };
        let rows = self.rows.scan(&from, &keys::after(&[MEMBER]), false, limit);
        let rows = rows.map_err(FoldError::Rows)?;
        let next = match rows.last() {
            Some((key, _)) if rows.len() >= limit => Some(hex::encode(part(key, 1, 18)?)),
            Some(_) | None => None,
        };
        let mut members = Vec::new();
        for (key, value) in rows {
            let id = member(part(&key, 1, 18)?)?;
            members.push(activity(id, Activity::decode(&value)?));
        }
        Ok(Some(MembersPage {
            as_of: self.basis(),
            members,
            next,
        }))
    }

    /// What one member did; `None` when it sent no record.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn member(&self, id: &MemberId) -> Read<R, Option<MemberView>> {
        let row = self.rows.get(&keys::by_member(MEMBER, id));
        let row = row.map_err(FoldError::Rows)?;
        let known = row.as_deref().map(Activity::decode).transpose()?;
        Ok(known.map(|known| activity(*id, known)))
    }
}

fn activity(id: MemberId, activity: Activity) -> MemberView {
    let sum = |counts: &mut dyn Iterator<Item = u64>| counts.fold(0, u64::saturating_add);
    MemberView {
        member: id.into(),
        first: Instant::from_ms(activity.first_ms),
        last: Instant::from_ms(activity.last_ms),
        last_index: activity.last,
        accepted: sum(&mut activity.types.iter().map(|(_, accepted, _)| *accepted)),
        refused: sum(&mut activity.types.iter().map(|(_, _, refused)| *refused)),
        types: activity
            .types
            .into_iter()
            .map(|(kind, accepted, refused)| TypeCount {
                kind,
                accepted,
                refused,
            })
            .collect(),
    }
}

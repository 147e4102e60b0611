//! Questions about the whole chain, and who may ask them.

use std::convert::Infallible;

use invoice_api::registry::{Asker, MemberFound, OversightAnswer, OversightQuestion};
use invoice_core::apply::resolve;
use invoice_core::calendar::Instant;
use invoice_core::identity::MemberId;
use invoice_core::record::Role;
use invoice_core::state::TypedState;
use oversight::read::Indexes;
use oversight::{Figures, FoldError, IncidentView, Level, ListedRecord, Memory, RecordsPage, Rows};

use super::names::Names;
use super::{access, health, life, search};
use crate::node::receipts;
use crate::node::registry::NodeError;
use crate::node::start::Shared;
use crate::store::{ReadError, Snapshot};

/// Entries of a page.
const PAGE: usize = 50;
/// Issuers and pairs of a page.
const WIDE_PAGE: usize = 100;
/// Buckets of a series whose range nobody chose: two days of hours, or three months of days.
const HOURS: u32 = 48;
const DAYS: u32 = 92;

impl From<FoldError<ReadError>> for NodeError {
    fn from(error: FoldError<ReadError>) -> Self {
        match error {
            FoldError::Rows(error) => Self::Read(error),
            FoldError::Damaged(error) => Self::Row(error),
            FoldError::NotNext(_) => Self::Unplaced,
        }
    }
}

impl From<FoldError<Infallible>> for NodeError {
    fn from(error: FoldError<Infallible>) -> Self {
        match error {
            FoldError::Rows(never) => match never {},
            FoldError::Damaged(error) => Self::Row(error),
            FoldError::NotNext(_) => Self::Unplaced,
        }
    }
}

/// Authorities see everything. Auditors see figures and lists, and of documents no more than they
/// see elsewhere.
fn may_ask(asker: &Asker, question: &OversightQuestion) -> bool {
    let authority = asker.roles.has_authority();
    match question {
        OversightQuestion::Life(..) | OversightQuestion::Access(_) => authority,
        OversightQuestion::Overview
        | OversightQuestion::Series { .. }
        | OversightQuestion::Records(..)
        | OversightQuestion::Incidents(..)
        | OversightQuestion::Attempt(_)
        | OversightQuestion::Pairs(_)
        | OversightQuestion::Merchants(_)
        | OversightQuestion::Merchant(_)
        | OversightQuestion::Locks { .. }
        | OversightQuestion::Members(_)
        | OversightQuestion::Member(_)
        | OversightQuestion::Search(_)
        | OversightQuestion::Health => authority || asker.roles.contains(Role::Auditor),
    }
}

/// Answers a question of an asker.
pub(in crate::node) fn answer(
    shared: &Shared,
    snapshot: &Snapshot,
    asker: &Asker,
    question: OversightQuestion,
) -> Result<OversightAnswer, NodeError> {
    if !may_ask(asker, &question) {
        return Ok(OversightAnswer::NotFound);
    }
    if let OversightQuestion::Health = question {
        let view = health::view(shared, snapshot)?;
        return Ok(OversightAnswer::Health(Box::new(view)));
    }
    if let OversightQuestion::Access(cursor) = &question {
        return access::page(shared, snapshot, cursor.as_deref());
    }
    if let OversightQuestion::Search(text) = &question {
        return search::found(snapshot, text);
    }
    if let OversightQuestion::Life(key, from) = &question {
        return life::view(shared, snapshot, asker, key, *from);
    }
    let Some(kept) = &shared.oversight else {
        return Ok(OversightAnswer::Off);
    };
    let made_anew = kept.made_anew();
    let rows = kept.rows()?;
    let answered = match Figures::of(&rows, snapshot.head().height) {
        // Folding has not begun, or begins anew: figures of nothing yet, which say so.
        Ok(None) => {
            let nothing = Memory::default();
            let figures = Figures::before_the_first(&nothing, snapshot.head().height);
            of_figures(snapshot, &figures, question)
        }
        Ok(Some(figures)) => of_figures(snapshot, &figures, question),
        Err(error) => Err(error.into()),
    };
    if let Err(NodeError::Row(_)) = &answered {
        kept.distrust(made_anew);
    }
    answered
}

fn of_figures<R: Rows>(
    snapshot: &Snapshot,
    figures: &Figures<'_, R>,
    question: OversightQuestion,
) -> Result<OversightAnswer, NodeError>
where
    NodeError: From<FoldError<R::Error>>,
{
    let mut names = Names::new(snapshot);
    Ok(match question {
        OversightQuestion::Overview => {
            let mut overview = figures.overview()?;
            for pair in &mut overview.pairs {
                names.add(&mut pair.tried)?;
                names.add(&mut pair.held)?;
            }
            OversightAnswer::Overview(Box::new(overview))
        }
        OversightQuestion::Series {
            measure,
            level,
            range,
            region,
            kind,
        } => {
            let range = buckets(level, range, figures.time_ms());
            OversightAnswer::Series(figures.series(measure, level, range, region, kind)?)
        }
        OversightQuestion::Records(list, cursor) => {
            match figures.records(&list, cursor.as_deref(), PAGE)? {
                None => OversightAnswer::CursorInvalid,
                Some(page) => OversightAnswer::Records(listed(snapshot, figures, page)?),
            }
        }
        OversightQuestion::Incidents(kind, cursor) => {
            match figures.incidents(kind, cursor.as_deref(), PAGE)? {
                None => OversightAnswer::CursorInvalid,
                Some(mut page) => {
                    for incident in &mut page.incidents {
                        name(&mut names, incident)?;
                    }
                    OversightAnswer::Incidents(page)
                }
            }
        }
        OversightQuestion::Attempt(index) => match figures.attempt(index)? {
            None => OversightAnswer::NotFound,
            Some(mut attempt) => {
                name(&mut names, &mut attempt)?;
                OversightAnswer::Attempt(Box::new(attempt))
            }
        },
        OversightQuestion::Pairs(cursor) => {
            let Some(mut page) = figures.pairs(cursor.as_deref(), WIDE_PAGE)? else {
                return Ok(OversightAnswer::CursorInvalid);
            };
            for pair in &mut page.pairs {
                names.add(&mut pair.tried)?;
                names.add(&mut pair.held)?;
            }
            OversightAnswer::Pairs(page)
        }
        OversightQuestion::Merchants(cursor) => {
            let Some(mut page) = figures.merchants(cursor.as_deref(), WIDE_PAGE)? else {
                return Ok(OversightAnswer::CursorInvalid);
            };
            for merchant in &mut page.merchants {
                names.add(&mut merchant.member)?;
            }
            OversightAnswer::Merchants(page)
        }
        OversightQuestion::Merchant(id) => match figures.merchant(&id)? {
            None => OversightAnswer::NotFound,
            Some(mut detail) => {
                names.add(&mut detail.merchant.member)?;
                OversightAnswer::Merchant(Box::new(detail))
            }
        },
        OversightQuestion::Locks { age, cursor } => {
            match figures.locks(age, cursor.as_deref(), WIDE_PAGE)? {
                None => OversightAnswer::CursorInvalid,
                Some(mut page) => {
                    for lock in &mut page.locks {
                        names.add(&mut lock.by)?;
                    }
                    OversightAnswer::Locks(page)
                }
            }
        }
        OversightQuestion::Members(cursor) => {
            match figures.members(cursor.as_deref(), WIDE_PAGE)? {
                None => OversightAnswer::CursorInvalid,
                Some(mut page) => {
                    for member in &mut page.members {
                        names.add(&mut member.member)?;
                    }
                    OversightAnswer::Members(page)
                }
            }
        }
        OversightQuestion::Member(id) => member(snapshot, figures, &mut names, id)?,
        OversightQuestion::Health
        | OversightQuestion::Access(_)
        | OversightQuestion::Search(_)
        | OversightQuestion::Life(..) => OversightAnswer::NotFound,
    })
}

fn name(names: &mut Names<'_>, incident: &mut IncidentView) -> Result<(), NodeError> {
    names.add(&mut incident.by)?;
    for holder in &mut incident.holders {
        names.add(&mut holder.member)?;
    }
    Ok(())
}

/// The buckets of a range, or the newest.
fn buckets(level: Level, range: Option<(Instant, Instant)>, last_ms: i64) -> (u32, u32) {
    if let Some((from, to)) = range {
        return (level.bucket(from.ms()), level.bucket(to.ms()));
    }
    let last = level.bucket(last_ms);
    let count = match level {
        Level::Hour => HOURS,
        Level::Day => DAYS,
    };
    (last.saturating_sub(count.saturating_sub(1)), last)
}

/// The records of a page. Of those whose year was moved away the place alone is known.
fn listed<R: Rows>(
    snapshot: &Snapshot,
    figures: &Figures<'_, R>,
    page: Indexes,
) -> Result<RecordsPage, NodeError> {
    let mut names = Names::new(snapshot);
    let state = TypedState(snapshot);
    let (mut records, mut away) = (Vec::new(), Vec::new());
    for index in page.indexes {
        let logged = match receipts::logged(snapshot, index) {
            Ok(Some(logged)) => logged,
            Ok(None) => continue,
            Err(NodeError::Read(ReadError::BodiesAway { .. })) => {
                away.push(index);
                continue;
            }
            Err(error) => return Err(error),
        };
        let facts = match &logged.outcome {
            invoice_core::chain::Outcome::Accepted { detail }
            | invoice_core::chain::Outcome::Refused { detail, .. } => detail,
        };
        let document = logged.record.body.document().copied();
        let known = document.map(|key| resolve(&state, &key)).transpose()?;
        records.push(ListedRecord {
            height: logged.place.height,
            index,
            time: logged.place.time,
            kind: logged.record.record_type().as_str().to_owned(),
            by: names.of(logged.record.by)?,
            id: logged.record.id.as_str().to_owned(),
            document,
            document_exists: known.flatten().is_some(),
            amount: crate::node::documents::amount(&logged.record, facts),
            code: logged.outcome.code().map(str::to_owned),
        });
    }
    Ok(RecordsPage {
        as_of: figures.basis(),
        records,
        away,
        next: page.next.map(hex::encode),
    })
}

fn member<R: Rows>(
    snapshot: &Snapshot,
    figures: &Figures<'_, R>,
    names: &mut Names<'_>,
    id: MemberId,
) -> Result<OversightAnswer, NodeError>
where
    NodeError: From<FoldError<R::Error>>,
{
    let Some(known) = TypedState(snapshot).member(&id)? else {
        return Ok(OversightAnswer::NotFound);
    };
    let mut activity = figures.member(&id)?;
    if let Some(activity) = &mut activity {
        names.add(&mut activity.member)?;
    }
    Ok(OversightAnswer::Member(Box::new(MemberFound {
        member: names.of(id)?,
        roles: known.roles.iter().map(|role| role.to_string()).collect(),
        suspended: known.suspended,
        activity,
    })))
}

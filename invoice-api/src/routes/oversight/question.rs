//! Reading a question from an address.

use invoice_core::calendar::{Date, Instant};
use invoice_core::identity::{DocumentKey, MemberId};
use invoice_core::read::Spelled;
use oversight::read::{IncidentKind, RecordList};
use oversight::{Level, Measure};

use crate::fault::Fault;
use crate::limits::{CURSOR_CHARACTERS_MAX, SEARCH_CHARACTERS_MAX};
use crate::problem::Problem;
use crate::registry::{Cursor, OversightQuestion};
use crate::routes::{Query, timeline_cursor};

/// The question of an address: its last part, what stands after that, and its parameters.
pub(crate) fn asked(
    view: &str,
    id: Option<&str>,
    query: &Query,
) -> Result<OversightQuestion, Problem> {
    let cursor = || cursor(query);
    Ok(match (view, id) {
        ("overview", None) => OversightQuestion::Overview,
        ("volume", None) => series(query)?,
        ("records", None) => OversightQuestion::Records(list(query)?, cursor()?),
        ("attempts", None) => OversightQuestion::Incidents(IncidentKind::Attempts, cursor()?),
        ("over-claims", None) => OversightQuestion::Incidents(IncidentKind::OverClaims, cursor()?),
        ("late-reversals", None) => {
            OversightQuestion::Incidents(IncidentKind::LateReversals, cursor()?)
        }
        ("pairs", None) => OversightQuestion::Pairs(cursor()?),
        ("merchants", None) => OversightQuestion::Merchants(cursor()?),
        ("locks", None) => OversightQuestion::Locks {
            age: age(query)?,
            cursor: cursor()?,
        },
        ("members", None) => OversightQuestion::Members(cursor()?),
        ("access", None) => OversightQuestion::Access(cursor()?),
        ("health", None) => OversightQuestion::Health,
        ("search", None) => OversightQuestion::Search(search(query)?),
        ("attempts", Some(index)) => {
            OversightQuestion::Attempt(index.parse().map_err(|_| Problem::from(Fault::NotFound))?)
        }
        ("merchants", Some(id)) => OversightQuestion::Merchant(named(id)?),
        ("members", Some(id)) => OversightQuestion::Member(named(id)?),
        ("documents", Some(key)) => OversightQuestion::Life(
            DocumentKey::spelled(key).map_err(|_| Problem::from(Fault::NotFound))?,
            timeline_cursor(query)?,
        ),
        _ => return Err(Fault::NotFound.into()),
    })
}

fn named(id: &str) -> Result<MemberId, Problem> {
    MemberId::spelled(id).map_err(|_| Fault::NotFound.into())
}

fn cursor(query: &Query) -> Result<Cursor, Problem> {
    match query.text("cursor") {
        None | Some("") => Ok(None),
        Some(text) if text.len() > CURSOR_CHARACTERS_MAX => Err(Fault::CursorInvalid.into()),
        Some(text) => match hex::decode(text) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(_) => Err(Fault::CursorInvalid.into()),
        },
    }
}

fn search(query: &Query) -> Result<String, Problem> {
    let text = query.text("q").unwrap_or_default();
    match text.chars().count() <= SEARCH_CHARACTERS_MAX {
        true => Ok(text.to_owned()),
        false => Err(Problem::query("q")),
    }
}

/// Days from, and below; either may be absent.
fn age(query: &Query) -> Result<Option<(u32, Option<u32>)>, Problem> {
    let days = |name: &str| {
        if query.text(name) == Some("") {
            return Ok(None);
        }
        let number = query.number(name)?.map(u32::try_from).transpose();
        number.map_err(|_| Problem::query(name))
    };
    match (days("days_from")?, days("days_below")?) {
        (None, None) => Ok(None),
        (from, Some(below)) if below <= from.unwrap_or(0) => Err(Problem::query("days_below")),
        (from, below) => Ok(Some((from.unwrap_or(0), below))),
    }
}

fn measure(query: &Query) -> Result<Measure, Problem> {
    match query.text("measure") {
        None | Some("") => Ok(Measure::Issued),
        Some(word) => Measure::from_word(word).ok_or_else(|| Problem::query("measure")),
    }
}

fn small(query: &Query, name: &str) -> Result<Option<u8>, Problem> {
    if query.text(name) == Some("") {
        return Ok(None);
    }
    let number = query.number(name)?.map(u8::try_from).transpose();
    number.map_err(|_| Problem::query(name))
}

/// An hour `2026-11-21T08` or a day `2026-11-21`, in UTC+8; of a day the first or last hour.
fn time(query: &Query, name: &str, last: bool) -> Result<Option<Instant>, Problem> {
    let text = match query.text(name) {
        None | Some("") => return Ok(None),
        Some(text) => text,
    };
    let hour = match (Date::spelled(text), last) {
        (Ok(_), false) => format!("{text}T00"),
        (Ok(_), true) => format!("{text}T23"),
        (Err(_), _) => text.to_owned(),
    };
    Instant::parse_rfc3339(&format!("{hour}:00:00+08:00"))
        .map(Some)
        .map_err(|_| Problem::query(name))
}

/// The first and last instant; both or none must be there, in order.
fn range(query: &Query) -> Result<Option<(Instant, Instant)>, Problem> {
    match (time(query, "from", false)?, time(query, "to", true)?) {
        (None, None) => Ok(None),
        (Some(from), Some(to)) if from <= to => Ok(Some((from, to))),
        (Some(_), _) => Err(Problem::query("to")),
        (None, Some(_)) => Err(Problem::query("from")),
    }
}

fn series(query: &Query) -> Result<OversightQuestion, Problem> {
    let level = match query.text("level") {
        None | Some("" | "hour") => Level::Hour,
        Some("day") => Level::Day,
        Some(_) => return Err(Problem::query("level")),
    };
    Ok(OversightQuestion::Series {
        measure: measure(query)?,
        level,
        range: range(query)?,
        region: small(query, "region")?,
        kind: small(query, "kind")?,
    })
}

fn list(query: &Query) -> Result<RecordList, Problem> {
    let member = |name: &str| {
        let text = query.text(name).ok_or_else(|| Problem::query(name))?;
        MemberId::spelled(text).map_err(|_| Problem::query(name))
    };
    match query.text("list") {
        None | Some("cells") => {
            let (from, to) = range(query)?.ok_or_else(|| Problem::query("from"))?;
            Ok(RecordList::Cells {
                measure: measure(query)?,
                from: Level::Hour.bucket(from.ms()),
                to: Level::Hour.bucket(to.ms()),
                region: small(query, "region")?,
                kind: small(query, "kind")?,
            })
        }
        Some("code") => {
            let code = query.text("code").filter(|code| code.len() <= 64);
            let code = code.ok_or_else(|| Problem::query("code"))?;
            Ok(RecordList::Code(code.to_owned()))
        }
        Some("pair") => Ok(RecordList::Pair(member("tried")?, member("held")?)),
        Some("issued") => Ok(RecordList::Issued(member("member")?)),
        Some("reversed") => Ok(RecordList::Reversed(member("member")?)),
        Some("refused") => Ok(RecordList::Refused(member("member")?)),
        Some("expired") => Ok(RecordList::Expired),
        Some("frozen") => Ok(RecordList::Frozen),
        Some(_) => Err(Problem::query("list")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parameters::parameters;
    use super::*;
    use actix_web::test::TestRequest;

    fn question(view: &str, id: Option<&str>, query: &str) -> Option<OversightQuestion> {
        let request = TestRequest::with_uri(&format!("/?{query}")).to_http_request();
        let query = parameters(view, id, &request).ok()?;
        asked(view, id, &query).ok()
    }

    #[test]
    fn questions_are_read_strictly() {
        for (view, id, query, good) in [
            ("overview", None, "", true),
            ("overview", Some("x"), "", false),
            ("nothing", None, "", false),
            ("volume", None, "measure=settled&level=day&region=33", true),
            ("volume", None, "from=2026-11-21T08&to=2026-11-21T09", true),
            ("volume", None, "from=2026-11-21&to=2026-11-21", true),
            ("volume", None, "from=2026-11-22&to=2026-11-21", false),
            ("volume", None, "from=2026-11-21", false),
            ("volume", None, "measure=all", false),
            ("volume", None, "region=256", false),
            ("records", None, "", false),
            ("records", None, "list=code&code=already_locked", true),
            ("records", None, "list=pair&tried=91330106MACKX4QG41", false),
            (
                "records",
                None,
                "list=issued&member=91330106MACKX4QG41",
                true,
            ),
            ("attempts", None, "cursor=zz", false),
            ("attempts", Some("12"), "", true),
            ("attempts", Some("x"), "", false),
            ("merchants", Some("91330106MACKX4QG41"), "", true),
            ("merchants", Some("91330106MACKX4QG42"), "", false),
            ("documents", Some("D:24312000000136634917"), "", true),
            ("documents", Some("24312000000136634917"), "", false),
            ("search", None, "q=x", true),
            ("records", None, "list=frozen", true),
            (
                "records",
                None,
                "list=expired&cursor=0000000000000001",
                true,
            ),
            ("records", None, "list=lost", false),
            ("locks", None, "days_from=3&days_below=7", true),
            ("locks", None, "days_below=7", true),
            ("locks", None, "days_from=7&days_below=7", false),
            ("locks", None, "days_from=x", false),
            // A filter that the question does not have.
            ("attempts", None, "from=2026-11-21&to=2026-11-21", false),
            ("attempts", None, "region=33", false),
            ("overview", None, "q=x", false),
            ("volume", None, "member=91330106MACKX4QG41", false),
            ("records", None, "list=frozen&region=33", false),
            (
                "records",
                None,
                "list=code&code=x&from=2026-11-21&to=2026-11-21",
                false,
            ),
            (
                "records",
                None,
                "list=issued&member=91330106MACKX4QG41&from=2020-01-01&to=2020-01-02",
                false,
            ),
            ("members", Some("91330106MACKX4QG41"), "cursor=00", false),
        ] {
            assert_eq!(
                question(view, id, query).is_some(),
                good,
                "{view} {id:?} {query}"
            );
        }
        let long = format!("q={}", "x".repeat(SEARCH_CHARACTERS_MAX + 1));
        assert!(question("search", None, &long).is_none());
    }

    #[test]
    fn a_day_is_its_hours() {
        let Some(OversightQuestion::Records(RecordList::Cells { from, to, .. }, None)) =
            question("records", None, "from=2026-11-21&to=2026-11-21")
        else {
            panic!("not a list");
        };
        assert_eq!(to - from, 23);
    }
}

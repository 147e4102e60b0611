//! Finding a document, member or record by what somebody has of it.

use invoice_api::registry::{Found, OversightAnswer, RecordPath};
use invoice_core::apply::resolve;
use invoice_core::identity::{DocumentKey, MemberId, RecordId};
use invoice_core::read::Spelled;
use invoice_core::state::{MemberNo, Table, TypedState};

use super::names::Names;
use crate::node::registry::NodeError;
use crate::store::Snapshot;

/// Results of each kind.
const FOUND_MAX: usize = 20;
/// Members whose records are looked at for one id.
const MEMBERS_MAX: u32 = 5_000;
/// Shortest part of a name, in characters.
const NAME_MIN: usize = 2;

/// What fits a text.
pub(super) fn found(snapshot: &Snapshot, text: &str) -> Result<OversightAnswer, NodeError> {
    let text = text.trim();
    let state = TypedState(snapshot);
    let mut names = Names::new(snapshot);
    let mut found = Found {
        height: snapshot.head().height,
        ..Found::default()
    };
    for key in document_keys(text) {
        if let Some(known) = resolve(&state, &key)? {
            found.documents.push(known.key);
        }
    }
    let mut ids = Vec::new();
    if let Ok(id) = MemberId::spelled(text) {
        ids.extend(state.member(&id)?.map(|_| id));
    } else if text.chars().count() >= NAME_MIN {
        ids = named(snapshot, &state, text)?;
    }
    found.more = ids.len() > FOUND_MAX;
    ids.truncate(FOUND_MAX);
    for id in ids {
        found.members.push(names.of(id)?);
    }
    records(&state, &mut names, text, &mut found)?;
    Ok(OversightAnswer::Found(found))
}

/// Members whose names hold a text, one more than is shown.
fn named(
    snapshot: &Snapshot,
    state: &TypedState<'_, Snapshot>,
    text: &str,
) -> Result<Vec<MemberId>, NodeError> {
    // The name stands in the row as it is written, among bytes that are none of it: what fits the
    // row is looked at again.
    let mut fitting = Vec::new();
    snapshot.state_rows(Table::Member, &mut |key, value| {
        let fits = value
            .windows(text.len())
            .any(|part| part == text.as_bytes());
        if fits {
            fitting.extend(MemberId::from_bytes(key));
        }
    })?;
    let mut ids = Vec::new();
    for id in fitting {
        let known = state.member(&id)?;
        if known.is_some_and(|member| member.name.contains(text)) {
            ids.push(id);
        }
        if ids.len() > FOUND_MAX {
            break;
        }
    }
    Ok(ids)
}

/// `member/id`, or an id that any member may have used.
fn records(
    state: &TypedState<'_, Snapshot>,
    names: &mut Names<'_>,
    text: &str,
    found: &mut Found,
) -> Result<(), NodeError> {
    let (by, id) = match text.split_once('/') {
        Some((by, id)) => (Some(by), id),
        None => (None, text),
    };
    let Ok(id) = RecordId::spelled(id) else {
        return Ok(());
    };
    let numbers: Vec<MemberNo> = match by.map(MemberId::spelled) {
        Some(Ok(by)) => state
            .member(&by)?
            .map(|member| member.number)
            .into_iter()
            .collect(),
        Some(Err(_)) => return Ok(()),
        None => {
            let count = state.member_count()?;
            // Of the others nothing is known: whoever asks must name the member.
            found.more |= count > MEMBERS_MAX;
            (0..count.min(MEMBERS_MAX)).map(MemberNo).collect()
        }
    };
    for number in numbers {
        let Some(entry) = state.record(number, &id)? else {
            continue;
        };
        if found.records.len() >= FOUND_MAX {
            found.more = true;
            return Ok(());
        }
        if let Some(by) = state.member_id(number)? {
            found.records.push(RecordPath {
                by: names.of(by)?,
                id: id.as_str().to_owned(),
                index: entry.index,
            });
        }
    }
    Ok(())
}

/// The keys that a text may be the spelling of, with or without letter and hyphen.
fn document_keys(text: &str) -> Vec<DocumentKey> {
    let (letter, number) = match text.split_once(':') {
        Some((letter, number)) => (Some(letter), number),
        None => (None, text),
    };
    let mut keys = Vec::new();
    // Digits before the hyphen; a digital invoice has none.
    for (kind, before) in [("D", 0), ("P", 10), ("P", 12), ("F", 8)] {
        if letter.is_some_and(|letter| letter != kind) {
            continue;
        }
        let spelling = match number.split_at_checked(before) {
            Some((code, rest)) if before > 0 && !number.contains('-') => {
                format!("{kind}:{code}-{rest}")
            }
            Some(_) | None => format!("{kind}:{number}"),
        };
        match DocumentKey::spelled(&spelling) {
            Ok(key) if !keys.contains(&key) => keys.push(key),
            Ok(_) | Err(_) => {}
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_with_or_without_letter_and_hyphen() {
        for (text, keys) in [
            ("D:24312000000136634917", 1),
            ("24312000000136634917", 2),
            ("330601220123456789", 2),
            ("33060122-0123456789", 1),
            ("F:33060122-0123456789", 1),
            ("F:330601220123456789", 1),
            ("P:330601220123456789", 1),
            ("3300194130-12345678", 1),
            ("033001941301-12345678", 1),
            ("D:33060122-0123456789", 0),
            ("X:24312000000136634917", 0),
            ("3306", 0),
            ("发票：一", 0),
            ("-", 0),
            (":", 0),
            ("", 0),
        ] {
            let found = document_keys(text);
            assert_eq!(found.len(), keys, "{text}");
            for key in found {
                let spelled = key.to_string();
                let digits = |text: &str| text.replace(|c: char| !c.is_ascii_digit(), "");
                assert_eq!(digits(&spelled), digits(text));
            }
        }
    }
}

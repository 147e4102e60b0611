//! The parameters that each question has.

use actix_web::HttpRequest;

use crate::fault::Fault;
use crate::problem::Problem;
use crate::routes::Query;

/// The parameters that a question has; others are refused by name, since a filter that does nothing
/// would be shown as if it did.
fn known(
    view: &str,
    id: Option<&str>,
    list: Option<&str>,
) -> Result<&'static [&'static str], Fault> {
    Ok(match (view, id) {
        ("volume", None) => &["measure", "level", "from", "to", "region", "kind", "lang"],
        ("records", None) => match list {
            None | Some("cells") => &[
                "list", "measure", "from", "to", "region", "kind", "cursor", "lang",
            ],
            Some("code") => &["list", "code", "cursor", "lang"],
            Some("pair") => &["list", "tried", "held", "cursor", "lang"],
            Some("issued" | "reversed" | "refused") => &["list", "member", "cursor", "lang"],
            // What list it is, is judged with its parameters.
            Some(_) => &["list", "cursor", "lang"],
        },
        ("locks", None) => &["days_from", "days_below", "cursor", "lang"],
        (
            "attempts" | "over-claims" | "late-reversals" | "pairs" | "merchants" | "members"
            | "access",
            None,
        ) => &["cursor", "lang"],
        ("search", None) => &["q", "lang"],
        ("orders", None) => &["document", "member", "lang"],
        ("documents", Some(_)) => &["cursor", "lang"],
        ("overview" | "health", None) | ("attempts" | "merchants" | "members", Some(_)) => {
            &["lang"]
        }
        _ => return Err(Fault::NotFound),
    })
}

/// Reads the parameters of a question or page strictly.
pub(crate) fn parameters(
    view: &str,
    id: Option<&str>,
    request: &HttpRequest,
) -> Result<Query, Problem> {
    let list = Query::lenient(request);
    let list = list.as_ref().and_then(|query| query.text("list"));
    Query::strict(request, known(view, id, list)?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const LISTS: [&str; 8] = [
        "cells", "code", "pair", "issued", "reversed", "refused", "expired", "frozen",
    ];

    #[test]
    fn each_parameter_is_described_and_none_that_is_not_there() {
        let document = serde_json::to_value(crate::routes::openapi::openapi()).unwrap();
        let mut described = 0;
        for (path, operations) in document["paths"].as_object().unwrap() {
            let Some(rest) = path.strip_prefix("/v1/oversight/") else {
                continue;
            };
            described += 1;
            let (view, id) = match rest.split_once('/') {
                Some((view, id)) => (view, Some(id)),
                None => (rest, None),
            };
            let lists = LISTS.iter().map(|list| Some(*list)).chain([None]);
            let due: BTreeSet<&str> = lists
                .flat_map(|list| known(view, id, list).unwrap())
                .copied()
                .filter(|name| *name != "lang")
                .collect();
            let operation = &operations["get"];
            let told = operation["parameters"].as_array().into_iter().flatten();
            let told: BTreeSet<&str> = told
                .filter(|one| one["in"] == "query")
                .map(|one| one["name"].as_str().unwrap())
                .collect();
            assert_eq!(told, due, "{path}");
            for status in ["200", "400", "401", "404"] {
                assert!(
                    operation["responses"][status].is_object(),
                    "{path} {status}"
                );
            }
        }
        assert!(described >= 17, "{described}");
    }
}

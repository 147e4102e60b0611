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

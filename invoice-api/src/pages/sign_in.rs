//! Signing in with a key file. The file is read by the browser and stays there.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{Page, Section, escape, local_path, page_language};
use crate::problem::Problem;
use crate::routes::Query;
use crate::server::authenticate::session;
use crate::server::state::AppState;

/// Choosing a key file and signing in with it.
#[utoipa::path(
    get, path = "/sign-in", tag = "pages",
    params(("next" = Option<String>, Query, description = "The local address to go on to")),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"))
)]
pub(crate) async fn page(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    state.charge_anonymous(&request)?;
    let query = Query::lenient(&request);
    let next = query
        .as_ref()
        .and_then(|query| query.text("next"))
        .and_then(local_path)
        .unwrap_or("/app");
    let signed_in = match session(&state, &request).await? {
        Some((asker, _)) => {
            let name = state.registry.member_name(asker.member).await.ok();
            (asker.member.to_string(), name.flatten())
        }
        None => (String::new(), None),
    };
    let (member, name) = signed_in;
    let language = page_language(&request);
    let title = language.of_two("登录", "Sign in");
    let body = language
        .of_two(ZH, EN)
        .replace("@chain@", &escape(state.registry.chain_id()))
        .replace("@member@", &escape(&member))
        .replace("@next@", &escape(next))
        .replace("@name@", &escape(&name.unwrap_or_default()));
    Ok(Page {
        title,
        section: Section::SignIn,
        module: Some("sign-in.js"),
        body: &body,
    }
    .respond(&request))
}

const ZH: &str = include_str!("sign_in.zh.html");
const EN: &str = include_str!("sign_in.en.html");

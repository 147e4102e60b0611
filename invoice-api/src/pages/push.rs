//! The page of webhooks: the member's endpoints by the server, so that they are seen without
//! scripts; making, testing and changing them by the browser, which holds the key.

use std::fmt::Write as _;

use actix_web::{HttpRequest, HttpResponse, web};
use webhooks::{Disabled, EndpointView, EndpointsView, Reason};

use super::{Page, Section, escape, page_language, readable, reader_of_page};
use crate::fault::Fault;
use crate::language::Language;
use crate::problem::Problem;
use crate::registry::{WebhookAnswer, WebhookQuestion};
use crate::routes::Query;
use crate::server::state::AppState;

/// The member's webhooks on this node, for whoever signed in.
#[utoipa::path(
    get, path = "/app/push", tag = "pages",
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 303, description = "Nobody signed in: the sign-in page"),
    )
)]
pub(crate) async fn page(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let asker = match reader_of_page(&state, &request).await? {
        Ok(asker) => asker,
        Err(elsewhere) => return Ok(elsewhere),
    };
    Query::strict(&request, &["lang"])?;
    let asked = state.registry.webhooks(&asker, WebhookQuestion::List);
    let WebhookAnswer::Endpoints(found) = asked.await? else {
        return Err(Fault::NoWebhooks.into());
    };
    let language = page_language(&request);
    Ok(Page {
        title: language.of_two("推送", "Webhooks"),
        section: Section::Claims,
        module: Some("push.js"),
        body: &body(language, &found),
    }
    .respond(&request))
}

/// Links between the clerk's pages; `here` is the address of the one that is shown.
pub(crate) fn tabs(language: Language, here: &str) -> String {
    let mut html = format!(
        "<nav class=\"sub\" aria-label=\"{}\"><ul>",
        language.of_two("财务页面", "Pages for finance")
    );
    for (address, zh, en) in [
        ("/app", "报销", "Claims"),
        ("/app/push", "推送", "Webhooks"),
    ] {
        let current = match address == here {
            true => " aria-current=\"page\"",
            false => "",
        };
        let word = language.of_two(zh, en);
        // Writing into a text cannot fail.
        let _ = write!(html, "<li><a href=\"{address}\"{current}>{word}</a></li>");
    }
    html.push_str("</ul></nav>");
    html
}

fn body(language: Language, found: &EndpointsView) -> String {
    let of = |zh: &'static str, en: &'static str| language.of_two(zh, en);
    let mut html = tabs(language, "/app/push");
    let _ = write!(
        html,
        "<p>{}</p><div id=\"push\"><noscript><p class=\"box plain\">{}</p></noscript></div>\
         <section id=\"endpoints\" aria-labelledby=\"endpoints-title\">\
         <h2 id=\"endpoints-title\">{}</h2>",
        of(
            "已报销的发票被冲红、多报销、票据被冻结等事件，由本节点签名后推送到贵单位的服务器。\
             这些设置只在本节点有效，不上链。",
            "When an invoice that you paid is reversed, over-claimed or frozen, this node tells \
             your own server, signed. These are settings of this node and no records of the chain.",
        ),
        of(
            "新增、测试和修改推送需要运行本站脚本：请求由您浏览器里的私钥签名。",
            "Adding, testing and changing need this site's scripts: requests are signed by the \
             private key in your browser.",
        ),
        of("推送地址", "Endpoints"),
    );
    if found.endpoints.is_empty() {
        let _ = write!(
            html,
            "<p class=\"note\">{}</p>",
            of("还没有推送地址。", "There is none yet.")
        );
    } else {
        html.push_str(&table(language, &found.endpoints));
    }
    let _ = write!(
        html,
        "<p class=\"note\">{} {}</p></section>",
        of("本节点区块高度", "Height of this node:"),
        found.height
    );
    html
}

/// The class and the word for a state.
fn state_words(language: Language, state: &str) -> (&'static str, &'static str) {
    match state {
        "active" => ("good", language.of_two("正常", "active")),
        "failing" => (
            "warn",
            language.of_two("投递失败，重试中", "failing, tried again"),
        ),
        "paused" => (
            "warn",
            language.of_two(
                "暂停（成员停用或无有效密钥）",
                "paused: suspended or no good key",
            ),
        ),
        _ => ("bad", language.of_two("已停用", "disabled")),
    }
}

/// A reason's code in words.
fn reason_words(language: Language, code: &str) -> &'static str {
    let found = Reason::ALL.iter().find(|one| one.code() == code);
    found.map_or("", |one| language.of_two(one.zh(), one.en()))
}

fn disabled_words(language: Language, code: &str) -> &'static str {
    let found = Disabled::ALL.iter().find(|one| one.code() == code);
    found.map_or("", |one| language.of_two(one.zh(), one.en()))
}

fn table(language: Language, endpoints: &[EndpointView]) -> String {
    let of = |zh: &'static str, en: &'static str| language.of_two(zh, en);
    let heads = [
        of("名称", "Name"),
        of("地址", "URL"),
        of("事件", "Events"),
        of("状态", "State"),
        of("最近一次投递", "Last delivery"),
    ];
    let mut html = "<table class=\"stack\"><thead><tr>".to_owned();
    for head in heads {
        let _ = write!(html, "<th scope=\"col\">{head}</th>");
    }
    html.push_str("</tr></thead><tbody>");
    for endpoint in endpoints {
        let _ = write!(
            html,
            "<tr data-endpoint=\"{}\" data-state=\"{}\" data-cursor=\"{}\">",
            escape(&endpoint.id),
            endpoint.state,
            endpoint.cursor
        );
        let cells = [
            name(endpoint),
            format!("<code>{}</code>", escape(&endpoint.url)),
            match &endpoint.events {
                None => of("全部", "all").to_owned(),
                Some(events) => escape(&events.join(", ")),
            },
            state(language, endpoint),
            last(language, endpoint),
        ];
        for (head, cell) in heads.iter().zip(cells) {
            let _ = write!(html, "<td data-label=\"{head}\"><div>{cell}</div></td>");
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table>");
    html
}

fn name(endpoint: &EndpointView) -> String {
    let mut cell = format!("<code>{}</code>", escape(&endpoint.id));
    if let Some(description) = &endpoint.description {
        let _ = write!(cell, "<br><small>{}</small>", escape(description));
    }
    cell
}

fn state(language: Language, endpoint: &EndpointView) -> String {
    let (class, word) = state_words(language, endpoint.state);
    let mut cell = format!("<span class=\"tag {class}\">{word}</span>");
    if let Some(reason) = endpoint.reason {
        let _ = write!(
            cell,
            "<br><small>{}</small>",
            disabled_words(language, reason)
        );
    }
    if let Some(failing) = &endpoint.failing {
        let _ = write!(
            cell,
            "<br><small>{} {} {}</small>",
            reason_words(language, failing.reason),
            language.of_two("下次重试：", "Next:"),
            readable(&failing.next)
        );
    }
    cell
}

fn last(language: Language, endpoint: &EndpointView) -> String {
    let Some(last) = &endpoint.last else {
        return "–".to_owned();
    };
    let (class, word) = match last.delivered {
        true => ("good", language.of_two("已送达", "taken")),
        false => ("warn", language.of_two("未送达", "not taken")),
    };
    let at = last.attempts.last().map(|attempt| readable(&attempt.at));
    format!(
        "<code>{}</code> <span class=\"tag {class}\">{word}</span><br><small>{}</small>",
        escape(&last.event),
        at.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use invoice_core::apply::EventKind;

    #[test]
    fn the_page_offers_every_kind_of_event_about_documents_and_claims() {
        let words = include_str!("../../assets/push-words.js");
        // Those of members, keys and the chain are nothing that a member's books wait for.
        let others = [
            "member_admitted",
            "member_suspended",
            "member_resumed",
            "key_added",
            "key_revoked",
            "quota_set",
            "validators_changed",
        ];
        for kind in EventKind::ALL {
            let offered = words.contains(&format!("[\"{}\", ", kind.as_str()));
            let due = !others.contains(&kind.as_str());
            assert_eq!(offered, due, "{}", kind.as_str());
        }
    }
}

//! The description for people: one page made from the OpenAPI document, without scripts.

use std::fmt::Write;
use std::sync::LazyLock;

use actix_web::http::header::CONTENT_SECURITY_POLICY;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value};

use super::openapi::openapi;
use crate::pages::escape;
use crate::problem::Problem;
use crate::server::state::AppState;
use crate::server::trace_id::TraceId;
use crate::status::OK;

/// Stands in the cached page for the nonce of its style sheet.
const NONCE: &str = "@nonce@";

/// The page.
pub(crate) async fn page(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    static PAGE: LazyLock<String> = LazyLock::new(html);
    state.charge_anonymous(&request)?;
    let nonce = TraceId::random().to_string();
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; frame-ancestors 'none'"
    );
    Ok(HttpResponse::build(OK)
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .body(PAGE.replacen(NONCE, &nonce, 1)))
}

fn html() -> String {
    let document = serde_json::to_value(openapi()).unwrap_or_default();
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>票链接口 / Piaolian API</title><style nonce=\"{NONCE}\">{STYLE}</style></head>\
         <body><main><h1>票链接口 <small lang=\"en\">Piaolian API</small></h1><p>{}</p>\
         <p><a href=\"/openapi.json\">openapi.json</a> · \
         <a href=\"/v1/rejections\">错误代码 / codes</a></p>",
        text(&document["info"]["description"])
    );
    let empty = Map::new();
    let paths = document["paths"].as_object().unwrap_or(&empty);
    for tag in document["tags"].as_array().into_iter().flatten() {
        let _ = write!(page, "<h2>{}</h2>", text(&tag["description"]));
        for (path, operations) in paths {
            for (method, operation) in operations.as_object().unwrap_or(&empty) {
                if operation["tags"][0] == tag["name"] {
                    add_operation(&mut page, method, path, operation);
                }
            }
        }
    }
    page.push_str("<h2>数据结构 <small lang=\"en\">Schemas</small></h2>");
    let schemas = document["components"]["schemas"]
        .as_object()
        .unwrap_or(&empty);
    for (name, schema) in schemas {
        let body = serde_json::to_string_pretty(schema).unwrap_or_default();
        let (name, body) = (escape(name), escape(&body));
        let _ = write!(
            page,
            "<details id=\"{name}\"><summary>{name}</summary><pre>{body}</pre></details>"
        );
    }
    page.push_str("</main></body></html>\n");
    page
}

fn add_operation(page: &mut String, method: &str, path: &str, operation: &Value) {
    let signed = operation["security"].is_array();
    let _ = write!(
        page,
        "<details><summary><b>{}</b> <code>{}</code>{} — {}</summary>",
        method.to_uppercase(),
        escape(path),
        if signed { " 🔏" } else { "" },
        text(&operation["summary"]),
    );
    if operation["description"].is_string() {
        let _ = write!(page, "<p>{}</p>", text(&operation["description"]));
    }
    if operation["requestBody"]["description"].is_string() {
        let _ = write!(
            page,
            "<p><code>{}</code></p>",
            text(&operation["requestBody"]["description"])
        );
    }
    page.push_str("<table>");
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        add_row(
            page,
            &text(&parameter["name"]),
            &parameter["in"],
            &parameter["description"],
        );
    }
    let empty = Map::new();
    for (status, response) in operation["responses"].as_object().unwrap_or(&empty) {
        let schema = response["content"]
            .as_object()
            .and_then(|content| content.values().next());
        let name = schema
            .and_then(|media| media["schema"]["$ref"].as_str())
            .and_then(|reference| reference.rsplit('/').next())
            .unwrap_or_default();
        let link = format!("<a href=\"#{0}\">{0}</a>", escape(name));
        let _ = write!(
            page,
            "<tr><th>{}</th><td>{}</td><td>{}</td></tr>",
            escape(status),
            if name.is_empty() { "" } else { &link },
            text(&response["description"]),
        );
    }
    page.push_str("</table></details>");
}

fn add_row(page: &mut String, name: &str, place: &Value, description: &Value) {
    let (place, description) = (text(place), text(description));
    let _ = write!(
        page,
        "<tr><th>{name}</th><td>{place}</td><td>{description}</td></tr>"
    );
}

fn text(value: &Value) -> String {
    escape(value.as_str().unwrap_or_default())
}

const STYLE: &str = "body{font-family:sans-serif;margin:0;background:#f4f4f4;color:#222}\
    main{max-width:60em;margin:2em auto;padding:1.5em;background:#fff}\
    details{border-bottom:1px solid #ddd;padding:.4em 0}summary{cursor:pointer}\
    table{border-collapse:collapse;margin:.5em 0}th,td{text-align:left;padding:.2em .8em .2em 0;\
    vertical-align:top}pre{overflow-x:auto;background:#f8f8f8;padding:.5em}small{color:#555}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_operation_and_needs_nothing_from_elsewhere() {
        let page = html();
        let document = serde_json::to_value(openapi()).unwrap();
        for path in document["paths"].as_object().unwrap().keys() {
            assert!(
                page.contains(&format!("<code>{}</code>", escape(path))),
                "{path}"
            );
        }
        for outside in ["http:", "https:", "src=", "<script", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}

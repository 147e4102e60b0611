//! What was found.

use super::parts::{Viewer, document, name, receipt};
use crate::pages::escape;
use crate::registry::Found;

pub(super) fn form(viewer: Viewer, text: &str) -> String {
    let of = |zh: &'static str, en: &'static str| viewer.of_two(zh, en);
    format!(
        "<form method=\"get\" action=\"/oversight/search\" role=\"search\" class=\"row\"><div><label for=\"q\">{}</label>\
         <input id=\"q\" name=\"q\" value=\"{}\" maxlength=\"100\" autocomplete=\"off\" spellcheck=\"false\"></div>\
         <button type=\"submit\">{}</button></form>",
        of(
            "票据号码、成员编号或名称、记录编号",
            "A document's number, a member's id or name, a record's id"
        ),
        escape(text),
        of("检索", "Search"),
    )
}

pub(super) fn found(viewer: Viewer, text: &str, found: &Found) -> String {
    let of = |zh: &'static str, en: &'static str| viewer.of_two(zh, en);
    let mut html = form(viewer, text);
    html.push_str(&format!(
        "<p class=\"note\">{} {}</p>",
        of("截至区块", "As of block"),
        found.height
    ));
    let mut section = |title: &str, entries: Vec<String>| {
        let entries: String = entries
            .into_iter()
            .map(|entry| format!("<li>{entry}</li>"))
            .collect();
        if !entries.is_empty() {
            html.push_str(&format!("<h2>{title}</h2><ul>{entries}</ul>"));
        }
    };
    section(
        of("票据", "Documents"),
        found
            .documents
            .iter()
            .map(|key| document(viewer, key))
            .collect(),
    );
    let named = |one: &oversight::Named| {
        format!(
            "{} <code>{}</code>",
            super::parts::member(one),
            one.id.as_str()
        )
    };
    section(
        of("成员", "Members"),
        found.members.iter().map(named).collect(),
    );
    let path = |one: &crate::registry::RecordPath| {
        format!(
            "{} <code>{}</code>{}",
            receipt(viewer, one.by.id.as_str(), &one.id, one.index),
            escape(&one.id),
            viewer.aside(&escape(&name(&one.by)))
        )
    };
    section(
        of("记录", "Records"),
        found.records.iter().map(path).collect(),
    );
    if found.documents.is_empty() && found.members.is_empty() && found.records.is_empty() {
        html.push_str(&format!(
            "<p>{}</p>",
            of("没有找到。", "Nothing was found.")
        ));
    }
    if found.more {
        html.push_str(&format!(
            "<p class=\"note\">{}</p>",
            of(
                "未能全部查看：请写得更具体，记录可写为“成员编号/记录编号”。",
                "Not everything was looked at: be more specific; of a record write the member's id, a slash and the record's id."
            )
        ));
    }
    html
}

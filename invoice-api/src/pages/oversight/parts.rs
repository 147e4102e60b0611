//! What several of the supervisor's pages have: tables, links, the height that figures are of.

use std::fmt::Write as _;

use invoice_core::calendar::Instant;
use invoice_core::identity::DocumentKey;
use oversight::{Basis, Named, Sum};

use crate::language::Language;
use crate::pages::{escape, percent_encoded};

/// Who reads a page: pages lead only where their reader may go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Viewer {
    pub(super) language: Language,
    /// May see documents, receipts of others, the access log, and sign orders.
    pub(super) authority: bool,
    /// May set quotas.
    pub(super) tax: bool,
}

impl Viewer {
    pub(super) const fn of(language: Language, authority: bool, tax: bool) -> Self {
        Self {
            language,
            authority,
            tax,
        }
    }

    pub(super) fn of_two<T>(self, zh: T, en: T) -> T {
        self.language.of_two(zh, en)
    }

    /// In the parentheses of the language.
    pub(super) fn aside(self, text: &str) -> String {
        self.of_two(format!("（{text}）"), format!(" ({text})"))
    }
}

/// A column: its heading, and whether it holds numbers.
pub(super) type Column = (&'static str, bool);

/// A table with a caption. Cells are HTML.
pub(super) fn table(caption: &str, columns: &[Column], rows: &[Vec<String>]) -> String {
    let mut html = format!(
        "<table class=\"stack\"><caption>{}</caption><thead><tr>",
        escape(caption)
    );
    for (head, number) in columns {
        let class = if *number { " class=\"number\"" } else { "" };
        // Writing into a text cannot fail, here and below.
        let _ = write!(html, "<th scope=\"col\"{class}>{head}</th>");
    }
    html.push_str("</tr></thead><tbody>");
    for row in rows {
        html.push_str("<tr>");
        for ((head, number), cell) in columns.iter().zip(row) {
            let class = if *number { " class=\"number\"" } else { "" };
            let _ = write!(html, "<td data-label=\"{head}\"{class}>{cell}</td>");
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table>");
    html
}

/// The same, folded away until somebody opens it: for the figures of a chart.
pub(super) fn figures(
    viewer: Viewer,
    caption: &str,
    columns: &[Column],
    rows: &[Vec<String>],
) -> String {
    let word = viewer.of_two("数据表", "Figures as a table");
    format!(
        "<details><summary>{word}</summary>{}</details>",
        table(caption, columns, rows)
    )
}

/// Or a sentence where there is nothing to list.
pub(super) fn table_or_none(
    viewer: Viewer,
    caption: &str,
    columns: &[Column],
    rows: &[Vec<String>],
) -> String {
    match rows.is_empty() {
        false => table(caption, columns, rows),
        true => format!(
            "<p class=\"note\">{}</p>",
            viewer.of_two("没有记录。", "There are none.")
        ),
    }
}

/// Which blocks the figures are of.
pub(super) fn basis(viewer: Viewer, as_of: &Basis) -> String {
    let mut html = format!(
        "<p class=\"note as-of\">{} <strong>{}</strong>{}",
        viewer.of_two("数据截至区块", "Figures up to block"),
        as_of.height,
        viewer.aside(&format!(
            "{}{}{} {}",
            minute(as_of.time),
            viewer.of_two("，", ", "),
            as_of.records,
            viewer.of_two("条记录", "records"),
        )),
    );
    let behind = as_of.head.saturating_sub(as_of.height);
    if behind > 0 {
        let _ = write!(
            html,
            "{} {behind} {}",
            viewer.of_two("，链上另有", ", the chain is"),
            viewer.of_two("个更新的区块正在统计", "blocks ahead of it"),
        );
    }
    if as_of.left_out > 0 {
        let _ = write!(
            html,
            "{} {} {}",
            viewer.of_two("；另有", "; not counted:"),
            as_of.left_out,
            viewer.of_two(
                "个区块的正文已移出本节点，未计入",
                "blocks whose records were moved away from this node"
            ),
        );
    }
    html.push_str("</p>");
    html
}

/// A time to the minute, in UTC+8.
pub(super) fn minute(time: Instant) -> String {
    let text = time.to_rfc3339_utc8();
    text.get(..16).unwrap_or(&text).replace('T', " ")
}

/// The hour of a time as addresses name it.
pub(super) fn hour(time: Instant) -> String {
    let text = time.to_rfc3339_utc8();
    text.get(..13).unwrap_or(&text).to_owned()
}

/// The day of a time as addresses name it.
pub(super) fn day(time: Instant) -> String {
    time.date_utc8().to_string()
}

/// A member by name. Who has none is no member, but the issuer of a document that was registered.
pub(super) fn member(named: &Named) -> String {
    let id = named.id.as_str();
    let Some(name) = named.name.as_deref() else {
        return format!("<code>{id}</code>");
    };
    format!(
        "<a href=\"/oversight/members/{id}\" title=\"{id}\">{}</a>",
        escape(name)
    )
}

/// What a chart calls a member.
pub(super) fn name(named: &Named) -> String {
    let id = named.id.as_str();
    named.name.clone().unwrap_or_else(|| id.to_owned())
}

/// A document that there is, linked to its life for whoever may see it.
pub(super) fn document(viewer: Viewer, key: &DocumentKey) -> String {
    let key = key.to_string();
    if !viewer.authority {
        return format!("<code>{}</code>", escape(&key));
    }
    format!(
        "<a href=\"/oversight/documents/{}\"><code>{}</code></a>",
        percent_encoded(&key),
        escape(&key)
    )
}

/// A record by its place, linked to its receipt for whoever gets it.
pub(super) fn receipt(viewer: Viewer, by: &str, id: &str, index: u64) -> String {
    if !viewer.authority {
        return format!("#{index}");
    }
    format!(
        "<a href=\"/v1/records/{}/{}\">#{index}</a>",
        percent_encoded(by),
        percent_encoded(id)
    )
}

/// A link to a page of records.
pub(super) fn list(count: u64, parameters: &[(&str, &str)]) -> String {
    format!(
        "<a href=\"{}\">{count}</a>",
        escape(&address("records", parameters))
    )
}

/// The address of a page with parameters.
pub(super) fn address(view: &str, parameters: &[(&str, &str)]) -> String {
    let query: Vec<String> = parameters
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", percent_encoded(value)))
        .collect();
    match query.is_empty() {
        true => format!("/oversight/{view}"),
        false => format!("/oversight/{view}?{}", query.join("&")),
    }
}

/// The link to the next page, which keeps the parameters of this one.
pub(super) fn pager(
    viewer: Viewer,
    view: &str,
    parameters: &[(&str, &str)],
    next: Option<&str>,
) -> String {
    let Some(next) = next else {
        return String::new();
    };
    let mut all = parameters.to_vec();
    all.push(("cursor", next));
    format!(
        "<p><a class=\"button quiet\" rel=\"next\" href=\"{}\">{}</a></p>",
        escape(&address(view, &all)),
        viewer.of_two("下一页", "Next page")
    )
}

/// A number with what it counts, and the money in it, linked to its list.
pub(super) fn card(title: &str, sum: &Sum, money: bool, link: &str) -> String {
    let amount = match money {
        true => format!("<small>¥ {}</small>", sum.amount),
        false => String::new(),
    };
    format!(
        "<li><a href=\"{}\"><strong>{}</strong><span>{}</span>{amount}</a></li>",
        escape(link),
        sum.count,
        escape(title)
    )
}

//! A document's whole life, with the proofs.

use std::fmt::Write as _;

use crate::pages::{escape, percent_encoded};
use crate::registry::{DocumentView, TimelineCursor, TimelineEntry};

use super::parts::{Column, Viewer, minute, table_or_none};
use super::words::{fact, record_type, verdict};
use crate::texts;

pub(super) fn body(viewer: Viewer, view: &DocumentView) -> String {
    let of = |zh: &'static str, en: &'static str| viewer.of_two(zh, en);
    let state = &view.state;
    let facts = [
        (
            of("状态", "State"),
            verdict(viewer, state.verdict).to_owned(),
        ),
        (of("票面总额", "Total"), state.total.to_string()),
        (of("已红冲", "Reversed"), state.reversed.to_string()),
        (of("可报销额", "Capacity"), state.capacity.to_string()),
        (of("已入账", "Settled"), state.settled.to_string()),
        (of("已锁定", "Locked"), state.locked.to_string()),
        (of("剩余", "Remaining"), state.remaining.to_string()),
        (
            of("冻结", "Frozen"),
            of(
                if state.frozen { "是" } else { "否" },
                if state.frozen { "yes" } else { "no" },
            )
            .to_owned(),
        ),
        (
            of("超额报销", "Over-claimed"),
            of(
                if state.over_claimed { "是" } else { "否" },
                if state.over_claimed { "yes" } else { "no" },
            )
            .to_owned(),
        ),
        (
            of("其他号码", "Other identities"),
            view.aliases
                .iter()
                .map(ToString::to_string)
                .chain((view.aliases_left_out > 0).then(|| {
                    let words = of("个未列出", "more are not named here");
                    format!("{} {words}", view.aliases_left_out)
                }))
                .collect::<Vec<_>>()
                .join(", "),
        ),
    ];
    let facts: String = facts
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(head, value)| format!("<dt>{head}</dt><dd>{value}</dd>"))
        .collect();
    let rows = |entries: &[TimelineEntry]| -> Vec<Vec<String>> {
        entries.iter().map(|entry| row(viewer, entry)).collect()
    };
    let columns = [
        (of("时间", "Time"), false),
        (of("发生", "What"), false),
        (of("提交方", "By"), false),
        (of("金额", "Amount"), true),
        (of("说明", "Facts"), false),
        (of("证明", "Proofs"), false),
    ];
    let key = percent_encoded(&view.document.to_string());
    let order = if state.frozen {
        of("解冻", "Unfreeze")
    } else {
        of("冻结", "Freeze")
    };
    let cursor = (view.from != TimelineCursor::default())
        .then(|| format!("?cursor={}", hex::encode(view.from.encode())));
    let here = format!("/oversight/documents/{key}{}", cursor.unwrap_or_default());
    let life = section(
        viewer,
        view,
        [
            ("全部经过", "Its whole life"),
            (
                "已接受的记录，最早的在前",
                "What was accepted, the oldest first",
            ),
        ],
        (view.from.accepted_after.is_some(), view.next),
        &columns,
        &rows(&view.timeline),
    );
    let refused = section(
        viewer,
        view,
        [
            ("被拒绝的记录", "What was refused"),
            (
                "被拒绝的记录，最早的在前",
                "What was refused, the oldest first",
            ),
        ],
        (view.from.refused_after.is_some(), view.refused_next),
        &columns,
        &rows(&view.refused),
    );
    format!(
        "<p class=\"note as-of\">{} <strong>{}</strong>{} <a href=\"{here}\" id=\"refresh\">{}</a></p><dl class=\"facts\">{facts}</dl>\
         <p><a class=\"button quiet\" href=\"/oversight/orders?document={key}\">{order}</a></p>{life}{refused}\
         <details><summary>{}</summary><pre class=\"record\">{}</pre></details>",
        of("数据截至区块", "As of block"),
        view.as_of.height,
        viewer.aside(&minute(view.as_of.time)),
        of("刷新", "Refresh"),
        of("开具记录原文", "The record that issued it, word for word"),
        escape(&view.record),
    )
}

/// One of the two lists, each with a mark when it does not begin or does not end here.
fn section(
    viewer: Viewer,
    view: &DocumentView,
    [heading, caption]: [(&'static str, &'static str); 2],
    (continued, next): (bool, Option<TimelineCursor>),
    columns: &[Column],
    rows: &[Vec<String>],
) -> String {
    let of = |(zh, en): (&'static str, &'static str)| viewer.of_two(zh, en);
    let mut html = format!("<h2>{}</h2>", of(heading));
    let key = percent_encoded(&view.document.to_string());
    // Writing into a text cannot fail, here and below.
    if continued {
        let _ = write!(
            html,
            "<p class=\"note\">{} <a href=\"/oversight/documents/{key}\">{}</a></p>",
            of(("续前页。", "Continued from an earlier page.")),
            of(("从头看", "From the beginning")),
        );
    }
    // A page on which nothing was found may still be followed by one with something.
    if !rows.is_empty() || next.is_none() {
        html.push_str(&table_or_none(viewer, of(caption), columns, rows));
    }
    if let Some(next) = next {
        let _ = write!(
            html,
            "<p class=\"box warn\">{} <a class=\"button quiet\" \
             href=\"/oversight/documents/{key}?cursor={}\">{}</a></p>",
            of((
                "记录太多，本页到此为止，后面还有。",
                "There are too many records for one page: the list goes on.",
            )),
            hex::encode(next.encode()),
            of(("下一页", "Next page")),
        );
    }
    html
}

fn row(viewer: Viewer, entry: &TimelineEntry) -> Vec<String> {
    let facts: Vec<String> = entry
        .facts
        .iter()
        .map(|(name, value)| {
            let value = match name {
                "code" => texts::title(value, viewer.language),
                _ => value.to_owned(),
            };
            format!("{}: {}", escape(&fact(viewer, name)), escape(&value))
        })
        .collect();
    let (height, index) = (entry.place.height, entry.place.index);
    let by = entry
        .by
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let receipt = match &entry.id {
        Some(id) => format!(
            "<a href=\"/v1/records/{}/{}\">{}</a> · ",
            percent_encoded(&by),
            percent_encoded(id),
            viewer.of_two("回执", "receipt")
        ),
        None => String::new(),
    };
    let size = index.saturating_add(1);
    vec![
        minute(entry.place.time),
        escape(&record_type(viewer, &entry.kind)),
        format!(
            "<a href=\"/oversight/members/{0}\"><code>{0}</code></a>",
            escape(&by)
        ),
        entry
            .amount
            .map_or_else(|| "–".to_owned(), |amount| amount.to_string()),
        facts.join("<br>"),
        format!(
            "{receipt}<a href=\"/v1/proofs/inclusion?index={index}&amp;tree_size={size}\">{} #{index}</a> · \
             <a href=\"/v1/blocks/{height}\">{} {height}</a>",
            viewer.of_two("包含证明", "inclusion"),
            viewer.of_two("区块", "block"),
        ),
    ]
}

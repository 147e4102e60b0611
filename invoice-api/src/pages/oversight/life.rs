//! A document's whole life, with the proofs.

use crate::pages::{escape, percent_encoded};
use crate::registry::{DocumentView, TimelineEntry};

use super::parts::{Viewer, minute, table};
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
                .collect::<Vec<_>>()
                .join(", "),
        ),
    ];
    let facts: String = facts
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(head, value)| format!("<dt>{head}</dt><dd>{value}</dd>"))
        .collect();
    let rows: Vec<Vec<String>> = view
        .timeline
        .iter()
        .map(|entry| row(viewer, entry))
        .collect();
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
    format!(
        "<p class=\"note as-of\">{} <strong>{}</strong>{}</p><dl class=\"facts\">{facts}</dl>\
         <p><a class=\"button quiet\" href=\"/oversight/orders?document={key}\">{order}</a></p><h2>{}</h2>{}\
         <details><summary>{}</summary><pre class=\"record\">{}</pre></details>",
        of("数据截至区块", "As of block"),
        view.as_of.height,
        viewer.aside(&minute(view.as_of.time)),
        of("全部经过", "Its whole life"),
        table(of("最早的在前", "The oldest first"), &columns, &rows),
        of("开具记录原文", "The record that issued it, word for word"),
        escape(&view.record),
    )
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

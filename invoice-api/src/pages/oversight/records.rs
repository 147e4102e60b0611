//! Lists of records.

use oversight::{Measure, RecordsPage};

use super::parts::{Viewer, basis, document, member, minute, pager, receipt, table_or_none};
use super::words::record_type;
use crate::pages::escape;
use crate::routes::Query;
use crate::texts;

/// The parameters of a list of records, which its next page keeps, and what they are called.
const KEPT: [(&str, &str, &str); 10] = [
    ("list", "清单", "list"),
    ("measure", "指标", "measure"),
    ("from", "从", "from"),
    ("to", "到", "to"),
    ("region", "地区", "region"),
    ("kind", "票种", "kind"),
    ("code", "被拒原因", "refused for"),
    ("tried", "尝试方", "tried by"),
    ("held", "持有方", "held by"),
    ("member", "成员", "member"),
];

/// A parameter's value in words.
fn value(viewer: Viewer, name: &str, text: &str) -> String {
    let number = text.parse::<u8>().unwrap_or(0);
    match (name, text) {
        ("list", "cells") => viewer.of_two("时段内", "of a time").to_owned(),
        ("list", "code") => viewer
            .of_two("按被拒原因", "by reason of refusal")
            .to_owned(),
        ("list", "pair") => viewer.of_two("单位对", "of a pair").to_owned(),
        ("list", "issued") => viewer.of_two("开具的票据", "documents issued").to_owned(),
        ("list", "reversed") => viewer.of_two("红冲", "reversals").to_owned(),
        ("list", "refused") => viewer.of_two("被拒的记录", "records refused").to_owned(),
        ("list", "expired") => viewer.of_two("过期的锁定", "locks that ran out").to_owned(),
        ("list", "frozen") => viewer
            .of_two("冻结中的票据", "documents frozen now")
            .to_owned(),
        ("measure", _) => match Measure::from_word(text) {
            Some(measure) => super::volume::measure_word(viewer, measure).to_owned(),
            None => text.to_owned(),
        },
        ("region", _) => {
            let (zh, en) = oversight::region_name(number);
            viewer.of_two(zh, en).to_owned()
        }
        ("kind", _) => {
            let (zh, en) = oversight::kind_name(number);
            viewer.of_two(zh, en)
        }
        ("code", _) => texts::title(text, viewer.language),
        _ => text.to_owned(),
    }
}

pub(super) fn records(viewer: Viewer, page: &RecordsPage, query: &Query) -> String {
    let of = |zh: &'static str, en: &'static str| viewer.of_two(zh, en);
    let rows: Vec<Vec<String>> = page
        .records
        .iter()
        .map(|record| {
            vec![
                minute(record.time),
                escape(&record_type(viewer, &record.kind)),
                member(&record.by),
                match &record.document {
                    Some(key) if record.document_exists => document(viewer, key),
                    Some(key) => format!("<code>{key}</code>"),
                    None => "–".to_owned(),
                },
                record
                    .amount
                    .map_or_else(|| "–".to_owned(), |amount| amount.to_string()),
                record.code.as_deref().map_or_else(
                    || of("已受理", "accepted").to_owned(),
                    |code| escape(&texts::title(code, viewer.language)),
                ),
                format!(
                    "{} · {} {}",
                    receipt(viewer, record.by.id.as_str(), &record.id, record.index),
                    of("区块", "block"),
                    record.height
                ),
            ]
        })
        .collect();
    let columns = [
        (of("时间", "Time"), false),
        (of("类型", "Type"), false),
        (of("提交方", "By"), false),
        (of("票据", "Document"), false),
        (of("金额", "Amount"), true),
        (of("结果", "Answer"), false),
        (of("记录", "Record"), false),
    ];
    let kept: Vec<(&str, &str)> = KEPT
        .iter()
        .map(|(name, ..)| (*name, query.text(name).unwrap_or_default()))
        .collect();
    let shown: Vec<String> = KEPT
        .iter()
        .filter_map(|(name, zh, en)| {
            let text = query.text(name).filter(|text| !text.is_empty())?;
            let word = viewer.of_two(zh, en);
            Some(format!("{word}: {}", escape(&value(viewer, name, text))))
        })
        .collect();
    let away: Vec<String> = page.away.iter().map(|index| format!("#{index}")).collect();
    let away = match away.is_empty() {
        true => String::new(),
        false => format!(
            "<p class=\"note\">{} {}</p>",
            viewer.of_two(
                "以下记录的正文已移出本节点，无法列出：",
                "Records whose year was moved away from this node, which cannot be shown:"
            ),
            away.join(", ")
        ),
    };
    let list = match page.records.is_empty() && !page.away.is_empty() {
        true => String::new(),
        false => table_or_none(
            viewer,
            of("记录，新的在前", "Records, the newest first"),
            &columns,
            &rows,
        ),
    };
    format!(
        "{}<p>{}</p>{list}{away}{}",
        basis(viewer, &page.as_of),
        shown.join(" · "),
        pager(viewer, "records", &kept, page.next.as_deref()),
    )
}

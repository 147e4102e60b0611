//! The access log.

use super::parts::{Viewer, document, pager, table_or_none};
use crate::pages::escape;
use crate::registry::AccessPage;

pub(super) fn body(viewer: Viewer, page: &AccessPage) -> String {
    let of = |zh: &'static str, en: &'static str| viewer.of_two(zh, en);
    let rows: Vec<Vec<String>> = page
        .entries
        .iter()
        .map(|entry| {
            let by = match &entry.by {
                None => of("公众", "the public").to_owned(),
                Some(id) => format!("<a href=\"/oversight/members/{id}\"><code>{id}</code></a>"),
            };
            vec![
                escape(entry.time.get(..19).unwrap_or(&entry.time)),
                by,
                format!("<code>{}</code>", escape(&entry.call)),
                match entry.document_exists {
                    true => document(viewer, &entry.document),
                    false => format!("<code>{}</code>", entry.document),
                },
                escape(&entry.asked.join(", ")),
                escape(&entry.differs.join(", ")),
                format!("<code>{}</code>", escape(&entry.answer)),
            ]
        })
        .collect();
    let columns = [
        (of("时间", "Time"), false),
        (of("查询方", "Asked by"), false),
        (of("调用", "Call"), false),
        (of("票据", "Document"), false),
        (of("提供的要素", "Elements given"), false),
        (of("不符的要素", "Those that differ"), false),
        (of("答复", "Answer"), false),
    ];
    format!(
        "<p class=\"note\">{} <strong>{}</strong>{} <code class=\"key\">{}</code></p>{}{}",
        of("本节点查询日志条数", "Questions in this node's log:"),
        page.entries_total,
        of("，日志树根（SM3）", ", tree root (SM3)"),
        escape(&page.root),
        table_or_none(
            viewer,
            of("查询，新的在前", "Questions, the newest first"),
            &columns,
            &rows
        ),
        pager(viewer, "access", &[], page.next.as_deref()),
    )
}

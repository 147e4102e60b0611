//! Lists: records, locks, members, the access log, what was found.

use oversight::{LocksPage, MemberView, MembersPage, RecordsPage};

use super::chart::{self, About, Bar};
use super::parts::{
    basis, document, figures, list, member, minute, name, pager, receipt, table, table_or_none,
};
use crate::language::Language;
use crate::pages::{escape, percent_encoded};
use crate::registry::{AccessPage, Found, MemberFound};
use crate::routes::Query;

/// The parameters of a list of records, which its next page keeps.
const KEPT: [&str; 10] = [
    "list", "measure", "from", "to", "region", "kind", "code", "tried", "held", "member",
];

pub(super) fn records(language: Language, page: &RecordsPage, query: &Query) -> String {
    let of = |zh: &'static str, en: &'static str| language.of_two(zh, en);
    let rows: Vec<Vec<String>> = page
        .records
        .iter()
        .map(|record| {
            vec![
                minute(record.time),
                format!("<code>{}</code>", escape(&record.kind)),
                member(&record.by),
                record
                    .document
                    .as_ref()
                    .map_or_else(|| "–".to_owned(), document),
                record
                    .amount
                    .map_or_else(|| "–".to_owned(), |amount| amount.to_string()),
                record.code.as_deref().map_or_else(
                    || of("已受理", "accepted").to_owned(),
                    |code| format!("<code>{}</code>", escape(code)),
                ),
                format!(
                    "{} · {} {}",
                    receipt(record.by.id.as_str(), &record.id, record.index),
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
        .map(|name| (*name, query.text(name).unwrap_or_default()))
        .collect();
    let shown: Vec<String> = kept
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}: <code>{}</code>", escape(value)))
        .collect();
    format!(
        "{}<p>{}</p>{}{}",
        basis(language, &page.as_of),
        shown.join(" · "),
        table_or_none(
            language,
            of("记录，新的在前", "Records, the newest first"),
            &columns,
            &rows
        ),
        pager(language, "records", &kept, page.next.as_deref()),
    )
}

pub(super) fn locks(language: Language, page: &LocksPage) -> String {
    let of = |zh: &'static str, en: &'static str| language.of_two(zh, en);
    let title = of("有效锁定按天数", "Live locks by age in days");
    let ages: Vec<(String, &oversight::Sum)> = page
        .ages
        .iter()
        .map(|age| {
            let days = match age.days_below {
                Some(below) => format!("{}–{}", age.days_from, below.saturating_sub(1)),
                None => format!("{}+", age.days_from),
            };
            (format!("{days} {}", of("天", "d")), &age.sum)
        })
        .collect();
    let bars: Vec<Bar> = ages
        .iter()
        .map(|(label, sum)| Bar {
            label: label.clone(),
            value: sum.count,
            told: format!("{label}: {} (¥ {})", sum.count, sum.amount),
            link: None,
        })
        .collect();
    let about = About {
        id: "ages",
        title,
        description: of(
            "每条为该天数的锁定笔数",
            "Each bar is the number of locks of that age",
        ),
    };
    let rows: Vec<Vec<String>> = ages
        .iter()
        .map(|(label, sum)| vec![label.clone(), sum.count.to_string(), sum.amount.to_string()])
        .collect();
    let columns = [
        (of("天数", "Age"), false),
        (of("笔数", "Locks"), true),
        (of("金额（元）", "Amount (yuan)"), true),
    ];
    let chart = chart::shares(&about, &bars) + &figures(language, title, &columns, &rows);
    let rows: Vec<Vec<String>> = page
        .locks
        .iter()
        .map(|lock| {
            vec![
                minute(lock.locked_at),
                member(&lock.by),
                document(&lock.document),
                lock.amount.to_string(),
                format!("<code>{}</code>", escape(&lock.kind)),
                minute(lock.expires_at),
                receipt(lock.by.id.as_str(), &lock.id, lock.index),
            ]
        })
        .collect();
    let columns = [
        (of("锁定于", "Locked at"), false),
        (of("单位", "By"), false),
        (of("票据", "Document"), false),
        (of("金额", "Amount"), true),
        (of("类别", "Kind"), false),
        (of("到期", "Ends"), false),
        (of("记录", "Record"), false),
    ];
    format!(
        "{}<h2>{title}</h2>{chart}<h2>{}</h2>{}{}",
        basis(language, &page.as_of),
        of("最早的在前", "The oldest first"),
        table_or_none(language, of("有效锁定", "Live locks"), &columns, &rows),
        pager(language, "locks", &[], page.next.as_deref()),
    )
}

pub(super) fn members(language: Language, page: &MembersPage) -> String {
    let of = |zh: &'static str, en: &'static str| language.of_two(zh, en);
    let rows: Vec<Vec<String>> = page
        .members
        .iter()
        .map(|one| {
            vec![
                member(&one.member),
                format!("<code>{}</code>", one.member.id.as_str()),
                one.accepted.to_string(),
                list(
                    one.refused,
                    &[("list", "refused"), ("member", one.member.id.as_str())],
                ),
                minute(one.first),
                minute(one.last),
            ]
        })
        .collect();
    let columns = [
        (of("成员", "Member"), false),
        (of("编号", "Id"), false),
        (of("受理", "Accepted"), true),
        (of("被拒", "Refused"), true),
        (of("首条", "First"), false),
        (of("最近", "Last"), false),
    ];
    format!(
        "{}{}{}",
        basis(language, &page.as_of),
        table_or_none(
            language,
            of("提交过记录的成员", "Members that sent records"),
            &columns,
            &rows
        ),
        pager(language, "members", &[], page.next.as_deref()),
    )
}

fn member_facts(language: Language, found: &MemberFound) -> String {
    let of = |zh: &'static str, en: &'static str| language.of_two(zh, en);
    let standing = match found.suspended {
        true => format!(
            "<span class=\"tag bad\">{}</span>",
            of("已暂停", "suspended")
        ),
        false => format!(
            "<span class=\"tag good\">{}</span>",
            of("正常", "in good standing")
        ),
    };
    format!(
        "<dl class=\"facts\"><dt>{}</dt><dd><code>{}</code></dd><dt>{}</dt><dd>{}</dd><dt>{}</dt><dd>{standing}</dd></dl>",
        of("编号", "Id"),
        found.member.id.as_str(),
        of("角色", "Roles"),
        escape(&found.roles.join(", ")),
        of("状态", "Standing"),
    )
}

pub(super) fn member_page(language: Language, found: &MemberFound) -> String {
    let of = |zh: &'static str, en: &'static str| language.of_two(zh, en);
    let id = found.member.id.as_str();
    let mut html = member_facts(language, found);
    if let Some(activity) = &found.activity {
        let rows: Vec<Vec<String>> = activity
            .types
            .iter()
            .map(|one| {
                vec![
                    format!("<code>{}</code>", escape(&one.kind)),
                    one.accepted.to_string(),
                    one.refused.to_string(),
                ]
            })
            .collect();
        let columns = [
            (of("记录类型", "Type of record"), false),
            (of("受理", "Accepted"), true),
            (of("被拒", "Refused"), true),
        ];
        html.push_str(&table(of("记录", "Records"), &columns, &rows));
    }
    let lists = [
        ("refused", of("被拒的记录", "Records refused")),
        ("issued", of("开具的票据", "Documents issued")),
        ("reversed", of("红冲", "Reversals")),
    ];
    for (kind, word) in lists {
        html.push_str(&format!(
            "<p><a href=\"/oversight/records?list={kind}&amp;member={id}\">{word}</a></p>"
        ));
    }
    // Only who has issued something has figures as an issuer.
    let issues = |activity: &MemberView| {
        let mut types = activity.types.iter();
        types.any(|one| one.accepted > 0 && one.kind.ends_with(".issue"))
    };
    if found.activity.as_ref().is_some_and(issues) {
        html.push_str(&format!(
            "<p><a href=\"/oversight/merchants/{id}\">{}</a></p>",
            of("作为开票方的数据", "Its figures as an issuer")
        ));
    }
    html
}

pub(super) fn access(language: Language, page: &AccessPage) -> String {
    let of = |zh: &'static str, en: &'static str| language.of_two(zh, en);
    let rows: Vec<Vec<String>> = page
        .entries
        .iter()
        .map(|entry| {
            let by = match entry.by.as_str() {
                "" => of("公众", "the public").to_owned(),
                id => format!(
                    "<a href=\"/oversight/members/{0}\"><code>{0}</code></a>",
                    escape(id)
                ),
            };
            vec![
                escape(entry.time.get(..19).unwrap_or(&entry.time)),
                by,
                format!("<code>{}</code>", escape(&entry.call)),
                format!(
                    "<a href=\"/oversight/documents/{}\"><code>{}</code></a>",
                    percent_encoded(&entry.document),
                    escape(&entry.document)
                ),
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
        "<p class=\"note\">{} <strong>{}</strong>，{} <code class=\"key\">{}</code></p>{}{}",
        of("本节点查询日志条数", "Questions in this node's log:"),
        page.entries_total,
        of("日志树根（SM3）", "tree root (SM3)"),
        escape(&page.root),
        table_or_none(
            language,
            of("查询，新的在前", "Questions, the newest first"),
            &columns,
            &rows
        ),
        pager(language, "access", &[], page.next.as_deref()),
    )
}

pub(super) fn search_form(language: Language, text: &str) -> String {
    let of = |zh: &'static str, en: &'static str| language.of_two(zh, en);
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

pub(super) fn found(language: Language, text: &str, found: &Found) -> String {
    let of = |zh: &'static str, en: &'static str| language.of_two(zh, en);
    let mut html = search_form(language, text);
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
        found.documents.iter().map(document).collect(),
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
            "{} <code>{}</code>（{}）",
            receipt(one.by.id.as_str(), &one.id, one.index),
            escape(&one.id),
            escape(&name(&one.by))
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
                "结果过多，请写得更具体。",
                "There is more: be more specific."
            )
        ));
    }
    html
}

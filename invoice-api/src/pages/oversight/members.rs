//! Members and what they did.

use oversight::{MemberView, MembersPage};

use super::parts::{Viewer, basis, list, member, minute, pager, table, table_or_none};
use super::words::{record_type, role};
use crate::pages::escape;
use crate::registry::MemberFound;

pub(super) fn body(viewer: Viewer, page: &MembersPage) -> String {
    let of = |zh: &'static str, en: &'static str| viewer.of_two(zh, en);
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
        basis(viewer, &page.as_of),
        table_or_none(
            viewer,
            of("提交过记录的成员", "Members that sent records"),
            &columns,
            &rows
        ),
        pager(viewer, "members", &[], page.next.as_deref()),
    )
}

fn member_facts(viewer: Viewer, found: &MemberFound) -> String {
    let of = |zh: &'static str, en: &'static str| viewer.of_two(zh, en);
    let roles: Vec<String> = found.roles.iter().map(|word| role(viewer, word)).collect();
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
        escape(&roles.join(viewer.of_two("、", ", "))),
        of("状态", "Standing"),
    )
}

pub(super) fn one(viewer: Viewer, found: &MemberFound) -> String {
    let of = |zh: &'static str, en: &'static str| viewer.of_two(zh, en);
    let id = found.member.id.as_str();
    let mut html = member_facts(viewer, found);
    if let Some(activity) = &found.activity {
        let rows: Vec<Vec<String>> = activity
            .types
            .iter()
            .map(|one| {
                vec![
                    escape(&record_type(viewer, &one.kind)),
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

//! Attempted double claims, over-claims, late reversals; and who tried what who held.

use oversight::{IncidentView, IncidentsPage, Named, PairView, PairsPage};

use super::chart::{self, About, HEAT_MAX, Heat};
use super::parts::{
    Viewer, address, basis, document, list, member, minute, name, pager, receipt, table_or_none,
};
use crate::pages::escape;
use crate::texts;

/// What the page explains above its list.
fn lead(viewer: Viewer, view: &str) -> &'static str {
    match view {
        "attempts" => viewer.of_two(
            "被拒的锁定，而当时另有单位在同一票据上持有锁定或入账。合计与“谁试谁”中，每次最多计入他人当时持有的金额，不以所填金额为准。每一条都是链上记录；是否有意，数字不能说明。",
            "Refused locks on documents on which others held locks or settlements at the time. In sums and pairs each counts for at most what others held then, whatever it asked for. Each is a record on the chain; whether it was meant, figures cannot say.",
        ),
        "over-claims" => viewer.of_two(
            "红冲后，已入账金额超出剩余可报销金额的票据；入账冲回到不再超出时即为已消除。",
            "Documents whose settlements exceed what reversals left; cleared once so much is taken back that they fit again.",
        ),
        _ => viewer.of_two(
            "红冲时，仍有单位在该票据上持有锁定或入账。",
            "Reversals of documents on which somebody held locks or settlements.",
        ),
    }
}

pub(super) fn body(viewer: Viewer, view: &str, page: &IncidentsPage) -> String {
    let of = |zh: &'static str, en: &'static str| viewer.of_two(zh, en);
    let rows: Vec<Vec<String>> = page
        .incidents
        .iter()
        .map(|incident| row(viewer, view, incident))
        .collect();
    let columns = [
        (of("时间", "Time"), false),
        (
            if view == "late-reversals" || view == "over-claims" {
                of("红冲方", "Reversed by")
            } else {
                of("尝试方", "Tried by")
            },
            false,
        ),
        (of("票据", "Document"), false),
        (
            if view == "over-claims" {
                of("超出额（曾达）", "Excess (at most)")
            } else {
                of("金额", "Amount")
            },
            true,
        ),
        (of("当时持有", "Held then by"), false),
        (
            if view == "over-claims" {
                of("现状", "Now")
            } else {
                of("结果", "Answer")
            },
            false,
        ),
        (of("记录", "Record"), false),
    ];
    format!(
        "{}<p class=\"lead\">{}</p><p>{} <strong>{}</strong>{}¥ {}</p>{}{}",
        basis(viewer, &page.as_of),
        lead(viewer, view),
        of("共", "In all"),
        page.total.count,
        of("，", ", "),
        page.total.amount,
        table_or_none(
            viewer,
            of("清单，新的在前", "The list, newest first"),
            &columns,
            &rows
        ),
        pager(viewer, view, &[], page.next.as_deref()),
    )
}

fn row(viewer: Viewer, view: &str, incident: &IncidentView) -> Vec<String> {
    let of = |zh: &'static str, en: &'static str| viewer.of_two(zh, en);
    let amount = incident.amount.map_or_else(
        || of("全部剩余", "all that was left").to_owned(),
        |amount| amount.to_string(),
    );
    let amount = match incident.largest {
        Some(largest) => format!("{amount}{}", viewer.aside(&largest.to_string())),
        None => amount,
    };
    let answer = match (&incident.code, incident.cleared_by) {
        (Some(code), _) => escape(&texts::title(code, viewer.language)),
        (None, Some(index)) => format!(
            "<span class=\"tag good\">{} #{index}</span>",
            of("已消除", "cleared by")
        ),
        (None, None) if view == "over-claims" => {
            format!("<span class=\"tag bad\">{}</span>", of("未消除", "open"))
        }
        (None, None) => of("已受理", "accepted").to_owned(),
    };
    let at = match view {
        "attempts" => format!(
            "<a href=\"/oversight/attempts/{}\">{}</a>",
            incident.index,
            minute(incident.time)
        ),
        _ => minute(incident.time),
    };
    vec![
        at,
        member(&incident.by),
        document(viewer, &incident.document),
        amount,
        holders(viewer, incident),
        answer,
        format!(
            "{} · {} {}",
            receipt(
                viewer,
                incident.by.id.as_str(),
                &incident.id,
                incident.index
            ),
            of("区块", "block"),
            incident.height
        ),
    ]
}

fn holders(viewer: Viewer, incident: &IncidentView) -> String {
    let each: Vec<String> = incident
        .holders
        .iter()
        .map(|holder| {
            format!(
                "{} ({} {}, {} {})",
                member(&holder.member),
                viewer.of_two("锁定", "locked"),
                holder.locked,
                viewer.of_two("入账", "settled"),
                holder.settled
            )
        })
        .collect();
    let more = incident
        .holders_count
        .saturating_sub(incident.holders.len() as u64);
    match more {
        0 => each.join("<br>"),
        more => format!("{}<br>+{more}", each.join("<br>")),
    }
}

pub(super) fn one(viewer: Viewer, attempt: &IncidentView) -> String {
    let of = |zh: &'static str, en: &'static str| viewer.of_two(zh, en);
    let cells = row(viewer, "attempts", attempt);
    let heads = [
        of("时间", "Time"),
        of("尝试方", "Tried by"),
        of("票据", "Document"),
        of("金额", "Amount"),
        of("当时持有", "Held then by"),
        of("结果", "Answer"),
        of("记录", "Record"),
    ];
    let facts: String = heads
        .iter()
        .zip(cells)
        .map(|(head, cell)| format!("<dt>{head}</dt><dd>{cell}</dd>"))
        .collect();
    format!("<dl class=\"facts\">{facts}</dl>")
}

/// The table of pairs.
pub(super) fn pair_table(viewer: Viewer, caption: &str, pairs: &[PairView]) -> String {
    let of = |zh: &'static str, en: &'static str| viewer.of_two(zh, en);
    let rows: Vec<Vec<String>> = pairs
        .iter()
        .map(|pair| {
            let parameters = [
                ("list", "pair"),
                ("tried", pair.tried.id.as_str()),
                ("held", pair.held.id.as_str()),
            ];
            vec![
                member(&pair.tried),
                member(&pair.held),
                list(pair.sum.count, &parameters),
                pair.sum.amount.to_string(),
                format!("<a href=\"/oversight/attempts/{0}\">#{0}</a>", pair.last),
            ]
        })
        .collect();
    let columns = [
        (of("尝试方", "Who tried"), false),
        (of("持有方", "Who held"), false),
        (of("次数", "Times"), true),
        (of("金额（元）", "Amount (yuan)"), true),
        (of("最近一次", "The last"), false),
    ];
    table_or_none(viewer, caption, &columns, &rows)
}

pub(super) fn pairs(viewer: Viewer, page: &PairsPage) -> String {
    let of = |zh: &'static str, en: &'static str| viewer.of_two(zh, en);
    let title = of(
        "谁尝试（行）、谁持有（列）",
        "Who tried (rows), who held (columns)",
    );
    let mut rows: Vec<&Named> = Vec::new();
    let mut columns: Vec<&Named> = Vec::new();
    let mut cells = Vec::new();
    for pair in &page.pairs {
        let (Some(row), Some(column)) = (
            place(&mut rows, &pair.tried),
            place(&mut columns, &pair.held),
        ) else {
            continue;
        };
        let (tried, held) = (name(&pair.tried), name(&pair.held));
        cells.push(Heat {
            row,
            column,
            value: pair.sum.count,
            told: format!(
                "{tried} → {held}: {} (¥ {})",
                pair.sum.count, pair.sum.amount
            ),
            link: address(
                "records",
                &[
                    ("list", "pair"),
                    ("tried", pair.tried.id.as_str()),
                    ("held", pair.held.id.as_str()),
                ],
            ),
        });
    }
    let names =
        |members: &[&Named]| -> Vec<String> { members.iter().map(|member| name(member)).collect() };
    let about = About {
        id: "pairs",
        title,
        description: of(
            "格中数字为次数，颜色越深次数越多；下表为同样的数据",
            "The number in a cell says how often; the darker the more. The table below has the same figures",
        ),
    };
    let map = match cells.is_empty() {
        true => String::new(),
        false => chart::heat(&about, &names(&rows), &names(&columns), &cells),
    };
    format!(
        "{}<h2>{title}</h2>{map}{}{}",
        basis(viewer, &page.as_of),
        pair_table(
            viewer,
            of("单位对，次数多的在前", "Pairs, the most frequent first"),
            &page.pairs
        ),
        pager(viewer, "pairs", &[], page.next.as_deref()),
    )
}

/// The place of a member on a side of the map, a new one while there is room.
fn place<'p>(side: &mut Vec<&'p Named>, member: &'p Named) -> Option<usize> {
    if let Some(place) = side.iter().position(|known| known.id == member.id) {
        return Some(place);
    }
    (side.len() < HEAT_MAX).then(|| {
        side.push(member);
        side.len().saturating_sub(1)
    })
}

//! Live locks, by age.

use oversight::LocksPage;

use super::chart::{self, About, Bar};
use super::parts::{
    Viewer, address, basis, document, figures, member, minute, pager, receipt, table_or_none,
};
use super::words::claim_kind;
use crate::pages::escape;
use crate::routes::Query;

pub(super) fn body(viewer: Viewer, page: &LocksPage, query: &Query) -> String {
    let of = |zh: &'static str, en: &'static str| viewer.of_two(zh, en);
    let title = of("有效锁定按天数", "Live locks by age in days");
    let ages: Vec<(String, String, &oversight::Sum)> = page
        .ages
        .iter()
        .map(|age| {
            let days = match age.days_below {
                Some(below) => format!("{}–{}", age.days_from, below.saturating_sub(1)),
                None => format!("{}+", age.days_from),
            };
            let (from, below) = (age.days_from.to_string(), age.days_below);
            let below = below.map(|below| below.to_string()).unwrap_or_default();
            let link = address("locks", &[("days_from", &from), ("days_below", &below)]);
            (format!("{days} {}", of("天", "d")), link, &age.sum)
        })
        .collect();
    let bars: Vec<Bar> = ages
        .iter()
        .map(|(label, link, sum)| Bar {
            label: label.clone(),
            value: sum.count,
            told: format!("{label}: {} (¥ {})", sum.count, sum.amount),
            link: Some(link.clone()),
        })
        .collect();
    let about = About {
        id: "ages",
        title,
        description: of(
            "每条为该天数的锁定笔数，点击只看这些；天数按北京时间的日历日计",
            "Each bar is the number of locks of that age and leads to them; days are those of the calendar in UTC+8",
        ),
    };
    let rows: Vec<Vec<String>> = ages
        .iter()
        .map(|(label, link, sum)| {
            let link = format!("<a href=\"{}\">{}</a>", escape(link), sum.count);
            vec![label.clone(), link, sum.amount.to_string()]
        })
        .collect();
    let columns = [
        (of("天数", "Age"), false),
        (of("笔数", "Locks"), true),
        (of("金额（元）", "Amount (yuan)"), true),
    ];
    let chart = chart::shares(&about, &bars) + &figures(viewer, title, &columns, &rows);
    let rows: Vec<Vec<String>> = page
        .locks
        .iter()
        .map(|lock| {
            vec![
                minute(lock.locked_at),
                member(&lock.by),
                document(viewer, &lock.document),
                lock.amount.to_string(),
                escape(&claim_kind(viewer, &lock.kind)),
                minute(lock.expires_at),
                receipt(viewer, lock.by.id.as_str(), &lock.id, lock.index),
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
    let text = |name: &str| query.text(name).unwrap_or_default();
    let (from, below) = (text("days_from"), text("days_below"));
    let chosen = match (from.is_empty(), below.is_empty()) {
        (true, true) => String::new(),
        (_, true) => format!(
            "{} {}",
            of("不少于（天）：", "of at least (days):"),
            escape(from)
        ),
        (_, false) => format!(
            "{} {}–{}",
            of("天数：", "of days:"),
            if from.is_empty() {
                "0".to_owned()
            } else {
                escape(from)
            },
            below.parse::<u32>().unwrap_or(1).saturating_sub(1)
        ),
    };
    let all = match chosen.is_empty() {
        true => String::new(),
        false => format!(
            "<p>{chosen} · <a href=\"/oversight/locks\">{}</a></p>",
            of("全部", "all of them")
        ),
    };
    let kept = [("days_from", from), ("days_below", below)];
    format!(
        "{}<h2>{title}</h2>{chart}<h2>{}</h2>{all}{}{}",
        basis(viewer, &page.as_of),
        of("最早的在前", "The oldest first"),
        table_or_none(viewer, of("有效锁定", "Live locks"), &columns, &rows),
        pager(viewer, "locks", &kept, page.next.as_deref()),
    )
}

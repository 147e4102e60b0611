//! Everything at a glance.

use oversight::Overview;

use super::chart::{self, About, Bar};
use super::parts::{self, Viewer, basis, card, figures, hour, list, minute, table_or_none};
use crate::pages::escape;
use crate::texts;

pub(super) fn body(viewer: Viewer, view: &Overview) -> String {
    let of = |zh: &'static str, en: &'static str| viewer.of_two(zh, en);
    // From the first block to the last: the figures of a card are those of the whole chain.
    let (first, last) = (parts::day(view.since), parts::day(view.as_of.time));
    let volume = |measure: &str| {
        parts::address(
            "volume",
            &[
                ("measure", measure),
                ("level", "day"),
                ("from", &first),
                ("to", &last),
            ],
        )
    };
    let list_of = |list: &str| parts::address("records", &[("list", list)]);
    let page = |view: &str| parts::address(view, &[]);
    let plain = |count: u64| oversight::Sum {
        count,
        ..oversight::Sum::default()
    };
    let cards = [
        card(
            of("开具票据", "documents issued"),
            &view.issued,
            true,
            &volume("issued"),
        ),
        card(
            of("红冲", "reversals"),
            &view.reversed,
            true,
            &volume("reversed"),
        ),
        card(
            of("锁定（累计）", "locks ever made"),
            &view.locked,
            true,
            &volume("locked"),
        ),
        card(
            of("入账", "settlements"),
            &view.settled,
            true,
            &volume("settled"),
        ),
        card(
            of("被拒记录", "records refused"),
            &view.refused,
            false,
            &volume("refused"),
        ),
        card(
            of("重复报销尝试", "attempted double claims"),
            &view.attempted,
            true,
            &page("attempts"),
        ),
        card(
            of("当前超额报销（超出额）", "over-claimed now (excess)"),
            &view.over_claimed,
            true,
            &page("over-claims"),
        ),
        card(
            of("报销后红冲", "reversals after claims"),
            &view.late_reversals,
            true,
            &page("late-reversals"),
        ),
        card(
            of("有效锁定", "live locks"),
            &view.live,
            true,
            &page("locks"),
        ),
        card(
            of("过期锁定", "locks that ran out"),
            &view.expired,
            true,
            &list_of("expired"),
        ),
        card(
            of("有信号的开票方", "issuers with signals"),
            &plain(view.merchants_with_signals),
            false,
            &page("merchants"),
        ),
        card(
            of("冻结中的票据", "documents frozen now"),
            &plain(view.frozen),
            false,
            &list_of("frozen"),
        ),
    ]
    .concat();
    let bars: Vec<Bar> = view
        .hours
        .iter()
        .map(|bucket| {
            let at = hour(bucket.start);
            Bar {
                label: at.get(11..).unwrap_or_default().to_owned() + ":00",
                value: bucket.sum.count,
                told: format!(
                    "{}: {} (¥ {})",
                    minute(bucket.start),
                    bucket.sum.count,
                    bucket.sum.amount
                ),
                link: Some(parts::address(
                    "records",
                    &[("measure", "issued"), ("from", &at), ("to", &at)],
                )),
            }
        })
        .collect();
    let title = of(
        "近 24 小时开具票据",
        "Documents issued in the last 24 hours",
    );
    let about = About {
        id: "hours",
        title,
        description: of(
            "每根柱为一小时的票据张数，点击查看清单",
            "Each bar is the number of documents of one hour and leads to their list",
        ),
    };
    let rows: Vec<Vec<String>> = view
        .hours
        .iter()
        .rev()
        .map(|bucket| {
            let at = hour(bucket.start);
            let link = [
                ("measure", "issued"),
                ("from", at.as_str()),
                ("to", at.as_str()),
            ];
            vec![
                minute(bucket.start),
                list(bucket.sum.count, &link),
                bucket.sum.amount.to_string(),
            ]
        })
        .collect();
    let columns = [
        (of("小时", "Hour"), false),
        (of("张数", "Number"), true),
        (of("金额（元）", "Amount (yuan)"), true),
    ];
    let chart = chart::bars(&about, &bars) + &figures(viewer, title, &columns, &rows);
    let codes: Vec<Vec<String>> = view
        .codes
        .iter()
        .map(|code| {
            vec![
                escape(&texts::title(&code.code, viewer.language)),
                list(code.count, &[("list", "code"), ("code", &code.code)]),
            ]
        })
        .collect();
    let columns = [(of("含义", "Meaning"), false), (of("次数", "Times"), true)];
    let codes = table_or_none(
        viewer,
        of("被拒原因", "Reasons of refusals"),
        &columns,
        &codes,
    );
    let pairs = super::incidents::pair_table(
        viewer,
        of("尝试最多的单位对", "Pairs with the most attempts"),
        &view.pairs,
    );
    format!(
        "{}<ul class=\"cards figures\">{cards}</ul><h2>{title}</h2>{chart}<h2>{}</h2>{codes}<h2>{}</h2>{pairs}",
        basis(viewer, &view.as_of),
        of("被拒原因", "Why records were refused"),
        of("谁尝试、谁持有", "Who tried, who held"),
    )
}

//! Issuers, and what about them stands out.

use oversight::signals::Signal;
use oversight::{MerchantDetail, MerchantView, MerchantsPage};

use super::parts::{Viewer, basis, list, member, minute, pager, table_or_none};
use crate::pages::escape;

/// What every page with signals says.
fn caution(viewer: Viewer) -> &'static str {
    viewer.of_two(
        "信号只提示查看方向，并非结论：每种情形都有正常原因，数字与门槛一并列出。",
        "Signals say where to look, never what is found there: each has harmless causes. The figures and the threshold stand beside them.",
    )
}

/// A signal in words, with its figures.
fn words(viewer: Viewer, signal: &Signal, merchant: &MerchantView) -> String {
    let month = merchant.quota_month.as_deref().unwrap_or_default();
    let at = merchant.burst_at.map(minute).unwrap_or_default();
    match *signal {
        Signal::NumberGaps { missing, numbers, percent } => viewer.of_two(
            format!("断号：{numbers} 个号码中缺 {missing} 个（门槛 {percent}%）"),
            format!("number gaps: {missing} of {numbers} numbers are missing (threshold {percent} %)"),
        ),
        Signal::Burst { documents, usual, times } => viewer.of_two(
            format!("集中开票：{at} 起一小时 {documents} 张，平时每小时 {usual} 张（门槛 {times} 倍）"),
            format!("burst: {documents} documents in the hour from {at}, usually {usual} (threshold {times} times)"),
        ),
        Signal::RoundAmounts { round, documents, percent } => viewer.of_two(
            format!("整额：{documents} 张中 {round} 张为整百元（门槛 {percent}%）"),
            format!("round amounts: {round} of {documents} are whole hundreds of yuan (threshold {percent} %)"),
        ),
        Signal::Reversals { reversals, documents, percent } => viewer.of_two(
            format!("红冲：{documents} 张中红冲 {reversals} 次（门槛 {percent}%）"),
            format!("reversals: {reversals} for {documents} documents (threshold {percent} %)"),
        ),
        Signal::Quota { billed, limit, refused, percent } => viewer.of_two(
            format!("额度：{month} 已开 {billed}，额度 {limit}（门槛 {percent}%）；超额被拒 {refused} 次"),
            format!("quota: {billed} billed of {limit} in {month} (threshold {percent} %); refused beyond it {refused} times"),
        ),
        Signal::LateReversals { late, reversals } => viewer.of_two(
            format!("报销后红冲：红冲 {reversals} 次中有 {late} 次"),
            format!("{late} of {reversals} reversals were of documents that somebody had claimed"),
        ),
    }
}

fn signals(viewer: Viewer, merchant: &MerchantView) -> String {
    if merchant.signals.is_empty() {
        return "–".to_owned();
    }
    let each: String = merchant
        .signals
        .iter()
        .map(|signal| format!("<li>{}</li>", escape(&words(viewer, signal, merchant))))
        .collect();
    format!("<ul>{each}</ul>")
}

pub(super) fn body(viewer: Viewer, page: &MerchantsPage) -> String {
    let of = |zh: &'static str, en: &'static str| viewer.of_two(zh, en);
    let rows: Vec<Vec<String>> = page
        .merchants
        .iter()
        .map(|merchant| {
            let id = merchant.member.id.as_str();
            vec![
                format!(
                    "<a href=\"/oversight/merchants/{id}\">{}</a>",
                    escape(&super::parts::name(&merchant.member))
                ),
                list(merchant.issued.count, &[("list", "issued"), ("member", id)]),
                merchant.issued.amount.to_string(),
                list(
                    merchant.reversed.count,
                    &[("list", "reversed"), ("member", id)],
                ),
                signals(viewer, merchant),
            ]
        })
        .collect();
    let columns = [
        (of("开票方", "Issuer"), false),
        (of("张数", "Documents"), true),
        (of("金额（元）", "Amount (yuan)"), true),
        (of("红冲", "Reversals"), true),
        (of("信号与依据", "Signals with their figures"), false),
    ];
    format!(
        "{}<p class=\"lead\">{}</p>{}{}",
        basis(viewer, &page.as_of),
        caution(viewer),
        table_or_none(
            viewer,
            of(
                "开票方，信号多的在前",
                "Issuers, those with the most signals first"
            ),
            &columns,
            &rows
        ),
        pager(viewer, "merchants", &[], page.next.as_deref()),
    )
}

pub(super) fn one(viewer: Viewer, detail: &MerchantDetail) -> String {
    let of = |zh: &'static str, en: &'static str| viewer.of_two(zh, en);
    let merchant = &detail.merchant;
    let id = merchant.member.id.as_str();
    let rows: Vec<Vec<String>> = detail
        .series
        .iter()
        .map(|series| {
            vec![
                format!("<code>{}</code>", escape(&series.prefix)),
                series.lowest.to_string(),
                series.highest.to_string(),
                series.used.to_string(),
                series.missing.to_string(),
            ]
        })
        .collect();
    let columns = [
        (of("代码或号段前缀", "Code or prefix"), false),
        (of("最小号", "Lowest"), true),
        (of("最大号", "Highest"), true),
        (of("已用", "Used"), true),
        (of("缺号", "Missing"), true),
    ];
    let who = match merchant.member.name {
        Some(_) => format!("{} <code>{id}</code>", member(&merchant.member)),
        None => {
            member(&merchant.member)
                + &viewer.aside(of("非本系统成员", "no member of this registry"))
        }
    };
    // A quota is set for members, by the tax authority.
    let order = match viewer.tax && merchant.member.name.is_some() {
        true => format!(
            "<p><a class=\"button quiet\" href=\"/oversight/orders?member={id}\">{}</a></p>",
            of("设定额度", "Set a quota")
        ),
        false => String::new(),
    };
    let quota = match (merchant.quota_limit, merchant.quota_billed) {
        (Some(limit), Some(billed)) => format!(
            "<dt>{} {}</dt><dd>{billed} / {limit}</dd>",
            of("额度", "Quota"),
            merchant.quota_month.as_deref().unwrap_or_default()
        ),
        _ => String::new(),
    };
    format!(
        "{}<p class=\"lead\">{}</p><dl class=\"facts\"><dt>{}</dt><dd>{}</dd>\
         <dt>{}</dt><dd>{}{}</dd><dt>{}</dt><dd>{}{}</dd>{quota}<dt>{}</dt><dd>{}</dd></dl>\
         {order}{}",
        basis(viewer, &detail.as_of),
        caution(viewer),
        of("开票方", "Issuer"),
        who,
        of("开具", "Issued"),
        list(merchant.issued.count, &[("list", "issued"), ("member", id)]),
        viewer.aside(&format!("¥ {}", merchant.issued.amount)),
        of("红冲", "Reversed"),
        list(
            merchant.reversed.count,
            &[("list", "reversed"), ("member", id)]
        ),
        viewer.aside(&format!("¥ {}", merchant.reversed.amount)),
        of("信号与依据", "Signals"),
        signals(viewer, merchant),
        table_or_none(viewer, of("号段", "Number series"), &columns, &rows),
    )
}

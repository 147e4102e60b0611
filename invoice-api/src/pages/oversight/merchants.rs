//! Issuers, and what about them stands out.

use invoice_core::money::Fen;
use oversight::signals::{Signal, SignalKind};
use oversight::{MerchantDetail, MerchantView, MerchantsPage};

use super::parts::{basis, list, member, minute, pager, table_or_none};
use crate::language::Language;
use crate::pages::escape;

/// What every page with signals says.
fn caution(language: Language) -> &'static str {
    language.of_two(
        "信号只提示查看方向，并非结论：每种情形都有正常原因，数字与门槛一并列出。",
        "Signals say where to look, never what is found there: each has harmless causes. The figures and the threshold stand beside them.",
    )
}

/// A signal in words, with its figures.
fn words(language: Language, signal: &Signal, merchant: &MerchantView) -> String {
    let (part, whole, threshold) = (signal.part, signal.whole, signal.threshold);
    let fen = |number: u64| Fen::new(i64::try_from(number).unwrap_or(i64::MAX)).to_string();
    let month = merchant.quota_month.as_deref().unwrap_or_default();
    let at = merchant.burst_at.map(minute).unwrap_or_default();
    match signal.kind {
        SignalKind::NumberGaps => language.of_two(
            format!("断号：{whole} 个号码中缺 {part} 个（门槛 {threshold}%）"),
            format!("number gaps: {part} of {whole} numbers are missing (threshold {threshold} %)"),
        ),
        SignalKind::Burst => language.of_two(
            format!("集中开票：{at} 起一小时 {part} 张，平时每小时 {whole} 张（门槛 {threshold} 倍）"),
            format!("burst: {part} documents in the hour from {at}, usually {whole} (threshold {threshold} times)"),
        ),
        SignalKind::RoundAmounts => language.of_two(
            format!("整额：{whole} 张中 {part} 张为整百元（门槛 {threshold}%）"),
            format!("round amounts: {part} of {whole} are whole hundreds of yuan (threshold {threshold} %)"),
        ),
        SignalKind::Reversals => language.of_two(
            format!("红冲：{whole} 张中红冲 {part} 次（门槛 {threshold}%）"),
            format!("reversals: {part} for {whole} documents (threshold {threshold} %)"),
        ),
        SignalKind::Quota => language.of_two(
            format!("额度：{month} 已开 {}，额度 {}（门槛 {threshold}%，或曾因超额被拒）", fen(part), fen(whole)),
            format!("quota: {} billed of {} in {month} (threshold {threshold} %, or refused beyond it)", fen(part), fen(whole)),
        ),
        SignalKind::LateReversals => language.of_two(
            format!("报销后红冲 {part} 次"),
            format!("{part} reversals of documents that somebody had claimed"),
        ),
    }
}

fn signals(language: Language, merchant: &MerchantView) -> String {
    if merchant.signals.is_empty() {
        return "–".to_owned();
    }
    let each: String = merchant
        .signals
        .iter()
        .map(|signal| format!("<li>{}</li>", escape(&words(language, signal, merchant))))
        .collect();
    format!("<ul>{each}</ul>")
}

pub(super) fn body(language: Language, page: &MerchantsPage) -> String {
    let of = |zh: &'static str, en: &'static str| language.of_two(zh, en);
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
                signals(language, merchant),
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
        basis(language, &page.as_of),
        caution(language),
        table_or_none(
            language,
            of(
                "开票方，信号多的在前",
                "Issuers, those with the most signals first"
            ),
            &columns,
            &rows
        ),
        pager(language, "merchants", &[], page.next.as_deref()),
    )
}

pub(super) fn one(language: Language, detail: &MerchantDetail) -> String {
    let of = |zh: &'static str, en: &'static str| language.of_two(zh, en);
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
    let quota = match (merchant.quota_limit, merchant.quota_billed) {
        (Some(limit), Some(billed)) => format!(
            "<dt>{} {}</dt><dd>{billed} / {limit}</dd>",
            of("额度", "Quota"),
            merchant.quota_month.as_deref().unwrap_or_default()
        ),
        _ => String::new(),
    };
    format!(
        "{}<p class=\"lead\">{}</p><dl class=\"facts\"><dt>{}</dt><dd>{} <code>{id}</code></dd>\
         <dt>{}</dt><dd>{}（¥ {}）</dd><dt>{}</dt><dd>{}（¥ {}）</dd>{quota}<dt>{}</dt><dd>{}</dd></dl>\
         <p><a class=\"button quiet\" href=\"/oversight/orders?member={id}\">{}</a></p>{}",
        basis(language, &detail.as_of),
        caution(language),
        of("开票方", "Issuer"),
        member(&merchant.member),
        of("开具", "Issued"),
        list(merchant.issued.count, &[("list", "issued"), ("member", id)]),
        merchant.issued.amount,
        of("红冲", "Reversed"),
        list(
            merchant.reversed.count,
            &[("list", "reversed"), ("member", id)]
        ),
        merchant.reversed.amount,
        of("信号与依据", "Signals"),
        signals(language, merchant),
        of("设定额度", "Set a quota"),
        table_or_none(language, of("号段", "Number series"), &columns, &rows),
    )
}

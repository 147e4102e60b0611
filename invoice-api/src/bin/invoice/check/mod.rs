//! `invoice check`: are these documents genuine, and what is left to claim?

mod csv_file;
mod spelling;

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use invoice_api::client::{AsOf, CheckItem, CheckResult, Verdict, limits};
use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::issue::read;
use crate::lang::Lang;
use crate::output::table;

/// 全部票据真实且仍可报销时退出码为 0，否则为 1 / Exits 0 when every document is genuine and something of it can be claimed, else 1
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// 号码、票据键或二维码文本 / Numbers, document keys or QR texts
    #[arg(value_name = "DOCUMENT|QR", required_unless_present_any = ["csv", "xml"])]
    items: Vec<String>,
    /// CSV 清单；- 表示标准输入 / CSV list; - is standard input
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// 数电票或财政票据 XML 原件 / Original XML file of an invoice or fiscal bill
    #[arg(long, value_name = "FILE")]
    xml: Vec<PathBuf>,
    /// 金额（元）/ Amount in yuan
    #[arg(long, conflicts_with_all = ["csv", "xml"])]
    amount: Option<String>,
    /// 开票日期 / Date of issue
    #[arg(long, value_name = "YYYY-MM-DD", conflicts_with_all = ["csv", "xml"])]
    date: Option<String>,
    /// 校验码 / Check code
    #[arg(long, conflicts_with_all = ["csv", "xml"])]
    check_code: Option<String>,
}

pub(crate) async fn run(context: &Context, args: CheckArgs) -> Result<Exit, Failure> {
    let items = items(&args)?;
    if items.is_empty() {
        return Err(Failure::usage(
            "items_empty",
            "没有要查验的票据 / there is nothing to check",
        ));
    }
    let client = context.signing_client()?;
    let mut results = Vec::with_capacity(items.len());
    let mut as_of = None;
    for part in items.chunks(limits::CHECK_ITEMS_MAX) {
        let checked = client.checks(part).await?;
        results.extend(checked.results);
        as_of = Some(checked.as_of);
    }
    show(context, &results, as_of.as_ref());
    let all = results.iter().all(|result| result.verdict.is_claimable());
    Ok(if all { Exit::Ok } else { Exit::Refused })
}

fn items(args: &CheckArgs) -> Result<Vec<CheckItem>, Failure> {
    let elements = args.amount.is_some() || args.date.is_some() || args.check_code.is_some();
    if elements && args.items.len() != 1 {
        let text = "--amount、--date、--check-code 只用于一张票据 / --amount, --date and --check-code go with one document";
        return Err(Failure::usage("one_document", text)
            .with_hint("多张请用 --csv / for several use --csv"));
    }
    let mut items = Vec::new();
    for item in &args.items {
        // No document key has a comma, and every QR text has seven.
        items.push(if item.contains(',') || item.contains("://") {
            CheckItem::Qr { qr: item.clone() }
        } else {
            CheckItem::Elements {
                document: spelling::document(item, None)?,
                amount: args.amount.as_deref().map(spelling::amount),
                date: args.date.as_deref().map(spelling::date),
                check_code: args.check_code.clone(),
            }
        });
    }
    if let Some(path) = &args.csv {
        items.extend(csv_file::read(&read(path)?)?);
    }
    for path in &args.xml {
        let bytes = std::fs::read(path).map_err(|error| Failure::file(path, &error))?;
        items.push(CheckItem::Xml {
            xml: STANDARD.encode(bytes),
        });
    }
    Ok(items)
}

fn show(context: &Context, results: &[CheckResult], as_of: Option<&AsOf>) {
    let (output, lang) = (context.output, context.lang());
    if output.json {
        results.iter().for_each(|result| output.json(result));
        output.json(&json!({ "as_of": as_of }));
        return;
    }
    let heading = [
        ("票据", "document"),
        ("结果", "verdict"),
        ("可报销", "claimable"),
        ("说明", "detail"),
    ];
    let mut rows = vec![heading.map(|(zh, en)| lang.of(zh, en).to_owned()).to_vec()];
    rows.extend(results.iter().map(|result| {
        vec![
            result.document.clone().unwrap_or_default(),
            verdict(result.verdict, lang).to_owned(),
            result.claimable.clone().unwrap_or_default(),
            detail(result),
        ]
    }));
    table(&rows).iter().for_each(|line| output.line(line));
    if let Some(as_of) = as_of {
        let text = lang.of("截至区块", "as of block");
        output.note(&format!(
            "{text} {}  {}",
            as_of.height,
            as_of.time.as_deref().unwrap_or_default()
        ));
    }
}

/// Which elements are wrong, or whatever else the registry says about the item.
fn detail(result: &CheckResult) -> String {
    let Some(detail) = &result.detail else {
        return String::new();
    };
    let differs = detail.get("differs").and_then(serde_json::Value::as_array);
    match (differs, detail.as_str()) {
        (Some(names), _) => names
            .iter()
            .filter_map(serde_json::Value::as_str)
            .collect::<Vec<_>>()
            .join(" "),
        (None, Some(text)) => text.to_owned(),
        (None, None) => detail.to_string(),
    }
}

const fn verdict(verdict: Verdict, lang: Lang) -> &'static str {
    match verdict {
        Verdict::NotFound => lang.of("查无此票", "not found"),
        Verdict::Mismatch => lang.of("要素不符", "mismatch"),
        Verdict::Reversed => lang.of("已红冲", "reversed"),
        Verdict::Frozen => lang.of("已冻结", "frozen"),
        Verdict::Claimed => lang.of("已报销", "claimed"),
        Verdict::Locked => lang.of("已锁定", "locked"),
        Verdict::PartlyClaimed => lang.of("部分可报销", "partly claimed"),
        Verdict::Claimable => lang.of("可报销", "claimable"),
        Verdict::Unreadable => lang.of("无法识别", "unreadable"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(items: &[&str]) -> CheckArgs {
        CheckArgs {
            items: items.iter().map(|item| (*item).to_owned()).collect(),
            csv: None,
            xml: Vec::new(),
            amount: None,
            date: None,
            check_code: None,
        }
    }

    #[test]
    fn numbers_and_qr_texts_are_told_apart() {
        let items = items(&args(&[
            "24442000000012345678",
            "01,32,,2444,1.00,20261120,,ABCD",
        ]))
        .unwrap();
        assert!(matches!(items[0], CheckItem::Elements { .. }));
        assert!(matches!(items[1], CheckItem::Qr { .. }));
    }

    #[test]
    fn elements_go_with_one_document() {
        let mut two = args(&["24442000000012345678", "24442000000012345679"]);
        two.amount = Some("1.00".into());
        assert_eq!(items(&two).unwrap_err().code, "one_document");
        let mut csv = args(&[]);
        csv.csv = Some(PathBuf::from("no such file"));
        assert_eq!(items(&csv).unwrap_err().exit, Exit::Usage);
    }
}

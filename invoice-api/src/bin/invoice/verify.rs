//! `invoice verify`: a receipt against the genesis file, without any network.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use invoice_core::chain::{Genesis, Outcome, Receipt};
use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::table;

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// 回执文件 / Receipt
    #[arg(value_name = "RECEIPT")]
    receipt: PathBuf,
}

pub(crate) fn run(context: &Context, args: &VerifyArgs) -> Result<Exit, Failure> {
    let genesis = context.genesis()?.ok_or_else(|| {
        Failure::usage(
            "genesis_missing",
            "需要创世文件 / the genesis file is needed",
        )
        .with_hint("用 --genesis 指定文件 / name it with --genesis")
    })?;
    let bytes = fs::read(&args.receipt).map_err(|error| Failure::file(&args.receipt, &error))?;
    let receipt = prove(&bytes, &genesis)?;
    let output = context.output;
    if output.json {
        output.json(&json!({
            "valid": true,
            "chain_id": receipt.chain_id,
            "by": receipt.by,
            "id": receipt.id,
            "accepted": receipt.outcome.is_accepted(),
            "code": code(&receipt.outcome),
            "height": receipt.height,
            "index": receipt.index,
            "time": receipt.time,
        }));
        return Ok(Exit::Ok);
    }
    for line in table(&rows(context, &receipt)) {
        output.line(&line);
    }
    Ok(Exit::Ok)
}

/// Checks every link from the record to the genesis file.
pub(crate) fn prove(receipt: &[u8], genesis: &Genesis) -> Result<Receipt, Failure> {
    let receipt = Receipt::parse(receipt).map_err(|fault| Failure::integrity(fault.to_string()))?;
    receipt
        .verify(genesis)
        .map_err(|fault| Failure::integrity(fault.to_string()))?;
    Ok(receipt)
}

/// What was proved, one link a line.
fn rows(context: &Context, receipt: &Receipt) -> Vec<Vec<String>> {
    let lang = context.lang();
    let outcome = match code(&receipt.outcome) {
        Some(code) => format!("{} ({code})", lang.of("拒绝", "refused")),
        None => lang.of("接受", "accepted").to_owned(),
    };
    let signers = receipt.signatures.iter().map(|vote| vote.kid.to_string());
    let row = |zh, en, value: String| vec![lang.of(zh, en).to_owned(), value];
    vec![
        row(
            "有效",
            "valid",
            lang.of("每一环都已核验", "every link was checked")
                .to_owned(),
        ),
        row("链", "chain", receipt.chain_id.to_string()),
        row("记录", "record", format!("{} / {}", receipt.by, receipt.id)),
        row("结果", "outcome", outcome),
        row(
            "提交者签名",
            "signed by key",
            receipt.authorization.kid.to_string(),
        ),
        row(
            "日志位置",
            "place in the log",
            format!("{} / {}", receipt.index, receipt.inclusion.tree_size),
        ),
        row(
            "区块",
            "block",
            format!("{}  {}", receipt.height, receipt.time),
        ),
        row("区块标识", "block id", receipt.header.id().to_string()),
        row(
            "验证者签名",
            "validators",
            signers.collect::<Vec<_>>().join(" "),
        ),
    ]
}

fn code(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Accepted { .. } => None,
        Outcome::Refused { code, .. } => Some(code),
    }
}

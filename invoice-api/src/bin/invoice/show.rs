//! `invoice show`: what the registry knows.

use clap::{Args, Subcommand};
use invoice_api::client::{ClaimQuestion, RecordLookup};
use invoice_core::crypto::Hash;
use serde_json::{Value, json};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, table};
use crate::save::SaveArgs;
use crate::verify::prove;

/// What to show.
#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// 票据：内容、状态、余额、经过 / A document: content, state, what is left, history
    Document {
        /// 票据键 / Document key
        document: String,
    },
    /// 记录：是否已登记，及其回执 / A record: whether it was recorded, and its receipt
    Record(RecordArgs),
    /// 报销清单 / Claims
    Claims(ClaimsArgs),
    /// 额度 / Budgets, and what is left of them
    Limits,
    /// 最新检查点 / The newest checkpoint
    Checkpoint,
}

#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// 记录编号；提交成员用 --by 指定 / Id of the record; its member is given with --by
    #[arg(required_unless_present = "sm3", conflicts_with = "sm3")]
    id: Option<String>,
    /// 记录原文的 SM3 值（十六进制）/ SM3 hash of the record's exact bytes, hexadecimal
    #[arg(long, value_name = "HEX")]
    sm3: Option<String>,
    #[command(flatten)]
    save: SaveArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ClaimsArgs {
    /// 状态 / State
    #[arg(long, value_parser = ["locked", "settled", "released", "expired", "reversed"])]
    status: Option<String>,
    /// 上一页给出的游标 / Where the page before ended
    #[arg(long)]
    cursor: Option<String>,
    /// 取全部页 / All pages
    #[arg(long)]
    all: bool,
}

pub(crate) async fn run(context: &Context, what: What) -> Result<Exit, Failure> {
    let output = context.output;
    match what {
        What::Document { document } => match context.signing_client()?.document(&document).await? {
            Some(found) => {
                show_value(output, &found);
                Ok(Exit::Ok)
            }
            None => Err(Failure::new(
                Exit::Refused,
                "not_found",
                format!("没有此票据，或您无权查看 / no such document, or not for you: {document}"),
            )),
        },
        What::Record(args) => record(context, &args).await,
        What::Claims(args) => claims(context, args).await,
        What::Limits => {
            show_value(output, &context.signing_client()?.limits().await?);
            Ok(Exit::Ok)
        }
        What::Checkpoint => {
            let checkpoint = context.client()?.checkpoint().await?;
            show_value(output, &json!(checkpoint));
            Ok(Exit::Ok)
        }
    }
}

async fn record(context: &Context, args: &RecordArgs) -> Result<Exit, Failure> {
    let client = context.signing_client()?;
    let lookup = match (&args.sm3, &args.id) {
        (Some(sm3), _) => {
            let hash: Hash = sm3
                .parse()
                .map_err(|error| Failure::usage("sm3", format!("{sm3}: {error}")))?;
            client.record_by_sm3(&hash).await?
        }
        (None, id) => {
            let by = context.globals.by.as_deref().ok_or_else(|| {
                Failure::usage(
                    "by_missing",
                    "用 --by 指定提交成员 / name the member with --by",
                )
            })?;
            client.record(by, id.as_deref().unwrap_or_default()).await?
        }
    };
    let (output, lang) = (context.output, context.lang());
    let (state, text) = match lookup {
        RecordLookup::Absent => ("absent", lang.of("未登记", "not recorded")),
        RecordLookup::Pending => (
            "pending",
            lang.of("处理中，尚未最终确认", "taken, not final yet"),
        ),
        RecordLookup::Final { receipt } => {
            let receipt = receipt.get();
            let value: Value = serde_json::from_str(receipt).unwrap_or_default();
            let named = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
            args.save.receipt(named("by"), named("id"), receipt)?;
            if let Some(genesis) = context.genesis()? {
                prove(receipt.as_bytes(), &genesis)?;
            }
            if output.json {
                output.line(&format!("{{\"state\":\"final\",\"receipt\":{receipt}}}"));
            } else {
                show_value(output, &value);
            }
            return Ok(Exit::Ok);
        }
    };
    if output.json {
        output.json(&json!({ "state": state }));
    } else {
        output.line(text);
    }
    Ok(Exit::Refused)
}

async fn claims(context: &Context, args: ClaimsArgs) -> Result<Exit, Failure> {
    let client = context.signing_client()?;
    let output = context.output;
    let mut question = ClaimQuestion {
        status: args.status,
        cursor: args.cursor,
    };
    let mut rows = vec![heading(context)];
    loop {
        let page = client.claims(&question).await?;
        if output.json {
            page.claims.iter().for_each(|claim| output.json(claim));
        } else {
            rows.extend(page.claims.iter().map(claim_row));
        }
        question.cursor = page.next;
        if !args.all || question.cursor.is_none() {
            break;
        }
    }
    if !output.json {
        table(&rows).iter().for_each(|line| output.line(line));
    }
    if let Some(cursor) = &question.cursor {
        let text = context.lang().of(
            "还有更多：--all 或 --cursor",
            "there are more: --all or --cursor",
        );
        output.note(&format!("{text} {cursor}"));
    }
    Ok(Exit::Ok)
}

/// The members of a claim that make a row.
const CLAIM_COLUMNS: [(&str, &str, &str); 7] = [
    ("claim", "锁定编号", "claim"),
    ("document", "票据", "document"),
    ("status", "状态", "status"),
    ("locked", "锁定", "locked"),
    ("settled", "入账", "settled"),
    ("expires_at", "到期", "expires at"),
    ("reference", "报销单", "reference"),
];

fn heading(context: &Context) -> Vec<String> {
    CLAIM_COLUMNS
        .iter()
        .map(|(_, zh, en)| context.lang().of(zh, en).to_owned())
        .collect()
}

fn claim_row(claim: &Value) -> Vec<String> {
    let cell = |name: &str| claim.get(name).map(plain).unwrap_or_default();
    CLAIM_COLUMNS
        .iter()
        .map(|(name, _, _)| cell(name))
        .collect()
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// A value as one line of JSON, or indented for a person.
fn show_value(output: Output, value: &Value) {
    if output.json {
        output.json(value);
    } else if let Ok(text) = serde_json::to_string_pretty(value) {
        output.line(&text);
    }
}

//! `tax-node inspect`: what a stopped node's folder holds.

use std::path::PathBuf;

use clap::Subcommand;
use invoice_core::apply::resolve;
use invoice_core::calendar::Instant;
use invoice_core::chain::Genesis;
use invoice_core::identity::DocumentKey;
use invoice_core::state::TypedState;
use serde_json::{Value, json};

use super::failure::{Exit, Failure};
use super::output::Output;
use super::{init, verify};
use crate::node::AccessLog;
use crate::store::{Snapshot, StoredLeaf};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 节点数据目录 / the node's folder
    #[arg(long, env = "PIAOLIAN_DATA", default_value = "piaolian-data")]
    data: PathBuf,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// 链首与各表行数 / the head and the number of rows (the default)
    Chain,
    /// 一个区块 / a block
    Block {
        /// 高度 / its height
        height: u64,
    },
    /// 一条记录 / a record
    Record {
        /// 日志序号 / its leaf index
        index: u64,
    },
    /// 一张票据的状态 / the state of a document
    Document {
        /// 票据号 / its key
        key: DocumentKey,
    },
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let genesis = init::read_genesis(&args.data)?;
    let value = verify::read(&args.data, &genesis, |snapshot| {
        look(args, &genesis, snapshot)
    })?;
    let lines = flatten(&value);
    output.result(&value, &lines);
    Ok(())
}

fn look(args: &Args, genesis: &Genesis, snapshot: &Snapshot) -> Result<Value, Failure> {
    match args.what.as_ref().unwrap_or(&What::Chain) {
        What::Chain => {
            let log =
                AccessLog::open(&args.data).map_err(|error| Failure::file(&args.data, error))?;
            let (accesses, root) = log.root();
            let head = snapshot.head();
            let rows = snapshot.small_row_counts()?;
            Ok(json!({
                "chain_id": genesis.chain_id(),
                "genesis_hash": genesis.hash(),
                "height": head.height,
                "block_id": head.block_id,
                "time": Instant::from_ms(head.time_ms),
                "records": head.log_size(),
                "root_hash": head.frontier.root(),
                "rows": { "timeline": rows.timeline, "claims": rows.claims, "events": rows.events },
                "access_log": { "entries": accesses, "root_hash": root },
            }))
        }
        What::Block { height } => block(snapshot, *height),
        What::Record { index } => record(snapshot, *index),
        What::Document { key } => document(snapshot, key),
    }
}

fn missing(what: &str) -> Failure {
    Failure::new(Exit::Refused, "not_found", what)
}

fn block(snapshot: &Snapshot, height: u64) -> Result<Value, Failure> {
    let outline = snapshot
        .outline(height)?
        .ok_or_else(|| missing("没有该区块 / no such block"))?;
    let header = &outline.header;
    Ok(json!({
        "height": height,
        "id": header.id(),
        "time": Instant::from_ms(header.time_ms),
        "previous": header.previous,
        "first_index": header.first_index,
        "records": header.count,
        "log_size": header.log_size,
        "log_root": header.log_root,
        "effects_root": header.effects_root,
        "validators": header.validators,
        "signatures": outline.certificate.signatures.len(),
        "envelopes": outline.envelopes.len(),
    }))
}

fn record(snapshot: &Snapshot, index: u64) -> Result<Value, Failure> {
    let bytes = snapshot
        .leaf(index)?
        .ok_or_else(|| missing("没有该记录 / no such record"))?;
    let leaf = StoredLeaf::decode(&bytes).map_err(Failure::integrity)?;
    Ok(json!({
        "index": index,
        "height": snapshot.height_of_leaf(index)?,
        "kid": leaf.kid,
        "accepted": leaf.outcome.is_accepted(),
        "code": leaf.outcome.code(),
        "detail": leaf.outcome.detail(),
        "record": String::from_utf8_lossy(&leaf.record),
    }))
}

fn document(snapshot: &Snapshot, key: &DocumentKey) -> Result<Value, Failure> {
    let state = TypedState(snapshot);
    let found = resolve(&state, key)
        .map_err(Failure::integrity)?
        .ok_or_else(|| missing("没有该票据 / no such document"))?;
    let (document, time) = (found.document, Instant::from_ms(snapshot.head().time_ms));
    Ok(json!({
        "document": found.key,
        "issued_by_record": document.index,
        "issue_date": document.issue_date,
        "total": document.total,
        "reversed": document.reversed,
        "capacity": document.capacity(),
        "settled": document.settled(),
        "locked": document.locked_at(time),
        "free": document.free_at(time),
        "frozen": document.frozen,
        "over_claimed": document.is_over_claimed(),
    }))
}

/// A JSON object as lines of `name  value`.
fn flatten(value: &Value) -> Vec<String> {
    let Value::Object(members) = value else {
        return vec![value.to_string()];
    };
    let width = members.keys().map(String::len).max().unwrap_or(0);
    members
        .iter()
        .map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            format!("{name:width$}  {text}")
        })
        .collect()
}

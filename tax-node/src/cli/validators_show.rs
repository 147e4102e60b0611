//! `tax-node validators show`: a set of validators, and whether it decides a node's blocks.

use std::path::PathBuf;

use invoice_api::client::{Client, ClientConfig};
use invoice_core::chain::Header;
use invoice_core::crypto::Hash;

use super::change_file;
use super::failure::{Exit, Failure};
use super::output::Output;
use super::serve::block_on;
use super::validators::{from_store, members};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// genesis.json，或某次变更的 change.json / genesis.json, or change.json of a change
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "data",
        conflicts_with = "data"
    )]
    current: Option<PathBuf>,
    /// 或者：已停止节点的数据目录 / or the folder of a stopped node
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// 与此节点的最新区块比对 / compare with the last block of this node
    #[arg(long, value_name = "URL")]
    server: Option<String>,
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let (chain_id, set) = match (&args.current, &args.data) {
        (Some(path), _) => change_file::current(path)?,
        (None, Some(data)) => from_store(data)?,
        (None, None) => return Err(Failure::new(Exit::Usage, "usage", "--current, --data")),
    };
    let decided = match &args.server {
        Some(url) => Some(block_on(last_block(url))?),
        None => None,
    };
    let in_force = decided.as_ref().map(|(_, digest)| *digest == set.digest());
    let mut lines = vec![
        format!("{}  {chain_id}", output.of("链      ", "chain      ")),
        format!(
            "{}  {}",
            output.of("名单摘要", "list digest"),
            set.list_digest()
        ),
    ];
    lines.extend(members(&set, output));
    if let (Some((height, _)), Some(in_force)) = (&decided, in_force) {
        let said = match in_force {
            true => output.of("由此验证者集决定", "was decided by this set"),
            false => output.of("由另一验证者集决定", "was decided by another set"),
        };
        lines.push(format!("{} {height} {said}", output.of("区块", "block")));
    }
    let list: Vec<_> = set
        .validators()
        .iter()
        .map(|validator| {
            serde_json::json!({
                "name": validator.name, "kid": validator.public_key.kid(), "weight": validator.weight,
                "group": validator.group.map(|group| group.as_str()),
            })
        })
        .collect();
    let value = serde_json::json!({
        "chain_id": chain_id, "digest": set.digest(), "list_digest": set.list_digest(),
        "validators": list, "height": decided.map(|(height, _)| height), "in_force": in_force,
    });
    output.result(&value, &lines);
    Ok(())
}

/// Height of a node's last block, and the digest of the set that decided it, as the node says.
async fn last_block(url: &str) -> Result<(u64, Hash), Failure> {
    let network = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::Network, "network", format!("{url}: {error}"))
            .hint("检查地址与节点是否运行 / check the address and whether the node runs")
    };
    let client = Client::new(ClientConfig::new(url)).map_err(|error| network(&error))?;
    let checkpoint = client.checkpoint().await.map_err(|error| network(&error))?;
    let header = checkpoint
        .other
        .get("header")
        .and_then(serde_json::Value::as_str)
        .and_then(|text| hex::decode(text).ok())
        .and_then(|bytes| Header::decode(&bytes).ok())
        .ok_or_else(|| network(&"header"))?;
    Ok((header.height, header.validators))
}

//! `tax-node init join`: a party's folder becomes a node of the chain that all agreed on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use invoice_core::chain::{GENESIS_BYTES_MAX, Genesis};
use invoice_core::crypto::{Hash, Kid, sm3};

use super::failure::{Exit, Failure};
use super::init;
use super::output::Output;
use crate::links::{Peer, Role as NodeRole};
use crate::peers;
use crate::{files, key_file};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 节点数据目录，含 init party 建立的密钥 / the node's folder, with the keys that init party made
    #[arg(long, env = "PIAOLIAN_DATA", default_value = "piaolian-data")]
    data: PathBuf,
    /// 创世文件 / the genesis file
    #[arg(long)]
    genesis: PathBuf,
    /// 节点清单 / the peers file
    #[arg(long)]
    peers: PathBuf,
    /// 各方用电话核对过的创世哈希 / the genesis hash that the parties compared by telephone
    #[arg(long, value_name = "HEX")]
    genesis_hash: Hash,
    /// 验证者自创世以来已有变更：节点清单可与创世文件不同 / validators changed since genesis: the peers file may differ
    #[arg(long)]
    validators_changed: bool,
    /// 口令文件 / a file with the passphrase
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let target = files::genesis(&args.data);
    if target.exists() {
        let text = output.of("目录中已有一条链", "the folder holds a chain already");
        return Err(Failure::new(Exit::Usage, "chain_exists", text)
            .hint(output.of("请换一个目录", "choose another folder with --data")));
    }
    let genesis = read_genesis(&args.genesis)?;
    if genesis.hash() != args.genesis_hash {
        let text = format!(
            "{}: 哈希为 {}，不是约定的 {} / has another hash than the one agreed on",
            args.genesis.display(),
            genesis.hash(),
            args.genesis_hash
        );
        return Err(Failure::new(Exit::Integrity, "genesis_hash", text).hint(
            "不要继续：各方用同样的 party.json、链名与时间重新运行 init assemble 并核对 / do not go on: assemble again from the same party.json files, name and time, and compare",
        ));
    }
    let nodes = peers::read(&args.peers).map_err(|error| {
        Failure::new(
            Exit::Usage,
            "peers",
            format!("{}: {error}", args.peers.display()),
        )
        .hint("使用 init assemble 写出的 peers.json / take the peers.json that init assemble wrote")
    })?;
    if !args.validators_changed {
        match_validators(&genesis, &nodes)?;
    }
    let own = own_node(args, &genesis, &nodes)?;
    let bytes =
        peers::compose(&nodes).map_err(|error| Failure::new(Exit::Usage, "peers", error))?;
    let write = |path: &Path, bytes: &[u8]| {
        files::write_whole(path, bytes, files::PUBLIC).map_err(|error| Failure::file(path, error))
    };
    write(&files::peers(&args.data), &bytes)?;
    // Last, as in `init`: a folder with a genesis file had its store.
    init::put_genesis(&args.data, &genesis)?;
    let peers_hash = sm3(&[&bytes]).to_string();
    let address = own.address.as_deref().unwrap_or("-");
    let lines = [
        format!(
            "{}  {}",
            output.of("链      ", "chain      "),
            genesis.chain_id()
        ),
        format!(
            "{}  {}",
            output.of("创世哈希", "genesis    "),
            genesis.hash()
        ),
        format!("{}  {peers_hash}", output.of("节点清单", "peers (SM3)")),
        format!(
            "{}  {} ({}, {address})",
            output.of("本节点  ", "this node  "),
            own.name,
            own.role,
        ),
        format!(
            "{}  tax-node start --data {} --listen-peers 0.0.0.0:{}",
            output.of("下一步  ", "next       "),
            args.data.display(),
            address.rsplit(':').next().unwrap_or_default()
        ),
    ];
    let value = serde_json::json!({
        "chain_id": genesis.chain_id(), "genesis_hash": genesis.hash(), "peers_sm3": peers_hash,
        "name": own.name, "role": own.role, "nodes": nodes.len(),
    });
    output.result(&value, &lines);
    Ok(())
}

/// Reads a genesis file that somebody sent.
pub(super) fn read_genesis(path: &Path) -> Result<Genesis, Failure> {
    let file = |error: &dyn std::fmt::Display| {
        Failure::file(path, error)
            .hint("使用 init assemble 写出的 genesis.json / take the genesis.json that init assemble wrote")
    };
    let length = std::fs::metadata(path).map_err(|error| file(&error))?.len();
    if length > GENESIS_BYTES_MAX as u64 {
        return Err(file(&"过大 / too large"));
    }
    let bytes = std::fs::read(path).map_err(|error| file(&error))?;
    Genesis::parse(&bytes).map_err(|error| file(&error))
}

/// The peers file has exactly the validators of the genesis file.
fn match_validators(genesis: &Genesis, nodes: &[Peer]) -> Result<(), Failure> {
    let listed: BTreeSet<Kid> = nodes
        .iter()
        .filter(|node| node.role == NodeRole::Validator)
        .map(Peer::kid)
        .collect();
    let founders: BTreeSet<Kid> = genesis
        .validators()
        .validators()
        .iter()
        .map(|validator| validator.public_key.kid())
        .collect();
    match listed.symmetric_difference(&founders).next() {
        None => Ok(()),
        Some(kid) => {
            let text = format!(
                "验证者 {kid} 只在创世文件与节点清单之一中 / validator {kid} stands in only one of genesis file and peers file"
            );
            Err(Failure::new(Exit::Usage, "peers", text).hint(
                "两个文件须出自同一次 init assemble；创世后验证者已有变更时加 --validators-changed / both files come from one run of init assemble; give --validators-changed when the validators changed since then",
            ))
        }
    }
}

/// The entry of this node, by the key in its folder.
fn own_node<'n>(args: &Args, genesis: &Genesis, nodes: &'n [Peer]) -> Result<&'n Peer, Failure> {
    let (validator, node) = (
        files::validator_key(&args.data),
        files::node_key(&args.data),
    );
    let (path, role) = match (validator.exists(), node.exists()) {
        (true, _) => (validator, NodeRole::Validator),
        (false, true) => (node, NodeRole::Supervisor),
        (false, false) => {
            let text = format!("{} 不存在 / does not exist", validator.display());
            return Err(Failure::new(Exit::Usage, "no_key", text).hint(
                "先运行 tax-node init party --data … / run tax-node init party --data … first",
            ));
        }
    };
    let kid = key_file::read(&path, args.passphrase_file.as_deref())?
        .public_key()
        .kid();
    nodes
        .iter()
        .find(|node| node.kid() == kid && node.role == role)
        .ok_or_else(|| {
            let text = format!(
                "{}: 密钥 {kid} 不在链 {} 的{role}之列 / key {kid} is no {role} of chain {}",
                path.display(),
                genesis.chain_id(),
                genesis.chain_id()
            );
            Failure::new(Exit::Authentication, "not_a_party", text).hint(
                "检查 --data 是否为本节点的目录，以及 assemble 时是否含有它的 party.json / check that --data is this node's folder and that its party.json was assembled",
            )
        })
}

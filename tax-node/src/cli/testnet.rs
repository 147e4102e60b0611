//! `tax-node testnet`: a whole consortium on this machine, to try it out.

use std::fs;
use std::path::{Path, PathBuf};

use invoice_core::calendar::Instant;
use invoice_core::chain::{ChainId, Genesis};
use invoice_core::crypto::{SecretKeySigner, Signer};
use serde::{Deserialize, Serialize};

use super::failure::{Exit, Failure};
use super::output::Output;
use super::party_file::Party;
use super::testnet_run;
use super::{assemble, demo, init};
use crate::links::Role as NodeRole;
use crate::node::system_clock;
use crate::{files, key_file};

/// The list of nodes in the folder.
const LAYOUT: &str = "testnet.json";
/// Value of the list's member `format`.
const FORMAT: &str = "piaolian-testnet/1";
/// Links wait so many ports above the HTTP interface of the same node.
const LINK_PORTS_ABOVE: u16 = 200;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 验证者个数 / how many validators
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(4..=100))]
    validators: u16,
    /// 监管节点个数 / how many nodes without a vote
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(0..=100))]
    supervisors: u16,
    /// 目录；已准备过则沿用 / the folder; one that was prepared is used again
    #[arg(long, default_value = "piaolian-testnet")]
    dir: PathBuf,
    /// 第一个节点的 HTTP 端口；节点间连接的端口高 200 / HTTP port of the first node; its links are 200 above
    #[arg(long, default_value_t = 27100, value_parser = clap::value_parser!(u16).range(1024..=65000))]
    base_port: u16,
    /// 链名 / the chain's name
    #[arg(long, default_value = "testnet")]
    chain_id: ChainId,
    /// 只准备，不启动 / prepare only
    #[arg(long)]
    no_start: bool,
}

/// The nodes of a testnet.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Layout {
    format: String,
    pub(super) nodes: Vec<LaidOut>,
}

/// A node of a testnet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LaidOut {
    /// Its name, and that of its folder.
    pub(super) name: String,
    pub(super) role: NodeRole,
    /// Where its HTTP interface listens.
    pub(super) listen: String,
    pub(super) url: String,
    /// Where it waits for links.
    pub(super) listen_peers: String,
}

impl LaidOut {
    /// How this node alone is started.
    pub(super) fn command(&self, dir: &Path) -> String {
        format!(
            "tax-node start --data {} --listen {} --listen-peers {}",
            dir.join(&self.name).display(),
            self.listen,
            self.listen_peers
        )
    }
}

impl Layout {
    fn new(args: &Args) -> Self {
        let validators = (0..args.validators).map(|n| (NodeRole::Validator, n));
        let supervisors = (0..args.supervisors).map(|n| (NodeRole::Supervisor, n));
        let nodes =
            (args.base_port..)
                .zip(validators.chain(supervisors))
                .map(|(port, (role, number))| LaidOut {
                    name: format!("{role}-{number}"),
                    role,
                    listen: format!("127.0.0.1:{port}"),
                    url: format!("http://127.0.0.1:{port}"),
                    listen_peers: format!("127.0.0.1:{}", port.saturating_add(LINK_PORTS_ABOVE)),
                });
        Self {
            format: FORMAT.to_owned(),
            nodes: nodes.collect(),
        }
    }

    /// Reads the list of a folder that was prepared.
    pub(super) fn read(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join(LAYOUT);
        let wrong = |error: &dyn std::fmt::Display| {
            Failure::file(&path, error)
                .hint("先运行 tax-node testnet --dir … / run tax-node testnet --dir … first")
        };
        let bytes = fs::read(&path).map_err(|error| wrong(&error))?;
        let layout: Self = serde_json::from_slice(&bytes).map_err(|error| wrong(&error))?;
        match layout.format == FORMAT {
            true => Ok(layout),
            false => Err(wrong(&layout.format)),
        }
    }
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let layout = match args.dir.join(LAYOUT).exists() {
        true => prepared(args, output)?,
        false => prepare(args)?,
    };
    let first = layout.nodes.first().map(|node| args.dir.join(&node.name));
    let genesis = init::read_genesis(&first.unwrap_or_default())?;
    if args.no_start {
        report(args, &layout, &genesis, output);
        return Ok(());
    }
    testnet_run::run(&args.dir, &layout, &genesis, output)
}

/// The nodes of a folder that was prepared; they stay what they are, whatever is asked for now.
fn prepared(args: &Args, output: Output) -> Result<Layout, Failure> {
    let layout = Layout::read(&args.dir)?;
    if layout.nodes != Layout::new(args).nodes {
        output.note(output.of(
            "目录已准备过：沿用其节点与端口，本次的 --validators、--supervisors、--base-port、--chain-id 不起作用",
            "the folder was prepared before: its nodes and ports stay, and --validators, --supervisors, --base-port and --chain-id change nothing",
        ));
    }
    Ok(layout)
}

/// Makes keys, members, genesis file, peers file and stores of all nodes. The list of nodes comes
/// last: a folder that has it is complete.
fn prepare(args: &Args) -> Result<Layout, Failure> {
    let dir = &args.dir;
    let occupied = fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
    if occupied {
        let text = format!("{}: 目录不为空 / the folder is not empty", dir.display());
        return Err(Failure::new(Exit::Usage, "folder_not_empty", text)
            .hint("换一个目录 / choose another folder with --dir"));
    }
    let layout = Layout::new(args);
    let members = demo::make_cast(dir)?;
    let mut parties = Vec::new();
    for (number, node) in layout.nodes.iter().enumerate() {
        let folder = dir.join(&node.name);
        let key = key_file::generate()?;
        let (file, weight) = match node.role {
            NodeRole::Validator => (files::validator_key(&folder), Some(1)),
            NodeRole::Supervisor => (files::node_key(&folder), None),
        };
        key_file::write_new(&file, &key, None)?;
        // Validators are the tax and the finance bureau's in turn, so neither decides alone.
        let group = match number % 2 {
            0 => "tax",
            _ => "finance",
        };
        let signer = SecretKeySigner::new(key);
        let party = Party {
            format: Party::format(),
            name: node.name.clone(),
            role: node.role,
            group: weight.map(|_| group.to_owned()),
            weight,
            address: node.listen_peers.clone(),
            public_key: signer.public_key().clone(),
            authority: None,
        };
        parties.push(party);
    }
    let now: Instant = (system_clock())();
    let assembled = assemble::assemble(&args.chain_id, now, &parties, members)?;
    for node in &layout.nodes {
        let folder = dir.join(&node.name);
        let write = |path: PathBuf, bytes: &[u8]| {
            files::write_whole(&path, bytes, files::PUBLIC)
                .map_err(|error| Failure::file(&path, error))
        };
        write(files::peers(&folder), &assembled.peers)?;
        init::put_genesis(&folder, &assembled.genesis)?;
    }
    let path = files::genesis(dir);
    files::write_whole(&path, assembled.genesis.bytes(), files::PUBLIC)
        .map_err(|error| Failure::file(&path, error))?;
    let path = dir.join(LAYOUT);
    let text = serde_json::to_vec_pretty(&layout).map_err(|error| Failure::file(&path, error))?;
    files::write_whole(&path, &text, files::PUBLIC).map_err(|error| Failure::file(&path, error))?;
    Ok(layout)
}

/// Says what was prepared.
fn report(args: &Args, layout: &Layout, genesis: &Genesis, output: Output) {
    let mut lines = table(layout, output);
    lines.push(format!(
        "{}  {}",
        output.of("创世哈希", "genesis"),
        genesis.hash()
    ));
    lines.push(format!(
        "{}  tax-node testnet --dir {}",
        output.of("下一步  ", "next   "),
        args.dir.display()
    ));
    let value = serde_json::json!({
        "dir": args.dir, "chain_id": genesis.chain_id(), "genesis_hash": genesis.hash(),
        "nodes": layout.nodes,
    });
    output.result(&value, &lines);
}

/// The nodes as lines of a table.
pub(super) fn table(layout: &Layout, output: Output) -> Vec<String> {
    let mut lines = vec![format!(
        "{:<16} {:<12} {:<26} {}",
        "name",
        "role",
        "HTTP",
        output.of("节点间连接", "links")
    )];
    lines.extend(layout.nodes.iter().map(|node| {
        format!(
            "{:<16} {:<12} {:<26} {}",
            node.name,
            node.role.as_str(),
            node.url,
            node.listen_peers
        )
    }));
    lines
}

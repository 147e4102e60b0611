//! `tax-node start`: the node of a folder.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use invoice_core::chain::Genesis;
use invoice_core::crypto::Kid;

use super::failure::{Exit, Failure};
use super::output::Output;
use super::serve::{self, Listen, Lost};
use super::{init, serve::block_on};
use crate::node::{ConsortiumConfig, Node};
use crate::{files, peers};

/// How often a node looks whether its peers file has changed.
const PEERS_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 节点数据目录 / the node's folder
    #[arg(long, env = "PIAOLIAN_DATA", default_value = "piaolian-data")]
    data: PathBuf,
    #[command(flatten)]
    listen: Listen,
    /// 联盟链节点之间的监听地址 / the address where other nodes of a consortium connect
    #[arg(long, env = "PIAOLIAN_LISTEN_PEERS")]
    listen_peers: Option<SocketAddr>,
    /// 节点密钥；默认为 keys/validator.pem，无表决权的节点为 keys/node.pem / the node's key
    #[arg(long)]
    key: Option<PathBuf>,
    /// 口令文件 / a file with the passphrase
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    lost: Lost,
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let genesis = init::read_genesis(&args.data)?;
    let key = args.key.clone().unwrap_or_else(|| default_key(&args.data));
    let key = crate::key_file::read(&key, args.passphrase_file.as_deref())?;
    let path = files::peers(&args.data);
    // Before it is read: a change in between is taken up, too.
    let seen = stamp(&path);
    let consortium = consortium(args)?;
    args.lost.accept(&args.data)?;
    serve::log_to_stderr(output);
    if let Some(others) = &consortium {
        name_a_stranger(&genesis, others, &key.public_key().kid());
    }
    block_on(async {
        let among_others = consortium.is_some();
        let votes = genesis.validators().get(&key.public_key().kid()).is_some();
        let oversight = args.listen.oversight(among_others && votes);
        let networks = args.listen.webhook_networks();
        let running = serve::start(&args.data, genesis, key, consortium, oversight, networks)?;
        if among_others {
            tokio::spawn(follow_peers(running.node.clone(), path, seen));
        }
        let served = serve::bind(&running, &args.listen)?;
        serve::announce(&served, output);
        served.until_interrupted(running).await
    })
}

/// Says so when the key is in neither list: the other nodes will not let it in, and nobody counts
/// its votes. Validators may have changed since genesis, so the node starts nevertheless.
fn name_a_stranger(genesis: &Genesis, others: &ConsortiumConfig, kid: &Kid) {
    let listed = others.peers.iter().any(|peer| peer.kid() == *kid);
    if !listed && genesis.validators().get(kid).is_none() {
        tracing::warn!(
            %kid,
            "本节点密钥不在 peers.json 也不在创世验证者之中，其他节点可能拒绝其连接 / the key of this node is neither in peers.json nor a founding validator's: other nodes may refuse its links"
        );
    }
}

/// A validator's key, or that of a node without a vote.
fn default_key(data: &Path) -> PathBuf {
    let validator = files::validator_key(data);
    match validator.exists() {
        true => validator,
        false => files::node_key(data),
    }
}

/// The other nodes, for a folder that has a list of them.
fn consortium(args: &Args) -> Result<Option<ConsortiumConfig>, Failure> {
    let path = files::peers(&args.data);
    if !path.exists() {
        return Ok(None);
    }
    let peers = peers::read(&path).map_err(|error| {
        Failure::new(Exit::Usage, "peers", error)
            .hint("请检查 peers.json / look at peers.json in the node's folder")
    })?;
    Ok(Some(ConsortiumConfig {
        listen: args.listen_peers,
        peers,
        timeouts: Default::default(),
        tuning: Default::default(),
        limits: Default::default(),
    }))
}

/// By what a changed file is told from the former one. It is written under another name and
/// renamed, so that no half of it is seen.
fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// Takes up the peers file whenever it changes, as long as this process lives. A file that cannot
/// be read changes nothing.
async fn follow_peers(node: Node, path: PathBuf, mut seen: Option<(SystemTime, u64)>) {
    let mut ticks = tokio::time::interval(PEERS_INTERVAL);
    loop {
        ticks.tick().await;
        let now = stamp(&path);
        if now.is_none() || now == seen {
            continue;
        }
        seen = now;
        let listed = peers::read(&path).map_err(|error| error.to_string());
        let count = listed.as_ref().map_or(0, Vec::len);
        let taken =
            listed.and_then(|peers| node.set_peers(peers).map_err(|error| error.to_string()));
        match taken {
            Ok(()) => tracing::info!(
                nodes = count,
                "节点清单已更新 / the peers file was taken up anew"
            ),
            Err(error) => {
                tracing::error!(%error, "节点清单有误，沿用原清单 / the peers file is wrong, the former one stays")
            }
        }
    }
}

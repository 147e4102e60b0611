//! `tax-node validators peers`: the peers file after nodes came, went or changed their keys.

use std::path::PathBuf;

use super::failure::{Exit, Failure};
use super::output::Output;
use super::party_file::Party;
use super::validators::{Edits, position};
use crate::files;
use crate::links::Peer;
use crate::peers;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 节点清单 / the peers file
    #[arg(long, value_name = "peers.json")]
    file: PathBuf,
    #[command(flatten)]
    edits: Edits,
    /// 写到另一文件，不改原文件 / write another file instead of changing this one
    #[arg(long)]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let mut nodes = peers::read(&args.file).map_err(|error| {
        Failure::new(
            Exit::Usage,
            "peers",
            format!("{}: {error}", args.file.display()),
        )
        .hint("使用节点目录中的 peers.json / take peers.json of the node's folder")
    })?;
    for name in &args.edits.remove {
        let place = position(&nodes, name, |node: &Peer| &node.name)?;
        nodes.remove(place);
    }
    for (name, path) in &args.edits.rekey {
        let place = position(&nodes, name, |node: &Peer| &node.name)?;
        let party = Party::read(path)?;
        if let Some(node) = nodes.get_mut(place) {
            node.public_key = party.public_key;
            node.address = Some(party.address);
        }
    }
    for path in &args.edits.add {
        let party = Party::read(path)?;
        nodes.push(Peer {
            name: party.name,
            role: party.role,
            public_key: party.public_key,
            address: Some(party.address),
        });
    }
    let lines: Vec<String> = nodes
        .iter()
        .map(|node| {
            format!(
                "{}  {:<10}  {}  {}",
                node.kid(),
                node.role.as_str(),
                node.address.as_deref().unwrap_or("-"),
                node.name
            )
        })
        .collect();
    let count = nodes.len();
    let bytes = peers::compose(&nodes).map_err(|error| {
        Failure::new(Exit::Usage, "peers", error)
            .hint("名称与密钥须各不相同 / names and keys differ from one another")
    })?;
    let path = args.out.as_ref().unwrap_or(&args.file);
    // To look at the list is no reason to write it.
    if args.edits.any() || args.out.is_some() {
        files::write_whole(path, &bytes, files::PUBLIC)
            .map_err(|error| Failure::file(path, error))?;
    }
    output.result(
        &serde_json::json!({ "peers": path, "nodes": count }),
        &lines,
    );
    Ok(())
}

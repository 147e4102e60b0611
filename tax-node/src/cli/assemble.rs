//! `tax-node init assemble`: the genesis file and the peers file from what the parties say.
//!
//! Whoever assembles the same files with the same name and time gets the same bytes; so every party
//! does it alone, and they compare the hashes by telephone.

use std::collections::BTreeMap;
use std::path::PathBuf;

use invoice_core::calendar::Instant;
use invoice_core::chain::{ChainId, Genesis, GenesisMember, Validator, ValidatorSet};
use invoice_core::crypto::{Kid, sm3};
use invoice_core::identity::MemberId;
use invoice_core::read::Spelled;
use invoice_core::record::{Role, RoleSet};

use super::failure::{Exit, Failure};
use super::output::Output;
use super::party_file::Party;
use crate::files;
use crate::links::{Peer, Role as NodeRole};
use crate::node::system_clock;
use crate::peers;

/// Fewest validators of a consortium: three tolerate no fault.
const VALIDATORS_MIN: usize = 4;
/// How far ahead of now a chain may begin: a day, in milliseconds. Later is a slip of the pen, and
/// the chain would stand still until then.
const AHEAD_MAX_MS: i64 = 86_400_000;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 链名：1 至 32 个 a-z 0-9 - / the chain's name
    #[arg(long)]
    chain_id: ChainId,
    /// 创世时间，RFC 3339，各方约定 / when the chain begins, as the parties agreed
    #[arg(long, value_name = "RFC3339", value_parser = time)]
    time: Instant,
    /// 写出 genesis.json 与 peers.json 的目录 / the folder for genesis.json and peers.json
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// 各方的 party.json / the parties' files
    #[arg(required = true, value_name = "PARTY.json")]
    parties: Vec<PathBuf>,
}

fn time(text: &str) -> Result<Instant, String> {
    Instant::parse_rfc3339(text).map_err(|rule| rule.explanation().en.to_owned())
}

/// The two files that all parties share.
pub(super) struct Assembled {
    pub(super) genesis: Genesis,
    pub(super) peers: Vec<u8>,
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let mut parties = Vec::new();
    for path in &args.parties {
        parties.push(Party::read(path)?);
    }
    let latest = (system_clock())().ms().saturating_add(AHEAD_MAX_MS);
    if args.time.ms() > latest {
        let text = format!(
            "--time {} 比现在晚一天以上 / is more than a day ahead of now",
            args.time.to_rfc3339_utc8()
        );
        return Err(refused("time", text).hint(
            "创世之前链不能出块；检查年份与时区，以及本机时钟 / no block comes before that time: check year, time zone and the clock of this machine",
        ));
    }
    let assembled = assemble(&args.chain_id, args.time, &parties, Vec::new())?;
    let (genesis, peers) = (files::genesis(&args.out), files::peers(&args.out));
    for path in [&genesis, &peers] {
        if path.exists() {
            let text = format!("{} 已存在 / exists", path.display());
            return Err(Failure::new(Exit::Usage, "exists", text)
                .hint("换一个 --out 目录 / choose another folder with --out"));
        }
    }
    let write = |path: &PathBuf, bytes: &[u8]| {
        files::write_whole(path, bytes, files::PUBLIC).map_err(|error| Failure::file(path, error))
    };
    write(&peers, &assembled.peers)?;
    write(&genesis, assembled.genesis.bytes())?;
    let hash = assembled.genesis.hash().to_string();
    let peers_hash = sm3(&[&assembled.peers]).to_string();
    let validators = assembled.genesis.validators();
    let mut lines = vec![
        format!(
            "{}  {}",
            output.of("链      ", "chain      "),
            args.chain_id
        ),
        format!(
            "{}  {}",
            output.of("验证者  ", "validators "),
            validators.validators().len()
        ),
    ];
    lines.extend(parties.iter().map(|party| {
        format!(
            "  {}  {}  {}  {}  {}",
            party.public_key.kid(),
            party.group.as_deref().unwrap_or("-"),
            party
                .weight
                .map_or("-".to_owned(), |weight| weight.to_string()),
            party.address,
            party.name
        )
    }));
    lines.extend([
        format!("{}  {hash}", output.of("创世哈希", "genesis    ")),
        format!("{}  {peers_hash}", output.of("节点清单", "peers (SM3)")),
        output
            .of(
                "下一步    各方各自生成并用电话核对两个哈希，再运行 tax-node init join",
                "next         every party assembles for itself, compares both hashes by telephone, then runs tax-node init join",
            )
            .to_owned(),
    ]);
    let value = serde_json::json!({
        "chain_id": args.chain_id, "genesis_hash": hash, "peers_sm3": peers_hash,
        "validators": validators.validators().len(), "genesis": genesis, "peers": peers,
    });
    output.result(&value, &lines);
    Ok(())
}

fn refused(code: &'static str, text: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Usage, code, text)
}

/// Puts the parties together in the order of their keys; `members` found the chain beside the
/// parties' authorities.
pub(super) fn assemble(
    chain_id: &ChainId,
    time: Instant,
    parties: &[Party],
    members: Vec<GenesisMember>,
) -> Result<Assembled, Failure> {
    let mut sorted = BTreeMap::new();
    let mut keys: BTreeMap<Kid, &str> = BTreeMap::new();
    for party in parties {
        let authority = party.authority.iter().map(|one| &one.public_key);
        for key in authority.chain([&party.public_key]) {
            if let Some(other) = keys.insert(key.kid(), &party.name) {
                let text = format!(
                    "{other} 与 {} 使用同一密钥 {} / have the same key",
                    party.name,
                    key.kid()
                );
                return Err(refused("key_repeated", text).hint(
                    "每个节点、每个机关须有自己的密钥 / every node and authority has a key of its own",
                ));
            }
        }
        sorted.insert(party.public_key.kid(), party);
    }
    let nodes = sorted.values().map(|party| Peer {
        name: party.name.clone(),
        role: party.role,
        public_key: party.public_key.clone(),
        address: Some(party.address.clone()),
    });
    let nodes: Vec<Peer> = nodes.collect();
    let peers = peers::compose(&nodes).map_err(|error| {
        refused("peers", error).hint("各方名称须各不相同 / every party has a name of its own")
    })?;
    let validators: Vec<_> = sorted
        .values()
        .filter(|party| party.role == NodeRole::Validator)
        .map(|party| Validator {
            public_key: party.public_key.clone(),
            weight: party.weight.unwrap_or(0),
            group: party.group(),
            name: party.name.clone(),
        })
        .collect();
    if validators.len() < VALIDATORS_MIN {
        let text = format!(
            "只有 {} 个验证者，联盟至少需要 {VALIDATORS_MIN} 个 / only {} validators, a consortium has {VALIDATORS_MIN} or more",
            validators.len(),
            validators.len()
        );
        return Err(refused("validators", text).hint(
            "单验证者的链用 tax-node init --chain-id … / a chain with one validator begins with tax-node init --chain-id …",
        ));
    }
    let set = ValidatorSet::new(validators).map_err(|error| {
        refused("validators", error)
            .hint("调整各方的 --group 与 --weight / change --group and --weight of the parties")
    })?;
    let members = members_of(parties, members)?;
    let genesis = Genesis::compose(chain_id.clone(), time.ms(), set, members)
        .map_err(|error| refused("genesis", error))?;
    Ok(Assembled { genesis, peers })
}

/// The founding members, in the order of their ids; an authority of each bureau is among them.
fn members_of(
    parties: &[Party],
    members: Vec<GenesisMember>,
) -> Result<Vec<GenesisMember>, Failure> {
    let mut all: BTreeMap<String, GenesisMember> = BTreeMap::new();
    let authorities = parties.iter().filter_map(|party| {
        let authority = party.authority.as_ref()?;
        let role = Role::spelled(party.group.as_deref()?).ok()?;
        Some(GenesisMember {
            id: MemberId::spelled(&authority.id).ok()?,
            name: authority.name.clone(),
            roles: RoleSet::default().with(role),
            public_key: authority.public_key.clone(),
        })
    });
    for member in authorities.chain(members) {
        let id = member.id.to_string();
        if all.insert(id.clone(), member).is_some() {
            let text = format!("机关 {id} 出现两次 / authority {id} occurs twice");
            return Err(refused("authority_repeated", text).hint(
                "一个机关只由一方以 --authority 给出 / one party alone gives an authority with --authority",
            ));
        }
    }
    for role in [Role::Tax, Role::Finance] {
        if !all.values().any(|member| member.roles.contains(role)) {
            let text = format!("没有 {role} 机关 / no {role} authority");
            return Err(refused("no_authority", text).hint(
                "该方运行 init party 时须给出 --authority 代码=名称 / that party runs init party with --authority code=name",
            ));
        }
    }
    Ok(all.into_values().collect())
}

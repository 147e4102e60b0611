//! `tax-node validators`: a change of the validators, proposed by one bureau, countersigned by the
//! other, and sent.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use invoice_api::client::{Client, ClientConfig, Envelope, Submitted};
use invoice_core::chain::{ChainId, Validator, ValidatorSet};
use invoice_core::crypto::{SecretKeySigner, Signer};
use invoice_core::identity::{MemberId, RecordId};
use invoice_core::read::Spelled;
use invoice_core::record::{Body, Record};
use invoice_core::state::TypedState;

use super::change_file::{self, ChangeFile, Consent};
use super::failure::{Exit, Failure};
use super::output::Output;
use super::party_file::Party;
use super::serve::block_on;
use super::{init, peers_edit, validators_show as show, verify};
use crate::key_file;
use crate::links::Role as NodeRole;
use crate::node::system_clock;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// 提议：由现有验证者集得出新集，写出 change.json / write change.json: the current set with changes
    Propose(Propose),
    /// 会签：另一方机关在 change.json 上签名 / sign change.json for the other bureau's authority
    Countersign(Sign),
    /// 提交：由首位机关签名并发送给节点 / sign with the first authority's key and send it to a node
    Submit(Submit),
    /// 查看验证者集，并与运行中的节点比对是否已生效 / show a set, and whether it decides a running node's blocks
    Show(show::Args),
    /// 在节点清单 peers.json 中查看、增删节点 / show, add and remove nodes in peers.json
    Peers(peers_edit::Args),
}

/// What becomes different.
#[derive(Debug, clap::Args)]
pub(super) struct Edits {
    /// 增加：该方的 party.json / add a party
    #[arg(long, value_name = "PARTY.json")]
    pub(super) add: Vec<PathBuf>,
    /// 移除：节点名称 / remove a node by its name
    #[arg(long, value_name = "NAME")]
    pub(super) remove: Vec<String>,
    /// 换密钥：名称=该方新的 party.json / another key: name=the party's new file
    #[arg(long, value_name = "NAME=PARTY.json", value_parser = rekey)]
    pub(super) rekey: Vec<(String, PathBuf)>,
}

impl Edits {
    /// Whether anything is to become different.
    pub(super) const fn any(&self) -> bool {
        !self.add.is_empty() || !self.remove.is_empty() || !self.rekey.is_empty()
    }
}

fn rekey(text: &str) -> Result<(String, PathBuf), String> {
    let (name, path) = text
        .rsplit_once('=')
        .ok_or("应为 名称=party.json / NAME=PARTY.json is due")?;
    Ok((name.to_owned(), path.into()))
}

#[derive(Debug, clap::Args)]
pub(super) struct Propose {
    /// 现有的验证者：genesis.json，或最近一次变更的 change.json / the current ones: genesis.json or the last change.json
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
    #[command(flatten)]
    edits: Edits,
    /// 新集决定的第一个区块的高度；须高于记录所在高度至少 2 / first block that the new set decides
    #[arg(long, value_name = "HEIGHT", value_parser = clap::value_parser!(u64).range(3..))]
    from_height: u64,
    /// 新文件 / the new file
    #[arg(long, default_value = "change.json")]
    out: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct Sign {
    /// 变更文件 / the change
    #[arg(long, default_value = "change.json")]
    change: PathBuf,
    /// 签名机关的统一社会信用代码 / the signing authority's social credit code
    #[arg(long, value_name = "CODE", value_parser = member)]
    by: MemberId,
    /// 该机关的密钥文件 / its key file
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// 口令文件 / a file with the passphrase
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Submit {
    #[command(flatten)]
    sign: Sign,
    /// 任一节点的 HTTP 地址 / HTTP address of any node
    #[arg(long, value_name = "URL")]
    server: String,
    /// 信任的证书（PEM），用于 https / trusted certificates for https
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

fn member(text: &str) -> Result<MemberId, String> {
    MemberId::spelled(text).map_err(|rule| rule.explanation().en.to_owned())
}

pub(super) fn run(verb: &Verb, output: Output) -> Result<(), Failure> {
    match verb {
        Verb::Propose(args) => propose(args, output),
        Verb::Countersign(args) => countersign(args, output),
        Verb::Submit(args) => submit(args, output),
        Verb::Show(args) => show::run(args, output),
        Verb::Peers(args) => peers_edit::run(args, output),
    }
}

/// Nobody of that name, or several.
pub(super) fn position<T>(
    all: &[T],
    name: &str,
    name_of: impl Fn(&T) -> &str,
) -> Result<usize, Failure> {
    let mut found = all
        .iter()
        .enumerate()
        .filter(|(_, one)| name_of(one) == name)
        .map(|(place, _)| place);
    match (found.next(), found.next()) {
        (Some(place), None) => Ok(place),
        (None, _) | (Some(_), Some(_)) => {
            let text =
                format!("没有唯一名为 {name} 的节点 / there is not exactly one node named {name}");
            let names: Vec<_> = all.iter().map(&name_of).collect();
            Err(Failure::new(Exit::Usage, "no_such_node", text)
                .hint(format!("现有 / there are: {}", names.join(", "))))
        }
    }
}

fn propose(args: &Propose, output: Output) -> Result<(), Failure> {
    if args.out.exists() {
        let text = format!("{} 已存在 / exists", args.out.display());
        return Err(Failure::new(Exit::Usage, "exists", text)
            .hint("换一个 --out 文件 / choose another file with --out"));
    }
    let (chain_id, current) = match (&args.current, &args.data) {
        (Some(path), _) => change_file::current(path)?,
        (None, Some(data)) => from_store(data)?,
        (None, None) => return Err(Failure::new(Exit::Usage, "usage", "--current, --data")),
    };
    let next = edited(&current, &args.edits)?;
    if next == current {
        let text = "没有任何变更 / nothing changes";
        return Err(Failure::new(Exit::Usage, "no_change", text)
            .hint("给出 --add、--remove 或 --rekey / give --add, --remove or --rekey"));
    }
    let change = ChangeFile::new(chain_id, args.from_height, &current, &next);
    change.write(&args.out)?;
    let mut lines = describe(&change, &next, output);
    lines.push(format!(
        "{} tax-node validators countersign --change {}",
        output.of("下一步：另一方运行", "next: the other bureau runs"),
        args.out.display()
    ));
    let value = serde_json::json!({
        "change": args.out, "chain_id": change.chain_id, "from_height": change.from_height,
        "list_digest": next.list_digest(), "validators": next.validators().len(),
    });
    output.result(&value, &lines);
    Ok(())
}

/// The newest validators in the store of a stopped node.
pub(super) fn from_store(data: &Path) -> Result<(ChainId, ValidatorSet), Failure> {
    let genesis = init::read_genesis(data)?;
    let newest = verify::read(data, &genesis, |snapshot| {
        TypedState(snapshot)
            .newest_validators()
            .map_err(Failure::integrity)
    })?;
    let set = newest.map_or_else(|| genesis.validators().clone(), |entry| entry.set);
    Ok((genesis.chain_id().clone(), set))
}

/// The set with the changes, in the order of the keys.
fn edited(current: &ValidatorSet, edits: &Edits) -> Result<ValidatorSet, Failure> {
    let mut validators = current.validators().to_vec();
    for name in &edits.remove {
        let place = position(&validators, name, |one: &Validator| &one.name)?;
        validators.remove(place);
    }
    for (name, path) in &edits.rekey {
        let place = position(&validators, name, |one: &Validator| &one.name)?;
        let party = validating(path)?;
        if let Some(validator) = validators.get_mut(place) {
            validator.public_key = party.public_key;
        }
    }
    for path in &edits.add {
        let party = validating(path)?;
        if validators.iter().any(|one| one.name == party.name) {
            let text = format!(
                "已有名为 {} 的验证者 / there is a validator named {}",
                party.name, party.name
            );
            return Err(Failure::new(Exit::Usage, "name_repeated", text)
                .hint("换密钥请用 --rekey / use --rekey to change its key"));
        }
        validators.push(Validator {
            weight: party.weight.unwrap_or(0),
            group: party.group(),
            public_key: party.public_key,
            name: party.name,
        });
    }
    validators.sort_by_key(|validator| validator.public_key.kid());
    ValidatorSet::new(validators).map_err(|error| {
        Failure::new(Exit::Usage, "validators", error).hint(
            "至少 4 个验证者，两方俱全，且任一方不能独自决定 / 4 validators or more, both bureaus, neither decides alone",
        )
    })
}

/// A party that votes.
fn validating(path: &Path) -> Result<Party, Failure> {
    let party = Party::read(path)?;
    match party.role {
        NodeRole::Validator => Ok(party),
        NodeRole::Supervisor => {
            let text = format!(
                "{}: 监管节点不参与表决 / a supervisor has no vote",
                path.display()
            );
            Err(Failure::new(Exit::Usage, "supervisor", text).hint(
                "监管节点只写入 peers.json：tax-node validators peers --add / a supervisor stands in peers.json only: tax-node validators peers --add",
            ))
        }
    }
}

/// What is about to be signed, for a person.
fn describe(change: &ChangeFile, set: &ValidatorSet, output: Output) -> Vec<String> {
    let mut lines = vec![
        format!(
            "{}  {}",
            output.of("链      ", "chain      "),
            change.chain_id
        ),
        format!(
            "{}  {}",
            output.of("生效高度", "from height"),
            change.from_height
        ),
        format!(
            "{}  {}",
            output.of("名单摘要", "list digest"),
            set.list_digest()
        ),
    ];
    lines.extend(members(set, output));
    lines
}

/// The validators as lines.
pub(super) fn members(set: &ValidatorSet, output: Output) -> impl Iterator<Item = String> + '_ {
    set.validators().iter().map(move |validator| {
        format!(
            "  {}  {}  {} {}  {}",
            validator.public_key.kid(),
            validator.group.map_or("-", |group| group.as_str()),
            output.of("权重", "weight"),
            validator.weight,
            validator.name
        )
    })
}

fn countersign(args: &Sign, output: Output) -> Result<(), Failure> {
    let mut change = ChangeFile::read(&args.change)?;
    if change.record.is_some() {
        let text = "变更已提交，不能再会签 / the change was sent already";
        return Err(Failure::new(Exit::Usage, "sent", text)
            .hint("重新提议 / propose again: tax-node validators propose"));
    }
    let set = change.set()?;
    let signer = SecretKeySigner::new(key_file::read(&args.key, args.passphrase_file.as_deref())?);
    let sig = signer
        .sign(&change.message()?)
        .map_err(|error| Failure::new(Exit::Usage, "sign", error))?;
    let kid = signer.public_key().kid();
    change.countersigned = Some(Consent {
        by: args.by.to_string(),
        kid,
        sig,
    });
    change.write(&args.change)?;
    let mut lines = describe(&change, &set, output);
    lines.push(format!(
        "{}  {} ({kid})",
        output.of("会签    ", "signed by  "),
        args.by
    ));
    lines.push(format!(
        "{} tax-node validators submit --change {}",
        output.of("下一步：首位机关运行", "next: the first authority runs"),
        args.change.display()
    ));
    let value = serde_json::json!({
        "change": args.change, "by": args.by.to_string(), "kid": kid,
        "from_height": change.from_height, "list_digest": set.list_digest(),
    });
    output.result(&value, &lines);
    Ok(())
}

/// The text of the record, the same whenever the change is sent again.
fn record_of(path: &Path, change: &mut ChangeFile, by: MemberId) -> Result<String, Failure> {
    if let Some(record) = &change.record {
        return Ok(record.clone());
    }
    let Some(body) = change.body()? else {
        let text = format!("{}: 尚未会签 / is not countersigned", path.display());
        return Err(Failure::new(Exit::Usage, "not_countersigned", text).hint(
            "另一方先运行 tax-node validators countersign / the other bureau runs tax-node validators countersign first",
        ));
    };
    let digest = body.change.validators.list_digest().to_string();
    let short: String = digest.chars().take(16).collect();
    let id = format!("validators-{}-{short}", change.from_height);
    let record = Record {
        id: RecordId::spelled(&id).map_err(|rule| Failure::new(Exit::Usage, "record", rule))?,
        by,
        at: (system_clock())(),
        body: Body::ValidatorsChange(Box::new(body)),
    }
    .to_json();
    // Before it is sent: whatever happens then, the same bytes are sent again.
    change.record = Some(record.clone());
    change.write(path)?;
    Ok(record)
}

fn submit(args: &Submit, output: Output) -> Result<(), Failure> {
    let sign = &args.sign;
    let network = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::Network, "network", error)
            .hint("换一个节点，或再次运行同一命令 / try another node, or the same command again")
    };
    let mut config = ClientConfig::new(&args.server);
    if let Some(path) = &args.ca {
        let pem = std::fs::read(path).map_err(|error| Failure::file(path, error))?;
        config.ca_pem = Some(pem);
    }
    let client = Client::new(config).map_err(|error| {
        Failure::new(Exit::Usage, "server", error).hint("例如 / such as http://127.0.0.1:8080")
    })?;
    let key = key_file::read(&sign.key, sign.passphrase_file.as_deref())?;
    let signer = SecretKeySigner::new(key);
    let mut change = ChangeFile::read(&sign.change)?;
    let record = record_of(&sign.change, &mut change, sign.by)?;
    let envelope = Envelope::single(&change.chain_id, &signer, &record)
        .map_err(|error| Failure::new(Exit::Usage, "envelope", error))?;
    let submitted = block_on(async {
        client
            .submit(&envelope)
            .await
            .map_err(|error| network(&error))
    })?;
    match submitted {
        Submitted::Recorded(recorded) => {
            let receipt: serde_json::Value =
                serde_json::from_str(&recorded.receipt).unwrap_or_default();
            let lines = [
                format!(
                    "{}  {}",
                    output.of("已上链，高度", "recorded at height"),
                    receipt["height"]
                ),
                format!("{}  {}", output.of("生效高度", "in force from"), change.from_height),
                output
                    .of(
                        "下一步：在生效高度之前，各节点用 tax-node validators peers 更新 peers.json（运行中的节点自动采用）",
                        "next: before that height every node changes its peers.json with tax-node validators peers; a running node takes it up by itself",
                    )
                    .to_owned(),
            ];
            output.result(&receipt, &lines);
            Ok(())
        }
        Submitted::Refused(problem) => {
            let text = format!("{} {}: {}", problem.status, problem.code, problem.detail);
            Err(Failure::new(Exit::Refused, "refused", text).hint(
                "按所述原因重新提议并会签；现有验证者集可从 --data 读取 / propose and countersign again; --data reads the current set",
            ))
        }
    }
}

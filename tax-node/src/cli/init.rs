//! `tax-node init`: a new chain with one validator and the two founding authorities; its
//! subcommands are the steps to a chain of several.

use std::path::{Path, PathBuf};

use invoice_core::chain::{ChainId, Genesis, GenesisMember, Validator, ValidatorSet};
use invoice_core::crypto::PublicKey;
use invoice_core::identity::MemberId;
use invoice_core::read::Spelled;
use invoice_core::record::{Role, RoleSet};

use super::failure::{Exit, Failure, PERMISSIONS};
use super::output::Output;
use super::{assemble, join, party};
use crate::node::{Node, system_clock};
use crate::{files, key_file};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Args {
    #[command(subcommand)]
    step: Option<Step>,
    /// 节点数据目录 / the node's folder
    #[arg(long, env = "PIAOLIAN_DATA", default_value = "piaolian-data")]
    data: PathBuf,
    /// 链名：1 至 32 个 a-z 0-9 - / the chain's name
    #[arg(long, required = true)]
    chain_id: Option<ChainId>,
    /// 税务机关：统一社会信用代码=名称 / the tax authority: social credit code=name
    #[arg(long, required = true, value_parser = founder)]
    tax: Option<(MemberId, String)>,
    /// 财政机关：统一社会信用代码=名称 / the finance authority: social credit code=name
    #[arg(long, required = true, value_parser = founder)]
    finance: Option<(MemberId, String)>,
    /// 三个密钥文件不加密（仅用于测试）/ leave the three key files unencrypted, for tests only
    #[arg(long)]
    plain: bool,
    /// 口令文件 / a file with the passphrase
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
}

/// The steps to a chain of several validators.
#[derive(Debug, clap::Subcommand)]
enum Step {
    /// 联盟第一步：本单位的密钥与 party.json / first step of a consortium: keys and party.json
    Party(party::Args),
    /// 联盟第二步：由各方文件得出创世文件 / second step: the genesis file from the parties' files
    Assemble(assemble::Args),
    /// 联盟第三步：加入约定的链 / third step: join the chain that was agreed on
    Join(join::Args),
}

/// Reads `code=name`.
pub(super) fn founder(text: &str) -> Result<(MemberId, String), String> {
    let (id, name) = text
        .split_once('=')
        .ok_or("应为 代码=名称 / code=name is due")?;
    let id = MemberId::spelled(id).map_err(|rule| rule.explanation().en.to_owned())?;
    Ok((id, name.to_owned()))
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    match &args.step {
        Some(Step::Party(args)) => return party::run(args, output),
        Some(Step::Assemble(args)) => return assemble::run(args, output),
        Some(Step::Join(args)) => return join::run(args, output),
        None => {}
    }
    let (Some(chain_id), Some(tax), Some(finance)) = (&args.chain_id, &args.tax, &args.finance)
    else {
        // The command line requires them where there is no subcommand.
        return Err(Failure::new(
            Exit::Usage,
            "usage",
            "--chain-id --tax --finance",
        ));
    };
    let path = files::genesis(&args.data);
    if path.exists() {
        let text = output.of("目录中已有一条链", "the folder holds a chain already");
        return Err(Failure::new(Exit::Usage, "chain_exists", text)
            .hint(output.of("请换一个空目录", "choose an empty folder")));
    }
    let passphrase = match args.plain {
        true => None,
        false => Some(key_file::passphrase(args.passphrase_file.as_deref(), true)?),
    };
    let passphrase = passphrase.as_ref().map(|text| text.as_str());
    let mut made = Vec::new();
    let begun = begin(args, (chain_id, tax, finance), passphrase, &mut made);
    let genesis = begun.inspect_err(|_| {
        // Nothing refers to these keys, unless the store is there already.
        if !crate::store::file_of(&args.data).exists() {
            for key in &made {
                let _ = std::fs::remove_file(key);
            }
        }
    })?;
    let hash = genesis.hash().to_string();
    let lines = [
        format!("{}  {}", output.of("链    ", "chain  "), genesis.chain_id()),
        format!("{}  {hash}", output.of("创世哈希", "genesis")),
        format!(
            "{}  tax-node start --data {}",
            output.of("下一步  ", "next   "),
            args.data.display()
        ),
    ];
    let value = serde_json::json!({ "chain_id": genesis.chain_id(), "genesis_hash": hash });
    output.result(&value, &lines);
    Ok(())
}

/// Makes the three keys and the chain; `made` names the key files that are there because of it.
fn begin(
    args: &Args,
    (chain_id, tax, finance): (&ChainId, &(MemberId, String), &(MemberId, String)),
    passphrase: Option<&str>,
    made: &mut Vec<PathBuf>,
) -> Result<Genesis, Failure> {
    let mut new_key = |name: &str| -> Result<PublicKey, Failure> {
        let key = key_file::generate()?;
        let file = files::keys(&args.data).join(format!("{name}.pem"));
        key_file::write_new(&file, &key, passphrase)?;
        made.push(file);
        Ok(key.public_key())
    };
    let validator = new_key("validator")?;
    let mut members = Vec::new();
    for ((id, name), role, file) in [(tax, Role::Tax, "tax"), (finance, Role::Finance, "finance")] {
        members.push(GenesisMember {
            id: *id,
            name: name.clone(),
            roles: RoleSet::default().with(role),
            public_key: new_key(file)?,
        });
    }
    create(&args.data, chain_id.clone(), validator, members)
}

/// Writes an empty store and the genesis file of a chain with one validator.
///
/// The genesis file is written last of all files that a chain needs: a folder that has it had its
/// store, too, and a store that is gone is never made anew.
pub(super) fn create(
    data: &Path,
    chain_id: ChainId,
    validator: PublicKey,
    members: Vec<GenesisMember>,
) -> Result<Genesis, Failure> {
    let invalid = |error: &dyn std::fmt::Display| Failure::new(Exit::Usage, "genesis", error);
    let validators = ValidatorSet::new(vec![Validator {
        public_key: validator,
        weight: 1,
        group: None,
        name: "validator".to_owned(),
    }])
    .map_err(|error| invalid(&error))?;
    let now = (system_clock())().ms();
    let genesis =
        Genesis::compose(chain_id, now, validators, members).map_err(|error| invalid(&error))?;
    put_genesis(data, &genesis)?;
    Ok(genesis)
}

/// Creates the store and then writes the genesis file: the last steps of preparing a folder.
pub(super) fn put_genesis(data: &Path, genesis: &Genesis) -> Result<(), Failure> {
    std::fs::create_dir_all(data).map_err(|error| Failure::file(data, error))?;
    Node::create(data, genesis)?;
    let path = files::genesis(data);
    files::write_whole(&path, genesis.bytes(), files::PUBLIC)
        .map_err(|error| Failure::file(&path, error))
}

/// Reads the genesis file of a folder.
pub(super) fn read_genesis(data: &Path) -> Result<Genesis, Failure> {
    let path = files::genesis(data);
    let bytes = std::fs::read(&path).map_err(|error| {
        let hint = if error.kind() == std::io::ErrorKind::PermissionDenied {
            PERMISSIONS
        } else {
            "先运行 tax-node init 或 demo / run tax-node init or demo first"
        };
        Failure::file(&path, error).hint(hint)
    })?;
    Genesis::parse(&bytes).map_err(|error| Failure::file(&path, error))
}

//! `tax-node init party`: the keys of a bureau's node, and what the others need to know of it.

use std::path::PathBuf;

use clap::ValueEnum;
use invoice_core::crypto::{SecretKeySigner, Signer};
use invoice_core::identity::MemberId;

use super::failure::{Exit, Failure};
use super::init;
use super::output::Output;
use super::party_file::{Authority, Party};
use crate::links::Role as NodeRole;
use crate::peers::{is_address, is_new_name, is_reachable};
use crate::{files, key_file};

/// The party's file in a node's folder.
const PARTY: &str = "party.json";

/// Which bureau.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Bureau {
    /// 税务 / tax
    Tax,
    /// 财政 / finance
    Finance,
}

impl Bureau {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Tax => "tax",
            Self::Finance => "finance",
        }
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 节点数据目录 / the node's folder
    #[arg(long, env = "PIAOLIAN_DATA", default_value = "piaolian-data")]
    data: PathBuf,
    /// 节点名称，联盟内唯一 / the node's name, like no other's
    #[arg(long)]
    name: String,
    /// 所属一方：税务或财政 / the bureau that it belongs to
    #[arg(long, required_unless_present = "supervisor")]
    group: Option<Bureau>,
    /// 表决权重 / the share of its vote
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "supervisor")]
    weight: u64,
    /// 其他节点连接的地址 / where the other nodes connect to
    #[arg(long, value_name = "HOST:PORT")]
    address: String,
    /// 创始机关：统一社会信用代码=名称 / the founding authority: social credit code=name
    #[arg(long, value_name = "CODE=NAME", value_parser = init::founder, requires = "group")]
    authority: Option<(MemberId, String)>,
    /// 监管节点：不参与表决 / a node without a vote
    #[arg(long)]
    supervisor: bool,
    /// 密钥文件不加密（仅用于测试）/ leave the key files unencrypted, for tests only
    #[arg(long)]
    plain: bool,
    /// 口令文件 / a file with the passphrase
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let path = args.data.join(PARTY);
    if path.exists() || files::genesis(&args.data).exists() {
        let text = output.of(
            "目录中已有参与方文件或链",
            "the folder has a party file or a chain already",
        );
        return Err(Failure::new(Exit::Usage, "party_exists", text)
            .hint(output.of("请换一个空目录", "choose an empty folder with --data")));
    }
    // Before any key is made: whoever mistypes has nothing to clean up.
    if !is_new_name(&args.name) {
        let text = "--name 应为 1 至 200 个字符，不含 =、控制字符与书写方向控制符 / is 1 to 200 characters, without =, control characters and marks of writing direction";
        return Err(Failure::new(Exit::Usage, "party", text));
    }
    if !is_address(&args.address) {
        let text = "--address 应为 主机:端口 / is host:port";
        return Err(
            Failure::new(Exit::Usage, "party", text).hint("例如 / such as tax.example:27000")
        );
    }
    if !is_reachable(&args.address) {
        let text = "--address 是其他节点连接的地址，不能是 0.0.0.0 或 [::] / is where the other nodes connect to: not 0.0.0.0 or [::]";
        return Err(
            Failure::new(Exit::Usage, "party", text).hint("例如 / such as tax.example:27000")
        );
    }
    let passphrase = match args.plain {
        true => None,
        false => Some(key_file::passphrase(args.passphrase_file.as_deref(), true)?),
    };
    let passphrase = passphrase.as_ref().map(|text| text.as_str());
    let new_key = |file: &PathBuf| -> Result<SecretKeySigner, Failure> {
        let key = key_file::generate()?;
        key_file::write_new(file, &key, passphrase)?;
        Ok(SecretKeySigner::new(key))
    };
    let (role, file) = match args.supervisor {
        true => (NodeRole::Supervisor, files::node_key(&args.data)),
        false => (NodeRole::Validator, files::validator_key(&args.data)),
    };
    let node = new_key(&file)?;
    let group = args.group.map(Bureau::as_str);
    let authority = match (&args.authority, group) {
        (Some((id, name)), Some(group)) => {
            let file = files::keys(&args.data).join(format!("{group}.pem"));
            Some((id, name, new_key(&file)?))
        }
        _ => None,
    };
    let party = Party {
        format: Party::format(),
        name: args.name.clone(),
        role,
        group: group.map(str::to_owned),
        weight: (!args.supervisor).then_some(args.weight),
        address: args.address.clone(),
        public_key: node.public_key().clone(),
        authority: authority.as_ref().map(|(id, name, signer)| Authority {
            id: id.to_string(),
            name: (*name).clone(),
            public_key: signer.public_key().clone(),
        }),
    };
    let bureau = authority
        .as_ref()
        .map(|(_, _, signer)| signer as &dyn Signer);
    let bytes = party.sign(&node, bureau)?;
    files::write_whole(&path, &bytes, files::PUBLIC)
        .map_err(|error| Failure::file(&path, error))?;
    let kid = party.public_key.kid().to_string();
    let lines = [
        format!("{}  {}", output.of("参与方", "party"), party.name),
        format!("kid     {kid}"),
        format!("{}    {}", output.of("文件", "file"), path.display()),
        output
            .of(
                "下一步  把 party.json 交给各方（私钥绝不外传），再运行 tax-node init assemble",
                "next    give party.json to all parties (never a private key), then tax-node init assemble",
            )
            .to_owned(),
    ];
    let value = serde_json::json!({ "party": path, "name": party.name, "role": role, "kid": kid });
    output.result(&value, &lines);
    Ok(())
}

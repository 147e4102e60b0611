//! What was restored, and what its owner does next.

use std::path::Path;

use super::{Args, Manifest};
use crate::cli::init;
use crate::cli::output::Output;
use crate::cli::party_file::Party;
use crate::files;
use crate::links::Role as NodeRole;

pub(super) fn report(args: &Args, manifest: &Manifest, output: Output) {
    let data = args.data.display();
    let (validator, node) = (
        files::validator_key(&args.data),
        files::node_key(&args.data),
    );
    let has_key = validator.exists() || node.exists();
    let mut lines = vec![
        format!("{}  {data}", output.of("已恢复", "restored")),
        format!("{}  {}", output.of("链    ", "chain   "), manifest.chain_id),
        format!("{}  {}", output.of("高度  ", "height  "), manifest.height),
        format!(
            "{}  {}",
            output.of("文件  ", "files   "),
            manifest.files.len()
        ),
    ];
    if !has_key {
        lines.push(format!(
            "{} {} (chmod 600)",
            output.of(
                "· 备份不含私钥：请把密钥文件放回",
                "· the backup has no private key: put the key file back to"
            ),
            due_key(&args.data, output)
        ));
    }
    if args.snapshot {
        lines.push(
            output
                .of(
                    "· 全部区块、签名与状态已重新校验",
                    "· every block, signature and the whole state were verified again",
                )
                .to_owned(),
        );
        lines.push(format!(
            "{} tax-node start --data {data}",
            output.of("· 下一步：", "· next:")
        ));
        return told(args, manifest, has_key, &lines, output);
    }
    lines.push(
        output
            .of(
                "· 确认旧节点已停止且不会再启动：同一密钥绝不能同时运行两个节点",
                "· make sure that the old node is stopped and stays so: never run two nodes with one key",
            )
            .to_owned(),
    );
    let alone = is_alone(&args.data);
    if alone {
        lines.push(format!(
            "{} {} {}",
            output.of("· 单验证者：高度", "· a lone validator: whatever was recorded after height"),
            manifest.height,
            output.of(
                "之后的记录已丢失，为其出具的回执将与新链矛盾；如有更新的副本，请改用它",
                "is lost, and receipts given for it will contradict the new chain; if there is a newer copy, take that one",
            )
        ));
    } else {
        lines.push(
            output
                .of(
                    "· 验证者启动后先只听不签：待启动之后产生的区块最终确定，才重新参与表决",
                    "· a validator first only listens: it votes again when a block is final that was made after its start",
                )
                .to_owned(),
        );
    }
    lines.push(format!(
        "{} tax-node verify --data {data}; tax-node start --data {data}{}",
        output.of("· 下一步：", "· next:"),
        if alone { " --accept-lost-blocks" } else { "" }
    ));
    told(args, manifest, has_key, &lines, output);
}

/// Where the key belongs that was kept elsewhere. A folder without `party.json` does not tell whether
/// its node has a vote.
fn due_key(data: &Path, output: Output) -> String {
    let (validator, node) = (files::validator_key(data), files::node_key(data));
    let role = match is_alone(data) {
        true => Some(NodeRole::Validator),
        false => Party::read(&data.join("party.json"))
            .ok()
            .map(|party| party.role),
    };
    match role {
        Some(NodeRole::Validator) => validator.display().to_string(),
        Some(NodeRole::Supervisor) => node.display().to_string(),
        None => format!(
            "{} {} {}",
            validator.display(),
            output.of("，无投票权的节点为", "or, of a node without a vote,"),
            node.display()
        ),
    }
}

/// Whether a restored folder is that of a chain with one validator, who has no peers to ask.
fn is_alone(data: &Path) -> bool {
    let genesis = init::read_genesis(data);
    genesis.is_ok_and(|genesis| genesis.validators().validators().len() == 1)
        && !files::peers(data).exists()
}

fn told(args: &Args, manifest: &Manifest, has_key: bool, lines: &[String], output: Output) {
    let value = serde_json::json!({
        "alone": is_alone(&args.data), "restored": args.data, "verified": args.snapshot, "chain_id": manifest.chain_id, "genesis_hash": manifest.genesis_hash,
        "height": manifest.height, "files": manifest.files.len(), "key": has_key,
    });
    output.result(&value, lines);
}

#[cfg(test)]
mod tests {
    use invoice_core::crypto::{SecretKeySigner, Signer as _};

    use super::*;
    use crate::cli::output::Lang;

    #[test]
    fn the_key_is_put_back_where_its_node_looks_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        let output = Output {
            json: false,
            lang: Lang::En,
        };
        let told = || {
            let told = due_key(data, output);
            (told.contains("validator.pem"), told.contains("node.pem"))
        };
        assert_eq!(told(), (true, true));
        let signer = SecretKeySigner::new(crate::key_file::generate().unwrap());
        for (role, due) in [
            (NodeRole::Validator, (true, false)),
            (NodeRole::Supervisor, (false, true)),
        ] {
            let votes = role == NodeRole::Validator;
            let party = Party {
                format: Party::format(),
                name: "审计二".to_owned(),
                role,
                group: votes.then(|| "tax".to_owned()),
                weight: votes.then_some(1),
                address: "audit.example:27000".to_owned(),
                public_key: signer.public_key().clone(),
                authority: None,
            };
            let bytes = party.sign(&signer, None).unwrap();
            std::fs::write(data.join("party.json"), bytes).unwrap();
            assert_eq!(told(), due, "{role:?}");
        }
    }
}

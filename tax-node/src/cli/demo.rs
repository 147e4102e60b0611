//! `tax-node demo`: a registry to try out, with members, keys and a story.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use invoice_api::client::Envelope;
use invoice_api::registry::{RecordVerdict, Registry, Submission};
use invoice_core::calendar::{Instant, Month};
use invoice_core::chain::{ChainId, Genesis, GenesisMember};
use invoice_core::crypto::messages::record_message;
use invoice_core::crypto::{HintedSignature, SecretKeySigner, Signer};
use invoice_core::identity::{MemberId, RecordId};
use invoice_core::money::Fen;
use invoice_core::read::Spelled;
use invoice_core::record::{Body, MemberAdmit, NewKey, NewMember, QuotaSet, Record, Role, RoleSet};
use serde::{Deserialize, Serialize};

use super::failure::{Exit, Failure};
use super::output::Output;
use super::serve::{self, Listen, Lost, block_on};
use super::{init, story};
use crate::node::{Node, system_clock};
use crate::store::TEMPORARY_NAME;
use crate::{files, key_file};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 数据目录；为空时准备演示数据 / the folder; prepared when it is empty
    #[arg(long, default_value = "piaolian-demo")]
    data: PathBuf,
    #[command(flatten)]
    listen: Listen,
    #[command(flatten)]
    lost: Lost,
    /// 不演示，只提供服务 / serve without the story
    #[arg(long)]
    no_story: bool,
}

/// The chain's name in a demonstration.
const CHAIN: &str = "piaolian-demo";
/// The merchants' monthly quota: 100 million yuan.
pub(super) const QUOTA: Fen = Fen::new(10_000_000_000);

/// Who takes part: the last nine digits of an id, name, role, name of the key file.
const CAST: [(&str, &str, Role, &str); 10] = [
    ("11330000DEM000001", "示范税务局", Role::Tax, "tax"),
    ("11330000DEM000002", "示范财政局", Role::Finance, "finance"),
    ("11330000DEM000003", "示范医保局", Role::Health, "health"),
    (
        "91330100DEM000004",
        "示范商户甲",
        Role::Merchant,
        "merchant-1",
    ),
    (
        "91330100DEM000005",
        "示范商户乙",
        Role::Merchant,
        "merchant-2",
    ),
    ("12330100DEM000006", "示范医院", Role::Hospital, "hospital"),
    (
        "91330100DEM000007",
        "示范企业甲",
        Role::Employer,
        "employer-1",
    ),
    (
        "91330100DEM000008",
        "示范企业乙",
        Role::Employer,
        "employer-2",
    ),
    (
        "91330100DEM000009",
        "示范保险公司",
        Role::Insurer,
        "insurer",
    ),
    ("91330100DEM000010", "示范审计所", Role::Auditor, "auditor"),
];

/// A line of `members.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct MemberLine {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) roles: Vec<String>,
    pub(super) kid: String,
    /// Relative to the folder that holds `members.json`.
    pub(super) key_file: String,
}

/// A member of the demonstration with its key.
#[derive(Clone)]
pub(super) struct Player {
    pub(super) id: MemberId,
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) signer: Arc<SecretKeySigner>,
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let data = &args.data;
    let genesis = match files::genesis(data).exists() {
        true => init::read_genesis(data)?,
        false => prepare(data)?,
    };
    let players = read_players(data)?;
    let validator = key_file::read(&files::validator_key(data), None)?;
    args.lost.accept(data)?;
    if output.json {
        serve::log_to_stderr(output);
    }
    block_on(async {
        let running = serve::start(
            data,
            genesis.clone(),
            validator,
            None,
            args.listen.oversight(false),
            args.listen.webhook_networks(),
        )?;
        admit(&running.node, &genesis, &players).await?;
        let served = serve::bind(&running, &args.listen)?;
        let url = served
            .addresses
            .first()
            .map(|address| format!("{}://{address}", served.scheme));
        serve::announce(&served, output);
        let told = match url {
            Some(url) if !args.no_story => Some(tokio::spawn(async move {
                let told = story::tell(&url, &genesis, &players, output).await;
                if told.is_ok() && !output.json {
                    output.line(output.of("按 Ctrl-C 停止", "press Ctrl-C to stop"));
                }
                told
            })),
            _ => None,
        };
        let ended = served.until_interrupted(running).await;
        if let Some(told) = told {
            // A story that the end of the node interrupted has no failure of its own.
            if let Ok(Err(failure)) = told.await {
                return Err(failure);
            }
        }
        ended
    })
}

/// Makes keys, the list of members and the genesis file.
fn prepare(data: &Path) -> Result<Genesis, Failure> {
    let occupied = fs::read_dir(data).is_ok_and(|mut entries| {
        entries.any(|entry| {
            entry.is_ok_and(|entry| {
                !["keys", "members.json", "genesis.json.new", TEMPORARY_NAME]
                    .contains(&entry.file_name().to_string_lossy().as_ref())
            })
        })
    });
    if occupied {
        let text = format!("{}: 目录不为空 / the folder is not empty", data.display());
        return Err(Failure::new(Exit::Usage, "folder_not_empty", text)
            .hint("换一个目录 / choose another folder with --data"));
    }
    // A preparation that was interrupted is begun anew: nothing refers to its keys yet.
    let keys = files::keys(data);
    if keys.exists() {
        fs::remove_dir_all(&keys).map_err(|error| Failure::file(&keys, error))?;
    }
    let key = key_file::generate()?;
    key_file::write_new(&files::validator_key(data), &key, None)?;
    let validator = key.public_key();
    let founders = make_cast(data)?
        .into_iter()
        .filter(|member| member.roles.contains(Role::Tax) || member.roles.contains(Role::Finance));
    let chain_id: ChainId = CHAIN
        .parse()
        .map_err(|error| Failure::new(Exit::Usage, "chain_id", error))?;
    init::create(data, chain_id, validator, founders.collect())
}

/// Makes the key files of everyone who takes part, and the list of them.
pub(super) fn make_cast(data: &Path) -> Result<Vec<GenesisMember>, Failure> {
    let mut lines = Vec::new();
    let mut members = Vec::new();
    for (digits, name, role, key_name) in CAST {
        let id = member_id(digits)?;
        let key = key_file::generate()?;
        let file = files::keys(data).join(format!("{key_name}.pem"));
        key_file::write_new(&file, &key, None)?;
        let public_key = key.public_key();
        lines.push(MemberLine {
            id: id.to_string(),
            name: name.to_owned(),
            roles: vec![role.to_string()],
            kid: public_key.kid().to_string(),
            key_file: format!("keys/{key_name}.pem"),
        });
        members.push(GenesisMember {
            id,
            name: name.to_owned(),
            roles: RoleSet::default().with(role),
            public_key,
        });
    }
    let path = files::members(data);
    let text = serde_json::to_vec_pretty(&lines).map_err(|error| Failure::file(&path, error))?;
    files::write_whole(&path, &text, files::PUBLIC).map_err(|error| Failure::file(&path, error))?;
    Ok(members)
}

/// Completes a social credit code by its check character.
fn member_id(digits: &str) -> Result<MemberId, Failure> {
    let wrong = || Failure::new(Exit::Usage, "member_id", digits);
    let check = MemberId::check_character(digits).ok_or_else(wrong)?;
    MemberId::spelled(&format!("{digits}{check}")).map_err(|_| wrong())
}

/// The members and keys that `members.json` lists.
pub(super) fn read_players(data: &Path) -> Result<Vec<Player>, Failure> {
    let path = files::members(data);
    let wrong = |error: &dyn std::fmt::Display| Failure::file(&path, error);
    let text = fs::read(&path).map_err(|error| wrong(&error))?;
    let lines: Vec<MemberLine> = serde_json::from_slice(&text).map_err(|error| wrong(&error))?;
    lines
        .into_iter()
        .map(|line| {
            let role = line.roles.first().map(|role| Role::spelled(role));
            let Some(Ok(role)) = role else {
                return Err(wrong(&"roles"));
            };
            let key = key_file::read(&data.join(&line.key_file), None)?;
            Ok(Player {
                id: MemberId::spelled(&line.id).map_err(|rule| wrong(&rule))?,
                name: line.name,
                role,
                signer: Arc::new(SecretKeySigner::new(key)),
            })
        })
        .collect()
}

/// Admits everyone but the founders and gives the merchants their quota of this month.
///
/// The records are the same bytes each time, so doing it again changes nothing.
async fn admit(node: &Node, genesis: &Genesis, players: &[Player]) -> Result<(), Failure> {
    let Some(tax) = players.iter().find(|player| player.role == Role::Tax) else {
        return Err(Failure::new(
            Exit::Usage,
            "members",
            "no tax authority in members.json",
        ));
    };
    let born = Instant::from_ms(genesis.time_ms());
    let month = (system_clock())().month_utc8();
    for (number, player) in players.iter().enumerate() {
        if matches!(player.role, Role::Tax | Role::Finance) {
            continue;
        }
        let body = Body::MemberAdmit(MemberAdmit {
            member: NewMember {
                id: player.id,
                name: player.name.clone(),
                roles: RoleSet::default().with(player.role),
            },
            key: NewKey {
                public_key: player.signer.public_key().clone(),
                not_after: None,
            },
        });
        submit(
            node,
            genesis,
            tax,
            format!("demo-admit-{number}"),
            born,
            body,
        )
        .await?;
        if player.role == Role::Merchant {
            let body = Body::QuotaSet(QuotaSet {
                member: player.id,
                month,
                amount: QUOTA,
            });
            let id = format!("demo-quota-{number}-{}", month_text(month));
            submit(node, genesis, tax, id, born, body).await?;
        }
    }
    Ok(())
}

fn month_text(month: Month) -> String {
    month.to_string()
}

/// Submits a record in this process.
async fn submit(
    node: &Node,
    genesis: &Genesis,
    by: &Player,
    id: String,
    at: Instant,
    body: Body,
) -> Result<(), Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::new(Exit::Refused, "demo", error);
    let id = RecordId::spelled(&id).map_err(|rule| wrong(&rule))?;
    let record = Record {
        id,
        by: by.id,
        at,
        body,
    }
    .to_json();
    let message = record_message(genesis.chain_id(), record.as_bytes());
    let signature = by.signer.sign(&message).map_err(|error| wrong(&error))?;
    let signed = HintedSignature::with_hint(signature, by.signer.public_key());
    let submission = Submission {
        kid: Some(by.signer.public_key().kid().to_string()),
        sig: Some(signed.to_base64()),
        records: vec![Bytes::from(record)],
        batch: false,
        atomic: false,
        receipts: false,
        origin: 0,
    };
    let answers = node
        .submit(submission)
        .await
        .map_err(|error| wrong(&error))?;
    match answers.first().map(|answer| &answer.verdict) {
        Some(RecordVerdict::Final(recorded)) if recorded.outcome.is_accepted() => Ok(()),
        other => Err(wrong(&format!("{other:?}"))),
    }
}

/// A signed envelope of one record.
pub(super) fn envelope(genesis: &Genesis, by: &Player, record: &str) -> Result<Envelope, Failure> {
    Envelope::single(genesis.chain_id(), by.signer.as_ref(), record)
        .map_err(|error| Failure::new(Exit::Refused, "envelope", error))
}

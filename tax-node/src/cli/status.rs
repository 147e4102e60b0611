//! `tax-node status`: how far each node is, and whether all that are as far say the same.
//!
//! Only public paths are asked. Two nodes that show different headers at one height would mean that
//! the agreement failed: that is an alarm with an exit code of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use invoice_api::client::{Checkpoint, Client, ClientConfig, ClientError};
use invoice_core::chain::{Genesis, Group, Header, Validator, ValidatorSet};
use invoice_core::read::Spelled;
use serde::Serialize;

use super::failure::{Exit, Failure};
use super::output::Output;
use super::serve::{self, block_on};
use super::testnet::Layout;

/// How long a node may take to answer a question.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// How often `--watch` asks.
const WATCH_INTERVAL: Duration = Duration::from_secs(2);
/// Most nodes that are asked.
const NODES_MAX: usize = 400;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 节点的 HTTP 地址，可写作 名称=URL / HTTP addresses of nodes, or NAME=URL
    #[arg(value_name = "URL", required_unless_present = "dir")]
    nodes: Vec<String>,
    /// tax-node testnet 的目录 / the folder of a testnet
    #[arg(long)]
    dir: Option<PathBuf>,
    /// 每 2 秒刷新，Ctrl-C 结束 / again every 2 seconds until Ctrl-C
    #[arg(long)]
    watch: bool,
}

/// A node that is asked.
pub(super) struct Asked {
    name: String,
    url: String,
    client: Client,
}

/// What a node says.
#[derive(Clone, Debug, Default, Serialize)]
struct Answer {
    name: String,
    url: String,
    /// Why there is nothing else here.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    height: Option<u64>,
    /// Blocks behind the highest.
    lag: Option<u64>,
    time: Option<String>,
    /// Signatures of the last certificate.
    signers: Option<usize>,
    /// The validators that decided it, where the node shows them.
    validators: Option<usize>,
    peers: Option<u64>,
    consensus_height: Option<u64>,
    round: Option<u64>,
    alarms: Option<u64>,
    /// Whether enough validators are in its reach for records to become final; only a node among
    /// others says so.
    quorum: Option<bool>,
    /// Records in the log.
    records: Option<u64>,
    /// Records that came into the log in a second, since the node was asked before.
    records_per_second: Option<u64>,
    #[serde(skip)]
    header: Option<String>,
    #[serde(skip)]
    genesis: Option<String>,
}

/// Two nodes that contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Contradiction {
    height: u64,
    nodes: Vec<String>,
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let mut named: Vec<(String, String)> = Vec::new();
    if let Some(dir) = &args.dir {
        let layout = Layout::read(dir)?;
        named.extend(layout.nodes.into_iter().map(|node| (node.name, node.url)));
    }
    named.extend(args.nodes.iter().map(|text| name_and_url(text)));
    if named.len() > NODES_MAX {
        let text = format!("最多 {NODES_MAX} 个节点 / at most {NODES_MAX} nodes");
        return Err(
            Failure::new(Exit::Usage, "nodes", text).hint("分几次查询 / ask for fewer at a time")
        );
    }
    let nodes = named
        .into_iter()
        .map(|(name, url)| ask(name, url))
        .collect::<Result<Vec<_>, _>>()?;
    block_on(async {
        let mut before = Vec::new();
        loop {
            let told = tell(&nodes, output, args.watch, &mut before).await;
            if !args.watch {
                return told;
            }
            if let Err(failure) = told {
                output.failure(&failure);
                if failure.exit == Exit::Integrity {
                    return Err(failure);
                }
            }
            tokio::select! {
                () = serve::interrupted() => return Ok(()),
                () = tokio::time::sleep(WATCH_INTERVAL) => {}
            }
        }
    })
}

/// `NAME=URL`, or an address that is its own name.
fn name_and_url(text: &str) -> (String, String) {
    match text.split_once('=') {
        Some((name, url)) if !name.contains("://") => (name.to_owned(), url.to_owned()),
        _ => (text.to_owned(), text.to_owned()),
    }
}

/// Prepares the questions to a node.
pub(super) fn ask(name: String, url: String) -> Result<Asked, Failure> {
    let config = ClientConfig {
        attempt_timeout: ANSWER_TIMEOUT,
        attempts: 1,
        ..ClientConfig::new(url.clone())
    };
    let client = Client::new(config).map_err(|error| {
        Failure::new(Exit::Usage, "url", format!("{url}: {error}"))
            .hint("例如 / such as http://127.0.0.1:8080")
    })?;
    Ok(Asked { name, url, client })
}

impl Asked {
    /// What people call the node.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the node takes records: in a consortium, whether a quorum is in its reach.
    pub(super) async fn answers(&self) -> bool {
        let metrics = self.client.metrics().await;
        metrics.is_ok_and(|text| gauge(&text, "piaolian_accepting") == Some(1))
    }

    async fn answer(&self) -> Answer {
        let mut answer = Answer {
            name: self.name.clone(),
            url: self.url.clone(),
            ..Answer::default()
        };
        if let Err(error) = self.fill(&mut answer).await {
            answer.error = Some(error.to_string());
        }
        answer
    }

    async fn fill(&self, answer: &mut Answer) -> Result<(), ClientError> {
        let metrics = self.client.metrics().await?;
        answer.peers = gauge(&metrics, "piaolian_peers_connected");
        answer.consensus_height = gauge(&metrics, "piaolian_consensus_height");
        answer.round = gauge(&metrics, "piaolian_consensus_round");
        answer.alarms = gauge(&metrics, "piaolian_alarms_total");
        answer.records = gauge(&metrics, "piaolian_log_records");
        answer.quorum = gauge(&metrics, "piaolian_quorum_in_reach").map(|value| value > 0);
        let genesis = Genesis::parse(&self.client.genesis().await?).ok();
        answer.genesis = genesis.as_ref().map(|genesis| genesis.hash().to_string());
        match self.client.checkpoint().await {
            Ok(checkpoint) => note_checkpoint(answer, &checkpoint, genesis.as_ref()),
            // A chain without a block has no checkpoint yet.
            Err(ClientError::Refused(problem)) if problem.status == 404 => {
                answer.height = Some(0);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The header of a block, as this node has it.
    async fn header(&self, height: u64) -> Option<String> {
        let block = self.client.block(height).await.ok()?;
        Some(block.get("header")?.as_str()?.to_owned())
    }
}

fn note_checkpoint(answer: &mut Answer, checkpoint: &Checkpoint, genesis: Option<&Genesis>) {
    let text = |name: &str| Some(checkpoint.other.get(name)?.as_str()?.to_owned());
    answer.height = checkpoint
        .other
        .get("height")
        .and_then(serde_json::Value::as_u64);
    answer.time = text("time");
    answer.header = text("header");
    answer.signers = checkpoint
        .other
        .get("signatures")
        .and_then(serde_json::Value::as_array)
        .map(Vec::len);
    let decided_by = answer
        .header
        .as_ref()
        .and_then(|text| hex::decode(text).ok())
        .and_then(|bytes| Header::decode(&bytes).ok())
        .map(|header| header.validators);
    let changed = checkpoint.other.get("validator_changes").and_then(newest);
    answer.validators = changed
        .or_else(|| genesis.map(|genesis| genesis.validators().clone()))
        .filter(|set| decided_by == Some(set.digest()))
        .map(|set| set.validators().len());
}

/// The validators of the last change that a checkpoint shows. The header's digest says whether they
/// are those who decided the block, so that nothing here need be proved.
fn newest(changes: &serde_json::Value) -> Option<ValidatorSet> {
    let record = changes.as_array()?.last()?.get("record")?.as_str()?;
    let record: serde_json::Value = serde_json::from_str(record).ok()?;
    let listed = record.get("change")?.get("validators")?.as_array()?;
    let validators = listed.iter().map(|line| {
        let group = match line.get("group") {
            Some(group) => Some(Group::spelled(group.as_str()?).ok()?),
            None => None,
        };
        Some(Validator {
            public_key: serde_json::from_value(line.get("public_key")?.clone()).ok()?,
            weight: line.get("weight")?.as_u64()?,
            group,
            name: line.get("name")?.as_str()?.to_owned(),
        })
    });
    ValidatorSet::new(validators.collect::<Option<_>>()?).ok()
}

/// The value of a figure in OpenMetrics text.
fn gauge(metrics: &str, name: &str) -> Option<u64> {
    metrics.lines().find_map(|line| {
        let (found, value) = line.split_once(' ')?;
        (found == name).then(|| value.trim().parse().ok())?
    })
}

/// The nodes that contradict each other among those that show a header at one height.
fn contradiction(height: u64, shown: &[(String, String)]) -> Option<Contradiction> {
    let mut by_header: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, header) in shown {
        by_header.entry(header).or_default().push(name);
    }
    (by_header.len() > 1).then(|| Contradiction {
        height,
        nodes: shown.iter().map(|(name, _)| name.clone()).collect(),
    })
}

/// The nodes by the chain that they are of, where they are of several.
fn chains(answers: &[Answer]) -> Option<BTreeMap<String, Vec<String>>> {
    let mut by_genesis: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for answer in answers {
        if let Some(genesis) = &answer.genesis {
            let nodes = by_genesis.entry(genesis.clone()).or_default();
            nodes.push(answer.name.clone());
        }
    }
    (by_genesis.len() > 1).then_some(by_genesis)
}

/// Compares the last headers of nodes that are as far, and of all at the height that all have.
async fn compare(nodes: &[Asked], answers: &[Answer]) -> Option<Contradiction> {
    let mut by_height: BTreeMap<u64, Vec<(String, String)>> = BTreeMap::new();
    for answer in answers {
        if let (Some(height), Some(header)) = (answer.height, &answer.header) {
            let shown = by_height.entry(height).or_default();
            shown.push((answer.name.clone(), header.clone()));
        }
    }
    for (height, shown) in &by_height {
        if let Some(found) = contradiction(*height, shown) {
            return Some(found);
        }
    }
    let (lowest, mut shown) = by_height.into_iter().next()?;
    for (node, answer) in nodes.iter().zip(answers) {
        if answer.height.is_some_and(|height| height > lowest)
            && let Some(header) = node.header(lowest).await
        {
            shown.push((node.name.clone(), header));
        }
    }
    contradiction(lowest, &shown)
}

/// Asks all nodes once and prints what they say.
async fn tell(
    nodes: &[Asked],
    output: Output,
    watch: bool,
    before: &mut Vec<(Instant, Option<u64>)>,
) -> Result<(), Failure> {
    let mut answers = futures_util::future::join_all(nodes.iter().map(Asked::answer)).await;
    let now = Instant::now();
    for (answer, (at, records)) in answers.iter_mut().zip(before.iter()) {
        answer.records_per_second = answer.records.zip(*records).and_then(|(now_has, had)| {
            let passed_ms = u64::try_from(now.saturating_duration_since(*at).as_millis()).ok()?;
            let more = now_has.saturating_sub(had).saturating_mul(1_000);
            more.checked_div(passed_ms)
        });
    }
    *before = answers.iter().map(|answer| (now, answer.records)).collect();
    let highest = answers.iter().filter_map(|answer| answer.height).max();
    for answer in &mut answers {
        answer.lag = highest
            .zip(answer.height)
            .map(|(highest, height)| highest.saturating_sub(height));
    }
    // Heights of different chains have nothing to do with each other.
    let chains = chains(&answers);
    let found = match chains {
        Some(_) => None,
        None => compare(nodes, &answers).await,
    };
    if watch && !output.json {
        output.line("");
    }
    let head = row(&[
        output.of("节点", "node"),
        output.of("高度", "height"),
        output.of("落后", "lag"),
        output.of("末块时间", "last block"),
        output.of("签名", "signers"),
        output.of("连接", "peers"),
        output.of("轮次", "round"),
        output.of("告警", "alarms"),
        output.of("记录/秒", "records/s"),
    ]);
    if !output.json {
        output.line(&head);
    }
    for answer in &answers {
        output.result(answer, &[line_of(answer)]);
    }
    let silent: Vec<_> = answers
        .iter()
        .filter(|answer| answer.error.is_some())
        .map(|answer| answer.name.as_str())
        .collect();
    let without_quorum: Vec<_> = answers
        .iter()
        .filter(|answer| answer.quorum == Some(false))
        .map(|answer| answer.name.as_str())
        .collect();
    let agreement = agreement(&answers, chains.is_some(), found.is_some());
    let summary = serde_json::json!({
        "nodes": answers.len(), "answering": answers.len().saturating_sub(silent.len()),
        "height": highest, "agreement": agreement, "contradiction": found, "chains": chains,
        "without_quorum": without_quorum,
    });
    let mut lines = Vec::new();
    if agreement == Some(true) {
        let agreed = output.of(
            "同一高度上各节点的区块头一致",
            "all nodes show the same header at the same height",
        );
        lines.push(agreed.to_owned());
    }
    if !without_quorum.is_empty() {
        lines.push(format!(
            "✗ {} {}",
            output.of(
                "法定多数不可及，新记录不会最终确定：",
                "no quorum in reach, nothing becomes final:"
            ),
            without_quorum.join(", ")
        ));
    }
    output.result(&summary, &lines);
    if let Some(chains) = chains {
        let told: Vec<_> = chains
            .iter()
            .map(|(genesis, nodes)| format!("{genesis}: {}", nodes.join(", ")))
            .collect();
        let text = format!(
            "各节点不属于同一条链 / the nodes are of different chains: {}",
            told.join("; ")
        );
        return Err(Failure::new(Exit::Usage, "another_chain", text).hint(
            "检查地址，分别查询各条链 / look at the addresses, and ask for each chain by itself",
        ));
    }
    if let Some(found) = found {
        let text = format!(
            "高度 {} 上节点互相矛盾 / nodes contradict each other at height {}: {}",
            found.height,
            found.height,
            found.nodes.join(", ")
        );
        return Err(Failure::new(Exit::Integrity, "disagreement", text).hint(
            "立即停止接受新记录，保全各节点数据目录，通知各方 / stop taking records at once, keep every node's folder as it is, tell all parties",
        ));
    }
    if !silent.is_empty() {
        let text = format!("无应答 / no answer: {}", silent.join(", "));
        return Err(Failure::new(Exit::Network, "unreachable", text).hint(
            "检查该节点的进程与日志，或地址是否正确 / look at that node's process and log, or at the address",
        ));
    }
    Ok(())
}

/// Whether all nodes say the same: unknown where one is silent or of another chain.
fn agreement(answers: &[Answer], several_chains: bool, contradicted: bool) -> Option<bool> {
    let silent = answers.iter().any(|answer| answer.error.is_some());
    match contradicted {
        true => Some(false),
        false if silent || several_chains || answers.is_empty() => None,
        false => Some(true),
    }
}

fn line_of(answer: &Answer) -> String {
    let number =
        |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    if let Some(error) = &answer.error {
        return format!("{:<16} ✗ {error}", answer.name);
    }
    let signers = match (answer.signers, answer.validators) {
        (Some(signers), Some(of)) => format!("{signers}/{of}"),
        (Some(signers), None) => signers.to_string(),
        (None, _) => "-".to_owned(),
    };
    row(&[
        &answer.name,
        &number(answer.height),
        &number(answer.lag),
        answer.time.as_deref().unwrap_or("-"),
        &signers,
        &number(answer.peers),
        &number(answer.round),
        &number(answer.alarms),
        &number(answer.records_per_second),
    ])
}

/// Columns of a terminal; a Chinese character takes two.
fn row(cells: &[&str]) -> String {
    let widths = [16_usize, 10, 6, 30, 8, 6, 6, 6, 9];
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        let taken: usize = cell.chars().map(|c| 1 + usize::from(!c.is_ascii())).sum();
        line.push_str(cell);
        line.push_str(&" ".repeat(usize::max(1, width.saturating_sub(taken) + 1)));
    }
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter()
            .map(|(name, header)| ((*name).to_owned(), (*header).to_owned()))
            .collect()
    }

    #[test]
    fn different_headers_at_one_height_are_a_contradiction() {
        assert_eq!(contradiction(7, &shown(&[("a", "00"), ("b", "00")])), None);
        assert_eq!(contradiction(7, &[]), None);
        let found = contradiction(7, &shown(&[("a", "00"), ("b", "01"), ("c", "00")])).unwrap();
        assert_eq!((found.height, found.nodes.len()), (7, 3));
    }

    #[test]
    fn nobody_says_that_nodes_agree_which_did_not_answer() {
        let here = Answer::default();
        let away = Answer {
            error: Some("away".to_owned()),
            ..Answer::default()
        };
        for (answers, several, contradicted, expected) in [
            (vec![here.clone(), here.clone()], false, false, Some(true)),
            (vec![here.clone(), here.clone()], false, true, Some(false)),
            (vec![here.clone(), away.clone()], false, true, Some(false)),
            (vec![here.clone(), away.clone()], false, false, None),
            (vec![away.clone(), away], false, false, None),
            (vec![here.clone(), here], true, false, None),
            (Vec::new(), false, false, None),
        ] {
            assert_eq!(agreement(&answers, several, contradicted), expected);
        }
    }

    #[test]
    fn nodes_of_another_chain_are_told_apart() {
        let of = |name: &str, genesis: Option<&str>| Answer {
            name: name.to_owned(),
            genesis: genesis.map(str::to_owned),
            ..Answer::default()
        };
        assert_eq!(chains(&[of("a", Some("1")), of("b", Some("1"))]), None);
        assert_eq!(chains(&[of("a", Some("1")), of("b", None)]), None);
        let several = [of("a", Some("1")), of("b", Some("2")), of("c", Some("1"))];
        let found = chains(&several).unwrap();
        assert_eq!(found["1"], ["a", "c"]);
        assert_eq!(found["2"], ["b"]);
    }

    #[test]
    fn a_figure_is_found_by_its_whole_name() {
        let text = "# TYPE piaolian_alarms counter\npiaolian_alarms_seen 9\npiaolian_alarms_total 2\n# EOF\n";
        assert_eq!(gauge(text, "piaolian_alarms_total"), Some(2));
        assert_eq!(gauge(text, "piaolian_peers_connected"), None);
    }

    #[test]
    fn a_node_may_have_a_name() {
        let named = name_and_url("tax=http://127.0.0.1:1");
        assert_eq!(named, ("tax".to_owned(), "http://127.0.0.1:1".to_owned()));
        let bare = "http://127.0.0.1:1";
        assert_eq!(name_and_url(bare).0, bare);
    }
}

//! The processes of a testnet: started together, watched, and ended together.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use invoice_api::client::{Client, ClientConfig, Submitted};
use invoice_core::chain::Genesis;
use invoice_core::identity::RecordId;
use invoice_core::read::Spelled;
use invoice_core::record::{Body, QuotaSet, Record, Role};

use super::failure::{Exit, Failure};
use super::output::Output;
use super::serve::{self, block_on};
use super::testnet::{LaidOut, Layout, table};
use super::{demo, status};
use crate::node::system_clock;

/// The log of a node in its folder.
const LOG: &str = "node.log";
/// How long all nodes together may take until they answer.
const START_TIMEOUT: Duration = Duration::from_secs(120);
/// How long the nodes may take to end in order. All end at once, so that what a busy node has taken
/// may never become final: it would wait for a quorum that is gone.
const END_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the processes are looked after.
const INTERVAL: Duration = Duration::from_millis(200);

/// A node's process; it ends with this program.
struct Process {
    node: LaidOut,
    child: Child,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    fn start(dir: &Path, node: &LaidOut) -> Result<Self, Failure> {
        let folder = dir.join(&node.name);
        let path = folder.join(LOG);
        let log = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(|error| Failure::file(&path, error))?;
        let said = log
            .try_clone()
            .map_err(|error| Failure::file(&path, error))?;
        let program =
            std::env::current_exe().map_err(|error| Failure::new(Exit::Usage, "program", error))?;
        let child = Command::new(program)
            .arg("start")
            .arg("--data")
            .arg(&folder)
            .args([
                "--listen",
                &node.listen,
                "--listen-peers",
                &node.listen_peers,
            ])
            .env_remove("PIAOLIAN_DATA")
            .env_remove("PIAOLIAN_LISTEN")
            .stdin(Stdio::null())
            .stdout(said)
            .stderr(log)
            .spawn()
            .map_err(|error| Failure::new(Exit::Usage, "process", error))?;
        Ok(Self {
            node: node.clone(),
            child,
        })
    }

    /// Asks the process to end in order.
    fn ask_to_end(&self) {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            // A process that has ended already needs no asking.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
    }
}

/// Runs all nodes until someone interrupts this program or one of them ends.
pub(super) fn run(
    dir: &Path,
    layout: &Layout,
    genesis: &Genesis,
    output: Output,
) -> Result<(), Failure> {
    let mut processes = Vec::new();
    for node in &layout.nodes {
        processes.push(Process::start(dir, node)?);
    }
    let ended = block_on(async {
        tokio::select! {
            () = serve::interrupted() => Ok(()),
            ended = serve_all(dir, layout, genesis, &mut processes, output) => ended,
        }
    });
    end(processes);
    ended
}

async fn serve_all(
    dir: &Path,
    layout: &Layout,
    genesis: &Genesis,
    processes: &mut Vec<Process>,
    output: Output,
) -> Result<(), Failure> {
    wait_for_all(dir, processes).await?;
    if let Some(node) = layout.nodes.first() {
        tokio::select! {
            result = give_quotas(dir, genesis, &node.url) => if let Err(failure) = result {
                // The consortium runs; a person can set the quotas later.
                output.note(&format!(
                    "{}: {}",
                    output.of("商户额度未设置", "the merchants' quotas were not set"),
                    failure.text
                ));
            },
            failure = watch(dir, processes, output) => return Err(failure),
        }
    }
    let value = serde_json::json!({
        "dir": dir, "chain_id": genesis.chain_id(), "genesis_hash": genesis.hash(),
        "nodes": layout.nodes,
    });
    output.result(&value, &table(layout, output));
    if !output.json {
        try_it(dir, layout, output);
    }
    Err(watch(dir, processes, output).await)
}

/// Says what to do with a consortium that runs.
fn try_it(dir: &Path, layout: &Layout, output: Output) {
    let folder = dir.display();
    let say = |zh: &str, en: &str, command: &str| {
        output.line(&format!("{}\n    {command}", output.of(zh, en)));
    };
    say(
        "各节点的状态：",
        "how every node is:",
        &format!("tax-node status --dir {folder} --watch"),
    );
    if let Some(node) = layout.nodes.get(1) {
        say(
            "向任一节点提交（成员与密钥见 members.json、keys/）：",
            "hand records to any node (members and keys are in members.json and keys/):",
            &format!("scripts/client.sh {} {folder}", node.url),
        );
    }
    if let Some(node) = layout.nodes.get(2) {
        say(
            "结束一个节点，其余继续；随后用以下命令再次启动：",
            "end one node, the others go on; start it again by:",
            &node.command(dir),
        );
    }
    output.line(output.of("按 Ctrl-C 停止全部节点", "press Ctrl-C to stop all nodes"));
}

/// Waits until every node answers.
async fn wait_for_all(dir: &Path, processes: &mut [Process]) -> Result<(), Failure> {
    let begun = Instant::now();
    let mut waiting = processes
        .iter()
        .map(|process| status::ask(process.node.name.clone(), process.node.url.clone()))
        .collect::<Result<Vec<_>, _>>()?;
    loop {
        if let Some((_, failure)) = ended(dir, processes) {
            return Err(failure);
        }
        let mut silent = Vec::new();
        for node in waiting {
            if !node.answers().await {
                silent.push(node);
            }
        }
        if silent.is_empty() {
            return Ok(());
        }
        if begun.elapsed() > START_TIMEOUT {
            let names: Vec<_> = silent.iter().map(status::Asked::name).collect();
            let text = format!("无应答 / no answer: {}", names.join(", "));
            return Err(Failure::new(Exit::Network, "no_answer", text)
                .hint("查看各节点目录中的 node.log / look at node.log in the nodes' folders"));
        }
        waiting = silent;
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Says which nodes end, and how to start them again: that the others go on without one is what a
/// consortium is for. When none is left, that is the end.
async fn watch(dir: &Path, processes: &mut Vec<Process>, output: Output) -> Failure {
    loop {
        while let Some((place, failure)) = ended(dir, processes) {
            let process = processes.remove(place);
            if processes.is_empty() {
                return failure;
            }
            output.note(&failure.text);
            output.note(&format!(
                "→ {} {}",
                output.of("再次启动：", "start it again:"),
                process.node.command(dir)
            ));
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// The first node that has ended, with the last line of its log.
fn ended(dir: &Path, processes: &mut [Process]) -> Option<(usize, Failure)> {
    processes
        .iter_mut()
        .enumerate()
        .find_map(|(place, process)| {
            let how = match process.child.try_wait() {
                Ok(None) => return None,
                Ok(Some(status)) => status.to_string(),
                Err(error) => error.to_string(),
            };
            let path = dir.join(&process.node.name).join(LOG);
            let log = fs::read_to_string(&path).unwrap_or_default();
            // What came before the hint is the reason.
            let is_reason = |line: &&str| !line.trim().is_empty() && !line.starts_with('→');
            let last = log.lines().rev().find(is_reason);
            let text = format!(
                "节点 {} 已退出 / node {} ended ({how}): {}",
                process.node.name,
                process.node.name,
                last.unwrap_or_default()
            );
            let hint = format!("{} {}", "查看日志 / look at", path.display());
            let failure = Failure::new(Exit::Refused, "node_ended", text).hint(hint);
            Some((place, failure))
        })
}

/// Ends all nodes in order; whoever takes too long is killed.
fn end(mut processes: Vec<Process>) {
    processes.iter().for_each(Process::ask_to_end);
    let begun = Instant::now();
    while begun.elapsed() < END_TIMEOUT {
        processes.retain_mut(|process| matches!(process.child.try_wait(), Ok(None)));
        if processes.is_empty() {
            return;
        }
        std::thread::sleep(INTERVAL);
    }
}

/// Gives the merchants their quota of this month. The records are the same bytes within a month,
/// so doing it again changes nothing.
async fn give_quotas(dir: &Path, genesis: &Genesis, url: &str) -> Result<(), Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::new(Exit::Refused, "quota", error);
    let players = demo::read_players(dir)?;
    let Some(tax) = players.iter().find(|player| player.role == Role::Tax) else {
        return Err(wrong(&"no tax authority in members.json"));
    };
    let client = Client::new(ClientConfig::new(url)).map_err(|error| wrong(&error))?;
    let month = (system_clock())().month_utc8();
    let merchants = players
        .iter()
        .filter(|player| player.role == Role::Merchant);
    for (number, merchant) in merchants.enumerate() {
        let id = format!("testnet-quota-{number}-{month}");
        let record = Record {
            id: RecordId::spelled(&id).map_err(|rule| wrong(&rule))?,
            by: tax.id,
            at: invoice_core::calendar::Instant::from_ms(genesis.time_ms()),
            body: Body::QuotaSet(QuotaSet {
                member: merchant.id,
                month,
                amount: demo::QUOTA,
            }),
        };
        let envelope = demo::envelope(genesis, tax, &record.to_json())?;
        match client
            .submit(&envelope)
            .await
            .map_err(|error| wrong(&error))?
        {
            Submitted::Recorded(_) => {}
            Submitted::Refused(problem) => return Err(wrong(&problem.detail)),
        }
    }
    Ok(())
}

//! `tax-node doctor`: what would keep a node from running well, each finding with its mend.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde::Serialize;

use super::failure::{Exit, Failure, PERMISSIONS};
use super::output::Output;
use super::{init, verify};
use crate::key_file::{KeyFileError, KeyForm};
use crate::node::{free_bytes, system_clock};
use crate::peers::PeersError;
use crate::{files, key_file, peers, store};

/// Free bytes that a healthy node has.
const ROOM_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// The beginning of 2026: no clock of a running node is before it.
const EARLIEST_MS: i64 = 1_767_225_600_000;
/// How far the last block may lie ahead of the clock.
const AHEAD_MS: i64 = 5_000;

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    ok: bool,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Finding {
    fn good(check: &'static str, found: impl Into<String>) -> Self {
        Self {
            check,
            ok: true,
            found: found.into(),
            fix: None,
        }
    }

    fn bad(check: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            check,
            ok: false,
            found: found.into(),
            fix: Some(fix.into()),
        }
    }
}

pub(super) fn run(data: &Path, output: Output) -> Result<(), Failure> {
    let mut findings = vec![version(), disk(data, output)];
    findings.extend(permissions(data, output));
    findings.extend(chain(data, output));
    for finding in &findings {
        let mark = if finding.ok { "✓" } else { "✗" };
        let mut lines = vec![format!("{mark} {:<12} {}", finding.check, finding.found)];
        lines.extend(finding.fix.as_ref().map(|fix| format!("  → {fix}")));
        output.result(finding, &lines);
    }
    let bad = findings.iter().filter(|finding| !finding.ok).count();
    match bad {
        0 => Ok(()),
        count => Err(Failure::new(
            Exit::Refused,
            "findings",
            format!("{count} {}", output.of("项需要处理", "to mend")),
        )),
    }
}

fn version() -> Finding {
    Finding::good("version", env!("CARGO_PKG_VERSION"))
}

fn disk(data: &Path, output: Output) -> Finding {
    match free_bytes(data) {
        Ok(free) if free >= ROOM_BYTES => Finding::good("disk", format!("{free} bytes free")),
        Ok(free) => Finding::bad(
            "disk",
            format!("{free} bytes free"),
            output.of(
                "腾出空间或换更大的磁盘",
                "make room or move to a larger disk",
            ),
        ),
        Err(error) => Finding::bad(
            "disk",
            error.to_string(),
            output.of(
                "检查目录是否存在且可读",
                "check that the folder exists and can be read",
            ),
        ),
    }
}

/// Keys are for their owner alone, and the folder is for its owner to write.
fn permissions(data: &Path, output: Output) -> Vec<Finding> {
    let mut findings = Vec::new();
    let keys = fs::read_dir(files::keys(data))
        .into_iter()
        .flatten()
        .flatten();
    let keys = keys.map(|entry| (entry.path(), "key file"));
    let secrets = (data.join(store::WEBHOOKS_FILE), "webhook secrets");
    for (path, name) in keys.chain([secrets]) {
        let Ok(metadata) = fs::metadata(&path) else {
            continue;
        };
        let mode = metadata.permissions().mode() & 0o777;
        let found = format!("{} {mode:o}", path.display());
        findings.push(if mode & 0o077 == 0 {
            Finding::good(name, found)
        } else {
            Finding::bad(name, found, format!("chmod 600 {}", path.display()))
        });
    }
    if let Ok(metadata) = fs::metadata(data) {
        let mode = metadata.permissions().mode() & 0o777;
        let found = format!("{} {mode:o}", data.display());
        findings.push(if mode & 0o022 == 0 {
            Finding::good("folder", found)
        } else {
            Finding::bad("folder", found, format!("chmod go-w {}", data.display()))
        });
    }
    findings.push(node_key(data, output));
    findings.extend(peers_file(data, output));
    findings
}

/// The key that `start` takes: a validator's, or that of a node without a vote.
fn node_key(data: &Path, output: Output) -> Finding {
    let paths = [files::validator_key(data), files::node_key(data)];
    let Some(path) = paths
        .iter()
        .find(|path| !matches!(path.try_exists(), Ok(false)))
    else {
        return Finding::bad(
            "node key",
            output.of(
                "没有 keys/validator.pem 或 keys/node.pem",
                "neither keys/validator.pem nor keys/node.pem",
            ),
            output.of(
                "用 --key 指定密钥，或从备份恢复",
                "name it with --key, or restore it from a backup",
            ),
        );
    };
    match key_file::look(path) {
        Ok(KeyForm::Plain) => Finding::good("node key", path.display().to_string()),
        Ok(KeyForm::Encrypted) => Finding::good(
            "node key",
            format!("{} ({})", path.display(), output.of("已加密", "encrypted")),
        ),
        Err(KeyFileError::Io { path, source }) if source.kind() == ErrorKind::PermissionDenied => {
            Finding::bad(
                "node key",
                format!("{}: {source}", path.display()),
                PERMISSIONS,
            )
        }
        Err(error) => Finding::bad(
            "node key",
            error.to_string(),
            output.of(
                "放回原密钥文件（keys/ 的副本）",
                "put the key file back from a copy of keys/",
            ),
        ),
    }
}

/// The list of other nodes, where there is one.
fn peers_file(data: &Path, output: Output) -> Option<Finding> {
    let path = files::peers(data);
    match peers::read(&path) {
        Ok(nodes) => Some(Finding::good(
            "peers.json",
            format!("{} nodes", nodes.len()),
        )),
        Err(PeersError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => None,
        Err(PeersError::Io { path, source }) if source.kind() == ErrorKind::PermissionDenied => {
            let found = format!("{}: {source}", path.display());
            Some(Finding::bad("peers.json", found, PERMISSIONS))
        }
        Err(error) => Some(Finding::bad(
            "peers.json",
            error.to_string(),
            output.of(
                "从其他节点取一份 peers.json",
                "take peers.json of another node",
            ),
        )),
    }
}

/// Genesis file, store and clock.
fn chain(data: &Path, output: Output) -> Vec<Finding> {
    let genesis = match init::read_genesis(data) {
        Ok(genesis) => genesis,
        Err(failure) => {
            let fix = failure.hint.unwrap_or_default();
            return vec![Finding::bad("genesis", failure.text, fix)];
        }
    };
    let mut findings = vec![Finding::good("genesis", genesis.hash().to_string())];
    let now = (system_clock())().ms();
    match verify::read(data, &genesis, |snapshot| Ok(snapshot.head().clone())) {
        Ok(head) => {
            findings.push(Finding::good("store", format!("height {}", head.height)));
            findings.push(clock(now, head.time_ms, output));
        }
        Err(failure) if failure.code == "in_use" => {
            let running = output.of(
                "节点正在运行，未打开数据库",
                "the node is running; not opened",
            );
            findings.push(Finding::good("store", running));
            findings.push(clock(now, genesis.time_ms(), output));
        }
        Err(failure) => {
            let fix = failure.hint.unwrap_or_else(|| {
                output
                    .of(
                        "从其他节点或备份恢复",
                        "restore it from another node or a backup",
                    )
                    .to_owned()
            });
            findings.push(Finding::bad("store", failure.text, fix));
        }
    }
    if data.join(store::TEMPORARY_NAME).exists() {
        findings.push(Finding::good(
            "leftover",
            output.of(
                "中断的建库文件，下次建库时清除",
                "of an interrupted creation; removed by the next",
            ),
        ));
    }
    findings
}

fn clock(now_ms: i64, last_block_ms: i64, output: Output) -> Finding {
    let time = invoice_core::calendar::Instant::from_ms(now_ms).to_rfc3339_utc8();
    let behind = now_ms < last_block_ms.saturating_sub(AHEAD_MS);
    if now_ms < EARLIEST_MS || behind {
        let fix = output.of(
            "校准系统时钟（NTP）后再启动",
            "set the system clock (NTP), then start",
        );
        Finding::bad("clock", time, fix)
    } else {
        Finding::good("clock", time)
    }
}

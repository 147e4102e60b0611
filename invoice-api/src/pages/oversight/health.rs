//! How the chain and this node are.

use super::chart::{self, About, Bar};
use super::parts::{Viewer, figures, minute, table, table_or_none};
use crate::pages::escape;
use crate::registry::HealthView;

pub(super) fn body(viewer: Viewer, view: &HealthView) -> String {
    let of = |zh: &'static str, en: &'static str| viewer.of_two(zh, en);
    let gauge = |name: &str| view.gauges.get(name).copied();
    let lag = gauge("highest_known_height").map(|highest| {
        highest
            .saturating_sub(i64::try_from(view.height).unwrap_or(i64::MAX))
            .max(0)
    });
    let number =
        |value: Option<i64>| value.map_or_else(|| "–".to_owned(), |value| value.to_string());
    let taking = match &view.refusing {
        Some(reason) => format!("<span class=\"tag bad\">{}</span>", escape(reason)),
        None => format!("<span class=\"tag good\">{}</span>", of("是", "yes")),
    };
    let figures_state = match (view.figures_height, view.figures_failed) {
        (None, _) => of("未开启", "off").to_owned(),
        (Some(height), true) => format!(
            "{height} <span class=\"tag bad\">{}</span>",
            of(
                "已停止，请重新启动节点",
                "standing still: start the node again"
            )
        ),
        (Some(height), false) => height.to_string(),
    };
    let disk = gauge("disk_free_bytes")
        .map_or_else(|| "–".to_owned(), |bytes| format!("{} MiB", bytes >> 20));
    let facts = [
        (of("接收记录", "Takes records"), taking),
        (
            of("高度", "Height"),
            format!("{}{}", view.height, viewer.aside(&minute(view.time))),
        ),
        (of("落后区块", "Blocks behind"), number(lag)),
        (of("记录数", "Records"), view.records.to_string()),
        (of("统计截至", "Figures up to"), figures_state),
        (
            of("状态摘要", "Digest of the last changes"),
            format!("<code class=\"key\">{}</code>", escape(&view.effects_root)),
        ),
        (
            of("日志树根", "Root of the log"),
            format!("<code class=\"key\">{}</code>", escape(&view.log_root)),
        ),
        (
            of("分歧告警", "Contradictions found"),
            number(gauge("alarms_total")),
        ),
        (of("磁盘剩余", "Room on the disk"), disk),
    ];
    let facts: String = facts
        .iter()
        .map(|(head, value)| format!("<dt>{head}</dt><dd>{value}</dd>"))
        .collect();
    let bars: Vec<Bar> = view
        .blocks
        .iter()
        .rev()
        .map(|block| Bar {
            label: block.height.to_string(),
            value: u64::try_from(block.after_ms).unwrap_or(0),
            told: format!(
                "{}: {} ms, {} {}",
                block.height,
                block.after_ms,
                block.records,
                of("条记录", "records")
            ),
            link: None,
        })
        .collect();
    let title = of(
        "最近区块的间隔（毫秒）",
        "Milliseconds between the last blocks",
    );
    let about = About {
        id: "blocks",
        title,
        description: of(
            "区块时间之差；无记录时不出块，因此长间隔也可能只是空闲",
            "Differences of block times; there are no empty blocks, so a long gap may be idleness",
        ),
    };
    let rows: Vec<Vec<String>> = view
        .blocks
        .iter()
        .map(|block| {
            vec![
                format!("<a href=\"/v1/blocks/{0}\">{0}</a>", block.height),
                minute(block.time),
                block.after_ms.to_string(),
                block.records.to_string(),
                block.round.to_string(),
                block.signatures.to_string(),
            ]
        })
        .collect();
    let columns = [
        (of("区块", "Block"), true),
        (of("时间", "Time"), false),
        (of("间隔（毫秒）", "After (ms)"), true),
        (of("记录", "Records"), true),
        (of("轮次", "Round"), true),
        (of("签名", "Signatures"), true),
    ];
    let blocks = chart::line(&about, &bars) + &figures(viewer, title, &columns, &rows);
    let rows: Vec<Vec<String>> = view
        .validators
        .iter()
        .map(|validator| {
            let behind = validator
                .last_signed
                .map(|last| view.height.saturating_sub(last));
            vec![
                escape(&validator.name),
                format!("<code>{}</code>", escape(&validator.kid)),
                validator.signed.to_string(),
                behind.map_or_else(
                    || of("未见", "none seen").to_owned(),
                    |behind| behind.to_string(),
                ),
            ]
        })
        .collect();
    let columns = [
        (of("验证者", "Validator"), false),
        (of("密钥", "Key"), false),
        (of("近期区块中签名数", "Of the last blocks it signed"), true),
        (
            of("距最近签名的区块数", "Blocks since it signed last"),
            true,
        ),
    ];
    let note = of(
        "签名即表示算得同样的状态摘要；证书只收齐法定数即可，未列入者不一定落后。",
        "Whoever signs has computed the same digest. A certificate needs a quorum only: who is not in it need not be behind.",
    );
    let validators = table(of("验证者", "Validators"), &columns, &rows);
    let rows: Vec<Vec<String>> = view
        .peers
        .iter()
        .map(|peer| {
            let linked = match peer.connected {
                true => format!("<span class=\"tag good\">{}</span>", of("已连接", "linked")),
                false => format!("<span class=\"tag bad\">{}</span>", of("未连接", "no link")),
            };
            vec![
                escape(&peer.name),
                linked,
                peer.queued_bytes.to_string(),
                escape(peer.last_error.as_deref().unwrap_or("–")),
            ]
        })
        .collect();
    let columns = [
        (of("节点", "Node"), false),
        (of("连接", "Link"), false),
        (of("待发字节", "Bytes waiting"), true),
        (of("最近错误", "Last error"), false),
    ];
    let peers = table_or_none(viewer, of("其他节点", "Other nodes"), &columns, &rows);
    let rows: Vec<Vec<String>> = view
        .gauges
        .iter()
        .map(|(name, value)| vec![format!("<code>{}</code>", escape(name)), value.to_string()])
        .collect();
    let gauges = figures(
        viewer,
        of("全部指标", "All figures of /metrics"),
        &[(of("指标", "Figure"), false), (of("值", "Value"), true)],
        &rows,
    );
    format!(
        "<dl class=\"facts\">{facts}</dl><h2>{title}</h2>{blocks}<h2>{}</h2>{validators}<p class=\"note\">{note}</p><h2>{}</h2>{peers}<h2>{}</h2>{gauges}",
        of("验证者", "Validators"),
        of("其他节点", "Other nodes"),
        of("指标", "Figures")
    )
}

//! Running a node behind its HTTP interface until someone interrupts it.

use std::future::Future;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use invoice_api::{BoundServer, ProxyNetwork, PublicUrl, ServerConfig, TlsFiles, TrustedSeals};
use invoice_core::chain::Genesis;
use invoice_core::crypto::{SecretKey, SecretKeySigner};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tracing_subscriber::EnvFilter;
use webhooks::Networks;

use super::failure::{Exit, Failure};
use super::output::Output;
use crate::engine::EngineError;
use crate::engine::consortium::ConsortiumError;
use crate::files;
use crate::node::{ConsortiumConfig, Node, NodeConfig, Stopped, system_clock};
use crate::store::CACHE_BYTES;

/// Free bytes below which new records are refused.
const DISK_RESERVE_BYTES: u64 = 128 * 1024 * 1024;
/// What is logged unless `RUST_LOG` says otherwise: libraries only when something is wrong.
const LOG_FILTER: &str = "info,actix_server=warn,arc_malachitebft_core_consensus=warn,\
     arc_malachitebft_core_driver=warn,arc_malachitebft_core_votekeeper=warn";
/// How long the engine may take to finish what was accepted.
const FINISH_TIMEOUT: Duration = Duration::from_secs(30);

/// Where and how to listen.
#[derive(Debug, clap::Args)]
pub(super) struct Listen {
    /// 监听地址 / the address to listen on
    #[arg(long, env = "PIAOLIAN_LISTEN", default_value = "127.0.0.1:8080")]
    pub(super) listen: SocketAddr,
    /// TLS 证书链（PEM）/ TLS certificate chain
    #[arg(long, requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// TLS 私钥（PEM）/ TLS private key
    #[arg(long, requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// 监管统计：on 或 off；默认：无表决权的节点与单节点为 on，联盟验证节点为 off / the supervisor's
    /// figures: on by itself where a node has no vote or is alone, off for validators of a consortium
    #[arg(long, env = "PIAOLIAN_OVERSIGHT", value_enum, value_name = "on|off")]
    oversight: Option<Switch>,
    /// 公众访问本节点的地址，印入票据二维码；默认为监听地址 / where people reach this node, for the QR codes of printed documents; by default where it listens
    #[arg(long, env = "PIAOLIAN_PUBLIC_URL", value_name = "URL")]
    public_url: Option<PublicUrl>,
    /// 打印票据时补充内置字体的字体目录 / a folder of fonts for characters that the built-in font of printed documents lacks
    #[arg(long, env = "PIAOLIAN_FONTS", value_name = "DIR")]
    fonts: Option<PathBuf>,
    /// 允许推送（webhook）进入的内网网段，如 10.0.0.0/8,192.168.1.0/24；其中也允许 http。默认只推送到公网 https / private networks that webhooks may lead into, over http too; by default they go to public https only
    #[arg(long, env = "PIAOLIAN_WEBHOOK_NETWORKS", value_name = "CIDR,…")]
    webhook_networks: Option<Networks>,
    /// 反向代理的地址或网段，可多次给出；只采信它们写的 X-Forwarded-For / addresses of reverse proxies, may be given several times: X-Forwarded-For is believed from them alone
    #[arg(
        long,
        env = "PIAOLIAN_TRUSTED_PROXY",
        value_name = "CIDR",
        value_delimiter = ','
    )]
    trusted_proxy: Vec<ProxyNetwork>,
    /// 可信签章人证书（PEM 或 DER，可多次给出）：查验票据文件时采信其电子签章 / certificates of trusted sealers (PEM or DER, may be repeated): whose seals on files of documents are believed
    #[arg(long, env = "PIAOLIAN_PAPERS_TRUST", value_name = "FILE", num_args = 1.., value_delimiter = ',')]
    papers_trust: Vec<PathBuf>,
    #[command(flatten)]
    limits: Limits,
}

/// Whether somebody accepts that a lone validator forgot what it recorded.
#[derive(Debug, clap::Args)]
pub(super) struct Lost {
    /// 单验证者由备份恢复后首次启动：确认备份之后的记录已丢失 / first start of a lone validator out of a
    /// backup: accept that what was recorded after the backup is lost
    #[arg(long)]
    accept_lost_blocks: bool,
}

impl Lost {
    /// Takes the mark of a restored folder away when that was accepted. Beside a peers file the
    /// mark stays: there the other validators tell what was forgotten.
    pub(super) fn accept(&self, data: &Path) -> Result<(), Failure> {
        if !self.accept_lost_blocks {
            return Ok(());
        }
        if files::peers(data).exists() {
            let text = "--accept-lost-blocks 只用于没有 peers.json 的单验证者 / is only for a lone validator without peers.json";
            return Err(Failure::new(Exit::Usage, "not_alone", text).hint(
                "联盟中的验证者先听后签，不必确认 / a validator among others only listens at first: leave the option out",
            ));
        }
        let mark = files::restored(data);
        files::remove_whole(&mark).map_err(|error| Failure::file(&mark, error))
    }
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Switch {
    /// 开 / on
    On,
    /// 关 / off
    Off,
}

impl Listen {
    /// The private networks that webhooks may lead into.
    pub(super) fn webhook_networks(&self) -> Networks {
        self.webhook_networks.clone().unwrap_or_default()
    }

    /// Whether a node keeps the supervisor's figures: as it is told, or by what it is.
    pub(super) fn oversight(&self, votes_among_others: bool) -> bool {
        match self.oversight {
            Some(switch) => switch == Switch::On,
            None => !votes_among_others,
        }
    }
}

/// How much is taken from one member or address a minute; a minute's worth may come at once.
#[derive(Debug, clap::Args)]
struct Limits {
    /// 每成员每分钟可提交的记录数 / records that a member may send a minute
    #[arg(long, env = "PIAOLIAN_RECORDS_PER_MINUTE", value_name = "N")]
    records_per_minute: Option<NonZeroU32>,
    /// 每成员每分钟可查验的票据数 / documents that a member may check a minute
    #[arg(long, env = "PIAOLIAN_CHECKS_PER_MINUTE", value_name = "N")]
    checks_per_minute: Option<NonZeroU32>,
    /// 每成员每分钟的其他签名请求数 / other signed questions of a member a minute
    #[arg(long, env = "PIAOLIAN_READS_PER_MINUTE", value_name = "N")]
    reads_per_minute: Option<NonZeroU32>,
    /// 每地址每分钟的无签名请求数 / requests without a signature from an address a minute
    #[arg(long, env = "PIAOLIAN_ANONYMOUS_PER_MINUTE", value_name = "N")]
    anonymous_per_minute: Option<NonZeroU32>,
    /// 每地址每密钥每分钟的认证失败数 / failed authentications from an address in the name of a key a minute
    #[arg(long, env = "PIAOLIAN_FAILURES_PER_MINUTE", value_name = "N")]
    failures_per_minute: Option<NonZeroU32>,
    /// 每地址每分钟查无相符的公开查验数 / public checks from an address that match nothing a minute
    #[arg(long, env = "PIAOLIAN_MISSES_PER_MINUTE", value_name = "N")]
    misses_per_minute: Option<NonZeroU32>,
    /// 同时进行的批量流 / bulk streams at the same time
    #[arg(long, env = "PIAOLIAN_BULK_STREAMS", value_name = "N")]
    bulk_streams: Option<NonZeroU32>,
}

impl Limits {
    fn apply(&self, config: &mut ServerConfig) {
        let budgets = &mut config.budgets;
        for (given, budget) in [
            (self.records_per_minute, &mut budgets.records_per_minute),
            (self.checks_per_minute, &mut budgets.checks_per_minute),
            (self.reads_per_minute, &mut budgets.reads_per_minute),
            (self.anonymous_per_minute, &mut budgets.anonymous_per_minute),
            (self.failures_per_minute, &mut budgets.failures_per_minute),
            (self.misses_per_minute, &mut budgets.misses_per_minute),
        ] {
            *budget = given.unwrap_or(*budget);
        }
        if let Some(streams) = self.bulk_streams {
            config.bulk_streams_max = usize::try_from(streams.get()).unwrap_or(usize::MAX);
        }
    }
}

/// A node whose engine runs.
pub(super) struct Running {
    pub(super) node: Node,
    ended: oneshot::Receiver<Stopped>,
}

/// A node that listens.
pub(super) struct Served {
    /// Listened to before anybody is told that the node runs.
    interruption: Interruption,
    server: BoundServer,
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) scheme: &'static str,
}

/// Runs a future on a runtime of its own.
pub(super) fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime
        .map_err(|error| Failure::new(Exit::Usage, "runtime", error))?
        .block_on(future)
}

/// Logs to standard error: JSON lines, or text for people; `RUST_LOG` chooses what.
pub(super) fn log_to_stderr(output: Output) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOG_FILTER));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A second call in one process keeps the first subscriber.
    let _ = if output.json {
        builder.json().try_init()
    } else {
        builder.try_init()
    };
}

/// Opens the folder and starts the engine.
pub(super) fn start(
    data: &Path,
    genesis: Genesis,
    key: SecretKey,
    consortium: Option<ConsortiumConfig>,
    oversight: bool,
    webhook_networks: Networks,
) -> Result<Running, Failure> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let (node, ended) = Node::start(NodeConfig {
        data: data.to_owned(),
        genesis,
        signer: Arc::new(SecretKeySigner::new(key)),
        consortium,
        clock: system_clock(),
        cache_bytes: CACHE_BYTES,
        disk_reserve_bytes: DISK_RESERVE_BYTES,
        verify_threads: threads,
        oversight,
        webhook_networks,
    })?;
    Ok(Running { node, ended })
}

/// Listens; nothing is answered yet.
pub(super) fn bind(running: &Running, listen: &Listen) -> Result<Served, Failure> {
    let mut config = ServerConfig::new(listen.listen);
    config.tls = listen
        .tls_cert
        .clone()
        .zip(listen.tls_key.clone())
        .map(|(certificates, key)| TlsFiles { certificates, key });
    listen.limits.apply(&mut config);
    config.public_url = listen.public_url.clone();
    config.trusted_proxies.clone_from(&listen.trusted_proxy);
    if let Some(folder) = &listen.fonts {
        config.fonts = invoice_api::Fonts::with_folder(folder)
            .map_err(|error| Failure::new(Exit::Usage, "fonts", error))?;
    }
    config.papers_trust = TrustedSeals::read(&listen.papers_trust)
        .map_err(|error| Failure::new(Exit::Usage, "papers_trust", error))?;
    let scheme = if config.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let server = invoice_api::bind(&config, Arc::new(running.node.clone()))
        .map_err(|error| Failure::new(Exit::Network, "listen", error))?;
    let addresses = server.addresses().to_vec();
    Ok(Served {
        interruption: Interruption::new(),
        server,
        addresses,
        scheme,
    })
}

/// Says where the node listens.
pub(super) fn announce(served: &Served, output: Output) {
    for address in &served.addresses {
        let url = format!("{}://{address}", served.scheme);
        let line = format!(
            "{} {url}  ({} {url}/docs)",
            output.of("服务已就绪", "serving at"),
            output.of("接口文档", "API"),
        );
        output.result(&serde_json::json!({ "listening": url }), &[line]);
    }
}

impl Served {
    /// Serves until SIGINT or SIGTERM or until the engine stops; then finishes what was accepted.
    pub(super) async fn until_interrupted(self, running: Running) -> Result<(), Failure> {
        let Running { node, mut ended } = running;
        let mut interruption = self.interruption;
        let mut engine = None;
        let shutdown = async {
            tokio::select! {
                () = interruption.came() => {}
                result = &mut ended => engine = Some(result),
            }
        };
        let served = self.server.run(shutdown).await;
        node.stop();
        let result = match engine {
            Some(result) => Some(result),
            None => tokio::time::timeout(FINISH_TIMEOUT, ended).await.ok(),
        };
        served.map_err(|error| Failure::new(Exit::Network, "serve", error))?;
        match result {
            Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(error))) => Err(engine_failure(error)),
            Some(Err(_)) | None => Err(Failure::new(
                Exit::Refused,
                "engine",
                "the engine did not end in time",
            )),
        }
    }
}

/// Why the engine ended: a chain that contradicts itself is a matter of integrity, a disk that is
/// full or away is not.
fn engine_failure(error: EngineError) -> Failure {
    match error {
        EngineError::Application(_)
        | EngineError::Signer(_)
        | EngineError::Consortium(
            ConsortiumError::Application(_) | ConsortiumError::Log(_) | ConsortiumError::Machine(_),
        ) => Failure::new(Exit::Refused, "engine", error).hint(
            "检查磁盘空间与日志后重新启动：启动时会重新校验 / look at the room on the disk and at the log, then start again: opening verifies",
        ),
        EngineError::OwnBlock { .. }
        | EngineError::NotAlone(_)
        | EngineError::Consortium(ConsortiumError::Disagreement { .. }) => {
            Failure::integrity(error)
        }
    }
}

/// SIGINT and SIGTERM, which from here on no longer end the process by themselves.
struct Interruption {
    interrupt: Option<Signal>,
    terminate: Option<Signal>,
}

impl Interruption {
    /// Listens from now on; needs a runtime.
    fn new() -> Self {
        Self {
            interrupt: signal(SignalKind::interrupt()).ok(),
            terminate: signal(SignalKind::terminate()).ok(),
        }
    }

    /// Waits for one of them.
    async fn came(&mut self) {
        async fn one(signal: &mut Option<Signal>) {
            match signal {
                Some(signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        }
        tokio::select! {
            () = one(&mut self.interrupt) => {}
            () = one(&mut self.terminate) => {}
        }
    }
}

/// Waits for SIGINT or SIGTERM.
pub(super) async fn interrupted() {
    Interruption::new().came().await;
}

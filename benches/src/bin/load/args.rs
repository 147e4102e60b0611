//! The command line.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use benches::documents::Profile;
use benches::input::{Form, Setting};
use clap::{Parser, Subcommand, ValueEnum};

/// 向节点施压并测量 / load a node and measure
#[derive(Parser)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Subcommand)]
pub(crate) enum Verb {
    /// 生成并签名输入，供多次使用 / make and sign input, to be sent many times
    Prepare(Cases),
    /// 进程内提交，不经网络 / hand in within the process, without sockets
    Ingest(Ingest),
    /// 经 HTTP 提交 / hand in over HTTP
    Http(Http),
    /// 灌满一个库 / fill a store
    Fill(Fill),
    /// 边收边验：查验接口 / checks while records come in
    Checks(Mixed),
    /// 边收边看：监管页面 / the supervisor's pages while records come in
    Oversight(Overseen),
    /// 一名成员灌入伪签名时另一名的速度 / an honest member while another sends junk
    Flood(Flood),
    /// 轻载时的时延，与磁盘同步时间并列 / latency under light load, beside the disk's sync
    Light(Light),
    /// 多个验证节点，各为一个进程 / several validators, each a process of its own
    Consortium(Consortium),
    /// 与其他做法并列比较 / beside what others would do
    Peers(Peers),
    /// 为故障试验准备节点目录 / make the folders of nodes for a trial under faults
    TrialPrepare(TrialPrepare),
    /// 故障试验中的客户端，至标准输入结束 / a client of such a trial, until standard input ends
    TrialClient(TrialClient),
    /// 核对故障试验后各节点的链 / compare the nodes' chains after such a trial
    TrialCheck(TrialCheck),
    /// 作为多节点之一运行（供本程序调用）/ run as one of several nodes, for this program's own use
    #[command(hide = true)]
    ServeAmong { folder: PathBuf, number: u8 },
    /// 作为节点运行（供本程序调用）/ run as a node, for this program's own use
    #[command(hide = true)]
    Serve {
        folder: PathBuf,
        #[arg(long)]
        failures_per_minute: Option<NonZeroU32>,
        #[arg(long)]
        oversight: bool,
    },
}

/// 参与者与输入 / who takes part, and input
#[derive(clap::Args)]
pub(crate) struct Common {
    /// 输入所在目录 / folder of the input
    #[arg(long, default_value = "target/bench/input")]
    pub(crate) input: PathBuf,
    /// 新库所在目录 / where new stores are kept
    #[arg(long, default_value = "target/bench/stores")]
    pub(crate) folder: PathBuf,
    /// 票据种类 / what is issued
    #[arg(long, value_enum, default_value_t = Profile::Usual)]
    pub(crate) profile: Profile,
    /// 开票方数量 / issuers
    #[arg(long, default_value_t = 400)]
    pub(crate) issuers: usize,
    /// 随机种子 / seed
    #[arg(long, default_value_t = 20_261_121)]
    pub(crate) seed: u64,
    /// 输出 JSON / print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl Common {
    pub(crate) const fn setting(&self) -> Setting {
        Setting {
            seed: self.seed,
            issuers: self.issuers,
        }
    }
}

/// 情形 / cases
#[derive(clap::Args)]
pub(crate) struct Cases {
    #[command(flatten)]
    pub(crate) common: Common,
    /// 签名方式：single 逐条带提示，unhinted 逐条不带，或每批记录数 / how records are signed:
    /// single with hint, unhinted, or records under one signature
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "single,unhinted,256,1000"
    )]
    pub(crate) form: Vec<Form>,
    /// 重复记录的百分比 / share of duplicates, in percent
    #[arg(long, value_delimiter = ',', default_value = "0")]
    pub(crate) duplicates: Vec<u32>,
    /// 每种情形的记录数 / records of each case
    #[arg(long, default_value_t = 200_000)]
    pub(crate) records: usize,
}

#[derive(clap::Args)]
pub(crate) struct Ingest {
    #[command(flatten)]
    pub(crate) cases: Cases,
    /// 已灌满的库，原地续写；缺省用新库 / a filled store, continued in place; else new ones
    #[arg(long)]
    pub(crate) store: Option<PathBuf>,
    /// 同时在途的记录数 / records in flight
    #[arg(long, default_value_t = 8_192)]
    pub(crate) in_flight: usize,
    /// 索取回执 / ask for receipts
    #[arg(long)]
    pub(crate) receipts: bool,
}

/// 调用 / call
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Call {
    /// `POST /v1/records`
    Post,
    /// `POST /v1/records:bulk`
    Bulk,
}

#[derive(clap::Args)]
pub(crate) struct Http {
    #[command(flatten)]
    pub(crate) cases: Cases,
    /// 已灌满的库，原地续写；缺省用新库 / a filled store, continued in place; else new ones
    #[arg(long)]
    pub(crate) store: Option<PathBuf>,
    /// 调用 / calls
    #[arg(long, value_enum, value_delimiter = ',', default_value = "post,bulk")]
    pub(crate) call: Vec<Call>,
    /// 连接数；缺省按批大小 / connections; by the size of batches when absent
    #[arg(long)]
    pub(crate) connections: Option<usize>,
    /// 每条批量流上未获应答的行数上限 / lines of one stream that are not answered yet
    #[arg(long, default_value_t = 512)]
    pub(crate) window: usize,
}

#[derive(clap::Args)]
pub(crate) struct Consortium {
    #[command(flatten)]
    pub(crate) cases: Cases,
    /// 验证节点数：1 或 4 至 7 / nodes that vote: 1, or 4 to 7
    #[arg(long, default_value_t = 4)]
    pub(crate) validators: u8,
    /// 无投票权的节点数 / nodes without a vote
    #[arg(long, default_value_t = 0)]
    pub(crate) supervisors: u8,
    /// 发送完毕后再启动一个空的监督节点，测其追赶速度 / start one more, empty node without a vote at
    /// the end, and time how it catches up
    #[arg(long)]
    pub(crate) late: bool,
    /// 追赶途中强制终止（SIGKILL）并重启的次数 / how often that node is killed on the way
    #[arg(long, default_value_t = 0)]
    pub(crate) late_kills: u64,
    /// 调用 / call
    #[arg(long, value_enum, default_value = "bulk")]
    pub(crate) call: Call,
    /// 连接数 / connections
    #[arg(long, default_value_t = 8)]
    pub(crate) connections: usize,
    /// 每条批量流上未获应答的行数上限 / lines of one stream that are not answered yet
    #[arg(long, default_value_t = 512)]
    pub(crate) window: usize,
    /// 每秒信封数上限 / envelopes a second at most
    #[arg(long)]
    pub(crate) pace: Option<f64>,
    /// 持续秒数；缺省发完为止 / for so many seconds; else until everything is sent
    #[arg(long)]
    pub(crate) seconds: Option<u64>,
}

#[derive(clap::Args)]
pub(crate) struct TrialPrepare {
    /// 试验目录 / the trial's folder
    #[arg(long)]
    pub(crate) dir: PathBuf,
    /// 验证节点数 / nodes that vote
    #[arg(long, default_value_t = 4)]
    pub(crate) validators: usize,
    /// 开票方数量 / issuers
    #[arg(long, default_value_t = 60)]
    pub(crate) issuers: usize,
    /// 随机种子 / seed
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// 各节点互联地址 / where each node is reached by the others
    #[arg(long, value_delimiter = ',', required = true)]
    pub(crate) peers: Vec<SocketAddr>,
}

#[derive(clap::Args)]
pub(crate) struct TrialClient {
    /// 试验目录 / the trial's folder
    #[arg(long)]
    pub(crate) dir: PathBuf,
    /// 各节点 HTTP 地址 / the nodes' HTTP addresses
    #[arg(long, value_delimiter = ',', required = true)]
    pub(crate) nodes: Vec<SocketAddr>,
    /// 客户端序号，从 0 起 / this client's number, from 0
    #[arg(long)]
    pub(crate) number: usize,
    /// 客户端数 / clients
    #[arg(long, default_value_t = 3)]
    pub(crate) of: usize,
    /// 首个票号 / number of the first documents
    #[arg(long, default_value_t = 1)]
    pub(crate) first_serial: u64,
    /// 每秒单据数 / documents a second
    #[arg(long, default_value_t = 100.0)]
    pub(crate) rate: f64,
    /// 应答记录文件 / where answers are written
    #[arg(long)]
    pub(crate) log: PathBuf,
}

#[derive(clap::Args)]
pub(crate) struct TrialCheck {
    /// 试验目录 / the trial's folder
    #[arg(long)]
    pub(crate) dir: PathBuf,
    /// 各客户端的应答记录 / the clients' answers
    #[arg(long, value_delimiter = ',')]
    pub(crate) logs: Vec<PathBuf>,
    /// 输出 JSON / print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(clap::Args)]
pub(crate) struct Fill {
    #[command(flatten)]
    pub(crate) common: Common,
    /// 库 / the store
    #[arg(long)]
    pub(crate) store: PathBuf,
    /// 记录数 / records
    #[arg(long, default_value_t = 10_000_000)]
    pub(crate) records: u64,
    /// 每个签名的记录数 / records under one signature
    #[arg(long, default_value_t = 1_000)]
    pub(crate) batch: usize,
}

#[derive(clap::Args)]
pub(crate) struct Mixed {
    #[command(flatten)]
    pub(crate) common: Common,
    /// 已灌满的库；缺省用新库 / a filled store; else a new one
    #[arg(long)]
    pub(crate) store: Option<PathBuf>,
    /// 测量秒数 / seconds
    #[arg(long, default_value_t = 10)]
    pub(crate) seconds: u64,
    /// 同时的查验请求 / requests at the same time
    #[arg(long, default_value_t = 2)]
    pub(crate) connections: usize,
    /// 同时收录的记录，每秒 / records that come in meanwhile, a second
    #[arg(long, default_value_t = 10_000)]
    pub(crate) ingest: usize,
}

#[derive(clap::Args)]
pub(crate) struct Overseen {
    #[command(flatten)]
    pub(crate) common: Common,
    /// 已灌满的库 / a filled store
    #[arg(long)]
    pub(crate) store: PathBuf,
    /// 另加的锁定数，及同样多的重复尝试 / locks that are added, and as many attempts on them
    #[arg(long, default_value_t = 20_000)]
    pub(crate) claims: usize,
    /// 测量秒数 / seconds
    #[arg(long, default_value_t = 30)]
    pub(crate) seconds: u64,
    /// 同时收录的记录，每秒 / records that come in meanwhile, a second
    #[arg(long, default_value_t = 5_000)]
    pub(crate) ingest: usize,
}

#[derive(clap::Args)]
pub(crate) struct Flood {
    #[command(flatten)]
    pub(crate) common: Common,
    /// 每一段的秒数 / seconds of each part
    #[arg(long, default_value_t = 8)]
    pub(crate) seconds: u64,
    /// 每秒伪签名 / junk signatures a second
    #[arg(long, default_value_t = 10_000)]
    pub(crate) junk: usize,
    /// 诚实成员的签名方式 / how the honest member signs
    #[arg(long, default_value = "single")]
    pub(crate) form: Form,
    /// 每分钟容许的失败次数；缺省为节点的缺省值 / failures that the node hears out a minute; its
    /// own default when absent
    #[arg(long)]
    pub(crate) failures_per_minute: Option<NonZeroU32>,
}

#[derive(clap::Args)]
pub(crate) struct Light {
    #[command(flatten)]
    pub(crate) common: Common,
    /// 请求数 / requests
    #[arg(long, default_value_t = 1_000)]
    pub(crate) requests: usize,
    /// 每秒请求数 / requests a second
    #[arg(long, default_value_t = 50)]
    pub(crate) rate: u32,
}

#[derive(clap::Args)]
pub(crate) struct Peers {
    #[command(flatten)]
    pub(crate) common: Common,
    /// 票据数 / documents
    #[arg(long, default_value_t = 100_000)]
    pub(crate) records: usize,
    /// 逐条提交的对手所用票据数 / documents for the peer that commits each
    #[arg(long, default_value_t = 1_000)]
    pub(crate) one_by_one: usize,
    /// 逐条验签的对手所用票据数 / documents for the peers that verify each by itself
    #[arg(long, default_value_t = 40_000)]
    pub(crate) naive: usize,
    /// PostgreSQL 的连接串 / connection string of PostgreSQL
    #[arg(long)]
    pub(crate) postgres: Option<String>,
    /// PostgreSQL 的数据目录，用以量其大小 / its data folder, to measure its size
    #[arg(long)]
    pub(crate) postgres_data: Option<PathBuf>,
}

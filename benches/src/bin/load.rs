//! Loads a node and prints what it took: records a second, latency to the durable receipt, bytes
//! on disk.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use benches::cast::{Cast, CastSize};
use benches::load::input::{self, Source};
use benches::load::report::{self, Around, Figures};
use benches::load::target::{OtherNode, OwnNode};
use benches::load::{Case, Failure, measure, process};
use clap::Parser;
use invoice_core::chain::Genesis;
use tax_node::node::system_clock;

/// 向节点施压并测量 / load a node and measure
///
/// 不指定 --url 时，每种情形都在本进程内用新库启动一个节点。
/// Without --url, each case has a node of its own in this process, on a new store.
#[derive(Parser)]
struct Args {
    /// 已运行的节点（http）/ a node that runs already
    #[arg(long, requires = "demo")]
    url: Option<String>,
    /// 该节点的演示数据目录 / the folder of that node's demonstration
    #[arg(long, requires = "url")]
    demo: Option<PathBuf>,
    /// 新库所在目录 / where new stores are kept
    #[arg(long, conflicts_with = "url")]
    folder: Option<PathBuf>,
    /// 每个签名的记录数，1 为逐条签名 / records under one signature; 1: each its own
    #[arg(long, value_delimiter = ',', default_values_t = [1, 256, 1_000])]
    batch: Vec<usize>,
    /// 连接数 / connections
    #[arg(long, value_delimiter = ',', default_values_t = [16])]
    connections: Vec<usize>,
    /// 重复记录的百分比 / share of duplicates, in percent
    #[arg(long, value_delimiter = ',', default_values_t = [0, 10, 50])]
    duplicates: Vec<u32>,
    /// 每种情形的记录数 / records of each case
    #[arg(long, default_value_t = 20_000)]
    records: usize,
    /// 开票方数量 / issuers
    #[arg(long, default_value_t = 200)]
    issuers: usize,
    /// 随机种子 / seed
    #[arg(long, default_value_t = 20_261_121)]
    seed: u64,
    /// 输出 JSON / print JSON
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("错误 / error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Failure> {
    let cast = Cast::new(args.seed, CastSize::of_issuers(args.issuers));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let mut all = Vec::new();
    if !args.json {
        println!("{}", report::head());
    }
    for case in cases(args) {
        let figures = match (&args.url, &args.demo) {
            (Some(url), Some(demo)) => {
                let node = runtime.block_on(OtherNode::join(url, demo, &cast))?;
                let mut figures = load(
                    args,
                    &cast,
                    &runtime,
                    case,
                    &Target {
                        address: node.address,
                        genesis: &node.genesis,
                        folder: demo,
                        first_serial: serial_of_now(),
                    },
                )?;
                // Memory and processor time are this process's and not the node's.
                figures.peak_resident_bytes = None;
                figures.cpu_us_per_record = None;
                figures
            }
            _ => {
                let node = OwnNode::start(&cast, args.folder.as_deref())?;
                let figures = load(
                    args,
                    &cast,
                    &runtime,
                    case,
                    &Target {
                        address: node.address,
                        genesis: &node.genesis,
                        folder: &node.folder,
                        first_serial: 1,
                    },
                )?;
                node.stop()?;
                figures
            }
        };
        if !args.json {
            println!("{}", report::line(&figures));
        }
        all.push(figures);
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&all)?);
    }
    Ok(())
}

fn cases(args: &Args) -> Vec<Case> {
    let mut cases = Vec::new();
    for batch in &args.batch {
        for connections in &args.connections {
            for duplicates in &args.duplicates {
                cases.push(Case {
                    batch: *batch,
                    connections: *connections,
                    duplicates: *duplicates,
                    records: args.records,
                });
            }
        }
    }
    cases
}

/// Number ranges that no run of the last day has used: issuers on a chain that lives on must not
/// issue the same number twice. There is room for 90 documents of an issuer in each second.
fn serial_of_now() -> u64 {
    let seconds = (system_clock())().ms().unsigned_abs() / 1_000;
    seconds % 100_000 * 90
}

struct Target<'t> {
    address: std::net::SocketAddr,
    genesis: &'t Genesis,
    folder: &'t std::path::Path,
    first_serial: u64,
}

fn load(
    args: &Args,
    cast: &Cast,
    runtime: &tokio::runtime::Runtime,
    case: Case,
    target: &Target<'_>,
) -> Result<Figures, Failure> {
    let at = (system_clock())();
    let source = Source {
        cast,
        seed: args.seed,
        first_serial: target.first_serial,
        at,
    };
    let input = input::prepare(source, target.genesis.chain_id(), &case)?;
    let fresh = input.fresh;
    let sent_bytes = input
        .envelopes
        .iter()
        .map(|envelope| envelope.body().len())
        .sum();
    let before = process::disk_bytes(target.folder)?;
    process::forget_peak();
    let cpu_before = process::cpu_seconds();
    let terminal = std::io::stderr().is_terminal();
    let progress = move |done: usize, of: usize| {
        if terminal {
            eprint!("\r{done}/{of} ");
        }
    };
    let sending = measure::run(
        target.address,
        target.genesis,
        input.envelopes,
        case.connections,
        progress,
    );
    let measured = runtime.block_on(sending)?;
    if terminal {
        eprint!("\r\x1b[K");
    }
    let peak_resident_bytes = process::peak_resident_bytes();
    let cpu_seconds = process::cpu_seconds()
        .zip(cpu_before)
        .map(|(after, before)| after - before);
    let after = process::disk_bytes(target.folder)?;
    if let Some(trouble) = &measured.trouble {
        eprintln!("{trouble}");
    }
    if measured.tally.accepted != fresh {
        let accepted = measured.tally.accepted;
        eprintln!("接受 / accepted {accepted}，应为 / of {fresh}");
    }
    let disk_bytes = Some(after.saturating_sub(before));
    Ok(Figures::new(
        case,
        &measured,
        Around {
            cpu_seconds,
            disk_bytes,
            sent_bytes,
            peak_resident_bytes,
        },
    ))
}

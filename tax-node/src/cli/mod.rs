//! The command line: one file per verb.

mod archive;
mod assemble;
mod backup;
mod change_file;
mod demo;
mod doctor;
mod export;
mod failure;
mod init;
mod inspect;
mod join;
mod keys;
mod output;
mod party;
mod party_file;
mod peers_edit;
mod restore;
mod serve;
mod start;
mod status;
mod story;
mod testnet;
mod testnet_run;
mod validators;
mod validators_show;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use failure::Failure;
use output::{Lang, Output};

/// Exit codes, for `--help`.
const EXIT_CODES: &str = "\
退出码 / Exit codes:
  0  成功 / ok
  1  被拒绝或无效 / refused or invalid
  2  用法错误 / usage
  3  网络故障 / network
  4  身份认证失败 / authentication
  5  完整性校验失败 / integrity";

/// 票链节点 / the node of the registry of e-invoices and medical bills
#[derive(Debug, Parser)]
#[command(name = "tax-node", version, after_help = EXIT_CODES)]
struct Cli {
    /// 输出 JSON，每行一个对象 / print JSON, one object a line
    #[arg(long, global = true)]
    json: bool,
    /// 语言；默认按环境变量，其次中文 / language; from the environment, else Chinese
    #[arg(long, global = true, value_enum)]
    lang: Option<Lang>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// 建立一条新链：创世文件、机关与验证者密钥、数据库 / begin a chain: genesis file, keys, store
    Init(init::Args),
    /// 启动节点 / run the node
    Start(start::Args),
    /// 演示：准备数据、演示一遍、提供服务 / demonstration: prepare, tell the story, serve
    Demo(demo::Args),
    /// 密钥文件：新建、查看、导出、加密 / key files: new, show, export, encrypt
    Keys {
        #[command(subcommand)]
        verb: keys::Verb,
    },
    /// 重新读取并校验整条链与全部状态 / read everything again and verify chain and state
    Verify(Folder),
    /// 查看链、区块、记录、票据 / look at the chain, a block, a record, a document
    Inspect(inspect::Args),
    /// 导出整条链（NDJSON），供独立校验 / export the whole chain for an independent verifier
    Export(Folder),
    /// 备份已停止的节点 / back up a stopped node
    Backup(backup::Args),
    /// 从备份恢复节点目录 / restore a node's folder from a backup
    Restore(restore::Args),
    /// 建立并运行一个本机联盟，供试用 / make and run a consortium on this machine, to try it out
    Testnet(testnet::Args),
    /// 各节点的高度、落后与一致性 / the nodes' heights, lag and agreement
    Status(status::Args),
    /// 变更验证者：提议、会签、提交 / change the validators: propose, countersign, submit
    Validators {
        #[command(subcommand)]
        verb: validators::Verb,
    },
    /// 检查时钟、磁盘、权限、版本 / check clock, disk, permissions and versions
    Doctor(Folder),
    /// 生成命令行补全脚本 / print a completion script
    Completions {
        /// 命令行外壳 / the shell
        shell: clap_complete::Shell,
    },
}

/// A node's folder.
#[derive(Debug, clap::Args)]
struct Folder {
    /// 节点数据目录 / the node's folder
    #[arg(long, env = "PIAOLIAN_DATA", default_value = "piaolian-data")]
    data: PathBuf,
}

/// Runs the command of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let lang = cli
        .lang
        .unwrap_or_else(|| Lang::from_environment(|name| std::env::var(name).ok()));
    let output = Output {
        json: cli.json,
        lang,
    };
    match run(cli.verb, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.exit as u8)
        }
    }
}

fn run(verb: Verb, output: Output) -> Result<(), Failure> {
    match verb {
        Verb::Init(args) => init::run(&args, output),
        Verb::Start(args) => start::run(&args, output),
        Verb::Demo(args) => demo::run(&args, output),
        Verb::Keys { verb } => keys::run(&verb, output),
        Verb::Verify(folder) => verify::run(&folder.data, output),
        Verb::Inspect(args) => inspect::run(&args, output),
        Verb::Export(folder) => export::run(&folder.data, output),
        Verb::Backup(args) => backup::run(&args, output),
        Verb::Restore(args) => restore::run(&args, output),
        Verb::Testnet(args) => testnet::run(&args, output),
        Verb::Status(args) => status::run(&args, output),
        Verb::Validators { verb } => validators::run(&verb, output),
        Verb::Doctor(folder) => doctor::run(&folder.data, output),
        Verb::Completions { shell } => {
            let mut command = Cli::command();
            clap_complete::generate(shell, &mut command, "tax-node", &mut std::io::stdout());
            Ok(())
        }
    }
}

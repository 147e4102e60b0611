//! The command line: every verb, option and environment variable.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::bulk::BulkArgs;
use crate::check::CheckArgs;
use crate::claim::Action;
use crate::completions::CompletionsArgs;
use crate::exit;
use crate::explain::ExplainArgs;
use crate::issue::IssueArgs;
use crate::lang::Lang;
use crate::print::PrintArgs;
use crate::read::ReadArgs;
use crate::register::RegisterArgs;
use crate::reverse::ReverseArgs;
use crate::show::What;
use crate::verify::VerifyArgs;
use crate::webhooks::Webhooks;

/// 票链：开具、查验、报销、核验电子票据 / Piaolian: issue, check, claim and verify e-invoices
#[derive(Debug, Parser)]
#[command(name = "invoice", version, after_help = exit::HELP, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What the command is asked to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// 登记一条记录或一张票据 / Record one record or document
    Issue(IssueArgs),
    /// 批量登记，可断点续传 / Record a file of many, resumable
    Bulk(BulkArgs),
    /// 查验票据真伪与可报销余额 / Check documents: genuine, and what is left to claim
    Check(CheckArgs),
    /// 读取票据文件（离线）/ Read files of documents, offline
    Read(ReadArgs),
    /// 登记在别处开具的票据（主管机关）/ Register documents that were issued elsewhere (authorities)
    Register(RegisterArgs),
    /// 报销：锁定、入账、释放、撤销 / Claim money: lock, settle, release, reverse
    Claim {
        /// 操作 / Action
        #[command(subcommand)]
        action: Action,
    },
    /// 红冲票据 / Reverse a document
    Reverse(ReverseArgs),
    /// 查看票据、记录、报销清单 / Show a document, a record, claims
    Show {
        /// 对象 / What
        #[command(subcommand)]
        what: What,
    },
    /// 打印票据：PDF、OFD、HTML 或二维码 / Print a document: PDF, OFD, HTML or the QR code
    Print(PrintArgs),
    /// 离线核验回执或票据二维码 / Verify a receipt, or the code on a paper, offline
    Verify(VerifyArgs),
    /// 推送：把事件签名后发到自己的服务器 / Webhooks: have events sent to a server of one's own
    Webhooks {
        /// 操作 / Action
        #[command(subcommand)]
        action: Webhooks,
    },
    /// 解释代码 / Explain a code
    Explain(ExplainArgs),
    /// 生成命令补全脚本 / Write a completion script
    Completions(CompletionsArgs),
}

/// Options of every verb.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "通用选项 / Common options")]
pub(crate) struct Globals {
    /// 登记系统地址 / Address of the registry
    #[arg(long, global = true, env = "PIAOLIAN_SERVER", value_name = "URL")]
    pub(crate) server: Option<String>,
    /// 签名密钥 PKCS#8 PEM / Signing key, PKCS#8 PEM
    #[arg(long, global = true, env = "PIAOLIAN_KEY", value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// 成员代码（统一社会信用代码）/ Member that signs (18-character credit code)
    #[arg(long, global = true, env = "PIAOLIAN_MEMBER", value_name = "MEMBER")]
    pub(crate) by: Option<String>,
    /// 密钥口令文件；亦可用环境变量 PIAOLIAN_PASSPHRASE / File with the key's passphrase; or set PIAOLIAN_PASSPHRASE
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// 创世文件：取链名并离线核验回执 / Genesis file: names the chain, and receipts are verified against it
    #[arg(long, global = true, env = "PIAOLIAN_GENESIS", value_name = "FILE")]
    pub(crate) genesis: Option<PathBuf>,
    /// 只信任此文件中的证书 / Trust only the certificates in this PEM file
    #[arg(long, global = true, env = "PIAOLIAN_CA", value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// 每次尝试的秒数 / Seconds for one attempt of a call
    #[arg(long, global = true, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) timeout: Option<u64>,
    /// 机器可读输出，每行一个 JSON 对象 / One JSON object a line on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// 语言，默认取自 LANG / Language, by default that of LANG
    #[arg(long, global = true, value_enum)]
    pub(crate) lang: Option<Lang>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_command_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn common_options_stand_before_or_after_the_verb() {
        for line in [
            "invoice --json explain id_reused",
            "invoice explain id_reused --json",
        ] {
            assert!(parse(line).unwrap().globals.json, "{line}");
        }
    }

    #[test]
    fn every_verb_is_understood() {
        for line in [
            "invoice issue -",
            "invoice issue bill.json --save receipts/ --key k.pem",
            "invoice bulk month.ndjson --resume",
            "invoice check D:24442000000012345678 --amount 100 --date 2026-11-20",
            "invoice check --csv report.csv",
            "invoice read a.ofd b.pdf --trust bureau.der --json",
            "invoice register a.xml --kind 82 --by 91440300MA5DXXXX0X",
            "invoice register a.xml --note omit --despite words_differ --despite seal_broken",
            "invoice claim lock D:24442000000012345678 --kind employer --reference BX-1",
            "invoice claim settle L-1 --amount 60.00 --voucher 记-12 --booking 02",
            "invoice claim release L-1 --reason 退单",
            "invoice claim reverse L-1 --amount 60.00 --reason 误付",
            "invoice reverse D:24442000000012345678 --amount 100.00 --reason 01",
            "invoice show document D:24442000000012345678",
            "invoice show record A-1 --by 91440300MA5DXXXX0X",
            "invoice show claims --status locked --all",
            "invoice show checkpoint",
            "invoice print D:24442000000012345678 --format pdf -o a.pdf",
            "invoice print receipt.json --format ofd --fonts fonts -o a.ofd",
            "invoice verify receipt.json --genesis genesis.json",
            "invoice verify https://a.example/v/D:1?i=1 --genesis genesis.json",
            "invoice webhooks list",
            "invoice webhooks add erp https://erp.example/hook --event document_reversed --event over_claimed",
            "invoice webhooks test erp",
            "invoice webhooks deliveries erp --cursor 7",
            "invoice webhooks replay erp --after 100",
            "invoice webhooks rotate erp",
            "invoice webhooks enable erp",
            "invoice webhooks remove erp",
            "invoice explain",
            "invoice completions bash",
        ] {
            if let Err(error) = parse(line) {
                panic!("{line}: {error}");
            }
        }
    }

    #[test]
    fn wrong_usage_is_refused() {
        for line in [
            "invoice",
            "invoice claim",
            "invoice claim lock",
            "invoice claim lock D:24442000000012345678 --kind cash --reference r",
            "invoice reverse D:24442000000012345678 --amount 1 --reason 09",
            "invoice verify",
            "invoice print receipt.json --format docx -o a",
            "invoice print receipt.json",
            "invoice check",
            "invoice read",
            "invoice register a.xml --kind 99",
            "invoice register a.xml --despite red_letter",
            "invoice register a.xml --note some",
            "invoice check --amount 5 --csv report.csv",
            "invoice show claims --status lost",
            "invoice webhooks replay erp",
            "invoice webhooks add erp",
            "invoice --timeout 0 explain",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}

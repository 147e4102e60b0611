//! `invoice reverse`: the issuer takes a document back, whole or part (红冲).

use clap::Args;

use crate::claim::{RecordArgs, send};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct ReverseArgs {
    /// 票据键，如 D:24442000000012345678 / Document key
    document: String,
    /// 金额（元），全部或部分 / Amount in yuan, whole or part
    #[arg(long)]
    amount: String,
    /// 原因：01 开票有误，02 销货退回，03 服务中止，04 销售折让 / 01 mistake, 02 return, 03 service stopped, 04 allowance
    #[arg(long, value_parser = ["01", "02", "03", "04"])]
    reason: String,
    /// 红字发票号码 / Number of the red invoice
    #[arg(long)]
    red_number: Option<String>,
    #[command(flatten)]
    record: RecordArgs,
}

pub(crate) async fn run(context: &Context, args: ReverseArgs) -> Result<Exit, Failure> {
    let members = vec![
        ("document", Some(args.document)),
        ("amount", Some(args.amount)),
        ("reason", Some(args.reason)),
        ("red_number", args.red_number),
    ];
    send(context, "document.reverse", members, args.record).await
}

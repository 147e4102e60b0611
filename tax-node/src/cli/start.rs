//! `tax-node start`: the node of a folder.

use std::path::PathBuf;

use super::failure::Failure;
use super::output::Output;
use super::serve::{self, Listen};
use super::{init, serve::block_on};
use crate::files;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 节点数据目录 / the node's folder
    #[arg(long, env = "PIAOLIAN_DATA", default_value = "piaolian-data")]
    data: PathBuf,
    #[command(flatten)]
    listen: Listen,
    /// 验证者密钥；默认为数据目录中的 keys/validator.pem / the validator's key
    #[arg(long)]
    key: Option<PathBuf>,
    /// 口令文件 / a file with the passphrase
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let genesis = init::read_genesis(&args.data)?;
    init::ensure_store(&args.data, &genesis)?;
    let key = args
        .key
        .clone()
        .unwrap_or_else(|| files::validator_key(&args.data));
    let key = crate::key_file::read(&key, args.passphrase_file.as_deref())?;
    serve::log_to_stderr(output);
    block_on(async {
        let running = serve::start(&args.data, genesis, key)?;
        let served = serve::bind(&running, &args.listen)?;
        serve::announce(&served, output);
        served.until_interrupted(running).await
    })
}

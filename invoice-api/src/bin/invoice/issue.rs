//! `invoice issue`: one record, document or envelope.

use std::fs;
use std::io::Read;
use std::path::PathBuf;

use clap::Args;

use crate::compose::{Common, Composed, compose};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::save::SaveArgs;
use crate::{fresh, submit};

/// What to record.
#[derive(Debug, Args)]
pub(crate) struct IssueArgs {
    /// JSON 文件：记录、发票或票据内容、已签名信封；- 表示标准输入 / JSON file: a record, the content of a document, or a signed envelope; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// 记录编号，缺省时自动生成 / Id of the record; a new one when absent
    #[arg(long)]
    id: Option<String>,
    #[command(flatten)]
    save: SaveArgs,
}

pub(crate) async fn run(context: &Context, args: IssueArgs) -> Result<Exit, Failure> {
    let text = read(&args.file)?;
    let id = match args.id {
        Some(id) => id,
        None => fresh::record_id()?,
    };
    let at = fresh::now().to_rfc3339_utc8();
    let common = Common {
        by: context.globals.by.as_deref(),
        id: &id,
        at: &at,
    };
    match compose(&text, common)? {
        Composed::Record(record) => submit::record(context, &args.save, &record).await,
        Composed::Envelope(envelope) => submit::envelope(context, &args.save, &envelope).await,
    }
}

/// The text of a file, or of standard input for `-`.
pub(crate) fn read(path: &std::path::Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin()
            .lock()
            .read_to_string(&mut text)
            .map(|_| text)
    } else {
        fs::read_to_string(path)
    };
    read.map_err(|error| Failure::file(path, &error))
}

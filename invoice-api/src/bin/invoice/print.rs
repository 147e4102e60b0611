//! `invoice print`: a document as a file for people, from the registry or from a receipt alone.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use invoice_api::{Fonts, PublicUrl};
use invoice_core::chain::{RECEIPT_BYTES_MAX, Receipt};
use invoice_core::identity::DocumentKey;
use invoice_core::paper_link::PaperLink;
use invoice_core::read::Spelled as _;
use invoice_core::record::parse_record;
use print::{Paper, QrCode, Wording};
use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::lang::Lang;
use crate::save;
use crate::verify::prove;

/// Every format, by the word that is also the ending of its files.
const FORMATS: [&str; 6] = ["pdf", "ofd", "xml", "html", "svg", "png"];

#[derive(Debug, Args)]
pub(crate) struct PrintArgs {
    /// 票据键，或回执文件（离线打印）/ Document key, or a receipt file (printed offline)
    #[arg(value_name = "KEY|RECEIPT")]
    subject: String,
    /// 格式，缺省时按输出文件的扩展名 / Format; that of the output file's ending when absent
    #[arg(long, value_parser = FORMATS)]
    format: Option<String>,
    /// 输出文件 / File to write
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// 离线打印时补充内置字体的目录 / Folder of fonts beside the built-in one, for printing offline
    #[arg(long, value_name = "DIR", env = "PIAOLIAN_FONTS")]
    fonts: Option<PathBuf>,
    /// 离线打印时二维码指向的登记系统 / Registry that the QR code leads to, for printing offline
    #[arg(long, value_name = "URL", env = "PIAOLIAN_PUBLIC_URL")]
    public_url: Option<PublicUrl>,
}

impl PrintArgs {
    /// The format that was named, else that of the output file: a file is never written in a form
    /// that its name denies without having been asked for.
    fn format(&self) -> Result<String, Failure> {
        if let Some(format) = &self.format {
            return Ok(format.clone());
        }
        let ending = self.output.extension().and_then(|ending| ending.to_str());
        let ending = ending.map(str::to_ascii_lowercase);
        ending
            .filter(|ending| FORMATS.contains(&ending.as_str()))
            .ok_or_else(|| {
                Failure::usage(
                    "format_missing",
                    format!(
                        "输出文件的扩展名不是已知格式 / the output file's ending is no known format: {}",
                        self.output.display()
                    ),
                )
                .with_hint(format!(
                    "用 --format 指定 / name it with --format: {}",
                    FORMATS.join(", ")
                ))
            })
    }
}

/// A file and what is to be said about it.
struct Printed {
    bytes: Vec<u8>,
    unprintable: String,
    stamped: bool,
    has_code: bool,
    /// Whether what was printed is proved: by the registry that printed it, or by the genesis file.
    proved: bool,
}

pub(crate) async fn run(context: &Context, args: PrintArgs) -> Result<Exit, Failure> {
    let format = args.format()?;
    let printed = if DocumentKey::spelled(&args.subject).is_ok() {
        online(context, &args, &format).await?
    } else {
        offline(context, &args, &format)?
    };
    save::write(&args.output, &printed.bytes)?;
    tell(context, &args.output, &format, &printed);
    Ok(Exit::Ok)
}

async fn online(context: &Context, args: &PrintArgs, format: &str) -> Result<Printed, Failure> {
    let client = context.signing_client()?;
    let file = client.paper(&args.subject, format).await?;
    let file = file.ok_or_else(|| {
        Failure::new(
            Exit::Refused,
            "not_found",
            format!(
                "{}: {}",
                context.lang().of(
                    "没有此票据，或您无权查看",
                    "no such document, or not for you"
                ),
                args.subject
            ),
        )
    })?;
    Ok(Printed {
        bytes: file.bytes.to_vec(),
        unprintable: file.unprintable,
        stamped: file.stamped,
        has_code: format != "xml",
        proved: true,
    })
}

/// From a receipt, which is verified first where a genesis file is named; else the page says that it
/// was not. No validator is asked, so the code bears no stamp.
fn offline(context: &Context, args: &PrintArgs, format: &str) -> Result<Printed, Failure> {
    let lang = context.lang();
    let path = Path::new(&args.subject);
    let length = fs::metadata(path)
        .map_err(|error| Failure::file(path, &error))?
        .len();
    if usize::try_from(length).map_or(true, |length| length > RECEIPT_BYTES_MAX) {
        return Err(unreadable(
            lang.of("回执过大", "the receipt is too large"),
            lang,
        ));
    }
    let text = fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    let genesis = context.genesis()?;
    let proved = genesis.is_some();
    let receipt = match genesis {
        Some(genesis) => prove(text.as_bytes(), &genesis)?,
        None => Receipt::parse(text.as_bytes()).map_err(|fault| unreadable(fault, lang))?,
    };
    let link = match &args.public_url {
        Some(base) => Some(link(&receipt, lang)?.to_url(base.as_str())),
        None => None,
    };
    if matches!(format, "svg" | "png") {
        let link = link.ok_or_else(|| {
            Failure::usage(
                "public_url_missing",
                lang.of("二维码需要 --public-url", "a QR code needs --public-url"),
            )
        })?;
        let code = QrCode::new(&link).map_err(|error| unreadable(error, lang))?;
        let bytes = match format {
            "svg" => code.svg().into_bytes(),
            _ => code.png(8).map_err(|error| unreadable(error, lang))?,
        };
        return Ok(Printed {
            bytes,
            unprintable: String::new(),
            stamped: false,
            has_code: true,
            proved,
        });
    }
    let fonts = match &args.fonts {
        Some(folder) => Fonts::with_folder(folder)
            .map_err(|error| Failure::usage("fonts", lang.part(&error.to_string())))?,
        None => Fonts::built_in(),
    };
    let paper = Paper {
        record: &receipt.record,
        receipt: Some(&text),
        link: link.as_deref(),
        stamped: false,
        proved,
        attached: format != "html",
        wording: match context.lang() {
            Lang::Zh => Wording::Zh,
            Lang::En => Wording::En,
        },
    };
    let layout = print::lay_out(&paper, &fonts).map_err(|error| unreadable(error, lang))?;
    let bytes = match format {
        "ofd" => layout.ofd().map_err(|error| unreadable(error, lang))?,
        // A file needs no nonce that nobody can guess: there is no script that could use it.
        "html" => layout.html("print").into_bytes(),
        "xml" => layout.xml().to_vec(),
        _ => layout.pdf().map_err(|error| unreadable(error, lang))?,
    };
    let names = layout.missing.iter();
    let names = names.map(|character| format!("U+{:04X}", u32::from(*character)));
    Ok(Printed {
        bytes,
        unprintable: names.collect::<Vec<_>>().join(" "),
        stamped: false,
        has_code: link.is_some() && format != "xml",
        proved,
    })
}

fn link(receipt: &Receipt, lang: Lang) -> Result<PaperLink, Failure> {
    let bytes = receipt.record.as_bytes();
    let record = parse_record(bytes)
        .ok()
        .and_then(|parsed| parsed.record.ok())
        .ok_or_else(|| unreadable(lang.of("记录无法识别", "the record cannot be read"), lang))?;
    let document = record.body.issued().ok_or_else(|| {
        let text = lang.of("该记录不是开票记录", "the record issues no document");
        unreadable(text, lang)
    })?;
    Ok(PaperLink::new(document, bytes, receipt.index))
}

fn unreadable(reason: impl ToString, lang: Lang) -> Failure {
    Failure::usage("print", lang.part(&reason.to_string()))
}

/// Says where the file is, which characters it lacks, and whether its code is stamped.
fn tell(context: &Context, path: &Path, format: &str, printed: &Printed) {
    let (output, lang) = (context.output, context.lang());
    if output.json {
        output.json(&json!({
            "file": path.display().to_string(),
            "bytes": printed.bytes.len(),
            "stamped": printed.stamped,
            "verified": printed.proved,
            "unprintable": printed.unprintable.split_whitespace().collect::<Vec<_>>(),
        }));
        return;
    }
    output.line(&format!(
        "{} {}",
        lang.of("已写入", "wrote"),
        path.display()
    ));
    // XML has every character, and no code.
    if format == "xml" {
        return;
    }
    if !printed.unprintable.is_empty() {
        let text = lang.of(
            "以下字符无法打印，以〓代替：",
            "these characters could not be printed and stand as 〓: ",
        );
        output.note(&format!("{text}{}", printed.unprintable));
    }
    if !printed.proved {
        output.note(lang.of(
            "回执未核验；用 --genesis 指定创世文件即可离线核验",
            "the receipt was not verified; --genesis names the file to verify it offline",
        ));
    }
    let words = match (printed.has_code, printed.stamped) {
        (true, true) => return,
        (true, false) => lang.of(
            "二维码未加盖验证节点签章",
            "the QR code bears no validator's stamp",
        ),
        (false, _) => lang.of(
            "未印二维码；需要时加 --public-url",
            "no QR code was printed; name --public-url for one",
        ),
    };
    output.note(words);
}

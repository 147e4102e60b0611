//! `invoice register`: an authority enters documents that were issued elsewhere, from their files.

mod compose;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use invoice_core::identity::MemberId;
use invoice_core::invoice::InvoiceKind;
use invoice_core::read::Spelled;
use invoice_core::record::Visit;
use papers::{GRAVE_WARNINGS, Supplement, WarningCode};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::read::TrustArgs;
use crate::save::SaveArgs;
use crate::submit;
use crate::submit::worst_exit;
use compose::{Rules, compose};

/// What to register.
#[derive(Debug, Args)]
pub(crate) struct RegisterArgs {
    /// 原件：XML、OFD、PDF 或仅含一个 XML 的 zip / Originals: XML, OFD, PDF or a zip of one XML
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// 发票类型，文件未写明时填写 / Kind of invoice, where the file does not say it
    #[arg(long, value_name = "CODE", value_parser = kind)]
    kind: Option<InvoiceKind>,
    /// 门诊 outpatient 或住院 inpatient，文件未写明时填写 / outpatient or inpatient, where the file does not say it
    #[arg(long, value_name = "VISIT", value_parser = visit)]
    visit: Option<Visit>,
    /// 备注：keep 登记，omit 略去；缺省时仅登记购买方为单位的备注 / Note: keep or omit; only that of a document made out to an organisation is kept by default
    #[arg(long, value_name = "CHOICE")]
    note: Option<NoteChoice>,
    /// 原件有此严重警告仍登记，可重复：seal_broken、sources_contradict、source_not_signed、words_differ / Register in spite of this grave warning; may be repeated
    #[arg(long, value_name = "CODE", value_parser = grave)]
    despite: Vec<WarningCode>,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    save: SaveArgs,
}

/// What becomes of the note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum NoteChoice {
    /// 登记 / Recorded
    Keep,
    /// 略去 / Left out
    Omit,
}

fn grave(text: &str) -> Result<WarningCode, String> {
    let known = GRAVE_WARNINGS.iter().copied();
    let codes: Vec<&str> = known.clone().map(WarningCode::code).collect();
    known
        .clone()
        .find(|code| code.code() == text)
        .ok_or_else(|| codes.join(", "))
}

fn kind(text: &str) -> Result<InvoiceKind, String> {
    InvoiceKind::spelled(text).map_err(|rule| rule.to_string())
}

fn visit(text: &str) -> Result<Visit, String> {
    Visit::spelled(text).map_err(|rule| rule.to_string())
}

pub(crate) async fn run(context: &Context, args: RegisterArgs) -> Result<Exit, Failure> {
    let lang = context.lang();
    let by = context.globals.by.as_deref().ok_or_else(|| {
        let text = lang.of(
            "需要登记机关的成员代码",
            "the authority's member id is needed",
        );
        Failure::usage("member_missing", text).with_hint(lang.of(
            "用 --by 或 PIAOLIAN_MEMBER 指定",
            "name it with --by or PIAOLIAN_MEMBER",
        ))
    })?;
    let by = MemberId::spelled(by)
        .map_err(|rule| Failure::usage(rule.code(), format!("--by {by}: {rule}")))?;
    let trusted = args.trust.certificates()?;
    let rules = Rules {
        trusted: &trusted,
        supplement: Supplement {
            kind: args.kind,
            visit: args.visit,
            note: args.note.map(|choice| choice == NoteChoice::Keep),
        },
        despite: &args.despite,
        by,
        lang,
    };
    let mut exit = Exit::Ok;
    for path in &args.files {
        match register(context, &args.save, path, &rules).await {
            Ok(one) => exit = worst_exit(exit, one),
            // A key that is not good or a server that is away will not be better for the next.
            Err(failure) if failure.exit != Exit::Refused || args.files.len() == 1 => {
                return Err(failure);
            }
            Err(failure) => {
                exit = worst_exit(exit, failure.exit);
                context.output.failure(&failure);
            }
        }
    }
    Ok(exit)
}

/// Registers the document of one file, and then its second identity. What was registered before,
/// perhaps by a run that ended between the two, gets its second identity now.
async fn register(
    context: &Context,
    save: &SaveArgs,
    path: &Path,
    rules: &Rules<'_>,
) -> Result<Exit, Failure> {
    let composed = compose(path, rules)?;
    for warning in &composed.warnings {
        context
            .output
            .note(&format!("{}: {warning}", path.display()));
    }
    let sent = submit::record(context, save, &composed.register).await;
    let Some(alias) = &composed.alias else {
        return sent;
    };
    match sent {
        Err(failure) if failure.code != "document_exists" => Err(failure),
        sent => {
            let aliased = submit::record(context, &save.beside("alias"), alias).await;
            Ok(worst_exit(sent?, aliased?))
        }
    }
}

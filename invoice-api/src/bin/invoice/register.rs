//! `invoice register`: an authority enters documents that were issued elsewhere, from their files.

use std::path::{Path, PathBuf};

use clap::Args;
use invoice_core::identity::{MemberId, RecordId};
use invoice_core::invoice::InvoiceKind;
use invoice_core::read::Spelled;
use invoice_core::record::{
    Body, DocumentRegister, Original, RECORD_BYTES_MAX, Record, Visit, parse_record,
};
use papers::{Supplement, Unfit};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::read::{self, TrustArgs};
use crate::save::SaveArgs;
use crate::submit::worst_exit;
use crate::{fresh, submit};

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
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    save: SaveArgs,
}

fn kind(text: &str) -> Result<InvoiceKind, String> {
    InvoiceKind::spelled(text).map_err(|rule| rule.to_string())
}

fn visit(text: &str) -> Result<Visit, String> {
    Visit::spelled(text).map_err(|rule| rule.to_string())
}

pub(crate) async fn run(context: &Context, args: RegisterArgs) -> Result<Exit, Failure> {
    let by = context.globals.by.as_deref().ok_or_else(|| {
        Failure::usage(
            "member_missing",
            "需要登记机关的成员代码 / the authority's member id is needed",
        )
        .with_hint("用 --by 或 PIAOLIAN_MEMBER 指定 / name it with --by or PIAOLIAN_MEMBER")
    })?;
    let by = MemberId::spelled(by)
        .map_err(|rule| Failure::usage(rule.code(), format!("--by {by}: {rule}")))?;
    let trusted = args.trust.certificates()?;
    let supplement = Supplement {
        kind: args.kind,
        visit: args.visit,
        ..Supplement::default()
    };
    let mut exit = Exit::Ok;
    for path in &args.files {
        let composed = compose(path, &trusted, supplement, by);
        let sent = match composed {
            Ok(record) => submit::record(context, &args.save, &record).await,
            Err(failure) => Err(failure),
        };
        match sent {
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

/// The record that registers the document of a file.
fn compose(
    path: &Path,
    trusted: &[Vec<u8>],
    supplement: Supplement,
    by: MemberId,
) -> Result<String, Failure> {
    let refused = |code: &str, text: String| {
        Failure::new(Exit::Refused, code, format!("{}: {text}", path.display()))
    };
    let (sm3, reading) = read::file(path, trusted)?;
    let ([paper], Some(format)) = (reading.papers.as_slice(), reading.format.original()) else {
        let text = "需要票据原件，不能凭二维码登记 / an original is needed, not a QR code";
        return Err(refused("original_needed", text.to_owned()));
    };
    let document = paper.to_registered(supplement).map_err(|Unfit(places)| {
        let text = format!(
            "原件缺少登记所需内容，或内容无法登记 / the original lacks what a registration needs, or cannot be registered: {}",
            places.join(" ")
        );
        refused("paper_incomplete", text)
            .with_hint("缺票种或门诊住院时可用 --kind、--visit 补充 / where only these are absent, add --kind or --visit")
    })?;
    let id = fresh::record_id()?;
    let id = RecordId::spelled(&id).map_err(|rule| Failure::usage(rule.code(), id.clone()))?;
    let record = Record {
        id,
        by,
        at: fresh::now(),
        body: Body::DocumentRegister(DocumentRegister {
            document,
            original: Original {
                sm3,
                format,
                signature: Some(paper.original_signature()),
            },
        }),
    };
    let text = record.to_json();
    if text.len() > RECORD_BYTES_MAX {
        let found = format!(
            "登记记录有 {0} 字节，超过 {RECORD_BYTES_MAX} 字节上限（明细 {1} 行） / the record has {0} bytes, beyond the limit of {RECORD_BYTES_MAX} ({1} lines)",
            text.len(),
            paper.lines.len()
        );
        return Err(refused("record_too_large", found));
    }
    check(&text).map_err(|(code, found)| refused(code, found))?;
    Ok(text)
}

/// What the registry would say of the record's own values, before anything is sent.
fn check(text: &str) -> Result<(), (&'static str, String)> {
    let violations = match parse_record(text.as_bytes()) {
        Ok(parsed) => match parsed.record {
            Ok(_) => return Ok(()),
            Err(violations) => violations,
        },
        Err(errors) => {
            let error = errors.first();
            return Err((
                error.map_or("bad_request", |error| error.code.code()),
                error.map(|error| error.pointer.clone()).unwrap_or_default(),
            ));
        }
    };
    let code = violations.iter().map(|found| found.rule).min();
    let all: Vec<String> = violations
        .iter()
        .map(|found| format!("{} [{}]", found.pointer, found.rule.code()))
        .collect();
    Err((
        code.map_or("bad_request", |rule| rule.code()),
        all.join("  "),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVOICE: &str = include_str!("../../../papers/tests/files/invoice.xml");

    fn composed(text: &str) -> Result<String, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("original.xml");
        std::fs::write(&path, text).unwrap();
        let by = MemberId::spelled("91330000142942095H").unwrap();
        compose(&path, &[], Supplement::default(), by)
    }

    #[test]
    fn a_file_becomes_a_record_that_the_registry_reads() {
        let record = composed(INVOICE).unwrap();
        let parsed = parse_record(record.as_bytes()).unwrap().record.unwrap();
        let Body::DocumentRegister(register) = parsed.body else {
            panic!("{record}")
        };
        assert_eq!(
            register.document.key().to_string(),
            "D:24442000000000000016"
        );
        assert_eq!(register.document.total().to_string(), "16000.00");
        let digest = invoice_core::crypto::sm3(&[INVOICE.as_bytes()]);
        assert_eq!(register.original.sm3, digest);
    }

    #[test]
    fn what_cannot_be_registered_says_why() {
        let long: String = (0..200)
            .map(|n| format!("<IssuItemInformation><ItemName>{n}{}</ItemName><Amount>0.00</Amount><TaxRate>0.01</TaxRate><ComTaxAm>0.00</ComTaxAm></IssuItemInformation>", "长".repeat(40)))
            .collect();
        for (text, code) in [
            (
                INVOICE.replace(
                    "<LabelCode>01</LabelCode><LabelName>增值税专用发票",
                    "<LabelCode>09</LabelCode><LabelName>x",
                ),
                "paper_incomplete",
            ),
            (
                INVOICE.replace("91330000142942095H", "91330000142942095J"),
                "paper_incomplete",
            ),
            (
                INVOICE.replace("<LabelCode>Y<", "<LabelCode>N<"),
                "paper_incomplete",
            ),
            (
                INVOICE.replace("15841.58<", "15841.59<"),
                "total_without_tax_mismatch",
            ),
            (
                INVOICE.replace("<SpecificInformation/>", &long),
                "record_too_large",
            ),
            (
                "01,32,,24312000000136634917,0.01,20240514,,1DD6".into(),
                "original_needed",
            ),
            ("<a/>".into(), "xml_unknown"),
        ] {
            assert_eq!(composed(&text).unwrap_err().code, code);
        }
    }
}

//! `invoice read`: what files say, without a registry.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use invoice_api::TrustedSeals;
use invoice_api::wire::{PaperAnswer, PaperLineAnswer, PaperPartyAnswer, PapersAnswer};
use invoice_core::crypto::{Hash, sm3};
use papers::{Limits, Reading, read_with};
use serde_json::{Value, json};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::lang::Lang;
use crate::output::table;

/// Which files.
#[derive(Debug, Args)]
pub(crate) struct ReadArgs {
    /// XML、OFD、PDF、二维码照片（PNG、JPEG）或文本 / XML, OFD, PDF, photos (PNG, JPEG) or texts of QR codes
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
}

/// Whose seals are believed.
#[derive(Debug, Default, Args)]
pub(crate) struct TrustArgs {
    /// 可信签章人证书（DER 或 PEM）/ Certificates of trusted sealers (DER or PEM)
    #[arg(long, value_name = "FILE")]
    trust: Vec<PathBuf>,
}

impl TrustArgs {
    /// The certificates as DER.
    pub(crate) fn certificates(&self) -> Result<Vec<Vec<u8>>, Failure> {
        let trusted = TrustedSeals::read(&self.trust)
            .map_err(|error| Failure::usage("certificate", error.to_string()))?;
        Ok(trusted.certificates().to_vec())
    }
}

/// Reads one file; the bytes' SM3 comes along. Files beyond the limit are not read at all.
pub(crate) fn file(
    path: &Path,
    trusted: &[Vec<u8>],
    lang: Lang,
) -> Result<(Hash, Reading), Failure> {
    let limits = Limits::default();
    let failed = |error: &std::io::Error| Failure::file(path, error);
    let size = fs::metadata(path).map_err(|error| failed(&error))?.len();
    let unreadable = |error: papers::PaperError| {
        Failure::new(
            Exit::Refused,
            error.code(),
            format!("{}: {}", path.display(), lang.of(error.zh(), error.en())),
        )
    };
    if size > u64::try_from(limits.file_bytes).unwrap_or(u64::MAX) {
        return Err(unreadable(papers::PaperError::TooLarge));
    }
    let bytes = fs::read(path).map_err(|error| failed(&error))?;
    let reading = read_with(&bytes, &limits, trusted).map_err(unreadable)?;
    Ok((sm3(&[&bytes]), reading))
}

pub(crate) fn run(context: &Context, args: &ReadArgs) -> Result<Exit, Failure> {
    let trusted = args.trust.certificates()?;
    let mut exit = Exit::Ok;
    for path in &args.files {
        match file(path, &trusted, context.lang()) {
            Ok((digest, reading)) => {
                let answer = PapersAnswer::new(digest, &reading, context.lang().into());
                show(context, path, &answer);
            }
            // One bad file does not hide the others.
            Err(failure) => {
                exit = exit.max(failure.exit);
                if context.output.json {
                    let mut value = failure.to_json(None);
                    if let Value::Object(members) = &mut value {
                        members.insert("file".into(), path.display().to_string().into());
                    }
                    context.output.json(&value);
                } else {
                    context.output.failure(&failure);
                }
            }
        }
    }
    Ok(exit)
}

fn show(context: &Context, path: &Path, answer: &PapersAnswer) {
    let output = context.output;
    if output.json {
        let mut value = json!(answer);
        if let Value::Object(members) = &mut value {
            members.insert("file".into(), path.display().to_string().into());
        }
        output.json(&value);
        return;
    }
    output.line(&format!(
        "{}  {}  SM3 {}",
        path.display(),
        answer.format,
        answer.sm3
    ));
    for paper in &answer.documents {
        for line in lines(paper, context.lang()) {
            output.line(&format!("  {line}"));
        }
    }
}

/// A document as people read it.
fn lines(paper: &PaperAnswer, lang: Lang) -> Vec<String> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut row = |zh, en, value: Option<String>| {
        if let Some(value) = value {
            rows.push(vec![lang.of(zh, en).to_owned(), value]);
        }
    };
    row("票据", "document", Some(paper.document.clone()));
    row("另有票据键", "also known as", paper.alias.clone());
    row("票种", "kind", paper.kind.map(str::to_owned));
    row("金额", "amount", Some(paper.amount.clone()));
    row("不含税", "without tax", paper.total_without_tax.clone());
    row("税额", "tax", paper.total_tax.clone());
    row("大写", "in words", paper.amount_in_words.clone());
    row("开票日期", "date", Some(paper.date.clone()));
    row("校验码", "check code", paper.check_code.clone());
    row("销售方", "seller", paper.seller.as_ref().map(party));
    row("购买方", "buyer", paper.buyer.as_ref().map(party));
    row("诊疗", "visit", paper.visit.map(str::to_owned));
    if let Some(split) = &paper.payment {
        let parts = [
            ("基金", "fund", &split.fund),
            ("其他", "other", &split.other),
            ("账户", "account", &split.account),
            ("现金", "cash", &split.cash),
            ("自付", "self-pay", &split.self_pay),
            ("自费", "self-fund", &split.self_fund),
        ];
        let known = parts.iter().filter_map(|(zh, en, part)| {
            let part = part.as_deref()?;
            Some(format!("{} {part}", lang.of(zh, en)))
        });
        row(
            "支付",
            "paid by",
            Some(known.collect::<Vec<_>>().join("  ")),
        );
    }
    if let Some(red) = &paper.red_letter {
        let parts = [red.of.as_deref(), red.confirmation.as_deref()];
        let text = parts.into_iter().flatten().collect::<Vec<_>>().join("  ");
        row("红字对应", "red letter of", Some(text));
    }
    let note = paper.note.as_deref().map(|note| note.replace('\n', " "));
    row("备注", "note", note);
    row(
        "数据来源",
        "read from",
        Some(tier(paper.tier, lang).to_owned()),
    );
    let signer = paper.signature.signer.clone().unwrap_or_default();
    let trusted = match paper.signature.trusted {
        true => lang.of("（可信）", " (trusted)"),
        false => "",
    };
    let state = format!("{}  {signer}{trusted}", seal(paper.signature.state, lang));
    row("签章", "seal", Some(state.trim_end().to_owned()));
    let mut lines = table(&rows);
    for line in &paper.lines {
        lines.push(format!("  - {}", item(line)));
    }
    for warning in &paper.warnings {
        lines.push(format!("  ! {} [{}]", warning.detail, warning.code));
    }
    lines
}

fn party(party: &PaperPartyAnswer) -> String {
    let parts = [party.name.as_deref(), party.id.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

fn item(line: &PaperLineAnswer) -> String {
    let mut text = line.name.clone();
    if let (Some(quantity), Some(price)) = (&line.quantity, &line.unit_price) {
        text.push_str(&format!("  {quantity} × {price}"));
    }
    if let Some(amount) = &line.amount {
        text.push_str(&format!("  {amount}"));
    }
    if let (Some(rate), Some(tax)) = (&line.tax_rate, &line.tax) {
        text.push_str(&format!("  {rate}  {tax}"));
    }
    text
}

fn tier(tier: &str, lang: Lang) -> &str {
    match tier {
        "xml" => lang.of("XML 原文", "the XML itself"),
        "attachment" => lang.of("附件（最可信）", "an attachment (most trusted)"),
        "tags" => lang.of("版面标引", "tagged texts on the page"),
        "custom_data" => lang.of("文档属性", "document properties"),
        "qr" => lang.of("二维码", "a QR code"),
        "text" => lang.of("二维码文本", "the text of a QR code"),
        other => other,
    }
}

fn seal(state: &str, lang: Lang) -> &str {
    match state {
        "verified" => lang.of("验证通过", "verified"),
        "digests_only" => lang.of("仅核对摘要", "digests only"),
        "broken" => lang.of("与文件不符", "broken"),
        "not_verifiable" => lang.of("无法验证", "cannot be verified"),
        "absent" => lang.of("无", "none"),
        other => other,
    }
}

//! `invoice verify`: a receipt, or the link on a paper, against the genesis file, without any network.

use std::fs;
use std::path::Path;

use clap::Args;
use invoice_core::chain::{Genesis, Outcome, Receipt};
use invoice_core::paper_link::{PaperLink, StampVerdict};
use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::lang::Lang;
use crate::output::table;

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// 回执文件，或票据二维码中的链接 / Receipt, or the link in a paper's QR code
    #[arg(value_name = "RECEIPT|LINK")]
    subject: String,
}

pub(crate) fn run(context: &Context, args: &VerifyArgs) -> Result<Exit, Failure> {
    let genesis = context.genesis()?.ok_or_else(|| {
        Failure::usage(
            "genesis_missing",
            "需要创世文件 / the genesis file is needed",
        )
        .with_hint("用 --genesis 指定文件 / name it with --genesis")
    })?;
    if ["https://", "http://"]
        .iter()
        .any(|scheme| args.subject.starts_with(scheme))
    {
        return stamp(context, &args.subject, &genesis);
    }
    let path = Path::new(&args.subject);
    let bytes = fs::read(path).map_err(|error| Failure::file(path, &error))?;
    let receipt = prove(&bytes, &genesis)?;
    let output = context.output;
    if output.json {
        output.json(&json!({
            "valid": true,
            "chain_id": receipt.chain_id,
            "by": receipt.by,
            "id": receipt.id,
            "accepted": receipt.outcome.is_accepted(),
            "code": code(&receipt.outcome),
            "height": receipt.height,
            "index": receipt.index,
            "time": receipt.time,
        }));
        return Ok(Exit::Ok);
    }
    for line in table(&rows(context, &receipt)) {
        output.line(&line);
    }
    Ok(Exit::Ok)
}

/// Reads a link and checks its stamp: whether a paper is genuine, not whether it was reversed or
/// claimed since.
fn stamped(text: &str, genesis: &Genesis, lang: Lang) -> Result<PaperLink, Failure> {
    let link = PaperLink::parse(text)
        .map_err(|fault| Failure::integrity(lang.part(&fault.to_string())))?;
    let validators = genesis.validators().validators();
    let keys = validators.iter().map(|validator| &validator.public_key);
    match link.verify(genesis.chain_id(), keys) {
        StampVerdict::Genuine => Ok(link),
        StampVerdict::Forged => {
            let text = lang.of(
                "签章与链接内容不符：链接被改动或伪造",
                "the stamp does not fit the link: it was changed or made up",
            );
            Err(Failure::integrity(text))
        }
        StampVerdict::Absent => {
            let text = lang.of("链接没有签章", "the link bears no stamp");
            let hint = lang.of(
                "打开链接向登记系统核验，或核验回执",
                "open it to ask the registry, or verify a receipt",
            );
            Err(Failure::new(Exit::Refused, "stamp_absent", text).with_hint(hint))
        }
        StampVerdict::UnknownKey => {
            let text = lang.of(
                "签章密钥不属于创世文件中的验证者",
                "the stamp's key is of no validator in the genesis file",
            );
            let hint = lang.of(
                "验证者可能已变更：打开链接核验，或核验回执",
                "the validators may have changed: open the link, or verify a receipt",
            );
            Err(Failure::new(Exit::Refused, "stamp_key_unknown", text).with_hint(hint))
        }
    }
}

/// Shows what a good stamp proves.
fn stamp(context: &Context, text: &str, genesis: &Genesis) -> Result<Exit, Failure> {
    let (output, lang) = (context.output, context.lang());
    let link = stamped(text, genesis, lang)?;
    let check_code = link.check_code.map(|code| code.to_string());
    if output.json {
        output.json(&json!({
            "valid": true,
            "chain_id": genesis.chain_id(),
            "document": link.document,
            "amount": link.amount,
            "date": link.date,
            "check_code": check_code,
            "index": link.index,
        }));
        return Ok(Exit::Ok);
    }
    let row = |zh, en, value: String| vec![lang.of(zh, en).to_owned(), value];
    let mut rows = vec![
        row(
            "有效",
            "valid",
            lang.of("验证节点签章已核验", "a validator's stamp was checked")
                .to_owned(),
        ),
        row("链", "chain", genesis.chain_id().to_string()),
        row("票据", "document", link.document.to_string()),
        row("金额", "amount", link.amount.to_string()),
        row("开票日期", "date", link.date.to_string()),
    ];
    rows.extend(check_code.map(|code| row("校验码", "check code", code)));
    rows.push(row("日志位置", "place in the log", link.index.to_string()));
    for line in table(&rows) {
        output.line(&line);
    }
    output.note(lang.of(
        "签章证明票据曾如此开具；是否已冲红或报销须向登记系统核验",
        "the stamp proves what was issued; whether it was reversed or claimed since, the registry knows",
    ));
    Ok(Exit::Ok)
}

/// Checks every link from the record to the genesis file.
pub(crate) fn prove(receipt: &[u8], genesis: &Genesis) -> Result<Receipt, Failure> {
    let receipt = Receipt::parse(receipt).map_err(|fault| Failure::integrity(fault.to_string()))?;
    receipt
        .verify(genesis)
        .map_err(|fault| Failure::integrity(fault.to_string()))?;
    Ok(receipt)
}

/// What was proved, one link a line.
fn rows(context: &Context, receipt: &Receipt) -> Vec<Vec<String>> {
    let lang = context.lang();
    let outcome = match code(&receipt.outcome) {
        Some(code) => format!("{} ({code})", lang.of("拒绝", "refused")),
        None => lang.of("接受", "accepted").to_owned(),
    };
    let signers = receipt.signatures.iter().map(|vote| vote.kid.to_string());
    let row = |zh, en, value: String| vec![lang.of(zh, en).to_owned(), value];
    vec![
        row(
            "有效",
            "valid",
            lang.of("每一环都已核验", "every link was checked")
                .to_owned(),
        ),
        row("链", "chain", receipt.chain_id.to_string()),
        row("记录", "record", format!("{} / {}", receipt.by, receipt.id)),
        row("结果", "outcome", outcome),
        row(
            "提交者签名",
            "signed by key",
            receipt.authorization.kid.to_string(),
        ),
        row(
            "日志位置",
            "place in the log",
            format!("{} / {}", receipt.index, receipt.inclusion.tree_size),
        ),
        row(
            "区块",
            "block",
            format!("{}  {}", receipt.height, receipt.time),
        ),
        row("区块标识", "block id", receipt.header.id().to_string()),
        row(
            "验证者签名",
            "validators",
            signers.collect::<Vec<_>>().join(" "),
        ),
    ]
}

fn code(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Accepted { .. } => None,
        Outcome::Refused { code, .. } => Some(code),
    }
}

#[cfg(test)]
mod tests {
    use invoice_core::chain::{Validator, ValidatorSet};
    use invoice_core::crypto::{SecretKey, SecretKeySigner, Signer as _};
    use invoice_core::paper_link::Stamp;

    use super::*;

    fn signer(number: u8) -> SecretKeySigner {
        SecretKeySigner::new(SecretKey::from_bytes(&[number; 32]).unwrap())
    }

    #[test]
    fn a_paper_is_told_genuine_by_its_code_alone() {
        let validator = Validator {
            public_key: signer(7).public_key().clone(),
            weight: 1,
            group: None,
            name: "税务局".into(),
        };
        let validators = ValidatorSet::new(vec![validator]).unwrap();
        let chain = "sz-2026".parse().unwrap();
        let genesis = Genesis::compose(chain, 1_795_242_600_000, validators, Vec::new()).unwrap();
        let text = "https://a.example/v/D:26332000000012345678?amount=106.00&date=2026-11-20\
                    &h=AAAAAAAAAAAAAAAAAAAAAA&i=7";
        let stamped_by = |number: u8| {
            let mut link = PaperLink::parse(text).unwrap();
            let signer = signer(number);
            let signature = signer.sign(&link.message(genesis.chain_id())).unwrap();
            link.stamp = Some(Stamp::new(&signer.public_key().kid(), signature));
            link.to_url("https://a.example")
        };
        let good = stamped_by(7);
        let code = |text: &str| match stamped(text, &genesis, Lang::En) {
            Ok(link) => {
                assert_eq!(link.to_url("https://a.example"), text);
                (Exit::Ok, String::new())
            }
            Err(failure) => (failure.exit, failure.code),
        };
        let due = |exit, code: &str| (exit, code.to_owned());
        assert_eq!(code(&good), due(Exit::Ok, ""));
        assert_eq!(code(text), due(Exit::Refused, "stamp_absent"));
        assert_eq!(
            code(&stamped_by(8)),
            due(Exit::Refused, "stamp_key_unknown")
        );
        for (from, to) in [("106.00", "906.00"), ("-20&", "-21&"), ("i=7", "i=8")] {
            let changed = good.replace(from, to);
            assert_eq!(code(&changed), due(Exit::Integrity, "integrity"), "{to}");
        }
        assert_eq!(
            code("https://a.example/"),
            due(Exit::Integrity, "integrity")
        );
    }
}

//! From a file to the records that register its document.

use std::path::Path;

use invoice_core::identity::{MemberId, RecordId};
use invoice_core::read::Spelled;
use invoice_core::record::{
    Body, DocumentAlias, DocumentRegister, Original, RECORD_BYTES_MAX, Record, parse_record,
};
use invoice_core::refusal::catalogue;
use papers::{GRAVE_WARNINGS, Paper, Supplement, Unfit, Warning, WarningCode};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::fresh;
use crate::lang::Lang;
use crate::read;

/// What decides how a file is registered.
pub(super) struct Rules<'r> {
    /// Certificates of trusted sealers, DER.
    pub(super) trusted: &'r [Vec<u8>],
    /// What is added to the file.
    pub(super) supplement: Supplement,
    /// Grave warnings that whoever registers answers for.
    pub(super) despite: &'r [WarningCode],
    /// Who registers.
    pub(super) by: MemberId,
    /// The language of what is said.
    pub(super) lang: Lang,
}

/// The records of one file.
#[derive(Debug)]
pub(super) struct Composed {
    /// `document.register`.
    pub(super) register: String,
    /// `document.alias`, where the paper bears a second identity.
    pub(super) alias: Option<String>,
    /// What is odd about the file, in words.
    pub(super) warnings: Vec<String>,
}

/// The records that register the document of a file.
pub(super) fn compose(path: &Path, rules: &Rules<'_>) -> Result<Composed, Failure> {
    let lang = rules.lang;
    let refused = |code: &str, text: String| {
        Failure::new(Exit::Refused, code, format!("{}: {text}", path.display()))
    };
    let (sm3, reading) = read::file(path, rules.trusted, lang)?;
    let ([paper], Some(format)) = (reading.papers.as_slice(), reading.format.original()) else {
        let text = lang.of(
            "需要票据原件，不能凭二维码登记",
            "an original is needed, not a QR code",
        );
        return Err(refused("original_needed", text.to_owned()));
    };
    answer_for(path, paper, rules)?;
    let document = paper
        .to_registered(rules.supplement)
        .map_err(|Unfit(places)| {
            let text = lang.of(
                "原件缺少登记所需内容，或内容无法登记",
                "the original lacks what a registration needs, or cannot be registered",
            );
            refused("paper_incomplete", format!("{text}: {}", places.join(" "))).with_hint(lang.of(
                "缺票种或门诊住院时可用 --kind、--visit 补充（不得与原件矛盾）；备注可用 --note omit 略去",
                "where only these are absent, add --kind or --visit (nothing that contradicts the file); --note omit leaves a note out",
            ))
        })?;
    let registered = *document.key();
    let record = |body| -> Result<String, Failure> {
        let id = fresh::record_id()?;
        let id = RecordId::spelled(&id).map_err(|rule| Failure::usage(rule.code(), id.clone()))?;
        Ok(Record {
            id,
            by: rules.by,
            at: fresh::now(),
            body,
        }
        .to_json())
    };
    let register = record(Body::DocumentRegister(DocumentRegister {
        document,
        original: Original {
            sm3,
            format,
            signature: Some(paper.original_signature()),
        },
    }))?;
    if register.len() > RECORD_BYTES_MAX {
        let (found, lines) = (register.len(), paper.lines.len());
        let text = match lang {
            Lang::Zh => format!(
                "登记记录有 {found} 字节，超过 {RECORD_BYTES_MAX} 字节上限（明细 {lines} 行）"
            ),
            Lang::En => format!(
                "the record has {found} bytes, beyond the limit of {RECORD_BYTES_MAX} ({lines} lines)"
            ),
        };
        return Err(refused("record_too_large", text));
    }
    check(&register, lang).map_err(|(code, found)| refused(code, found))?;
    let alias = paper.alias.map(|alias| {
        record(Body::DocumentAlias(DocumentAlias {
            document: registered,
            alias,
        }))
    });
    Ok(Composed {
        register,
        alias: alias.transpose()?,
        warnings: paper
            .warnings
            .iter()
            .map(|warning| in_words(warning, lang))
            .collect(),
    })
}

/// What speaks against the file itself must have been named by who registers it.
fn answer_for(path: &Path, paper: &Paper, rules: &Rules<'_>) -> Result<(), Failure> {
    let grave = |warning: &&Warning| {
        GRAVE_WARNINGS.contains(&warning.code) && !rules.despite.contains(&warning.code)
    };
    let Some(first) = paper.warnings.iter().find(grave) else {
        return Ok(());
    };
    let all: Vec<String> = paper
        .warnings
        .iter()
        .filter(grave)
        .map(|warning| in_words(warning, rules.lang))
        .collect();
    let text = format!("{}: {}", path.display(), all.join("; "));
    let hint = rules.lang.of(
        "核对原件；确需登记时逐项写明",
        "look at the original; to register it all the same, name each:",
    );
    let hint = format!("{hint} --despite {}", first.code.code());
    Err(Failure::new(Exit::Refused, first.code.code(), text).with_hint(hint))
}

/// A warning as people read it.
fn in_words(warning: &Warning, lang: Lang) -> String {
    let text = lang.of(warning.code.zh(), warning.code.en());
    match warning.detail.as_str() {
        "" => format!("{text} [{}]", warning.code.code()),
        found => format!("{text}: {found} [{}]", warning.code.code()),
    }
}

/// What the registry would say of the record's own values, before anything is sent.
fn check(text: &str, lang: Lang) -> Result<(), (&'static str, String)> {
    let said = |code: &'static str, pointer: &str| {
        let words = catalogue::explain(code).map(|entry| entry.explanation.text(lang.into()));
        format!("{pointer} {} [{code}]", words.unwrap_or_default())
    };
    let violations = match parse_record(text.as_bytes()) {
        Ok(parsed) => match parsed.record {
            Ok(_) => return Ok(()),
            Err(violations) => violations,
        },
        Err(errors) => {
            let first = errors.first();
            let code = first.map_or("bad_request", |error| error.code.code());
            let pointer = first.map_or("", |error| error.pointer.as_str());
            return Err((code, said(code, pointer)));
        }
    };
    let code = violations.iter().map(|found| found.rule).min();
    let all: Vec<String> = violations
        .iter()
        .map(|found| said(found.rule.code(), &found.pointer))
        .collect();
    Err((
        code.map_or("bad_request", |rule| rule.code()),
        all.join("; "),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVOICE: &str = include_str!("../../../../papers/tests/files/invoice.xml");

    fn composed_by(text: &str, change: impl FnOnce(&mut Rules<'_>)) -> Result<Composed, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("original.xml");
        std::fs::write(&path, text).unwrap();
        let mut rules = Rules {
            trusted: &[],
            supplement: Supplement::default(),
            despite: &[],
            by: MemberId::spelled("91330000142942095H").unwrap(),
            lang: Lang::En,
        };
        change(&mut rules);
        compose(&path, &rules)
    }

    fn composed(text: &str) -> Result<String, Failure> {
        composed_by(text, |_| {}).map(|composed| composed.register)
    }

    #[test]
    fn what_speaks_against_a_file_is_registered_by_who_names_it() {
        let doubtful = INVOICE.replace("壹万陆仟圆整", "陆仟圆整");
        let refused = composed_by(&doubtful, |_| {}).unwrap_err();
        assert_eq!(refused.code, "words_differ");
        assert!(refused.hint.unwrap().ends_with("--despite words_differ"));
        assert!(
            composed_by(&doubtful, |rules| rules.despite =
                &[WarningCode::SealBroken])
            .is_err()
        );
        let composed = composed_by(&doubtful, |rules| {
            rules.despite = &[WarningCode::WordsDiffer]
        })
        .unwrap();
        assert!(composed.warnings[0].starts_with("the total in words is another one: "));
        assert!(!composed.register.contains("\"verified\""));
        assert_eq!(GRAVE_WARNINGS.len(), 4);
    }

    #[test]
    fn refusals_are_in_the_language_that_was_asked_for() {
        let wrong = INVOICE.replace("15841.58<", "15841.59<");
        for (text, zh, en) in [
            (wrong.as_str(), "合计", "total"),
            ("<a/>", "不是", "neither"),
            (
                "01,32,,24312000000136634917,0.01,20240514,,1DD6",
                "原件",
                "original",
            ),
        ] {
            let chinese = composed_by(text, |rules| rules.lang = Lang::Zh).unwrap_err();
            let english = composed_by(text, |_| {}).unwrap_err();
            assert!(chinese.message.contains(zh), "{}", chinese.message);
            assert!(english.message.contains(en), "{}", english.message);
            assert!(english.message.is_ascii(), "{}", english.message);
        }
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

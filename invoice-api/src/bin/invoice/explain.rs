//! `invoice explain`: what a code means and what to do about it.

use clap::Args;
use invoice_api::Fault;
use invoice_core::refusal::catalogue::{self, Class, Entry};
use papers::{PaperError, WarningCode};
use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, table};

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// 代码；缺省时列出全部 / The code; all of them when absent
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

/// A code with its texts, whichever layer it belongs to.
struct Explained {
    code: &'static str,
    stage: (&'static str, &'static str),
    text: (&'static str, &'static str),
    hint: (&'static str, &'static str),
}

impl From<Entry> for Explained {
    fn from(entry: Entry) -> Self {
        let texts = entry.explanation;
        Self {
            code: entry.code,
            stage: stage(entry.class),
            text: (texts.zh, texts.en),
            hint: (texts.hint_zh, texts.hint_en),
        }
    }
}

impl From<Fault> for Explained {
    fn from(fault: Fault) -> Self {
        Self {
            code: fault.code(),
            stage: ("接口", "interface"),
            text: (fault.zh(), fault.en()),
            hint: ("", ""),
        }
    }
}

/// Codes about files of documents: why one was refused, and what is odd about one.
fn of_files() -> impl Iterator<Item = Explained> {
    let entry = |code, stage, text| Explained {
        code,
        stage,
        text,
        hint: ("", ""),
    };
    let refused = ("422 文件", "422 file");
    let odd = ("文件警告", "warning about a file");
    let refusals = PaperError::ALL
        .iter()
        .map(move |error| entry(error.code(), refused, (error.zh(), error.en())));
    let warnings = WarningCode::ALL
        .iter()
        .map(move |code| entry(code.code(), odd, (code.zh(), code.en())));
    refusals.chain(warnings)
}

const fn stage(class: Class) -> (&'static str, &'static str) {
    match class {
        Class::Shape => ("400 格式", "400 shape"),
        Class::Authentication => ("401 认证", "401 authentication"),
        Class::Right => ("403 权限", "403 right"),
        Class::Rule => ("422 单据规则", "422 rule of the record"),
        Class::State => ("409 状态规则", "409 rule of state"),
    }
}

pub(crate) fn run(context: &Context, args: &ExplainArgs) -> Result<Exit, Failure> {
    let output = context.output;
    let Some(code) = &args.code else {
        all(output);
        return Ok(Exit::Ok);
    };
    let rule = catalogue::explain(code).map(Explained::from);
    let fault = || {
        Fault::ALL
            .iter()
            .find(|fault| fault.code() == code)
            .copied()
    };
    let file = || of_files().find(|entry| entry.code == code);
    let found = rule.or_else(|| fault().map(Explained::from)).or_else(file);
    let Some(found) = found else {
        let text = format!("没有此代码 / there is no such code: {code}");
        return Err(Failure::new(Exit::Refused, "code_unknown", text)
            .with_hint("invoice explain 列出全部代码 / `invoice explain` lists all codes"));
    };
    if output.json {
        json_line(output, &found);
    } else {
        // Both languages: whoever looks a code up often has to pass the answer on.
        output.line(&format!(
            "{}  {} / {}",
            found.code, found.stage.0, found.stage.1
        ));
        for text in [found.text.0, found.text.1] {
            output.line(&format!("  {text}"));
        }
        for hint in [found.hint.0, found.hint.1]
            .iter()
            .filter(|hint| !hint.is_empty())
        {
            output.line(&format!("  → {hint}"));
        }
    }
    Ok(Exit::Ok)
}

fn all(output: Output) {
    let rules = catalogue::catalogue();
    let known: Vec<&str> = rules.iter().map(|entry| entry.code).collect();
    let faults = Fault::ALL
        .iter()
        .filter(|fault| !known.contains(&fault.code()))
        .copied();
    let entries: Vec<Explained> = rules
        .iter()
        .copied()
        .map(Explained::from)
        .chain(faults.map(Explained::from))
        .chain(of_files())
        .collect();
    if output.json {
        entries.iter().for_each(|entry| json_line(output, entry));
        return;
    }
    let cells = |entry: &Explained| {
        [
            entry.code,
            output.lang.of(entry.stage.0, entry.stage.1),
            output.lang.of(entry.text.0, entry.text.1),
        ]
        .map(str::to_owned)
        .to_vec()
    };
    for line in table(&entries.iter().map(cells).collect::<Vec<_>>()) {
        output.line(&line);
    }
}

fn json_line(output: Output, entry: &Explained) {
    output.json(&json!({
        "code": entry.code,
        "stage": entry.stage.1,
        "zh": entry.text.0,
        "en": entry.text.1,
        "hint_zh": entry.hint.0,
        "hint_en": entry.hint.1,
    }));
}

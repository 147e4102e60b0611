//! The catalogue as a page to read: `docs/rejections.md`.

use super::ShapeCode;
use super::catalogue::{Class, Entry, catalogue};

const INTRODUCTION: &str = "\
# 拒绝代码 / Codes of refusals

本页由程序生成，勿手改；`UPDATE_GOLDEN=1 cargo test -p invoice-core` 重新生成。\
代码永久不变；同时违反多条时，按本页次序回答第一条（422 一次列出全部）。\
只有 409 记入链上，其余不留痕迹，也不占用记录编号；`id_reused` 例外，不记入链上。

This page is generated; do not edit it. `UPDATE_GOLDEN=1 cargo test -p invoice-core` writes it \
anew. Codes are permanent. When several apply, the first in the order of this page is the answer \
(422 names all at once). Only 409 is recorded on the chain; the others leave no trace and do not \
use up a record's id. `id_reused` is not recorded either.
";

/// The catalogue of codes in Markdown, both languages side by side, in order of precedence.
///
/// ```
/// let page = invoice_core::refusal::catalogue::markdown();
/// assert!(page.contains("| `already_claimed` | 409 |"));
/// ```
#[must_use]
pub fn markdown() -> String {
    let entries = catalogue();
    let mut page = INTRODUCTION.to_owned();
    for class in [
        Class::Shape,
        Class::Authentication,
        Class::Right,
        Class::Rule,
        Class::State,
    ] {
        page.push_str(&format!("\n## {}\n\n", title(class)));
        page.push_str("| code | status | 含义 | 怎么办 | meaning | what to do |\n");
        page.push_str("|---|---|---|---|---|---|\n");
        for entry in entries.iter().filter(|entry| entry.class == class) {
            page.push_str(&row(entry));
        }
    }
    page
}

const fn title(class: Class) -> &'static str {
    match class {
        Class::Shape => "400, 413: 格式 / Shape",
        Class::Authentication => "401: 身份 / Authentication",
        Class::Right => "403: 权限 / Rights",
        Class::Rule => "422: 记录本身的规则 / Rules of the record alone",
        Class::State => "409: 与已登记状态有关的规则 / Rules of recorded state",
    }
}

fn row(entry: &Entry) -> String {
    let too_large = ShapeCode::ALL
        .iter()
        .any(|shape| shape.code() == entry.code && shape.is_too_large());
    let status = match entry.class {
        Class::Shape if too_large => 413,
        Class::Shape => 400,
        Class::Authentication => 401,
        Class::Right => 403,
        Class::Rule => 422,
        Class::State => 409,
    };
    let texts = entry.explanation;
    let cells = [texts.zh, texts.hint_zh, texts.en, texts.hint_en];
    let cells = cells.map(|text| text.replace('|', "\\|")).join(" | ");
    format!("| `{}` | {status} | {cells} |\n", entry.code)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::catalogue::examples;
    use super::*;

    #[test]
    fn the_page_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/rejections.md");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(path, markdown()).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == markdown(),
            "docs/rejections.md is out of date: run with UPDATE_GOLDEN=1"
        );
    }

    #[test]
    fn a_code_names_one_thing() {
        let entries = catalogue();
        let codes: BTreeSet<_> = entries.iter().map(|entry| entry.code).collect();
        assert_eq!(codes.len(), entries.len());
    }

    #[test]
    fn every_text_is_there_in_both_languages() {
        for Entry {
            code, explanation, ..
        } in catalogue()
        {
            let chinese = |text: &str| text.chars().any(|c| ('一'..='龥').contains(&c));
            assert!(chinese(explanation.zh), "{code}");
            assert!(!explanation.hint_zh.is_empty(), "{code}");
            assert!(
                !chinese(explanation.en) || explanation.en.contains('('),
                "{code}"
            );
            assert!(!explanation.hint_en.is_empty(), "{code}");
        }
    }

    /// Declaration order is precedence; the list of examples must not drift from it.
    #[test]
    fn the_catalogue_stands_in_the_order_of_declaration() {
        let source = include_str!("rejection.rs");
        let body = source.split("pub enum Rejection {").nth(1).unwrap();
        let declared: Vec<&str> = body
            .lines()
            .take_while(|line| *line != "}")
            .filter_map(|line| line.strip_prefix("    "))
            .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
            .map(|line| line.trim_end_matches([' ', '{', ',']))
            .collect();
        let listed: Vec<String> = examples()
            .iter()
            .map(|example| format!("{example:?}"))
            .map(|text| text.split(' ').next().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(listed, declared);
    }
}

//! The pages as HTML for print: the same places, in millimetres, without scripts or outside
//! resources.

use std::fmt::Write as _;

use crate::model::{Colour, Item, Page, Text, Um};
use crate::source::{Layout, Wording};
use crate::xml::escape;

impl Layout {
    /// The pages as one HTML document. `nonce` names the style sheet in the page's policy
    /// (`style-src 'nonce-…'`): it holds all styles, no element has any.
    #[must_use]
    pub fn html(&self, nonce: &str) -> String {
        let mut body = String::new();
        for page in &self.pages {
            self.svg_page(page, &mut body);
        }
        format!(
            "<!DOCTYPE html>\n<html lang=\"{language}\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"robots\" content=\"noindex\"><title>{title} {key}</title>\
             <style nonce=\"{nonce}\">{STYLE}</style></head><body><main>{body}</main></body></html>\n",
            language = self.wording.of(FORM_LANGUAGE, "en"),
            title = escape(&self.title),
            key = escape(&self.key.to_string()),
            nonce = escape(nonce),
        )
    }

    /// One page as a drawing: every browser places its text alike, whatever fonts it has.
    fn svg_page(&self, page: &Page, out: &mut String) {
        let (width, height) = (mm(page.width), mm(page.height));
        let _ = write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"document\" aria-label=\"{}\" viewBox=\"0 0 {width} {height}\" width=\"{width}mm\" height=\"{height}mm\">",
            escape(&self.title),
        );
        for item in &page.items {
            match item {
                Item::Text(text) => svg_text(text, self.wording, out),
                Item::Line {
                    from,
                    to,
                    width,
                    colour,
                } => {
                    let _ = write!(
                        out,
                        "<path d=\"M{} {}L{} {}\" stroke=\"{}\" stroke-width=\"{}\"/>",
                        mm(from.0),
                        mm(from.1),
                        mm(to.0),
                        mm(to.1),
                        hex(*colour),
                        mm(*width),
                    );
                }
                Item::Qr { x, y, size } => {
                    if let Some(qr) = &self.qr {
                        let path: String = qr
                            .runs()
                            .map(|(y, x, length)| format!("M{x} {y}h{length}v1h-{length}z"))
                            .collect();
                        let _ = write!(
                            out,
                            "<svg x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {edge} {edge}\" role=\"img\" aria-label=\"QR\" shape-rendering=\"crispEdges\"><path d=\"{path}\"/></svg>",
                            mm(*x),
                            mm(*y),
                            mm(*size),
                            mm(*size),
                            edge = qr.width(),
                        );
                    }
                }
            }
        }
        out.push_str("</svg>");
    }
}

/// The language of the form, whatever that of the captions.
const FORM_LANGUAGE: &str = "zh-CN";

fn svg_text(text: &Text, wording: Wording, out: &mut String) {
    // On an English page a reading voice must be told what is Chinese.
    let is_chinese = text.content.chars().any(|c| c >= '\u{2e80}');
    let language = match wording {
        Wording::En if is_chinese => format!(" lang=\"{FORM_LANGUAGE}\""),
        Wording::En | Wording::Zh => String::new(),
    };
    let _ = write!(
        out,
        "<text{language} x=\"{}\" y=\"{}\" font-size=\"{}\" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{}\">{}</text>",
        mm(text.x),
        mm(text.y),
        mm(text.size),
        mm(text.width()),
        hex(text.colour),
        escape(&text.content),
    );
}

fn hex(colour: Colour) -> String {
    format!("#{:02x}{:02x}{:02x}", colour.0, colour.1, colour.2)
}

/// Millimetres with up to three decimals.
pub(crate) fn mm(length: Um) -> String {
    let sign = if length < 0 { "-" } else { "" };
    let length = length.unsigned_abs();
    let text = format!("{sign}{}.{:03}", length / 1_000, length % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

const STYLE: &str = "@page{size:210mm 140mm;margin:0}body{margin:0;background:#eee}\
    main>svg{display:block;margin:4mm auto;background:#fff;max-width:100%;height:auto;\
    font-family:SimSun,'Songti SC','Noto Serif CJK SC',serif;white-space:pre}\
    @media print{body{background:none}main>svg{margin:0;width:210mm;height:140mm;\
    break-after:page}main>svg:last-child{break-after:auto}}";

#[cfg(test)]
mod tests {
    use super::mm;

    #[test]
    fn micrometres_are_written_in_millimetres() {
        for (length, text) in [
            (0, "0"),
            (1_000, "1"),
            (3_175, "3.175"),
            (-250, "-0.25"),
            (210_000, "210"),
        ] {
            assert_eq!(mm(length), text);
        }
    }
}

//! The form of an invoice: 210 × 140 mm, brown-red, as the fully digital invoice has it.

use invoice_core::amount_words;
use invoice_core::invoice::{InvoiceKind, Line, Payment, TaxRate};
use invoice_core::money::Fen;
use invoice_core::record::Invoice;

use crate::fonts::OpenFonts;
use crate::frame::{self, LEFT, RIGHT, TEXT};
use crate::model::{Colour, Page, Tag, Um};
use crate::pen::{Align, Area, Block, Pen, fit, leading};
use crate::source::Context;

const FORM: Colour = Colour::INVOICE;
const HEIGHT: Um = 140_000;
const PARTIES: Um = 29_000;
const TABLE: Um = 49_000;
const ROWS: Um = 55_500;
const BOTTOM: Um = 124_000;
/// Height of the rows 小计 and 合计.
const SUM: Um = 5_500;
/// Height of the row 价税合计.
const TOTAL: Um = 8_000;
/// Width of the columns with labels from top to bottom.
const LABEL: Um = 6_000;
/// The tallest cell of a row.
const CELL_MAX: Um = 17_500;
/// Heights of the box 备注.
const NOTE: (Um, Um) = (14_000, 26_000);
const MARGIN: Um = 800;

/// Headings, widths and how the columns of the table are aligned.
const COLUMNS: [(&str, Um, Align); 8] = [
    ("项目名称", 42_000, Align::Left),
    ("规格型号", 24_000, Align::Left),
    ("单 位", 13_000, Align::Centre),
    ("数 量", 24_000, Align::Right),
    ("单 价", 26_000, Align::Right),
    ("金 额", 26_000, Align::Right),
    ("税率/征收率", 19_000, Align::Centre),
    ("税 额", 26_000, Align::Right),
];

/// What stands at the top.
pub(crate) const fn title(kind: InvoiceKind) -> &'static str {
    match kind {
        InvoiceKind::DigitalSpecial => "电子发票（增值税专用发票）",
        InvoiceKind::DigitalOrdinary => "电子发票（普通发票）",
        InvoiceKind::Railway => "电子发票（铁路电子客票）",
        InvoiceKind::Air => "电子发票（航空运输电子客票行程单）",
        InvoiceKind::DigitalVehicle => "电子发票（机动车销售统一发票）",
        InvoiceKind::DigitalUsedVehicle => "电子发票（二手车销售统一发票）",
        InvoiceKind::DigitalPaperSpecial => "数电纸质发票（增值税专用发票）",
        InvoiceKind::DigitalPaperOrdinary => "数电纸质发票（普通发票）",
        InvoiceKind::DigitalPaperVehicle => "数电纸质发票（机动车销售统一发票）",
        InvoiceKind::DigitalPaperUsedVehicle => "数电纸质发票（二手车销售统一发票）",
        InvoiceKind::Special => "增值税专用发票",
        InvoiceKind::Ordinary => "增值税普通发票",
        InvoiceKind::ElectronicSpecial => "增值税电子专用发票",
        InvoiceKind::ElectronicOrdinary => "增值税电子普通发票",
        InvoiceKind::Rolled => "增值税普通发票（卷票）",
        InvoiceKind::Toll => "增值税电子普通发票（通行费）",
        InvoiceKind::Freight => "货物运输业增值税专用发票",
        InvoiceKind::Vehicle => "机动车销售统一发票",
        InvoiceKind::UsedVehicle => "二手车销售统一发票",
        InvoiceKind::Blockchain => "区块链电子发票",
    }
}

/// A rate as it is printed: "6%", "1.5%", or its literal.
pub(crate) fn rate(rate: TaxRate) -> String {
    match rate {
        TaxRate::Fraction(millionths) => {
            let (whole, rest) = (millionths / 10_000, millionths % 10_000);
            let digits = format!("{rest:04}");
            match digits.trim_end_matches('0') {
                "" => format!("{whole}%"),
                digits => format!("{whole}.{digits}%"),
            }
        }
        TaxRate::Exempt | TaxRate::NotTaxable | TaxRate::Starred => rate.to_string(),
    }
}

/// Money as it stands in sums.
pub(crate) fn yuan(amount: Fen) -> String {
    format!("¥{amount}")
}

/// The payment split in one line.
pub(crate) fn payment(payment: &Payment) -> String {
    format!(
        "医保统筹基金支付：{}　其他支付：{}　个人账户支付：{}　个人现金支付：{}　个人自付：{}　个人自费：{}",
        payment.fund,
        payment.other,
        payment.account,
        payment.cash,
        payment.self_pay,
        payment.self_fund,
    )
}

/// A line of the table with its cells broken into lines.
struct Row {
    cells: [Block; 8],
    height: Um,
}

const CELL_TAGS: [Tag; 8] = [
    Tag::LineName,
    Tag::LineSpec,
    Tag::LineUnit,
    Tag::LineQuantity,
    Tag::LinePrice,
    Tag::LineAmount,
    Tag::LineRate,
    Tag::LineTax,
];

fn row(line: &Line, fonts: &mut OpenFonts<'_>) -> Row {
    let (spec, unit) = (line.spec.as_deref(), line.unit.as_deref());
    let quantity = line.quantity.as_ref().map(|text| text.as_str());
    let price = line.unit_price.as_ref().map(|text| text.as_str());
    let texts = [
        line.name.as_str(),
        spec.unwrap_or_default(),
        unit.unwrap_or_default(),
        quantity.unwrap_or_default(),
        price.unwrap_or_default(),
        &line.amount.to_string(),
        &rate(line.tax_rate),
        // 免税 and 不征税 lines bear *** in the column of the tax.
        &match line.tax_rate {
            TaxRate::Exempt | TaxRate::NotTaxable => "***".to_owned(),
            TaxRate::Fraction(_) | TaxRate::Starred => line.tax.to_string(),
        },
    ];
    let mut column = 0;
    let cells = texts.map(|text| {
        let (_, width, align) = COLUMNS[column];
        column += 1;
        // Figures are kept on one line.
        let height = match align {
            Align::Right => leading(TEXT),
            Align::Left | Align::Centre => CELL_MAX,
        };
        fit(fonts, text, width - 2 * MARGIN, height, TEXT)
    });
    let tallest = cells.iter().map(Block::height).max().unwrap_or_default();
    Row {
        cells,
        height: tallest + 900,
    }
}

/// Lays an invoice out.
pub(crate) fn pages(
    invoice: &Invoice,
    context: &Context<'_>,
    fonts: &mut OpenFonts<'_>,
) -> Vec<Page> {
    let rows: Vec<Row> = invoice.lines.iter().map(|line| row(line, fonts)).collect();
    let note = note(invoice, fonts);
    let note_height = (note.height() + 2_000).clamp(NOTE.0, NOTE.1);
    let heights: Vec<Um> = rows.iter().map(|row| row.height).collect();
    let room_alone = BOTTOM - note_height - TOTAL - SUM - ROWS;
    let ranges = frame::divide(&heights, room_alone, BOTTOM - SUM - ROWS, SUM);
    let of = ranges.len();
    let mut pages = Vec::with_capacity(of);
    for (range, number) in ranges.into_iter().zip(1..) {
        let mut page = frame::page(HEIGHT);
        let mut pen = Pen {
            fonts,
            page: &mut page,
        };
        form(&mut pen, invoice, context);
        let mut y = ROWS;
        for row in rows.get(range.clone()).unwrap_or_default() {
            draw_row(&mut pen, row, y);
            y += row.height;
        }
        let lines = invoice.lines.get(range).unwrap_or_default();
        if number < of {
            subtotal(&mut pen, lines, BOTTOM - SUM);
        } else {
            let bottom = BOTTOM - note_height;
            if of > 1 {
                subtotal(&mut pen, lines, bottom - TOTAL - 2 * SUM);
            }
            totals(&mut pen, invoice, bottom - TOTAL);
            draw_note(&mut pen, &note, bottom);
        }
        drawer(&mut pen, context);
        frame::foot(&mut pen, context, BOTTOM + 5_300, number, of);
        pages.push(page);
    }
    frame::name_missing(&mut pages, fonts, context, HEIGHT - 3_800);
    pages
}

/// Everything that each page has.
fn form(pen: &mut Pen<'_, '_>, invoice: &Invoice, context: &Context<'_>) {
    let mut right = Vec::new();
    if let Some(code) = invoice.key.code() {
        right.push(("发票代码", code.to_owned(), Tag::Code));
    }
    right.push(("发票号码", invoice.key.number().to_owned(), Tag::Number));
    right.push(("开票日期", date(invoice.issue_date), Tag::Date));
    frame::head(pen, context, title(invoice.kind), FORM, &right);
    let whole = Area {
        x: LEFT,
        y: PARTIES,
        width: RIGHT - LEFT,
        height: BOTTOM - PARTIES,
    };
    pen.frame(whole, FORM);
    pen.rule((LEFT, TABLE), (RIGHT, TABLE), FORM);
    let middle = (LEFT + RIGHT) / 2;
    pen.rule((middle, PARTIES), (middle, TABLE), FORM);
    let buyer_id = invoice.buyer.id.as_ref().map(|id| id.as_str());
    party(
        pen,
        LEFT,
        "购买方信息",
        (&invoice.buyer.name, Tag::BuyerName),
        (buyer_id.unwrap_or_default(), Tag::BuyerId),
    );
    party(
        pen,
        middle,
        "销售方信息",
        (&invoice.seller.name, Tag::SellerName),
        (invoice.seller.id.as_str(), Tag::SellerId),
    );
    let mut x = LEFT;
    for (heading, width, align) in COLUMNS {
        let area = cell(x, TABLE + 600, width, ROWS - TABLE - 900);
        let align = match align {
            Align::Right => Align::Right,
            Align::Left | Align::Centre => Align::Centre,
        };
        pen.centred(heading, area, align, TEXT, FORM, None);
        x += width;
    }
}

/// The inside of a cell.
fn cell(x: Um, y: Um, width: Um, height: Um) -> Area {
    Area {
        x: x + MARGIN,
        y,
        width: width - 2 * MARGIN,
        height,
    }
}

/// A date as documents bear it.
pub(crate) fn date(date: invoice_core::calendar::Date) -> String {
    let text = date.to_string();
    let mut parts = text.splitn(3, '-');
    let mut part = || parts.next().unwrap_or_default();
    format!("{}年{}月{}日", part(), part(), part())
}

fn party(
    pen: &mut Pen<'_, '_>,
    x: Um,
    label: &str,
    (name, name_tag): (&str, Tag),
    (id, id_tag): (&str, Tag),
) {
    let height = TABLE - PARTIES;
    let area = Area {
        x,
        y: PARTIES,
        width: LABEL,
        height,
    };
    pen.vertical(label, area, TEXT, FORM);
    pen.rule((x + LABEL, PARTIES), (x + LABEL, TABLE), FORM);
    let left = x + LABEL + 1_500;
    let width = (RIGHT - LEFT) / 2 - LABEL - 2_500;
    let base = PARTIES + 6_300;
    let after = pen.line_at("名称：", (left, base), TEXT, FORM, None);
    let area = Area {
        x: after,
        y: base - 940 * TEXT / 1_000,
        width: left + width - after,
        height: 9_500,
    };
    let block = fit(pen.fonts, name, area.width, area.height, TEXT);
    pen.block(&block, area, Align::Left, Colour::BLACK, Some(name_tag));
    let base = PARTIES + 17_000;
    let caption = "统一社会信用代码/纳税人识别号：";
    let after = pen.line_at(caption, (left, base), TEXT, FORM, None);
    pen.line_at(id, (after, base), TEXT, Colour::BLACK, Some(id_tag));
}

fn draw_row(pen: &mut Pen<'_, '_>, row: &Row, y: Um) {
    let mut x = LEFT;
    for ((block, tag), (_, width, align)) in row.cells.iter().zip(CELL_TAGS).zip(COLUMNS) {
        let area = cell(x, y, width, row.height);
        pen.block(block, area, align, Colour::BLACK, Some(tag));
        x += width;
    }
}

fn subtotal(pen: &mut Pen<'_, '_>, lines: &[Line], y: Um) {
    let amount = Fen::checked_sum(lines.iter().map(|line| line.amount));
    let tax = Fen::checked_sum(lines.iter().map(|line| line.tax));
    sums(pen, "小 计", amount, tax, y, None);
}

/// A row with two sums; one that overflows, which no accepted document has, is left out.
fn sums(
    pen: &mut Pen<'_, '_>,
    label: &str,
    amount: Option<Fen>,
    tax: Option<Fen>,
    y: Um,
    tags: Option<(Tag, Tag)>,
) {
    let widths = COLUMNS.map(|(_, width, _)| width);
    let amount_x = LEFT + widths.iter().take(5).sum::<Um>();
    let tax_x = LEFT + widths.iter().take(7).sum::<Um>();
    let area = cell(LEFT, y, widths[0], SUM);
    pen.centred(label, area, Align::Centre, TEXT, FORM, None);
    for (x, width, sum, tag) in [
        (amount_x, widths[5], amount, tags.map(|tags| tags.0)),
        (tax_x, widths[7], tax, tags.map(|tags| tags.1)),
    ] {
        if let Some(sum) = sum {
            let area = Area {
                height: leading(TEXT),
                y: y + (SUM - leading(TEXT)) / 2,
                ..cell(x, y, width, SUM)
            };
            pen.centred(&yuan(sum), area, Align::Right, TEXT, Colour::BLACK, tag);
        }
    }
}

/// 合计 and 价税合计; `y` is the upper edge of the latter.
fn totals(pen: &mut Pen<'_, '_>, invoice: &Invoice, y: Um) {
    sums(
        pen,
        "合 计",
        Some(invoice.total_without_tax),
        Some(invoice.total_tax),
        y - SUM,
        Some((Tag::WithoutTax, Tag::Tax)),
    );
    pen.rule((LEFT, y), (RIGHT, y), FORM);
    pen.rule((LEFT, y + TOTAL), (RIGHT, y + TOTAL), FORM);
    total_row(pen, "价税合计（大写）", invoice.total, y, TOTAL, FORM);
}

/// The sum of a document in words and in figures.
pub(crate) fn total_row(
    pen: &mut Pen<'_, '_>,
    label: &str,
    total: Fen,
    y: Um,
    height: Um,
    form: Colour,
) {
    let base = y + height / 2 + 1_100;
    let x = pen.line_at(label, (LEFT + 8_000, base), TEXT, form, None);
    let x = pen.line_at("⊗", (x + 2_000, base), TEXT, Colour::BLACK, None);
    let words = amount_words::write(total);
    let area = Area {
        x,
        y,
        width: 148_000 - x,
        height,
    };
    let tag = Some(Tag::TotalInWords);
    pen.centred(&words, area, Align::Left, TEXT, Colour::BLACK, tag);
    let x = pen.line_at("（小写）", (150_000, base), TEXT, form, None);
    let tag = Some(Tag::Total);
    pen.line_at(&yuan(total), (x, base), TEXT, Colour::BLACK, tag);
}

fn note(invoice: &Invoice, fonts: &mut OpenFonts<'_>) -> Block {
    let mut text = invoice.note.clone().unwrap_or_default();
    if let Some(split) = &invoice.payment {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&payment(split));
    }
    let width = RIGHT - LEFT - LABEL - 3_000;
    fit(fonts, &text, width, NOTE.1 - 2_000, TEXT)
}

fn draw_note(pen: &mut Pen<'_, '_>, note: &Block, y: Um) {
    let area = Area {
        x: LEFT,
        y,
        width: LABEL,
        height: BOTTOM - y,
    };
    pen.vertical("备注", area, TEXT, FORM);
    pen.rule((LEFT + LABEL, y), (LEFT + LABEL, BOTTOM), FORM);
    let area = Area {
        x: LEFT + LABEL + 1_500,
        y: y + 1_000,
        width: RIGHT - LEFT - LABEL - 3_000,
        height: BOTTOM - y - 2_000,
    };
    pen.block(note, area, Align::Left, Colour::BLACK, Some(Tag::Note));
}

/// Who issued: the record names no person, but the key that signed it. What an authority
/// registered was signed by somebody else.
fn drawer(pen: &mut Pen<'_, '_>, context: &Context<'_>) {
    let base = BOTTOM + 4_000;
    let x = pen.line_at("开票人：", (LEFT + 8_000, base), TEXT, FORM, None);
    if let Some(recorded) = context.recorded.as_ref().filter(|_| !context.registered) {
        let text = format!("签名密钥 {}", recorded.signer);
        pen.line_at(&text, (x, base), 2_600, Colour::BLACK, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_printed_in_percent() {
        for (millionths, text) in [
            (60_000, "6%"),
            (130_000, "13%"),
            (15_000, "1.5%"),
            (5_000, "0.5%"),
            (0, "0%"),
        ] {
            assert_eq!(rate(TaxRate::Fraction(millionths)), text);
        }
        assert_eq!(rate(TaxRate::Exempt), "免税");
    }
}

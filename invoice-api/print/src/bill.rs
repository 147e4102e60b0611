//! The form of a fiscal medical bill (医疗收费票据（电子）): 210 × 140 mm, red, items in two columns.

use invoice_core::money::Fen;
use invoice_core::record::{Bill, Item, Visit};

use crate::fonts::OpenFonts;
use crate::frame::{self, LEFT, RIGHT, TEXT};
use crate::invoice;
use crate::model::{Colour, Page, Tag, Um};
use crate::pen::{Align, Area, Block, Pen, fit, leading};
use crate::source::Context;

const FORM: Colour = Colour::BILL;
const HEIGHT: Um = 140_000;
const TOP: Um = 36_000;
const ROWS: Um = 42_500;
const BOTTOM: Um = 120_000;
const SUM: Um = 5_500;
const TOTAL: Um = 8_000;
const OTHERS: Um = 22_000;
const CELL_MAX: Um = 14_000;
const MARGIN: Um = 800;
/// 项目编码, 项目名称, 金额; the three stand twice side by side.
const COLUMNS: [(&str, Um); 3] = [
    ("项目编码", 20_000),
    ("项目名称", 54_000),
    ("金额（元）", 26_000),
];

/// What stands at the top.
pub(crate) const fn title(visit: Visit) -> &'static str {
    match visit {
        Visit::Outpatient => "医疗门诊收费票据（电子）",
        Visit::Inpatient => "医疗住院收费票据（电子）",
    }
}

/// Two items side by side.
struct Row<'b> {
    items: &'b [Item],
    cells: Vec<[Block; 3]>,
    height: Um,
}

fn row<'b>(items: &'b [Item], fonts: &mut OpenFonts<'_>) -> Row<'b> {
    let mut cells = Vec::new();
    for item in items {
        let code = item.code.as_deref().unwrap_or_default();
        let amount = item.amount.to_string();
        let mut of = |text: &str, column: usize, height| {
            let (_, width) = COLUMNS[column];
            fit(fonts, text, width - 2 * MARGIN, height, TEXT)
        };
        cells.push([
            of(code, 0, CELL_MAX),
            of(&item.name, 1, CELL_MAX),
            of(&amount, 2, leading(TEXT)),
        ]);
    }
    let tallest = cells.iter().flatten().map(Block::height).max();
    Row {
        items,
        cells,
        height: tallest.unwrap_or_default() + 900,
    }
}

/// Lays a bill out.
pub(crate) fn pages(bill: &Bill, context: &Context<'_>, fonts: &mut OpenFonts<'_>) -> Vec<Page> {
    let rows: Vec<Row<'_>> = bill.items.chunks(2).map(|pair| row(pair, fonts)).collect();
    let heights: Vec<Um> = rows.iter().map(|row| row.height).collect();
    let room_alone = BOTTOM - OTHERS - TOTAL - ROWS;
    let ranges = frame::divide(&heights, room_alone, BOTTOM - SUM - ROWS, SUM);
    let of = ranges.len();
    let mut pages = Vec::with_capacity(of);
    for (range, number) in ranges.into_iter().zip(1..) {
        let mut page = frame::page(HEIGHT);
        let mut pen = Pen {
            fonts,
            page: &mut page,
        };
        form(&mut pen, bill, context);
        let rows = rows.get(range).unwrap_or_default();
        let mut y = ROWS;
        for row in rows {
            draw_row(&mut pen, row, y);
            y += row.height;
        }
        let end = if number < of {
            BOTTOM
        } else {
            BOTTOM - OTHERS - TOTAL
        };
        if of > 1 {
            subtotal(&mut pen, rows, end - SUM);
        }
        let middle = (LEFT + RIGHT) / 2;
        pen.rule((middle, TOP), (middle, end), FORM);
        if number == of {
            pen.rule((LEFT, end), (RIGHT, end), FORM);
            invoice::total_row(&mut pen, "金额合计（大写）", bill.total, end, TOTAL, FORM);
            pen.rule((LEFT, end + TOTAL), (RIGHT, end + TOTAL), FORM);
            others(&mut pen, bill, end + TOTAL);
        }
        issuer(&mut pen, bill, context);
        frame::foot(&mut pen, context, BOTTOM + 9_000, number, of);
        pages.push(page);
    }
    frame::name_missing(&mut pages, fonts, context, HEIGHT - 3_800);
    pages
}

fn form(pen: &mut Pen<'_, '_>, bill: &Bill, context: &Context<'_>) {
    let right = [
        (
            "票据代码",
            bill.key.code().unwrap_or_default().to_owned(),
            Tag::Code,
        ),
        ("票据号码", bill.key.number().to_owned(), Tag::Number),
        ("校验码", bill.check_code.to_string(), Tag::CheckCode),
        ("开票日期", invoice::date(bill.issue_date), Tag::Date),
    ];
    frame::head(pen, context, title(bill.visit), FORM, &right);
    // Who the patient is stands sealed in the record, if at all: a print shows it to nobody.
    let payer = match &bill.sealed {
        Some(_) => context.wording.of("（已加密）", "(sealed)"),
        None => "",
    };
    let base = TOP - 2_000;
    let x = pen.line_at("交款人：", (LEFT + 2_000, base), TEXT, FORM, None);
    pen.line_at(payer, (x, base), TEXT, Colour::BLACK, None);
    let whole = Area {
        x: LEFT,
        y: TOP,
        width: RIGHT - LEFT,
        height: BOTTOM - TOP,
    };
    pen.frame(whole, FORM);
    pen.rule((LEFT, ROWS - 500), (RIGHT, ROWS - 500), FORM);
    for (heading, area) in COLUMNS
        .iter()
        .map(|(heading, _)| heading)
        .cycle()
        .zip(areas(TOP + 500, ROWS - TOP - 1_500, 2))
    {
        pen.centred(heading, area, Align::Centre, TEXT, FORM, None);
    }
}

/// The insides of the cells of a row with so many items.
fn areas(y: Um, height: Um, items: usize) -> impl Iterator<Item = Area> {
    let mut x = LEFT;
    COLUMNS
        .iter()
        .cycle()
        .take(items * COLUMNS.len())
        .map(move |(_, width)| {
            let area = Area {
                x: x + MARGIN,
                y,
                width: width - 2 * MARGIN,
                height,
            };
            x += width;
            area
        })
}

fn draw_row(pen: &mut Pen<'_, '_>, row: &Row<'_>, y: Um) {
    let areas = areas(y, row.height, row.cells.len());
    let looks = [
        (Align::Left, None),
        (Align::Left, Some(Tag::LineName)),
        (Align::Right, Some(Tag::LineAmount)),
    ];
    let looks = looks.into_iter().cycle();
    for ((block, area), (align, tag)) in row.cells.iter().flatten().zip(areas).zip(looks) {
        pen.block(block, area, align, Colour::BLACK, tag);
    }
}

fn subtotal(pen: &mut Pen<'_, '_>, rows: &[Row<'_>], y: Um) {
    let amounts = rows
        .iter()
        .flat_map(|row| row.items)
        .map(|item| item.amount);
    if let Some(sum) = Fen::checked_sum(amounts) {
        pen.rule((LEFT, y), (RIGHT, y), FORM);
        let half = (RIGHT - LEFT) / 2;
        let area = Area {
            x: LEFT + half + MARGIN,
            y,
            width: half - 2 * MARGIN,
            height: SUM,
        };
        pen.centred("小 计", area, Align::Left, TEXT, FORM, None);
        let text = invoice::yuan(sum);
        pen.centred(&text, area, Align::Right, TEXT, Colour::BLACK, None);
    }
}

/// 其他信息: who paid.
fn others(pen: &mut Pen<'_, '_>, bill: &Bill, y: Um) {
    let area = Area {
        x: LEFT,
        y,
        width: 6_000,
        height: OTHERS,
    };
    pen.vertical("其他信息", area, TEXT, FORM);
    pen.rule((LEFT + 6_000, y), (LEFT + 6_000, BOTTOM), FORM);
    let split = &bill.payment;
    let parts = [
        ("医保统筹基金支付", split.fund),
        ("其他支付", split.other),
        ("个人账户支付", split.account),
        ("个人现金支付", split.cash),
        ("个人自付", split.self_pay),
        ("个人自费", split.self_fund),
    ];
    for ((label, amount), number) in parts.into_iter().zip(0..) {
        let x = LEFT + 9_000 + number % 3 * 64_000;
        let base = y + 6_500 + number / 3 * 6_500;
        let after = pen.line_at(&format!("{label}："), (x, base), TEXT, FORM, None);
        let text = amount.to_string();
        pen.line_at(&text, (after, base), TEXT, Colour::BLACK, None);
    }
}

/// Who received the money, and which key signed.
fn issuer(pen: &mut Pen<'_, '_>, bill: &Bill, context: &Context<'_>) {
    let base = BOTTOM + 4_200;
    let x = pen.line_at("收款单位：", (LEFT + 2_000, base), TEXT, FORM, None);
    let area = Area {
        x,
        y: BOTTOM + 700,
        width: 100_000 - x + 30_000,
        height: 7_500,
    };
    let block = fit(pen.fonts, &bill.issuer.name, area.width, area.height, TEXT);
    let area = Area {
        y: base - 940 * TEXT / 1_000,
        ..area
    };
    let tag = Some(Tag::SellerName);
    pen.block(&block, area, Align::Left, Colour::BLACK, tag);
    let x = pen.line_at("收款人：", (133_000, base), TEXT, FORM, None);
    if let Some(recorded) = context.recorded.as_ref().filter(|_| !context.registered) {
        let text = format!("密钥 {}", recorded.signer);
        pen.line_at(&text, (x, base), 2_300, Colour::BLACK, None);
    }
    let x = pen.line_at("代码：", (133_000, base + 3_700), 2_600, FORM, None);
    let id = bill.issuer.id.as_str();
    let tag = Some(Tag::SellerId);
    pen.line_at(id, (x, base + 3_700), 2_600, Colour::BLACK, tag);
}

//! What one merchant has on its shelves, with the parts of a line's JSON that are always the same.

use rand::RngExt;

use super::Dice;
use super::vocabulary::{Good, Sold, Trade, one_of, trade_name};

/// Fewest and most products of a merchant.
const PRODUCTS: (usize, usize) = (12, 240);
/// The levy rate that small taxpayers mostly pay, in millionths.
const SMALL: u32 = 10_000;

/// A product: a good with a brand, a specification and a price.
pub(super) struct Product {
    /// `{"name":"…"` and `,"spec":"…"` where it has one.
    pub(super) name: String,
    /// The same of its discount lines, which have no specification.
    pub(super) bare_name: String,
    /// `,"unit":"…"`.
    pub(super) unit: String,
    /// `,"tax_rate":"…","tax":"`.
    pub(super) rate: String,
    /// `"}`, behind a classification code where the merchant's software writes one.
    pub(super) end: String,
    /// Rate in millionths; 0 where free of tax.
    pub(super) millionths: i64,
    /// Price of a unit in fen, without tax.
    pub(super) price: i64,
    /// How it is sold.
    pub(super) sold: Sold,
}

/// The products of a merchant, tens to hundreds.
pub(super) fn products(dice: &mut Dice, trade: &'static Trade, small: bool) -> Vec<Product> {
    let coded = dice.random_bool(0.9);
    let count = dice.random_range(PRODUCTS.0..=PRODUCTS.1);
    (0..count)
        .map(|_| {
            let good = one_of(dice, &trade.goods);
            product(dice, good, small, coded)
        })
        .collect()
}

fn product(dice: &mut Dice, good: &'static Good, small: bool, coded: bool) -> Product {
    // Goods have brands, services mostly say what for.
    let name = if good.specs.is_empty() {
        match dice.random_range(0..4) {
            0 => format!("{}（{}）", good.name, trade_name(dice)),
            1 => format!("{}（{}月）", good.name, dice.random_range(1..=12)),
            _ => good.name.to_owned(),
        }
    } else {
        let (class, word) = good.name.rsplit_once('*').unwrap_or(("", good.name));
        format!("{class}*{}{word}", trade_name(dice))
    };
    let spec = match dice.random_range(0..10) {
        _ if good.specs.is_empty() => String::new(),
        0 => String::new(),
        1..4 => {
            let model = dice.random_range(100..10_000);
            format!(",\"spec\":\"{} HX-{model}\"", one_of(dice, &good.specs))
        }
        _ => format!(",\"spec\":\"{}\"", one_of(dice, &good.specs)),
    };
    let rate = good.rate.map(|rate| if small { SMALL } else { rate });
    let millionths = i64::from(rate.unwrap_or(0));
    let rate = match rate {
        None => "免税".to_owned(),
        Some(rate) => format!("0.{:02}", rate / SMALL),
    };
    let (low, high) = good.price;
    let bare_name = format!("{{\"name\":\"{name}\"");
    Product {
        name: format!("{bare_name}{spec}"),
        bare_name,
        unit: format!(",\"unit\":\"{}\"", good.unit),
        rate: format!("\",\"tax_rate\":\"{rate}\",\"tax\":\""),
        end: if coded {
            format!("\",\"tax_code\":\"{}\"}}", good.tax_code)
        } else {
            "\"}".to_owned()
        },
        millionths,
        price: dice.random_range(low..=high),
        sold: good.sold,
    }
}

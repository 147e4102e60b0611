//! Whatever the lengths: everything is on the page and nothing lies over anything else.

use print::{Item, Layout, Text};
use proptest::prelude::*;
use serde_json::Value;

use super::{laid_out, papers};

/// What a run of text covers: from a little below its capital height to its base line.
fn covered(text: &Text) -> (i32, i32, i32, i32) {
    (
        text.x,
        text.y - text.size * 7 / 10,
        text.x + text.width(),
        text.y,
    )
}

fn judge(layout: &Layout) -> Result<(), TestCaseError> {
    for page in &layout.pages {
        let texts: Vec<&Text> = page.texts().collect();
        for (number, one) in texts.iter().enumerate() {
            let (left, top, right, bottom) = covered(one);
            prop_assert!(
                left >= 4_000 && top >= 0 && right <= 206_000 && bottom <= 140_000,
                "{one:?}"
            );
            for other in &texts[number + 1..] {
                let (l, t, r, b) = covered(other);
                prop_assert!(
                    l >= right - 20 || r <= left + 20 || t >= bottom || b <= top,
                    "{one:?} lies over {other:?}"
                );
            }
            for item in &page.items {
                if let Item::Line { from, to, .. } = item
                    && from.1 == to.1
                {
                    let inside = from.1 > top && from.1 < bottom;
                    let beside = to.0.max(from.0) <= left || to.0.min(from.0) >= right;
                    prop_assert!(!inside || beside, "{one:?} is struck out by {item:?}");
                }
            }
        }
    }
    Ok(())
}

/// A text of up to so many characters of any kind that a record may hold.
fn words(most: usize) -> impl Strategy<Value = String> {
    let characters = prop_oneof![
        4 => prop::char::range('一', '龥'),
        2 => prop::char::range('!', '~'),
        1 => Just('Ｗ'),
        1 => Just('𰻝'),
    ];
    prop::collection::vec(characters, 1..=most).prop_map(String::from_iter)
}

fn figures() -> impl Strategy<Value = (String, String)> {
    // 1 × 100 or 100 × 1, written with up to 25 characters.
    (0..22_usize, any::<bool>()).prop_map(|(zeros, swap)| {
        let long = format!("100.{:0<width$}", "0", width = zeros.max(1));
        let (long, short) = (long.chars().take(25).collect(), "1".to_owned());
        if swap { (short, long) } else { (long, short) }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_invoice_of_any_lengths_fits(
        lines in prop::collection::vec((words(200), words(200), words(50), figures()), 1..12),
        buyer in words(200),
        seller in words(200),
        note in words(900),
    ) {
        let record = papers::invoice(lines.len(), |invoice| {
            for (line, (name, spec, unit, (quantity, price))) in
                invoice["lines"].as_array_mut().unwrap().iter_mut().zip(&lines)
            {
                line["name"] = name.clone().into();
                line["spec"] = spec.clone().into();
                line["unit"] = unit.clone().into();
                line["quantity"] = quantity.clone().into();
                line["unit_price"] = price.clone().into();
            }
            invoice["buyer"]["name"] = buyer.into();
            invoice["seller"]["name"] = seller.into();
            invoice["note"] = note.into();
        });
        prop_assume!(record.len() < 16_384);
        let layout = laid_out(&record);
        judge(&layout)?;
        let pages = layout.pages.len();
        let names = layout.pages.iter().flat_map(print::Page::texts)
            .filter(|text| text.tag == Some(print::Tag::LineAmount)).count();
        prop_assert_eq!(names, lines.len(), "on {} pages", pages);
    }

    #[test]
    fn a_bill_of_any_lengths_fits(
        items in prop::collection::vec((words(200), words(50)), 1..24),
        issuer in words(200),
    ) {
        let mut record: Value = serde_json::from_str(&papers::bill(items.len(), "inpatient")).unwrap();
        for (item, (name, code)) in record["bill"]["items"].as_array_mut().unwrap().iter_mut().zip(&items) {
            item["name"] = name.clone().into();
            item["code"] = code.clone().into();
        }
        record["bill"]["issuer"]["name"] = issuer.into();
        let record = record.to_string();
        prop_assume!(record.len() < 16_384);
        judge(&laid_out(&record))?;
    }
}

#[test]
fn the_largest_sums_fit() {
    let record = papers::invoice(1, |invoice| {
        invoice["lines"] = serde_json::json!([{
            "name": "*a*b", "amount": "9999999999.99", "tax_rate": "0", "tax": "0.00",
        }]);
        invoice["total_without_tax"] = "9999999999.99".into();
        invoice["total_tax"] = "0.00".into();
        invoice["total"] = "9999999999.99".into();
    });
    judge(&laid_out(&record)).unwrap();
}

//! What every page has beside its form: captions below it, the QR code, the page's number.

use std::ops::Range;

use crate::fonts::OpenFonts;
use crate::model::{Colour, Item, Page, Tag, Um};
use crate::pen::{Align, Area, Pen};
use crate::source::Context;

/// Size of the usual text: 9 pt.
pub(crate) const TEXT: Um = 3_175;
/// Size of captions.
pub(crate) const SMALL: Um = 2_000;
/// Width of a page.
pub(crate) const WIDTH: Um = 210_000;
/// Left edge of the form.
pub(crate) const LEFT: Um = 5_000;
/// Its right edge.
pub(crate) const RIGHT: Um = 205_000;

/// An empty page.
pub(crate) fn page(height: Um) -> Page {
    Page {
        width: WIDTH,
        height,
        items: Vec::new(),
    }
}

/// Title, double rule, QR code, and the captions at the right.
pub(crate) fn head(
    pen: &mut Pen<'_, '_>,
    context: &Context<'_>,
    title: &str,
    colour: Colour,
    right: &[(&str, String, Tag)],
) {
    let area = Area {
        x: 55_000,
        y: 6_000,
        width: 92_000,
        height: 10_000,
    };
    pen.centred(title, area, Align::Centre, 6_000, colour, None);
    pen.rule((60_000, 17_200), (142_000, 17_200), colour);
    pen.rule((60_000, 18_200), (142_000, 18_200), colour);
    if context.qr.is_some() {
        let (x, y) = (LEFT + 2_000, 4_500);
        pen.page.items.push(Item::Qr { x, y, size: 22_000 });
    }
    for ((label, value, tag), row) in right.iter().zip(0..) {
        let y = 12_500 + row * 5_000;
        let x = pen.line_at(&format!("{label}："), (150_000, y), TEXT, colour, None);
        pen.line_at(value, (x, y), TEXT, Colour::BLACK, Some(*tag));
    }
}

/// What stands below the form: where it is recorded, how it is checked, and the page's number.
pub(crate) fn foot(pen: &mut Pen<'_, '_>, context: &Context<'_>, top: Um, page: usize, of: usize) {
    let words = context.wording;
    let mut lines = Vec::new();
    if let Some(place) = &context.recorded {
        lines.push(format!(
            "{} {} · {} {} · {} {} · {}",
            words.of("登记链", "Chain"),
            place.chain,
            words.of("区块", "block"),
            place.height,
            words.of("序号", "leaf"),
            place.index,
            place.time,
        ));
    }
    let origin = if context.registered {
        words.of(
            " · 由主管机关登记，原件在别处开具",
            " · registered by an authority; issued elsewhere",
        )
    } else {
        ""
    };
    lines.push(format!("SM3 {}{origin}", context.digest));
    lines.push(format!(
        "{}{}{}",
        words.origin(context.proved, context.attached),
        words.of("", " "),
        words.code(context.qr.is_some(), context.stamped),
    ));
    for (line, row) in lines.iter().zip(0..) {
        let area = Area {
            x: LEFT,
            y: top + row * 2_500,
            width: 172_000,
            height: 2_500,
        };
        pen.centred(line, area, Align::Left, SMALL, Colour::GREY, None);
    }
    let area = Area {
        x: RIGHT - 25_000,
        y: top,
        width: 25_000,
        height: 4_000,
    };
    let number = match words {
        crate::Wording::Zh => format!("共{of}页 第{page}页"),
        crate::Wording::En => format!("Page {page} of {of}"),
    };
    pen.centred(&number, area, Align::Right, 2_600, Colour::GREY, None);
}

/// Below the captions: the characters that could not be printed. Known only when everything else
/// is laid out.
pub(crate) fn name_missing(
    pages: &mut [Page],
    fonts: &mut OpenFonts<'_>,
    context: &Context<'_>,
    top: Um,
) {
    if fonts.missing.is_empty() {
        return;
    }
    let missing: Vec<char> = fonts.missing.iter().copied().collect();
    let text = context.wording.missing(&missing, context.attached);
    for page in pages {
        let area = Area {
            x: LEFT,
            y: top,
            width: RIGHT - LEFT,
            height: 4_000,
        };
        Pen { fonts, page }.centred(&text, area, Align::Left, SMALL, Colour::BLACK, None);
    }
}

/// The rows of each page: one page where all fit into the room that is left beside the totals; else
/// every page has a subtotal, for which `full`, the room of a page without totals, has made way.
pub(crate) fn divide(heights: &[Um], alone: Um, full: Um, subtotal: Um) -> Vec<Range<usize>> {
    if heights.iter().sum::<Um>() <= alone {
        paginate(heights, alone, alone)
    } else {
        paginate(heights, full, alone - subtotal)
    }
}

/// Where rows of known heights go: the range of rows of each page. The last page has less room,
/// and at least one row.
fn paginate(heights: &[Um], room: Um, room_last: Um) -> Vec<Range<usize>> {
    let mut pages = Vec::new();
    let mut from = 0;
    loop {
        let rest = heights.get(from..).unwrap_or_default();
        if rest.iter().sum::<Um>() <= room_last || rest.len() <= 1 {
            pages.push(from..heights.len());
            return pages;
        }
        let mut used = 0;
        let mut taken = 0;
        for height in rest.iter().take(rest.len() - 1) {
            if taken > 0 && used + height > room {
                break;
            }
            used += height;
            taken += 1;
        }
        pages.push(from..from + taken);
        from += taken;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_row_has_one_place_and_every_page_has_room(
            heights in prop::collection::vec(1_000..20_000_i32, 1..200),
        ) {
            let (room, room_last) = (45_000, 22_000);
            let pages = paginate(&heights, room, room_last);
            let all: Vec<usize> = pages.iter().cloned().flatten().collect();
            prop_assert_eq!(all, (0..heights.len()).collect::<Vec<_>>());
            for (number, rows) in pages.iter().enumerate() {
                let last = number + 1 == pages.len();
                let used: Um = heights[rows.clone()].iter().sum();
                let allowed = if last { room_last } else { room };
                prop_assert!(used <= allowed);
                prop_assert!(!rows.is_empty());
            }
        }
    }
}

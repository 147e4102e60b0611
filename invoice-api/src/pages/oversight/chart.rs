//! Charts as SVG, drawn by the server: bars over time, shares, and who tried what who held.
//!
//! Every chart has a title and a description for those who do not see it, and the page shows the
//! same figures as a table beside it. Colours come from the style sheet by class.

use std::fmt::Write as _;

use crate::pages::escape;

/// One bar: what it stands for, its length, and where it leads.
#[derive(Debug, Clone)]
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: u64,
    /// What is told on pointing at it.
    pub(super) told: String,
    pub(super) link: Option<String>,
}

/// What a chart is of.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    /// Unique on its page.
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    pub(super) description: &'a str,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 64.0;
const BOTTOM: f64 = 26.0;
const TOP: f64 = 12.0;
/// Labels under the bars of time.
const LABELS: usize = 8;
/// Height of a row of horizontal bars.
const ROW: f64 = 24.0;
/// Width of the names beside them.
const NAMES: f64 = 200.0;
/// Side of a cell of the heat map.
const CELL: f64 = 34.0;
/// Members on each side of the heat map.
pub(super) const HEAT_MAX: usize = 12;

fn open(svg: &mut String, about: &About<'_>, width: f64, height: f64) {
    let (id, title, description) = (
        escape(about.id),
        escape(about.title),
        escape(about.description),
    );
    // Writing into a text cannot fail, here and below.
    let _ = write!(
        svg,
        "<svg class=\"chart\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"group\" \
         aria-labelledby=\"{id}-t {id}-d\"><title id=\"{id}-t\">{title}</title>\
         <desc id=\"{id}-d\">{description}</desc>"
    );
}

/// The top of the scale: the value rounded up to one, two or five and zeros.
fn scale(highest: u64) -> u64 {
    let mut step = 1_u64;
    loop {
        for times in [1_u64, 2, 5] {
            let top = step.saturating_mul(times);
            if top >= highest.max(1) {
                return top;
            }
        }
        step = step.saturating_mul(10);
    }
}

/// A bar as a link that says what it is of, where it leads somewhere.
fn linked(svg: &mut String, bar: &Bar, inside: &str) {
    match &bar.link {
        Some(link) => {
            let (link, told) = (escape(link), escape(&bar.told));
            let _ = write!(svg, "<a href=\"{link}\" aria-label=\"{told}\">{inside}</a>");
        }
        None => svg.push_str(inside),
    }
}

/// Bars over time, from the left.
pub(super) fn bars(about: &About<'_>, bars: &[Bar]) -> String {
    let mut svg = String::new();
    open(&mut svg, about, WIDTH, HEIGHT);
    let highest = bars.iter().map(|bar| bar.value).max().unwrap_or(0);
    let top = scale(highest);
    let room = HEIGHT - BOTTOM - TOP;
    let base = HEIGHT - BOTTOM;
    for part in [0.0, 0.5, 1.0] {
        let y = base - room * part;
        let value = top as f64 * part;
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"axis\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            y + 4.0,
            short(value)
        );
    }
    let step = (WIDTH - LEFT) / bars.len().max(1) as f64;
    let every = bars.len().div_ceil(LABELS).max(1);
    for (place, bar) in bars.iter().enumerate() {
        let x = LEFT + step * place as f64;
        let height = room * bar.value as f64 / top as f64;
        if bar.value > 0 {
            let inside = format!(
                "<rect class=\"bar\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\">\
                 <title>{}</title></rect>",
                x + step * 0.1,
                base - height.max(1.0),
                step * 0.8,
                height.max(1.0),
                escape(&bar.told)
            );
            linked(&mut svg, bar, &inside);
        }
        if place % every == 0 {
            let _ = write!(
                svg,
                "<text class=\"axis\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
                HEIGHT - 8.0,
                escape(&bar.label)
            );
        }
    }
    svg.push_str("</svg>");
    svg
}

/// A line over time, for what has no natural zero in between.
pub(super) fn line(about: &About<'_>, points: &[Bar]) -> String {
    let mut svg = String::new();
    open(&mut svg, about, WIDTH, HEIGHT);
    let top = scale(points.iter().map(|point| point.value).max().unwrap_or(0));
    let room = HEIGHT - BOTTOM - TOP;
    let base = HEIGHT - BOTTOM;
    for part in [0.0, 1.0] {
        let y = base - room * part;
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"axis\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            y + 4.0,
            short(top as f64 * part)
        );
    }
    let step = (WIDTH - LEFT) / points.len().saturating_sub(1).max(1) as f64;
    svg.push_str("<polyline class=\"line\" points=\"");
    for (place, point) in points.iter().enumerate() {
        let x = LEFT + step * place as f64;
        let y = base - room * point.value as f64 / top as f64;
        let _ = write!(svg, "{x:.1},{y:.1} ");
    }
    svg.push_str("\"/>");
    for (place, point) in points.iter().enumerate() {
        let every = points.len().div_ceil(LABELS).max(1);
        if place % every == 0 {
            let _ = write!(
                svg,
                "<text class=\"axis\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                LEFT + step * place as f64,
                HEIGHT - 8.0,
                escape(&point.label)
            );
        }
    }
    svg.push_str("</svg>");
    svg
}

/// Shares, one below the other.
pub(super) fn shares(about: &About<'_>, bars: &[Bar]) -> String {
    let mut svg = String::new();
    let height = ROW * bars.len().max(1) as f64;
    open(&mut svg, about, WIDTH, height);
    let highest = bars.iter().map(|bar| bar.value).max().unwrap_or(0).max(1);
    for (place, bar) in bars.iter().enumerate() {
        let y = ROW * place as f64;
        let room = WIDTH - NAMES - 90.0;
        let width = (room * bar.value as f64 / highest as f64).max(1.0);
        let inside = format!(
            "<rect class=\"bar\" x=\"{NAMES}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\">\
             <title>{}</title></rect>",
            y + 4.0,
            ROW - 8.0,
            escape(&bar.told)
        );
        let _ = write!(
            svg,
            "<text class=\"name\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            NAMES - 8.0,
            y + 16.0,
            escape(&bar.label)
        );
        linked(&mut svg, bar, &inside);
        let _ = write!(
            svg,
            "<text class=\"axis\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            NAMES + width + 6.0,
            y + 16.0,
            bar.value
        );
    }
    svg.push_str("</svg>");
    svg
}

/// A cell of the heat map: row, column, value, what is told, where it leads.
#[derive(Debug, Clone)]
pub(super) struct Heat {
    pub(super) row: usize,
    pub(super) column: usize,
    pub(super) value: u64,
    pub(super) told: String,
    pub(super) link: String,
}

/// Who tried (rows) what who held (columns): the darker, the more often. Five steps, each with its
/// number in the cell, so that nothing is told by colour alone.
pub(super) fn heat(
    about: &About<'_>,
    rows: &[String],
    columns: &[String],
    cells: &[Heat],
) -> String {
    let mut svg = String::new();
    let width = NAMES + CELL * columns.len() as f64 + 8.0;
    let head = 130.0;
    let height = head + CELL * rows.len() as f64 + 8.0;
    open(&mut svg, about, width.max(360.0), height);
    for (place, name) in columns.iter().enumerate() {
        let x = NAMES + CELL * (place as f64 + 0.6);
        let _ = write!(
            svg,
            "<text class=\"name\" transform=\"translate({x:.1} {:.1}) rotate(-45)\">{}</text>",
            head - 6.0,
            escape(&clipped(name, 10))
        );
    }
    for (place, name) in rows.iter().enumerate() {
        let _ = write!(
            svg,
            "<text class=\"name\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            NAMES - 8.0,
            head + CELL * (place as f64 + 0.6),
            escape(&clipped(name, 14))
        );
    }
    let highest = cells
        .iter()
        .map(|cell| cell.value)
        .max()
        .unwrap_or(1)
        .max(1);
    for cell in cells {
        let step = cell.value.saturating_mul(4).div_ceil(highest).clamp(1, 4);
        let x = NAMES + CELL * cell.column as f64;
        let y = head + CELL * cell.row as f64;
        let _ = write!(
            svg,
            "<a href=\"{}\" aria-label=\"{}\"><rect class=\"heat{step}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" \
             height=\"{:.1}\"><title>{}</title></rect><text class=\"heat{step}-n\" x=\"{:.1}\" \
             y=\"{:.1}\" text-anchor=\"middle\">{}</text></a>",
            escape(&cell.link),
            escape(&cell.told),
            CELL - 2.0,
            CELL - 2.0,
            escape(&cell.told),
            x + CELL / 2.0 - 1.0,
            y + CELL / 2.0 + 4.0,
            short(cell.value as f64)
        );
    }
    svg.push_str("</svg>");
    svg
}

fn clipped(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A number in at most five characters.
fn short(value: f64) -> String {
    match value {
        value if value >= 1e9 => format!("{:.1}G", value / 1e9),
        value if value >= 1e6 => format!("{:.1}M", value / 1e6),
        value if value >= 1e4 => format!("{:.0}k", value / 1e3),
        value => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(value: u64) -> Bar {
        Bar {
            label: "<08>".to_owned(),
            value,
            told: "\"&".to_owned(),
            link: Some("/x?a=1&b=2".to_owned()),
        }
    }

    const ABOUT: About<'_> = About {
        id: "c",
        title: "<t>",
        description: "d",
    };

    #[test]
    fn scales_are_round_and_never_below_the_highest() {
        for (highest, top) in [
            (0, 1),
            (1, 1),
            (3, 5),
            (7, 10),
            (11, 20),
            (51, 100),
            (501, 1_000),
        ] {
            assert_eq!(scale(highest), top);
        }
        assert_eq!(scale(u64::MAX), u64::MAX);
    }

    #[test]
    fn names_and_links_are_only_text() {
        let many = [bar(1), bar(0), bar(9)];
        for svg in [
            bars(&ABOUT, &many),
            shares(&ABOUT, &many),
            line(&ABOUT, &many),
        ] {
            assert!(!svg.contains("<08>") && svg.contains("&lt;08&gt;"), "{svg}");
            assert!(svg.contains("<title id=\"c-t\">&lt;t&gt;</title>"));
            assert!(svg.ends_with("</svg>") && !svg.contains("NaN") && !svg.contains("style="));
        }
        assert!(bars(&ABOUT, &many).contains("/x?a=1&amp;b=2"));
        assert!(!bars(&ABOUT, &[]).contains("NaN"));
    }

    #[test]
    fn a_cell_says_its_number() {
        let cell = Heat {
            row: 0,
            column: 0,
            value: 7,
            told: "<x>".to_owned(),
            link: "/y".to_owned(),
        };
        let svg = heat(&ABOUT, &["a".to_owned()], &["b".to_owned()], &[cell]);
        assert!(svg.contains(">7</text>") && svg.contains("&lt;x&gt;"));
    }
}

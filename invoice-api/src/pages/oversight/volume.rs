//! One measure over time, by region and kind.

use std::fmt::Write as _;

use oversight::{Measure, REGIONS, SeriesView, Share};

use super::chart::{self, About, Bar};
use super::parts::{self, Viewer, address, basis, day, figures, hour, list, minute};
use crate::pages::escape;
use crate::routes::Query;

/// Shares that a chart shows; the table has all.
const BARS_MAX: usize = 12;

/// What a measure is called.
pub(super) fn measure_word(viewer: Viewer, measure: Measure) -> &'static str {
    let (zh, en) = match measure {
        Measure::Issued => ("开具", "issued"),
        Measure::Reversed => ("红冲", "reversed"),
        Measure::Locked => ("锁定", "locked"),
        Measure::Settled => ("入账", "settled"),
        Measure::Refused => ("被拒", "refused"),
        Measure::Attempted => ("重复报销尝试", "attempted double claims"),
    };
    viewer.of_two(zh, en)
}

pub(super) fn body(viewer: Viewer, view: &SeriesView, query: &Query) -> String {
    let of = |zh: &'static str, en: &'static str| viewer.of_two(zh, en);
    let measure = Measure::from_word(&view.measure).unwrap_or(Measure::Issued);
    let word = measure_word(viewer, measure);
    let hours = view.level == "hour";
    let text = |name: &str| query.text(name).unwrap_or_default();
    let (region, kind) = (text("region"), text("kind"));
    let link = |from: &str, to: &str| {
        [
            ("measure", view.measure.clone()),
            ("from", from.to_owned()),
            ("to", to.to_owned()),
            ("region", region.to_owned()),
            ("kind", kind.to_owned()),
        ]
    };
    let bucket_name = |start| if hours { hour(start) } else { day(start) };
    let mut bars = Vec::new();
    let mut rows = Vec::new();
    for bucket in &view.buckets {
        let at = bucket_name(bucket.start);
        let parameters = link(&at, &at);
        let parameters: Vec<(&str, &str)> = parameters
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let label = match hours {
            true => at.get(5..).unwrap_or_default().replace('T', " ") + ":00",
            false => at.get(5..).unwrap_or_default().to_owned(),
        };
        bars.push(Bar {
            label,
            value: bucket.sum.count,
            told: format!(
                "{}: {} (¥ {})",
                minute(bucket.start),
                bucket.sum.count,
                bucket.sum.amount
            ),
            link: Some(address("records", &parameters)),
        });
        if bucket.sum.count > 0 {
            rows.push(vec![
                minute(bucket.start),
                list(bucket.sum.count, &parameters),
                bucket.sum.amount.to_string(),
            ]);
        }
    }
    rows.reverse();
    let about = About {
        id: "volume",
        title: word,
        description: of(
            "每根柱为一小时或一天的数量，点击查看清单",
            "Each bar is the number of an hour or a day and leads to its list",
        ),
    };
    let columns = [
        (of("时间", "Time"), false),
        (of("数量", "Number"), true),
        (of("金额（元）", "Amount (yuan)"), true),
    ];
    let chart = chart::bars(&about, &bars) + &figures(viewer, word, &columns, &rows);
    let (first, last) = (view.buckets.first(), view.buckets.last());
    let range = first
        .zip(last)
        .map(|(first, last)| (bucket_name(first.start), bucket_name(last.start)));
    let shares = |id: &str, title: &'static str, parameter: &'static str, shares: &[Share]| {
        let (from, to) = range.clone().unwrap_or_default();
        let mut bars = Vec::new();
        let mut rows = Vec::new();
        for share in shares {
            let number = share.number.to_string();
            let name = viewer.of_two(&share.zh, &share.en).clone();
            let mut parameters = vec![
                ("measure", view.measure.as_str()),
                ("from", &from),
                ("to", &to),
            ];
            let other = if parameter == "region" {
                ("kind", kind)
            } else {
                ("region", region)
            };
            parameters.extend([other, (parameter, number.as_str())]);
            let narrowed = [&parameters[..], &[("level", view.level.as_str())]].concat();
            bars.push(Bar {
                label: name.clone(),
                value: share.sum.count,
                told: format!("{name}: {} (¥ {})", share.sum.count, share.sum.amount),
                link: Some(address("volume", &narrowed)),
            });
            rows.push(vec![
                escape(&name),
                list(share.sum.count, &parameters),
                share.sum.amount.to_string(),
            ]);
        }
        bars.truncate(BARS_MAX);
        let about = About {
            id,
            title,
            description: of(
                "每条为一项的数量，点击只看该项",
                "Each bar is the number of one of them; it leads to that one alone",
            ),
        };
        let columns = [
            (of("名称", "Name"), false),
            (of("数量", "Number"), true),
            (of("金额（元）", "Amount (yuan)"), true),
        ];
        format!(
            "<h2>{title}</h2>{}{}",
            chart::shares(&about, &bars),
            figures(viewer, title, &columns, &rows)
        )
    };
    let regions = shares(
        "regions",
        of("按地区", "By region"),
        "region",
        &view.regions,
    );
    let kinds = shares("kinds", of("按票种", "By kind"), "kind", &view.kinds);
    let shown = match &range {
        Some((from, to)) => format!(
            "<p class=\"note\">{} {} – {}</p>",
            of("显示范围", "Shown:"),
            from.replace('T', " "),
            to.replace('T', " ")
        ),
        None => String::new(),
    };
    let cut = match view.cut {
        true => format!(
            "<p class=\"box warn\">{}</p>",
            of(
                "所选范围超出一次可显示的范围，只显示最近部分。",
                "More was asked for than is shown at once; this is the newest part."
            )
        ),
        false => String::new(),
    };
    format!(
        "{}{}{cut}<h2>{word}</h2>{shown}{chart}{regions}{kinds}",
        basis(viewer, &view.as_of),
        form(viewer, measure, view, query)
    )
}

fn form(viewer: Viewer, measure: Measure, view: &SeriesView, query: &Query) -> String {
    let of = |zh: &'static str, en: &'static str| viewer.of_two(zh, en);
    let mut html = format!(
        "<form method=\"get\" action=\"/oversight/volume\" class=\"row\"><div><label for=\"measure\">{}</label><select id=\"measure\" name=\"measure\">",
        of("指标", "Measure")
    );
    let option = |html: &mut String, value: &str, word: &str, chosen: bool| {
        let selected = if chosen { " selected" } else { "" };
        // Writing into a text cannot fail.
        let _ = write!(
            html,
            "<option value=\"{}\"{selected}>{}</option>",
            escape(value),
            escape(word)
        );
    };
    for known in Measure::ALL {
        option(
            &mut html,
            known.as_str(),
            measure_word(viewer, known),
            known == measure,
        );
    }
    let _ = write!(
        html,
        "</select></div><div><label for=\"level\">{}</label><select id=\"level\" name=\"level\">",
        of("粒度", "By")
    );
    option(&mut html, "hour", of("小时", "hour"), view.level == "hour");
    option(&mut html, "day", of("天", "day"), view.level == "day");
    let _ = write!(
        html,
        "</select></div><div><label for=\"region\">{}</label><select id=\"region\" name=\"region\">",
        of("地区", "Region")
    );
    let region = query.text("region").unwrap_or_default();
    option(&mut html, "", of("全部", "all"), region.is_empty());
    for (number, zh, en) in REGIONS {
        let number = number.to_string();
        option(&mut html, &number, viewer.of_two(zh, en), number == region);
    }
    html.push_str("</select></div>");
    for (name, label) in [
        ("from", of("从（日期或小时）", "From (day or hour)")),
        ("to", of("到", "To")),
    ] {
        let value = escape(query.text(name).unwrap_or_default());
        let _ = write!(
            html,
            "<div><label for=\"{name}\">{label}</label><input id=\"{name}\" name=\"{name}\" value=\"{value}\" placeholder=\"2026-11-21\" maxlength=\"13\" autocomplete=\"off\"></div>"
        );
    }
    let kind = query.text("kind").unwrap_or_default();
    if !kind.is_empty() {
        let _ = write!(
            html,
            "<input type=\"hidden\" name=\"kind\" value=\"{}\">",
            escape(kind)
        );
    }
    let all = parts::address("volume", &[("measure", measure.as_str())]);
    let _ = write!(
        html,
        "<button type=\"submit\">{}</button><a class=\"button quiet\" href=\"{}\">{}</a></form>",
        of("查看", "Show"),
        escape(&all),
        of("清除条件", "All of it"),
    );
    html
}

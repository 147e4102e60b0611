//! Checks while records come in.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use invoice_core::record::Body;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;

use super::http::Connection;
use super::node::Served;
use super::process::Stages;
use super::sockets::{Sending, Way};
use super::store::StoreFolder;
use super::tally::Latencies;
use super::{Failure, report, signed};
use crate::cast::{Cast, Player};
use crate::documents::Press;
use crate::input::Lines;

/// Items of one request, the most that there may be.
const ITEMS: usize = 1_000;
/// Requests that are prepared and sent over and over.
const BODIES: usize = 24;

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// What lay in the store.
    pub store: String,
    /// Documents checked in a second.
    pub items_per_second: f64,
    /// Half of the requests, of 1,000 items, were answered within this time.
    pub p50_ms: f64,
    /// 99 of 100 were.
    pub p99_ms: f64,
    /// Share of items that were found as they are, in percent.
    pub found_percent: f64,
    /// Records that came in meanwhile, a second.
    pub records_per_second: f64,
    /// Processor time of the node for each checked item, what it spent on records included.
    pub cpu_us_per_item: f64,
    /// Processor time by name of thread, in seconds.
    pub stages: std::collections::BTreeMap<String, f64>,
}

/// Checks documents of the filling for so many seconds while records come in.
///
/// # Errors
/// The node fails.
pub fn run(
    store: &StoreFolder,
    cast: &Cast,
    input: &Path,
    connections: usize,
    records_per_second: usize,
    batch: usize,
    seconds: u64,
) -> Result<Checked, Failure> {
    let bodies = Arc::new(bodies(store, cast)?);
    let served = Served::start(store, None)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let asker = cast.employers.first().ok_or("nobody asks")?;
    let checked = runtime.block_on(async {
        let until = Instant::now() + Duration::from_secs(seconds);
        let ways = Way::Bulk {
            connections: 2,
            window: 8,
        };
        let sending = Sending::new(Lines::open(input)?)
            .until(until)
            .pace(records_per_second as f64 / batch as f64);
        let stages = Stages::watch(served.pid());
        let started = Instant::now();
        let coming = tokio::spawn(sending.send(vec![served.address], ways));
        let mut askers = tokio::task::JoinSet::new();
        for number in 0..connections.max(1) {
            let bodies = Arc::clone(&bodies);
            askers.spawn(ask(served.address, asker.clone(), bodies, number, until));
        }
        let (mut items, mut found, mut latencies) = (0, 0, Latencies::default());
        while let Some(asked) = askers.join_next().await {
            let (asked, right, times) = asked??;
            items += asked;
            found += right;
            latencies.add(&times);
        }
        let elapsed = started.elapsed().as_secs_f64();
        let sent = coming.await??;
        let stages = stages.end();
        let cpu: f64 = stages.values().sum();
        Ok::<_, Failure>(Checked {
            store: store.words(),
            items_per_second: items as f64 / elapsed,
            p50_ms: latencies.percentile_ms(50.0),
            p99_ms: latencies.percentile_ms(99.0),
            found_percent: found as f64 * 100.0 / items.max(1) as f64,
            records_per_second: sent.tally.answered() as f64 / sent.seconds,
            cpu_us_per_item: cpu * 1e6 / items.max(1) as f64,
            stages,
        })
    })?;
    served.stop()?;
    Ok(checked)
}

/// A table of it.
#[must_use]
pub fn table(checked: &Checked) -> String {
    let Checked {
        store,
        items_per_second,
        p50_ms,
        p99_ms,
        found_percent,
        records_per_second,
        cpu_us_per_item,
        stages,
    } = checked;
    let stages = report::stages(stages);
    format!(
        "| store | items/s | p50 ms of 1,000 | p99 ms | found | records/s meanwhile | CPU µs/item | CPU s |\n\
         |---|---:|---:|---:|---:|---:|---:|---|\n\
         | {store} | {items_per_second:.0} | {p50_ms:.1} | {p99_ms:.1} | {found_percent:.1} % | \
         {records_per_second:.0} | {cpu_us_per_item:.1} | {stages} |"
    )
}

/// Requests about documents from everywhere in the filling.
fn bodies(store: &StoreFolder, cast: &Cast) -> Result<Vec<String>, Failure> {
    let about = &store.about;
    let press = Press::new(cast, about.profile, about.setting.seed, store.at());
    let batch = about.batch;
    let mut plan = crate::input::plan::Plan::new(
        &press,
        about.setting.seed,
        batch,
        0,
        super::fill::FIRST_SERIAL,
    );
    let mut ends = vec![super::fill::FIRST_SERIAL; cast.issuers.len()];
    for _ in 0..about.envelopes {
        let item = plan.next_of(usize::MAX);
        ends[item.issuer] += item.fresh as u64;
    }
    let issued: Vec<usize> = (0..ends.len())
        .filter(|issuer| ends[*issuer] > super::fill::FIRST_SERIAL)
        .collect();
    if issued.is_empty() {
        return Err("库中没有灌入的票据 / the store was not filled".into());
    }
    let mut dice = StdRng::seed_from_u64(about.setting.seed);
    let mut bodies = Vec::new();
    for _ in 0..BODIES {
        let mut items = Vec::new();
        while items.len() < ITEMS {
            let issuer = issued[dice.random_range(0..issued.len())];
            let serial = dice.random_range(super::fill::FIRST_SERIAL..ends[issuer]);
            let record = press.record(issuer, serial);
            // Bills also need their check code: invoices are enough to ask about.
            let Body::InvoiceIssue(issue) = &record.body else {
                continue;
            };
            let invoice = &issue.invoice;
            let (key, total, date) = (invoice.key, invoice.total, invoice.issue_date);
            items.push(format!(
                "{{\"document\":\"{key}\",\"amount\":\"{total}\",\"date\":\"{date}\"}}"
            ));
        }
        bodies.push(format!("{{\"items\":[{}]}}", items.join(",")));
    }
    Ok(bodies)
}

async fn ask(
    address: SocketAddr,
    asker: Player,
    bodies: Arc<Vec<String>>,
    first: usize,
    until: Instant,
) -> Result<(usize, usize, Latencies), Failure> {
    let mut connection = Connection::open(address).await?;
    let (mut answer, mut latencies) = (Vec::new(), Latencies::default());
    let (mut items, mut found, mut number) = (0, 0, first);
    while Instant::now() < until {
        let body = bodies[number % bodies.len()].as_bytes();
        let started = Instant::now();
        let path = "/v1/checks";
        let status = signed::ask(&mut connection, &asker, "POST", path, body, &mut answer).await?;
        latencies.push(started.elapsed());
        if status != 200 {
            return Err(format!("{status}: {}", String::from_utf8_lossy(&answer)).into());
        }
        items += ITEMS;
        found += memchr::memmem::find_iter(&answer, b"\"verdict\":\"claimable\"").count();
        number += 1;
    }
    Ok((items, found, latencies))
}

//! The supervisor's pages over a filled store while records come in.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use invoice_core::calendar::Instant as ChainTime;
use invoice_core::chain::ChainId;
use invoice_core::crypto::messages::batch_message;
use invoice_core::crypto::{HintedSignature, Signer as _};
use invoice_core::identity::{DocumentKey, RecordId};
use invoice_core::merkle;
use invoice_core::read::Spelled as _;
use invoice_core::record::{Body, ClaimKind, ClaimLock, Component, Record};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;
use serde_json::Value;

use super::http::Connection;
use super::node::Served;
use super::sockets::{Sending, Way};
use super::store::StoreFolder;
use super::tally::Latencies;
use super::{Failure, signed};
use crate::cast::{Cast, Player};
use crate::documents::Press;
use crate::input::Lines;
use crate::input::files::CHAIN;

/// Claims under one signature.
const CLAIMS_AT_ONCE: usize = 500;
/// How long a lock lives: longer than any measurement.
const LOCK_MS: i64 = 20 * 24 * 3_600_000;
/// How often it is looked whether the figures are complete.
const LOOK: Duration = Duration::from_millis(200);

/// How long the pages took.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    /// What lay in the store.
    pub store: String,
    /// The store's records over the seconds until the figures were complete, while nothing else was
    /// done: the speed of folding only where there were no figures before.
    pub folded_per_second: f64,
    /// Bytes of the file of figures.
    pub figures_bytes: u64,
    /// Records that came in a second while pages were asked for.
    pub records_per_second: f64,
    /// Blocks that the figures were behind at the end.
    pub behind: u64,
    /// Each page.
    pub pages: Vec<PageSeen>,
}

/// One page.
#[derive(Clone, Debug, Serialize)]
pub struct PageSeen {
    /// Its address.
    pub path: String,
    /// How often it was asked for.
    pub times: usize,
    /// Half of the answers took no longer.
    pub p50_ms: f64,
    /// 95 of 100 took no longer.
    pub p95_ms: f64,
    /// The longest.
    pub max_ms: f64,
    /// Bytes of the last answer.
    pub bytes: usize,
}

/// Folds a filled store, adds so many locks and as many attempts on what is locked, and asks for
/// every page again and again for so many seconds while records come in.
///
/// # Errors
/// The node fails, or a page is not answered with 200.
pub fn run(
    store: &StoreFolder,
    cast: &Cast,
    input: &Path,
    claims: usize,
    (records_per_second, batch): (usize, usize),
    seconds: u64,
) -> Result<Seen, Failure> {
    let tax = &cast.tax;
    let claimed = claims_of(store, cast, claims)?;
    let served = Served::start_with(store, &["--oversight".to_owned()])?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let seen = runtime.block_on(async {
        let mut connection = Connection::open(served.address).await?;
        let started = Instant::now();
        let basis = complete(&mut connection, tax).await?;
        let folded = number(&basis, "records");
        let folded_per_second = folded as f64 / started.elapsed().as_secs_f64();
        for body in &claimed.bodies {
            let (mut answer, headers) = (Vec::new(), "");
            let status = connection
                .ask("POST", "/v1/records", headers, body, &mut answer)
                .await?;
            if status != 200 {
                let text = String::from_utf8_lossy(&answer);
                return Err(format!("{status}: {text}").into());
            }
        }
        complete(&mut connection, tax).await?;
        let paths = paths(&mut connection, tax, &claimed).await?;
        let cookie = session(served.address, tax).await?;
        let until = Instant::now() + Duration::from_secs(seconds);
        let sending = Sending::new(Lines::open(input)?)
            .until(until)
            .pace(records_per_second as f64 / batch as f64);
        let ways = Way::Bulk {
            connections: 2,
            window: 8,
        };
        let coming = tokio::spawn(sending.send(vec![served.address], ways));
        let pages = ask(served.address, &cookie, &paths, until).await?;
        let sent = coming.await??;
        let behind = basis_of(&mut connection, tax).await?;
        Ok::<_, Failure>(Seen {
            store: store.words(),
            folded_per_second,
            figures_bytes: std::fs::metadata(store.node().join("figures.redb"))?.len(),
            records_per_second: sent.tally.answered() as f64 / sent.seconds,
            behind: number(&behind, "head").saturating_sub(number(&behind, "height")),
            pages,
        })
    })?;
    served.stop()?;
    Ok(seen)
}

/// A table of it.
#[must_use]
pub fn table(seen: &Seen) -> String {
    let mut text = format!(
        "Store: {}. Figures complete at {:.0} records/s; file of figures {} MiB. Meanwhile {:.0} \
         records/s came in; figures were {} blocks behind at the end.\n\n\
         | page | times | p50 ms | p95 ms | max ms | bytes |\n|---|---:|---:|---:|---:|---:|",
        seen.store,
        seen.folded_per_second,
        seen.figures_bytes >> 20,
        seen.records_per_second,
        seen.behind,
    );
    for page in &seen.pages {
        let PageSeen {
            path,
            times,
            p50_ms,
            p95_ms,
            max_ms,
            bytes,
        } = page;
        text.push_str(&format!(
            "\n| `{path}` | {times} | {p50_ms:.1} | {p95_ms:.1} | {max_ms:.1} | {bytes} |"
        ));
    }
    text
}

/// Envelopes of locks and attempts, and what of them pages are asked about.
struct Claimed {
    bodies: Vec<Vec<u8>>,
    document: DocumentKey,
    tried: String,
    held: String,
    merchant: String,
}

/// A lock of each of so many documents by its buyer, and an attempt on it by another employer.
fn claims_of(store: &StoreFolder, cast: &Cast, claims: usize) -> Result<Claimed, Failure> {
    let about = &store.about;
    let press = Press::new(cast, about.profile, about.setting.seed, store.at());
    let mut plan = crate::input::plan::Plan::new(
        &press,
        about.setting.seed,
        about.batch,
        0,
        super::fill::FIRST_SERIAL,
    );
    let mut dice = StdRng::seed_from_u64(about.setting.seed);
    let mut by_member: std::collections::BTreeMap<usize, (Vec<String>, Vec<String>)> =
        Default::default();
    let mut found = 0;
    let mut first = None;
    let mut envelopes = 0;
    while found < claims && envelopes < about.envelopes {
        let item = plan.next_of(usize::MAX);
        envelopes += 1;
        for serial in item.serials.iter().take(100) {
            let record = press.record(item.issuer, *serial);
            let Body::InvoiceIssue(issue) = &record.body else {
                continue;
            };
            let buyer = issue.invoice.buyer.organisation();
            let owner = cast
                .employers
                .iter()
                .position(|employer| Some(employer.id) == buyer);
            let Some(owner) = owner else { continue };
            let other = dice.random_range(0..cast.employers.len());
            // A few employers try more than others, so that pairs repeat.
            let other = if other % 3 > 0 { other % 12 } else { other };
            let key = issue.invoice.key;
            let at = store.at();
            let lock = |who: usize, kind: &str| lock(&cast.employers[who], kind, found, key, at);
            by_member
                .entry(owner)
                .or_default()
                .0
                .push(lock(owner, "held")?);
            by_member
                .entry(other)
                .or_default()
                .1
                .push(lock(other, "tried")?);
            if first.is_none() && other != owner {
                let merchant = record.by.to_string();
                let ids = [other, owner].map(|who| cast.employers[who].id.to_string());
                first = Some((key, ids, merchant));
            }
            found += 1;
            if found >= claims {
                break;
            }
        }
    }
    let (document, [tried, held], merchant) = first.ok_or("no document to claim")?;
    let mut bodies = Vec::new();
    // First everyone locks, then everyone tries.
    for (member, (locks, _)) in &by_member {
        for part in locks.chunks(CLAIMS_AT_ONCE) {
            bodies.push(envelope(&cast.employers[*member], part)?);
        }
    }
    for (member, (_, tries)) in &by_member {
        for part in tries.chunks(CLAIMS_AT_ONCE) {
            bodies.push(envelope(&cast.employers[*member], part)?);
        }
    }
    Ok(Claimed {
        bodies,
        document,
        tried,
        held,
        merchant,
    })
}

fn lock(
    by: &Player,
    kind: &str,
    number: usize,
    document: DocumentKey,
    at: ChainTime,
) -> Result<String, Failure> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let expires = i64::try_from(now.as_millis())? + LOCK_MS;
    let body = Body::ClaimLock(ClaimLock {
        document,
        amount: None,
        kind: ClaimKind::Employer,
        component: Component::Any,
        reference: format!("BX-{number}"),
        expires_at: ChainTime::from_ms(expires),
    });
    let id = RecordId::spelled(&format!("{kind}-{number}")).map_err(|rule| format!("{rule:?}"))?;
    let record = Record {
        id,
        by: by.id,
        at,
        body,
    };
    Ok(record.to_json())
}

fn envelope(by: &Player, records: &[String]) -> Result<Vec<u8>, Failure> {
    let chain: ChainId = CHAIN.parse().map_err(|_| "chain")?;
    let leaves: Vec<_> = records
        .iter()
        .map(|record| merkle::leaf_hash(record.as_bytes()))
        .collect();
    let count = u32::try_from(records.len())?;
    let message = batch_message(&chain, count, &merkle::root(&leaves), false);
    let signature = HintedSignature::with_hint(by.signer.sign(&message)?, by.signer.public_key());
    let kid = by.signer.public_key().kid();
    let sig = signature.to_base64();
    Ok(format!(
        r#"{{"kid":"{kid}","sig":"{sig}","records":[{}]}}"#,
        records.join(",")
    )
    .into_bytes())
}

fn number(basis: &Value, name: &str) -> u64 {
    basis[name].as_u64().unwrap_or(0)
}

async fn told(connection: &mut Connection, who: &Player, path: &str) -> Result<Value, Failure> {
    let mut answer = Vec::new();
    let status = signed::ask(connection, who, "GET", path, b"", &mut answer).await?;
    match status {
        200 => Ok(serde_json::from_slice(&answer)?),
        _ => Err(format!("{path}: {status}: {}", String::from_utf8_lossy(&answer)).into()),
    }
}

async fn basis_of(connection: &mut Connection, who: &Player) -> Result<Value, Failure> {
    let page = told(connection, who, "/v1/oversight/over-claims").await?;
    Ok(page["as_of"].clone())
}

/// Waits until the figures are of the whole chain.
async fn complete(connection: &mut Connection, who: &Player) -> Result<Value, Failure> {
    loop {
        let basis = basis_of(connection, who).await?;
        if number(&basis, "height") == number(&basis, "head") {
            return Ok(basis);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Every page with its usual parameters, a later page of each list, and what they lead to.
async fn paths(
    connection: &mut Connection,
    tax: &Player,
    claimed: &Claimed,
) -> Result<Vec<String>, Failure> {
    let Claimed {
        document,
        tried,
        held,
        merchant,
        ..
    } = claimed;
    let volume = told(connection, tax, "/v1/oversight/volume").await?;
    let buckets = volume["buckets"].as_array().ok_or("no buckets")?;
    let busiest = buckets
        .iter()
        .max_by_key(|bucket| bucket["count"].as_u64())
        .and_then(|bucket| bucket["start"].as_str())
        .and_then(|start| start.get(..13))
        .ok_or("no bucket")?;
    let region = volume["regions"][0]["number"].clone();
    let cells = format!("records?measure=issued&from={busiest}&to={busiest}");
    let pair = format!("records?list=pair&tried={tried}&held={held}");
    let mut views = vec![
        "overview".to_owned(),
        "volume".to_owned(),
        "volume?level=day".to_owned(),
        format!("volume?measure=attempted&region={region}"),
        cells.clone(),
        format!("{cells}&region={region}"),
        "records?list=code&code=claimant_not_entitled".to_owned(),
        pair,
        format!("records?list=issued&member={merchant}"),
        "attempts".to_owned(),
        "pairs".to_owned(),
        "over-claims".to_owned(),
        "late-reversals".to_owned(),
        "merchants".to_owned(),
        format!("merchants/{merchant}"),
        "locks".to_owned(),
        "members".to_owned(),
        format!("members/{tried}"),
        "access".to_owned(),
        format!("search?q={document}"),
        format!("search?q={tried}"),
        "search?q=held-7".to_owned(),
        "search?q=%E5%85%AC%E5%8F%B8".to_owned(),
        format!("documents/{document}"),
        "health".to_owned(),
        "orders".to_owned(),
    ];
    for list in [cells.as_str(), "attempts", "locks", "pairs"] {
        let page = told(connection, tax, &format!("/v1/oversight/{list}")).await?;
        if let Some(next) = page["next"].as_str() {
            let sign = if list.contains('?') { '&' } else { '?' };
            views.push(format!("{list}{sign}cursor={next}"));
        }
    }
    Ok(views
        .into_iter()
        .map(|view| format!("/oversight/{view}"))
        .collect())
}

/// Opens a session; the line with its cookie.
async fn session(address: SocketAddr, who: &Player) -> Result<String, Failure> {
    let mut connection = Connection::open(address).await?;
    let mut answer = Vec::new();
    let status = signed::ask(
        &mut connection,
        who,
        "POST",
        "/v1/session",
        b"",
        &mut answer,
    )
    .await?;
    let cookie = connection.cookie().ok_or(format!("no session: {status}"))?;
    Ok(format!("Cookie: {cookie}\r\n"))
}

/// Asks for all pages in turn, until the time is over and each was asked for at least once.
async fn ask(
    address: SocketAddr,
    cookie: &str,
    paths: &[String],
    until: Instant,
) -> Result<Vec<PageSeen>, Failure> {
    let mut connection = Connection::open(address).await?;
    let mut times: Vec<(Latencies, usize, usize)> = vec![Default::default(); paths.len()];
    let mut answer = Vec::new();
    while Instant::now() < until || times.iter().any(|page| page.1 == 0) {
        for (path, page) in paths.iter().zip(&mut times) {
            let started = Instant::now();
            let status = connection
                .ask("GET", path, cookie, b"", &mut answer)
                .await?;
            page.0.push(started.elapsed());
            page.1 += 1;
            page.2 = answer.len();
            if status != 200 {
                let text = String::from_utf8_lossy(&answer);
                return Err(format!("{path}: {status}: {text}").into());
            }
        }
    }
    Ok(paths
        .iter()
        .zip(times)
        .map(|(path, (mut latencies, times, bytes))| PageSeen {
            path: shortened(path),
            times,
            p50_ms: latencies.percentile_ms(50.0),
            p95_ms: latencies.percentile_ms(95.0),
            max_ms: latencies.percentile_ms(100.0),
            bytes,
        })
        .collect())
}

/// Without the cursor, which says nothing to a reader.
fn shortened(path: &str) -> String {
    match path.split_once("cursor=") {
        Some((before, _)) => format!("{before}cursor=…"),
        None => path.to_owned(),
    }
}

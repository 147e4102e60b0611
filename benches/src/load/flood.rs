//! An honest member, alone and while another floods the node with junk.

use std::path::Path;
use std::time::{Duration, Instant};

use invoice_core::chain::ChainId;
use serde::Serialize;

use super::node::Served;
use super::sockets::{Sending, Sent, Way};
use super::store::StoreFolder;
use super::{Failure, process};
use crate::documents::Press;
use crate::input::plan::Item;
use crate::input::{Form, Lines, Sealer};

/// Streams of the honest members and lines of each without an answer.
const HONEST: Way = Way::Bulk {
    connections: 8,
    window: 256,
};
/// Streams of the flood. It does not wait for answers any longer than a full window does.
const FLOOD: Way = Way::Bulk {
    connections: 2,
    window: 2_048,
};

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Flooded {
    /// Records of the honest members in a second, alone.
    pub alone_per_second: f64,
    /// Their p99 in milliseconds.
    pub alone_p99_ms: f64,
    /// The same during the flood.
    pub flooded_per_second: f64,
    /// Their p99 in milliseconds.
    pub flooded_p99_ms: f64,
    /// And afterwards, alone again.
    pub after_per_second: f64,
    /// Junk that was answered in a second.
    pub junk_per_second: f64,
    /// Share of the throughput that the flood cost, in percent, of the mean before and after.
    pub lost_percent: f64,
    /// Processor time of the node for the flooded part, as a share of one core.
    pub node_cores: f64,
}

/// Junk of one member: well-formed records with signatures that are right for another chain.
///
/// # Errors
/// Never: the other chain has a name of the right spelling.
pub fn junk(press: &Press<'_>, count: usize) -> Result<Vec<u8>, Failure> {
    let other: ChainId = "elsewhere".parse().map_err(|_| "chain")?;
    let sealer = Sealer::new(press, other);
    let issuer = press.cast().issuers.len() / 2;
    let items: Vec<Item> = (0..count as u64)
        .map(|serial| Item {
            issuer,
            serials: vec![serial + 1],
            fresh: 1,
        })
        .collect();
    Ok(sealer.lines(Form::Single, &items))
}

/// Three parts of so many seconds: alone, flooded, alone.
///
/// # Errors
/// The node fails.
pub fn run(
    store: &StoreFolder,
    press: &Press<'_>,
    inputs: [&Path; 3],
    junk_per_second: usize,
    seconds: u64,
    failures_per_minute: Option<std::num::NonZeroU32>,
) -> Result<Flooded, Failure> {
    let served = Served::start(store, failures_per_minute)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let junk = junk(press, junk_per_second * seconds as usize)?;
    let flooded = runtime.block_on(async {
        let honest = |input: &Path| {
            let until = Instant::now() + Duration::from_secs(seconds);
            let sending = Sending::new(Lines::open(input)?).until(until);
            Ok::<_, Failure>(sending.send(vec![served.address], HONEST))
        };
        let mut alone = honest(inputs[0])?.await?;
        let cpu = process::cpu_seconds(served.pid());
        let until = Instant::now() + Duration::from_secs(seconds);
        let flood = Sending::new(Lines::of(junk))
            .until(until)
            .pace(junk_per_second as f64)
            .send(vec![served.address], FLOOD);
        let flood = tokio::spawn(flood);
        let mut during = honest(inputs[1])?.await?;
        let cpu = process::cpu_seconds(served.pid()).zip(cpu);
        let flood = flood.await??;
        let after = honest(inputs[2])?.await?;
        let rate = |sent: &Sent| sent.tally.answered() as f64 / sent.seconds;
        for sent in [&alone, &during, &after] {
            if let Some(trouble) = &sent.trouble {
                eprintln!("{trouble}");
            }
        }
        if flood.tally.answered() > 0 {
            return Err("伪签名被接受 / junk was accepted".into());
        }
        let mean = (rate(&alone) + rate(&after)) / 2.0;
        Ok::<_, Failure>(Flooded {
            alone_per_second: rate(&alone),
            alone_p99_ms: alone.latencies.percentile_ms(99.0),
            flooded_per_second: rate(&during),
            flooded_p99_ms: during.latencies.percentile_ms(99.0),
            after_per_second: rate(&after),
            junk_per_second: flood.tally.failed as f64 / flood.seconds,
            lost_percent: (1.0 - rate(&during) / mean) * 100.0,
            node_cores: cpu.map_or(0.0, |(after, before)| after - before) / during.seconds,
        })
    })?;
    served.stop()?;
    Ok(flooded)
}

/// A table of it.
#[must_use]
pub fn table(flooded: &Flooded) -> String {
    let Flooded {
        alone_per_second,
        alone_p99_ms,
        flooded_per_second,
        flooded_p99_ms,
        after_per_second,
        junk_per_second,
        lost_percent,
        node_cores,
    } = flooded;
    format!(
        "| honest records/s, alone | during the flood | alone again | junk/s | lost | p99 ms, alone | during the flood | cores of the node |\n\
         |---:|---:|---:|---:|---:|---:|---:|---:|\n\
         | {alone_per_second:.0} | {flooded_per_second:.0} | {after_per_second:.0} | {junk_per_second:.0} | \
         {lost_percent:.1} % | {alone_p99_ms:.1} | {flooded_p99_ms:.1} | {node_cores:.2} |"
    )
}

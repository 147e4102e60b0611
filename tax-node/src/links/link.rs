//! A link in use: one task reads, writes and watches.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::timeout;

use super::counters::count;
use super::events::Event;
use super::fault::LinkFault;
use super::handshake::Stream;
use super::limits::{CLOSE_TIMEOUT, PIECE_BYTES_MAX};
use super::peer::{Claim, Entry};
use super::shared::Shared;
use super::wire::{Assembler, put_beat};

/// Carries frames until the link ends. `dialled` says whether our end made the connection.
pub(super) async fn run(shared: Arc<Shared>, peer: Arc<Entry>, stream: Stream, dialled: bool) {
    let Some(claim) = peer.claim(&shared.kid, dialled) else {
        tracing::debug!(peer = %peer.kid, dialled, "a second connection is closed");
        close(stream).await;
        return;
    };
    let fault = {
        let _turn = peer.turn.lock().await;
        if claim.end.is_told() {
            claim.end.told().await
        } else {
            carry(&shared, &peer, &claim, stream, dialled).await
        }
    };
    peer.release(&claim, &fault);
}

async fn carry(
    shared: &Shared,
    peer: &Entry,
    claim: &Claim,
    stream: Stream,
    dialled: bool,
) -> LinkFault {
    let address = stream.get_ref().0.peer_addr().ok();
    tracing::info!(peer = %peer.kid, name = peer.name(), ?address, dialled, "linked");
    count(&shared.counters.connected);
    peer.outbox.open();
    peer.begin(claim);
    let connected = Event::Connected(peer.kid);
    shared
        .events
        .send(&peer.inbox, connected, &shared.stop)
        .await;
    let (mut reader, mut writer) = tokio::io::split(stream);
    let fault = tokio::select! {
        fault = claim.end.told() => fault,
        Err(fault) = read(shared, peer, &mut reader) => fault,
        Err(fault) = write(shared, peer, &mut writer) => fault,
    };
    let fault = if shared.stop.is_cancelled() {
        LinkFault::Stopped
    } else {
        fault
    };
    peer.outbox.close();
    shared.counters.ended(&fault);
    tracing::info!(peer = %peer.kid, name = peer.name(), %fault, "link ended");
    let disconnected = Event::Disconnected(peer.kid);
    shared
        .events
        .send(&peer.inbox, disconnected, &shared.stop)
        .await;
    close(reader.unsplit(writer)).await;
    fault
}

/// Says goodbye, as far as the other end listens.
async fn close(mut stream: Stream) {
    let _ = timeout(CLOSE_TIMEOUT, stream.shutdown()).await;
}

async fn read(
    shared: &Shared,
    peer: &Entry,
    reader: &mut ReadHalf<Stream>,
) -> Result<Infallible, LinkFault> {
    let mut frames = Assembler::new(Arc::clone(&shared.kinds));
    let mut input = BytesMut::new();
    loop {
        while let Some(frame) = frames.next(&mut input)? {
            let event = Event::Frame(peer.kid, frame.kind, frame.bytes);
            shared.events.send(&peer.inbox, event, &shared.stop).await;
        }
        input.reserve(PIECE_BYTES_MAX);
        let read = timeout(shared.limits.silence_max, reader.read_buf(&mut input)).await;
        let read = read.map_err(|_| LinkFault::Silent)??;
        if read == 0 {
            return Err(LinkFault::Closed);
        }
        add(&peer.bytes_in, read);
    }
}

async fn write(
    shared: &Shared,
    peer: &Entry,
    writer: &mut WriteHalf<Stream>,
) -> Result<Infallible, LinkFault> {
    let mut output = BytesMut::with_capacity(2 * PIECE_BYTES_MAX);
    loop {
        peer.outbox.fill(&mut output);
        if output.is_empty() {
            if timeout(shared.limits.beat, peer.outbox.filled())
                .await
                .is_ok()
            {
                continue;
            }
            put_beat(&mut output);
        }
        let written = async {
            writer.write_all(&output).await?;
            writer.flush().await
        };
        within(shared.limits.write_timeout, written).await?;
        add(&peer.bytes_out, output.len());
        output.clear();
    }
}

async fn within(
    limit: Duration,
    written: impl Future<Output = std::io::Result<()>>,
) -> Result<(), LinkFault> {
    let written = timeout(limit, written).await;
    Ok(written.map_err(|_| LinkFault::Stalled)??)
}

fn add(counter: &AtomicU64, bytes: usize) {
    counter.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
}

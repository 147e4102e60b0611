//! Connections to others: one task for each peer sees that there is a link.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::{Instant, sleep, timeout};

use super::fault::LinkFault;
use super::handshake::{self, Stream};
use super::limits::{Limits, SOCKET_SEND_BYTES};
use super::link;
use super::listen::within;
use super::peer::Entry;
use super::shared::Shared;

/// Keeps a peer linked until it is gone.
pub(super) async fn run(shared: Arc<Shared>, peer: Arc<Entry>) {
    tokio::select! {
        () = keep_linked(&shared, &peer) => {}
        () = peer.gone.cancelled() => {}
    }
}

async fn keep_linked(shared: &Arc<Shared>, peer: &Arc<Entry>) {
    let limits = &shared.limits;
    let mut failures = 0;
    // Both ends may connect. The one with the smaller key id goes first, so that two connections
    // at the same time are rare.
    let yields = shared.kid > peer.kid;
    loop {
        while peer.is_linked() {
            peer.changed.notified().await;
        }
        let Some(address) = peer.address() else {
            peer.changed.notified().await;
            continue;
        };
        if yields {
            sleep(limits.dial_yield).await;
            if peer.is_linked() {
                continue;
            }
        }
        let lasted = match dial(shared, peer, &address).await {
            Ok(stream) => {
                let begun = Instant::now();
                let (shared, peer) = (Arc::clone(shared), Arc::clone(peer));
                let link = shared
                    .tasks
                    .spawn(link::run(shared.clone(), peer, stream, true));
                // The link ends itself when the peer is gone.
                let _ = link.await;
                begun.elapsed()
            }
            Err(fault) => {
                report(shared, peer, &address, &fault, failures);
                Duration::ZERO
            }
        };
        if lasted >= limits.stable_after {
            failures = 0;
        }
        // Another connection may have taken the place of ours; then there is no hurry.
        if !peer.is_linked() {
            pause(peer, backoff(limits, failures)).await;
            failures = failures.saturating_add(1);
        }
    }
}

/// Waits, or less if a link or another address comes.
async fn pause(peer: &Entry, pause: Duration) {
    let until = Instant::now() + pause;
    let _ = tokio::time::timeout_at(until, async {
        let address = peer.address();
        while !peer.is_linked() && peer.address() == address {
            peer.changed.notified().await;
        }
    })
    .await;
}

/// The pause after so many failures: twice as long each time, half of it by chance, so that nodes
/// that lost one another at the same moment do not meet at the same moment.
fn backoff(limits: &Limits, failures: u32) -> Duration {
    let doubled = 2_u32.checked_pow(failures).unwrap_or(u32::MAX);
    let pause = limits
        .backoff_min
        .saturating_mul(doubled)
        .min(limits.backoff_max);
    pause.mul_f64(rand::random_range(0.5..=1.0))
}

fn report(shared: &Shared, peer: &Entry, address: &str, fault: &LinkFault, failures: u32) {
    peer.failed(fault);
    if matches!(fault, LinkFault::Hello(_)) {
        shared.counters.refused(fault);
        tracing::warn!(peer = %peer.kid, name = peer.name(), address, %fault, "not the peer");
    } else if failures == 0 {
        tracing::info!(peer = %peer.kid, name = peer.name(), address, %fault, "not reached");
    } else {
        tracing::debug!(peer = %peer.kid, address, %fault, failures, "still not reached");
    }
}

async fn dial(shared: &Arc<Shared>, peer: &Entry, address: &str) -> Result<Stream, LinkFault> {
    let limits = &shared.limits;
    let resolved = timeout(limits.connect_timeout, lookup_host(address)).await;
    let resolved = resolved.map_err(|_| LinkFault::ConnectTimeout)??;
    let mut fault = LinkFault::Address;
    for address in resolved {
        match timeout(limits.connect_timeout, connect(address)).await {
            Ok(Ok(socket)) => {
                let handshake = handshake::connect(shared, peer, socket);
                match within(limits.handshake_timeout, handshake).await {
                    Ok(stream) => return Ok(stream),
                    Err(refused) => fault = refused,
                }
            }
            Ok(Err(error)) => fault = error.into(),
            Err(_) => fault = LinkFault::ConnectTimeout,
        }
    }
    Err(fault)
}

async fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_send_buffer_size(SOCKET_SEND_BYTES)?;
    socket.connect(address).await
}

//! Connections from others.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

use super::counters::count;
use super::fault::LinkFault;
use super::gate::{Gate, Place, TooFast};
use super::limits::{ACCEPT_PAUSE, BACKLOG, SOCKET_SEND_BYTES};
use super::shared::Shared;
use super::{handshake, link};

/// Takes an address; within a runtime.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A node that comes back finds its port, and what it accepts has the buffers of the listener.
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SOCKET_SEND_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts until everything stops.
pub(super) async fn run(shared: Arc<Shared>, listener: TcpListener) {
    let gate = Gate::new(&shared.limits);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.stop.cancelled() => return,
        };
        match accepted {
            Ok((socket, address)) => admit(&shared, &gate, socket, address.ip()),
            Err(error) => {
                if shared.stranger_lines.may() {
                    tracing::warn!(%error, "no connection can be accepted");
                }
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn admit(shared: &Arc<Shared>, gate: &Gate, socket: TcpStream, from: IpAddr) {
    let place = match gate.enter(from) {
        Ok(place) => place,
        Err(TooFast) => {
            count(&shared.counters.refused_rate);
            if shared.stranger_lines.may() {
                tracing::warn!(%from, "too many connections in a second, one is closed");
            }
            return;
        }
    };
    shared
        .tasks
        .spawn(welcome(Arc::clone(shared), place, socket, from));
}

async fn welcome(shared: Arc<Shared>, place: Place, socket: TcpStream, from: IpAddr) {
    let limit = shared.limits.handshake_timeout;
    let shown = tokio::select! {
        shown = within(limit, handshake::accept(&shared, socket)) => shown,
        () = place.is_taken() => {
            count(&shared.counters.refused_room);
            if shared.stranger_lines.may() {
                tracing::warn!(%from, "too many strangers at a time, the oldest is closed");
            }
            return;
        }
        () = shared.stop.cancelled() => return,
    };
    drop(place);
    match shown {
        Ok((peer, stream)) => link::run(shared, peer, stream, false).await,
        Err(fault) => {
            shared.counters.refused(&fault);
            if shared.stranger_lines.may() {
                tracing::warn!(%from, %fault, "a connection is refused");
            }
        }
    }
}

/// A handshake with its time limit.
pub(super) async fn within<T>(
    limit: Duration,
    handshake: impl Future<Output = Result<T, LinkFault>>,
) -> Result<T, LinkFault> {
    let done = timeout(limit, handshake).await;
    done.unwrap_or(Err(LinkFault::HandshakeTimeout))
}

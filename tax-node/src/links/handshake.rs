//! From a TCP connection to a peer that has shown who it is.

use std::sync::Arc;

use invoice_core::crypto::{Kid, Signature};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use super::fault::LinkFault;
use super::hello::{Exported, HELLO_BYTES, Hello, HelloFault, Side, hello_message};
use super::peer::Entry;
use super::shared::Shared;
use super::tls;

/// A connection whose other end is known.
pub(super) type Stream = TlsStream<TcpStream>;

/// The end that connected: shows itself first, then sees the other.
pub(super) async fn connect(
    shared: &Arc<Shared>,
    peer: &Entry,
    socket: TcpStream,
) -> Result<Stream, LinkFault> {
    let connector = TlsConnector::from(Arc::clone(&shared.tls_client));
    let stream = connector.connect(tls::server_name(), socket).await;
    let mut stream = stream.map_err(LinkFault::in_handshake)?;
    let exported = tls::exported(stream.get_ref().1)?;
    say_hello(shared, &mut stream, &exported, Side::Client, peer.kid).await?;
    let hello = hear_hello(shared, &mut stream).await?;
    if hello.from != peer.kid {
        return Err(HelloFault::Other(hello.from).into());
    }
    hello.verify(&shared.chain, &exported, Side::Server, &peer.key)?;
    Ok(TlsStream::Client(stream))
}

/// The end that accepted: says nothing before the other has shown itself.
pub(super) async fn accept(
    shared: &Arc<Shared>,
    socket: TcpStream,
) -> Result<(Arc<Entry>, Stream), LinkFault> {
    let acceptor = TlsAcceptor::from(Arc::clone(&shared.tls_server));
    let stream = acceptor.accept(socket).await;
    let mut stream = stream.map_err(LinkFault::in_handshake)?;
    let exported = tls::exported(stream.get_ref().1)?;
    let hello = hear_hello(shared, &mut stream).await?;
    // A stranger costs no verification of a signature.
    let peer = shared.peer(&hello.from);
    let peer = peer.ok_or(HelloFault::Unknown(hello.from))?;
    hello.verify(&shared.chain, &exported, Side::Client, &peer.key)?;
    say_hello(shared, &mut stream, &exported, Side::Server, peer.kid).await?;
    Ok((peer, TlsStream::Server(stream)))
}

async fn say_hello(
    shared: &Arc<Shared>,
    stream: &mut (impl AsyncWrite + Unpin),
    exported: &Exported,
    side: Side,
    to: Kid,
) -> Result<(), LinkFault> {
    let message = hello_message(
        &shared.chain,
        &shared.genesis,
        exported,
        side,
        &shared.kid,
        &to,
    );
    let hello = Hello {
        genesis: shared.genesis,
        from: shared.kid,
        to,
        signature: sign(shared, message).await?,
    };
    let sent = async {
        stream.write_all(&hello.encode()).await?;
        stream.flush().await
    };
    sent.await.map_err(LinkFault::in_handshake)
}

/// Signs on a thread that may block: the key may be in a device.
async fn sign(shared: &Arc<Shared>, message: Vec<u8>) -> Result<Signature, LinkFault> {
    let signer = Arc::clone(&shared.signer);
    let signed = tokio::task::spawn_blocking(move || signer.sign(&message)).await;
    let signed = signed.map_err(|error| LinkFault::Sign(error.to_string()))?;
    signed.map_err(|error| LinkFault::Sign(error.to_string()))
}

/// Reads the other's Hello and checks all but who it is.
async fn hear_hello(
    shared: &Shared,
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<Hello, LinkFault> {
    let mut bytes = [0; HELLO_BYTES];
    let read = stream.read_exact(&mut bytes).await;
    read.map_err(LinkFault::in_handshake)?;
    let hello = Hello::decode(&bytes)?;
    if hello.genesis != shared.genesis {
        return Err(HelloFault::Genesis.into());
    }
    if hello.to != shared.kid {
        return Err(HelloFault::Addressed(hello.to).into());
    }
    Ok(hello)
}

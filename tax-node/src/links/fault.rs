//! Why a connection was not made or did not last.

use std::io;
use std::sync::Arc;

use super::hello::HelloFault;
use super::wire::WireFault;

/// Why a connection was not made or did not last.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LinkFault {
    /// The system's or TLS's error.
    #[error("连接出错：{0} / connection failed: {0}")]
    Io(Arc<io::Error>),
    /// The address names no host.
    #[error("地址无法解析 / the address leads to no host")]
    Address,
    /// Connecting took too long.
    #[error("连接超时 / connecting took too long")]
    ConnectTimeout,
    /// The other end did not show who it is in time.
    #[error("握手超时 / the handshake took too long")]
    HandshakeTimeout,
    /// The other end closed before it showed who it is: in most cases we are not in its list.
    #[error(
        "对方在握手时关闭连接，可能名单中没有本节点 / the other end closed during the handshake; it may not know this node"
    )]
    Refused,
    /// The other end is not whom it should be.
    #[error(transparent)]
    Hello(#[from] HelloFault),
    /// Our own signature could not be made.
    #[error("无法签名：{0} / cannot sign: {0}")]
    Sign(String),
    /// The other end sent bytes that an honest end never sends.
    #[error(transparent)]
    Wire(#[from] WireFault),
    /// Nothing was heard for too long.
    #[error("对方长时间无响应 / nothing was heard for too long")]
    Silent,
    /// The other end takes too slowly what we write.
    #[error("对方接收过慢 / the other end takes too slowly what is written")]
    Stalled,
    /// A frame found no room in the queue.
    #[error("发送队列已满 / the queue to the other end is full")]
    Full,
    /// Another connection to the same peer took its place.
    #[error("已由同一节点的另一连接取代 / another connection to the same peer took its place")]
    Replaced,
    /// The peer is no longer in the list.
    #[error("已从节点名单移除 / no longer among the peers")]
    Removed,
    /// The other end closed the connection.
    #[error("对方关闭连接 / the other end closed the connection")]
    Closed,
    /// This node is stopping.
    #[error("本节点正在停止 / this node is stopping")]
    Stopped,
}

impl From<io::Error> for LinkFault {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

impl LinkFault {
    /// A fault during the handshake, where an end of the stream means a refusal.
    pub(super) fn in_handshake(error: io::Error) -> Self {
        let ended = matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::BrokenPipe
        );
        if ended { Self::Refused } else { error.into() }
    }
}

//! How the ends of a link show who they are.
//!
//! TLS makes the link secret and says nothing about identity. Right after its handshake the end
//! that connected sends its [`Hello`], and the other answers with its own. Each signs, with the
//! SM2 key of its node, a value that both derive from this one connection's secrets (RFC 8446,
//! 7.5): whoever stands between two TLS connections has two different values and can pass neither
//! signature on, and a Hello that was seen once is good on no other connection.

use invoice_core::chain::ChainId;
use invoice_core::crypto::{Hash, Kid, PublicKey, Signature};

/// Version of the protocol that this code speaks.
pub const VERSION: u16 = 1;
/// Bytes of a Hello.
pub const HELLO_BYTES: usize = 2 + 32 + 16 + 16 + 64;
/// Label of the value that TLS exports for the signatures.
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-piaolian-link";

/// Value that TLS derives from the secrets of one connection, equal at its two ends only.
pub type Exported = [u8; 32];

/// Which end of the TCP connection signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The end that connected.
    Client,
    /// The end that accepted.
    Server,
}

/// Why a Hello was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HelloFault {
    /// Another version of the protocol.
    #[error("对方使用协议版本 {0} / the other end speaks version {0}")]
    Version(u16),
    /// Another genesis file.
    #[error("对方的创世文件不同 / the other end has another genesis file")]
    Genesis,
    /// It is meant for another node: an address leads to the wrong place.
    #[error("对方要连接的是 {0} / the other end wants to reach {0}")]
    Addressed(Kid),
    /// It comes from another node than the one that was connected to.
    #[error("地址上是另一个节点 {0} / another node, {0}, is at this address")]
    Other(Kid),
    /// Nobody in the list of peers.
    #[error("不在节点名单中：{0} / {0} is not among the peers")]
    Unknown(Kid),
    /// The signature is not that of the key over this connection.
    #[error("签名不成立：{0} / the signature of {0} is wrong")]
    Signature(Kid),
    /// The signature's bytes are out of range.
    #[error("签名格式错误 / the bytes of the signature are none")]
    Form,
}

/// What an end shows itself with: version (2 bytes, big-endian), SM3 of the genesis file (32), own
/// key id (16), the other's key id (16), signature (64).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// SM3 of the sender's genesis file.
    pub genesis: Hash,
    /// Who sends it.
    pub from: Kid,
    /// Whom it is meant for.
    pub to: Kid,
    /// Over [`hello_message`].
    pub signature: Signature,
}

impl Hello {
    /// The bytes of the Hello, in [`VERSION`].
    #[must_use]
    pub fn encode(&self) -> [u8; HELLO_BYTES] {
        let mut bytes = [0; HELLO_BYTES];
        let parts: [&[u8]; 5] = [
            &VERSION.to_be_bytes(),
            self.genesis.as_bytes(),
            self.from.as_bytes(),
            self.to.as_bytes(),
            self.signature.as_bytes(),
        ];
        let joined = parts.into_iter().flatten();
        bytes
            .iter_mut()
            .zip(joined)
            .for_each(|(to, from)| *to = *from);
        bytes
    }

    /// Reads a Hello.
    ///
    /// # Errors
    /// [`HelloFault::Version`] before anything else is looked at, [`HelloFault::Form`] for a
    /// signature that cannot be one.
    pub fn decode(bytes: &[u8; HELLO_BYTES]) -> Result<Self, HelloFault> {
        let (version, rest) = take::<2>(bytes);
        let version = u16::from_be_bytes(version);
        if version != VERSION {
            return Err(HelloFault::Version(version));
        }
        let (genesis, rest) = take::<32>(rest);
        let (from, rest) = take::<16>(rest);
        let (to, rest) = take::<16>(rest);
        let (signature, _) = take::<64>(rest);
        Ok(Self {
            genesis: Hash::new(genesis),
            from: Kid::new(from),
            to: Kid::new(to),
            signature: Signature::from_bytes(&signature).map_err(|_| HelloFault::Form)?,
        })
    }

    /// Whether `key` signed this Hello for this connection.
    ///
    /// # Errors
    /// [`HelloFault::Signature`].
    pub fn verify(
        &self,
        chain: &ChainId,
        exported: &Exported,
        side: Side,
        key: &PublicKey,
    ) -> Result<(), HelloFault> {
        let message = hello_message(chain, &self.genesis, exported, side, &self.from, &self.to);
        if key.kid() == self.from && key.verify(&message, &self.signature) {
            Ok(())
        } else {
            Err(HelloFault::Signature(self.from))
        }
    }
}

/// The bytes that are signed: `piaolian/1/link`, the chain, each with a line feed, then the
/// protocol's version (2 bytes, big-endian), SM3 of the genesis file, the exported value, one byte
/// for the side (0 the end that connected, 1 the other), own key id and the other's.
#[must_use]
pub fn hello_message(
    chain: &ChainId,
    genesis: &Hash,
    exported: &Exported,
    side: Side,
    from: &Kid,
    to: &Kid,
) -> Vec<u8> {
    let side = match side {
        Side::Client => 0,
        Side::Server => 1,
    };
    let parts: [&[u8]; 9] = [
        b"piaolian/1/link\n",
        chain.as_str().as_bytes(),
        b"\n",
        &VERSION.to_be_bytes(),
        genesis.as_bytes(),
        exported,
        &[side],
        from.as_bytes(),
        to.as_bytes(),
    ];
    parts.concat()
}

fn take<const N: usize>(bytes: &[u8]) -> ([u8; N], &[u8]) {
    let (taken, rest) = bytes
        .split_first_chunk::<N>()
        .expect("the lengths of the parts add up to the length of a Hello");
    (*taken, rest)
}

//! SM2 keys (GB/T 32918.1-2016, GB/T 32918.5-2017) and the short identifier of a public key.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::curve::{Affine, Chain, Scalar, Table};
use super::hash::{Hash, HexError, from_hex, sm3};
use super::signature::Signature;
use super::single::Numbers;

/// The distinguishing identifier (可辨别标识) under which everything is signed.
///
/// GM/T 0009-2023 and GM/T 0015-2023 name it as the default, and it is what Chinese tools and
/// hardware modules use when they are given none.
pub const USER_ID: &str = "1234567812345678";

/// `ENTL || ID || a || b || xG || yG`, the constant part of what Z hashes (GB/T 32918.2-2016, 5.5),
/// for [`USER_ID`] and the recommended curve of GB/T 32918.5-2017.
const Z_PREFIX: [u8; 146] = *b"\x00\x80\
1234567812345678\
\xff\xff\xff\xfe\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xfc\
\x28\xe9\xfa\x9e\x9d\x9f\x5e\x34\x4d\x5a\x9e\x4b\xcf\x65\x09\xa7\xf3\x97\x89\xf5\x15\xab\x8f\x92\xdd\xbc\xbd\x41\x4d\x94\x0e\x93\
\x32\xc4\xae\x2c\x1f\x19\x81\x19\x5f\x99\x04\x46\x6a\x39\xc9\x94\x8f\xe3\x0b\xbf\xf2\x66\x0b\xe1\x71\x5a\x45\x89\x33\x4c\x74\xc7\
\xbc\x37\x36\xa2\xf4\xf6\x77\x9c\x59\xbd\xce\xe3\x6b\x69\x21\x53\xd0\xa9\x87\x7c\xc6\x2a\x47\x40\x02\xdf\x32\xe5\x21\x39\xf0\xa0";

/// The short identifier of a public key: the first 16 bytes of SM3 over its 65 bytes.
///
/// Its text is 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kid([u8; 16]);

impl Kid {
    /// Length of an identifier in bytes.
    pub const BYTES: usize = 16;

    /// Takes 16 bytes as an identifier.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes of the identifier.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kid({self})")
    }
}

impl FromStr for Kid {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        from_hex(text).map(Self)
    }
}

impl Serialize for Kid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Kid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

/// Why bytes or text are not a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// The text is not 130 lower-case hexadecimal digits.
    #[error(transparent)]
    Hex(#[from] HexError),
    /// Not 65 bytes beginning with 0x04 (compressed and hybrid forms are not read).
    #[error(
        "公钥应为 65 字节未压缩 SEC1 格式，以 04 开头 / a public key is 65 bytes of uncompressed SEC1, beginning with 04"
    )]
    Form,
    /// The coordinates do not lie on the recommended curve.
    #[error("公钥不在 SM2 推荐曲线上 / the public key is not a point of the SM2 curve")]
    OffCurve,
}

/// An SM2 public key: a point of the recommended curve other than the identity.
///
/// Its text is the lower-case hexadecimal form of its 65 uncompressed SEC1 bytes.
///
/// ```
/// use invoice_core::crypto::{PublicKey, SecretKey, SecretKeySigner, Signer};
///
/// let secret = SecretKey::from_bytes(&[7; 32])?;
/// let signer = SecretKeySigner::new(secret);
/// let key = PublicKey::from_hex(&signer.public_key().to_hex())?;
/// let signature = signer.sign(b"message")?;
/// assert!(key.verify(b"message", &signature));
/// assert!(!key.verify(b"another", &signature));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A clone shares everything with the original. A key that verifies often, or one of its clones,
/// makes itself a table of multiples of 4 KiB, which goes with the last of them: who keeps keys
/// bounds that memory by bounding the keys.
#[derive(Clone)]
pub struct PublicKey(Arc<Shared>);

/// What the clones of a key share.
struct Shared {
    sec1: [u8; 65],
    kid: Kid,
    /// Z of GB/T 32918.2-2016, 5.5, which every message digest begins with.
    z: Hash,
    point: Affine,
    /// How often a multiple was computed without a table.
    uses: AtomicU32,
    table: OnceLock<Table>,
}

/// Uses of a key after which it gets a table: making one costs about as much as two uses without.
const USES_WITHOUT_TABLE: u32 = 2;

/// About what it costs to verify a signature without and with a table of its key, in products
/// modulo p.
const COST_WITHOUT_TABLE: usize = 3_800;
const COST_WITH_TABLE: usize = 1_250;

impl PublicKey {
    /// Length of a public key in bytes.
    pub const BYTES: usize = 65;

    /// Reads the 65 bytes of an uncompressed SEC1 point.
    ///
    /// # Errors
    /// [`PublicKeyError::Form`] for another length or form, [`PublicKeyError::OffCurve`] for
    /// coordinates that are no point of the curve.
    pub fn from_sec1(bytes: &[u8]) -> Result<Self, PublicKeyError> {
        let sec1: [u8; 65] = bytes.try_into().map_err(|_| PublicKeyError::Form)?;
        let [0x04, point @ ..] = &sec1 else {
            return Err(PublicKeyError::Form);
        };
        let (coordinates, _) = point.as_chunks::<32>();
        let [x, y] = coordinates else {
            return Err(PublicKeyError::Form);
        };
        let place = Affine::from_coordinates(x, y).ok_or(PublicKeyError::OffCurve)?;
        let mut kid = [0; 16];
        kid.iter_mut()
            .zip(sm3(&[&sec1]).as_bytes())
            .for_each(|(to, from)| *to = *from);
        Ok(Self(Arc::new(Shared {
            kid: Kid(kid),
            z: sm3(&[&Z_PREFIX, point]),
            sec1,
            point: place,
            uses: AtomicU32::new(0),
            table: OnceLock::new(),
        })))
    }

    /// Reads 130 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`PublicKeyError::Hex`] for another spelling, else as [`PublicKey::from_sec1`].
    pub fn from_hex(text: &str) -> Result<Self, PublicKeyError> {
        Self::from_sec1(&from_hex::<65>(text)?)
    }

    /// The 65 bytes of the uncompressed SEC1 point.
    #[must_use]
    pub fn as_sec1(&self) -> &[u8; 65] {
        &self.0.sec1
    }

    /// The 130 lower-case hexadecimal digits of the SEC1 bytes.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(self.0.sec1)
    }

    /// The short identifier of this key.
    #[must_use]
    pub fn kid(&self) -> Kid {
        self.0.kid
    }

    /// Z of GB/T 32918.2-2016, 5.5, with which every message that this key signs is hashed: for
    /// whoever hashes many messages at once.
    #[must_use]
    pub fn z(&self) -> &Hash {
        &self.0.z
    }

    /// `e`, the digest that is signed: SM3 over Z and the message (GB/T 32918.2-2016, 6.1, A1 and A2).
    #[must_use]
    pub fn message_digest(&self, message: &[u8]) -> Hash {
        sm3(&[self.0.z.as_bytes(), message])
    }

    /// Whether `signature` is this key's signature of `message` (GB/T 32918.2-2016, 7.1).
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        self.verify_digest(&self.message_digest(message), signature)
    }

    /// Whether `signature` is this key's signature of the message with this
    /// [`message_digest`](Self::message_digest).
    #[must_use]
    pub fn verify_digest(&self, digest: &Hash, signature: &Signature) -> bool {
        Numbers::new(digest, signature).is_some_and(|numbers| numbers.verify(self))
    }

    pub(super) fn point(&self) -> &Affine {
        &self.0.point
    }

    /// Adds `scalar` times the point to a sum.
    pub(super) fn add_multiple(&self, scalar: &Scalar, sum: &mut Chain) {
        if let Some(table) = self.0.table.get() {
            table.add_multiple(scalar, sum);
        } else if self.0.uses.fetch_add(1, Ordering::Relaxed) < USES_WITHOUT_TABLE {
            sum.add_multiple(scalar, &self.0.point);
        } else {
            self.0
                .table
                .get_or_init(|| Table::new(&self.0.point))
                .add_multiple(scalar, sum);
        }
    }

    /// About what it costs to verify one signature, in products modulo p.
    pub(super) fn cost_of_verifying(&self) -> usize {
        if self.0.table.get().is_some() {
            COST_WITH_TABLE
        } else {
            COST_WITHOUT_TABLE
        }
    }

    pub(super) fn to_sm2(&self) -> sm2::PublicKey {
        match sm2::PublicKey::from_sec1_bytes(&self.0.sec1) {
            Ok(key) => key,
            Err(_) => unreachable!("the point was found on the curve when this value was made"),
        }
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.sec1 == other.0.sec1
    }
}

impl Eq for PublicKey {}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = PublicKeyError;

    fn from_str(text: &str) -> Result<Self, PublicKeyError> {
        Self::from_hex(text)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

/// The bytes are no private key: not a number from 1 to n − 2 (GB/T 32918.1-2016, 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("私钥应在 1 到 n−2 之间 / a private key is a number from 1 to n-2")]
pub struct SecretKeyError;

/// An SM2 private key: a number from 1 to n − 2, wiped from memory when dropped.
///
/// It is never printed: its debug text names only the public key's identifier.
///
/// ```
/// use invoice_core::crypto::SecretKey;
///
/// assert!(SecretKey::from_bytes(&[0; 32]).is_err());
/// assert!(SecretKey::from_bytes(&[0xff; 32]).is_err());
/// assert!(SecretKey::from_bytes(&[1; 32]).is_ok());
/// ```
#[derive(Clone)]
pub struct SecretKey(sm2::SecretKey);

impl SecretKey {
    /// Reads a private key from 32 big-endian bytes.
    ///
    /// A caller who needs a new key passes 32 bytes of its random source, and 32 more in the rare
    /// case that they are refused.
    ///
    /// # Errors
    /// [`SecretKeyError`] when the number is 0, n − 1 or more: with n − 1 the factor
    /// (1 + d)⁻¹ of the signature does not exist.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, SecretKeyError> {
        let key = sm2::SecretKey::from_slice(bytes).map_err(|_| SecretKeyError)?;
        Self::from_sm2(key)
    }

    #[allow(
        clippy::arithmetic_side_effects,
        reason = "addition modulo the curve order does not overflow"
    )]
    pub(super) fn from_sm2(key: sm2::SecretKey) -> Result<Self, SecretKeyError> {
        let scalar: Zeroizing<sm2::NonZeroScalar> = Zeroizing::new(key.to_nonzero_scalar());
        let successor = **scalar + sm2::Scalar::ONE;
        if bool::from(successor.is_zero()) {
            Err(SecretKeyError)
        } else {
            Ok(Self(key))
        }
    }

    /// The 32 big-endian bytes, wiped when dropped.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes().into())
    }

    /// The public key that belongs to it.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        match PublicKey::from_sec1(&self.0.public_key().to_sec1_bytes()) {
            Ok(key) => key,
            Err(_) => unreachable!("d·G is a point of the curve for every d from 1 to n - 2"),
        }
    }

    pub(super) fn as_sm2(&self) -> &sm2::SecretKey {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: &str = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";

    fn below_order(by: u8) -> [u8; 32] {
        let mut bytes: [u8; 32] = hex::decode(N).unwrap().try_into().unwrap();
        bytes[31] -= by;
        bytes
    }

    #[test]
    fn secret_keys_are_one_to_n_minus_two() {
        assert!(SecretKey::from_bytes(&[0; 32]).is_err());
        assert!(SecretKey::from_bytes(&below_order(0)).is_err());
        assert!(SecretKey::from_bytes(&below_order(1)).is_err());
        assert!(SecretKey::from_bytes(&below_order(2)).is_ok());
        assert!(SecretKey::from_bytes(&[0xff; 32]).is_err());
    }

    #[test]
    fn only_uncompressed_points_of_the_curve_are_public_keys() {
        let key = SecretKey::from_bytes(&[7; 32]).unwrap().public_key();
        let sec1 = *key.as_sec1();
        assert_eq!(PublicKey::from_sec1(&sec1).unwrap(), key);
        let mut off = sec1;
        off[64] ^= 1;
        assert_eq!(
            PublicKey::from_sec1(&off).unwrap_err(),
            PublicKeyError::OffCurve
        );
        let mut origin = [0; 65];
        origin[0] = 4;
        assert_eq!(
            PublicKey::from_sec1(&origin).unwrap_err(),
            PublicKeyError::OffCurve
        );
        let mut hybrid = sec1;
        hybrid[0] = 6 | (sec1[64] & 1);
        let mut compressed = sec1[..33].to_vec();
        compressed[0] = 2 | (sec1[64] & 1);
        for bad in [&hybrid[..], &compressed, &[0], &[], &sec1[..64]] {
            assert_eq!(PublicKey::from_sec1(bad).unwrap_err(), PublicKeyError::Form);
        }
        assert!(PublicKey::from_hex(&key.to_hex().to_uppercase()).is_err());
    }

    #[test]
    fn a_kid_is_the_beginning_of_the_digest_of_the_key() {
        let key = SecretKey::from_bytes(&[7; 32]).unwrap().public_key();
        assert_eq!(
            key.kid().to_string(),
            sm3(&[key.as_sec1()]).to_string()[..32]
        );
        assert_eq!(key.kid().to_string().parse::<Kid>().unwrap(), key.kid());
    }

    #[test]
    fn a_secret_key_is_never_printed() {
        assert_eq!(
            format!("{:?}", SecretKey::from_bytes(&[7; 32]).unwrap()),
            "SecretKey(..)"
        );
    }
}

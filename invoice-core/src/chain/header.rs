//! The fixed-size summary of a block that validators vote on.

use crate::codec::{DecodeError, Reader, Writer};
use crate::crypto::{Hash, sm3};

use super::chain_id::ChainId;

/// Length of an encoded header in bytes.
pub const HEADER_BYTES: usize = 198;

/// Version of the header's layout.
const VERSION: u16 = 1;

/// The summary of a block: what light verification needs, and what validators sign.
///
/// Encoded big-endian in the order of the fields, after the version (2 bytes, 1); the block's id
/// is SM3 over 0x02 and the encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The chain (32 bytes, padded with zeros).
    pub chain_id: ChainId,
    /// Number of the block, from 1.
    pub height: u64,
    /// Time of the block in milliseconds since 1970-01-01T00:00:00Z; it increases strictly.
    pub time_ms: i64,
    /// Id of the block before; for height 1 the hash of the genesis file.
    pub previous: Hash,
    /// Index in the log of the block's first record.
    pub first_index: u64,
    /// Number of records in the block.
    pub count: u32,
    /// Size of the log after this block: `first_index + count`.
    pub log_size: u64,
    /// Root of the log after this block.
    pub log_root: Hash,
    /// Digest of all changes of state that the block makes.
    pub effects_root: Hash,
    /// Digest of the validator set that decides on this block.
    pub validators: Hash,
}

impl Header {
    /// The encoding, of [`HEADER_BYTES`] bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(HEADER_BYTES);
        writer.put_u16(VERSION);
        writer.put(&self.chain_id.to_padded());
        writer.put_u64(self.height);
        writer.put_i64(self.time_ms);
        writer.put(self.previous.as_bytes());
        writer.put_u64(self.first_index);
        writer.put_u32(self.count);
        writer.put_u64(self.log_size);
        writer.put(self.log_root.as_bytes());
        writer.put(self.effects_root.as_bytes());
        writer.put(self.validators.as_bytes());
        writer.into_bytes()
    }

    /// Reads an encoding and nothing after it.
    ///
    /// # Errors
    /// As [`Header::read`], and [`DecodeError::Trailing`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let header = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(header)
    }

    /// Reads an encoding from the front of `reader`.
    ///
    /// # Errors
    /// [`DecodeError`] when it is cut short, of another version, of height 0, or when
    /// `log_size` is not `first_index + count`.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if reader.u16("version")? != VERSION {
            return Err(DecodeError::Invalid { what: "version" });
        }
        let chain_id = ChainId::from_padded(&reader.array("chain_id")?)
            .map_err(|_| DecodeError::Invalid { what: "chain_id" })?;
        let header = Self {
            chain_id,
            height: reader.u64("height")?,
            time_ms: reader.i64("time")?,
            previous: reader.hash("previous")?,
            first_index: reader.u64("first_index")?,
            count: reader.u32("count")?,
            log_size: reader.u64("log_size")?,
            log_root: reader.hash("log_root")?,
            effects_root: reader.hash("effects_root")?,
            validators: reader.hash("validators")?,
        };
        if header.height == 0 {
            return Err(DecodeError::Invalid { what: "height" });
        }
        if header.first_index.checked_add(u64::from(header.count)) != Some(header.log_size) {
            return Err(DecodeError::Invalid { what: "log_size" });
        }
        Ok(header)
    }

    /// The block's id: SM3 over 0x02 and the encoding.
    #[must_use]
    pub fn id(&self) -> Hash {
        sm3(&[&[0x02], &self.encode()])
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sample() -> Header {
        Header {
            chain_id: "sz-2026".parse().unwrap(),
            height: 0x0102,
            time_ms: 1_795_242_600_123,
            previous: Hash::new([0xa1; 32]),
            first_index: 7,
            count: 3,
            log_size: 10,
            log_root: Hash::new([0xa2; 32]),
            effects_root: Hash::new([0xa3; 32]),
            validators: Hash::new([0xa4; 32]),
        }
    }

    #[test]
    fn version_one_has_these_bytes() {
        let golden = [
            "0001",
            "737a2d3230323600000000000000000000000000000000000000000000000000",
            "0000000000000102",
            "000001a1fccc26bb",
            &"a1".repeat(32),
            "0000000000000007",
            "00000003",
            "000000000000000a",
            &"a2".repeat(32),
            &"a3".repeat(32),
            &"a4".repeat(32),
        ]
        .concat();
        assert_eq!(hex::encode(sample().encode()), golden);
        assert_eq!(golden.len(), 2 * HEADER_BYTES);
        assert_eq!(Header::decode(&hex::decode(golden).unwrap()), Ok(sample()));
    }

    #[test]
    fn a_header_that_contradicts_itself_is_not_read() {
        let invalid = |header: Header| Header::decode(&header.encode());
        assert_eq!(
            invalid(Header {
                height: 0,
                ..sample()
            }),
            Err(DecodeError::Invalid { what: "height" })
        );
        assert_eq!(
            invalid(Header {
                log_size: 11,
                ..sample()
            }),
            Err(DecodeError::Invalid { what: "log_size" })
        );
        assert_eq!(
            invalid(Header {
                first_index: u64::MAX,
                log_size: 2,
                ..sample()
            }),
            Err(DecodeError::Invalid { what: "log_size" })
        );
        let bytes = sample().encode();
        assert_eq!(
            Header::decode(&bytes[..197]),
            Err(DecodeError::Truncated { what: "validators" })
        );
        assert_eq!(
            Header::decode(&[&bytes[..], &[0]].concat()),
            Err(DecodeError::Trailing { count: 1 })
        );
    }
}

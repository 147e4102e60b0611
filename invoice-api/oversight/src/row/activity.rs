//! What members did.

use invoice_core::codec::{DecodeError, Reader, Writer};

use crate::codec::{put_short, take_short};

/// Kinds of records that a member's row counts apart.
const TYPES_MAX: usize = 255;

/// What a member did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Activity {
    pub(crate) first_ms: i64,
    pub(crate) last_ms: i64,
    pub(crate) last: u64,
    /// By the word of the record's type, sorted: accepted, refused.
    pub(crate) types: Vec<(String, u64, u64)>,
}

impl Activity {
    pub(crate) fn add(&mut self, kind: &str, accepted: bool) {
        let place = self
            .types
            .binary_search_by(|(known, ..)| known.as_str().cmp(kind));
        let place = match place {
            Ok(place) => place,
            Err(_) if self.types.len() >= TYPES_MAX => return,
            Err(place) => {
                self.types.insert(place, (kind.to_owned(), 0, 0));
                place
            }
        };
        if let Some((_, good, bad)) = self.types.get_mut(place) {
            let counter = if accepted { good } else { bad };
            *counter = counter.saturating_add(1);
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(64);
        writer.put_signed(self.first_ms);
        writer.put_signed(self.last_ms);
        writer.put_varint(self.last);
        writer.put_u8(u8::try_from(self.types.len()).unwrap_or(u8::MAX));
        for (kind, accepted, refused) in &self.types {
            put_short(&mut writer, kind.as_bytes());
            writer.put_varint(*accepted);
            writer.put_varint(*refused);
        }
        writer.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let mut reader = Reader::new(bytes);
        let mut activity = Self {
            first_ms: reader.signed("first")?,
            last_ms: reader.signed("last")?,
            last: reader.varint("last")?,
            types: Vec::new(),
        };
        for _ in 0..reader.u8("types")? {
            let kind = take_short(&mut reader, "type")?;
            let kind = std::str::from_utf8(kind)
                .map_err(|_| DecodeError::Invalid { what: "type" })?
                .to_owned();
            let counts = (reader.varint("accepted")?, reader.varint("refused")?);
            activity.types.push((kind, counts.0, counts.1));
        }
        reader.finish()?;
        Ok(activity)
    }
}

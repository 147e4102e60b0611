//! Dictionaries for compressing leaves, trained by the node on its own records.
//!
//! A dictionary holds what recurs between bundles: member names, kinds of goods, parties. The
//! first one is trained when a few thousand leaves are there, later ones on later leaves, since a
//! chain's first records are admissions and trials. A dictionary never changes and is never
//! removed: bundles name the one that they need, and each body file carries a copy of those that
//! its bundles name, so that it can be read alone.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use zstd::dict::{DecoderDictionary, EncoderDictionary};

use super::bundle::LEVEL;

/// Number of leaves in the log from which on the first, second, … dictionary is trained.
pub(super) const TRAINED_AT: [u64; 3] = [8_192, 262_144, 4_194_304];

/// The last leaves are what a dictionary is trained on: so many.
pub(super) const TRAINED_ON: u32 = 8_192;

/// About so many of them, spread evenly, are enough: all of them take three times as long and save
/// one byte in two hundred.
const SAMPLES: usize = 2_048;

/// The most bytes that a dictionary has.
const DICTIONARY_BYTES: usize = 256 * 1024;

/// A dictionary, ready for use.
pub(super) struct Dictionary {
    /// From 1; 0 stands for none.
    pub(super) number: u32,
    pub(super) bytes: Vec<u8>,
    pub(super) encoder: EncoderDictionary<'static>,
    pub(super) decoder: DecoderDictionary<'static>,
}

impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dictionary")
            .field("number", &self.number)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

impl Dictionary {
    /// Prepares the bytes of a dictionary.
    pub(super) fn new(number: u32, bytes: Vec<u8>) -> Result<Self, &'static str> {
        let unusable = |_| "the dictionary cannot be used";
        Ok(Self {
            number,
            encoder: EncoderDictionary::try_copy(&bytes, LEVEL).map_err(unusable)?,
            decoder: DecoderDictionary::try_copy(&bytes).map_err(unusable)?,
            bytes,
        })
    }

    /// Trains a dictionary; `None` when the leaves have too little in common.
    pub(super) fn train(number: u32, leaves: &[Vec<u8>]) -> Option<Self> {
        let step = (leaves.len() / SAMPLES).max(1);
        let samples: Vec<&[u8]> = leaves.iter().step_by(step).map(Vec::as_slice).collect();
        let bytes = zstd::dict::from_samples(&samples, DICTIONARY_BYTES).ok()?;
        Self::new(number, bytes).ok()
    }
}

/// All dictionaries of a store.
#[derive(Clone, Debug, Default)]
pub(super) struct Dictionaries(BTreeMap<u32, Arc<Dictionary>>);

impl Dictionaries {
    /// The same with one more.
    pub(super) fn with(&self, dictionary: Arc<Dictionary>) -> Self {
        let mut all = self.0.clone();
        all.insert(dictionary.number, dictionary);
        Self(all)
    }

    /// The one for new bundles.
    pub(super) fn newest(&self) -> Option<&Arc<Dictionary>> {
        self.0.last_key_value().map(|(_, dictionary)| dictionary)
    }

    /// The one that a bundle names; `None` for number 0. Fails when it is not there.
    pub(super) fn named(&self, number: u32) -> Result<Option<&Arc<Dictionary>>, &'static str> {
        if number == 0 {
            return Ok(None);
        }
        let dictionary = self.0.get(&number);
        dictionary.map(Some).ok_or("a dictionary is missing")
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

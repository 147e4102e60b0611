//! A folder with a store that was filled, and what it was filled with.

use std::fs;
use std::path::{Path, PathBuf};

use invoice_core::calendar::Instant;
use invoice_core::chain::Genesis;
use invoice_core::crypto::{SecretKey, SecretKeySigner};
use serde::{Deserialize, Serialize};
use tax_node::node::{Node, system_clock};

use super::Failure;
use crate::cast::Cast;
use crate::documents::Profile;
use crate::input::Setting;
use crate::input::files::CHAIN;

const ABOUT: &str = "bench.json";
const GENESIS: &str = "genesis.json";
const NODE: &str = "node";
/// The validator's key, which protects nothing.
const VALIDATOR: [u8; 32] = [9; 32];

/// What is known about a store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct About {
    /// Its members.
    pub setting: Setting,
    /// What it is filled with.
    pub profile: Profile,
    /// When it was made.
    pub at_ms: i64,
    /// Envelopes of the filling that are in it for certain.
    pub envelopes: u64,
    /// Records of them.
    pub records: u64,
    /// Records of an envelope of the filling.
    pub batch: usize,
    /// Files of input that were sent to it.
    pub used: Vec<String>,
}

/// The folder.
pub struct StoreFolder {
    path: PathBuf,
    /// What is known.
    pub about: About,
    genesis: Genesis,
    _temporary: Option<tempfile::TempDir>,
}

/// The validator that signs the blocks of every store here.
///
/// # Errors
/// Never: the number is one of the curve's private keys.
pub fn validator() -> Result<SecretKeySigner, Failure> {
    Ok(SecretKeySigner::new(SecretKey::from_bytes(&VALIDATOR)?))
}

impl StoreFolder {
    /// A new store in a folder of its own within `parent`, removed with this value.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn temporary(parent: &Path, setting: Setting, cast: &Cast) -> Result<Self, Failure> {
        fs::create_dir_all(parent)?;
        let folder = tempfile::tempdir_in(parent)?;
        let mut store = Self::create(folder.path(), setting, cast, Profile::Usual, 0)?;
        store._temporary = Some(folder);
        Ok(store)
    }

    /// A new store.
    ///
    /// # Errors
    /// It cannot be written, or there is one.
    pub fn create(
        path: &Path,
        setting: Setting,
        cast: &Cast,
        profile: Profile,
        batch: usize,
    ) -> Result<Self, Failure> {
        fs::create_dir_all(path)?;
        let now = (system_clock())();
        let validator = SecretKey::from_bytes(&VALIDATOR)?.public_key();
        let genesis = cast.genesis(CHAIN, &validator, now);
        fs::create_dir_all(path.join(NODE))?;
        Node::create(&path.join(NODE), &genesis)?;
        fs::write(path.join(GENESIS), genesis.bytes())?;
        let store = Self {
            path: path.to_owned(),
            about: About {
                setting,
                profile,
                at_ms: now.ms(),
                envelopes: 0,
                records: 0,
                batch,
                used: Vec::new(),
            },
            genesis,
            _temporary: None,
        };
        store.save()?;
        Ok(store)
    }

    /// A store that is there.
    ///
    /// # Errors
    /// There is none.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let missing = |error| format!("{}: {error}", path.display());
        let about = fs::read(path.join(ABOUT)).map_err(missing)?;
        Ok(Self {
            path: path.to_owned(),
            about: serde_json::from_slice(&about)?,
            genesis: Genesis::parse(&fs::read(path.join(GENESIS))?)?,
            _temporary: None,
        })
    }

    /// Whether there is a store.
    #[must_use]
    pub fn exists(path: &Path) -> bool {
        path.join(ABOUT).exists()
    }

    /// Writes down what is known.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self) -> Result<(), Failure> {
        let new = self.path.join("bench.json.new");
        fs::write(&new, serde_json::to_vec_pretty(&self.about)?)?;
        Ok(fs::rename(new, self.path.join(ABOUT))?)
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The node's own folder.
    #[must_use]
    pub fn node(&self) -> PathBuf {
        self.path.join(NODE)
    }

    /// Its genesis file.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// When it was made.
    #[must_use]
    pub fn at(&self) -> Instant {
        Instant::from_ms(self.about.at_ms)
    }

    /// What lies in it, in words for a table.
    #[must_use]
    pub fn words(&self) -> String {
        match self.about.records {
            0 => "empty".to_owned(),
            records if records >= 1_000_000 => format!("{:.1} M", records as f64 / 1e6),
            records => records.to_string(),
        }
    }
}

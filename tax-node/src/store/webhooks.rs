//! Members' webhooks: endpoints with their secrets and cursors, and what was delivered.
//!
//! A redb file of its own beside the chain, changed by durable two-phase transactions. What came of
//! an attempt and the cursor that it moves are one transaction: after a crash a message may be sent
//! again, and none is left out. Unlike the figures this is nothing that the chain could give back,
//! so a damaged file is never replaced: the node does not start until somebody decides.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use redb::{Builder, Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition};
use serde::Serialize;
use serde::de::DeserializeOwned;
use webhooks::{DELIVERIES_KEPT, Delivery, Endpoint, EndpointKey};

use super::error::{Damage, OpenError, ReadError, contained};
use crate::files;

/// The name of the file in the node's folder.
pub const WEBHOOKS_FILE: &str = "webhooks.redb";

/// Member (18 bytes) ‖ id → the endpoint as JSON.
const ENDPOINTS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("endpoints");
/// Member (18 bytes) ‖ length of the id (1 byte) ‖ id ‖ number (8 bytes, big-endian) → the delivery
/// as JSON.
const DELIVERIES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("deliveries");

/// Memory for the engine's pages.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// The file of webhooks, opened. One process holds it exclusively.
#[derive(Debug)]
pub struct WebhookFile {
    database: Database,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookChange {
    /// An endpoint is new or different.
    Put(Box<Endpoint>),
    /// An endpoint is gone, and its deliveries with it.
    Remove(EndpointKey),
    /// A delivery is new or different; the one that is too old by it falls off.
    Deliver(EndpointKey, Box<Delivery>),
}

impl WebhookFile {
    /// Opens the file in a folder, or makes an empty one that only its owner reads.
    ///
    /// # Errors
    /// The file is in use or damaged, or the disk fails.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let path = folder.join(WEBHOOKS_FILE);
        let io = |action: &'static str| {
            let path = path.clone();
            move |source| OpenError::Io {
                action,
                path,
                source,
            }
        };
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(files::PRIVATE)
            .open(&path);
        match opened {
            // The name is as durable as what will be written into the file.
            Ok(_) => File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(io("sync"))?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(io("create")(error)),
        }
        Self::built(|builder| builder.create(&path))
    }

    /// Opens the file on a backend that the caller provides.
    ///
    /// # Errors
    /// The backend fails, or what it holds is damaged.
    pub fn on(backend: impl StorageBackend) -> Result<Self, OpenError> {
        Self::built(|builder| builder.create_with_backend(backend))
    }

    fn built(
        open: impl FnOnce(&mut Builder) -> Result<Database, redb::DatabaseError>,
    ) -> Result<Self, OpenError> {
        let build = || {
            let database = open(Builder::new().set_cache_size(CACHE_BYTES));
            let database = database.map_err(OpenError::storage)?;
            let transaction = super::commit::begin(&database).map_err(OpenError::storage)?;
            for table in [ENDPOINTS, DELIVERIES] {
                drop(transaction.open_table(table).map_err(OpenError::storage)?);
            }
            transaction.commit().map_err(OpenError::storage)?;
            Ok(Self { database })
        };
        contained(build, OpenError::storage)
    }

    /// Every endpoint, by member and id.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn endpoints(&self) -> Result<Vec<Endpoint>, ReadError> {
        let read = || {
            let transaction = self.database.begin_read().map_err(ReadError::storage)?;
            let table = transaction
                .open_table(ENDPOINTS)
                .map_err(ReadError::storage)?;
            let mut endpoints: Vec<Endpoint> = Vec::new();
            for row in table.iter().map_err(ReadError::storage)? {
                let (key, value) = row.map_err(ReadError::storage)?;
                let endpoint: Endpoint = decoded("endpoints", value.value())?;
                if key.value() != endpoint_row(&endpoint.key) {
                    let row = endpoint.key.id.to_string();
                    return Err(Damage::new("endpoints", row, "is not where it belongs").into());
                }
                endpoints.push(endpoint);
            }
            Ok(endpoints)
        };
        contained(read, ReadError::storage)
    }

    /// Deliveries of an endpoint before a number (the newest when absent), the newest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn deliveries(
        &self,
        key: &EndpointKey,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Delivery>, ReadError> {
        let read = || {
            let transaction = self.database.begin_read().map_err(ReadError::storage)?;
            let table = transaction
                .open_table(DELIVERIES)
                .map_err(ReadError::storage)?;
            let (from, to) = (
                delivery_row(key, 0),
                delivery_row(key, before.unwrap_or(u64::MAX)),
            );
            let range = table.range(from.as_slice()..to.as_slice());
            let rows = range.map_err(ReadError::storage)?.rev().take(limit);
            let delivery = |row: Result<(_, redb::AccessGuard<'_, &[u8]>), _>| {
                let (_, value) = row.map_err(ReadError::storage)?;
                decoded("deliveries", value.value())
            };
            rows.map(delivery).collect()
        };
        contained(read, ReadError::storage)
    }

    /// One delivery.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn delivery(&self, key: &EndpointKey, number: u64) -> Result<Option<Delivery>, ReadError> {
        let before = number.saturating_add(1);
        let found = self.deliveries(key, Some(before), 1)?;
        Ok(found.into_iter().find(|one| one.number == number))
    }

    /// Keeps changes, durably and all together.
    ///
    /// # Errors
    /// It is not known whether they are kept: whoever gets this opens the file anew.
    pub fn commit(&self, changes: &[WebhookChange]) -> Result<(), ReadError> {
        let write = || {
            let transaction = super::commit::begin(&self.database).map_err(ReadError::storage)?;
            let mut endpoints = transaction
                .open_table(ENDPOINTS)
                .map_err(ReadError::storage)?;
            let mut deliveries = transaction
                .open_table(DELIVERIES)
                .map_err(ReadError::storage)?;
            for change in changes {
                match change {
                    WebhookChange::Put(endpoint) => {
                        let value = encoded("endpoints", endpoint)?;
                        let key = endpoint_row(&endpoint.key);
                        drop(
                            endpoints
                                .insert(key.as_slice(), value.as_slice())
                                .map_err(ReadError::storage)?,
                        );
                    }
                    WebhookChange::Remove(key) => {
                        let row = endpoint_row(key);
                        drop(
                            endpoints
                                .remove(row.as_slice())
                                .map_err(ReadError::storage)?,
                        );
                        let (from, to) = (delivery_row(key, 0), delivery_row(key, u64::MAX));
                        deliveries
                            .retain_in(from.as_slice()..to.as_slice(), |_, _| false)
                            .map_err(ReadError::storage)?;
                    }
                    WebhookChange::Deliver(key, delivery) => {
                        let value = encoded("deliveries", delivery)?;
                        let row = delivery_row(key, delivery.number);
                        drop(
                            deliveries
                                .insert(row.as_slice(), value.as_slice())
                                .map_err(ReadError::storage)?,
                        );
                        if let Some(old) = delivery.number.checked_sub(DELIVERIES_KEPT) {
                            let row = delivery_row(key, old);
                            drop(
                                deliveries
                                    .remove(row.as_slice())
                                    .map_err(ReadError::storage)?,
                            );
                        }
                    }
                }
            }
            drop((endpoints, deliveries));
            transaction.commit().map_err(ReadError::storage)
        };
        contained(write, ReadError::storage)
    }
}

fn endpoint_row(key: &EndpointKey) -> Vec<u8> {
    let mut row = key.member.as_bytes().to_vec();
    row.extend_from_slice(key.id.as_str().as_bytes());
    row
}

/// The length stands before the id, so that no endpoint's rows lie among another's.
fn delivery_row(key: &EndpointKey, number: u64) -> Vec<u8> {
    let id = key.id.as_str().as_bytes();
    let mut row = key.member.as_bytes().to_vec();
    row.push(u8::try_from(id.len()).unwrap_or(u8::MAX));
    row.extend_from_slice(id);
    row.extend_from_slice(&number.to_be_bytes());
    row
}

fn encoded(table: &'static str, value: &impl Serialize) -> Result<Vec<u8>, ReadError> {
    serde_json::to_vec(value).map_err(|_| Damage::new(table, "", "cannot be written").into())
}

fn decoded<T: DeserializeOwned>(table: &'static str, bytes: &[u8]) -> Result<T, ReadError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let row = format!("column {}", error.column());
        Damage::new(table, row, "is not what this program writes").into()
    })
}

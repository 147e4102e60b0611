//! Watching the room on disk: new records are refused before a write can fail for want of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// How often the room is measured.
const INTERVAL: Duration = Duration::from_secs(5);

/// The room on the disk of the data folder.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
    reserve_bytes: u64,
    free_bytes: AtomicU64,
    low: AtomicBool,
}

impl Disk {
    /// Measures the room once. Below `reserve_bytes` the disk is low.
    pub(super) fn new(folder: &Path, reserve_bytes: u64) -> Arc<Self> {
        let disk = Arc::new(Self {
            folder: folder.to_owned(),
            reserve_bytes,
            free_bytes: AtomicU64::new(0),
            low: AtomicBool::new(false),
        });
        disk.measure();
        disk
    }

    /// Measures again and again until the node drops it.
    pub(super) fn watch(this: &Arc<Self>) {
        let weak = Arc::downgrade(this);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(INTERVAL);
            loop {
                ticks.tick().await;
                let Some(disk) = weak.upgrade() else { return };
                disk.measure();
            }
        });
    }

    /// Whether new records must be refused.
    pub(super) fn is_low(&self) -> bool {
        self.low.load(Ordering::Relaxed)
    }

    /// Bytes that are free for this process.
    pub(super) fn free_bytes(&self) -> u64 {
        self.free_bytes.load(Ordering::Relaxed)
    }

    fn measure(&self) {
        match free_bytes(&self.folder) {
            Ok(free) => {
                self.free_bytes.store(free, Ordering::Relaxed);
                let low = free < self.reserve_bytes;
                if low != self.low.swap(low, Ordering::Relaxed) {
                    tracing::warn!(free, reserve = self.reserve_bytes, low, "room on disk");
                }
            }
            Err(error) => tracing::warn!(%error, "the room on disk cannot be measured"),
        }
    }
}

/// Bytes that are free for an unprivileged process on the disk of a folder.
pub(crate) fn free_bytes(folder: &Path) -> std::io::Result<u64> {
    let stat = rustix::fs::statvfs(folder)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

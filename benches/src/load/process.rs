//! What this process and the node's folder take, as Linux tells.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Bytes of a block in `st_blocks` (POSIX leaves it open, Linux says 512).
const BLOCK_BYTES: u64 = 512;

/// The most memory that was resident since [`forget_peak`], in bytes; `None` elsewhere than on
/// Linux.
#[must_use]
pub fn peak_resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1_024)
}

/// Begins the measurement of the peak anew; where it cannot, the peak is that of all before.
pub fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// Bytes that the files of a folder take on disk.
///
/// # Errors
/// The folder cannot be read.
pub fn disk_bytes(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() {
            disk_bytes(&entry.path())?
        } else {
            metadata.blocks() * BLOCK_BYTES
        };
    }
    Ok(bytes)
}

//! What this process and the node's folder take, as Linux tells.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Bytes of a block in `st_blocks` (POSIX leaves it open, Linux says 512).
const BLOCK_BYTES: u64 = 512;

/// What the kernel counts process time in for everyone: `USER_HZ`.
const TICKS_PER_SECOND: f64 = 100.0;

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

/// Time that this process has spent on the processors so far, all threads together, in seconds;
/// `None` elsewhere than on Linux.
#[must_use]
pub fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may hold anything; user and system time are the 12th and 13th
    // fields after it.
    let mut fields = stat
        .get(stat.rfind(')')? + 1..)?
        .split_whitespace()
        .skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some((f64::from(user) + f64::from(system)) / TICKS_PER_SECOND)
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

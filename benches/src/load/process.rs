//! What a process and the node's folder take, as Linux tells.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Bytes of a block in `st_blocks` (POSIX leaves it open, Linux says 512).
const BLOCK_BYTES: u64 = 512;
/// What the kernel counts process time in for everyone: `USER_HZ`.
const TICKS_PER_SECOND: f64 = 100.0;
/// How often threads are looked at. What a thread did since the last look is lost when it ends.
const LOOK: Duration = Duration::from_millis(100);
/// Name of the thread that looks.
const LOOKER: &str = "looker";

/// The process that is looked at: this one, or a child.
fn proc(pid: Option<u32>) -> String {
    pid.map_or("/proc/self".to_owned(), |pid| format!("/proc/{pid}"))
}

/// The most memory that was resident since [`forget_peak`], in bytes; `None` elsewhere than on
/// Linux.
#[must_use]
pub fn peak_resident_bytes(pid: Option<u32>) -> Option<u64> {
    status_bytes(pid, "VmHWM:")
}

/// The memory that is resident now, in bytes.
#[must_use]
pub fn resident_bytes(pid: Option<u32>) -> Option<u64> {
    status_bytes(pid, "VmRSS:")
}

fn status_bytes(pid: Option<u32>, member: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("{}/status", proc(pid))).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(member))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1_024)
}

/// Begins the measurement of the peak anew; where it cannot, the peak is that of all before.
pub fn forget_peak(pid: Option<u32>) {
    let _ = fs::write(format!("{}/clear_refs", proc(pid)), "5");
}

/// Name and processor time, in seconds, of what a `stat` file tells about.
fn stat(text: &str) -> Option<(String, f64)> {
    // The name in parentheses may hold anything; user and system time are the 12th and 13th
    // fields after it.
    let (start, end) = (text.find('(')?, text.rfind(')')?);
    let name = text.get(start + 1..end)?.to_owned();
    let mut fields = text.get(end + 1..)?.split_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some((
        name,
        (f64::from(user) + f64::from(system)) / TICKS_PER_SECOND,
    ))
}

/// Time that a process has spent on the processors so far, all threads together, in seconds.
#[must_use]
pub fn cpu_seconds(pid: Option<u32>) -> Option<f64> {
    let text = fs::read_to_string(format!("{}/stat", proc(pid))).ok()?;
    Some(stat(&text)?.1)
}

/// `verify-3` and `verify-12` do the same work.
fn stage(name: &str) -> String {
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit());
    name.trim_end_matches(['-', '_', ':', '#', ' ']).to_owned()
}

/// Adds up processor time by the names of threads.
pub struct Stages {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
    looking: Option<JoinHandle<()>>,
    whole_at_start: Option<f64>,
    pid: Option<u32>,
}

/// Of each thread: name, processor time at first and last sight.
type Seen = HashMap<String, (String, f64, f64)>;

impl Stages {
    /// Begins.
    #[must_use]
    pub fn watch(pid: Option<u32>) -> Self {
        let seen = Arc::new(Mutex::new(Seen::new()));
        look(pid, &seen, true);
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, shared) = (Arc::clone(&stop), Arc::clone(&seen));
        let looking = std::thread::Builder::new()
            .name(LOOKER.to_owned())
            .spawn(move || {
                while !stopped.load(Ordering::Relaxed) {
                    std::thread::sleep(LOOK);
                    look(pid, &shared, false);
                }
            })
            .ok();
        Self {
            stop,
            seen,
            looking,
            whole_at_start: cpu_seconds(pid),
            pid,
        }
    }

    /// Ends: seconds by name, and what is left to threads that ended unseen under `other`.
    #[must_use]
    pub fn end(mut self) -> BTreeMap<String, f64> {
        look(self.pid, &self.seen, false);
        self.stop.store(true, Ordering::Relaxed);
        let whole = cpu_seconds(self.pid).zip(self.whole_at_start);
        if let Some(looking) = self.looking.take() {
            let _ = looking.join();
        }
        let mut stages = BTreeMap::new();
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, first, last) in seen.values() {
            *stages.entry(stage(name)).or_insert(0.0) += last - first;
        }
        if let Some((after, before)) = whole {
            let known: f64 = stages.values().sum();
            stages.insert("other".to_owned(), (after - before - known).max(0.0));
        }
        // Looking is no part of what is looked at.
        stages.remove(LOOKER);
        stages
    }
}

fn look(pid: Option<u32>, seen: &Mutex<Seen>, first: bool) {
    let Ok(tasks) = fs::read_dir(format!("{}/task", proc(pid))) else {
        return;
    };
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    for task in tasks.flatten() {
        let text = fs::read_to_string(task.path().join("stat")).ok();
        let Some((name, seconds)) = text.as_deref().and_then(stat) else {
            continue;
        };
        let id = task.file_name().to_string_lossy().into_owned();
        // A thread that began meanwhile began at nothing.
        let start = if first { seconds } else { 0.0 };
        let thread = seen.entry(id).or_insert((name.clone(), start, seconds));
        thread.0 = name;
        thread.2 = seconds;
    }
}

/// Bytes that the files of a folder take on disk.
///
/// # Errors
/// The folder cannot be read.
pub fn disk_bytes(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A file that the node removes just now is no error.
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        bytes += if metadata.is_dir() {
            disk_bytes(&entry.path())?
        } else {
            metadata.blocks() * BLOCK_BYTES
        };
    }
    Ok(bytes)
}

/// The same by what lies in the folder.
///
/// # Errors
/// The folder cannot be read.
pub fn disk_by_name(folder: &Path) -> std::io::Result<BTreeMap<String, u64>> {
    let mut parts = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        let bytes = if metadata.is_dir() {
            disk_bytes(&entry.path())?
        } else {
            metadata.blocks() * BLOCK_BYTES
        };
        parts.insert(entry.file_name().to_string_lossy().into_owned(), bytes);
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_added_up_by_what_they_do() {
        assert_eq!(stage("verify-12"), "verify");
        assert_eq!(stage("actix-rt|system:3"), "actix-rt|system");
        assert_eq!(stage("engine"), "engine");
        let text = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0";
        assert_eq!(stat(text), Some(("a) b".to_owned(), 2.0)));
        let stages = Stages::watch(None);
        let burner = std::thread::Builder::new().name("burner-1".to_owned());
        let burning = burner.spawn(|| {
            let start = std::time::Instant::now();
            let mut sum = 0_u64;
            while start.elapsed() < Duration::from_millis(500) {
                sum = sum.wrapping_mul(31).wrapping_add(7);
            }
            sum
        });
        burning.unwrap().join().unwrap();
        let stages = stages.end();
        assert!(stages["burner"] > 0.05, "{stages:?}");
    }
}

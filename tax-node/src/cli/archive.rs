//! What a backup is: a tar of a node's folder, compressed with zstd, its manifest last.
//!
//! The manifest names every file with its length and SM3, so an archive that was cut short has
//! none, and one of which a byte changed does not match it.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};
use sm3::{Digest, Sm3};

use super::failure::{Exit, Failure};
use crate::files::{self, RESTORED};
use crate::node::ACCESS_LOG_FILE;
use crate::store::{self, FIGURES_FILE, WEBHOOKS_FILE};

/// Value of the manifest's member `format`.
pub(super) const FORMAT: &str = "piaolian-backup/1";
/// The manifest's name in the archive. No file of a node's folder has it.
pub(super) const MANIFEST: &str = "BACKUP-MANIFEST.json";
/// Longest manifest, in bytes (256 MiB): about a million files.
pub(super) const MANIFEST_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// How many folders deep a node's folder is read.
const DEPTH_MAX: usize = 8;
/// Bytes that are copied at a time.
const COPY_BYTES: usize = 256 * 1024;

/// What an archive holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) format: String,
    /// Version of the program that made it.
    pub(super) program: String,
    pub(super) chain_id: String,
    pub(super) genesis_hash: String,
    /// Height of the last block.
    pub(super) height: u64,
    /// Whether private keys are in it.
    pub(super) keys: bool,
    /// The files by their paths in the folder, with `/`.
    pub(super) files: BTreeMap<String, FileEntry>,
}

/// A file of the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileEntry {
    pub(super) bytes: u64,
    /// SM3 of the content in lower-case hexadecimal.
    pub(super) sm3: String,
}

/// Hashes and counts what passes through it.
pub(super) struct Hashed<T> {
    inner: T,
    hasher: Sm3,
    bytes: u64,
    bar: ProgressBar,
}

impl<T> Hashed<T> {
    pub(super) fn new(inner: T, bar: &ProgressBar) -> Self {
        Self {
            inner,
            hasher: Sm3::new(),
            bytes: 0,
            bar: bar.clone(),
        }
    }

    pub(super) fn finish(self) -> FileEntry {
        FileEntry {
            bytes: self.bytes,
            sm3: hex::encode(self.hasher.finalize()),
        }
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(out)?;
        let read = out.get(..count).unwrap_or_default();
        self.hasher.update(read);
        self.bytes = self.bytes.saturating_add(count as u64);
        self.bar.inc(count as u64);
        Ok(count)
    }
}

/// Copies a stream in pieces that keep the hash busy.
pub(super) fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<u64> {
    let mut buffer = vec![0; COPY_BYTES];
    let mut copied: u64 = 0;
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok(copied),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        to.write_all(buffer.get(..count).unwrap_or_default())?;
        copied = copied.saturating_add(count as u64);
    }
}

/// A bar of bytes on a terminal, nothing in a pipe.
pub(super) fn progress(bytes: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
    let style = "{bar:40} {bytes}/{total_bytes}  {bytes_per_sec}  {eta}";
    ProgressStyle::with_template(style).map_or(bar.clone(), |style| bar.with_style(style))
}

/// The files of a folder by their paths in it, with their lengths. What is being written under a
/// temporary name is left out; links to other disks are followed.
pub(super) fn files_of(
    folder: &Path,
    with_keys: bool,
) -> Result<BTreeMap<String, (PathBuf, u64)>, Failure> {
    let mut found = BTreeMap::new();
    walk(folder, "", DEPTH_MAX, with_keys, &mut found)?;
    Ok(found)
}

fn walk(
    folder: &Path,
    prefix: &str,
    depth: usize,
    with_keys: bool,
    found: &mut BTreeMap<String, (PathBuf, u64)>,
) -> Result<(), Failure> {
    let at = |path: &Path, error: &dyn std::fmt::Display| {
        Failure::file(path, error)
            .hint("检查目录与权限后重试 / mend the folder or its permissions, then try again")
    };
    let Some(depth) = depth.checked_sub(1) else {
        return Err(at(folder, &"目录层次过深 / too many folders deep"));
    };
    for entry in std::fs::read_dir(folder).map_err(|error| at(folder, &error))? {
        let entry = entry.map_err(|error| at(folder, &error))?;
        let path = entry.path();
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            return Err(at(&path, &"文件名不是 UTF-8 / the name is not UTF-8"));
        };
        let keys = prefix.is_empty() && name == "keys";
        // Figures are made anew from the chain, and the mark of a restored folder by restoring.
        let derived = prefix.is_empty() && (name == FIGURES_FILE || name == RESTORED);
        if name.ends_with(".new") || derived || (keys && !with_keys) {
            continue;
        }
        let metadata = std::fs::metadata(&path).map_err(|error| at(&path, &error))?;
        let inside = format!("{prefix}{name}");
        if metadata.is_dir() {
            walk(&path, &format!("{inside}/"), depth, with_keys, found)?;
        } else if metadata.is_file() {
            found.insert(inside, (path, metadata.len()));
        }
    }
    Ok(())
}

/// What of a node's folder is the chain and no matter of that node alone: all that somebody else
/// gets. A log of votes would be read as the memory of another node, who asked what and the secrets
/// of webhooks are nobody else's.
pub(super) fn of_the_chain(name: &str) -> bool {
    let top = name.split('/').next().unwrap_or_default();
    [
        "genesis.json",
        "peers.json",
        store::FILE_NAME,
        store::RUNS,
        store::EPOCHS,
    ]
    .contains(&top)
}

/// The permissions of a file of a node's folder: keys, the secrets of webhooks, and who asked what
/// are for its owner.
pub(super) fn mode_of(name: &str) -> u32 {
    match name.starts_with("keys/") || name == WEBHOOKS_FILE || name == ACCESS_LOG_FILE {
        true => files::PRIVATE,
        false => files::PUBLIC,
    }
}

/// A path of the archive as a path below a folder: nothing that leads out of it.
pub(super) fn inside(path: &Path) -> Option<String> {
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::CurDir
            | Component::ParentDir
            | Component::RootDir
            | Component::Prefix(_) => return None,
        }
    }
    (!parts.is_empty() && parts.len() <= DEPTH_MAX).then(|| parts.join("/"))
}

/// The archive is not what was written.
pub(super) fn damaged(path: &Path, fault: impl std::fmt::Display) -> Failure {
    Failure::new(
        Exit::Integrity,
        "backup_damaged",
        format!("{}: {fault}", path.display()),
    )
    .hint("使用另一份备份，或从其他节点重新同步 / take another backup, or let the node catch up from the others")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leads_out_is_no_path_inside() {
        for (path, good) in [
            ("chain.redb", true),
            ("epochs/2026/1.body", true),
            ("../chain.redb", false),
            ("runs/../../x", false),
            ("/etc/passwd", false),
            ("", false),
        ] {
            assert_eq!(inside(Path::new(path)).is_some(), good, "{path}");
        }
    }

    #[test]
    fn somebody_else_gets_the_chain_and_nothing_of_the_node() {
        for (name, chain, private) in [
            ("genesis.json", true, false),
            ("peers.json", true, false),
            ("chain.redb", true, false),
            ("runs/7.run", true, false),
            ("epochs/2026/1.body", true, false),
            ("members.json", false, false),
            ("party.json", false, false),
            ("votes.log", false, false),
            ("access.ndjson", false, true),
            ("webhooks.redb", false, true),
            ("keys/node.pem", false, true),
            ("anything.else", false, false),
        ] {
            assert_eq!(of_the_chain(name), chain, "{name}");
            assert_eq!(mode_of(name) == files::PRIVATE, private, "{name}");
        }
    }

    #[test]
    fn the_hash_of_what_passed_is_that_of_the_whole() {
        let bytes = vec![7; COPY_BYTES + 1];
        let mut hashed = Hashed::new(&bytes[..], &ProgressBar::hidden());
        let mut out = Vec::new();
        assert_eq!(copy(&mut hashed, &mut out).unwrap(), bytes.len() as u64);
        assert_eq!(out, bytes);
        let entry = hashed.finish();
        assert_eq!(entry.sm3, invoice_core::crypto::sm3(&[&bytes]).to_string());
        assert_eq!(entry.bytes, bytes.len() as u64);
    }
}

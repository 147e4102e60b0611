//! Files that are there whole or not at all, and the names in a node's folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The genesis file in a node's folder.
pub(crate) fn genesis(folder: &Path) -> PathBuf {
    folder.join("genesis.json")
}

/// The list of members that a demonstration prepares.
pub(crate) fn members(folder: &Path) -> PathBuf {
    folder.join("members.json")
}

/// The folder of keys.
pub(crate) fn keys(folder: &Path) -> PathBuf {
    folder.join("keys")
}

/// The validator's key.
pub(crate) fn validator_key(folder: &Path) -> PathBuf {
    keys(folder).join("validator.pem")
}

/// The key of a node without a vote.
pub(crate) fn node_key(folder: &Path) -> PathBuf {
    keys(folder).join("node.pem")
}

/// The list of the other nodes.
pub(crate) fn peers(folder: &Path) -> PathBuf {
    folder.join("peers.json")
}

/// The log of the height that is being decided.
pub(crate) fn vote_log(folder: &Path) -> PathBuf {
    folder.join("votes.log")
}

/// Name of the mark that the folder was put back to an earlier state.
pub(crate) const RESTORED: &str = "restored";

/// The mark that the folder was put back to an earlier state: empty, then the time of the first
/// start.
pub(crate) fn restored(folder: &Path) -> PathBuf {
    folder.join(RESTORED)
}

/// Removes a mark, durably: after a crash it does not come back.
pub(crate) fn remove_whole(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    File::open(folder_of(path))?.sync_all()
}

/// Permissions of a file that only its owner reads.
pub(crate) const PRIVATE: u32 = 0o600;
/// Permissions of a file that everyone may read.
pub(crate) const PUBLIC: u32 = 0o644;

/// The folder of a file; of a bare name, the current one.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) | None => Path::new("."),
    }
}

/// Writes a file under a temporary name, syncs it, renames it and syncs the folder: after a crash
/// there is the old file or the new one.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = folder_of(path);
    fs::create_dir_all(folder)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let temporary = folder.join(name);
    if temporary.exists() {
        fs::remove_file(&temporary)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_lies_in_the_current_folder() {
        for (path, folder) in [
            ("change.json", "."),
            ("./change.json", "."),
            ("out/change.json", "out"),
            ("/change.json", "/"),
        ] {
            assert_eq!(folder_of(Path::new(path)), Path::new(folder), "{path}");
        }
    }
}

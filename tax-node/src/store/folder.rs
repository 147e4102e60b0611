//! Creating and finding the file of a store.
//!
//! Creating a database in place is not safe against a power cut: half a file would be taken for a
//! damaged store. So the file is built under a temporary name, synced, renamed, and the folder is
//! synced. After a power cut there is the whole store or none; what lies under the temporary name
//! is garbage, and the next attempt removes it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::error::OpenError;
use super::opening::{EPOCHS, RUNS};

/// The name of a store's file in the node's folder.
pub const FILE_NAME: &str = "chain.redb";

/// The name under which a store is built until it is whole.
pub const TEMPORARY_NAME: &str = "chain.redb.new";

/// The file of the store in `folder`.
#[must_use]
pub fn file_of(folder: &Path) -> PathBuf {
    folder.join(FILE_NAME)
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_path_buf();
    move |source| OpenError::Io {
        action,
        path,
        source,
    }
}

/// Lets `build` write a store under the temporary name in `folder` and then puts it in its place.
///
/// # Errors
/// [`OpenError::Exists`] when a store is there, [`OpenError::Orphans`] when it is gone and files of
/// it are left, which opening a new one would remove, [`OpenError::InUse`] when another process is
/// creating one in the same folder, and whatever `build` or the operating system reports.
pub(super) fn create(
    folder: &Path,
    build: impl FnOnce(&Path) -> Result<(), OpenError>,
) -> Result<(), OpenError> {
    let directory = File::open(folder).map_err(failed("open folder", folder))?;
    match directory.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(OpenError::InUse),
        Err(TryLockError::Error(source)) => return Err(failed("lock folder", folder)(source)),
    }
    let target = file_of(folder);
    if target.try_exists().map_err(failed("look for", &target))? {
        return Err(OpenError::Exists(target));
    }
    for name in [RUNS, EPOCHS] {
        let orphans = folder.join(name);
        if has_files(&orphans).map_err(failed("look into", &orphans))? {
            return Err(OpenError::Orphans(orphans));
        }
    }
    let temporary = folder.join(TEMPORARY_NAME);
    match fs::remove_file(&temporary) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed("remove", &temporary)(error)),
    }
    build(&temporary)?;
    // The engine synced the file's data; this also settles its length and other metadata.
    let file = File::options().read(true).write(true).open(&temporary);
    file.and_then(|file| file.sync_all())
        .map_err(failed("sync", &temporary))?;
    fs::rename(&temporary, &target).map_err(failed("rename", &temporary))?;
    directory.sync_all().map_err(failed("sync folder", folder))
}

/// Whether there is any file in a folder or in the folders within; absent ones have none.
fn has_files(folder: &Path) -> io::Result<bool> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        if !entry.file_type()?.is_dir() || has_files(&entry.path())? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leftover_of_an_interrupted_creation_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(TEMPORARY_NAME), b"half a store").unwrap();
        create(folder.path(), |path| {
            assert!(!path.exists());
            fs::write(path, b"whole").map_err(failed("write", path))
        })
        .unwrap();
        assert_eq!(fs::read(file_of(folder.path())).unwrap(), b"whole");
        assert!(!folder.path().join(TEMPORARY_NAME).exists());
    }

    #[test]
    fn a_failed_creation_leaves_no_store_behind() {
        let folder = tempfile::tempdir().unwrap();
        let error = create(folder.path(), |path| {
            fs::write(path, b"half").map_err(failed("write", path))?;
            Err(OpenError::Missing(path.to_path_buf()))
        });
        assert!(matches!(error, Err(OpenError::Missing(_))));
        assert!(!file_of(folder.path()).exists());
    }

    #[test]
    fn an_existing_store_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(file_of(folder.path()), b"precious").unwrap();
        let error = create(folder.path(), |_| Ok(()));
        assert!(matches!(error, Err(OpenError::Exists(_))));
        assert_eq!(fs::read(file_of(folder.path())).unwrap(), b"precious");
    }

    #[test]
    fn no_store_is_created_over_the_files_of_one_that_is_gone() {
        for left in ["runs/7.run", "epochs/2026/1.bodies"] {
            let folder = tempfile::tempdir().unwrap();
            let left = folder.path().join(left);
            fs::create_dir_all(left.parent().unwrap()).unwrap();
            create(folder.path(), |path| {
                fs::write(path, b"").map_err(failed("write", path))
            })
            .expect("empty folders hold nothing");
            fs::remove_file(file_of(folder.path())).unwrap();
            fs::write(&left, b"precious").unwrap();
            let error = create(folder.path(), |_| panic!("a store is built"));
            assert!(matches!(error, Err(OpenError::Orphans(_))));
            assert_eq!(fs::read(&left).unwrap(), b"precious");
        }
    }

    #[test]
    fn two_creations_do_not_meet() {
        let folder = tempfile::tempdir().unwrap();
        create(folder.path(), |path| {
            let second = create(folder.path(), |_| Ok(()));
            assert!(matches!(second, Err(OpenError::InUse)));
            fs::write(path, b"first").map_err(failed("write", path))
        })
        .unwrap();
    }
}

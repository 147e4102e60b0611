//! The few things that are asked of a file system, so that tests can put a failing one underneath.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// A file system.
pub trait Files: Debug + Send + Sync {
    /// Creates an empty file. Its name is durable after [`Files::sync_folder`].
    ///
    /// # Errors
    /// The file exists, or the system refused; so for all methods here.
    fn create(&self, path: &Path) -> io::Result<Box<dyn FileOut>>;

    /// Opens a file to write on after its first `length` bytes; what follows them is cut off.
    ///
    /// # Errors
    /// There is no such file, or it is shorter than that.
    fn append(&self, path: &Path, length: u64) -> io::Result<Box<dyn FileOut>>;

    /// Opens a file for reading. It stays readable after its name was removed.
    ///
    /// # Errors
    /// There is no such file.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn FileIn>>;

    /// Gives a file another name of the same folder, in place of a file that has it.
    ///
    /// # Errors
    /// There is no such file.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a name. Durable after [`Files::sync_folder`].
    ///
    /// # Errors
    /// There is no such file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// The names in a folder, in no order.
    ///
    /// # Errors
    /// There is no such folder.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;

    /// Creates a folder and those above it, durably; does nothing when it is there.
    ///
    /// # Errors
    /// The system refused.
    fn create_folder(&self, folder: &Path) -> io::Result<()>;

    /// Makes the names in a folder durable.
    ///
    /// # Errors
    /// The system refused; then nobody knows which names are durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// A file being written from front to back.
pub trait FileOut: Debug + Send {
    /// Appends `data`.
    ///
    /// # Errors
    /// The system refused; some of it may have been written.
    fn write(&mut self, data: &[u8]) -> io::Result<()>;

    /// Makes what was written durable.
    ///
    /// # Errors
    /// The system refused; then nobody knows what is durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file being read.
pub trait FileIn: Debug + Send + Sync {
    /// Its length in bytes.
    ///
    /// # Errors
    /// The system refused.
    fn length(&self) -> io::Result<u64>;

    /// Fills `out` with the bytes from `offset` on.
    ///
    /// # Errors
    /// The file ends before; or the system refused.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;
}

/// The file system of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiskFiles;

impl Files for DiskFiles {
    fn create(&self, path: &Path) -> io::Result<Box<dyn FileOut>> {
        Ok(Box::new(
            OpenOptions::new().write(true).create_new(true).open(path)?,
        ))
    }

    fn append(&self, path: &Path, length: u64) -> io::Result<Box<dyn FileOut>> {
        let file = OpenOptions::new().append(true).open(path)?;
        if file.metadata()?.len() < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        file.set_len(length)?;
        Ok(Box::new(file))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn FileIn>> {
        Ok(Arc::new(File::open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        fs::read_dir(folder)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        let Some(above) = folder.parent() else {
            return Ok(());
        };
        let above = match above.as_os_str().is_empty() {
            true => Path::new("."),
            false => above,
        };
        if !folder.try_exists()? {
            self.create_folder(above)?;
            match fs::create_dir(folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        // Also of a folder that is there: an earlier process may have ended before this.
        self.sync_folder(above)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

impl FileOut for File {
    fn write(&mut self, data: &[u8]) -> io::Result<()> {
        self.write_all(data)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

impl FileIn for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(out, offset)
    }
}

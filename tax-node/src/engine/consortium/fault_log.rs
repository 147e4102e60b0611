//! The log of votes on a simulated disk.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use arc_malachitebft_wal::Storage;

use crate::store::fault::{Backend, Disk, StorageBackend};

/// The log's disk, and the machine whose power it shares.
#[derive(Clone, Debug)]
pub struct LogDisk {
    /// What the log is on.
    pub disk: Disk,
    /// Counts every change, and decides when the power goes off.
    pub machine: Disk,
}

/// One opening of the log's file.
#[derive(Debug)]
pub struct LogFile {
    backend: Backend,
    machine: Disk,
    position: u64,
}

impl LogFile {
    /// The power is on, as far as reading is concerned.
    fn powered(&self) -> io::Result<()> {
        if self.machine.powered() {
            Ok(())
        } else {
            Err(io::Error::other("the power is off"))
        }
    }
}

impl Storage for LogFile {
    type OpenOptions = LogDisk;

    fn open_with(_path: impl AsRef<Path>, options: LogDisk) -> io::Result<Self> {
        Ok(Self {
            backend: options.disk.backend(),
            machine: options.machine,
            position: 0,
        })
    }

    fn size_bytes(&self) -> io::Result<u64> {
        self.backend.len()
    }

    fn truncate_to(&mut self, size: u64) -> io::Result<()> {
        // What is under way when the power goes off may have reached the disk.
        self.backend.set_len(size)?;
        self.machine.step()
    }

    fn sync_all(&mut self) -> io::Result<()> {
        self.machine.step()?;
        self.backend.sync_data()
    }
}

impl Read for LogFile {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.powered()?;
        let left = self.backend.len()?.saturating_sub(self.position);
        let count = out.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let out = out.get_mut(..count).unwrap_or_default();
        self.backend.read(self.position, out)?;
        self.position = self.position.saturating_add(count as u64);
        Ok(count)
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.backend.write(self.position, bytes)?;
        self.machine.step()?;
        self.position = self.position.saturating_add(bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for LogFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(offset) => self.backend.len()?.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = place.ok_or_else(|| io::Error::other("before the beginning"))?;
        Ok(self.position)
    }
}

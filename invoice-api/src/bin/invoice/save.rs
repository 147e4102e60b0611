//! Where receipts are kept.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A folder for many receipts, or a file for one.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SaveArgs {
    /// 保存回执的目录或文件 / Folder or file to keep the receipt in
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) save: Option<PathBuf>,
}

impl SaveArgs {
    /// Keeps a receipt, byte for byte as it came: a line feed at the end would be a byte that
    /// nothing proves. Says where.
    pub(crate) fn receipt(
        &self,
        by: &str,
        id: &str,
        receipt: &str,
    ) -> Result<Option<PathBuf>, Failure> {
        let Some(place) = &self.save else {
            return Ok(None);
        };
        let path = if is_folder(place) {
            fs::create_dir_all(place).map_err(|error| Failure::file(place, &error))?;
            place.join(format!("{}-{}.receipt.json", plain(by), plain(id)))
        } else {
            place.clone()
        };
        write(&path, receipt.as_bytes())?;
        Ok(Some(path))
    }

    /// The place for another receipt of the same document: the same folder, or a file beside.
    pub(crate) fn beside(&self, word: &str) -> Self {
        let save = self.save.as_ref().map(|place| match is_folder(place) {
            true => place.clone(),
            false => {
                let kind = place.extension().unwrap_or_default().to_string_lossy();
                place.with_extension(format!("{word}.{kind}").trim_end_matches('.'))
            }
        });
        Self { save }
    }

    /// Keeps a record whose outcome is not known, so that the same bytes can be sent again.
    pub(crate) fn unanswered(&self, id: &str, record: &str) -> Result<PathBuf, Failure> {
        let folder = match &self.save {
            Some(place) if is_folder(place) => place.clone(),
            Some(file) => file.parent().map(Path::to_owned).unwrap_or_default(),
            None => PathBuf::new(),
        };
        if !folder.as_os_str().is_empty() {
            fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, &error))?;
        }
        let path = folder.join(format!("{}.unanswered.json", plain(id)));
        write(&path, record.as_bytes())?;
        Ok(path)
    }
}

/// An existing folder, or a name that ends like one.
fn is_folder(place: &Path) -> bool {
    place.is_dir() || place.as_os_str().to_string_lossy().ends_with('/')
}

/// Ids come from files and servers; in a file name they must not lead elsewhere.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect()
}

/// Under a temporary name first, so that a file of this name is always whole.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let written = fs::File::create(&part).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, path)
    });
    written.map_err(|error| Failure::file(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_takes_many_and_a_file_takes_one() {
        let root = tempfile::tempdir().unwrap();
        let folder = SaveArgs {
            save: Some(root.path().to_owned()),
        };
        let path = folder.receipt("M", "../a/b", "{}").unwrap().unwrap();
        assert_eq!(path, root.path().join("M-___a_b.receipt.json"));
        assert_eq!(fs::read(path).unwrap(), b"{}");
        let file = SaveArgs {
            save: Some(root.path().join("r.json")),
        };
        assert_eq!(
            file.receipt("M", "1", "{ }").unwrap().unwrap(),
            root.path().join("r.json")
        );
        let beside = file.beside("alias").save;
        assert_eq!(beside, Some(root.path().join("r.alias.json")));
        assert_eq!(folder.beside("alias").save, folder.save);
        assert_eq!(
            file.unanswered("1", "{}").unwrap(),
            root.path().join("1.unanswered.json")
        );
        assert_eq!(
            SaveArgs { save: None }.receipt("M", "1", "{}").unwrap(),
            None
        );
    }
}

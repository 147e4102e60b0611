//! Paths inside a package.

use crate::error::PaperError;

/// Bytes of a path.
const PATH_BYTES_MAX: usize = 512;

/// Judges the name of an entry: relative, with forward slashes, inside, and visible.
///
/// # Errors
/// [`PaperError::ZipPath`] for any other.
pub(crate) fn inside(name: &str) -> Result<&str, PaperError> {
    let path = name.strip_suffix('/').unwrap_or(name);
    let fits = !path.is_empty()
        && path.len() <= PATH_BYTES_MAX
        && !path.contains(['\\', ':'])
        && !path.chars().any(char::is_control)
        && path.split('/').all(|step| !matches!(step, "" | "." | ".."));
    if fits {
        Ok(name)
    } else {
        Err(PaperError::ZipPath)
    }
}

/// The name of the entry that a location in a file means (GB/T 33190, 7.3): absolute from the
/// root of the package, or relative to the folder of the file in which it stands.
///
/// # Errors
/// [`PaperError::ZipPath`] when it leads out of the package.
pub(crate) fn resolve(file: &str, location: &str) -> Result<String, PaperError> {
    let location = location.trim();
    let mut steps: Vec<&str> = match location.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => file.split('/').collect(),
    };
    // The file itself is no folder.
    if !location.starts_with('/') {
        steps.pop();
    }
    for step in location.trim_start_matches('/').split('/') {
        match step {
            "." => {}
            ".." => {
                steps.pop().ok_or(PaperError::ZipPath)?;
            }
            step => steps.push(step),
        }
    }
    let path = steps.join("/");
    inside(&path)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_inside_are_names() {
        for good in ["OFD.xml", "Doc_0/Attachs/发票.xml", "a/", "a..b/c"] {
            assert!(inside(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/",
            "/etc/passwd",
            "../a",
            "a/../b",
            "a/..",
            "./a",
            "a//b",
            "a\\b",
            "..\\a",
            "C:/a",
            "a\0b",
            "a\nb",
        ] {
            assert_eq!(inside(bad), Err(PaperError::ZipPath), "{bad:?}");
        }
        assert!(inside(&"a".repeat(513)).is_err());
    }

    #[test]
    fn locations_are_resolved_against_their_file() {
        let cases: &[(&str, &str, Option<&str>)] = &[
            ("OFD.xml", "Doc_0/Document.xml", Some("Doc_0/Document.xml")),
            (
                "Doc_0/Document.xml",
                "Attachs/A.xml",
                Some("Doc_0/Attachs/A.xml"),
            ),
            ("Doc_0/Document.xml", "/Doc_0/A.xml", Some("Doc_0/A.xml")),
            ("Doc_0/a/b.xml", "../c.xml", Some("Doc_0/c.xml")),
            ("Doc_0/a.xml", "./c.xml", Some("Doc_0/c.xml")),
            ("Doc_0/a.xml", "../../c.xml", None),
            ("OFD.xml", "../c.xml", None),
            ("OFD.xml", "/../c.xml", None),
            ("OFD.xml", "a\\b.xml", None),
            ("OFD.xml", "", None),
        ];
        for (file, location, due) in cases {
            assert_eq!(
                resolve(file, location).ok().as_deref(),
                *due,
                "{file} {location}"
            );
        }
    }
}

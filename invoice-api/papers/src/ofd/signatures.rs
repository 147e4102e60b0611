//! The signatures of a package (GB/T 33190, 18): digests of files, and a seal over the digests.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use invoice_core::crypto::sm3;

use super::seal;
use crate::error::PaperError;
use crate::limits::Meter;
use crate::paper::{Seal, SealState};
use crate::xml;
use crate::zip::{Archive, resolve};

/// Signatures of one package.
const SIGNATURES_MAX: usize = 8;
/// Files that one signature covers.
const REFERENCES_MAX: usize = 1_000;

/// What was found of all signatures together.
pub(super) struct Verdict {
    pub(super) seal: Seal,
    /// What is wrong, when something is.
    pub(super) detail: String,
    /// Files whose digests stand under a signature that holds.
    pub(super) covered: BTreeSet<String>,
    /// Those of them whose digests stand under a trusted seal.
    pub(super) vouched: BTreeSet<String>,
}

impl Verdict {
    pub(super) const fn absent() -> Self {
        Self {
            seal: Seal::plain(SealState::Absent),
            detail: String::new(),
            covered: BTreeSet::new(),
            vouched: BTreeSet::new(),
        }
    }

    fn broken(detail: impl Into<String>) -> Self {
        Self {
            seal: Seal::plain(SealState::Broken),
            detail: detail.into(),
            covered: BTreeSet::new(),
            vouched: BTreeSet::new(),
        }
    }
}

/// Verifies all signatures of a list. One that is broken makes all broken.
pub(super) fn verify(
    archive: &Archive<'_>,
    list_name: &str,
    trusted: &[Vec<u8>],
    meter: &mut Meter<'_>,
) -> Result<Verdict, PaperError> {
    let Some(list) = archive.read(list_name, meter)? else {
        return Ok(Verdict::broken(list_name));
    };
    let list = xml::parse(&list, meter)?;
    let signatures = list.all(&["Signature"]);
    if signatures.len() > SIGNATURES_MAX {
        return Err(PaperError::OfdMalformed);
    }
    let mut all = Verdict::absent();
    for signature in signatures {
        let location = signature
            .attribute("BaseLoc")
            .ok_or(PaperError::OfdMalformed)?;
        let name = resolve(list_name, location)?;
        let one = verify_one(archive, &name, trusted, meter)?;
        all = match (all.seal.state, one.seal.state) {
            (SealState::Absent, _) => one,
            (SealState::Broken, _) => all,
            (_, SealState::Broken) => one,
            // What the weaker one covers is not covered by the stronger.
            (mine, theirs) if theirs < mine => one,
            (mine, theirs) if mine < theirs => all,
            _ => {
                all.covered.extend(one.covered);
                all.vouched.extend(one.vouched);
                // The one that is named is the one that counts.
                if one.seal.trusted && !all.seal.trusted {
                    all.seal = one.seal;
                }
                all
            }
        };
    }
    Ok(all)
}

fn verify_one(
    archive: &Archive<'_>,
    name: &str,
    trusted: &[Vec<u8>],
    meter: &mut Meter<'_>,
) -> Result<Verdict, PaperError> {
    let Some(bytes) = archive.read(name, meter)? else {
        return Ok(Verdict::broken(name));
    };
    let file = xml::parse(&bytes, meter)?;
    let info = file.one(&["SignedInfo"])?.ok_or(PaperError::OfdMalformed)?;
    let references = info.one(&["References"])?.ok_or(PaperError::OfdMalformed)?;
    // GM/T 0006: SM3. Older digests prove nothing any more.
    if !matches!(
        references.attribute("CheckMethod"),
        Some("1.2.156.10197.1.401" | "SM3" | "sm3")
    ) {
        return Ok(Verdict::broken("CheckMethod"));
    }
    let references = references.all(&["Reference"]);
    if references.len() > REFERENCES_MAX {
        return Err(PaperError::OfdMalformed);
    }
    let mut covered = BTreeSet::new();
    for reference in references {
        let location = reference
            .attribute("FileRef")
            .ok_or(PaperError::OfdMalformed)?;
        let target = resolve(name, location)?;
        let due = reference.text(&["CheckValue"])?;
        let due = due.and_then(|due| STANDARD.decode(due).ok());
        let Some(found) = archive.read(&target, meter)? else {
            return Ok(Verdict::broken(target));
        };
        if due.as_deref() != Some(sm3(&[&found]).as_bytes().as_slice()) {
            return Ok(Verdict::broken(target));
        }
        covered.insert(target);
    }
    let value = match file.text(&["SignedValue"])? {
        Some(location) => archive.read(&resolve(name, &location)?, meter)?,
        None => None,
    };
    let Some(value) = value else {
        return Ok(Verdict::broken("SignedValue"));
    };
    let (seal, detail) = seal::judge(&value, sm3(&[&bytes]).as_bytes(), trusted);
    if seal.state == SealState::Broken {
        covered.clear();
    }
    Ok(Verdict {
        vouched: match seal.trusted {
            true => covered.clone(),
            false => BTreeSet::new(),
        },
        covered,
        seal,
        detail: detail.to_owned(),
    })
}

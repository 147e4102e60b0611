//! OFD (GB/T 33190): three sources of data inside one package, in order of trust, and seals.
//!
//! The attached XML is complete; custom tags name texts on the page, without usable lines; the
//! properties are a few values, whose 合计金额 is without tax. The most trusted source that
//! identifies a document is taken as it is, never mended from the others: they are compared.

mod certificate;
mod seal;
mod signatures;
mod tags;

use crate::error::PaperError;
use crate::judge;
use crate::limits::Meter;
use crate::paper::{Paper, Seal, SealState, Tier};
use crate::raw::Raw;
use crate::record;
use crate::warning::WarningCode;
use crate::xml::{self, Field, Flat, Node};
use crate::zip::{Archive, resolve};
use signatures::Verdict;

/// The file with which an OFD begins (GB/T 33190, 7.2).
pub(crate) const ENTRY: &str = "OFD.xml";

/// Attachments that are looked at.
const ATTACHMENTS_MAX: usize = 16;

/// A source that identified a document.
struct Source {
    paper: Paper,
    /// The files that it was read from, with those that name them.
    files: Vec<String>,
}

/// Reads an OFD.
///
/// # Errors
/// [`PaperError::OfdMalformed`], [`PaperError::OfdUnknown`], or any [`PaperError`] of zip and XML.
pub(crate) fn read(
    archive: &Archive<'_>,
    trusted: &[Vec<u8>],
    meter: &mut Meter<'_>,
) -> Result<Paper, PaperError> {
    let root = required(archive, ENTRY, meter)?;
    if root.name != "OFD" {
        return Err(PaperError::OfdMalformed);
    }
    let body = match *root.all(&["DocBody"]) {
        [body] => body,
        [] => return Err(PaperError::OfdMalformed),
        _ => return Err(PaperError::SeveralDocuments),
    };
    let document = match body.text(&["DocRoot"])? {
        Some(location) => resolve(ENTRY, &location)?,
        None => return Err(PaperError::OfdMalformed),
    };
    let contents = required(archive, &document, meter)?;
    let attached = attachments(archive, &document, &contents, meter)?;
    let (tags, tag_files) = tags::read(archive, &document, &contents, meter)?;
    let properties = custom_data(body)?;
    let mut source = match attached {
        Some(mut source) => {
            judge::compare(&mut source.paper, Tier::Tags.as_str(), &tags);
            judge::compare(&mut source.paper, Tier::CustomData.as_str(), &properties);
            source
        }
        None if tags.is_usable() => {
            let mut paper = judge::judge(tags, Tier::Tags)?;
            judge::compare(&mut paper, Tier::CustomData.as_str(), &properties);
            Source {
                paper,
                files: tag_files,
            }
        }
        None if properties.is_usable() => Source {
            paper: judge::judge(properties, Tier::CustomData)?,
            files: Vec::new(),
        },
        None => return Err(PaperError::OfdUnknown),
    };
    let list = body.text(&["Signatures"])?;
    let found = match list {
        Some(location) => {
            let list = resolve(ENTRY, &location)?;
            signatures::verify(archive, &list, trusted, meter)?
        }
        None => Vec::new(),
    };
    // The root names the document, and the document names the source.
    source.files.extend([ENTRY.to_owned(), document]);
    settle_seal(&mut source, found);
    Ok(source.paper)
}

/// Whether bytes are a certificate (DER) with an SM2 key, as the signer of a seal has one. Others
/// can never be that of a seal that is verified, so trusting them would be of no effect.
#[must_use]
pub fn is_seal_certificate(der: &[u8]) -> bool {
    certificate::read(der).is_some()
}

/// What the seals mean for what was read. A broken one makes all doubtful. Else that one counts
/// which covers every file on the way from the package's root to the data by itself: with two
/// merged, one could vouch for a document that another one points away from.
fn settle_seal(source: &mut Source, found: Vec<Verdict>) {
    let paper = &mut source.paper;
    let covers = |verdict: &Verdict| {
        source
            .files
            .iter()
            .all(|file| verdict.covered.contains(file))
    };
    let rank = |verdict: &Verdict| (verdict.seal.state, !verdict.seal.trusted);
    let broken = |verdict: &Verdict| verdict.seal.state == SealState::Broken;
    let counts = match found.iter().find(|verdict| broken(verdict)) {
        Some(broken) => Some(broken),
        None => found
            .iter()
            .min_by_key(|verdict| (!covers(verdict), rank(verdict))),
    };
    let Some(counts) = counts else {
        return;
    };
    let mut seal = counts.seal.clone();
    if seal.state != SealState::Broken && !covers(counts) {
        for file in &source.files {
            if !counts.covered.contains(file) {
                judge::warn(paper, WarningCode::SourceNotSigned, file.as_str());
            }
        }
        seal = Seal::plain(SealState::Broken);
    }
    if seal.state == SealState::Broken {
        judge::warn(paper, WarningCode::SealBroken, counts.detail.as_str());
    }
    if seal.state == SealState::Verified && !seal.trusted {
        let signer = seal.signer.clone().unwrap_or_default();
        judge::warn(paper, WarningCode::SignerNotTrusted, signer);
    }
    // The signature inside the attachment says nothing more than the seal around everything.
    if seal.state == SealState::Verified {
        paper
            .warnings
            .retain(|warning| warning.code != WarningCode::SignatureNotVerifiable);
    }
    paper.seal = seal;
}

/// A file of the package that must be there, as XML.
fn required(archive: &Archive<'_>, name: &str, meter: &mut Meter<'_>) -> Result<Node, PaperError> {
    let bytes = archive.read(name, meter)?.ok_or(PaperError::OfdMalformed)?;
    xml::parse(&bytes, meter)
}

/// The document of the attached XML files (GB/T 33190, 20).
fn attachments(
    archive: &Archive<'_>,
    document: &str,
    contents: &Node,
    meter: &mut Meter<'_>,
) -> Result<Option<Source>, PaperError> {
    let Some(location) = contents.text(&["Attachments"])? else {
        return Ok(None);
    };
    let list_name = resolve(document, &location)?;
    let list = required(archive, &list_name, meter)?;
    let attached = list.all(&["Attachment"]);
    if attached.len() > ATTACHMENTS_MAX {
        return Err(PaperError::OfdMalformed);
    }
    let mut found: Option<Source> = None;
    for attachment in attached {
        let Some(location) = attachment.text(&["FileLoc"])? else {
            continue;
        };
        let name = resolve(&list_name, &location)?;
        let kind = name.to_ascii_lowercase();
        let is_record = kind.ends_with(".json");
        if !is_record && !kind.ends_with(".xml") {
            continue;
        }
        let bytes = archive
            .read(&name, meter)?
            .ok_or(PaperError::OfdMalformed)?;
        // Some issuers attach empty files.
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let read = match is_record {
            true => record::read(&bytes),
            false => xml::read(&bytes, Tier::Attachment, meter).map(|(_, paper)| paper),
        };
        let paper = match read {
            Ok(paper) => paper,
            Err(PaperError::XmlUnknown) => continue,
            Err(error) => return Err(error),
        };
        let source = Source {
            paper,
            files: vec![list_name.clone(), name],
        };
        found = Some(match found {
            None => source,
            Some(known) => {
                judge::agree(&known.paper, &source.paper)?;
                // The record of this registry says everything.
                let (mut first, second) = match is_record {
                    true => (source, known),
                    false => (known, source),
                };
                judge::compare_papers(&mut first.paper, &second.paper);
                first
            }
        });
    }
    Ok(found)
}

/// The properties of the document (GB/T 33190, 7.4): names with values.
fn custom_data(body: &Node) -> Result<Raw, PaperError> {
    let mut flat = Flat::default();
    for data in body.all(&["DocInfo", "CustomDatas", "CustomData"]) {
        if let Some(field) = data.attribute("Name").and_then(Field::of) {
            if data.in_parts {
                return Err(PaperError::Spelling);
            }
            flat.add(field, &data.text)?;
        }
    }
    Ok(flat.into_raw())
}

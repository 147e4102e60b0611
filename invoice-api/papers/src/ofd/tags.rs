//! Custom tags (GB/T 33190, 16): elements that name texts on the pages.

use std::collections::BTreeMap;

use super::required;
use crate::error::PaperError;
use crate::limits::Meter;
use crate::raw::Raw;
use crate::xml::{Field, Flat, Node};
use crate::zip::{Archive, resolve};

/// Reads the values of all tags, and says which files they come from.
pub(super) fn read(
    archive: &Archive<'_>,
    document: &str,
    contents: &Node,
    meter: &mut Meter<'_>,
) -> Result<(Raw, Vec<String>), PaperError> {
    let mut flat = Flat::default();
    let Some(location) = contents.text(&["CustomTags"])? else {
        return Ok((flat.into_raw(), Vec::new()));
    };
    let list_name = resolve(document, &location)?;
    let list = required(archive, &list_name, meter)?;
    let mut files = vec![list_name.clone()];
    let mut tagged: Vec<(Field, Vec<String>)> = Vec::new();
    for location in list.all(&["CustomTag", "FileLoc"]) {
        let name = resolve(&list_name, &location.text)?;
        let tags = required(archive, &name, meter)?;
        tags.walk(&mut |node| {
            let objects = node.all(&["ObjectRef"]);
            if let Some(field) = Field::of(&node.name)
                && !objects.is_empty()
            {
                let ids = objects.iter().map(|object| object.text.trim().to_owned());
                tagged.push((field, ids.collect()));
            }
        });
        files.push(name);
    }
    if tagged.is_empty() {
        return Ok((flat.into_raw(), files));
    }
    let mut texts = BTreeMap::new();
    for page in contents.all(&["Pages", "Page"]) {
        let location = page.attribute("BaseLoc").ok_or(PaperError::OfdMalformed)?;
        let name = resolve(document, location)?;
        collect(&required(archive, &name, meter)?, &mut texts)?;
        files.push(name);
    }
    for (field, ids) in tagged {
        let parts: Vec<&str> = ids
            .iter()
            .filter_map(|id| texts.get(id).map(String::as_str))
            .collect();
        let text = parts.concat();
        // The total is often tagged as the sign of the currency alone.
        if !matches!(text.trim(), "¥" | "￥") {
            flat.add(field, &text)?;
        }
    }
    Ok((flat.into_raw(), files))
}

/// The texts of a page under the numbers of their objects.
fn collect(page: &Node, texts: &mut BTreeMap<String, String>) -> Result<(), PaperError> {
    let mut result = Ok(());
    page.walk(&mut |node| {
        if node.name != "TextObject" {
            return;
        }
        let Some(id) = node.attribute("ID") else {
            return;
        };
        let codes = node.all(&["TextCode"]);
        if codes.iter().any(|code| code.in_parts) {
            result = Err(PaperError::Spelling);
        }
        let text: String = codes.iter().map(|code| code.text.as_str()).collect();
        if texts.insert(id.to_owned(), text).is_some() {
            // Numbers of objects are unique in a document (GB/T 33190, 7.7).
            result = Err(PaperError::OfdMalformed);
        }
    });
    result
}

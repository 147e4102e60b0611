//! XML as a bounded tree: no document types, no entities, no more of anything than the limits say.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::encoding::decode;
use crate::error::PaperError;
use crate::limits::Meter;

/// The attributes that a reader here asks for; the others are counted and dropped.
const KEPT: [&str; 6] = ["nil", "ID", "Name", "BaseLoc", "FileRef", "CheckMethod"];

/// An element. Prefixes of names are dropped: two spellings of one path count as two values.
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) name: String,
    /// The text directly inside, references resolved.
    pub(crate) text: String,
    /// Whether a reference stood in the text. Numbers, sums and dates need none.
    pub(crate) has_reference: bool,
    /// Whether the text has several parts, with a comment, an instruction, a section or an element
    /// between them: some readers see the first part, some all of them.
    pub(crate) in_parts: bool,
    /// Whether the next text is a part of its own.
    parted: bool,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Node>,
}

impl Node {
    /// The elements at a path below this one.
    pub(crate) fn all<'n>(&'n self, path: &[&str]) -> Vec<&'n Node> {
        match path {
            [] => vec![self],
            [name, rest @ ..] => self
                .children
                .iter()
                .filter(|child| child.name == *name)
                .flat_map(|child| child.all(rest))
                .collect(),
        }
    }

    /// The only element at a path.
    ///
    /// # Errors
    /// [`PaperError::Contradictory`] when there are two: readers would differ on which counts.
    pub(crate) fn one(&self, path: &[&str]) -> Result<Option<&Node>, PaperError> {
        match *self.all(path) {
            [] => Ok(None),
            [node] => Ok(Some(node)),
            _ => Err(PaperError::Contradictory),
        }
    }

    /// The text of the only element at a path; `None` where it is blank, absent or nil.
    pub(crate) fn text(&self, path: &[&str]) -> Result<Option<String>, PaperError> {
        Ok(self.one(path)?.and_then(Node::value))
    }

    /// As [`Node::text`], of a number, sum or date.
    pub(crate) fn plain(&self, path: &[&str]) -> Result<Option<String>, PaperError> {
        match self.one(path)? {
            Some(node) => node.checked().map(|()| node.value()),
            None => Ok(None),
        }
    }

    /// Whether its text is one that a number, sum or date may have.
    ///
    /// # Errors
    /// [`PaperError::XmlEntities`] for references, [`PaperError::Spelling`] for a text in parts.
    pub(crate) const fn checked(&self) -> Result<(), PaperError> {
        match (self.has_reference, self.in_parts) {
            (true, _) => Err(PaperError::XmlEntities),
            (false, true) => Err(PaperError::Spelling),
            (false, false) => Ok(()),
        }
    }

    /// Its text, unless it is blank.
    pub(crate) fn value(&self) -> Option<String> {
        let text = self.text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    const fn part(&mut self) {
        self.parted = true;
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// How many elements of a name stand here and below, however its letters are written.
    pub(crate) fn count(&self, name: &str) -> usize {
        let here = usize::from(self.name.eq_ignore_ascii_case(name));
        let below: usize = self.children.iter().map(|child| child.count(name)).sum();
        here.saturating_add(below)
    }

    /// Every element here and below, in order.
    pub(crate) fn walk<'n>(&'n self, visit: &mut dyn FnMut(&'n Node)) {
        visit(self);
        for child in &self.children {
            child.walk(visit);
        }
    }
}

/// Reads the bytes of an XML file.
///
/// # Errors
/// An [`PaperError`] of XML: too large, not well-formed, another encoding, document types.
pub(crate) fn parse(bytes: &[u8], meter: &mut Meter<'_>) -> Result<Node, PaperError> {
    if bytes.len() > meter.limits.xml_bytes {
        return Err(PaperError::XmlTooLarge);
    }
    let text = decode(bytes)?;
    let mut reader = Reader::from_str(&text);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Node> = Vec::new();
    let mut root = None;
    loop {
        match reader.read_event().map_err(|_| PaperError::XmlMalformed)? {
            Event::Start(start) => {
                meter.element()?;
                if open.len() >= meter.limits.xml_depth {
                    return Err(PaperError::XmlTooLarge);
                }
                if open.is_empty() && root.is_some() {
                    return Err(PaperError::SeveralDocuments);
                }
                if let Some(parent) = open.last_mut() {
                    parent.part();
                }
                open.push(element(&start, meter)?);
            }
            Event::End(_) => {
                let mut done = open.pop().ok_or(PaperError::XmlMalformed)?;
                if done
                    .attribute("nil")
                    .is_some_and(|nil| nil == "true" || nil == "1")
                {
                    // xsi:nil says that there is no value, whatever stands there.
                    done.text.clear();
                    done.children.clear();
                }
                match open.last_mut() {
                    Some(parent) => {
                        // A child is read as a part of the text by whoever joins all texts below.
                        parent.in_parts |= !parent.text.trim().is_empty();
                        parent.children.push(done);
                    }
                    None => root = Some(done),
                }
            }
            Event::Text(text) => add(&mut open, &text.xml10_content(), meter)?,
            Event::CData(data) => {
                part(&mut open);
                add(&mut open, &data.xml10_content(), meter)?;
                part(&mut open);
            }
            Event::GeneralRef(reference) => {
                let character = match reference.as_ref() {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "apos" => '\'',
                    "quot" => '"',
                    _ => match reference.resolve_char_ref() {
                        Ok(Some(character)) => character,
                        Ok(None) | Err(_) => return Err(PaperError::XmlEntities),
                    },
                };
                add(&mut open, character.encode_utf8(&mut [0; 4]), meter)?;
                if let Some(node) = open.last_mut() {
                    node.has_reference = true;
                }
            }
            Event::DocType(_) => return Err(PaperError::XmlEntities),
            Event::Comment(_) | Event::PI(_) => part(&mut open),
            Event::Decl(_) => {}
            Event::Empty(_) => return Err(PaperError::XmlMalformed),
            Event::Eof => break,
        }
    }
    if !open.is_empty() {
        return Err(PaperError::XmlMalformed);
    }
    root.ok_or(PaperError::XmlMalformed)
}

/// What follows in the innermost element is another part of its text.
fn part(open: &mut [Node]) {
    if let Some(node) = open.last_mut() {
        node.part();
    }
}

fn add(open: &mut [Node], text: &str, meter: &Meter<'_>) -> Result<(), PaperError> {
    let Some(node) = open.last_mut() else {
        // Outside the root only white space may stand.
        return match text.trim() {
            "" => Ok(()),
            _ => Err(PaperError::XmlMalformed),
        };
    };
    if !text.trim().is_empty() {
        let before = !node.text.trim().is_empty();
        node.in_parts |= before && node.parted || !node.children.is_empty();
        node.parted = false;
    }
    node.text.push_str(text);
    if node.text.len() > meter.limits.xml_value_bytes {
        return Err(PaperError::XmlTooLarge);
    }
    Ok(())
}

fn element(start: &BytesStart<'_>, meter: &Meter<'_>) -> Result<Node, PaperError> {
    let limits = meter.limits;
    if start.as_ref().len() > limits.xml_value_bytes {
        return Err(PaperError::XmlTooLarge);
    }
    let mut attributes: Vec<(String, String)> = Vec::new();
    for (place, attribute) in start.attributes().with_checks(false).enumerate() {
        let attribute = attribute.map_err(|_| PaperError::XmlMalformed)?;
        if place >= limits.xml_attributes {
            return Err(PaperError::XmlTooLarge);
        }
        let name = local(attribute.key.as_ref());
        if !KEPT.contains(&name) {
            continue;
        }
        if attributes.iter().any(|(known, _)| known == name) {
            return Err(PaperError::XmlMalformed);
        }
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Implicit1_0)
            .map_err(|_| PaperError::XmlEntities)?;
        attributes.push((name.to_owned(), value.into_owned()));
    }
    Ok(Node {
        name: local(start.name().as_ref()).to_owned(),
        attributes,
        ..Node::default()
    })
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

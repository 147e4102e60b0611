//! Strict JSON: text in, a tree of values out, every fault with its place.
//!
//! I-JSON (RFC 7493): UTF-8 without byte order mark, no member named twice, nothing after the
//! value, nesting up to a limit. Numbers are kept only as far as the formats here use them.

pub(crate) mod scan;

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::refusal::{ShapeCode, ShapeError};

/// The nesting that a record may have.
pub const RECORD_DEPTH_MAX: usize = 8;

/// One JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A non-negative whole number of 64 bits.
    Integer(u64),
    /// Any other number. Its value is not kept: no format here has one.
    Number,
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    Array(Vec<Node<'a>>),
    /// An object, its members in the order of the text; none is named twice.
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

impl<'a> Node<'a> {
    /// The value of an object's member; `None` for absent members and for other types.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Node<'a>> {
        match self {
            Node::Object(members) => members
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value),
            Node::Null
            | Node::Bool(_)
            | Node::Integer(_)
            | Node::Number
            | Node::Text(_)
            | Node::Array(_) => None,
        }
    }

    /// The text of a string; `None` for other types.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Node::Text(text) => Some(text),
            Node::Null
            | Node::Bool(_)
            | Node::Integer(_)
            | Node::Number
            | Node::Array(_)
            | Node::Object(_) => None,
        }
    }

    /// The JSON type by its name: null, boolean, number, string, array or object.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        match self {
            Node::Null => "null",
            Node::Bool(_) => "boolean",
            Node::Integer(_) | Node::Number => "number",
            Node::Text(_) => "string",
            Node::Array(_) => "array",
            Node::Object(_) => "object",
        }
    }
}

/// Reads one JSON value.
///
/// ```
/// use invoice_core::json::{self, Node};
/// let node = json::parse(br#"{"a":["b"]}"#, 8).unwrap();
/// assert_eq!(node.member("a"), Some(&Node::Array(vec![Node::Text("b".into())])));
/// let errors = json::parse(br#"{"a":1,"a":2}"#, 8).unwrap_err();
/// assert_eq!((errors[0].code.code(), errors[0].pointer.as_str()), ("duplicate_member", "/a"));
/// ```
///
/// # Errors
/// Every duplicate member and every value that stands too deep; or the one place where the text
/// stops being JSON.
pub fn parse(bytes: &[u8], depth_max: usize) -> Result<Node<'_>, Vec<ShapeError>> {
    let text = utf8(bytes).map_err(|error| vec![error])?;
    match scan::scan(text, depth_max) {
        Some(node) => Ok(node),
        None => parse_thoroughly(text, depth_max),
    }
}

/// Reads one JSON value, or finds every fault in it.
fn parse_thoroughly(text: &str, depth_max: usize) -> Result<Node<'_>, Vec<ShapeError>> {
    let context = Context::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = NodeSeed {
        context: &context,
        place: &Place::Root,
        depth_left: depth_max,
    };
    let read = seed
        .deserialize(&mut deserializer)
        .and_then(|node| deserializer.end().map(|()| node));
    let mut errors = context.errors.into_inner();
    match read {
        Ok(node) if errors.is_empty() => Ok(node),
        Ok(_) => Err(errors),
        Err(error) => {
            let pointer = context.broken_at.into_inner().unwrap_or_default();
            errors.push(if error.to_string().starts_with("number out of range") {
                // Good JSON, and still no value of any format here.
                ShapeError::at(ShapeCode::WrongType, pointer).with("found", "number")
            } else {
                syntax_error(text, &error, pointer)
            });
            Err(errors)
        }
    }
}

/// The text of a request, unless it is not UTF-8 or begins with a byte order mark.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, ShapeError> {
    let text = simdutf8::compat::from_utf8(bytes).map_err(|error| {
        ShapeError::at(ShapeCode::NotUtf8, "").with("offset", error.valid_up_to().to_string())
    })?;
    if text.starts_with('\u{feff}') {
        return Err(ShapeError::at(ShapeCode::NotUtf8, "").with("offset", "0"));
    }
    Ok(text)
}

/// A fault of syntax, with the byte offset that serde_json's line and column stand for.
pub(crate) fn syntax_error(text: &str, error: &serde_json::Error, pointer: String) -> ShapeError {
    let lines_before = error.line().saturating_sub(1);
    let line_start: usize = text
        .split_inclusive('\n')
        .take(lines_before)
        .map(str::len)
        .sum();
    let offset = line_start.saturating_add(error.column()).min(text.len());
    ShapeError::at(ShapeCode::NotJson, pointer).with("offset", offset.to_string())
}

/// A JSON Pointer's next step (RFC 6901 §3): `~` and `/` escaped.
pub(crate) fn pointer_step(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Where the reader stands; spelled out only when something is wrong there.
enum Place<'p> {
    Root,
    Member(&'p Place<'p>, &'p str),
    Element(&'p Place<'p>, usize),
}

impl Place<'_> {
    fn pointer(&self) -> String {
        match self {
            Place::Root => String::new(),
            Place::Member(parent, name) => pointer_step(&parent.pointer(), name),
            Place::Element(parent, index) => format!("{}/{index}", parent.pointer()),
        }
    }
}

/// What was found wrong so far.
#[derive(Default)]
struct Context {
    errors: RefCell<Vec<ShapeError>>,
    /// The innermost place at which reading failed.
    broken_at: RefCell<Option<String>>,
}

impl Context {
    fn broke<T, E>(&self, place: &Place<'_>, result: Result<T, E>) -> Result<T, E> {
        if result.is_err() {
            self.broken_at
                .borrow_mut()
                .get_or_insert_with(|| place.pointer());
        }
        result
    }

    fn report(&self, code: ShapeCode, pointer: String) {
        self.errors.borrow_mut().push(ShapeError::at(code, pointer));
    }
}

#[derive(Clone, Copy)]
struct NodeSeed<'s> {
    context: &'s Context,
    place: &'s Place<'s>,
    depth_left: usize,
}

impl NodeSeed<'_> {
    /// The depth inside this value; reported when there is none left.
    fn enter(&self) -> Option<usize> {
        let inside = self.depth_left.checked_sub(1);
        if inside.is_none() {
            self.context
                .report(ShapeCode::TooDeep, self.place.pointer());
        }
        inside
    }
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_> {
    type Value = Node<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node<'de>, D::Error> {
        let (context, place) = (self.context, self.place);
        context.broke(place, deserializer.deserialize_any(self))
    }
}

impl<'de> Visitor<'de> for NodeSeed<'_> {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node<'de>, E> {
        Ok(Node::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node<'de>, E> {
        Ok(Node::Integer(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node<'de>, E> {
        Ok(Node::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node<'de>, E> {
        Ok(Node::Number)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Node<'de>, A::Error> {
        let Some(depth_left) = self.enter() else {
            while elements.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Node::Null);
        };
        let mut nodes = Vec::new();
        loop {
            let place = Place::Element(self.place, nodes.len());
            let seed = NodeSeed {
                context: self.context,
                place: &place,
                depth_left,
            };
            match elements.next_element_seed(seed)? {
                Some(node) => nodes.push(node),
                None => return Ok(Node::Array(nodes)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node<'de>, A::Error> {
        let Some(depth_left) = self.enter() else {
            while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Node::Null);
        };
        let mut members: Vec<(Cow<'de, str>, Node<'de>)> = Vec::new();
        while let Some(name) = entries.next_key_seed(NameSeed)? {
            let place = Place::Member(self.place, &name);
            let seed = NodeSeed {
                context: self.context,
                place: &place,
                depth_left,
            };
            let node = entries.next_value_seed(seed)?;
            members.push((name, node));
        }
        let mut names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
        names.sort_unstable();
        let mut repeated: Vec<&str> = names
            .windows(2)
            .filter_map(|pair| match pair {
                [one, other] if one == other => Some(*one),
                _ => None,
            })
            .collect();
        repeated.dedup();
        for name in repeated {
            let place = Place::Member(self.place, name);
            self.context
                .report(ShapeCode::DuplicateMember, place.pointer());
        }
        Ok(Node::Object(members))
    }
}

/// A member's name, borrowed from the text where it holds no escapes.
pub(crate) struct NameSeed;

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests;

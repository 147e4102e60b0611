//! Typed values out of JSON, every problem collected with its place.
//!
//! A constructor reads all members first, judges what it got, and only then gives up on what is
//! missing: so one answer names everything that is wrong.

use std::cell::RefCell;

mod words;

use crate::crypto::{Hash, Kid, PublicKey};
use crate::json::{Node, pointer_step};
use crate::refusal::{Rule, ShapeCode, ShapeError, Violation};

pub use words::{Prose, Words};

/// A value that JSON spells as text.
pub trait Spelled: Sized {
    /// Reads the value.
    ///
    /// # Errors
    /// The rule of spelling that the text breaks.
    fn spelled(text: &str) -> Result<Self, Rule>;
}

/// Gives a [`Spelled`] type that implements `Display` its `FromStr`, its form in JSON and its
/// schema.
macro_rules! spelled_as_text {
    ($type:ty, $pattern:expr, $example:expr) => {
        impl std::str::FromStr for $type {
            type Err = $crate::refusal::Rule;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                <$type as $crate::read::Spelled>::spelled(text)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                <$type as $crate::read::Spelled>::spelled(&text).map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $type {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::schema::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some($pattern))
                    .examples([$example])
                    .into()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $type {}
    };
}
pub(crate) use spelled_as_text;

impl Spelled for Kid {
    fn spelled(text: &str) -> Result<Self, Rule> {
        text.parse().map_err(|_| Rule::KidSpelling)
    }
}

impl Spelled for Hash {
    fn spelled(text: &str) -> Result<Self, Rule> {
        text.parse().map_err(|_| Rule::HashSpelling)
    }
}

impl Spelled for PublicKey {
    fn spelled(text: &str) -> Result<Self, Rule> {
        Self::from_hex(text).map_err(|_| Rule::PublicKeyInvalid)
    }
}

/// A text as it stands: for members that are judged elsewhere.
impl Spelled for String {
    fn spelled(text: &str) -> Result<Self, Rule> {
        Ok(text.to_owned())
    }
}

/// Everything found wrong in one text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    /// Faults of shape (400).
    pub shape: Vec<ShapeError>,
    /// Broken rules (422).
    pub violations: Vec<Violation>,
    /// The objects and arrays that were entered: a place is spelled out only where something is
    /// wrong, which is rarely.
    entered: Vec<Place>,
}

impl Problems {
    fn enter(&mut self, place: Place) -> usize {
        self.entered.push(place);
        self.entered.len().saturating_sub(1)
    }

    fn pointer(&self, place: Place) -> String {
        let around = |container: usize| {
            let place = self.entered.get(container);
            place.map_or_else(String::new, |place| self.pointer(*place))
        };
        match place {
            Place::Root => String::new(),
            Place::Member { of, name } => pointer_step(&around(of), name),
            Place::Element { of, index } => format!("{}/{index}", around(of)),
        }
    }
}

/// Where a value stands: a step from an object or array in [`Problems::entered`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Root,
    Member { of: usize, name: &'static str },
    Element { of: usize, index: usize },
}

/// One value with its place, ready to be read as what it should be.
#[derive(Clone, Debug)]
pub struct ValueReader<'n, 'a> {
    node: &'n Node<'a>,
    place: Place,
    problems: &'n RefCell<Problems>,
}

impl<'n, 'a> ValueReader<'n, 'a> {
    /// The value at the root of a text; its problems go to `problems`.
    #[must_use]
    pub fn root(node: &'n Node<'a>, problems: &'n RefCell<Problems>) -> Self {
        Self {
            node,
            place: Place::Root,
            problems,
        }
    }

    /// A string that spells a `T`.
    #[must_use]
    pub fn text<T: Spelled>(&self) -> Option<T> {
        let Some(text) = self.node.as_text() else {
            return self.wrong_type("string");
        };
        match T::spelled(text) {
            Ok(value) => Some(value),
            Err(rule) => {
                self.violation(rule);
                None
            }
        }
    }

    /// An object, whose members can then be read.
    #[must_use]
    pub fn object(self) -> Option<ObjectReader<'n, 'a>> {
        match self.node {
            Node::Object(members) => Some(ObjectReader {
                members,
                place: self.place,
                entered: self.problems.borrow_mut().enter(self.place),
                asked: Asked::default(),
                next: 0,
                problems: self.problems,
            }),
            Node::Null
            | Node::Bool(_)
            | Node::Integer(_)
            | Node::Number
            | Node::Text(_)
            | Node::Array(_) => self.wrong_type("object"),
        }
    }

    /// An array, whose elements can then be read.
    #[must_use]
    pub fn array(self) -> Option<Vec<ValueReader<'n, 'a>>> {
        match self.node {
            Node::Array(elements) => {
                let of = self.problems.borrow_mut().enter(self.place);
                let readers = elements
                    .iter()
                    .enumerate()
                    .map(|(index, node)| ValueReader {
                        node,
                        place: Place::Element { of, index },
                        problems: self.problems,
                    })
                    .collect();
                Some(readers)
            }
            Node::Null
            | Node::Bool(_)
            | Node::Integer(_)
            | Node::Number
            | Node::Text(_)
            | Node::Object(_) => self.wrong_type("array"),
        }
    }

    /// A non-negative whole number. Records have none; receipts and genesis files do.
    #[must_use]
    pub fn u64(&self) -> Option<u64> {
        match self.node {
            Node::Integer(value) => Some(*value),
            Node::Null
            | Node::Bool(_)
            | Node::Number
            | Node::Text(_)
            | Node::Array(_)
            | Node::Object(_) => self.wrong_type("non-negative integer"),
        }
    }

    /// `true` or `false`.
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        match self.node {
            Node::Bool(value) => Some(*value),
            Node::Null
            | Node::Integer(_)
            | Node::Number
            | Node::Text(_)
            | Node::Array(_)
            | Node::Object(_) => self.wrong_type("boolean"),
        }
    }

    /// Where the value stands, as a JSON Pointer.
    #[must_use]
    pub fn pointer(&self) -> String {
        self.problems.borrow().pointer(self.place)
    }

    /// Notes that this value breaks a rule.
    pub fn violation(&self, rule: Rule) {
        let pointer = self.pointer();
        self.problems.borrow_mut().violations.push(Violation {
            rule,
            pointer,
            details: Vec::new(),
        });
    }

    fn wrong_type<T>(&self, due: &'static str) -> Option<T> {
        let error = ShapeError::at(ShapeCode::WrongType, self.pointer())
            .with("due", due)
            .with("found", self.node.type_name());
        self.problems.borrow_mut().shape.push(error);
        None
    }
}

/// Which members of an object were asked for, by their places in the text.
#[derive(Clone, Debug, Default)]
struct Asked {
    /// The first members, a bit each: all that any known object has.
    first: u64,
    /// Those after them.
    later: Vec<usize>,
}

impl Asked {
    fn add(&mut self, index: usize) {
        match Self::bit(index) {
            Some(bit) => self.first |= bit,
            None => self.later.push(index),
        }
    }

    fn contains(&self, index: usize) -> bool {
        match Self::bit(index) {
            Some(bit) => self.first & bit != 0,
            None => self.later.contains(&index),
        }
    }

    fn bit(index: usize) -> Option<u64> {
        1_u64.checked_shl(u32::try_from(index).ok()?)
    }
}

/// An object's members, read by name; [`ObjectReader::finish`] refuses those nobody asked for.
#[derive(Debug)]
pub struct ObjectReader<'n, 'a> {
    members: &'n [(std::borrow::Cow<'a, str>, Node<'a>)],
    place: Place,
    /// Its place in [`Problems::entered`].
    entered: usize,
    asked: Asked,
    /// Where the next member is looked for first: most writers keep the order of the contract.
    next: usize,
    problems: &'n RefCell<Problems>,
}

impl<'n, 'a> ObjectReader<'n, 'a> {
    /// A member that may be absent: `None` when it is.
    pub fn find(&mut self, name: &'static str) -> Option<ValueReader<'n, 'a>> {
        let is_it = |(_, (known, _)): &(usize, &'n (std::borrow::Cow<'a, str>, Node<'a>))| {
            known.as_ref() == name
        };
        let members = || self.members.iter().enumerate();
        let (index, (_, node)) = members()
            .skip(self.next)
            .find(is_it)
            .or_else(|| members().take(self.next).find(is_it))?;
        self.asked.add(index);
        self.next = index.saturating_add(1);
        Some(ValueReader {
            node,
            place: Place::Member {
                of: self.entered,
                name,
            },
            problems: self.problems,
        })
    }

    /// A member that must be there; its absence is noted.
    pub fn value(&mut self, name: &'static str) -> Option<ValueReader<'n, 'a>> {
        let found = self.find(name);
        if found.is_none() {
            self.shape(ShapeCode::MissingMember, name);
        }
        found
    }

    /// A string that spells a `T`; `None` after a problem, which is noted.
    pub fn text<T: Spelled>(&mut self, name: &'static str) -> Option<T> {
        self.value(name)?.text()
    }

    /// A string that spells a `T`, or nothing: `Some(None)` when absent, `None` after a problem.
    pub fn optional<T: Spelled>(&mut self, name: &'static str) -> Option<Option<T>> {
        match self.find(name) {
            Some(value) => value.text().map(Some),
            None => Some(None),
        }
    }

    /// An object; `None` after a problem, which is noted.
    pub fn object(&mut self, name: &'static str) -> Option<ObjectReader<'n, 'a>> {
        self.value(name)?.object()
    }

    /// An array; `None` after a problem, which is noted.
    pub fn array(&mut self, name: &'static str) -> Option<Vec<ValueReader<'n, 'a>>> {
        self.value(name)?.array()
    }

    /// A non-negative whole number; `None` after a problem, which is noted.
    pub fn u64(&mut self, name: &'static str) -> Option<u64> {
        self.value(name)?.u64()
    }

    /// `true` or `false`; `None` after a problem, which is noted.
    pub fn boolean(&mut self, name: &'static str) -> Option<bool> {
        self.value(name)?.boolean()
    }

    /// The JSON Pointer of a member, present or not.
    #[must_use]
    pub fn place(&self, name: &str) -> String {
        pointer_step(&self.pointer(), name)
    }

    fn pointer(&self) -> String {
        self.problems.borrow().pointer(self.place)
    }

    /// Notes that a member breaks a rule. `path` names it relative to this object: `lines/0/tax`.
    pub fn violation(&self, rule: Rule, path: &str) {
        self.violation_with(rule, path, &[]);
    }

    /// Notes that a member breaks a rule, with what was found and what was due.
    pub fn violation_with(&self, rule: Rule, path: &str, details: &[(&'static str, String)]) {
        let pointer = format!("{}/{path}", self.pointer());
        self.problems.borrow_mut().violations.push(Violation {
            rule,
            pointer,
            details: details.to_vec(),
        });
    }

    /// Notes that a member's shape is wrong.
    pub fn shape(&self, code: ShapeCode, name: &str) {
        let error = ShapeError::at(code, self.place(name));
        self.problems.borrow_mut().shape.push(error);
    }

    /// Refuses members that were never asked for. To be called when all known ones were.
    pub fn finish(self) {
        for (index, (name, _)) in self.members.iter().enumerate() {
            if !self.asked.contains(index) {
                self.shape(ShapeCode::UnknownMember, name);
            }
        }
    }
}

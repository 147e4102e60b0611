//! Typed values out of JSON, every problem collected with its place.
//!
//! A constructor reads all members first, judges what it got, and only then gives up on what is
//! missing: so one answer names everything that is wrong. Constructors do not know whether they
//! read a tree or straight from a text.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::RangeInclusive;

mod stream;
mod words;

use crate::crypto::{Hash, Kid, PublicKey};
use crate::json::{Node, pointer_step};
use crate::refusal::{Rule, ShapeCode, ShapeError, Violation};

use stream::Inside;
pub(crate) use stream::Stream;
pub use words::{Prose, Words, deceives};

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

/// One value, ready to be read as what it should be.
#[derive(Clone, Debug)]
pub struct ValueReader<'n, 'a>(Value<'n, 'a>);

#[derive(Clone, Debug)]
enum Value<'n, 'a> {
    /// In a tree, with its place: all that is wrong is noted.
    InTree {
        node: &'n Node<'a>,
        place: Place,
        problems: &'n RefCell<Problems>,
    },
    /// Where a stream stands, which gives up when anything is wrong.
    InText(&'n Stream<'a>),
}

impl<'n, 'a> ValueReader<'n, 'a> {
    /// The value at the root of a text; its problems go to `problems`.
    #[must_use]
    pub fn root(node: &'n Node<'a>, problems: &'n RefCell<Problems>) -> Self {
        Self(Value::InTree {
            node,
            place: Place::Root,
            problems,
        })
    }

    /// The value with which a stream begins.
    pub(crate) fn streamed(stream: &'n Stream<'a>) -> Self {
        Self(Value::InText(stream))
    }

    /// A string that spells a `T`.
    #[must_use]
    pub fn text<T: Spelled>(&self) -> Option<T> {
        let spelled = match &self.0 {
            Value::InTree { node, .. } => match node.as_text() {
                Some(text) => T::spelled(text),
                None => return self.wrong_type("string"),
            },
            Value::InText(stream) => T::spelled(&stream.string()?),
        };
        self.spelled(spelled)
    }

    /// A string as it stands, with the `T` that it should spell.
    pub(crate) fn stated<T: Spelled>(&self) -> Option<(Cow<'a, str>, Option<T>)> {
        let text = match &self.0 {
            Value::InTree {
                node: Node::Text(text),
                ..
            } => text.clone(),
            Value::InTree { .. } => return self.wrong_type("string"),
            Value::InText(stream) => stream.string()?,
        };
        let value = self.spelled(T::spelled(&text));
        Some((text, value))
    }

    fn spelled<T>(&self, spelled: Result<T, Rule>) -> Option<T> {
        match spelled {
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
        let members = match self.0 {
            Value::InTree {
                node: Node::Object(members),
                place,
                problems,
            } => Members::InTree {
                members,
                place,
                entered: problems.borrow_mut().enter(place),
                asked: Asked::default(),
                next: 0,
                problems,
            },
            Value::InTree { .. } => return self.wrong_type("object"),
            Value::InText(stream) => Members::InText {
                stream,
                inside: stream.enter(b'{')?,
            },
        };
        Some(ObjectReader(members))
    }

    /// An array, whose elements can then be read.
    #[must_use]
    pub fn array(self) -> Option<ArrayReader<'n, 'a>> {
        let elements = match self.0 {
            Value::InTree {
                node: Node::Array(elements),
                place,
                problems,
            } => Elements::InTree {
                rest: elements.iter().enumerate(),
                entered: problems.borrow_mut().enter(place),
                problems,
            },
            Value::InTree { .. } => return self.wrong_type("array"),
            Value::InText(stream) => Elements::InText {
                stream,
                inside: stream.enter(b'[')?,
                read: 0,
                due: 0..=usize::MAX,
            },
        };
        Some(ArrayReader(elements))
    }

    /// A non-negative whole number. Records have none; receipts and genesis files do.
    #[must_use]
    pub fn u64(&self) -> Option<u64> {
        match &self.0 {
            Value::InTree {
                node: Node::Integer(value),
                ..
            } => Some(*value),
            Value::InTree { .. } => self.wrong_type("non-negative integer"),
            Value::InText(stream) => stream.integer(),
        }
    }

    /// `true` or `false`.
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        match &self.0 {
            Value::InTree {
                node: Node::Bool(value),
                ..
            } => Some(*value),
            Value::InTree { .. } => self.wrong_type("boolean"),
            Value::InText(stream) => stream.boolean(),
        }
    }

    /// Where the value stands, as a JSON Pointer.
    #[must_use]
    pub fn pointer(&self) -> String {
        match &self.0 {
            Value::InTree {
                place, problems, ..
            } => problems.borrow().pointer(*place),
            // Nothing is said of any place in a text that is read as a stream.
            Value::InText(_) => String::new(),
        }
    }

    /// Notes that this value breaks a rule.
    pub fn violation(&self, rule: Rule) {
        match &self.0 {
            Value::InTree { problems, .. } => {
                let pointer = self.pointer();
                problems.borrow_mut().violations.push(Violation {
                    rule,
                    pointer,
                    details: Vec::new(),
                });
            }
            Value::InText(stream) => stream.give_up(),
        }
    }

    fn wrong_type<T>(&self, due: &'static str) -> Option<T> {
        match &self.0 {
            Value::InTree { node, problems, .. } => {
                let error = ShapeError::at(ShapeCode::WrongType, self.pointer())
                    .with("due", due)
                    .with("found", node.type_name());
                problems.borrow_mut().shape.push(error);
            }
            Value::InText(stream) => stream.give_up(),
        }
        None
    }
}

/// The elements of an array, in order.
#[derive(Debug)]
pub struct ArrayReader<'n, 'a>(Elements<'n, 'a>);

#[derive(Debug)]
enum Elements<'n, 'a> {
    InTree {
        rest: std::iter::Enumerate<std::slice::Iter<'n, Node<'a>>>,
        /// Its place in [`Problems::entered`].
        entered: usize,
        problems: &'n RefCell<Problems>,
    },
    InText {
        stream: &'n Stream<'a>,
        inside: Inside,
        /// How many have been read, and how many there should be.
        read: usize,
        due: RangeInclusive<usize>,
    },
}

impl ArrayReader<'_, '_> {
    /// Whether so many elements are left as there should be. A stream finds out only as it reads
    /// them, and then gives up.
    pub fn has(&mut self, elements: RangeInclusive<usize>) -> bool {
        match &mut self.0 {
            Elements::InTree { rest, .. } => elements.contains(&rest.len()),
            Elements::InText { due, .. } => {
                *due = elements;
                true
            }
        }
    }
}

impl<'n, 'a> Iterator for ArrayReader<'n, 'a> {
    type Item = ValueReader<'n, 'a>;

    fn next(&mut self) -> Option<ValueReader<'n, 'a>> {
        match &mut self.0 {
            Elements::InTree {
                rest,
                entered,
                problems,
            } => {
                let (index, node) = rest.next()?;
                let of = *entered;
                Some(ValueReader(Value::InTree {
                    node,
                    place: Place::Element { of, index },
                    problems,
                }))
            }
            Elements::InText {
                stream,
                inside,
                read,
                due,
            } => {
                let next = stream.element(inside);
                if next.is_some() {
                    *read = read.saturating_add(1);
                }
                if *read > *due.end() || (next.is_none() && !due.contains(read)) {
                    stream.give_up();
                    return None;
                }
                next.map(|()| ValueReader(Value::InText(stream)))
            }
        }
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
pub struct ObjectReader<'n, 'a>(Members<'n, 'a>);

#[derive(Debug)]
enum Members<'n, 'a> {
    InTree {
        members: &'n [(Cow<'a, str>, Node<'a>)],
        place: Place,
        /// Its place in [`Problems::entered`].
        entered: usize,
        asked: Asked,
        /// Where the next member is looked for first: most writers keep the order of the contract.
        next: usize,
        problems: &'n RefCell<Problems>,
    },
    InText {
        stream: &'n Stream<'a>,
        inside: Inside,
    },
}

impl<'n, 'a> ObjectReader<'n, 'a> {
    /// A member that may be absent: `None` when it is.
    #[inline]
    pub fn find(&mut self, name: &'static str) -> Option<ValueReader<'n, 'a>> {
        match &mut self.0 {
            Members::InTree {
                members,
                entered,
                asked,
                next,
                problems,
                ..
            } => {
                let index = find(members, *next, name)?;
                let (_, node) = members.get(index)?;
                asked.add(index);
                *next = index.saturating_add(1);
                let of = *entered;
                Some(ValueReader(Value::InTree {
                    node,
                    place: Place::Member { of, name },
                    problems,
                }))
            }
            Members::InText { stream, inside } => {
                stream.member(inside, name)?;
                Some(ValueReader(Value::InText(stream)))
            }
        }
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

    /// A string as it stands, with the `T` that it should spell; `None` after a problem, which is
    /// noted.
    pub(crate) fn stated<T: Spelled>(
        &mut self,
        name: &'static str,
    ) -> Option<(Cow<'a, str>, Option<T>)> {
        self.value(name)?.stated()
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
    pub fn array(&mut self, name: &'static str) -> Option<ArrayReader<'n, 'a>> {
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
        match &self.0 {
            Members::InTree {
                place, problems, ..
            } => problems.borrow().pointer(*place),
            // Nothing is said of any place in a text that is read as a stream.
            Members::InText { .. } => String::new(),
        }
    }

    /// Notes that a member breaks a rule. `path` names it relative to this object: `lines/0/tax`.
    pub fn violation(&self, rule: Rule, path: &str) {
        self.violation_with(rule, path, &[]);
    }

    /// Notes that a member breaks a rule, with what was found and what was due.
    pub fn violation_with(&self, rule: Rule, path: &str, details: &[(&'static str, String)]) {
        match &self.0 {
            Members::InTree { problems, .. } => {
                let pointer = format!("{}/{path}", self.pointer());
                problems.borrow_mut().violations.push(Violation {
                    rule,
                    pointer,
                    details: details.to_vec(),
                });
            }
            Members::InText { stream, .. } => stream.give_up(),
        }
    }

    /// Notes that a member's shape is wrong.
    pub fn shape(&self, code: ShapeCode, name: &str) {
        match &self.0 {
            Members::InTree { problems, .. } => {
                let error = ShapeError::at(code, self.place(name));
                problems.borrow_mut().shape.push(error);
            }
            Members::InText { stream, .. } => stream.give_up(),
        }
    }

    /// Refuses members that were never asked for. To be called when all known ones were.
    pub fn finish(self) {
        match &self.0 {
            Members::InTree { members, asked, .. } => {
                for (index, (name, _)) in members.iter().enumerate() {
                    if !asked.contains(index) {
                        self.shape(ShapeCode::UnknownMember, name);
                    }
                }
            }
            Members::InText { stream, inside } => stream.leave(*inside, b'}'),
        }
    }
}

/// The place of a member by its name, looked for from a place on.
fn find(members: &[(Cow<'_, str>, Node<'_>)], from: usize, name: &str) -> Option<usize> {
    let places = || members.iter().map(|(known, _)| known == name).enumerate();
    let found = places().skip(from).find(|(_, found)| *found);
    let (index, _) = found.or_else(|| places().take(from).find(|(_, found)| *found))?;
    Some(index)
}

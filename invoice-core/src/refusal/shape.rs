//! Shape errors (400 and 413): what is not the contract's JSON at all.

use std::fmt;

use super::rule::Details;

/// What is wrong with the shape of a request.
///
/// Declaration order is precedence; codes are permanent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShapeCode {
    /// A request body is larger than 4 MiB (413).
    BodyTooLarge,
    /// A batch has more than 1,000 records (413).
    BatchTooLarge,
    /// A record is larger than 16 KiB (413).
    RecordTooLarge,
    /// The text is not UTF-8, or begins with a byte order mark (RFC 8259 §8.1).
    NotUtf8,
    /// The text is not one JSON value (RFC 8259), or something follows it.
    NotJson,
    /// Objects and arrays stand in one another more deeply than allowed.
    TooDeep,
    /// An object names a member twice (RFC 7493 §2.3).
    DuplicateMember,
    /// A value is of another JSON type than the contract's; numbers where text is due included.
    WrongType,
    /// A member that must be there is absent.
    MissingMember,
    /// A member that the contract does not know.
    UnknownMember,
    /// A record type that the contract does not know.
    UnknownType,
    /// Two members that exclude each other, or one without the other that it needs.
    MembersConflict,
    /// A batch without records.
    BatchEmpty,
}

impl ShapeCode {
    /// Every code, in order of precedence.
    pub const ALL: &'static [ShapeCode] = &[
        ShapeCode::BodyTooLarge,
        ShapeCode::BatchTooLarge,
        ShapeCode::RecordTooLarge,
        ShapeCode::NotUtf8,
        ShapeCode::NotJson,
        ShapeCode::TooDeep,
        ShapeCode::DuplicateMember,
        ShapeCode::WrongType,
        ShapeCode::MissingMember,
        ShapeCode::UnknownMember,
        ShapeCode::UnknownType,
        ShapeCode::MembersConflict,
        ShapeCode::BatchEmpty,
    ];

    /// The stable snake_case code that stands in answers.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "body_too_large",
            Self::BatchTooLarge => "batch_too_large",
            Self::RecordTooLarge => "record_too_large",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::TooDeep => "too_deep",
            Self::DuplicateMember => "duplicate_member",
            Self::WrongType => "wrong_type",
            Self::MissingMember => "missing_member",
            Self::UnknownMember => "unknown_member",
            Self::UnknownType => "unknown_type",
            Self::MembersConflict => "members_conflict",
            Self::BatchEmpty => "batch_empty",
        }
    }

    /// Whether the answer is 413 instead of 400.
    #[must_use]
    pub const fn is_too_large(self) -> bool {
        match self {
            Self::BodyTooLarge | Self::BatchTooLarge | Self::RecordTooLarge => true,
            Self::NotUtf8
            | Self::NotJson
            | Self::TooDeep
            | Self::DuplicateMember
            | Self::WrongType
            | Self::MissingMember
            | Self::UnknownMember
            | Self::UnknownType
            | Self::MembersConflict
            | Self::BatchEmpty => false,
        }
    }
}

impl fmt::Display for ShapeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// One fault of shape, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeError {
    /// What is wrong.
    pub code: ShapeCode,
    /// JSON Pointer (RFC 6901) of the place, relative to the text that was read.
    pub pointer: String,
    /// Byte offset, limits, types found and due, where that helps.
    pub details: Details,
}

impl ShapeError {
    /// A fault at a place, without further details.
    #[must_use]
    pub fn at(code: ShapeCode, pointer: impl Into<String>) -> Self {
        Self {
            code,
            pointer: pointer.into(),
            details: Details::new(),
        }
    }

    /// The same fault with one more detail.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at \"{}\"", self.code, self.pointer)
    }
}

impl std::error::Error for ShapeError {}

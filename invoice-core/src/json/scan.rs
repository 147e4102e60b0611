//! The quick readers of good JSON.
//!
//! They read what nearly every request is: JSON without fault, and without numbers that no format
//! here has. At the first thing out of the ordinary they give up without saying why, and the
//! thorough reader, which finds every fault and its place, reads the text from the beginning.

use std::borrow::Cow;

use super::Node;

/// Objects with more members are left to the thorough reader: here each name is compared with
/// those before it.
const MEMBERS_MAX: usize = 32;
/// Room for the members of an object at first; the largest known one has 13.
const MEMBERS_USUAL: usize = 16;
/// The deepest nesting that is read: as deep as the call stack may go.
const DEPTH_MAX: usize = 32;

/// The value that the text is, or `None` where the thorough reader has to say.
pub(super) fn scan(text: &str, depth_max: usize) -> Option<Node<'_>> {
    let mut scanner = Scanner::new(text);
    let mut node = Node::Null;
    scanner.skip_space();
    scanner.value(depth_max.min(DEPTH_MAX), &mut node)?;
    scanner.end()?;
    Some(node)
}

/// A text and how far it has been read. Every method gives `None` to give up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    /// The beginning of a text.
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Nothing but space is left.
    pub(crate) fn end(mut self) -> Option<()> {
        self.skip_space();
        self.peek().is_none().then_some(())
    }

    /// An object, whose values `member` reads, given their names. It may name members twice.
    #[inline(always)]
    pub(crate) fn members(
        &mut self,
        mut member: impl FnMut(&mut Self, Cow<'a, str>) -> Option<()>,
    ) -> Option<()> {
        self.list(b'{', b'}', |scanner| {
            let name = scanner.string()?;
            scanner.skip_space();
            scanner.take(b':')?;
            scanner.skip_space();
            member(scanner, name)
        })
    }

    /// Goes past the name of a member, spelt without escapes, to its value.
    #[inline(always)]
    pub(crate) fn name(&mut self, name: &str) -> Option<()> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let rest = rest.strip_prefix(b"\"")?.strip_prefix(name.as_bytes())?;
        rest.starts_with(b"\"").then_some(())?;
        self.step(name.len().saturating_add(2));
        self.skip_space();
        self.take(b':')?;
        self.skip_space();
        Some(())
    }

    /// An array, whose elements `element` reads.
    pub(crate) fn elements(&mut self, element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.list(b'[', b']', element)
    }

    /// The exact text of the next value, which is JSON; an object in it may name members twice.
    pub(crate) fn raw(&mut self) -> Option<&'a str> {
        let start = self.at;
        self.skip(DEPTH_MAX)?;
        self.text.get(start..self.at)
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self) -> Option<bool> {
        let truth = self.peek()? == b't';
        self.word(if truth { "true" } else { "false" })?;
        Some(truth)
    }

    #[inline(always)]
    fn list(
        &mut self,
        open: u8,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.take(open)?;
        self.skip_space();
        if self.take(close).is_some() {
            return Some(());
        }
        loop {
            self.skip_space();
            item(self)?;
            self.skip_space();
            if self.take(b',').is_none() {
                return self.take(close);
            }
        }
    }

    fn skip(&mut self, depth_left: usize) -> Option<()> {
        match self.peek()? {
            b'"' => self.skip_string(),
            b'{' => {
                let inside = depth_left.checked_sub(1)?;
                self.list(b'{', b'}', |scanner| {
                    scanner.skip_string()?;
                    scanner.skip_space();
                    scanner.take(b':')?;
                    scanner.skip_space();
                    scanner.skip(inside)
                })
            }
            b'[' => {
                let inside = depth_left.checked_sub(1)?;
                self.list(b'[', b']', |scanner| scanner.skip(inside))
            }
            _ => self.value(0, &mut Node::Null),
        }
    }

    #[inline]
    fn skip_string(&mut self) -> Option<()> {
        self.take(b'"')?;
        loop {
            let plain = plain_length(self.text.as_bytes().get(self.at..)?);
            self.step(plain);
            if self.take(b'"').is_some() {
                return Some(());
            }
            self.take(b'\\')?;
            self.escape()?;
        }
    }

    /// The byte that stands here; `None` at the end.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn step(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    /// Goes past a byte that has to stand here.
    pub(crate) fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.step(1))
    }

    /// Goes to where the next thing begins.
    pub(crate) fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.step(1);
        }
    }

    /// Any value, written where it is to stand: moving it there would cost more than reading it.
    fn value(&mut self, depth_left: usize, place: &mut Node<'a>) -> Option<()> {
        *place = match self.peek()? {
            b'"' => Node::Text(self.string()?),
            b'{' => return self.object(depth_left.checked_sub(1)?, place),
            b'[' => return self.array(depth_left.checked_sub(1)?, place),
            b'0'..=b'9' => Node::Integer(self.integer()?),
            b'n' => {
                self.word("null")?;
                Node::Null
            }
            _ => Node::Bool(self.boolean()?),
        };
        Some(())
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let rest = self.text.as_bytes().get(self.at..)?;
        rest.starts_with(word.as_bytes())
            .then(|| self.step(word.len()))
    }

    /// A non-negative whole number.
    pub(crate) fn integer(&mut self) -> Option<u64> {
        let rest = self.text.get(self.at..)?;
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = rest.split_at_checked(length)?;
        if (length > 1 && digits.starts_with('0')) || rest.starts_with(['.', 'e', 'E']) {
            return None;
        }
        self.step(length);
        digits.parse().ok()
    }

    /// A string, borrowed from the text where it holds no escapes.
    // Inlined, as `list` is, so that the value is made where it is to stand.
    #[inline(always)]
    pub(crate) fn string(&mut self) -> Option<Cow<'a, str>> {
        self.take(b'"')?;
        let start = self.at;
        let plain = plain_length(self.text.as_bytes().get(start..)?);
        self.step(plain);
        let text = self.text.get(start..self.at)?;
        match self.peek()? {
            b'"' => {
                self.step(1);
                Some(Cow::Borrowed(text))
            }
            b'\\' => self.escaped(text).map(Cow::Owned),
            _ => None,
        }
    }

    /// The rest of a string from its first escape on, after what stands before it.
    #[inline(never)]
    fn escaped(&mut self, before: &str) -> Option<String> {
        let mut whole = before.to_owned();
        loop {
            match self.peek()? {
                b'"' => {
                    self.step(1);
                    return Some(whole);
                }
                b'\\' => {
                    self.step(1);
                    whole.push(self.escape()?);
                }
                _ => {
                    let start = self.at;
                    let plain = plain_length(self.text.as_bytes().get(start..)?);
                    self.step(plain);
                    whole.push_str(self.text.get(start..self.at)?);
                    // A control character, which a string must not have.
                    if plain == 0 {
                        return None;
                    }
                }
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.step(1);
        Some(match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.four_digits()?;
                if !(0xd800..0xdc00).contains(&first) {
                    // `None` for a second half alone.
                    return char::from_u32(first);
                }
                self.take(b'\\')?;
                self.take(b'u')?;
                let second = self.four_digits()?;
                return char::decode_utf16([
                    u16::try_from(first).ok()?,
                    u16::try_from(second).ok()?,
                ])
                .next()?
                .ok();
            }
            _ => return None,
        })
    }

    fn four_digits(&mut self) -> Option<u32> {
        let mut value = 0_u32;
        for _ in 0..4 {
            let digit = char::from(self.peek()?).to_digit(16)?;
            value = value.checked_mul(16)?.checked_add(digit)?;
            self.step(1);
        }
        Some(value)
    }

    fn array(&mut self, depth_left: usize, place: &mut Node<'a>) -> Option<()> {
        let mut nodes = Vec::new();
        self.elements(|scanner| {
            nodes.push(Node::Null);
            scanner.value(depth_left, nodes.last_mut()?)
        })?;
        *place = Node::Array(nodes);
        Some(())
    }

    fn object(&mut self, depth_left: usize, place: &mut Node<'a>) -> Option<()> {
        let mut members: Vec<(Cow<'a, str>, Node<'a>)> = Vec::with_capacity(MEMBERS_USUAL);
        let mut seen = 0_u64;
        self.members(|scanner, name| {
            let mark = mark(&name)?;
            let repeated = seen & mark != 0 && members.iter().any(|(known, _)| *known == name);
            if repeated || members.len() == MEMBERS_MAX {
                return None;
            }
            seen |= mark;
            members.push((name, Node::Null));
            let (_, place) = members.last_mut()?;
            scanner.value(depth_left, place)
        })?;
        *place = Node::Object(members);
        Some(())
    }
}

/// One bit for a name: names with different bits differ.
fn mark(name: &str) -> Option<u64> {
    let bytes = name.as_bytes();
    let ends = match (bytes.first(), bytes.last()) {
        (Some(first), Some(last)) => first.wrapping_mul(7) ^ last.wrapping_mul(3),
        _ => 0,
    };
    let number = usize::from(ends).wrapping_add(bytes.len()) % 64;
    1_u64.checked_shl(u32::try_from(number).ok()?)
}

/// How many bytes stand before the first that ends a string or means something else in it.
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES << 7;
    // The high bit of each byte that is below `limit`, where the lowest set one is exact.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES.wrapping_mul(limit)) & !word & HIGH;
    let (words, _) = bytes.as_chunks::<8>();
    let mut length = 0_usize;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let quote = below(word ^ ONES.wrapping_mul(b'"'.into()), 1);
        let backslash = below(word ^ ONES.wrapping_mul(b'\\'.into()), 1);
        let found = quote | backslash | below(word, 0x20);
        if found != 0 {
            return length.saturating_add(found.trailing_zeros().div_euclid(8) as usize);
        }
        length = length.saturating_add(8);
    }
    let rest = bytes.get(length..).unwrap_or_default();
    let plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | 0..=0x1f);
    length.saturating_add(rest.iter().take_while(plain).count())
}

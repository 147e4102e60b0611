//! Values in a PDF's dictionaries (ISO 32000-1, 7.3).

/// Levels of arrays and dictionaries in one another.
const DEPTH_MAX: usize = 16;
/// Values in one dictionary of a stream.
const VALUES_MAX: usize = 2_000;

/// A value in a dictionary.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Name(String),
    Number(i64),
    /// A string's bytes, in hexadecimal or literal form.
    Text(Vec<u8>),
    Array(Vec<Value>),
    Dictionary(Vec<(String, Value)>),
    /// A reference, `true`, `null`, a broken number.
    Other,
}

/// An entry of a dictionary.
pub(super) fn get<'v>(entries: &'v [(String, Value)], key: &str) -> Option<&'v Value> {
    let found = entries.iter().find(|(known, _)| known == key);
    found.map(|(_, value)| value)
}

/// Reads values from a place on.
pub(super) struct Reader<'f> {
    bytes: &'f [u8],
    pub(super) place: usize,
    values: usize,
}

impl<'f> Reader<'f> {
    pub(super) const fn new(bytes: &'f [u8], place: usize) -> Self {
        Self {
            bytes,
            place,
            values: 0,
        }
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.place..).unwrap_or_default()
    }

    pub(super) fn starts_with(&self, word: &[u8]) -> bool {
        self.rest().starts_with(word)
    }

    pub(super) fn skip_blank(&mut self) {
        while let Some(byte) = self.rest().first() {
            if byte.is_ascii_whitespace() || *byte == 0 {
                self.place += 1;
            } else if *byte == b'%' {
                let line = self.rest().iter().position(|b| matches!(b, b'\n' | b'\r'));
                self.place += line.unwrap_or(self.rest().len());
            } else {
                break;
            }
        }
    }

    /// One value; `None` where there is none, or when there is too much of it.
    pub(super) fn value(&mut self, depth: usize) -> Option<Value> {
        self.values += 1;
        if depth > DEPTH_MAX || self.values > VALUES_MAX {
            return None;
        }
        self.skip_blank();
        match *self.rest() {
            [b'<', b'<', ..] => self.dictionary(depth),
            [b'<', ..] => self.hexadecimal(),
            [b'(', ..] => self.literal(),
            [b'[', ..] => {
                self.place += 1;
                let mut values = Vec::new();
                loop {
                    self.skip_blank();
                    if self.starts_with(b"]") {
                        self.place += 1;
                        return Some(Value::Array(values));
                    }
                    values.push(self.value(depth + 1)?);
                }
            }
            [b'/', ..] => {
                self.place += 1;
                Some(Value::Name(self.word()))
            }
            [] | [b'>' | b']' | b')' | b'{' | b'}', ..] => None,
            _ => {
                let word = self.word();
                Some(match word.parse() {
                    Ok(number) if !self.is_reference() => Value::Number(number),
                    _ => Value::Other,
                })
            }
        }
    }

    /// After a number: whether the number was the first of a reference, which is then passed.
    fn is_reference(&mut self) -> bool {
        let rest = self.rest();
        let after = rest.trim_ascii_start();
        // One digit more than an object's generation has is enough to know.
        let digits = after
            .iter()
            .take(6)
            .take_while(|b| b.is_ascii_digit())
            .count();
        let tail = after.get(digits..).unwrap_or_default();
        let sign = tail.trim_ascii_start();
        let is = digits > 0
            && digits <= 5
            && after.len() < rest.len()
            && sign.len() < tail.len()
            && matches!(
                *sign,
                [b'R']
                    | [
                        b'R',
                        b' ' | b'\n' | b'\r' | b'\t' | b'/' | b'>' | b']' | b'<' | b'(' | b'[',
                        ..
                    ]
            );
        if is {
            self.place = self.bytes.len() - sign.len() + 1;
        }
        is
    }

    fn word(&mut self) -> String {
        let stops = |byte: &u8| {
            byte.is_ascii_whitespace()
                || matches!(
                    byte,
                    0 | b'/' | b'<' | b'>' | b'[' | b']' | b'(' | b')' | b'{' | b'}' | b'%'
                )
        };
        let length = self
            .rest()
            .iter()
            .take_while(|byte| !stops(byte))
            .take(128)
            .count();
        let word = self.rest().get(..length).unwrap_or_default();
        let word = String::from_utf8_lossy(word).into_owned();
        self.place += length.max(1);
        word
    }

    fn dictionary(&mut self, depth: usize) -> Option<Value> {
        self.place += 2;
        let mut entries = Vec::new();
        loop {
            self.skip_blank();
            if self.starts_with(b">>") {
                self.place += 2;
                return Some(Value::Dictionary(entries));
            }
            if !self.starts_with(b"/") {
                return None;
            }
            self.place += 1;
            let key = self.word();
            entries.push((key, self.value(depth + 1)?));
        }
    }

    fn hexadecimal(&mut self) -> Option<Value> {
        let Some(end) = self.rest().iter().position(|byte| *byte == b'>') else {
            // All of it was looked at, and counts.
            self.place = self.bytes.len();
            return None;
        };
        let digits: Vec<u8> = self
            .rest()
            .get(1..end)?
            .iter()
            .filter_map(|byte| char::from(*byte).to_digit(16))
            .filter_map(|digit| u8::try_from(digit).ok())
            .collect();
        self.place += end + 1;
        let pairs = digits.chunks(2).map(|pair| match pair {
            [high, low] => high << 4 | low,
            [high] => high << 4,
            _ => 0,
        });
        Some(Value::Text(pairs.collect()))
    }

    fn literal(&mut self) -> Option<Value> {
        self.place += 1;
        let mut text = Vec::new();
        let mut open = 1_usize;
        loop {
            let byte = *self.rest().first()?;
            self.place += 1;
            match byte {
                b'\\' => {
                    let escaped = *self.rest().first()?;
                    self.place += 1;
                    match escaped {
                        b'n' => text.push(b'\n'),
                        b'r' => text.push(b'\r'),
                        b't' => text.push(b'\t'),
                        b'b' => text.push(8),
                        b'f' => text.push(12),
                        b'\n' | b'\r' => {}
                        b'0'..=b'7' => {
                            let mut value = u32::from(escaped - b'0');
                            for _ in 0..2 {
                                match self.rest().first() {
                                    Some(digit @ b'0'..=b'7') => {
                                        value = value * 8 + u32::from(digit - b'0');
                                        self.place += 1;
                                    }
                                    _ => break,
                                }
                            }
                            text.push((value & 0xff) as u8);
                        }
                        other => text.push(other),
                    }
                }
                b'(' => {
                    open += 1;
                    text.push(byte);
                }
                b')' => {
                    open -= 1;
                    if open == 0 {
                        return Some(Value::Text(text));
                    }
                    text.push(byte);
                }
                other => text.push(other),
            }
        }
    }
}

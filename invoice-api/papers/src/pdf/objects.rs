//! The streams of a PDF, found by one pass over its bytes.

use crate::error::PaperError;
use crate::limits::Meter;

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

/// A stream with its dictionary.
#[derive(Debug)]
pub(super) struct Object<'f> {
    entries: Vec<(String, Value)>,
    pub(super) data: &'f [u8],
}

impl Object<'_> {
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        get(&self.entries, key)
    }
}

/// An entry of a dictionary.
pub(super) fn get<'v>(entries: &'v [(String, Value)], key: &str) -> Option<&'v Value> {
    let found = entries.iter().find(|(known, _)| known == key);
    found.map(|(_, value)| value)
}

/// Finds every stream.
///
/// # Errors
/// [`PaperError::PdfMalformed`] for too many objects or a stream without an end,
/// [`PaperError::Encrypted`].
pub(super) fn scan<'f>(file: &'f [u8], meter: &Meter<'_>) -> Result<Vec<Object<'f>>, PaperError> {
    let mut streams = Vec::new();
    let (mut place, mut objects) = (0_usize, 0_usize);
    let mut plain_from = 0;
    while let Some(at) = find(file, b"obj", place) {
        place = at + 3;
        if !follows_numbers(file.get(..at).unwrap_or_default()) {
            continue;
        }
        objects += 1;
        if objects > meter.limits.pdf_objects {
            return Err(PaperError::PdfMalformed);
        }
        let mut reader = Reader {
            bytes: file,
            place,
            values: 0,
        };
        reader.skip_blank();
        if !reader.starts_with(b"<<") {
            continue;
        }
        let Some(Value::Dictionary(entries)) = reader.value(0) else {
            continue;
        };
        reader.skip_blank();
        if !reader.starts_with(b"stream") {
            continue;
        }
        refuse_encrypted(file.get(plain_from..reader.place))?;
        let start = after_line_end(file, reader.place + b"stream".len());
        let end = stream_end(file, start, get(&entries, "Length"))?;
        streams.push(Object {
            entries,
            data: file.get(start..end).ok_or(PaperError::PdfMalformed)?,
        });
        place = end;
        plain_from = end;
    }
    refuse_encrypted(file.get(plain_from..))?;
    Ok(streams)
}

fn refuse_encrypted(plain: Option<&[u8]>) -> Result<(), PaperError> {
    match find(plain.unwrap_or_default(), b"/Encrypt", 0) {
        Some(_) => Err(PaperError::Encrypted),
        None => Ok(()),
    }
}

fn find(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let first = *wanted.first()?;
    let mut place = from;
    loop {
        let rest = bytes.get(place..)?;
        let step = rest.iter().position(|byte| *byte == first)?;
        place += step;
        if bytes.get(place..)?.starts_with(wanted) {
            return Some(place);
        }
        place += 1;
    }
}

/// Whether the bytes end with an object's two numbers.
fn follows_numbers(before: &[u8]) -> bool {
    let tail = before
        .get(before.len().saturating_sub(24)..)
        .unwrap_or_default();
    let digits = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .take_while(|b| b.is_ascii_digit())
            .count()
    };
    let blanks = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .take_while(|b| b.is_ascii_whitespace())
            .count()
    };
    let mut rest = tail;
    for _ in 0..2 {
        let blank = blanks(rest);
        rest = rest.get(..rest.len() - blank).unwrap_or_default();
        let number = digits(rest);
        if blank == 0 || number == 0 {
            return false;
        }
        rest = rest.get(..rest.len() - number).unwrap_or_default();
    }
    true
}

fn after_line_end(file: &[u8], place: usize) -> usize {
    match file.get(place..) {
        Some([b'\r', b'\n', ..]) => place + 2,
        Some([b'\n' | b'\r', ..]) => place + 1,
        _ => place,
    }
}

/// Where a stream ends: where its length says, when the word follows there; else at the word.
fn stream_end(file: &[u8], start: usize, length: Option<&Value>) -> Result<usize, PaperError> {
    if let Some(Value::Number(length)) = length
        && let Some(end) = usize::try_from(*length)
            .ok()
            .and_then(|length| start.checked_add(length))
        && let Some(rest) = file.get(end..)
        && rest.trim_ascii_start().starts_with(b"endstream")
        && rest.len() - rest.trim_ascii_start().len() <= 2
    {
        return Ok(end);
    }
    let end = find(file, b"endstream", start).ok_or(PaperError::PdfMalformed)?;
    let data = file.get(start..end).unwrap_or_default();
    let data = data.strip_suffix(b"\n").unwrap_or(data);
    let data = data.strip_suffix(b"\r").unwrap_or(data);
    Ok(start + data.len())
}

struct Reader<'f> {
    bytes: &'f [u8],
    place: usize,
    values: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.place..).unwrap_or_default()
    }

    fn starts_with(&self, word: &[u8]) -> bool {
        self.rest().starts_with(word)
    }

    fn skip_blank(&mut self) {
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
    fn value(&mut self, depth: usize) -> Option<Value> {
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
        let digits = after.iter().take_while(|b| b.is_ascii_digit()).count();
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
        let end = self.rest().iter().position(|byte| *byte == b'>')?;
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

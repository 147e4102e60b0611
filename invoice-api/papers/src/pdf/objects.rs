//! The streams of a PDF, found by one pass over its bytes.

use super::values::{Reader, Value, get};
use crate::error::PaperError;
use crate::limits::Meter;

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
        let mut reader = Reader::new(file, place);
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

//! The streams of a PDF, found by one pass over its bytes.

use super::values::{Reader, Value, get};
use crate::error::PaperError;
use crate::limits::Meter;

/// What a dictionary holds.
type Entries = Vec<(String, Value)>;

/// A stream with its dictionary.
#[derive(Debug)]
pub(super) struct Object<'f> {
    entries: Entries,
    pub(super) data: &'f [u8],
}

impl Object<'_> {
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        get(&self.entries, key)
    }
}

/// Bytes of one dictionary: what has no end within them is none.
const DICTIONARY_BYTES_MAX: usize = 64 * 1024;

/// Finds every stream.
///
/// # Errors
/// [`PaperError::PdfMalformed`] for too many objects, dictionaries that take too long to read, or a
/// stream without an end, [`PaperError::Encrypted`].
pub(super) fn scan<'f>(
    file: &'f [u8],
    meter: &mut Meter<'_>,
) -> Result<Vec<Object<'f>>, PaperError> {
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
        let Some((entries, after)) = dictionary(file, place, meter)? else {
            continue;
        };
        let rest = file.get(after..).unwrap_or_default();
        if !rest.starts_with(b"stream") {
            continue;
        }
        refuse_encrypted(file, plain_from..after, meter)?;
        let is_xref = get(&entries, "Type") == Some(&Value::Name("XRef".to_owned()));
        if is_xref && get(&entries, "Encrypt").is_some() {
            return Err(PaperError::Encrypted);
        }
        let start = after_line_end(file, after + b"stream".len());
        let end = stream_end(file, start, get(&entries, "Length"))?;
        streams.push(Object {
            entries,
            data: file.get(start..end).ok_or(PaperError::PdfMalformed)?,
        });
        place = end;
        plain_from = end;
    }
    refuse_encrypted(file, plain_from..file.len(), meter)?;
    Ok(streams)
}

/// The dictionary at a place, and where what follows it begins; `None` where there is none.
fn dictionary(
    file: &[u8],
    place: usize,
    meter: &mut Meter<'_>,
) -> Result<Option<(Entries, usize)>, PaperError> {
    let end = place.saturating_add(DICTIONARY_BYTES_MAX).min(file.len());
    let mut reader = Reader::new(file.get(..end).unwrap_or(file), place);
    reader.skip_blank();
    let read = match reader.starts_with(b"<<") {
        true => reader.value(0),
        false => None,
    };
    reader.skip_blank();
    meter.pdf(reader.place.saturating_sub(place))?;
    Ok(match read {
        Some(Value::Dictionary(entries)) => Some((entries, reader.place)),
        Some(
            Value::Name(_) | Value::Number(_) | Value::Text(_) | Value::Array(_) | Value::Other,
        )
        | None => None,
    })
}

/// Encryption is named in the dictionary of a trailer (ISO 32000-1, 7.5.5), or of the stream that
/// stands for it. A title may hold the word without meaning it.
fn refuse_encrypted(
    file: &[u8],
    plain: std::ops::Range<usize>,
    meter: &mut Meter<'_>,
) -> Result<(), PaperError> {
    let bytes = file.get(..plain.end).unwrap_or_default();
    let mut place = plain.start;
    while let Some(at) = find(bytes, b"trailer", place) {
        place = at + b"trailer".len();
        if let Some((entries, _)) = dictionary(bytes, place, meter)?
            && get(&entries, "Encrypt").is_some()
        {
            return Err(PaperError::Encrypted);
        }
    }
    Ok(())
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

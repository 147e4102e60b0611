//! From the bytes of an XML file to its text, where there is only one way to read them.

use std::borrow::Cow;

use encoding_rs::GB18030;

use crate::error::PaperError;

/// Where a declaration ends at the latest.
const DECLARATION_BYTES_MAX: usize = 256;

/// The text of an XML file: UTF-8, or one of the Chinese encodings when the file declares it.
///
/// UTF-16 is refused: no issuer writes it. Bytes that are declared as GBK and yet are UTF-8 are
/// refused as well: one reader would follow the declaration, another the bytes.
///
/// # Errors
/// [`PaperError::XmlEncoding`] for any other bytes.
pub(crate) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, PaperError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // No text of XML 1.0 has this character, and UTF-16 without a mark is full of it.
    if bytes.contains(&0) || bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(PaperError::XmlEncoding);
    }
    let utf8 = std::str::from_utf8(bytes).ok();
    let declared = declared(bytes).map(|name| name.to_ascii_lowercase());
    let text = match declared.as_deref() {
        None | Some("utf-8" | "utf8") => utf8.map(Cow::Borrowed),
        Some("gbk" | "gb2312" | "gb18030") => match utf8 {
            Some(text) if text.is_ascii() => Some(Cow::Borrowed(text)),
            Some(_) => None,
            None => GB18030.decode_without_bom_handling_and_without_replacement(bytes),
        },
        Some(_) => utf8.filter(|text| text.is_ascii()).map(Cow::Borrowed),
    };
    text.ok_or(PaperError::XmlEncoding)
}

/// The encoding that the declaration at the beginning names.
fn declared(bytes: &[u8]) -> Option<String> {
    let head = bytes.get(..DECLARATION_BYTES_MAX).unwrap_or(bytes);
    let head = String::from_utf8_lossy(head.trim_ascii_start());
    let declaration = head.strip_prefix("<?xml")?;
    let (declaration, _) = declaration.split_once("?>")?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (name, _) = value.get(1..)?.split_once(quote)?;
    Some(name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_in_one_way_or_not_at_all() {
        let gbk = |declared: &str| {
            let (bytes, _, _) = GB18030.encode("<a>中文发票</a>");
            let mut file = format!("<?xml version=\"1.0\" encoding=\"{declared}\"?>").into_bytes();
            file.extend_from_slice(&bytes);
            file
        };
        for name in ["GBK", "gb2312", "GB18030"] {
            assert!(
                decode(&gbk(name)).unwrap().ends_with("<a>中文发票</a>"),
                "{name}"
            );
        }
        for name in ["UTF-8", "utf-16", "big5", "iso-8859-1"] {
            assert_eq!(decode(&gbk(name)), Err(PaperError::XmlEncoding), "{name}");
        }
        let twice = "<?xml version=\"1.0\" encoding='GBK'?><a>中文发票</a>".as_bytes();
        assert_eq!(decode(twice), Err(PaperError::XmlEncoding));
        let ascii = b"<?xml version=\"1.0\" encoding = 'GBK' ?><a>x</a>";
        assert!(decode(ascii).is_ok());
        assert_eq!(decode("\u{feff}<a>中</a>".as_bytes()).unwrap(), "<a>中</a>");
        assert_eq!(decode(b"\xff\xfe<\0a\0>\0"), Err(PaperError::XmlEncoding));
        assert_eq!(decode(b"<\0a\0>\0"), Err(PaperError::XmlEncoding));
        assert_eq!(decode(b"<a>\xff</a>"), Err(PaperError::XmlEncoding));
    }
}

//! PDF files made by hand.

use std::io::Write as _;

pub(crate) fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// A PDF of these streams: each a dictionary without its ends, and its bytes.
pub(crate) fn pdf(streams: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n".to_vec();
    for (index, (dictionary, data)) in streams.iter().enumerate() {
        let head = format!(
            "{} 0 obj\n<<{dictionary}/Length {}>>\nstream\n",
            index + 3,
            data.len()
        );
        file.extend_from_slice(head.as_bytes());
        file.extend_from_slice(data);
        file.extend_from_slice(b"\nendstream\nendobj\n");
    }
    file.extend_from_slice(b"trailer\n<</Root 1 0 R>>\n%%EOF\n");
    file
}

/// A PDF with an attached file, compressed.
pub(crate) fn attached(bytes: &[u8]) -> Vec<u8> {
    pdf(&[("/Type/EmbeddedFile/Filter/FlateDecode", &zlib(bytes))])
}

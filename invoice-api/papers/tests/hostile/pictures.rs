//! Pictures of QR codes, and pictures that are none.

use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use qrcode::{Color, QrCode};

pub(crate) fn code(text: &str, scale: u32, quiet: u32) -> GrayImage {
    let code = QrCode::new(text).unwrap();
    let modules = code.width() as u32;
    let side = (modules + 2 * quiet) * scale;
    GrayImage::from_fn(side, side, |x, y| {
        let (x, y) = (x / scale, y / scale);
        let inside = |at: u32| (quiet..quiet + modules).contains(&at);
        let dark = inside(x)
            && inside(y)
            && code[((x - quiet) as usize, (y - quiet) as usize)] == Color::Dark;
        Luma([if dark { 0 } else { 255 }])
    })
}

/// Codes beside one another.
pub(crate) fn side_by_side(texts: &[&str]) -> GrayImage {
    let codes: Vec<GrayImage> = texts.iter().map(|text| code(text, 6, 4)).collect();
    let width = codes.iter().map(GrayImage::width).sum();
    let height = codes.iter().map(GrayImage::height).max().unwrap_or(1);
    let mut all = GrayImage::from_pixel(width, height, Luma([255]));
    let mut place = 0;
    for code in &codes {
        image::imageops::overlay(&mut all, code, place, 0);
        place += i64::from(code.width());
    }
    all
}

pub(crate) fn encoded(picture: GrayImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageLuma8(picture)
        .write_to(&mut bytes, format)
        .unwrap();
    bytes.into_inner()
}

/// A PNG that says it has these sides, and holds one byte.
pub(crate) fn png_of(width: u32, height: u32) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = b"IHDR".to_vec();
    header.extend_from_slice(&width.to_be_bytes());
    header.extend_from_slice(&height.to_be_bytes());
    header.extend_from_slice(&[8, 0, 0, 0, 0]);
    let data = [b"IDAT".as_slice(), &super::pdfs::zlib(&[0])].concat();
    for chunk in [header, data, b"IEND".to_vec()] {
        file.extend_from_slice(&(chunk.len() as u32 - 4).to_be_bytes());
        file.extend_from_slice(&chunk);
        file.extend_from_slice(&crc32fast::hash(&chunk).to_be_bytes());
    }
    file
}

//! Photos and pictures of QR codes.
//!
//! A QR code's modules are decoded by `rqrr`; where in the picture they lie is found here. The
//! search of that library and its relatives follows whatever geometry a picture suggests, for as
//! long as that takes; here every step is counted against [`Limits::qr_visits`](crate::Limits).

mod alignment;
mod bitmap;
mod finder;
mod sampler;

use std::io::Cursor;
use std::panic::catch_unwind;

use image::imageops::FilterType;
use image::{GrayImage, ImageFormat, ImageReader};

use crate::error::PaperError;
use crate::limits::Meter;
use bitmap::Bitmap;

/// Pixels of the longer side in which QR codes are searched; larger pictures are made smaller.
const SEARCH_SIDE: u32 = 2_000;
/// How many times larger a picture is made in which nothing was found.
const ENLARGEMENT: u32 = 2;
/// Pixels of the longer side of what is searched then: a screen of 1,920 pixels enlarged, or one
/// of 3,840 as it is.
const FINE_SIDE: u32 = 3_840;
/// Bytes that a decoder may allocate at a time.
const DECODER_BYTES: u64 = 256 * 1024 * 1024;

/// Whether the bytes begin as one of the pictures that can be read.
pub(crate) fn format(bytes: &[u8]) -> Option<ImageFormat> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some(ImageFormat::Png)
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        Some(ImageFormat::Jpeg)
    } else {
        None
    }
}

/// The texts of the QR codes in a PNG or JPEG.
///
/// # Errors
/// A [`PaperError`] of images.
pub(crate) fn qr_texts(bytes: &[u8], meter: &mut Meter<'_>) -> Result<Vec<String>, PaperError> {
    let format = format(bytes).ok_or(PaperError::ImageMalformed)?;
    let size = || {
        ImageReader::with_format(Cursor::new(bytes), format)
            .into_dimensions()
            .ok()
    };
    // A decoder's mistake must cost one answer, not the process.
    let (width, height) = catch_unwind(size)
        .ok()
        .flatten()
        .ok_or(PaperError::ImageMalformed)?;
    let side = |side: u32| usize::try_from(side).unwrap_or(usize::MAX);
    meter.pixels(side(width), side(height))?;
    let decode = || {
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
        let mut limits = image::Limits::default();
        limits.max_image_width = Some(width);
        limits.max_image_height = Some(height);
        limits.max_alloc = Some(DECODER_BYTES);
        reader.limits(limits);
        reader.decode().ok().map(|image| image.into_luma8())
    };
    let picture = catch_unwind(decode)
        .ok()
        .flatten()
        .ok_or(PaperError::ImageMalformed)?;
    match search(picture.clone(), meter) {
        Err(PaperError::QrAbsent) => search_finely(&picture, meter),
        found => found,
    }
}

/// The texts of the QR codes in grey pixels, whose number the caller has counted.
///
/// # Errors
/// [`PaperError::ImageTooBusy`], and [`PaperError::QrAbsent`] when there is none.
pub(crate) fn search(picture: GrayImage, meter: &mut Meter<'_>) -> Result<Vec<String>, PaperError> {
    let (width, height) = picture.dimensions();
    if width == 0 || height == 0 {
        return Err(PaperError::ImageMalformed);
    }
    let longer = width.max(height);
    let picture = if longer > SEARCH_SIDE {
        let fit = |side: u32| {
            let scaled = u64::from(side) * u64::from(SEARCH_SIDE) / u64::from(longer);
            u32::try_from(scaled).unwrap_or(SEARCH_SIDE).max(1)
        };
        image::imageops::thumbnail(&picture, fit(width), fit(height))
    } else {
        picture
    };
    texts_in(&picture, meter)
}

/// Searches a picture again in which nothing was found. On a picture of a screen a module is hardly
/// wider than a pixel: its edges are found between the pixels, or not at all.
fn search_finely(picture: &GrayImage, meter: &mut Meter<'_>) -> Result<Vec<String>, PaperError> {
    let (width, height) = picture.dimensions();
    let longer = width.max(height);
    if longer <= FINE_SIDE / ENLARGEMENT {
        let (width, height) = (width * ENLARGEMENT, height * ENLARGEMENT);
        let enlarged = image::imageops::resize(picture, width, height, FilterType::Lanczos3);
        texts_in(&enlarged, meter)
    } else if longer > SEARCH_SIDE && longer <= FINE_SIDE {
        texts_in(picture, meter)
    } else {
        Err(PaperError::QrAbsent)
    }
}

fn texts_in(picture: &GrayImage, meter: &mut Meter<'_>) -> Result<Vec<String>, PaperError> {
    let bitmap = Bitmap::of(picture, meter)?;
    let patterns = finder::find(&bitmap, meter)?;
    let texts = sampler::read(&bitmap, &patterns, meter)?;
    if texts.is_empty() {
        return Err(PaperError::QrAbsent);
    }
    Ok(texts)
}

/// As [`search`], once more with light and dark exchanged: palettes may be in either order.
///
/// # Errors
/// As [`search`].
pub(crate) fn search_both(
    picture: GrayImage,
    meter: &mut Meter<'_>,
) -> Result<Vec<String>, PaperError> {
    match search(picture.clone(), meter) {
        Err(PaperError::QrAbsent) => {
            let mut picture = picture;
            image::imageops::invert(&mut picture);
            search(picture, meter)
        }
        found => found,
    }
}

#[cfg(test)]
mod tests;

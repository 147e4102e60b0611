//! Pictures in a PDF as grey pixels (ISO 32000-1, 8.9).

use image::GrayImage;

use super::inflate;
use super::objects::Object;
use super::values::{Value, get};
use crate::error::PaperError;
use crate::limits::Meter;

/// Pixels of a side below which no QR code fits.
const SIDE_MIN: usize = 21;

/// The pixels of a picture; `None` for forms that no invoice's QR code is stored in.
///
/// # Errors
/// [`PaperError::ImageTooLarge`], [`PaperError::Inflated`].
pub(super) fn read(
    object: &Object<'_>,
    meter: &mut Meter<'_>,
) -> Result<Option<GrayImage>, PaperError> {
    let number = |key: &str, short: &str| match object.get(key).or_else(|| object.get(short)) {
        Some(Value::Number(number)) => usize::try_from(*number).ok(),
        _ => None,
    };
    let (Some(width), Some(height)) = (number("Width", "W"), number("Height", "H")) else {
        return Ok(None);
    };
    if width < SIDE_MIN || height < SIDE_MIN {
        return Ok(None);
    }
    let bits = number("BitsPerComponent", "BPC").unwrap_or(1);
    meter.pixels(width, height)?;
    let data = match object.filters().as_slice() {
        [] => object.data.to_vec(),
        ["FlateDecode" | "Fl"] => match inflate(object.data, meter) {
            Ok(data) => data,
            Err(PaperError::PdfMalformed) => return Ok(None),
            Err(error) => return Err(error),
        },
        _ => return Ok(None),
    };
    let data = match predictor(object) {
        Some(colors) => match unfilter(&data, colors, bits, width) {
            Some(data) => data,
            None => return Ok(None),
        },
        None => data,
    };
    Ok(grey(&data, (width, height), bits))
}

/// How many components a pixel has, where rows were filtered as in PNG.
fn predictor(object: &Object<'_>) -> Option<usize> {
    let value = object.get("DecodeParms")?;
    let first = if let Value::Array(all) = value {
        all.first()?
    } else {
        value
    };
    let Value::Dictionary(parameters) = first else {
        return None;
    };
    let number = |key| match get(parameters, key) {
        Some(Value::Number(number)) => usize::try_from(*number).ok(),
        _ => None,
    };
    (number("Predictor")? >= 10).then(|| number("Colors").unwrap_or(1))
}

/// Undoes the filters of rows (PNG specification, 9.2).
fn unfilter(data: &[u8], colors: usize, bits: usize, width: usize) -> Option<Vec<u8>> {
    if !(1..=4).contains(&colors) || !matches!(bits, 1 | 2 | 4 | 8) {
        return None;
    }
    let row_bytes = (width * colors * bits).div_ceil(8);
    let step = (colors * bits).div_ceil(8);
    let mut done: Vec<u8> = Vec::with_capacity(data.len());
    let mut above = vec![0_u8; row_bytes];
    for row in data.chunks_exact(row_bytes + 1) {
        let (filter, row) = row.split_first()?;
        let mut now = row.to_vec();
        for place in 0..row_bytes {
            let left = if place >= step { now[place - step] } else { 0 };
            let up = above[place];
            let corner = if place >= step {
                above[place - step]
            } else {
                0
            };
            let add = match filter {
                0 => 0,
                1 => left,
                2 => up,
                3 => u8::try_from((u16::from(left) + u16::from(up)) / 2).ok()?,
                4 => paeth(left, up, corner),
                _ => return None,
            };
            now[place] = now[place].wrapping_add(add);
        }
        done.extend_from_slice(&now);
        above = now;
    }
    Some(done)
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let (a, b, c) = (i16::from(left), i16::from(up), i16::from(corner));
    let guess = a + b - c;
    let (to_a, to_b, to_c) = ((guess - a).abs(), (guess - b).abs(), (guess - c).abs());
    if to_a <= to_b && to_a <= to_c {
        left
    } else if to_b <= to_c {
        up
    } else {
        corner
    }
}

/// One grey value a pixel, stretched to the whole range: numbers of colours in a palette of two
/// serve as well, but for which of them is the dark one.
fn grey(data: &[u8], (width, height): (usize, usize), bits: usize) -> Option<GrayImage> {
    let mut pixels = Vec::with_capacity(width * height);
    match bits {
        1 | 2 | 4 => {
            let row_bytes = (width * bits).div_ceil(8);
            let mask = (1_u8 << bits) - 1;
            for row in data.chunks_exact(row_bytes).take(height) {
                for x in 0..width {
                    let bit = x * bits;
                    let shift = 8 - bits - bit % 8;
                    pixels.push(row.get(bit / 8)? >> shift & mask);
                }
            }
        }
        8 => {
            let components = data.len() / (width * height);
            if !(1..=4).contains(&components) {
                return None;
            }
            for pixel in data.chunks_exact(components).take(width * height) {
                let sum: usize = pixel.iter().map(|part| usize::from(*part)).sum();
                let mean = u8::try_from(sum / components).unwrap_or(u8::MAX);
                // Four components are inks: more is darker.
                pixels.push(if components == 4 { 255 - mean } else { mean });
            }
        }
        _ => return None,
    }
    let (low, high) = (*pixels.iter().min()?, *pixels.iter().max()?);
    let range = u16::from(high - low).max(1);
    for pixel in &mut pixels {
        let stretched = u16::from(*pixel - low) * 255 / range;
        *pixel = u8::try_from(stretched).unwrap_or(u8::MAX);
    }
    GrayImage::from_raw(
        u32::try_from(width).ok()?,
        u32::try_from(height).ok()?,
        pixels,
    )
}

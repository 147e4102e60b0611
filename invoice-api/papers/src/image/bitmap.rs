//! From grey to black and white.

use image::GrayImage;

use crate::error::PaperError;
use crate::limits::Meter;

/// White around the picture, in pixels: codes that touch its edge have no margin of their own.
const MARGIN: usize = 16;
/// A pixel is black when it is darker than this many hundredths of its surroundings.
const DARKER: u64 = 85;
/// The surroundings: this part of the longer side, to each direction.
const PART: usize = 16;

/// Black and white pixels.
pub(super) struct Bitmap {
    pub(super) width: usize,
    pub(super) height: usize,
    black: Vec<bool>,
}

impl Bitmap {
    /// Tells black from white by the mean of each pixel's surroundings, so that shadows on a photo
    /// do not count. Every pixel is visited four times.
    pub(super) fn of(picture: &GrayImage, meter: &mut Meter<'_>) -> Result<Self, PaperError> {
        let side = |side: u32| usize::try_from(side).unwrap_or(0);
        let (inner_width, inner_height) = (side(picture.width()), side(picture.height()));
        let (width, height) = (inner_width + 2 * MARGIN, inner_height + 2 * MARGIN);
        meter.visits(4 * width * height)?;
        let mut grey = vec![255_u8; width * height];
        let rows = picture.as_raw().chunks_exact(inner_width);
        for (row, pixels) in rows.enumerate() {
            let start = (row + MARGIN) * width + MARGIN;
            if let Some(to) = grey.get_mut(start..start + inner_width) {
                to.copy_from_slice(pixels);
            }
        }
        // Sums of all pixels above and to the left.
        let wide = width + 1;
        let mut sums = vec![0_u64; wide * (height + 1)];
        for y in 0..height {
            let mut row = 0_u64;
            for x in 0..width {
                row += u64::from(grey[y * width + x]);
                sums[(y + 1) * wide + x + 1] = sums[y * wide + x + 1] + row;
            }
        }
        let reach = (inner_width.max(inner_height) / PART).max(8);
        let mut black = vec![false; width * height];
        for y in 0..height {
            let (top, bottom) = (y.saturating_sub(reach), (y + reach + 1).min(height));
            for x in 0..width {
                let (left, right) = (x.saturating_sub(reach), (x + reach + 1).min(width));
                let count = ((bottom - top) * (right - left)) as u64;
                let sum = sums[bottom * wide + right] + sums[top * wide + left]
                    - sums[top * wide + right]
                    - sums[bottom * wide + left];
                let pixel = u64::from(grey[y * width + x]);
                black[y * width + x] = pixel * count * 100 < sum * DARKER;
            }
        }
        Ok(Self {
            width,
            height,
            black,
        })
    }

    /// Whether a pixel is black; outside it is not.
    pub(super) fn is_black(&self, x: isize, y: isize) -> bool {
        match (usize::try_from(x), usize::try_from(y)) {
            (Ok(x), Ok(y)) if x < self.width && y < self.height => self.black[y * self.width + x],
            _ => false,
        }
    }
}

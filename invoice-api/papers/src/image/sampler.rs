//! From three patterns to the modules of a code, and to its text.

use std::panic::catch_unwind;

use encoding_rs::GB18030;
use rqrr::{Grid, SimpleGrid};

use super::alignment;
use super::bitmap::Bitmap;
use super::finder::Pattern;
use crate::error::PaperError;
use crate::limits::Meter;

/// Sizes of codes: versions 1 to 40 (ISO/IEC 18004, 6.1).
const SIZE_MIN: i64 = 21;
const SIZE_MAX: i64 = 177;

/// A point of the picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

impl Point {
    fn of(pattern: &Pattern) -> Self {
        Self {
            x: pattern.x,
            y: pattern.y,
        }
    }

    pub(super) fn distance(self, other: Self) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// Three patterns as the corners of a code.
pub(super) struct Corners {
    pub(super) top_left: Point,
    top_right: Point,
    bottom_left: Point,
    pub(super) module: f64,
}

/// Reads every code whose corners are among the patterns, each pattern used once.
pub(super) fn read(
    bitmap: &Bitmap,
    patterns: &[Pattern],
    meter: &mut Meter<'_>,
) -> Result<Vec<String>, PaperError> {
    let mut groups = Vec::new();
    for (a, first) in patterns.iter().enumerate() {
        for (b, second) in patterns.iter().enumerate().skip(a + 1) {
            for (c, third) in patterns.iter().enumerate().skip(b + 1) {
                if let Some((skew, corners)) = corners([first, second, third]) {
                    groups.push((skew, [a, b, c], corners));
                }
            }
        }
    }
    // The least skewed first: wrong groups look like codes seen from the side.
    groups.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut used = vec![false; patterns.len()];
    let mut texts = Vec::new();
    for (_, members, corners) in groups {
        if members.iter().any(|member| used[*member]) {
            continue;
        }
        match try_sizes(bitmap, &corners, meter) {
            Ok(Some(text)) => {
                texts.push(text);
                for member in members {
                    used[member] = true;
                }
            }
            Ok(None) => {}
            // What was found before the search became too long is good all the same.
            Err(PaperError::ImageTooBusy) if !texts.is_empty() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(texts)
}

/// Orders three patterns as corners, unless they cannot be; with how far they are from a right
/// angle with equal sides.
fn corners(patterns: [&Pattern; 3]) -> Option<(f64, Corners)> {
    let modules = patterns.map(|pattern| pattern.module);
    let smallest = modules.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = modules.iter().copied().fold(0.0, f64::max);
    if largest > 1.6 * smallest {
        return None;
    }
    let points = patterns.map(Point::of);
    let opposite = |corner: usize| points[(corner + 1) % 3].distance(points[(corner + 2) % 3]);
    let corner = (0..3).max_by(|one, other| opposite(*one).total_cmp(&opposite(*other)))?;
    let (one, other) = (points[(corner + 1) % 3], points[(corner + 2) % 3]);
    let top_left = points[corner];
    let (short, long) = (top_left.distance(one), top_left.distance(other));
    let (short, long) = (short.min(long), short.max(long));
    let module = modules.iter().sum::<f64>() / 3.0;
    let angle = (opposite(corner).powi(2) - short.powi(2) - long.powi(2)) / (2.0 * short * long);
    if short < 8.0 * module || long > 1.7 * short || angle.abs() > 0.4 {
        return None;
    }
    let turn = (one.x - top_left.x) * (other.y - top_left.y)
        - (one.y - top_left.y) * (other.x - top_left.x);
    let (top_right, bottom_left) = if turn > 0.0 {
        (one, other)
    } else {
        (other, one)
    };
    let skew = (long / short - 1.0) + angle.abs() + (largest / smallest - 1.0);
    Some((
        skew,
        Corners {
            top_left,
            top_right,
            bottom_left,
            module,
        },
    ))
}

/// The measured size and its neighbours, each with and without the pattern at the fourth corner.
fn try_sizes(
    bitmap: &Bitmap,
    corners: &Corners,
    meter: &mut Meter<'_>,
) -> Result<Option<String>, PaperError> {
    let across = corners.top_left.distance(corners.top_right);
    let down = corners.top_left.distance(corners.bottom_left);
    let corners = &Corners {
        module: measure(bitmap, corners).unwrap_or(corners.module),
        ..*corners
    };
    meter.visits(100)?;
    let measured = (across + down) / 2.0 / corners.module + 7.0;
    let nearest = ((measured - 17.0) / 4.0).round() as i64 * 4 + 17;
    for size in [nearest, nearest + 4, nearest - 4] {
        if !(SIZE_MIN..=SIZE_MAX).contains(&size) {
            continue;
        }
        let fourth = Point {
            x: corners.top_right.x - corners.top_left.x + corners.bottom_left.x,
            y: corners.top_right.y - corners.top_left.y + corners.bottom_left.y,
        };
        let aligned = if size > SIZE_MIN {
            alignment::find(bitmap, corners, fourth, size, meter)?
        } else {
            None
        };
        let aligned = aligned.map(|point| (size as f64 - 6.5, point));
        for (place, point) in aligned.into_iter().chain([(size as f64 - 3.5, fourth)]) {
            meter.visits((size * size) as usize)?;
            if let Some(text) = sample(bitmap, corners, size, place, point) {
                return Ok(Some(text));
            }
        }
    }
    Ok(None)
}

/// The size of a module along the sides of the code. On a turned code rows cross the patterns
/// slantwise and make modules look larger.
fn measure(bitmap: &Bitmap, corners: &Corners) -> Option<f64> {
    let mut sum = 0.0;
    let sides = [corners.top_right, corners.bottom_left];
    for end in sides {
        let length = corners.top_left.distance(end);
        let step = Point {
            x: (end.x - corners.top_left.x) / length,
            y: (end.y - corners.top_left.y) / length,
        };
        for (start, sign) in [
            (corners.top_left, 1.0),
            (corners.top_left, -1.0),
            (end, 1.0),
            (end, -1.0),
        ] {
            // Half the middle, white, black: three and a half modules.
            let at = |distance: f64| {
                let x = start.x + sign * step.x * distance;
                let y = start.y + sign * step.y * distance;
                bitmap.is_black(x.floor() as isize, y.floor() as isize)
            };
            let reach = 10.0 * corners.module;
            let mut distance = 0.0;
            for black in [true, false, true] {
                while at(distance) == black {
                    distance += 0.5;
                    if distance > reach {
                        return None;
                    }
                }
            }
            sum += distance - 0.25;
        }
    }
    Some(sum / (8.0 * 3.5))
}

/// Reads the modules through the perspective of four points, and decodes them.
fn sample(
    bitmap: &Bitmap,
    corners: &Corners,
    size: i64,
    place: f64,
    fourth: Point,
) -> Option<String> {
    let far = size as f64 - 3.5;
    let map = perspective([
        ((3.5, 3.5), corners.top_left),
        ((far, 3.5), corners.top_right),
        ((3.5, far), corners.bottom_left),
        ((place, place), fourth),
    ])?;
    let size = usize::try_from(size).ok()?;
    let grid = SimpleGrid::from_func(size, |column, row| {
        let (u, v) = (column as f64 + 0.5, row as f64 + 0.5);
        let depth = map[6] * u + map[7] * v + 1.0;
        let x = (map[0] * u + map[1] * v + map[2]) / depth;
        let y = (map[3] * u + map[4] * v + map[5]) / depth;
        // A cast of a number that is none, or too large, gives a place outside.
        bitmap.is_black(x.floor() as isize, y.floor() as isize)
    });
    let decode = move || {
        let mut bytes = Vec::new();
        Grid::new(grid).decode_to(&mut bytes).ok().map(|_| bytes)
    };
    // A decoder's mistake must cost one answer, not the process.
    let bytes = catch_unwind(decode).ok().flatten()?;
    match String::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) => GB18030
            .decode_without_bom_handling_and_without_replacement(error.as_bytes())
            .map(|text| text.into_owned()),
    }
}

/// The eight numbers of the projection that takes four points to four others, by elimination.
fn perspective(pairs: [((f64, f64), Point); 4]) -> Option<[f64; 8]> {
    let mut rows = [[0.0_f64; 9]; 8];
    for (index, ((u, v), to)) in pairs.into_iter().enumerate() {
        rows[2 * index] = [u, v, 1.0, 0.0, 0.0, 0.0, -u * to.x, -v * to.x, to.x];
        rows[2 * index + 1] = [0.0, 0.0, 0.0, u, v, 1.0, -u * to.y, -v * to.y, to.y];
    }
    for column in 0..8 {
        let pivot = (column..8).max_by(|one, other| {
            rows[*one][column]
                .abs()
                .total_cmp(&rows[*other][column].abs())
        })?;
        rows.swap(column, pivot);
        if rows[column][column].abs() < 1e-9 {
            return None;
        }
        let lead = rows[column];
        for (index, row) in rows.iter_mut().enumerate() {
            let factor = row[column] / lead[column];
            if index != column {
                row.iter_mut()
                    .zip(lead)
                    .for_each(|(value, lead)| *value -= factor * lead);
            }
        }
    }
    let mut answer = [0.0; 8];
    for (index, value) in answer.iter_mut().enumerate() {
        *value = rows[index][8] / rows[index][index];
    }
    Some(answer)
}

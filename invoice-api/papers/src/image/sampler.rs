//! From three patterns to the modules of a code, and to its text.

use std::panic::catch_unwind;

use encoding_rs::GB18030;
use rqrr::{Grid, SimpleGrid};

use super::bitmap::Bitmap;
use super::finder::Pattern;
use crate::error::PaperError;
use crate::limits::Meter;

/// Sizes of codes: versions 1 to 40 (ISO/IEC 18004, 6.1).
const SIZE_MIN: i64 = 21;
const SIZE_MAX: i64 = 177;

/// A point of the picture.
#[derive(Debug, Clone, Copy)]
struct Point {
    x: f64,
    y: f64,
}

impl Point {
    fn of(pattern: &Pattern) -> Self {
        Self {
            x: pattern.x,
            y: pattern.y,
        }
    }

    fn distance(self, other: Self) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// Three patterns as the corners of a code.
struct Corners {
    top_left: Point,
    top_right: Point,
    bottom_left: Point,
    module: f64,
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
            alignment(bitmap, corners, fourth, size, meter)?
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

/// The small pattern near the fourth corner (ISO/IEC 18004, 6.3.6): black, white, black in equal
/// parts both ways, nearest to where it should be.
fn alignment(
    bitmap: &Bitmap,
    corners: &Corners,
    fourth: Point,
    size: i64,
    meter: &mut Meter<'_>,
) -> Result<Option<Point>, PaperError> {
    let part = 1.0 - 3.0 / (size as f64 - 7.0);
    let due = Point {
        x: corners.top_left.x + part * (fourth.x - corners.top_left.x),
        y: corners.top_left.y + part * (fourth.y - corners.top_left.y),
    };
    let module = corners.module;
    let reach = (6.0 * module).ceil().min(200.0) as isize;
    let edge = (2 * reach + 1) as usize;
    meter.visits(edge * edge * 2)?;
    let (x, y) = (due.x.floor() as isize, due.y.floor() as isize);
    let mut best: Option<(f64, Point)> = None;
    for dy in -reach..=reach {
        for dx in -reach..=reach {
            let place = (x + dx, y + dy);
            // Only the first pixel of a black run is looked at.
            if !bitmap.is_black(place.0, place.1) || bitmap.is_black(place.0 - 1, place.1) {
                continue;
            }
            let longest = (module * 2.0).ceil() as isize + 1;
            let Some(width) = run(bitmap, place, (1, 0), longest) else {
                continue;
            };
            let middle = (place.0 + width / 2, place.1);
            let (Some(up), Some(down)) = (
                run(bitmap, middle, (0, -1), longest),
                run(bitmap, middle, (0, 1), longest),
            ) else {
                continue;
            };
            let height = up + down - 1;
            let near = |length: isize| (length as f64 - module).abs() <= 0.6 * module;
            let middle = (middle.0, middle.1 + (down - up) / 2);
            if !near(width) || !near(height) || !ringed(bitmap, middle, module) {
                continue;
            }
            let found = Point {
                x: place.0 as f64 + width as f64 / 2.0,
                y: middle.1 as f64 + 0.5,
            };
            let distance = found.distance(due);
            if best.is_none_or(|(known, _)| distance < known) {
                best = Some((distance, found));
            }
        }
    }
    Ok(best.map(|(_, point)| point))
}

/// How many black pixels follow one another, unless they are more than `longest`.
fn run(
    bitmap: &Bitmap,
    (x, y): (isize, isize),
    (dx, dy): (isize, isize),
    longest: isize,
) -> Option<isize> {
    (1..=longest).find(|step| !bitmap.is_black(x + dx * step, y + dy * step))
}

/// White one module from the middle and black two modules from it, to all four sides.
fn ringed(bitmap: &Bitmap, (x, y): (isize, isize), module: f64) -> bool {
    let (one, two) = (module.round() as isize, (2.0 * module).round() as isize);
    [(1, 0), (-1, 0), (0, 1), (0, -1)].iter().all(|(dx, dy)| {
        !bitmap.is_black(x + dx * one, y + dy * one) && bitmap.is_black(x + dx * two, y + dy * two)
    })
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

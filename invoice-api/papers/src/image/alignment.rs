//! The small pattern at the fourth corner of a code.

use super::bitmap::Bitmap;
use super::sampler::{Corners, Point};
use crate::error::PaperError;
use crate::limits::Meter;

/// The small pattern near the fourth corner (ISO/IEC 18004, 6.3.6): black, white, black in equal
/// parts both ways, nearest to where it should be.
pub(super) fn find(
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

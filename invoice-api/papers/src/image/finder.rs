//! The three squares in the corners of a QR code (ISO/IEC 18004, 6.3.3): black, white, black, white
//! and black in the proportions 1:1:3:1:1, in every direction.

use super::bitmap::Bitmap;
use crate::error::PaperError;
use crate::limits::Meter;

/// Patterns that are kept, those seen on most rows first: enough for several codes on one photo.
const PATTERNS_MAX: usize = 24;
/// Patterns that are told apart while a picture is searched.
const CANDIDATES_MAX: usize = 512;

/// The middle of a pattern, and the size of a module there, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pattern {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) module: f64,
    /// Rows on which it was seen.
    seen: u32,
}

/// Finds the patterns of a picture.
pub(super) fn find(bitmap: &Bitmap, meter: &mut Meter<'_>) -> Result<Vec<Pattern>, PaperError> {
    let mut found: Vec<Pattern> = Vec::new();
    for y in 0..bitmap.height {
        meter.visits(bitmap.width)?;
        let mut runs = [0_usize; 5];
        let mut black = false;
        for x in 0..=bitmap.width {
            let now = bitmap.is_black(x as isize, y as isize);
            if now == black {
                runs[4] += 1;
                continue;
            }
            // A black run has ended: the last five begin and end with black.
            if black && fits(&runs) {
                meter.visits(4 * runs.iter().sum::<usize>() + found.len())?;
                if let Some(pattern) = confirm(bitmap, x, y, &runs) {
                    add(&mut found, pattern);
                }
            }
            runs.rotate_left(1);
            runs[4] = 1;
            black = now;
        }
    }
    found.retain(|pattern| pattern.seen > 1);
    found.sort_by_key(|pattern| std::cmp::Reverse(pattern.seen));
    found.truncate(PATTERNS_MAX);
    Ok(found)
}

/// Whether five runs have the proportions, each within half a module.
fn fits(runs: &[usize; 5]) -> bool {
    let total: usize = runs.iter().sum();
    if total < 7 || runs.contains(&0) {
        return false;
    }
    let module = total as f64 / 7.0;
    let near = |run: usize, modules: f64| {
        (run as f64 - modules * module).abs() <= 0.5 * modules.max(1.2) * module
    };
    let [a, b, c, d, e] = *runs;
    near(a, 1.0) && near(b, 1.0) && near(c, 3.0) && near(d, 1.0) && near(e, 1.0)
}

/// Looks at a pattern that ends before `end` on a row again: down, across, and down the diagonal.
fn confirm(bitmap: &Bitmap, end: usize, y: usize, runs: &[usize; 5]) -> Option<Pattern> {
    let total: usize = runs.iter().sum();
    let x = end as f64 - (runs[4] + runs[3]) as f64 - runs[2] as f64 / 2.0;
    let (down, tall) = cross(bitmap, (x, y as f64 + 0.5), (0, 1), runs[2])?;
    let y = y as f64 + 0.5 + down;
    let (right, wide) = cross(bitmap, (x, y), (1, 0), runs[2])?;
    let x = x + right;
    // The two directions differ by perspective only.
    if wide.max(tall) > 1.6 * wide.min(tall)
        || wide.max(total as f64) > 1.6 * wide.min(total as f64)
    {
        return None;
    }
    cross(bitmap, (x, y), (1, 1), runs[2])?;
    Some(Pattern {
        x,
        y,
        module: (wide + tall) / 14.0,
        seen: 1,
    })
}

/// The runs through a point in one direction: how far their middle is from it, and their length.
fn cross(
    bitmap: &Bitmap,
    (x, y): (f64, f64),
    (dx, dy): (isize, isize),
    middle: usize,
) -> Option<(f64, f64)> {
    let start = (x.floor() as isize, y.floor() as isize);
    let at = |step: isize| bitmap.is_black(start.0 + dx * step, start.1 + dy * step);
    if !at(0) {
        return None;
    }
    let longest = isize::try_from(middle * 2 + 4).ok()?;
    // From the point on to one side: the rest of the middle, white, black.
    let side = |sign: isize| -> Option<[isize; 3]> {
        let mut runs = [0_isize; 3];
        let mut step = if sign > 0 { 0 } else { -1 };
        for (place, black) in [true, false, true].into_iter().enumerate() {
            while at(step) == black {
                runs[place] += 1;
                step += sign;
                if runs[place] > longest {
                    return None;
                }
            }
        }
        Some(runs)
    };
    let (before, after) = (side(-1)?, side(1)?);
    let count = |run: isize| usize::try_from(run).unwrap_or(0);
    let runs = [
        count(before[2]),
        count(before[1]),
        count(before[0] + after[0]),
        count(after[1]),
        count(after[2]),
    ];
    if !fits(&runs) {
        return None;
    }
    let total: usize = runs.iter().sum();
    let shift = (after[0] - before[0]) as f64 / 2.0;
    Some((shift, total as f64))
}

/// A pattern seen on another row already is made more exact, another one is added.
fn add(found: &mut Vec<Pattern>, new: Pattern) {
    let same = |known: &&mut Pattern| {
        let near = 2.0 * known.module.max(new.module);
        (known.x - new.x).abs() < near && (known.y - new.y).abs() < near
    };
    let full = found.len() >= CANDIDATES_MAX;
    match found.iter_mut().find(same) {
        Some(known) => {
            let weight = f64::from(known.seen);
            let mean = |old: f64, new: f64| (old * weight + new) / (weight + 1.0);
            known.x = mean(known.x, new.x);
            known.y = mean(known.y, new.y);
            known.module = mean(known.module, new.module);
            known.seen = known.seen.saturating_add(1);
        }
        None if full => {}
        None => found.push(new),
    }
}

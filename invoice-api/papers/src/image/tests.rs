use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use qrcode::{Color, EcLevel, QrCode};

use super::*;
use crate::limits::Limits;

const TEXT: &str = "01,32,,24312000000136634917,0.01,20240514,,1DD6";

/// A code, `scale` pixels a module, with `quiet` modules of white around it.
fn draw(text: &str, scale: u32, quiet: u32, level: EcLevel) -> GrayImage {
    let code = QrCode::with_error_correction_level(text, level).unwrap();
    let modules = u32::try_from(code.width()).unwrap();
    let side = (modules + 2 * quiet) * scale;
    GrayImage::from_fn(side, side, |x, y| {
        let (x, y) = (x / scale, y / scale);
        let inside = |at: u32| (quiet..quiet + modules).contains(&at);
        let black = inside(x)
            && inside(y)
            && code[((x - quiet) as usize, (y - quiet) as usize)] == Color::Dark;
        Luma([if black { 20 } else { 235 }])
    })
}

fn encode(picture: GrayImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageLuma8(picture)
        .write_to(&mut bytes, format)
        .unwrap();
    bytes.into_inner()
}

fn texts(bytes: &[u8]) -> Result<Vec<String>, PaperError> {
    let limits = Limits::default();
    qr_texts(bytes, &mut Meter::new(&limits))
}

/// Each pixel of the new picture is the one that `from` names in the old.
fn warp(picture: &GrayImage, side: u32, from: impl Fn(f64, f64) -> (f64, f64)) -> GrayImage {
    GrayImage::from_fn(side, side, |x, y| {
        let (u, v) = from(f64::from(x), f64::from(y));
        let inside = |at: f64, side: u32| at >= 0.0 && at < f64::from(side);
        if inside(u, picture.width()) && inside(v, picture.height()) {
            *picture.get_pixel(u as u32, v as u32)
        } else {
            Luma([235])
        }
    })
}

#[test]
fn codes_of_every_size_are_read() {
    for (scale, quiet) in [(2, 4), (3, 0), (4, 0), (5, 4), (12, 2)] {
        for text in [TEXT, "x", &"https://example.test/v/".repeat(12)] {
            let png = encode(draw(text, scale, quiet, EcLevel::M), ImageFormat::Png);
            assert_eq!(
                texts(&png),
                Ok(vec![text.to_owned()]),
                "{scale} {quiet} {text}"
            );
        }
    }
    let jpeg = encode(draw(TEXT, 6, 4, EcLevel::L), ImageFormat::Jpeg);
    assert_eq!(texts(&jpeg), Ok(vec![TEXT.to_owned()]));
}

#[test]
fn a_photo_may_be_turned_tilted_shadowed_and_large() {
    let code = draw(TEXT, 8, 6, EcLevel::M);
    let middle = f64::from(code.width()) / 2.0;
    for degrees in [0_u32, 7, 30, 45, 90, 133, 180, 271] {
        let angle = f64::from(degrees).to_radians();
        let turned = warp(&code, 600, |x, y| {
            let (x, y) = (x - 300.0, y - 300.0);
            (
                middle + x * angle.cos() + y * angle.sin(),
                middle - x * angle.sin() + y * angle.cos(),
            )
        });
        let found = texts(&encode(turned, ImageFormat::Jpeg));
        assert_eq!(found, Ok(vec![TEXT.to_owned()]), "{degrees}");
    }
    let tilted = warp(&code, 600, |x, y| {
        let depth = 1.0 + 0.0004 * y;
        (middle + (x - 300.0) * depth, middle + (y - 300.0) * depth)
    });
    assert_eq!(
        texts(&encode(tilted, ImageFormat::Png)),
        Ok(vec![TEXT.to_owned()])
    );
    let mut shadowed = code.clone();
    for (x, _, pixel) in shadowed.enumerate_pixels_mut() {
        pixel.0[0] = (f64::from(pixel.0[0]) * (1.0 - 0.0015 * f64::from(x))) as u8;
    }
    assert_eq!(
        texts(&encode(shadowed, ImageFormat::Png)),
        Ok(vec![TEXT.to_owned()])
    );
    let mut large = GrayImage::from_pixel(4_000, 3_000, Luma([240]));
    image::imageops::overlay(&mut large, &draw(TEXT, 14, 4, EcLevel::M), 2_500, 700);
    assert_eq!(
        texts(&encode(large, ImageFormat::Jpeg)),
        Ok(vec![TEXT.to_owned()])
    );
}

#[test]
fn several_codes_on_one_photo_are_all_read() {
    let others = [
        TEXT,
        "second code",
        "third code, a little longer than the others",
    ];
    let mut photo = GrayImage::from_pixel(1_500, 500, Luma([240]));
    for (place, text) in others.iter().enumerate() {
        let code = draw(text, 6, 4, EcLevel::M);
        image::imageops::overlay(&mut photo, &code, 40 + 480 * place as i64, 60);
    }
    let mut found = texts(&encode(photo, ImageFormat::Png)).unwrap();
    found.sort();
    let mut due = others.map(str::to_owned).to_vec();
    due.sort();
    assert_eq!(found, due);
}

#[test]
fn a_wall_of_patterns_costs_no_more_than_the_limits_say() {
    let tile = draw("x", 1, 1, EcLevel::L);
    let wall = GrayImage::from_fn(1_900, 1_900, |x, y| {
        // The corner of a code, over and over.
        *tile.get_pixel(x % 9, y % 9)
    });
    let limits = Limits::default();
    let mut meter = Meter::new(&limits);
    let bytes = encode(wall, ImageFormat::Png);
    assert!(qr_texts(&bytes, &mut meter).is_err());
    assert!(
        meter.spent.qr_visits <= 2 * limits.qr_visits,
        "{:?}",
        meter.spent
    );
    let noise = GrayImage::from_fn(1_500, 1_500, |x, y| {
        Luma([if (x * 7 + y * 13 + x * y) % 5 < 2 {
            0
        } else {
            255
        }])
    });
    let mut meter = Meter::new(&limits);
    let bytes = encode(noise, ImageFormat::Png);
    assert_eq!(qr_texts(&bytes, &mut meter), Err(PaperError::QrAbsent));
    assert!(
        meter.spent.qr_visits <= limits.qr_visits,
        "{:?}",
        meter.spent
    );
}

#[test]
fn a_code_on_a_picture_of_a_screen_is_read() {
    let link = "https://example.test/v/D:24312000000136634917?".repeat(3);
    let code = draw(&link, 12, 4, EcLevel::M);
    for tenths in [15, 17, 20, 26] {
        let side = code.width() * tenths / 120;
        let shown = image::imageops::resize(&code, side, side, FilterType::Triangle);
        assert_eq!(
            texts(&encode(shown, ImageFormat::Png)),
            Ok(vec![link.clone()]),
            "{tenths} tenths of a pixel a module"
        );
    }
    // A small code on a large screen is not lost by making the picture smaller.
    let mut screen = GrayImage::from_pixel(3_600, 2_000, Luma([235]));
    let small = draw(&link, 2, 4, EcLevel::M);
    image::imageops::replace(&mut screen, &small, 2_801, 333);
    assert_eq!(texts(&encode(screen, ImageFormat::Png)), Ok(vec![link]));
}

//! Readers that know nothing of the writers: poppler for PDF, rqrr for QR codes.

use std::path::Path;
use std::process::Command;

/// Whether a program of the system is there; its absence is said loudly, once a test.
pub(crate) fn has(program: &str) -> bool {
    let found = Command::new(program).arg("-v").output().is_ok();
    if !found {
        eprintln!("SKIPPED: {program} is not installed (Debian: poppler-utils)");
    }
    found
}

/// Runs a program and gives its standard output.
pub(crate) fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Width and grey values of a square PNG.
pub(crate) fn grey_png(file: &[u8]) -> (usize, Vec<u8>) {
    let (width, height, pixels) = grey(file);
    assert_eq!(width, height);
    (width, pixels)
}

/// Width, height and grey values of a PNG.
pub(crate) fn grey(file: &[u8]) -> (usize, usize, Vec<u8>) {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    pixels.truncate(info.buffer_size());
    // Grey pictures may come as three equal values a pixel.
    let pixels = pixels
        .into_iter()
        .step_by(info.color_type.samples())
        .collect();
    (info.width as usize, info.height as usize, pixels)
}

/// The texts of the QR codes in a picture.
pub(crate) fn qr_texts(width: usize, height: usize, pixels: &[u8]) -> Vec<String> {
    let mut image =
        rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| pixels[y * width + x]);
    image
        .detect_grids()
        .iter()
        .map(|grid| grid.decode().unwrap().1)
        .collect()
}

/// The pages of a PDF file as grey pictures.
pub(crate) fn pictures(folder: &Path, pdf: &Path, resolution: u32) -> Vec<(usize, usize, Vec<u8>)> {
    let root = folder.join("page");
    run(
        "pdftoppm",
        &[
            "-r",
            &resolution.to_string(),
            "-gray",
            "-png",
            pdf.to_str().unwrap(),
            root.to_str().unwrap(),
        ],
    );
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "png"))
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| grey(&std::fs::read(file).unwrap()))
        .collect()
}

/// A path of `M x y h n v1 h-n z` runs as grey values, `scale` pixels a unit.
pub(crate) fn rasterise(path: &str, side: usize, scale: usize) -> Vec<u8> {
    let edge = side * scale;
    let mut pixels = vec![255; edge * edge];
    let path = path.split('"').next().unwrap();
    for run in path.split('z').filter(|run| !run.is_empty()) {
        let (place, rest) = run.strip_prefix('M').unwrap().split_once('h').unwrap();
        let (x, y) = place.split_once(' ').unwrap();
        let length = rest.split_once('v').unwrap().0;
        let number = |text: &str| text.parse::<usize>().unwrap() * scale;
        let (x, y, length) = (number(x), number(y), number(length));
        for row in y..y + scale {
            pixels[row * edge + x..row * edge + x + length].fill(0);
        }
    }
    pixels
}

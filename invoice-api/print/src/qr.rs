//! The QR code of a link: as modules, as SVG with one path, as PNG.

use qrcode::{Color, EcLevel, Version};

/// The largest version (57 modules wide): what a phone still reads from 20 mm of paper.
pub const QR_VERSION_MAX: i16 = 10;
/// White modules around the code (ISO/IEC 18004 §5.3.8).
const QUIET: usize = 4;

/// A text cannot be made a QR code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QrError {
    /// It is too long.
    #[error("链接过长，二维码超过第 10 版 / the link is too long for a QR code of version 10")]
    TooLong,
    /// The image could not be written.
    #[error("二维码图片无法生成 / the image of the QR code could not be written")]
    Image,
}

/// A QR code with the highest error correction that fits into [`QR_VERSION_MAX`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QrCode {
    width: usize,
    modules: Vec<bool>,
    version: i16,
    level: &'static str,
    text: String,
}

impl QrCode {
    /// The code of a text.
    ///
    /// # Errors
    /// [`QrError::TooLong`] when not even the lowest correction (7 %) fits.
    pub fn new(text: &str) -> Result<Self, QrError> {
        let levels = [
            (EcLevel::H, "H"),
            (EcLevel::Q, "Q"),
            (EcLevel::M, "M"),
            (EcLevel::L, "L"),
        ];
        for (level, name) in levels {
            let Ok(code) = qrcode::QrCode::with_error_correction_level(text, level) else {
                continue;
            };
            let Version::Normal(version) = code.version() else {
                continue;
            };
            if version <= QR_VERSION_MAX {
                return Ok(Self {
                    width: code.width(),
                    modules: code
                        .to_colors()
                        .into_iter()
                        .map(|colour| colour == Color::Dark)
                        .collect(),
                    version,
                    level: name,
                    text: text.to_owned(),
                });
            }
        }
        Err(QrError::TooLong)
    }

    /// Modules along an edge, the quiet zone not included.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Its version, 1 to [`QR_VERSION_MAX`].
    #[must_use]
    pub const fn version(&self) -> i16 {
        self.version
    }

    /// How much may be unreadable: `L` 7 %, `M` 15 %, `Q` 25 % or `H` 30 %.
    #[must_use]
    pub const fn level(&self) -> &'static str {
        self.level
    }

    /// The text in it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    fn is_dark(&self, x: usize, y: usize) -> bool {
        x < self.width && self.modules.get(y * self.width + x) == Some(&true)
    }

    /// Dark modules as horizontal runs: row, first column, length.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
        (0..self.width).flat_map(move |y| {
            let mut x = 0;
            std::iter::from_fn(move || {
                while x < self.width && !self.is_dark(x, y) {
                    x += 1;
                }
                let from = x;
                while self.is_dark(x, y) {
                    x += 1;
                }
                (x > from).then_some((y, from, x - from))
            })
        })
    }

    /// The code as an SVG image with one path, one unit a module, quiet zone included.
    #[must_use]
    pub fn svg(&self) -> String {
        let edge = self.width + 2 * QUIET;
        let path: String = self
            .runs()
            .map(|(y, x, length)| format!("M{} {}h{length}v1h-{length}z", x + QUIET, y + QUIET))
            .collect();
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {edge} {edge}\" width=\"{edge}mm\" height=\"{edge}mm\" shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{edge}v{edge}H0z\"/><path d=\"{path}\"/></svg>\n"
        )
    }

    /// The code as a PNG image of two colours, `scale` pixels a module (1 to 32), quiet zone
    /// included.
    ///
    /// # Errors
    /// [`QrError::Image`] when the encoder fails.
    pub fn png(&self, scale: usize) -> Result<Vec<u8>, QrError> {
        let scale = scale.clamp(1, 32);
        let edge = (self.width + 2 * QUIET) * scale;
        let stride = edge.div_ceil(8);
        let mut pixels = vec![0xff_u8; stride * edge];
        for y in 0..edge {
            for x in 0..edge {
                let (column, row) = (
                    (x / scale).checked_sub(QUIET),
                    (y / scale).checked_sub(QUIET),
                );
                let (Some(column), Some(row)) = (column, row) else {
                    continue;
                };
                if self.is_dark(column, row)
                    && let Some(byte) = pixels.get_mut(y * stride + x / 8)
                {
                    *byte &= !(0x80 >> (x % 8));
                }
            }
        }
        let pixels_edge = u32::try_from(edge).map_err(|_| QrError::Image)?;
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, pixels_edge, pixels_edge);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let mut writer = encoder.write_header().map_err(|_| QrError::Image)?;
        writer
            .write_image_data(&pixels)
            .map_err(|_| QrError::Image)?;
        writer.finish().map_err(|_| QrError::Image)?;
        Ok(file)
    }
}

//! Which characters can be printed, how wide they are, and where their shapes come from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider as _};

use crate::model::Um;

/// Stands where a character has no shape in any font: the mark that printers use for a missing type.
pub const SUBSTITUTE: char = '〓';
/// The font that is part of the program.
const BUILT_IN: &[u8] = include_bytes!("../fonts/PiaolianSong-Regular.otf");
/// Largest font file.
const FONT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Fonts of a folder, the faces of collections counted one by one.
const FACES_MAX: usize = 64;

/// A folder of fonts cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FontError {
    /// A file or the folder cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is no font.
    #[error("{0}：不是可用的字体文件 / not a usable font file")]
    NotAFont(PathBuf),
    /// The file is too large.
    #[error("{0}：字体文件超过 64 MiB / a font file of more than 64 MiB")]
    TooLarge(PathBuf),
    /// There are too many faces.
    #[error("字体过多，最多 64 款 / too many fonts, at most 64")]
    TooMany,
    /// There is none.
    #[error("{0}：没有字体文件（.otf .ttf .ttc）/ no font files here (.otf .ttf .ttc)")]
    Empty(PathBuf),
}

/// The fonts, the built-in one first. Cheap to clone.
#[derive(Clone)]
pub struct Fonts(Arc<Vec<Face>>);

struct Face {
    font: krilla::text::Font,
    data: FaceData,
    index: u32,
    units: i64,
}

enum FaceData {
    BuiltIn,
    Read(Arc<Vec<u8>>),
}

impl Face {
    fn new(data: FaceData, index: u32) -> Option<Self> {
        let font = match &data {
            FaceData::BuiltIn => krilla::text::Font::new(BUILT_IN.into(), index)?,
            FaceData::Read(bytes) => krilla::text::Font::new(Arc::clone(bytes).into(), index)?,
        };
        let mut face = Self {
            font,
            data,
            index,
            units: 0,
        };
        face.units = i64::from(face.shapes()?.head_units()?);
        Some(face)
    }

    fn bytes(&self) -> &[u8] {
        match &self.data {
            FaceData::BuiltIn => BUILT_IN,
            FaceData::Read(bytes) => bytes,
        }
    }

    fn shapes(&self) -> Option<Shapes<'_>> {
        FontRef::from_index(self.bytes(), self.index)
            .ok()
            .map(Shapes)
    }
}

/// A parsed font, as long as one document is laid out.
struct Shapes<'a>(FontRef<'a>);

impl Shapes<'_> {
    fn head_units(&self) -> Option<u16> {
        let units = self
            .0
            .metrics(Size::unscaled(), LocationRef::default())
            .units_per_em;
        (units > 0).then_some(units)
    }

    /// Glyph and advance in font units.
    fn glyph(&self, character: char) -> Option<(u32, i64)> {
        let glyph = self.0.charmap().map(character)?;
        let advance = self
            .0
            .glyph_metrics(Size::unscaled(), LocationRef::default())
            .advance_width(glyph)?;
        // Advances are whole font units below 65,536.
        Some((glyph.to_u32(), advance as i64))
    }
}

/// A character that can be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// What is drawn: the character, or [`SUBSTITUTE`].
    pub(crate) character: char,
    /// In which font.
    pub(crate) face: usize,
    /// How far it moves the pen, in thousandths of an em.
    pub(crate) advance: i64,
}

impl Fonts {
    /// The built-in font alone.
    ///
    /// # Panics
    /// When the font that the program was built with is damaged.
    #[must_use]
    pub fn built_in() -> Self {
        match Face::new(FaceData::BuiltIn, 0) {
            Some(face) => Self(Arc::new(vec![face])),
            None => unreachable!("the built-in font is part of the program"),
        }
    }

    /// The built-in font, and those of a folder for the characters that it lacks, in the order of
    /// their file names.
    ///
    /// # Errors
    /// [`FontError`] when the folder has no fonts, or one that cannot be used.
    pub fn with_folder(folder: &Path) -> Result<Self, FontError> {
        let read = |path: &Path| {
            let path = path.to_owned();
            move |source| FontError::Read { path, source }
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(read(folder))? {
            let path = entry.map_err(read(folder))?.path();
            let kind = path.extension().map(|kind| kind.to_ascii_lowercase());
            if kind.is_some_and(|kind| kind == "otf" || kind == "ttf" || kind == "ttc") {
                files.push(path);
            }
        }
        files.sort();
        let mut faces = Vec::from_iter(Face::new(FaceData::BuiltIn, 0));
        for path in files {
            let length = std::fs::metadata(&path).map_err(read(&path))?.len();
            if length > FONT_BYTES_MAX {
                return Err(FontError::TooLarge(path));
            }
            let bytes = Arc::new(std::fs::read(&path).map_err(read(&path))?);
            let count = skrifa::raw::FileRef::new(&bytes)
                .map_err(|_| FontError::NotAFont(path.clone()))?
                .fonts()
                .count();
            for index in 0..count {
                if faces.len() == FACES_MAX {
                    return Err(FontError::TooMany);
                }
                let index = u32::try_from(index).map_err(|_| FontError::TooMany)?;
                let face = Face::new(FaceData::Read(Arc::clone(&bytes)), index)
                    .ok_or_else(|| FontError::NotAFont(path.clone()))?;
                faces.push(face);
            }
        }
        if faces.len() < 2 {
            return Err(FontError::Empty(folder.to_owned()));
        }
        Ok(Self(Arc::new(faces)))
    }

    /// Prepares the fonts for one document.
    pub(crate) fn open(&self) -> OpenFonts<'_> {
        OpenFonts {
            shapes: self.0.iter().map(Face::shapes).collect(),
            known: BTreeMap::new(),
            faces: &self.0,
            missing: BTreeSet::new(),
        }
    }

    /// The font as the PDF writer wants it.
    pub(crate) fn pdf_font(&self, face: usize) -> Option<krilla::text::Font> {
        self.0.get(face).map(|face| face.font.clone())
    }
}

impl std::fmt::Debug for Fonts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fonts({} faces)", self.0.len())
    }
}

/// The fonts while one document is laid out, and the characters that none of them had.
pub(crate) struct OpenFonts<'f> {
    faces: &'f [Face],
    shapes: Vec<Option<Shapes<'f>>>,
    /// What was looked up already: a text is measured at many sizes.
    known: BTreeMap<char, Option<Shape>>,
    pub(crate) missing: BTreeSet<char>,
}

impl OpenFonts<'_> {
    /// The shape of a character; that of [`SUBSTITUTE`] when no font has one, and then the
    /// character is remembered as missing.
    pub(crate) fn shape(&mut self, character: char) -> Shape {
        if let Some(shape) = self.find(character) {
            return shape;
        }
        self.missing.insert(character);
        self.find(SUBSTITUTE).unwrap_or(Shape {
            character: '?',
            face: 0,
            advance: 1_000,
        })
    }

    fn find(&mut self, character: char) -> Option<Shape> {
        if let Some(known) = self.known.get(&character) {
            return *known;
        }
        let found = self.look_up(character);
        self.known.insert(character, found);
        found
    }

    fn look_up(&self, character: char) -> Option<Shape> {
        self.shapes
            .iter()
            .zip(self.faces)
            .enumerate()
            .find_map(|(face, (shapes, facts))| {
                let (_, advance) = shapes.as_ref()?.glyph(character)?;
                let advance = advance.saturating_mul(1_000).checked_div(facts.units)?;
                Some(Shape {
                    character,
                    face,
                    advance,
                })
            })
    }

    /// The glyph of a character that [`shape`](Self::shape) gave for this face.
    pub(crate) fn glyph(&self, face: usize, character: char) -> u32 {
        self.shapes
            .get(face)
            .and_then(Option::as_ref)
            .and_then(|shapes| shapes.glyph(character))
            .map_or(0, |(glyph, _)| glyph)
    }
}

impl Shape {
    /// How far the pen moves at a size.
    pub(crate) fn width(self, size: Um) -> Um {
        let width = i64::from(size).saturating_mul(self.advance) / 1_000;
        Um::try_from(width).unwrap_or(Um::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_font_has_the_characters_of_documents_and_of_names() {
        let fonts = Fonts::built_in();
        let mut open = fonts.open();
        let common = "电子发票（增值税专用发票）￥¥⊗0123456789ABCxyz※";
        let rare = "㑇堃𫟹𬭎喆昇頔龑";
        for character in common.chars().chain(rare.chars()) {
            assert_eq!(open.shape(character).character, character);
        }
        assert!(open.missing.is_empty());
    }

    #[test]
    fn a_character_without_a_shape_is_replaced_and_remembered() {
        let fonts = Fonts::built_in();
        let mut open = fonts.open();
        assert_eq!(open.shape('𰻝').character, SUBSTITUTE);
        assert_eq!(open.missing, BTreeSet::from(['𰻝']));
    }

    #[test]
    fn a_folder_without_fonts_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            Fonts::with_folder(folder.path()),
            Err(FontError::Empty(_))
        ));
        std::fs::write(folder.path().join("a.otf"), b"not a font").unwrap();
        assert!(matches!(
            Fonts::with_folder(folder.path()),
            Err(FontError::NotAFont(_))
        ));
    }

    #[test]
    fn a_folder_serves_after_the_built_in_font() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.otf"), BUILT_IN).unwrap();
        let fonts = Fonts::with_folder(folder.path()).unwrap();
        assert_eq!(fonts.open().shape('票').face, 0);
        assert!(fonts.pdf_font(1).is_some());
    }
}

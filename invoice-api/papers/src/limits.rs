//! Every bound on what a file may cost, and the meter that counts against them.

use crate::error::PaperError;

/// What reading one file may cost at most. Every bound is a count or a size, never a time: the
/// same bytes have the same answer on any machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file.
    pub file_bytes: usize,
    /// Bytes of one XML text, after decompression.
    pub xml_bytes: usize,
    /// Elements of one XML text.
    pub xml_elements: usize,
    /// Depth of one XML text.
    pub xml_depth: usize,
    /// Attributes of one XML element.
    pub xml_attributes: usize,
    /// Bytes of one value: an element's own text or an attribute.
    pub xml_value_bytes: usize,
    /// Entries of a zip.
    pub zip_entries: usize,
    /// Bytes of one entry of a zip, after decompression.
    pub entry_bytes: usize,
    /// Bytes that all streams of the file together may become, after decompression.
    pub inflated_bytes: usize,
    /// How many times larger than its compressed form an entry or stream may be, where it is
    /// larger than [`Limits::small_bytes`].
    pub ratio: usize,
    /// Bytes up to which a stream may be as well compressed as it likes.
    pub small_bytes: usize,
    /// Objects of a PDF that are looked at.
    pub pdf_objects: usize,
    /// Bytes of a PDF that its dictionaries may take to read, all together.
    pub pdf_bytes: usize,
    /// Images of a PDF that are searched for a QR code.
    pub pdf_images: usize,
    /// Pixels of an image.
    pub image_pixels: usize,
    /// Pixels of one side of an image.
    pub image_side: usize,
    /// Visits to pixels that a search for QR codes may take.
    pub qr_visits: usize,
    /// Documents in one file: several QR codes on one photo.
    pub documents: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 10 * 1024 * 1024,
            xml_bytes: 10 * 1024 * 1024,
            xml_elements: 50_000,
            xml_depth: 32,
            xml_attributes: 64,
            xml_value_bytes: 256 * 1024,
            zip_entries: 1_000,
            entry_bytes: 16 * 1024 * 1024,
            inflated_bytes: 64 * 1024 * 1024,
            ratio: 200,
            small_bytes: 256 * 1024,
            pdf_objects: 20_000,
            pdf_bytes: 20 * 1024 * 1024,
            pdf_images: 32,
            image_pixels: 40_000_000,
            image_side: 12_000,
            qr_visits: 400_000_000,
            documents: 20,
        }
    }
}

/// What has been spent on a file so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Bytes that came out of compressed streams.
    pub inflated_bytes: usize,
    /// XML elements.
    pub xml_elements: usize,
    /// Bytes of dictionaries of a PDF.
    pub pdf_bytes: usize,
    /// Pixels decoded.
    pub pixels: usize,
    /// The most that searches for QR codes can have cost, in visits to pixels.
    pub qr_visits: usize,
}

/// Counts what a file costs while it is read.
#[derive(Debug)]
pub(crate) struct Meter<'l> {
    pub(crate) limits: &'l Limits,
    pub(crate) spent: Spent,
}

impl<'l> Meter<'l> {
    pub(crate) fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            spent: Spent::default(),
        }
    }

    /// How many bytes a stream of `compressed` bytes may become: its own bound, its ratio, and
    /// what is left for the whole file.
    pub(crate) fn room(&self, compressed: usize) -> usize {
        let by_ratio = compressed
            .saturating_mul(self.limits.ratio)
            .max(self.limits.small_bytes);
        let left = self
            .limits
            .inflated_bytes
            .saturating_sub(self.spent.inflated_bytes);
        self.limits.entry_bytes.min(by_ratio).min(left)
    }

    /// Counts what a stream has become.
    pub(crate) fn inflated(&mut self, bytes: usize) {
        self.spent.inflated_bytes = self.spent.inflated_bytes.saturating_add(bytes);
    }

    /// Counts an element.
    pub(crate) fn element(&mut self) -> Result<(), PaperError> {
        self.spent.xml_elements = self.spent.xml_elements.saturating_add(1);
        if self.spent.xml_elements > self.limits.xml_elements {
            return Err(PaperError::XmlTooLarge);
        }
        Ok(())
    }

    /// Counts what a dictionary of a PDF took to read.
    pub(crate) fn pdf(&mut self, bytes: usize) -> Result<(), PaperError> {
        self.spent.pdf_bytes = self.spent.pdf_bytes.saturating_add(bytes);
        if self.spent.pdf_bytes > self.limits.pdf_bytes {
            return Err(PaperError::PdfMalformed);
        }
        Ok(())
    }

    /// Counts the pixels of an image before it is decoded.
    pub(crate) fn pixels(&mut self, width: usize, height: usize) -> Result<(), PaperError> {
        let pixels = width.saturating_mul(height);
        self.spent.pixels = self.spent.pixels.saturating_add(pixels);
        if width > self.limits.image_side
            || height > self.limits.image_side
            || self.spent.pixels > self.limits.image_pixels
        {
            return Err(PaperError::ImageTooLarge);
        }
        Ok(())
    }

    /// Counts what a search for QR codes will cost at most.
    pub(crate) fn visits(&mut self, visits: usize) -> Result<(), PaperError> {
        self.spent.qr_visits = self.spent.qr_visits.saturating_add(visits);
        if self.spent.qr_visits > self.limits.qr_visits {
            return Err(PaperError::ImageTooBusy);
        }
        Ok(())
    }
}

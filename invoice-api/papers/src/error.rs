//! Why a file cannot be read: permanent codes with texts in both languages.

use crate::codes::codes;

codes! {
    /// Why a file was refused. Codes are permanent.
    PaperError {
        /// No bytes.
        Empty = "file_empty", "文件为空", "the file is empty";
        /// More than [`Limits::file_bytes`](crate::Limits::file_bytes).
        TooLarge = "file_too_large", "文件过大", "the file is too large";
        /// Neither XML, OFD, zip, PDF, PNG, JPEG nor the text of a QR code.
        FormatUnknown = "file_format_unknown",
            "无法识别的文件格式（可读取 XML、OFD、PDF、PNG、JPEG、仅含一个 XML 的 zip、二维码文本）",
            "not a format that can be read (XML, OFD, PDF, PNG, JPEG, a zip of one XML, a QR text)";
        /// Not well-formed.
        XmlMalformed = "xml_malformed", "不是规范的 XML", "not well-formed XML";
        /// Not UTF-8, nor what it declares, or readable in two ways.
        XmlEncoding = "xml_encoding",
            "编码不受支持或与声明不符（接受 UTF-8，或声明了 GBK、GB2312、GB18030 的文件）",
            "an encoding that is not accepted or not the declared one (UTF-8, or declared GBK, GB2312, GB18030)";
        /// A document type or an entity of its own, or a reference inside a number, sum or date.
        XmlEntities = "xml_entities", "不接受文档类型与实体", "document types and entities are refused";
        /// Too many bytes, elements, levels or attributes, or too long a value.
        XmlTooLarge = "xml_too_large",
            "XML 过大、过深、元素或属性过多，或数值过长",
            "the XML is too large, too deep, has too many elements or attributes, or too long a value";
        /// Of no dialect that is known.
        XmlUnknown = "xml_unknown",
            "不是数电票或财政电子票据",
            "neither a fully digital invoice nor a fiscal bill";
        /// Two documents in one file.
        SeveralDocuments = "several_documents",
            "一个文件中含多张票据，请分开提交",
            "the file holds more than one document; hand them in one by one";
        /// A value stands there twice, or its repetition elsewhere differs.
        Contradictory = "contradictory",
            "同一数值出现两次或前后矛盾",
            "a value stands there twice, or contradicts its repetition";
        /// The number, the total, the date or the check code is badly spelt.
        Spelling = "value_spelling",
            "号码、金额、日期或校验码有误",
            "number, total, date or check code is badly spelt";
        /// Not a readable zip, or one that two readers would read differently.
        ZipMalformed = "zip_malformed",
            "压缩包损坏或前后矛盾", "the zip is damaged or contradicts itself";
        /// Too many entries.
        ZipEntries = "zip_too_many_entries", "压缩包条目过多", "the zip has too many entries";
        /// An entry or stream becomes too large, or too large for its compressed size.
        Inflated = "inflated_too_large",
            "解压后过大或压缩比异常",
            "too large once decompressed, or compressed beyond reason";
        /// A path that leaves the package, is absolute, or stands there twice.
        ZipPath = "zip_path",
            "压缩包内路径越界、绝对、重复或含非法字符",
            "a path in the zip leaves the package, is absolute, repeated or has forbidden characters";
        /// Entries that share bytes.
        ZipOverlap = "zip_overlap", "压缩包条目相互重叠", "entries of the zip overlap";
        /// Encrypted.
        Encrypted = "encrypted", "文件已加密", "the file is encrypted";
        /// A compression other than stored or deflated, or a zip over several disks.
        ZipMethod = "zip_method",
            "压缩方式不受支持", "the zip uses a method that is not accepted";
        /// A zip that is no OFD and holds something other than one XML.
        ZipContent = "zip_content",
            "压缩包中应只有一个 XML 文件", "a zip must hold one XML file and nothing else";
        /// Not a readable OFD.
        OfdMalformed = "ofd_malformed", "OFD 结构有误", "the OFD is not well built";
        /// An OFD in which no source names an invoice.
        OfdUnknown = "ofd_unknown", "OFD 中没有发票数据", "the OFD holds no data of an invoice";
        /// Not a readable PDF, or too many objects.
        PdfMalformed = "pdf_malformed", "PDF 损坏或对象过多", "the PDF is damaged or has too many objects";
        /// A PDF without an attached XML and without a QR code. Its text is not trusted.
        PdfUnknown = "pdf_unknown",
            "PDF 中既无 XML 附件也无可读的二维码（不采信其文字内容）",
            "the PDF has neither an attached XML nor a readable QR code (its text is not trusted)";
        /// Not a readable image.
        ImageMalformed = "image_malformed", "图片损坏", "the image is damaged";
        /// Too many pixels.
        ImageTooLarge = "image_too_large", "图片尺寸过大", "the image has too many pixels";
        /// So many patterns like those of QR codes that a search would take too long.
        ImageTooBusy = "image_too_busy",
            "图片中类似二维码的图案过多", "the image has too many patterns like those of QR codes";
        /// No QR code was found, or none could be read.
        QrAbsent = "qr_absent", "图片中没有可读的二维码", "no readable QR code in the image";
        /// The QR code is not one of an invoice.
        QrUnknown = "qr_unknown", "不是发票二维码", "not the QR code of an invoice";
    }
}

impl std::fmt::Display for PaperError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} / {}", self.zh(), self.en())
    }
}

impl std::error::Error for PaperError {}

//! Hostile files, one a line, with the code of the refusal in the last column.

use std::collections::BTreeSet;

use image::{GrayImage, ImageFormat, Luma};
use papers::PaperError::{self, *};
use papers::{Limits, read};

use crate::ofds::{INVOICE, Package, zip};
use crate::pdfs::{attached, pdf, zlib};
use crate::pictures::{code, encoded, png_of};
use crate::zips::{End, Entry, archive, archive_with, deflated, extra, stored};

fn xml(from: &str, to: &str) -> Vec<u8> {
    assert!(INVOICE.contains(from), "{from}");
    INVOICE.replacen(from, to, 1).into_bytes()
}

fn utf16(little: bool) -> Vec<u8> {
    let mark = std::iter::once(0xfeff_u16);
    let units = mark.chain(INVOICE.encode_utf16());
    units
        .flat_map(|unit| {
            if little {
                unit.to_le_bytes()
            } else {
                unit.to_be_bytes()
            }
        })
        .collect()
}

fn gbk(declared: &str) -> Vec<u8> {
    let text = INVOICE.replacen("utf-8", declared, 1);
    encoding_rs::GB18030.encode(&text).0.into_owned()
}

fn bomb(levels: u32) -> String {
    let mut entities = String::from("<!ENTITY a0 \"lol\">");
    for level in 1..=levels {
        let parts = format!("&a{};", level - 1).repeat(10);
        entities.push_str(&format!("<!ENTITY a{level} \"{parts}\">"));
    }
    format!("<!DOCTYPE EInvoice [{entities}]><EInvoice>&a{levels};</EInvoice>")
}

fn named(name: &str) -> Vec<u8> {
    archive(&[stored(name, INVOICE.as_bytes())])
}

/// An archive of one entry whose headers lie in one way.
fn lying(change: impl FnOnce(&mut Entry)) -> Vec<u8> {
    let mut entry = deflated("a.xml", INVOICE.as_bytes());
    change(&mut entry);
    archive(&[entry])
}

fn package(name: &str, change: impl FnOnce(String) -> String) -> Vec<u8> {
    let mut files = Package::whole().files("");
    let file = files.iter_mut().find(|(known, _)| known == name).unwrap();
    file.1 = change(String::from_utf8(file.1.clone()).unwrap()).into_bytes();
    zip(&files)
}

fn without(name: &str) -> Vec<u8> {
    let mut files = Package::whole().files("");
    files.retain(|(known, _)| known != name);
    zip(&files)
}

fn with(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut files = Package::whole().files("");
    files.push((name.to_owned(), bytes.to_vec()));
    zip(&files)
}

fn zeros(count: usize) -> Vec<u8> {
    vec![b' '; count]
}

/// Two entries of which the second lies inside the first.
fn overlapping() -> Vec<u8> {
    let inner = archive(&[stored("b.xml", b"<b/>")]);
    let outer = stored("a.xml", &inner);
    let second = Entry {
        offset: Some(30 + 5),
        data: b"<b/>".to_vec(),
        ..stored("b.xml", b"<b/>")
    };
    archive(&[outer, second])
}

#[rustfmt::skip]
fn cases() -> Vec<(&'static str, Vec<u8>, PaperError)> {
    let other = INVOICE.replace("000016", "000017");
    let huge = 70 * 1024 * 1024;
    let limits = Limits::default();
    let image = "/Subtype/Image/Width 40/Height 40/BitsPerComponent 8/Filter/FlateDecode";
    let mut many: Vec<Entry> = (0..1_001).map(|n| stored(&format!("{n}.txt"), b"")).collect();
    let nested = archive(&[deflated("a.zip", &archive(&[deflated("a.xml", INVOICE.as_bytes())]))]);
    let mut looped = b"%PDF-1.7\n3 0 obj\n<</Type/EmbeddedFile/Length 3 0 R>>\nstream\n".to_vec();
    looped.extend_from_slice(b"<a/>\nendstream\nendobj\n4 0 obj\n<</Type/ObjStm/Extends 4 0 R/Prev 0/First 0>>\nendobj\ntrailer<</Prev 0/Root 4 0 R>>\nstartxref\n0\n%%EOF");
    vec![
        ("nothing",                              vec![], Empty),
        ("more than the limit",                  zeros(limits.file_bytes + 1), TooLarge),
        ("white space",                          zeros(1_000), FormatUnknown),
        ("junk",                                 (0..=255).collect(), FormatUnknown),
        ("an executable",                        b"\x7fELF\x02\x01\x01".to_vec(), FormatUnknown),
        ("a RAR",                                b"Rar!\x1a\x07".to_vec(), FormatUnknown),
        ("a text",                               "发票".into(), FormatUnknown),
        ("a long text",                          b"01,32,".repeat(1_000), FormatUnknown),
        ("a GIF",                                b"GIF89a".to_vec(), FormatUnknown),

        // XML
        ("a bomb of entities",                   bomb(9).into_bytes(), XmlEntities),
        ("an entity that grows by squares",      format!("<!DOCTYPE a [<!ENTITY x \"{}\">]><a>{}</a>", "x".repeat(50_000), "&x;".repeat(50_000)).into_bytes(), XmlEntities),
        ("an outside entity",                    b"<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><EInvoice>&x;</EInvoice>".to_vec(), XmlEntities),
        ("an outside document type",             b"<!DOCTYPE a SYSTEM \"http://127.0.0.1:1/a.dtd\"><EInvoice/>".to_vec(), XmlEntities),
        ("a parameter entity",                   b"<!DOCTYPE a [<!ENTITY % p SYSTEM \"http://127.0.0.1:1/\"> %p;]><EInvoice/>".to_vec(), XmlEntities),
        ("an unknown reference",                 xml("张三", "&who;"), XmlEntities),
        ("a reference to no character",          xml("张三", "&#0;"), XmlEntities),
        ("a number spelt with references",       xml("<InvoiceNumber>2", "<InvoiceNumber>&#50;"), XmlEntities),
        ("levels without end",                   "<a>".repeat(1_000_000).into_bytes(), XmlTooLarge),
        ("levels beyond the limit, closed",      format!("{}{}", "<a>".repeat(33), "</a>".repeat(33)).into_bytes(), XmlTooLarge),
        ("elements beyond the limit",            format!("<a>{}</a>", "<b/>".repeat(60_000)).into_bytes(), XmlTooLarge),
        ("attributes beyond the limit",          format!("<a {}/>", (0..100_000).map(|n| format!("a{n}=\"\" ")).collect::<String>()).into_bytes(), XmlTooLarge),
        ("one huge attribute",                   format!("<a b=\"{}\"/>", "x".repeat(5_000_000)).into_bytes(), XmlTooLarge),
        ("one huge name",                        format!("<{0}/>", "x".repeat(5_000_000)).into_bytes(), XmlTooLarge),
        ("one huge value",                       xml("张三", &"三".repeat(1_000_000)), XmlTooLarge),
        ("a value in a million parts",           xml("张三", &"<![CDATA[xx]]>".repeat(500_000)), XmlTooLarge),
        ("cut short",                            INVOICE.as_bytes()[..1_500].to_vec(), XmlMalformed),
        ("cut inside a character",               INVOICE.as_bytes()[..INVOICE.find('发').unwrap() + 1].to_vec(), XmlEncoding),
        ("cut inside a comment",                 b"<EInvoice><!-- ".to_vec(), XmlMalformed),
        ("elements that cross",                  b"<a><b></a></b>".to_vec(), XmlMalformed),
        ("an attribute twice",                   b"<a ID=\"1\" ID=\"2\"/>".to_vec(), XmlMalformed),
        ("text after the end",                   format!("{INVOICE}x").into_bytes(), XmlMalformed),
        ("two files in one",                     format!("{INVOICE}{}", other.split_once("?>").unwrap().1).into_bytes(), SeveralDocuments),
        ("two invoices in a list",               format!("<l>{0}{0}</l>", INVOICE.split_once("?>").unwrap().1).into_bytes(), SeveralDocuments),
        ("a number hidden by a namespace",       xml("<TaxSupervisionInfo>", "<TaxSupervisionInfo><x:InvoiceNumber>24442000000000000017</x:InvoiceNumber>"), Contradictory),
        ("a total twice",                        xml("<TotalTax-includedAmount>", "<TotalTax-includedAmount>1.00</TotalTax-includedAmount><TotalTax-includedAmount>"), Contradictory),
        ("two numbers",                          xml("000016</EIid>", "000017</EIid>"), Contradictory),
        ("a number that is nil",                 xml("<InvoiceNumber>", "<InvoiceNumber xsi:nil=\"true\">"), XmlUnknown),
        ("an invoice that is nil",               xml("<EInvoice>", "<EInvoice xsi:nil=\"1\">"), XmlUnknown),
        ("no invoice",                           b"<html><body/></html>".to_vec(), XmlUnknown),
        ("an SVG",                               b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>".to_vec(), XmlUnknown),
        ("a total of letters",                   xml("16000.00<", "a lot<"), Spelling),
        ("a total beyond measure",               xml("16000.00<", &format!("{}<", "9".repeat(400))), Spelling),
        ("a total that is not a number",         xml("16000.00<", "NaN<"), Spelling),
        ("full-width digits",                    xml("<InvoiceNumber>24442000000000000016", "<InvoiceNumber>２4442000000000000016").into_iter().collect(), Contradictory),
        ("UTF-16, little end first",             utf16(true), XmlEncoding),
        ("UTF-16, big end first",                utf16(false), XmlEncoding),
        ("UTF-16 without a mark",                utf16(true)[2..].to_vec(), XmlEncoding),
        ("GBK that says it is UTF-8",            gbk("utf-8"), XmlEncoding),
        ("GBK that says it is Latin",            gbk("iso-8859-1"), XmlEncoding),
        ("UTF-8 that says it is GBK",            xml("utf-8", "GBK"), XmlEncoding),
        ("GBK that is cut inside a character",   { let mut file = gbk("GBK"); let at = file.iter().position(|b| *b > 0x80).unwrap(); file.truncate(at + 1); file }, XmlEncoding),
        ("a zero byte",                          xml("张三", "张\0三"), XmlEncoding),
        ("bytes that are no text",               { let mut file = INVOICE.as_bytes().to_vec(); file[600] = 0xff; file }, XmlEncoding),

        // Zip
        ("a zip of nothing",                     archive(&[]), ZipContent),
        ("a zip of a text",                      archive(&[stored("a.txt", b"x")]), ZipContent),
        ("a zip of an XML and a program",        archive(&[stored("a.xml", INVOICE.as_bytes()), stored("a.exe", b"MZ")]), ZipContent),
        ("a zip in a zip",                       nested, ZipContent),
        ("a zip of two invoices",                archive(&[stored("a.xml", INVOICE.as_bytes()), stored("b.xml", other.as_bytes())]), SeveralDocuments),
        ("a zip of an empty XML",                named_with("a.xml", b""), XmlMalformed),
        ("a zip of a bomb of entities",          named_with("a.xml", bomb(9).as_bytes()), XmlEntities),
        ("a bomb by ratio",                      archive(&[deflated("a.xml", &zeros(10_000_000))]), Inflated),
        ("a bomb by size",                       archive(&[deflated("a.xml", &zeros(huge))]), Inflated),
        ("a bomb that hides its size",           lying(|entry| { let size = entry.size; *entry = deflated("a.xml", &zeros(10_000_000)); entry.size = size; }), Inflated),
        ("entries beyond the limit",             archive(&many), ZipEntries),
        ("a path upwards",                       named("../a.xml"), ZipPath),
        ("a path upwards from inside",           named("x/../../a.xml"), ZipPath),
        ("an absolute path",                     named("/etc/a.xml"), ZipPath),
        ("a path of Windows",                    named("..\\a.xml"), ZipPath),
        ("a drive",                              named("C:/a.xml"), ZipPath),
        ("a name with a zero byte",              named("a\0.xml"), ZipPath),
        ("a name with a line break",             named("a\n.xml"), ZipPath),
        ("a name of a kilobyte",                 named(&"a".repeat(1_024)), ZipPath),
        ("a name of no encoding",                archive(&[Entry { name: b"\xff\xff.xml".to_vec(), ..stored("", INVOICE.as_bytes()) }]), ZipPath),
        ("one name twice",                       archive(&[stored("a.xml", INVOICE.as_bytes()), stored("a.xml", other.as_bytes())]), ZipPath),
        ("one name twice but for case",          archive(&[stored("a.xml", INVOICE.as_bytes()), stored("A.XML", other.as_bytes())]), ZipPath),
        ("a symbolic link",                      lying(|entry| entry.external = 0o120_777 << 16), ZipPath),
        ("entries that overlap",                 overlapping(), ZipOverlap),
        ("one entry listed twice",               archive(&[stored("a.xml", INVOICE.as_bytes()), Entry { offset: Some(0), local_name: None, ..stored("b.xml", INVOICE.as_bytes()) }]), ZipOverlap),
        ("another name inside",                  lying(|entry| entry.local_name = Some(b"b.xml".to_vec())), ZipMalformed),
        ("a wrong checksum",                     lying(|entry| entry.crc ^= 1), ZipMalformed),
        ("a wrong size",                         lying(|entry| entry.size += 1), ZipMalformed),
        ("a stored entry of another size",       archive(&[Entry { size: 3, ..stored("a.xml", INVOICE.as_bytes()) }]), ZipMalformed),
        ("bytes after the compressed data",      lying(|entry| entry.data.extend_from_slice(b"more")), ZipMalformed),
        ("broken compressed data",               lying(|entry| entry.data.iter_mut().for_each(|byte| *byte = 0xff)), ZipMalformed),
        ("bytes between entries and directory",  archive_with(&[stored("a.xml", INVOICE.as_bytes())], &End { gap: vec![0; 40], ..End::default() }), ZipMalformed),
        ("fewer entries than there are",         { many.truncate(3); archive_with(&many, &End { total: Some(2), ..End::default() }) }, ZipMalformed),
        ("more entries than there are",          archive_with(&many, &End { total: Some(4), ..End::default() }), ZipMalformed),
        ("a directory somewhere else",           archive_with(&many, &End { start: Some(0), ..End::default() }), ZipMalformed),
        ("two ends",                             archive_with(&many, &End { comment: archive(&[]), ..End::default() }), ZipMalformed),
        ("cut short, a zip",                     { let file = named("a.xml"); file[..file.len() - 10].to_vec() }, ZipMalformed),
        ("only a beginning",                     b"PK\x03\x04".to_vec(), ZipMalformed),
        ("an entry beyond the file",             lying(|entry| entry.offset = Some(1 << 30)), ZipMalformed),
        ("another name in the local header's extra field", lying(|entry| entry.extra[0] = extra(0x7075, b"\x01\0\0\0\0b.xml")), ZipMalformed),
        ("another name in the directory's extra field", lying(|entry| entry.extra[1] = extra(0x7075, b"\x01\0\0\0\0b.xml")), ZipMalformed),
        ("other sizes in an extra field",        lying(|entry| entry.extra[0] = extra(1, &[0; 16])), ZipMalformed),
        ("other sizes behind a time",            lying(|entry| entry.extra[1] = [extra(0x5455, &[0; 5]), extra(1, &[0; 16])].concat()), ZipMalformed),
        ("an extra field beyond its place",      lying(|entry| entry.extra[1] = vec![0x55, 0x54, 9, 0, 0]), ZipMalformed),
        ("an encrypted entry",                   lying(|entry| entry.flags = 1), Encrypted),
        ("an unknown compression",               lying(|entry| entry.method = 14), ZipMethod),
        ("a zip over two disks",                 archive_with(&many, &End { disk: 1, ..End::default() }), ZipMethod),
        ("a zip of more than four gigabytes",    archive_with(&many, &End { start: Some(u32::MAX), ..End::default() }), ZipMethod),

        // OFD
        ("an OFD without a document",            without("Doc_0/Document.xml"), OfdMalformed),
        ("an OFD without its attachment",        without("Doc_0/Attachs/original_invoice.xml"), OfdMalformed),
        ("an OFD without its page",              without("Doc_0/Pages/Page_0/Content.xml"), OfdMalformed),
        ("an OFD of another root",               package("OFD.xml", |text| text.replace("ofd:OFD", "ofd:Off")), OfdMalformed),
        ("an OFD of two documents",              package("OFD.xml", |text| text.replace("</ofd:OFD>", "<ofd:DocBody/></ofd:OFD>")), SeveralDocuments),
        ("an OFD whose document is elsewhere",   package("OFD.xml", |text| text.replace("Doc_0/Document.xml", "../../etc/passwd")), ZipPath),
        ("an OFD whose document is a drive",     package("OFD.xml", |text| text.replace("Doc_0/Document.xml", "C:\\a.xml")), ZipPath),
        ("an OFD that attaches upwards",         package("Doc_0/Attachs/Attachments.xml", |text| text.replace("original_invoice.xml", "../../../a.xml")), ZipPath),
        ("an OFD that lists itself",             itself(), OfdUnknown),
        ("an OFD with an outside entity",        package("Doc_0/Document.xml", |text| format!("<!DOCTYPE a SYSTEM \"file:///etc/passwd\">{text}")), XmlEntities),
        ("an OFD whose attachment is a bomb",    package("Doc_0/Attachs/original_invoice.xml", |_| bomb(9)), XmlEntities),
        ("an OFD with two invoices attached",    package("Doc_0/Attachs/Attachments.xml", |text| text.replace("</ofd:Attachments>", "<ofd:Attachment ID=\"2\"><ofd:FileLoc>/Doc_0/b.xml</ofd:FileLoc></ofd:Attachment></ofd:Attachments>")).pipe(|_| two_attached(&other)), SeveralDocuments),
        ("an OFD with a bomb of spaces",         with("Doc_0/x.bin", &zeros(1)).pipe(|_| package("Doc_0/Pages/Page_0/Content.xml", |text| text + &" ".repeat(10_000_000))), Inflated),
        ("an OFD with attachments beyond measure", package("Doc_0/Attachs/Attachments.xml", |text| text.replace("</ofd:Attachments>", &format!("{}</ofd:Attachments>", "<ofd:Attachment/>".repeat(100)))), OfdMalformed),
        ("an OFD with one object number twice",  package("Doc_0/Pages/Page_0/Content.xml", |text| text.replace("ID=\"11\"", "ID=\"10\"")), OfdMalformed),
        ("an OFD that tags two numbers",         package("Doc_0/Tags/Tag.xml", |text| text.replace("fp:SellerName", "fp:InvoiceNo")), SeveralDocuments),

        // PDF
        ("a PDF of nothing",                     b"%PDF-1.7\n".to_vec(), PdfUnknown),
        ("a PDF of text",                        pdf(&[("", b"BT (24442000000000000016 16000.00 2024-01-24) Tj ET")]), PdfUnknown),
        ("an encrypted PDF",                     { let mut file = attached(INVOICE.as_bytes()); file.extend_from_slice(b"trailer<</Encrypt 9 0 R>>"); file }, Encrypted),
        ("a PDF encrypted by its stream of references", pdf(&[("/Type/XRef/Encrypt 9 0 R", b"x")]), Encrypted),
        ("strings without end",                  [b"%PDF-1.7\n".to_vec(), b"1 0 obj<</A(".repeat(2_000), zeros(10_000_000)].concat(), PdfMalformed),
        ("strings of digits without end",        [b"%PDF-1.7\n".to_vec(), b"1 0 obj<</A<".repeat(2_000), vec![b'0'; 10_000_000]].concat(), PdfMalformed),
        ("remarks without end",                  [b"%PDF-1.7\n".to_vec(), b"1 0 obj %".repeat(2_000), zeros(10_000_000)].concat(), PdfMalformed),
        ("trailers without end",                 [b"%PDF-1.7\n".to_vec(), b"trailer<</A(".repeat(2_000), zeros(10_000_000)].concat(), PdfMalformed),
        ("a PDF of loops",                       looped, PdfUnknown),
        ("a stream without an end",              b"%PDF-1.7\n3 0 obj\n<</Length 5>>\nstream\nabc".to_vec(), PdfMalformed),
        ("a length beyond the file",             b"%PDF-1.7\n3 0 obj\n<</Type/EmbeddedFile/Length 99999999999>>\nstream\n<a/>".to_vec(), PdfMalformed),
        ("an attachment that is a bomb",         attached(&[b"<a>".as_slice(), &zeros(10_000_000)].concat()), Inflated),
        ("bombs of which each is small",         pdf(&vec![("/Type/EmbeddedFile/Filter/FlateDecode", &*zlib(&[b"<a/>".as_slice(), &zeros(240_000)].concat())); 400]), Inflated),
        ("an attachment cut short",              { let data = zlib(INVOICE.as_bytes()); pdf(&[("/Type/EmbeddedFile/Filter/FlateDecode", &data[..data.len() / 2])]) }, PdfMalformed),
        ("a bomb of entities attached",          attached(bomb(9).as_bytes()), XmlEntities),
        ("two invoices attached",                pdf(&[("/Type/EmbeddedFile", INVOICE.as_bytes()), ("/Type/EmbeddedFile", other.as_bytes())]), SeveralDocuments),
        ("an older invoice beneath a newer",     pdf(&[("/Type/EmbeddedFile", INVOICE.as_bytes()), ("/Type/EmbeddedFile", &xml("16000.00<", "17000.00<"))]), Contradictory),
        ("objects beyond the limit",             [b"%PDF-1.7\n".to_vec(), b"1 0 obj<<>>endobj\n".repeat(20_001)].concat(), PdfMalformed),
        ("dictionaries without end",             [b"%PDF-1.7\n1 0 obj".to_vec(), b"<</a".repeat(200_000)].concat(), PdfUnknown),
        ("brackets without end",                 [b"%PDF-1.7\n1 0 obj<</a".to_vec(), b"[".repeat(200_000)].concat(), PdfUnknown),
        ("a picture of absurd dimensions",       pdf(&[("/Subtype/Image/Width 1000000/Height 1000000/BitsPerComponent 8", b"x")]), ImageTooLarge),
        ("a picture that is a bomb",             pdf(&[(image, &zlib(&zeros(50_000_000)))]), Inflated),
        ("a picture of negative dimensions",     pdf(&[("/Subtype/Image/Width -5/Height -5", b"x")]), PdfUnknown),
        ("a picture with too little in it",      pdf(&[(image, &zlib(b"x"))]), PdfUnknown),
        ("a picture that is no code",            pdf(&[(image, &zlib(&[128; 1_600]))]), PdfUnknown),
        ("a code of something else",             pdf(&[("/Subtype/Image/Filter/DCTDecode", &encoded(code("hello", 6, 4), ImageFormat::Jpeg))]), QrUnknown),

        // Pictures and texts
        ("a PNG of nothing",                     b"\x89PNG\r\n\x1a\n".to_vec(), ImageMalformed),
        ("a JPEG of nothing",                    b"\xff\xd8\xff\xe0".to_vec(), ImageMalformed),
        ("a PNG of sides beyond all memory",      png_of(2_000_000_000, 2_000_000_000), ImageMalformed),
        ("a PNG of one absurd side",             png_of(1, 100_000_000), ImageTooLarge),
        ("a PNG of too many pixels",             png_of(11_000, 11_000), ImageTooLarge),
        ("a PNG that holds less than it says",   png_of(5_000, 4_000), ImageMalformed),
        ("a PNG of no pixels",                   png_of(0, 0), ImageMalformed),
        ("a PNG cut short",                      { let file = encoded(code("x", 4, 4), ImageFormat::Png); file[..file.len() / 2].to_vec() }, ImageMalformed),
        ("a white picture",                      encoded(GrayImage::from_pixel(500, 500, Luma([255])), ImageFormat::Png), QrAbsent),
        ("one pixel",                            encoded(GrayImage::from_pixel(1, 1, Luma([0])), ImageFormat::Png), QrAbsent),
        ("a picture of noise",                   encoded(GrayImage::from_fn(900, 900, |x, y| Luma([((x * 7_919 + y * 104_729 + x * y * 31) % 251) as u8])), ImageFormat::Png), QrAbsent),
        ("half a code",                          encoded(image::imageops::crop_imm(&code("01,32,,24312000000136634917,0.01,20240514,,1DD6", 5, 4), 0, 0, 100, 205).to_image(), ImageFormat::Png), QrAbsent),
        ("a code of something else on a photo",  encoded(code("https://example.test/", 6, 4), ImageFormat::Png), QrUnknown),
        ("a text of an unknown type",            b"01,99,,24312000000136634917,0.01,20240514,,1DD6".to_vec(), QrUnknown),
        ("a text of no day",                     b"01,32,,24312000000136634917,0.01,20241314,,1DD6".to_vec(), QrUnknown),
        ("a link elsewhere",                     b"https://example.test/v/D:1?amount=1&date=2024-01-01".to_vec(), QrUnknown),
        ("a link with two amounts",              b"https://example.test/v/D:24312000000136634917?amount=1.00&amount=2.00&date=2024-01-01".to_vec(), QrUnknown),
    ]
}

fn named_with(name: &str, bytes: &[u8]) -> Vec<u8> {
    archive(&[stored(name, bytes)])
}

/// A package whose every list is the document itself, and which has no properties.
fn itself() -> Vec<u8> {
    let mut package = Package::whole();
    package.properties.clear();
    let mut files = package.files("");
    let document = files
        .iter_mut()
        .find(|(name, _)| name == "Doc_0/Document.xml")
        .unwrap();
    document.1 = String::from_utf8(document.1.clone())
        .unwrap()
        .replace("Attachs/Attachments.xml", "Document.xml")
        .replace("Tags/CustomTags.xml", "Document.xml")
        .replace("Pages/Page_0/Content.xml", "Document.xml")
        .into_bytes();
    zip(&files)
}

fn two_attached(other: &str) -> Vec<u8> {
    let mut files = Package::whole().files("");
    files.push(("Doc_0/b.xml".into(), other.as_bytes().to_vec()));
    let list = files
        .iter_mut()
        .find(|(name, _)| name.ends_with("Attachments.xml"))
        .unwrap();
    let more = "<ofd:Attachment ID=\"2\"><ofd:FileLoc>/Doc_0/b.xml</ofd:FileLoc></ofd:Attachment></ofd:Attachments>";
    list.1 = String::from_utf8(list.1.clone())
        .unwrap()
        .replace("</ofd:Attachments>", more)
        .into_bytes();
    zip(&files)
}

trait Pipe: Sized {
    fn pipe<T>(self, to: impl FnOnce(Self) -> T) -> T {
        to(self)
    }
}

impl<T> Pipe for T {}

#[test]
fn every_hostile_file_is_refused_with_its_code() {
    let limits = Limits::default();
    let cases = cases();
    assert!(cases.len() >= 60, "{}", cases.len());
    let mut wrong = Vec::new();
    for (name, file, due) in &cases {
        match read(file, &limits) {
            Err(error) if error == *due => {}
            found => {
                let found = found.map(|reading| reading.papers.len());
                wrong.push(format!("{name}: {found:?} instead of {due:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let names: BTreeSet<&str> = cases.iter().map(|(name, ..)| *name).collect();
    assert_eq!(names.len(), cases.len(), "a name stands there twice");
    let shown: BTreeSet<PaperError> = cases.iter().map(|(.., error)| *error).collect();
    let all: BTreeSet<PaperError> = PaperError::ALL.iter().copied().collect();
    let missing: Vec<_> = all.difference(&shown).collect();
    // A picture so busy that the search gives up needs tighter limits: see below.
    assert_eq!(missing, [&ImageTooBusy]);
}

#[test]
fn no_cut_and_no_changed_byte_breaks_the_reader() {
    let limits = Limits::default();
    let sealed = Package::whole().sealed(&[]).bytes();
    let good = [
        INVOICE.as_bytes().to_vec(),
        sealed,
        attached(INVOICE.as_bytes()),
        archive(&[deflated("a.xml", INVOICE.as_bytes())]),
        encoded(
            code("01,32,,24312000000136634917,0.01,20240514,,1DD6", 2, 4),
            ImageFormat::Png,
        ),
    ];
    for file in &good {
        let whole = read(file, &limits).unwrap();
        assert!(whole.spent.inflated_bytes <= limits.inflated_bytes);
        assert!(whole.spent.xml_elements <= limits.xml_elements);
        assert!(whole.spent.pdf_bytes <= limits.pdf_bytes);
        assert!(whole.spent.qr_visits <= limits.qr_visits);
        let step = (file.len() / 300).max(1);
        for place in (0..file.len()).step_by(step) {
            let _ = read(&file[..place], &limits);
            for bits in [1, 0x20, 0xff] {
                let mut changed = file.clone();
                changed[place] ^= bits;
                let _ = read(&changed, &limits);
            }
        }
    }
}

#[test]
fn each_bound_is_the_one_that_is_given() {
    let tight = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        limits
    };
    let photo = encoded(code("x", 8, 4), ImageFormat::Png);
    let two = {
        let mut wide = GrayImage::from_pixel(600, 300, Luma([255]));
        for (place, number) in [(0, 1), (300, 2)] {
            let text = format!("01,32,,2431200000013663491{number},0.01,20240514,,1DD6");
            image::imageops::overlay(&mut wide, &code(&text, 6, 4), place, 0);
        }
        encoded(wide, ImageFormat::Png)
    };
    let package = Package::whole().plain();
    let document = attached(INVOICE.as_bytes());
    let cases: Vec<(Limits, &[u8], PaperError)> = vec![
        (
            tight(|limits| limits.file_bytes = 10),
            INVOICE.as_bytes(),
            TooLarge,
        ),
        (
            tight(|limits| limits.xml_bytes = 1_000),
            INVOICE.as_bytes(),
            XmlTooLarge,
        ),
        (
            tight(|limits| limits.xml_elements = 20),
            INVOICE.as_bytes(),
            XmlTooLarge,
        ),
        (
            tight(|limits| limits.xml_depth = 3),
            INVOICE.as_bytes(),
            XmlTooLarge,
        ),
        (
            tight(|limits| limits.xml_value_bytes = 8),
            INVOICE.as_bytes(),
            XmlTooLarge,
        ),
        (tight(|limits| limits.zip_entries = 2), &package, ZipEntries),
        (tight(|limits| limits.entry_bytes = 500), &package, Inflated),
        (
            tight(|limits| limits.inflated_bytes = 3_000),
            &package,
            Inflated,
        ),
        (
            tight(|limits| (limits.small_bytes, limits.ratio) = (10, 1)),
            &package,
            Inflated,
        ),
        (
            tight(|limits| limits.pdf_bytes = 50),
            &document,
            PdfMalformed,
        ),
        (
            tight(|limits| limits.image_pixels = 1_000),
            &photo,
            ImageTooLarge,
        ),
        (
            tight(|limits| limits.image_side = 100),
            &photo,
            ImageTooLarge,
        ),
        (
            tight(|limits| limits.qr_visits = 10_000),
            &photo,
            ImageTooBusy,
        ),
        (tight(|limits| limits.documents = 1), &two, SeveralDocuments),
    ];
    for (place, (limits, file, due)) in cases.into_iter().enumerate() {
        assert_eq!(read(file, &limits).unwrap_err(), due, "case {place}");
    }
    assert_eq!(read(&two, &Limits::default()).unwrap().papers.len(), 2);
}

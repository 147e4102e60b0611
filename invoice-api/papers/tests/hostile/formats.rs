//! Every format, whole and sound.

use image::ImageFormat;
use papers::{Format, Limits, Paper, PaperError, SealState, Tier, WarningCode, read, read_with};

use crate::ofds::{INVOICE, PROPERTIES, Package, certificate};
use crate::pdfs::{attached, pdf, zlib};
use crate::pictures::{code, encoded};
use crate::zips::{archive, deflated, stored};

const BILL: &str = include_str!("../files/bill.xml");
const QR: &str = "01,32,,24442000000000000016,16000.00,20240124,,1DD6";

fn one(file: &[u8], format: Format) -> Paper {
    let mut reading = read(file, &Limits::default()).unwrap();
    assert_eq!(reading.format, format);
    assert_eq!(reading.papers.len(), 1);
    reading.papers.remove(0)
}

fn codes(paper: &Paper) -> Vec<WarningCode> {
    paper.warnings.iter().map(|warning| warning.code).collect()
}

fn key(paper: &Paper) -> (String, String, String) {
    let texts = (&paper.document, &paper.amount, &paper.date);
    (
        texts.0.to_string(),
        texts.1.to_string(),
        texts.2.to_string(),
    )
}

#[test]
fn the_same_invoice_is_the_same_in_every_format() {
    let due = ("D:24442000000000000016", "16000.00", "2024-01-24");
    let due = (due.0.to_owned(), due.1.to_owned(), due.2.to_owned());
    let dct = encoded(code(QR, 6, 4), ImageFormat::Jpeg);
    let flate = zlib(code(QR, 3, 4).as_raw());
    let side = code(QR, 3, 4).width();
    let raw = format!(
        "/Subtype/Image/Width {side}/Height {side}/BitsPerComponent 8/ColorSpace/DeviceGray/Filter/FlateDecode"
    );
    let cases: Vec<(&str, Vec<u8>, Format, Tier)> = vec![
        ("xml", INVOICE.into(), Format::InvoiceXml, Tier::Xml),
        ("zip", archive(&[deflated("发票.xml", INVOICE.as_bytes())]), Format::Zip, Tier::Xml),
        ("zip of a Mac", archive(&[stored("a.xml", INVOICE.as_bytes()), stored("__MACOSX/._a.xml", b"x")]), Format::Zip, Tier::Xml),
        ("ofd", Package::whole().plain(), Format::Ofd, Tier::Attachment),
        ("pdf, attached", attached(INVOICE.as_bytes()), Format::Pdf, Tier::Attachment),
        ("pdf, attached as it is", pdf(&[("/Type /EmbeddedFile", INVOICE.as_bytes())]), Format::Pdf, Tier::Attachment),
        ("pdf, attached without a type", pdf(&[("/Filter[/FlateDecode]", &zlib(INVOICE.as_bytes()))]), Format::Pdf, Tier::Attachment),
        ("pdf, photo", pdf(&[("/Type/XObject/Subtype/Image/Width 1/Height 1/Filter/DCTDecode", &dct)]), Format::Pdf, Tier::Qr),
        ("pdf, pixels", pdf(&[(&raw, &flate)]), Format::Pdf, Tier::Qr),
        ("png", encoded(code(QR, 5, 4), ImageFormat::Png), Format::QrImage, Tier::Qr),
        ("jpeg", dct.clone(), Format::QrImage, Tier::Qr),
        ("text", QR.into(), Format::QrText, Tier::Text),
        ("link", "https://inv-veri.chinatax.gov.cn/index.html?fphm=24442000000000000016&kprq=20240124&kjje=16000.00".into(), Format::QrText, Tier::Text),
        ("our link", "https://example.test/v/D:24442000000000000016?amount=16000.00&date=2024-01-24&h=x&i=1".into(), Format::QrText, Tier::Text),
    ];
    for (name, file, format, tier) in cases {
        let paper = one(&file, format);
        assert_eq!(key(&paper), due, "{name}");
        assert_eq!(paper.tier, tier, "{name}");
    }
}

#[test]
fn pixels_of_a_pdf_are_read_in_the_forms_that_producers_write() {
    let picture = code(QR, 3, 4);
    let (side, grey) = (picture.width(), picture.as_raw());
    let rows = || grey.chunks(side as usize);
    let bits: Vec<u8> = rows()
        .flat_map(|row| {
            row.chunks(8).map(|byte| {
                byte.iter().enumerate().fold(0, |bits, (place, pixel)| {
                    bits | u8::from(*pixel > 127) << (7 - place)
                })
            })
        })
        .collect();
    let inverted: Vec<u8> = bits.iter().map(|byte| !byte).collect();
    let rgb: Vec<u8> = grey.iter().flat_map(|pixel| [*pixel; 3]).collect();
    let cmyk: Vec<u8> = grey
        .iter()
        .flat_map(|pixel| [0, 0, 0, 255 - *pixel])
        .collect();
    let filtered: Vec<u8> = rows()
        .flat_map(|row| {
            let left = std::iter::once(&0).chain(row);
            let sub = row
                .iter()
                .zip(left)
                .map(|(pixel, left)| pixel.wrapping_sub(*left));
            std::iter::once(1).chain(sub).collect::<Vec<u8>>()
        })
        .collect();
    let cases: Vec<(&str, &str, &[u8])> = vec![
        ("one bit", "/BitsPerComponent 1", &bits),
        (
            "one bit, a palette of black and white",
            "/BitsPerComponent 1/ColorSpace[/Indexed/DeviceRGB 1 <000000ffffff>]",
            &inverted,
        ),
        ("colours", "/BitsPerComponent 8/ColorSpace/DeviceRGB", &rgb),
        ("inks", "/BitsPerComponent 8/ColorSpace/DeviceCMYK", &cmyk),
        (
            "filtered rows",
            "/BitsPerComponent 8/DecodeParms<</Predictor 15/Colors 1/Columns 99>>",
            &filtered,
        ),
    ];
    for (name, form, data) in cases {
        let head = format!("/Subtype/Image/Width {side}/Height {side}{form}/Filter/FlateDecode");
        let paper = one(&pdf(&[(&head, &zlib(data))]), Format::Pdf);
        assert_eq!(paper.document.number(), "24442000000000000016", "{name}");
    }
}

#[test]
fn bills_come_in_xml_zip_and_pdf() {
    for (file, format) in [
        (BILL.as_bytes().to_vec(), Format::FiscalXml),
        (archive(&[deflated("a.XML", BILL.as_bytes())]), Format::Zip),
        (attached(BILL.as_bytes()), Format::Pdf),
    ] {
        let paper = one(&file, format);
        assert_eq!(paper.document.to_string(), "F:33060122-0000000017");
        assert!(paper.payment.is_some());
    }
}

#[test]
fn an_ofd_is_read_from_its_most_trusted_source() {
    let mut package = Package::whole();
    let whole = one(&package.plain(), Format::Ofd);
    assert_eq!((whole.tier, whole.lines.len()), (Tier::Attachment, 2));
    assert!(
        !codes(&whole).contains(&WarningCode::SourcesContradict),
        "{:?}",
        whole.warnings
    );
    assert_eq!(whole.seal.state, SealState::NotVerifiable);
    // Some issuers attach an empty file, or something else altogether.
    for empty in [&b""[..], b" \n", b"<other/>"] {
        package.attachment = Some(empty.to_vec());
        assert_eq!(one(&package.plain(), Format::Ofd).tier, Tier::Tags);
    }
    package.attachment = None;
    let tagged = one(&package.plain(), Format::Ofd);
    assert_eq!((tagged.tier, tagged.lines.len()), (Tier::Tags, 0));
    assert_eq!(key(&tagged), key(&whole));
    assert_eq!(tagged.seller, whole.seller);
    // Of the total often only the sign of the currency is tagged.
    package.tags[2].1 = "¥".into();
    assert_eq!(one(&package.plain(), Format::Ofd).tier, Tier::CustomData);
    package.tags.clear();
    let bare = one(&package.plain(), Format::Ofd);
    assert_eq!(key(&bare), key(&whole));
    // Properties name the sum without tax; the total is added up.
    assert_eq!(bare.total_without_tax.unwrap().to_string(), "15841.58");
    assert!(codes(&bare).contains(&WarningCode::TotalDerived));
    package.properties.truncate(2);
    let refused = read(&package.plain(), &Limits::default());
    assert_eq!(refused.unwrap_err(), PaperError::OfdUnknown);
}

#[test]
fn sources_of_an_ofd_that_contradict_each_other_are_named() {
    for (name, value) in [
        ("价税合计", "16000.01"),
        ("合计金额", "16000.00"),
        ("开票日期", "2024年01月25日"),
        ("发票号码", "24442000000000000017"),
        ("销售方纳税人识别号", "91350100M000100Y43"),
    ] {
        let mut package = Package::whole();
        package.properties.retain(|(known, _)| known != name);
        package.properties.push((name.into(), value.into()));
        let paper = one(&package.plain(), Format::Ofd);
        assert_eq!(paper.document.number(), "24442000000000000016");
        let found = paper
            .warnings
            .iter()
            .filter(|w| w.code == WarningCode::SourcesContradict);
        let found: Vec<&str> = found.map(|warning| warning.detail.as_str()).collect();
        assert_eq!(found.len(), 1, "{name}");
        assert!(
            found[0].starts_with("custom_data: ") && found[0].ends_with(value),
            "{found:?}"
        );
    }
    assert_eq!(PROPERTIES.len(), Package::whole().properties.len());
}

#[test]
fn a_seal_is_verified_and_nobody_is_taken_for_a_bureau() {
    let limits = Limits::default();
    let sealed = Package::whole().sealed(&[]);
    let paper = one(&sealed.bytes(), Format::Ofd);
    assert_eq!(
        paper.seal.state,
        SealState::Verified,
        "{:?}",
        paper.warnings
    );
    assert_eq!(paper.seal.signer.as_deref(), Some("测试签章人"));
    assert!(!paper.seal.trusted);
    assert_eq!(codes(&paper), [WarningCode::SignerNotTrusted]);
    let trusting = read_with(&sealed.bytes(), &limits, &[certificate()]).unwrap();
    assert!(trusting.papers[0].seal.trusted);
    assert!(trusting.papers[0].warnings.is_empty());
    let strange = read_with(&sealed.bytes(), &limits, &[vec![0x30, 0]]).unwrap();
    assert!(!strange.papers[0].seal.trusted);
}

#[test]
fn a_trusted_seal_vouches_only_for_what_it_covers() {
    let (trusted, stranger) = (7, 8);
    let attachment: &[&str] = &["Doc_0/Attachs/original_invoice.xml"];
    type Seals<'s> = &'s [(u8, &'s [&'s str])];
    let cases: [(Seals<'_>, bool); 5] = [
        (&[(trusted, &[]), (stranger, &[])], true),
        (&[(stranger, &[]), (trusted, &[])], true),
        (&[(stranger, &[])], false),
        // The stranger covers what the trusted one never saw.
        (&[(trusted, attachment), (stranger, &[])], false),
        (&[(stranger, &[]), (trusted, attachment)], false),
    ];
    for (seals, holds) in cases {
        let file = Package::whole().sealed_by(seals).bytes();
        let reading = read_with(&file, &Limits::default(), &[certificate()]).unwrap();
        let seal = &reading.papers[0].seal;
        assert_eq!(seal.state, SealState::Verified, "{seals:?}");
        assert_eq!(seal.trusted, holds, "{seals:?}");
        if holds {
            let named = invoice_core::crypto::sm3(&[&certificate()]);
            assert_eq!(seal.certificate, Some(named), "{seals:?}");
        }
        let warned = codes(&reading.papers[0]).contains(&WarningCode::SignerNotTrusted);
        assert_eq!(warned, !holds, "{seals:?}");
    }
    assert!(papers::is_seal_certificate(&certificate()));
    assert!(!papers::is_seal_certificate(b"-----BEGIN CERTIFICATE-----"));
}

#[test]
fn a_seal_that_does_not_fit_is_broken() {
    let sum = |bytes: &mut Vec<u8>| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        *bytes = text.replace("16000.00<", "17000.00<").into_bytes();
    };
    type Change<'c> = (&'c str, &'c str, &'c dyn Fn(&mut Vec<u8>));
    let changes: &[Change<'_>] = &[
        ("the attachment", "Doc_0/Attachs/original_invoice.xml", &sum),
        ("a page", "Doc_0/Pages/Page_0/Content.xml", &|bytes| {
            bytes.push(b'\n')
        }),
        (
            "the list of digests",
            "Doc_0/Signs/Sign_0/Signature.xml",
            &|bytes| bytes.push(b'\n'),
        ),
        (
            "the signature",
            "Doc_0/Signs/Sign_0/SignedValue.dat",
            &|bytes| *bytes.last_mut().unwrap() ^= 1,
        ),
        ("the seal", "Doc_0/Signs/Sign_0/SignedValue.dat", &|bytes| {
            bytes[30] ^= 1
        }),
        ("no seal", "Doc_0/Signs/Sign_0/SignedValue.dat", &Vec::clear),
        (
            "junk for a seal",
            "Doc_0/Signs/Sign_0/SignedValue.dat",
            &|bytes| *bytes = vec![0x30; 500],
        ),
    ];
    for (name, file, change) in changes {
        let mut sealed = Package::whole().sealed(&[]);
        change(sealed.file(file));
        let paper = one(&sealed.bytes(), Format::Ofd);
        assert_eq!(paper.seal.state, SealState::Broken, "{name}");
        assert!(codes(&paper).contains(&WarningCode::SealBroken), "{name}");
        assert!(!paper.seal.trusted, "{name}");
    }
    // What is read stands outside of what is sealed: an old trick with signed packages.
    let uncovered = Package::whole().sealed(&["Doc_0/Attachs/original_invoice.xml"]);
    let paper = one(&uncovered.bytes(), Format::Ofd);
    assert_eq!(paper.seal.state, SealState::Broken);
    assert!(codes(&paper).contains(&WarningCode::SourceNotSigned));
    // A digest of the older kind, or a file that is not there.
    for (from, to) in [
        ("10197.1.401", "10197.1.999"),
        ("/OFD.xml\"", "/Gone.xml\""),
    ] {
        let mut sealed = Package::whole().sealed(&[]);
        let file = sealed.file("Doc_0/Signs/Sign_0/Signature.xml");
        *file = String::from_utf8(file.clone())
            .unwrap()
            .replace(from, to)
            .into_bytes();
        let paper = one(&sealed.bytes(), Format::Ofd);
        assert_eq!(paper.seal.state, SealState::Broken, "{to}");
    }
}

/// The file that other tests take for one with a seal is one, by the certificate beside it.
#[test]
fn the_sealed_file_of_other_tests_is_sealed() {
    let file = include_bytes!("../files/sealed.ofd");
    let sealer = include_bytes!("../files/sealer.der");
    let reading = read_with(file, &Limits::default(), &[sealer.to_vec()]).unwrap();
    let seal = &reading.papers[0].seal;
    assert_eq!((seal.state, seal.trusted), (SealState::Verified, true));
    assert_eq!(sealer.to_vec(), certificate());
}

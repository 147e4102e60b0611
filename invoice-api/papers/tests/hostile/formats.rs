//! Every format, whole and sound.

use image::ImageFormat;
use papers::{Format, Limits, Paper, PaperError, SealState, Tier, WarningCode, read, read_with};

use crate::ofds::{INVOICE, PROPERTIES, Package, SEALER, certificate};
use crate::pdfs::{attached, pdf, zlib};
use crate::pictures::{code, encoded, side_by_side};
use crate::zips::{archive, deflated, extra, stored};

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
        ("our link", "https://example.test/v/D:24442000000000000016?amount=16000.00&date=2024-01-24&h=AAAAAAAAAAAAAAAAAAAAAA&i=1".into(), Format::QrText, Tier::Text),
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
fn the_word_alone_does_not_encrypt() {
    let mut file = attached(INVOICE.as_bytes());
    file.extend_from_slice(
        b"9 0 obj<</Title(/EncryptMetadata /Encrypt 1)/EncryptMetadata true>>endobj\n",
    );
    file.extend_from_slice(b"trailer<</Root 1 0 R/EncryptMetadata true>>");
    assert_eq!(
        one(&file, Format::Pdf).document.number(),
        "24442000000000000016"
    );
}

#[test]
fn extra_fields_of_times_are_read_over() {
    let mut entry = deflated("a.xml", INVOICE.as_bytes());
    entry.extra = [
        [extra(0x5455, &[0; 5]), vec![0; 3]].concat(),
        extra(0x7875, &[0; 11]),
    ];
    assert_eq!(one(&archive(&[entry]), Format::Zip).tier, Tier::Xml);
}

fn jpeg(texts: &[&str]) -> Vec<u8> {
    encoded(side_by_side(texts), ImageFormat::Jpeg)
}

const PICTURE: &str = "/Type/XObject/Subtype/Image/Width 1/Height 1/Filter/DCTDecode";
const ATTACHED: &str = "/Type/EmbeddedFile";

#[test]
fn codes_that_contradict_each_other_are_refused() {
    let more = "01,32,,24442000000000000016,91600.00,20240124,,1DD6";
    let later = "01,32,,24442000000000000016,16000.00,20240125,,1DD6";
    let old = "01,04,011001605111,80100798,64.90,20161018,85342965681116380258,BE2D";
    let older = "01,04,011001605111,80100798,64.90,20161018,85342965681116380259,BE2D";
    let limits = Limits::default();
    for (first, second) in [(QR, more), (more, QR), (QR, later), (old, older)] {
        let photo = encoded(side_by_side(&[first, second]), ImageFormat::Png);
        let (first, second) = (jpeg(&[first]), jpeg(&[second]));
        let file = pdf(&[(PICTURE, &first), (PICTURE, &second)]);
        assert_eq!(
            read(&photo, &limits).unwrap_err(),
            PaperError::Contradictory
        );
        assert_eq!(read(&file, &limits).unwrap_err(), PaperError::Contradictory);
    }
    // One code twice is one document, and a code of something else is none.
    let twice = encoded(side_by_side(&[QR, QR, "hello"]), ImageFormat::Png);
    assert_eq!(
        one(&twice, Format::QrImage).document.number(),
        "24442000000000000016"
    );
}

#[test]
fn a_code_beside_an_attachment_must_be_of_the_same_document() {
    let limits = Limits::default();
    let other = "01,32,,24442000000000000017,91600.00,20240125,,1DD6";
    for (code, members) in [(QR, &[][..]), (other, &["number", "amount", "date"][..])] {
        let code = jpeg(&[code]);
        let file = pdf(&[(ATTACHED, INVOICE.as_bytes()), (PICTURE, &code)]);
        let paper = one(&file, Format::Pdf);
        assert_eq!(
            (paper.tier, paper.document.number()),
            (Tier::Attachment, "24442000000000000016")
        );
        let found: Vec<&str> = paper
            .warnings
            .iter()
            .filter(|warning| warning.code == WarningCode::SourcesContradict)
            .map(|warning| warning.detail.as_str())
            .collect();
        let due: Vec<String> = members
            .iter()
            .map(|member| format!("qr: {member}"))
            .collect();
        assert_eq!(found, due);
    }
    // A picture that cannot be read does not spoil an attachment that can.
    let file = pdf(&[
        (ATTACHED, INVOICE.as_bytes()),
        ("/Subtype/Image/Width 1000000/Height 1000000", b"x"),
    ]);
    assert_eq!(one(&file, Format::Pdf).tier, Tier::Attachment);
    // The limit is one of the file, not of each picture.
    let tight = Limits {
        documents: 1,
        ..limits
    };
    let (first, second) = (jpeg(&[QR]), jpeg(&[other]));
    let file = pdf(&[(PICTURE, &first), (PICTURE, &second)]);
    assert_eq!(
        read(&file, &tight).unwrap_err(),
        PaperError::SeveralDocuments
    );
    assert_eq!(read(&file, &limits).unwrap().papers.len(), 2);
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
        // Numbers of parties may be those of persons: where is enough.
        let shown = if name.ends_with("识别号") {
            "/id"
        } else {
            value
        };
        assert!(
            found[0].starts_with("custom_data: ") && found[0].ends_with(shown),
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
    let trusting = read_with(&sealed.bytes(), &limits, &[certificate(SEALER)]).unwrap();
    assert!(trusting.papers[0].seal.trusted);
    assert!(trusting.papers[0].warnings.is_empty());
    let strange = read_with(&sealed.bytes(), &limits, &[vec![0x30, 0]]).unwrap();
    assert!(!strange.papers[0].seal.trusted);
}

#[test]
fn each_seal_vouches_for_what_it_covers_alone() {
    const ATTACHMENT: &str = "Doc_0/Attachs/original_invoice.xml";
    const LIST: &str = "Doc_0/Attachs/Attachments.xml";
    const DOCUMENT: &str = "Doc_0/Document.xml";
    let (bureau, stranger) = (SEALER, 9);
    type Seals<'s> = &'s [(u8, &'s [&'s str])];
    // Who sealed what but the files named; is it verified, and is the bureau behind it?
    let cases: &[(Seals<'_>, SealState, bool)] = &[
        (&[(bureau, &[])], SealState::Verified, true),
        (&[(bureau, &[]), (stranger, &[])], SealState::Verified, true),
        (&[(stranger, &[]), (bureau, &[])], SealState::Verified, true),
        (&[(stranger, &[])], SealState::Verified, false),
        // The way to another document: the bureau's seal does not cover what leads there.
        (&[(bureau, &["OFD.xml"])], SealState::Broken, false),
        (&[(bureau, &[DOCUMENT])], SealState::Broken, false),
        (&[(bureau, &[LIST])], SealState::Broken, false),
        (
            &[(bureau, &["OFD.xml"]), (stranger, &[])],
            SealState::Verified,
            false,
        ),
        (
            &[(stranger, &[]), (bureau, &["OFD.xml"])],
            SealState::Verified,
            false,
        ),
        (
            &[(bureau, &["OFD.xml"]), (stranger, &[ATTACHMENT])],
            SealState::Broken,
            false,
        ),
    ];
    for (place, (seals, state, trusted)) in cases.iter().enumerate() {
        let file = Package::whole().sealed_by(seals).bytes();
        let reading = read_with(&file, &Limits::default(), &[certificate(bureau)]).unwrap();
        let paper = &reading.papers[0];
        assert_eq!(
            (paper.seal.state, paper.seal.trusted),
            (*state, *trusted),
            "case {place}"
        );
        let codes = codes(paper);
        assert_eq!(
            codes.contains(&WarningCode::SourceNotSigned),
            *state == SealState::Broken
        );
        let stranger_warned = codes.contains(&WarningCode::SignerNotTrusted);
        assert_eq!(
            stranger_warned,
            *state == SealState::Verified && !trusted,
            "case {place}"
        );
    }
    assert!(papers::is_seal_certificate(&certificate(bureau)));
    assert!(!papers::is_seal_certificate(b"-----BEGIN CERTIFICATE-----"));
}

#[test]
fn many_small_oddities_do_not_hide_a_grave_one() {
    let line =
        "<IssuItemInformation><ItemName>甲</ItemName><Amount>x</Amount></IssuItemInformation>";
    let odd = INVOICE.replace("<SpecificInformation/>", &line.repeat(200));
    let mut package = Package::whole();
    package.attachment = Some(odd.into_bytes());
    let mut sealed = package.sealed(&[]);
    sealed.file("Doc_0/Pages/Page_0/Content.xml").push(b'\n');
    let paper = one(&sealed.bytes(), Format::Ofd);
    assert_eq!(paper.warnings.len(), 100);
    assert!(
        codes(&paper).contains(&WarningCode::SealBroken),
        "{:?}",
        paper.warnings
    );
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
}

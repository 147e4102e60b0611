//! The OFD, taken apart: archive, XML, numbers, places, tags and attachments.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::{laid_out, papers, readers};

/// The files of an archive.
fn files(record: &str) -> BTreeMap<String, Vec<u8>> {
    let file = laid_out(record).ofd().unwrap();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(file)).unwrap();
    assert_eq!(archive.by_index(0).unwrap().name().unwrap(), "OFD.xml");
    (0..archive.len())
        .map(|index| {
            let mut entry = archive.by_index(index).unwrap();
            assert_eq!(entry.last_modified(), Some(zip::DateTime::default()));
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

fn text<'f>(files: &'f BTreeMap<String, Vec<u8>>, name: &str) -> &'f str {
    std::str::from_utf8(&files[name]).unwrap()
}

/// An element: its name, its attributes, the text right inside it.
#[derive(Debug, Default, Clone)]
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    text: String,
}

/// All elements of a file, in the order in which they begin.
fn elements(xml: &str) -> Vec<Element> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let mut all: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    loop {
        let event = reader.read_event().unwrap();
        match &event {
            Event::Start(tag) | Event::Empty(tag) => {
                let attributes = tag.attributes().map(|attribute| {
                    let attribute = attribute.unwrap();
                    (
                        attribute.key.as_ref().to_owned(),
                        attribute.value.to_string(),
                    )
                });
                all.push(Element {
                    name: tag.name().as_ref().to_owned(),
                    attributes: attributes.collect(),
                    text: String::new(),
                });
                if matches!(event, Event::Start(_)) {
                    open.push(all.len() - 1);
                }
            }
            Event::End(_) => drop(open.pop().unwrap()),
            Event::Text(inside) => {
                if let Some(element) = open.last() {
                    all[*element].text.push_str(inside);
                }
            }
            Event::GeneralRef(name) => {
                let name: &str = name;
                all[*open.last().unwrap()].text.push_str(match name {
                    "amp" => "&",
                    "lt" => "<",
                    "gt" => ">",
                    "quot" => "\"",
                    "#39" => "'",
                    other => panic!("{other}"),
                });
            }
            Event::Eof => break,
            Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_) => {}
        }
    }
    assert!(open.is_empty());
    all
}

fn named<'e>(all: &'e [Element], name: &str) -> impl Iterator<Item = &'e Element> {
    all.iter().filter(move |element| element.name == name)
}

#[test]
fn every_file_that_is_named_is_there_and_every_number_is_given_out_once() {
    for record in [papers::invoice(30, |_| {}), papers::bill(60, "inpatient")] {
        let files = files(&record);
        let document = elements(text(&files, "Doc_0/Document.xml"));
        let pages: Vec<&Element> = named(&document, "ofd:Page").collect();
        assert_eq!(pages.len(), 3);
        let most: u32 = named(&document, "ofd:MaxUnitID")
            .next()
            .unwrap()
            .text
            .parse()
            .unwrap();
        let mut ids = BTreeSet::new();
        for page in pages {
            assert!(ids.insert(page.attributes["ID"].parse::<u32>().unwrap()));
            let content = elements(text(
                &files,
                &format!("Doc_0/{}", page.attributes["BaseLoc"]),
            ));
            for element in &content {
                if let Some(id) = element.attributes.get("ID") {
                    assert!(ids.insert(id.parse().unwrap()), "{id}");
                }
                if let Some(boundary) = element.attributes.get("Boundary") {
                    let numbers: Vec<f64> = boundary
                        .split(' ')
                        .map(|part| part.parse().unwrap())
                        .collect();
                    let [x, y, width, height] = numbers[..] else {
                        panic!("{boundary}")
                    };
                    assert!(
                        x >= 0.0 && y >= 0.0 && width > 0.0 && height > 0.0,
                        "{boundary}"
                    );
                    assert!(x + width <= 210.0 && y + height <= 140.5, "{boundary}");
                }
            }
        }
        for element in elements(text(&files, "Doc_0/PublicRes.xml")) {
            if let Some(id) = element.attributes.get("ID") {
                assert!(ids.insert(id.parse().unwrap()));
            }
        }
        assert_eq!(ids.last(), Some(&most));
        for (name, bytes) in &files {
            if name.ends_with(".xml") {
                assert!(!elements(std::str::from_utf8(bytes).unwrap()).is_empty());
            }
        }
        for place in [
            "Tags/CustomTags.xml",
            "Attachs/Attachments.xml",
            "Tags/Tag_Invoice.xml",
        ] {
            assert!(files.contains_key(&format!("Doc_0/{place}")), "{place}");
        }
    }
}

#[test]
fn what_is_attached_is_the_record_byte_by_byte_and_its_words_in_xml() {
    let record = papers::invoice(2, |invoice| {
        invoice["note"] = "<合同> & \"甲\"\n乙".into();
        invoice["lines"][1]["spec"] = serde_json::Value::String("'V'".into());
    });
    let files = files(&record);
    assert_eq!(files["Doc_0/Attachs/record.json"], record.as_bytes());
    let attachments = elements(text(&files, "Doc_0/Attachs/Attachments.xml"));
    let named_files: Vec<&str> = named(&attachments, "ofd:FileLoc")
        .map(|place| place.text.as_str())
        .collect();
    assert_eq!(named_files, ["original_invoice.xml", "record.json"]);
    let original = elements(text(&files, "Doc_0/Attachs/original_invoice.xml"));
    let one = |name: &str| named(&original, name).next().unwrap().text.clone();
    assert_eq!(original[0].name, "fp:eInvoice");
    for (name, due) in [
        ("fp:InvoiceCode", ""),
        ("fp:InvoiceNo", "26332000000012345678"),
        ("fp:IssueDate", "2026年11月20日"),
        ("fp:BuyerName", "福建某某贸易有限公司"),
        ("fp:BuyerTaxID", "91350100M000100Y43"),
        ("fp:SellerTaxID", "91330100MA0000003M"),
        ("fp:TaxInclusiveTotalAmount", "212.00"),
        ("fp:TaxExclusiveTotalAmount", "200.00"),
        ("fp:TaxTotalAmount", "12.00"),
        ("fp:Note", "<合同> & \"甲\"\n乙"),
    ] {
        assert_eq!(one(name), due, "{name}");
    }
    assert_eq!(named(&original, "fp:GoodsInfo").count(), 2);
    assert_eq!(
        named(&original, "fp:Specification").nth(1).unwrap().text,
        "'V'"
    );
    assert_eq!(one("fp:TaxScheme"), "6%");
}

#[test]
fn the_facts_stand_in_the_first_file() {
    let facts = |record: &str| -> BTreeMap<String, String> {
        let files = files(record);
        let all = elements(text(&files, "OFD.xml"));
        named(&all, "ofd:CustomData")
            .map(|fact| (fact.attributes["Name"].clone(), fact.text.clone()))
            .collect()
    };
    let invoice = facts(&papers::invoice(1, |_| {}));
    assert_eq!(invoice["发票号码"], "26332000000012345678");
    assert_eq!(invoice["价税合计"], "106.00");
    assert_eq!(invoice["合计金额"], "100.00");
    assert_eq!(invoice["销售方纳税人识别号"], "91330100MA0000003M");
    let bill = facts(&papers::bill(4, "outpatient"));
    assert_eq!(bill["票据代码"], "33060226");
    assert_eq!(bill["校验码"], "a1B2c3");
    assert_eq!(bill["金额合计"], "400.00");
}

/// The texts that a tag points at, one after the other.
fn tagged(files: &BTreeMap<String, Vec<u8>>, tag: &str) -> Vec<String> {
    let document = elements(text(files, "Doc_0/Document.xml"));
    let mut texts = BTreeMap::new();
    for page in named(&document, "ofd:Page") {
        let content = elements(text(
            files,
            &format!("Doc_0/{}", page.attributes["BaseLoc"]),
        ));
        let mut object = String::new();
        for element in content {
            match element.name.as_str() {
                "ofd:TextObject" => object = element.attributes["ID"].clone(),
                "ofd:TextCode" => {
                    texts.insert(
                        (page.attributes["ID"].clone(), object.clone()),
                        element.text,
                    );
                }
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    let mut inside = false;
    for element in elements(text(files, "Doc_0/Tags/Tag_Invoice.xml")) {
        if element.name == "ofd:ObjectRef" {
            if inside {
                let place = (element.attributes["PageRef"].clone(), element.text);
                found.push(texts[&place].clone());
            }
        } else {
            inside = element.name == format!("fp:{tag}");
        }
    }
    found
}

#[test]
fn tags_point_at_the_texts_of_the_page() {
    let files = files(&papers::invoice(30, |_| {}));
    for (tag, due) in [
        ("InvoiceNo", "26332000000012345678"),
        ("IssueDate", "2026年11月20日"),
        ("BuyerName", "福建某某贸易有限公司"),
        ("SellerTaxID", "91330100MA0000003M"),
        ("TaxInclusiveTotalAmount", "¥3180.00"),
        ("TaxExclusiveTotalAmount", "¥3000.00"),
    ] {
        assert_eq!(tagged(&files, tag), [due], "{tag}");
    }
    let amounts = tagged(&files, "Amount");
    assert_eq!(amounts, vec!["100.00"; 30]);
}

#[test]
fn the_code_is_one_path_with_the_link() {
    let files = files(&papers::invoice(1, |_| {}));
    let content = elements(text(&files, "Doc_0/Pages/Page_0/Content.xml"));
    let place = content
        .iter()
        .position(|element| element.name == "ofd:AbbreviatedData" && element.text.len() > 1_000)
        .unwrap();
    let object = content[..place]
        .iter()
        .rfind(|element| element.name == "ofd:PathObject")
        .unwrap();
    // 22 mm at 40 pixels a millimetre, with a margin around.
    let (edge, margin) = (1_200, 160);
    let pixel = |number: &str| (number.parse::<f64>().unwrap() * 40.0).round() as usize;
    let thick = pixel(&object.attributes["LineWidth"]);
    let mut pixels = vec![255; edge * edge];
    for run in content[place].text.split('M').filter(|run| !run.is_empty()) {
        let numbers: Vec<usize> = run
            .split_whitespace()
            .filter(|part| *part != "L")
            .map(|part| pixel(part) + margin)
            .collect();
        let [left, middle, right, same] = numbers[..] else {
            panic!("{run}")
        };
        assert_eq!(middle, same);
        for row in middle - thick / 2..=middle + thick / 2 {
            pixels[row * edge + left..row * edge + right].fill(0);
        }
    }
    assert_eq!(readers::qr_texts(edge, edge, &pixels), [papers::LINK]);
}

//! OFD packages, sealed with a key of the test's own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use invoice_core::crypto::{SecretKey, SecretKeySigner, Signer as _, sm3};

use super::zips::{Entry, archive, deflated};

pub(crate) const INVOICE: &str = include_str!("../files/invoice.xml");

const ROOT: &str = "<ofd:OFD xmlns:ofd=\"http://www.ofdspec.org/2016\" DocType=\"OFD\" Version=\"1.1\"><ofd:DocBody><ofd:DocInfo><ofd:DocID>0</ofd:DocID><ofd:CustomDatas>CUSTOM</ofd:CustomDatas></ofd:DocInfo><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot>SIGNATURES</ofd:DocBody></ofd:OFD>";
const DOCUMENT: &str = "<ofd:Document xmlns:ofd=\"http://www.ofdspec.org/2016\"><ofd:CommonData/><ofd:Pages><ofd:Page ID=\"1\" BaseLoc=\"Pages/Page_0/Content.xml\"/></ofd:Pages>ATTACHMENTS TAGS</ofd:Document>";
const LIST: &str = "<ofd:Attachments xmlns:ofd=\"http://www.ofdspec.org/2016\"><ofd:Attachment ID=\"1\" Name=\"original_invoice\" Format=\"xml\"><ofd:FileLoc>original_invoice.xml</ofd:FileLoc></ofd:Attachment></ofd:Attachments>";

/// The values of tags and properties, by their names there.
pub(crate) const TAGGED: [(&str, &str); 6] = [
    ("InvoiceNo", "24442000000000000016"),
    ("IssueDate", "2024年01月24日"),
    ("TaxInclusiveTotalAmount", "¥16000.00"),
    ("SellerName", "甲 &amp; 乙软件有限公司"),
    ("SellerTaxID", "91330000142942095H"),
    ("BuyerName", "示例制造有限公司"),
];
pub(crate) const PROPERTIES: [(&str, &str); 5] = [
    ("发票号码", "24442000000000000016"),
    ("开票日期", "2024年01月24日"),
    ("合计金额", "15841.58"),
    ("合计税额", "158.42"),
    ("销售方纳税人识别号", "91330000142942095H"),
];

/// What a package holds besides a page.
#[derive(Clone)]
pub(crate) struct Package {
    pub(crate) attachment: Option<Vec<u8>>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) properties: Vec<(String, String)>,
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

impl Package {
    pub(crate) fn whole() -> Self {
        Self {
            attachment: Some(INVOICE.as_bytes().to_vec()),
            tags: owned(&TAGGED),
            properties: owned(&PROPERTIES),
        }
    }

    /// The files of the package, named and in order.
    pub(crate) fn files(&self, signatures: &str) -> Vec<(String, Vec<u8>)> {
        let custom: String = self
            .properties
            .iter()
            .map(|(name, value)| {
                format!("<ofd:CustomData Name=\"{name}\">{value}</ofd:CustomData>")
            })
            .collect();
        let root = ROOT
            .replace("CUSTOM", &custom)
            .replace("SIGNATURES", signatures);
        let attachments = "<ofd:Attachments>Attachs/Attachments.xml</ofd:Attachments>";
        let tags = "<ofd:CustomTags>Tags/CustomTags.xml</ofd:CustomTags>";
        let document = DOCUMENT
            .replace(
                "ATTACHMENTS",
                if self.attachment.is_some() {
                    attachments
                } else {
                    ""
                },
            )
            .replace("TAGS", if self.tags.is_empty() { "" } else { tags });
        let texts: String = self
            .tags
            .iter()
            .enumerate()
            .map(|(id, (_, text))| {
                format!("<ofd:TextObject ID=\"{}\"><ofd:TextCode>{text}</ofd:TextCode></ofd:TextObject>", id + 10)
            })
            .collect();
        let tagged: String = self
            .tags
            .iter()
            .enumerate()
            .map(|(id, (name, _))| {
                format!(
                    "<fp:{name}><ofd:ObjectRef PageRef=\"1\">{}</ofd:ObjectRef></fp:{name}>",
                    id + 10
                )
            })
            .collect();
        let namespaces = "xmlns:ofd=\"http://www.ofdspec.org/2016\" xmlns:fp=\"http://www.edrm.org.cn/schema/e-invoice/2016\"";
        let mut files = vec![
            ("OFD.xml".to_owned(), root.into_bytes()),
            ("Doc_0/Document.xml".into(), document.into_bytes()),
            (
                "Doc_0/Pages/Page_0/Content.xml".into(),
                format!("<ofd:Page {namespaces}><ofd:Content><ofd:Layer>{texts}</ofd:Layer></ofd:Content></ofd:Page>").into_bytes(),
            ),
        ];
        if let Some(attachment) = &self.attachment {
            files.push(("Doc_0/Attachs/Attachments.xml".into(), LIST.into()));
            files.push((
                "Doc_0/Attachs/original_invoice.xml".into(),
                attachment.clone(),
            ));
        }
        if !self.tags.is_empty() {
            let list = format!(
                "<ofd:CustomTags {namespaces}><ofd:CustomTag TypeID=\"fp\"><ofd:FileLoc>Tag.xml</ofd:FileLoc></ofd:CustomTag></ofd:CustomTags>"
            );
            files.push(("Doc_0/Tags/CustomTags.xml".into(), list.into_bytes()));
            files.push((
                "Doc_0/Tags/Tag.xml".into(),
                format!("<fp:eInvoice {namespaces}>{tagged}</fp:eInvoice>").into_bytes(),
            ));
        }
        files
    }

    pub(crate) fn plain(&self) -> Vec<u8> {
        zip(&self.files(""))
    }

    /// The package with a seal over all of its files but those that are left out.
    pub(crate) fn sealed(&self, left_out: &[&str]) -> Sealed {
        self.sealed_by(&[(OWN_KEY, left_out)])
    }

    /// The package with a seal of each of these keys, over all of its files but those that it
    /// leaves out.
    pub(crate) fn sealed_by(&self, seals: &[(u8, &[&str])]) -> Sealed {
        let list = "<ofd:Signatures>Doc_0/Signs/Signatures.xml</ofd:Signatures>";
        let mut files = self.files(list);
        let contents = files.clone();
        let mut entries = String::new();
        for (number, (key, left_out)) in seals.iter().enumerate() {
            let references: String = contents
                .iter()
                .filter(|(name, _)| !left_out.contains(&name.as_str()))
                .map(|(name, bytes)| {
                    let digest = STANDARD.encode(sm3(&[bytes]).as_bytes());
                    format!("<ofd:Reference FileRef=\"/{name}\"><ofd:CheckValue>{digest}</ofd:CheckValue></ofd:Reference>")
                })
                .collect();
            let folder = format!("Doc_0/Signs/Sign_{number}");
            let signature = format!(
                "<ofd:Signature xmlns:ofd=\"http://www.ofdspec.org/2016\"><ofd:SignedInfo><ofd:Provider ProviderName=\"test\"/><ofd:SignatureMethod>1.2.156.10197.1.501</ofd:SignatureMethod><ofd:References CheckMethod=\"1.2.156.10197.1.401\">{references}</ofd:References></ofd:SignedInfo><ofd:SignedValue>/{folder}/SignedValue.dat</ofd:SignedValue></ofd:Signature>"
            );
            let value = seal(*key, sm3(&[signature.as_bytes()]).as_bytes());
            entries.push_str(&format!(
                "<ofd:Signature ID=\"{}\" BaseLoc=\"/{folder}/Signature.xml\"/>",
                number + 1
            ));
            files.push((format!("{folder}/Signature.xml"), signature.into_bytes()));
            files.push((format!("{folder}/SignedValue.dat"), value));
        }
        files.push((
            "Doc_0/Signs/Signatures.xml".into(),
            format!("<ofd:Signatures xmlns:ofd=\"http://www.ofdspec.org/2016\">{entries}</ofd:Signatures>").into_bytes(),
        ));
        Sealed { files }
    }
}

/// The files of a sealed package, which a test may change.
pub(crate) struct Sealed {
    pub(crate) files: Vec<(String, Vec<u8>)>,
}

impl Sealed {
    pub(crate) fn file(&mut self, name: &str) -> &mut Vec<u8> {
        let found = self.files.iter_mut().find(|(known, _)| known == name);
        &mut found.unwrap().1
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        zip(&self.files)
    }
}

pub(crate) fn zip(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let entries: Vec<Entry> = files
        .iter()
        .map(|(name, bytes)| deflated(name, bytes))
        .collect();
    archive(&entries)
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match content.len() {
        length @ 0..=127 => bytes.push(length as u8),
        length @ 128..=255 => bytes.extend_from_slice(&[0x81, length as u8]),
        length => bytes.extend_from_slice(&[0x82, (length >> 8) as u8, length as u8]),
    }
    bytes.extend_from_slice(content);
    bytes
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

const SM2_WITH_SM3: [u8; 8] = [0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x83, 0x75];

/// The key of the test's sealer, by the byte that it repeats.
const OWN_KEY: u8 = 7;

fn secret(key: u8) -> SecretKey {
    SecretKey::from_bytes(&[key; 32]).unwrap()
}

/// A certificate of the test's sealer. Nothing here verifies the issuer's signature in it.
pub(crate) fn certificate() -> Vec<u8> {
    certificate_of(OWN_KEY)
}

/// The certificate of any sealer; all have the same name in it.
pub(crate) fn certificate_of(key: u8) -> Vec<u8> {
    let name = sequence(&[tlv(
        0x31,
        &sequence(&[
            tlv(0x06, &[0x55, 0x04, 0x03]),
            tlv(0x0c, "测试签章人".as_bytes()),
        ]),
    )]);
    let algorithm = sequence(&[tlv(0x06, &SM2_WITH_SM3)]);
    let key = sequence(&[
        sequence(&[
            tlv(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]),
            tlv(0x06, &[0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d]),
        ]),
        tlv(
            0x03,
            &[&[0][..], secret(key).public_key().as_sec1()].concat(),
        ),
    ]);
    let validity = sequence(&[tlv(0x17, b"200101000000Z"), tlv(0x18, b"20500101000000Z")]);
    let body = sequence(&[
        tlv(0xa0, &tlv(0x02, &[2])),
        tlv(0x02, &[1]),
        algorithm.clone(),
        name.clone(),
        validity,
        name,
        key,
    ]);
    sequence(&[body, algorithm, tlv(0x03, &[0, 0])])
}

/// `SES_Signature` of GB/T 38540 over a digest.
fn seal(key: u8, digest: &[u8]) -> Vec<u8> {
    let certificate = certificate_of(key);
    let property = sequence(&[
        tlv(0x02, &[3]),
        tlv(0x0c, "测试章".as_bytes()),
        tlv(0x02, &[1]),
        sequence(&[tlv(0x04, &certificate)]),
    ]);
    let info = sequence(&[sequence(&[tlv(0x16, b"ES")]), tlv(0x16, b"1"), property]);
    let to_sign = sequence(&[
        tlv(0x02, &[4]),
        sequence(&[info]),
        tlv(0x18, b"20240124080000Z"),
        tlv(0x03, &[&[0][..], digest].concat()),
        tlv(0x16, b"/Doc_0/Signs/Sign_0/Signature.xml"),
    ]);
    let signature = SecretKeySigner::new(secret(key))
        .sign(&to_sign)
        .unwrap()
        .to_der();
    sequence(&[
        to_sign,
        tlv(0x04, &certificate),
        tlv(0x06, &SM2_WITH_SM3),
        tlv(0x03, &[&[0][..], &signature].concat()),
    ])
}

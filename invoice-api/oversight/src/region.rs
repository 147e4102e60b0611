//! Regions and kinds, as the first digits of numbers tell them.

use invoice_core::identity::{DocumentKey, MemberId};

/// Provinces by the first two digits of GB/T 2260, and the five cities with a plan of their own as
/// they appear in the numbers of fully digital invoices (91–95, unconfirmed): digits, 中文, English.
pub const REGIONS: [(u8, &str, &str); 36] = [
    (11, "北京", "Beijing"),
    (12, "天津", "Tianjin"),
    (13, "河北", "Hebei"),
    (14, "山西", "Shanxi"),
    (15, "内蒙古", "Inner Mongolia"),
    (21, "辽宁", "Liaoning"),
    (22, "吉林", "Jilin"),
    (23, "黑龙江", "Heilongjiang"),
    (31, "上海", "Shanghai"),
    (32, "江苏", "Jiangsu"),
    (33, "浙江", "Zhejiang"),
    (34, "安徽", "Anhui"),
    (35, "福建", "Fujian"),
    (36, "江西", "Jiangxi"),
    (37, "山东", "Shandong"),
    (41, "河南", "Henan"),
    (42, "湖北", "Hubei"),
    (43, "湖南", "Hunan"),
    (44, "广东", "Guangdong"),
    (45, "广西", "Guangxi"),
    (46, "海南", "Hainan"),
    (50, "重庆", "Chongqing"),
    (51, "四川", "Sichuan"),
    (52, "贵州", "Guizhou"),
    (53, "云南", "Yunnan"),
    (54, "西藏", "Tibet"),
    (61, "陕西", "Shaanxi"),
    (62, "甘肃", "Gansu"),
    (63, "青海", "Qinghai"),
    (64, "宁夏", "Ningxia"),
    (65, "新疆", "Xinjiang"),
    (91, "大连", "Dalian"),
    (92, "宁波", "Ningbo"),
    (93, "厦门", "Xiamen"),
    (94, "青岛", "Qingdao"),
    (95, "深圳", "Shenzhen"),
];

/// Documents whose number tells no region and whose issuer's id does not either.
pub(crate) const UNKNOWN: u8 = 0;

/// The kinds above those of invoices, which are their official codes.
pub(crate) const OUTPATIENT: u8 = 200;
pub(crate) const INPATIENT: u8 = 201;
const DIGITAL: u8 = 210;
const PAPER: u8 = 211;
const FISCAL: u8 = 212;

/// The region that a document's number tells, if it tells one.
pub(crate) fn region_of_number(document: &DocumentKey) -> Option<u8> {
    let digits = match document {
        DocumentKey::Digital(_) => document.number().get(2..4),
        DocumentKey::Fiscal { .. } => document.code()?.get(..2),
        // Codes of twelve digits begin with a zero.
        DocumentKey::Paper { .. } => match document.code()? {
            code if code.len() == 12 => code.get(1..3),
            code => code.get(..2),
        },
    };
    known(digits?)
}

/// The region that a member's id tells.
pub(crate) fn region_of_member(member: &MemberId) -> u8 {
    member.as_str().get(2..4).and_then(known).unwrap_or(UNKNOWN)
}

/// The region that a document's number tells, or else its issuer's id.
#[must_use]
pub fn region_of(document: &DocumentKey, issuer: &MemberId) -> u8 {
    region_of_number(document).unwrap_or_else(|| region_of_member(issuer))
}

fn known(digits: &str) -> Option<u8> {
    let number: u8 = digits.parse().ok()?;
    let known = REGIONS.iter().any(|(region, ..)| *region == number);
    known.then_some(number)
}

/// The names of a region, 中文 and English.
#[must_use]
pub fn region_name(region: u8) -> (&'static str, &'static str) {
    REGIONS
        .iter()
        .find(|(number, ..)| *number == region)
        .map_or(("未知", "unknown"), |(_, zh, en)| (*zh, *en))
}

/// The kind of document that a key alone tells: its family.
pub(crate) const fn family(document: &DocumentKey) -> u8 {
    match document {
        DocumentKey::Digital(_) => DIGITAL,
        DocumentKey::Paper { .. } => PAPER,
        DocumentKey::Fiscal { .. } => FISCAL,
    }
}

/// The names of a kind, 中文 and English: official codes of invoices, and what stands beside them.
#[must_use]
pub fn kind_name(kind: u8) -> (String, String) {
    let two = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
    match kind {
        0 => two("不分", "all"),
        1 => two("01 增值税专用发票", "01 VAT special"),
        2 => two("02 货物运输业增值税专用发票", "02 freight"),
        3 => two("03 机动车销售统一发票", "03 motor vehicle"),
        4 => two("04 增值税普通发票", "04 VAT ordinary"),
        8 => two("08 增值税电子专用发票", "08 electronic special"),
        10 => two("10 增值税电子普通发票", "10 electronic ordinary"),
        11 => two("11 增值税普通发票（卷式）", "11 VAT ordinary on a roll"),
        14 => two("14 通行费增值税电子普通发票", "14 electronic toll"),
        15 => two("15 二手车销售统一发票", "15 used vehicle"),
        51 => two("51 铁路电子客票", "51 railway e-ticket"),
        61 => two("61 航空运输电子客票行程单", "61 air itinerary"),
        81 => two("81 数电专票", "81 digital special"),
        82 => two("82 数电普票", "82 digital ordinary"),
        83 => two("83 数电机动车发票", "83 digital motor vehicle"),
        84 => two("84 数电二手车发票", "84 digital used vehicle"),
        85 => two("85 数电纸质专票", "85 digital special on paper"),
        86 => two("86 数电纸质普票", "86 digital ordinary on paper"),
        87 => two("87 数电纸质机动车发票", "87 digital motor vehicle on paper"),
        88 => two("88 数电纸质二手车发票", "88 digital used vehicle on paper"),
        100 => two("100 区块链电子发票", "100 blockchain"),
        OUTPATIENT => two("门诊票据", "outpatient bill"),
        INPATIENT => two("住院票据", "inpatient bill"),
        DIGITAL => two("数电发票", "fully digital"),
        PAPER => two("税控发票", "tax-control"),
        FISCAL => two("财政票据", "fiscal bill"),
        other => (format!("{other:02}"), format!("{other:02}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use invoice_core::invoice::InvoiceKind;
    use invoice_core::read::Spelled;

    #[test]
    fn every_kind_of_invoice_has_its_names() {
        for kind in InvoiceKind::ALL {
            let number: u8 = kind.code().parse().unwrap();
            let (zh, en) = kind_name(number);
            assert!(zh.starts_with(kind.code()) && !zh.is_ascii(), "{zh}");
            let words = en.strip_prefix(kind.code()).unwrap();
            assert!(words.len() > 1 && words.is_ascii(), "{en}");
        }
    }

    #[test]
    fn the_number_tells_the_region_before_the_id_does() {
        let member = MemberId::spelled("91330106MACKX4QG41").unwrap();
        for (document, region) in [
            ("D:24312000000136634917", 31),
            ("D:24952000000136634917", 95),
            ("P:011001605111-80100798", 11),
            ("P:3300194130-12345678", 33),
            ("F:44060122-0123456789", 44),
            ("D:24992000000136634917", 33),
        ] {
            let key = DocumentKey::spelled(document).unwrap();
            assert_eq!(region_of(&key, &member), region, "{document}");
        }
        assert_eq!(region_of_member(&member), 33);
    }
}

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

/// The region that a document's number tells, or else its issuer's id.
#[must_use]
pub fn region_of(document: Option<&DocumentKey>, member: &MemberId) -> u8 {
    let told = document.and_then(|document| {
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
    });
    told.or_else(|| known(member.as_str().get(2..4)?))
        .unwrap_or(UNKNOWN)
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
        4 => two("04 增值税普通发票", "04 VAT ordinary"),
        10 => two("10 增值税电子普通发票", "10 electronic ordinary"),
        81 => two("81 数电专票", "81 digital special"),
        82 => two("82 数电普票", "82 digital ordinary"),
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
    use invoice_core::read::Spelled;

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
            assert_eq!(region_of(Some(&key), &member), region, "{document}");
        }
        assert_eq!(region_of(None, &member), 33);
    }
}

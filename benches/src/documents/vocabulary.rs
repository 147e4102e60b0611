//! The words that documents are made of.

use std::sync::LazyLock;

use invoice_core::identity::MemberId;
use rand::RngExt;

use super::Dice;
use crate::spelled;

/// A place: its name and its code of administrative division (GB/T 2260).
pub struct Place {
    /// Name.
    pub name: &'static str,
    /// Six digits.
    pub division: &'static str,
}

/// A line of business.
pub struct Trade {
    /// The word for it in a company's name.
    pub word: &'static str,
    /// What is sold.
    pub goods: Vec<Good>,
}

/// Something that is sold.
pub struct Good {
    /// Name as printed: `*short name of the class*name`.
    pub name: &'static str,
    /// Specifications to choose from; none for services.
    pub specs: Vec<&'static str>,
    /// Unit.
    pub unit: &'static str,
    /// How much of it is sold at a time.
    pub sold: Sold,
    /// Rate in millionths; `None` is 免税.
    pub rate: Option<u32>,
    /// Tax classification code.
    pub tax_code: &'static str,
    /// Lowest and highest price of a unit, in fen, without tax.
    pub price: (i64, i64),
}

/// How a good is sold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sold {
    /// By the piece, up to this many.
    Pieces(i64),
    /// By weight or volume, in thousandths of the unit, up to this many units.
    Measured(i64),
    /// As a whole, without quantity and price.
    Whole,
}

/// What merchants sell, from `goods.txt`.
pub static TRADES: LazyLock<Vec<Trade>> = LazyLock::new(|| {
    let mut trades: Vec<Trade> = Vec::new();
    for line in include_str!("goods.txt").lines() {
        if let Some(word) = line.strip_prefix("## ") {
            let goods = Vec::new();
            trades.push(Trade { word, goods });
        } else if !line.starts_with('#') {
            let good = good(line);
            let trade = trades.last_mut();
            match good.zip(trade) {
                Some((good, trade)) => trade.goods.push(good),
                None => panic!("goods.txt: {line}"),
            }
        }
    }
    trades
});

/// Millionths in a hundredth.
const PERCENT: u32 = 10_000;

fn good(line: &'static str) -> Option<Good> {
    let mut fields = line.split('|');
    let name = fields.next()?;
    let specs = fields.next()?.split('/').filter(|spec| !spec.is_empty());
    let specs = specs.collect();
    let unit = fields.next()?;
    let sold = match fields.next()?.split_once(' ') {
        Some(("pieces", most)) => Sold::Pieces(most.parse().ok()?),
        Some(("measured", most)) => Sold::Measured(most.parse().ok()?),
        Some(_) => return None,
        None => Sold::Whole,
    };
    let rate = match fields.next()? {
        "免税" => None,
        percent => Some(percent.parse::<u32>().ok()? * PERCENT),
    };
    let tax_code = fields.next()?;
    let (low, high) = fields.next()?.split_once('-')?;
    Some(Good {
        name,
        specs,
        unit,
        sold,
        rate,
        tax_code,
        price: (low.parse().ok()?, high.parse().ok()?),
    })
}

/// Where members are: name and division.
pub static PLACES: LazyLock<Vec<Place>> = LazyLock::new(|| {
    let places = PLACE_LIST.split_whitespace();
    let read = |entry: &'static str| match entry.split_at_checked(6) {
        Some((division, name)) => Place { name, division },
        None => panic!("{entry}"),
    };
    places.map(read).collect()
});

const PLACE_LIST: &str = "\
    330106杭州 330203宁波 330302温州 330402嘉兴 330502湖州 330602绍兴 330702金华 330802衢州 \
    331002台州 331102丽水 440305深圳 440106广州 440604佛山 440402珠海 441900东莞 310104上海 \
    310115浦东 110108北京 110105朝阳 120101天津 320508苏州 320102南京 320205无锡 320404常州 \
    320602南通 340104合肥 340202芜湖 350203厦门 350102福州 350503泉州 360102南昌 370202青岛 \
    370102济南 410105郑州 420106武汉 430102长沙 450102南宁 460106海口 500103重庆 510107成都 \
    510703绵阳 520102贵阳 530103昆明 610113西安 620102兰州 640104银川 650102乌鲁木齐 130102石家庄 \
    140105太原 150102呼和浩特 210102沈阳 210202大连 220102长春 230102哈尔滨";

/// What clinics put on their invoices, free of tax.
pub const CARE: &[&str] = &[
    "*医疗服务*诊察费",
    "*医疗服务*口腔治疗费",
    "*医疗服务*检查费",
    "*医疗服务*化验费",
    "*医疗服务*康复治疗费",
    "*医疗服务*西药费",
    "*医疗服务*卫生材料费",
];

/// Items of an outpatient's bill (门诊收费项目).
pub const OUTPATIENT: &[(&str, &str)] = &[
    ("01", "诊察费"),
    ("02", "检查费"),
    ("03", "化验费"),
    ("04", "治疗费"),
    ("05", "手术费"),
    ("06", "卫生材料费"),
    ("07", "西药费"),
    ("08", "中药饮片"),
    ("09", "中成药费"),
    ("10", "一般诊疗费"),
    ("11", "挂号费"),
];

/// Items of an inpatient's bill (住院收费项目).
pub const INPATIENT: &[(&str, &str)] = &[
    ("01", "床位费"),
    ("02", "诊察费"),
    ("03", "检查费"),
    ("04", "化验费"),
    ("05", "治疗费"),
    ("06", "手术费"),
    ("07", "护理费"),
    ("08", "卫生材料费"),
    ("09", "西药费"),
    ("10", "中成药费"),
    ("11", "一般诊疗费"),
];

const TRADE_NAME: &[&str] = &[
    "恒", "瑞", "华", "信", "达", "盛", "嘉", "和", "锦", "泰", "宏", "远", "明", "德", "安", "康",
    "新", "源", "东", "方", "中", "天", "海", "博", "众", "联", "科", "云", "智", "诚",
];
const FORM: &[&str] = &[
    "有限公司",
    "有限公司",
    "有限公司",
    "股份有限公司",
    "有限公司分公司",
    "（普通合伙）",
];
const SURNAME: &[&str] = &[
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "郭",
    "何", "林", "高", "罗", "郑", "梁", "谢", "宋", "唐", "许", "韩", "冯", "邓", "曹", "彭", "曾",
    "肖", "田", "董", "袁", "潘", "于", "蒋", "蔡", "余", "杜", "叶", "程", "苏", "魏", "吕", "丁",
    "任", "沈", "欧阳", "上官", "诸葛", "司马",
];
const SUBJECTS: &[&str] = &["采购合同", "订单", "项目", "工单", "结算单"];
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// One of several, each as likely.
pub fn one_of<'a, T>(dice: &mut Dice, several: &'a [T]) -> &'a T {
    &several[dice.random_range(0..several.len())]
}

/// Two or three characters of a trade name (字号).
pub fn trade_name(dice: &mut Dice) -> String {
    let count = dice.random_range(2..=3);
    (0..count).map(|_| *one_of(dice, TRADE_NAME)).collect()
}

/// A company's name: place, trade name, trade, form.
pub fn company(dice: &mut Dice, place: &Place, trade: &str) -> String {
    format!(
        "{}{}{trade}{}",
        place.name,
        trade_name(dice),
        one_of(dice, FORM)
    )
}

/// A natural person, the given name masked as on documents.
pub fn person(dice: &mut Dice) -> String {
    let surname = one_of(dice, SURNAME);
    if dice.random_bool(0.2) {
        "个人".to_owned()
    } else {
        format!("{surname}**")
    }
}

/// What sellers write into the note.
pub fn note(dice: &mut Dice) -> String {
    let word = one_of(dice, SUBJECTS);
    format!(
        "{word}：{:08}；经办 {}",
        dice.random_range(0..100_000_000_u32),
        person(dice)
    )
}

/// A unified social credit code with its check character. The organisation's part begins with
/// `MA`, as all since 2015 do, so that it is never taken for a natural person's number.
pub fn member_id(dice: &mut Dice, prefix: &str, place: &Place) -> MemberId {
    let tail: String = (0..7)
        .map(|_| char::from(*one_of(dice, ALPHABET)))
        .collect();
    let first = format!("{prefix}{}MA{tail}", place.division);
    match MemberId::check_character(&first) {
        Some(check) => spelled(&format!("{first}{check}")),
        None => panic!("the generator wrote {first:?}"),
    }
}

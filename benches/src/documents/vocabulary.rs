//! The words that documents are made of.

use invoice_core::identity::MemberId;
use rand::RngExt;
use rand::rngs::StdRng;

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
    pub goods: &'static [Good],
}

/// Something that is sold.
pub struct Good {
    /// Name as printed: `*short name of the class*name`.
    pub name: &'static str,
    /// Specifications to choose from; none for services.
    pub specs: &'static [&'static str],
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

const fn good(
    name: &'static str,
    specs: &'static [&'static str],
    unit: &'static str,
    sold: Sold,
    rate: Option<u32>,
    tax_code: &'static str,
    price: (i64, i64),
) -> Good {
    Good {
        name,
        specs,
        unit,
        sold,
        rate,
        tax_code,
        price,
    }
}

/// Where members are.
pub const PLACES: &[Place] = &[
    Place {
        name: "杭州",
        division: "330106",
    },
    Place {
        name: "宁波",
        division: "330203",
    },
    Place {
        name: "温州",
        division: "330302",
    },
    Place {
        name: "深圳",
        division: "440305",
    },
    Place {
        name: "广州",
        division: "440106",
    },
    Place {
        name: "佛山",
        division: "440604",
    },
    Place {
        name: "上海",
        division: "310104",
    },
    Place {
        name: "北京",
        division: "110108",
    },
    Place {
        name: "苏州",
        division: "320508",
    },
    Place {
        name: "南京",
        division: "320102",
    },
    Place {
        name: "合肥",
        division: "340104",
    },
    Place {
        name: "成都",
        division: "510107",
    },
    Place {
        name: "武汉",
        division: "420106",
    },
    Place {
        name: "昆明",
        division: "530103",
    },
];

/// What merchants sell.
pub const TRADES: &[Trade] = &[
    Trade {
        word: "信息技术",
        goods: &[
            good(
                "*信息技术服务*软件开发",
                &[],
                "项",
                Sold::Pieces(3),
                Some(60_000),
                "3040201010000000000",
                (200_000, 9_000_000),
            ),
            good(
                "*信息技术服务*系统运维",
                &[],
                "月",
                Sold::Pieces(12),
                Some(60_000),
                "3040203000000000000",
                (80_000, 900_000),
            ),
            good(
                "*信息系统服务*云服务器租用",
                &["4核8G", "8核16G", "16核64G"],
                "台·月",
                Sold::Pieces(24),
                Some(60_000),
                "3040203010000000000",
                (9_900, 180_000),
            ),
            good(
                "*计算机外部设备*固态硬盘",
                &["1TB NVMe", "2TB NVMe", "4TB SATA"],
                "块",
                Sold::Pieces(40),
                Some(130_000),
                "1090511020000000000",
                (39_900, 219_900),
            ),
            good(
                "*计算机整机*便携式计算机",
                &["14英寸 32G+1T", "16英寸 16G+512G"],
                "台",
                Sold::Pieces(20),
                Some(130_000),
                "1090511010000000000",
                (399_900, 1_499_900),
            ),
        ],
    },
    Trade {
        word: "餐饮管理",
        goods: &[
            good(
                "*餐饮服务*餐费",
                &[],
                "次",
                Sold::Whole,
                Some(60_000),
                "3070401000000000000",
                (3_000, 380_000),
            ),
            good(
                "*餐饮服务*会议用餐",
                &["自助", "桌餐"],
                "人",
                Sold::Pieces(120),
                Some(60_000),
                "3070401000000000000",
                (6_800, 26_800),
            ),
            good(
                "*软饮料*饮用天然水",
                &["550ml×24", "1.5L×12"],
                "箱",
                Sold::Pieces(30),
                Some(130_000),
                "1030307010000000000",
                (2_400, 5_900),
            ),
        ],
    },
    Trade {
        word: "商贸",
        goods: &[
            good(
                "*纸制品*复印纸",
                &["A4 70g 500张", "A4 80g 500张", "A3 80g 500张"],
                "包",
                Sold::Pieces(200),
                Some(130_000),
                "1060105010000000000",
                (1_850, 4_600),
            ),
            good(
                "*文具*签字笔",
                &["0.5mm 黑", "0.7mm 蓝"],
                "支",
                Sold::Pieces(500),
                Some(130_000),
                "1060408010000000000",
                (95, 880),
            ),
            good(
                "*家具*办公椅",
                &["网布", "皮面"],
                "把",
                Sold::Pieces(60),
                Some(130_000),
                "1050501000000000000",
                (28_000, 159_900),
            ),
            good(
                "*通信设备*会议电话",
                &["全向麦 8米", "级联款"],
                "套",
                Sold::Pieces(6),
                Some(130_000),
                "1090503000000000000",
                (69_900, 899_900),
            ),
            good(
                "*印刷品*图书",
                &[],
                "册",
                Sold::Pieces(80),
                Some(90_000),
                "1060301010000000000",
                (1_980, 16_800),
            ),
        ],
    },
    Trade {
        word: "农产品",
        goods: &[
            good(
                "*蔬菜*番茄",
                &["一级"],
                "千克",
                Sold::Measured(900),
                None,
                "1010112000000000000",
                (280, 960),
            ),
            good(
                "*水果*苹果",
                &["80#", "85#"],
                "千克",
                Sold::Measured(600),
                None,
                "1010115010000000000",
                (420, 1_580),
            ),
            good(
                "*谷物加工品*大米",
                &["10kg", "25kg"],
                "袋",
                Sold::Pieces(300),
                Some(90_000),
                "1030101000000000000",
                (4_990, 16_900),
            ),
            good(
                "*植物油*菜籽油",
                &["5L"],
                "桶",
                Sold::Pieces(120),
                Some(90_000),
                "1030106000000000000",
                (5_990, 11_900),
            ),
        ],
    },
    Trade {
        word: "物流",
        goods: &[
            good(
                "*运输服务*陆路货物运输",
                &[],
                "吨公里",
                Sold::Measured(40_000),
                Some(90_000),
                "3010102000000000000",
                (30, 95),
            ),
            good(
                "*物流辅助服务*仓储费",
                &["恒温", "常温"],
                "立方米·天",
                Sold::Measured(5_000),
                Some(60_000),
                "3040407000000000000",
                (80, 420),
            ),
            good(
                "*物流辅助服务*收派服务费",
                &[],
                "单",
                Sold::Whole,
                Some(60_000),
                "3040409000000000000",
                (800, 90_000),
            ),
        ],
    },
    Trade {
        word: "建筑工程",
        goods: &[
            good(
                "*建筑服务*装饰工程款",
                &[],
                "项",
                Sold::Whole,
                Some(90_000),
                "3050300000000000000",
                (500_000, 60_000_000),
            ),
            good(
                "*非金属矿物制品*商品混凝土",
                &["C25", "C30", "C35"],
                "立方米",
                Sold::Measured(400),
                Some(130_000),
                "1080201000000000000",
                (38_000, 62_000),
            ),
            good(
                "*黑色金属冶炼压延品*螺纹钢",
                &["Φ12", "Φ16", "Φ25"],
                "吨",
                Sold::Measured(80),
                Some(130_000),
                "1080408000000000000",
                (320_000, 445_000),
            ),
        ],
    },
    Trade {
        word: "酒店",
        goods: &[
            good(
                "*住宿服务*住宿费",
                &["大床房", "双床房", "套房"],
                "间·夜",
                Sold::Pieces(30),
                Some(60_000),
                "3070402000000000000",
                (18_800, 168_800),
            ),
            good(
                "*会议展览服务*会议服务费",
                &[],
                "场",
                Sold::Pieces(4),
                Some(60_000),
                "3040303000000000000",
                (80_000, 3_600_000),
            ),
            good(
                "*生活服务*洗衣服务",
                &[],
                "件",
                Sold::Pieces(40),
                Some(60_000),
                "3070499000000000000",
                (900, 8_800),
            ),
        ],
    },
];

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
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "欧阳",
];
const SUBJECTS: &[&str] = &["采购合同", "订单", "项目", "工单", "结算单"];
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// One of several, each as likely.
pub fn one_of<'a, T>(dice: &mut StdRng, several: &'a [T]) -> &'a T {
    &several[dice.random_range(0..several.len())]
}

/// Two or three characters of a trade name (字号).
pub fn trade_name(dice: &mut StdRng) -> String {
    let count = dice.random_range(2..=3);
    (0..count).map(|_| *one_of(dice, TRADE_NAME)).collect()
}

/// A company's name: place, trade name, trade, form.
pub fn company(dice: &mut StdRng, place: &Place, trade: &str) -> String {
    format!(
        "{}{}{trade}{}",
        place.name,
        trade_name(dice),
        one_of(dice, FORM)
    )
}

/// A natural person, the given name masked as on documents.
pub fn person(dice: &mut StdRng) -> String {
    let surname = one_of(dice, SURNAME);
    if dice.random_bool(0.2) {
        "个人".to_owned()
    } else {
        format!("{surname}**")
    }
}

/// What sellers write into the note.
pub fn note(dice: &mut StdRng) -> String {
    let word = one_of(dice, SUBJECTS);
    format!(
        "{word}：{:08}；经办 {}",
        dice.random_range(0..100_000_000_u32),
        person(dice)
    )
}

/// A unified social credit code with its check character. The organisation's part begins with
/// `MA`, as all since 2015 do, so that it is never taken for a natural person's number.
pub fn member_id(dice: &mut StdRng, prefix: &str, place: &Place) -> MemberId {
    let tail: String = (0..7)
        .map(|_| char::from(*one_of(dice, ALPHABET)))
        .collect();
    let first = format!("{prefix}{}MA{tail}", place.division);
    match MemberId::check_character(&first) {
        Some(check) => spelled(&format!("{first}{check}")),
        None => panic!("the generator wrote {first:?}"),
    }
}

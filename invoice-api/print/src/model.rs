//! A page: runs of text, lines and the QR code, each with its place.

/// A length in micrometres: integers, so that the same document has the same bytes everywhere.
pub type Um = i32;

/// A colour, red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Colour(pub u8, pub u8, pub u8);

impl Colour {
    /// The brown-red of the form of an invoice.
    pub const INVOICE: Self = Self(156, 82, 35);
    /// The red of the form of a medical bill.
    pub const BILL: Self = Self(200, 48, 40);
    /// What is filled in.
    pub const BLACK: Self = Self(0, 0, 0);
    /// Captions that are no part of the form.
    pub const GREY: Self = Self(96, 96, 96);
}

/// What a text is, for readers that look for fields and not for places: the element of the tax OFD
/// that has the same value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tag {
    /// 发票代码 or 票据代码.
    Code,
    /// 发票号码 or 票据号码.
    Number,
    /// 校验码.
    CheckCode,
    /// 开票日期.
    Date,
    /// 购买方名称.
    BuyerName,
    /// 购买方纳税人识别号.
    BuyerId,
    /// 销售方名称 or 收款单位.
    SellerName,
    /// 销售方纳税人识别号.
    SellerId,
    /// 合计金额.
    WithoutTax,
    /// 合计税额.
    Tax,
    /// 价税合计 or 金额合计.
    Total,
    /// The same in words.
    TotalInWords,
    /// 备注.
    Note,
    /// 项目名称 of a line.
    LineName,
    /// 规格型号 of a line.
    LineSpec,
    /// 单位 of a line.
    LineUnit,
    /// 数量 of a line.
    LineQuantity,
    /// 单价 of a line.
    LinePrice,
    /// 金额 of a line.
    LineAmount,
    /// 税率 of a line.
    LineRate,
    /// 税额 of a line.
    LineTax,
}

impl Tag {
    /// Whether it stands once per line of the document, and not once for all.
    #[must_use]
    pub const fn is_of_line(self) -> bool {
        match self {
            Self::LineName
            | Self::LineSpec
            | Self::LineUnit
            | Self::LineQuantity
            | Self::LinePrice
            | Self::LineAmount
            | Self::LineRate
            | Self::LineTax => true,
            Self::Code
            | Self::Number
            | Self::CheckCode
            | Self::Date
            | Self::BuyerName
            | Self::BuyerId
            | Self::SellerName
            | Self::SellerId
            | Self::WithoutTax
            | Self::Tax
            | Self::Total
            | Self::TotalInWords
            | Self::Note => false,
        }
    }
}

/// One run of text in one font on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Left end.
    pub x: Um,
    /// Base line, from the top of the page.
    pub y: Um,
    /// Height of an em.
    pub size: Um,
    /// Its colour.
    pub colour: Colour,
    /// Which of the fonts has its characters.
    pub face: usize,
    /// The characters.
    pub content: String,
    /// How far each character moves the pen.
    pub advances: Vec<Um>,
    /// What it is.
    pub tag: Option<Tag>,
}

impl Text {
    /// From the left end to the right end.
    #[must_use]
    pub fn width(&self) -> Um {
        self.advances.iter().sum()
    }
}

/// Something on a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Characters.
    Text(Text),
    /// A straight line.
    Line {
        /// From.
        from: (Um, Um),
        /// To.
        to: (Um, Um),
        /// Its thickness.
        width: Um,
        /// Its colour.
        colour: Colour,
    },
    /// The QR code of the document's link, its quiet zone not included.
    Qr {
        /// Left edge.
        x: Um,
        /// Upper edge.
        y: Um,
        /// Edge of the whole.
        size: Um,
    },
}

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its width.
    pub width: Um,
    /// Its height.
    pub height: Um,
    /// What is on it, in the order in which it is drawn.
    pub items: Vec<Item>,
}

impl Page {
    /// The runs of text.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        self.items.iter().filter_map(|item| match item {
            Item::Text(text) => Some(text),
            Item::Line { .. } | Item::Qr { .. } => None,
        })
    }
}

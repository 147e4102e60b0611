//! What each fault of shape means and what to do next, in Chinese and English.

use super::catalogue::Explanation;
use super::shape::ShapeCode;

impl ShapeCode {
    /// What it means, in both languages.
    #[must_use]
    pub const fn explanation(self) -> Explanation {
        match self {
            Self::BodyTooLarge => Explanation::new(
                "请求正文超过 4 MiB",
                "the request's body is larger than 4 MiB",
                "请分成几次提交",
                "send it in several requests",
            ),
            Self::BatchTooLarge => Explanation::new(
                "一批超过 1000 条记录",
                "the batch has more than 1,000 records",
                "请分成几批提交，每批至多 1000 条",
                "send several batches of at most 1,000 records",
            ),
            Self::RecordTooLarge => Explanation::new(
                "记录超过 16 KiB",
                "the record is larger than 16 KiB",
                "请精简备注或加密部分，明细过多请分开开票",
                "shorten the note or the sealed part, or split the document",
            ),
            Self::NotUtf8 => Explanation::new(
                "内容不是 UTF-8，或以字节顺序标记（BOM）开头",
                "the text is not UTF-8, or begins with a byte order mark",
                "请用不带 BOM 的 UTF-8 编码；不要用 GBK",
                "encode it in UTF-8 without a byte order mark, not in GBK",
            ),
            Self::NotJson => Explanation::new(
                "内容不是单个完整的 JSON 值",
                "the text is not one complete JSON value",
                "请检查所指位置附近的引号、逗号和括号，其后不得有多余内容",
                "check quotes, commas and brackets near the place named; nothing may follow the value",
            ),
            Self::TooDeep => Explanation::new(
                "对象、数组嵌套过深",
                "objects and arrays stand too deep in one another",
                "请按接口文档的结构提交，记录至多嵌套 8 层",
                "keep to the contract's structure; a record has at most 8 levels",
            ),
            Self::DuplicateMember => Explanation::new(
                "同一对象中成员重名",
                "an object names a member twice",
                "每个成员只写一次",
                "write each member once",
            ),
            Self::WrongType => Explanation::new(
                "值的 JSON 类型不正确",
                "the value is of another JSON type than the contract's",
                "金额、数量、税率请写成字符串，如 \"100.00\"；可选项请省略，不写 null",
                "write amounts, quantities and rates as strings, such as \"100.00\"; leave optional members out instead of null",
            ),
            Self::MissingMember => Explanation::new(
                "缺少必填成员",
                "a member that must be there is absent",
                "请补上所指成员",
                "add the member named",
            ),
            Self::UnknownMember => Explanation::new(
                "有接口未定义的成员",
                "the contract knows no such member",
                "请检查拼写和大小写，或删去该成员",
                "check its spelling and case, or take it out",
            ),
            Self::UnknownType => Explanation::new(
                "没有这种记录类型",
                "the contract knows no such record type",
                "请检查 type，如 invoice.issue、bill.issue、claim.lock",
                "check `type`, for instance invoice.issue, bill.issue or claim.lock",
            ),
            Self::MembersConflict => Explanation::new(
                "有成员不能同时出现，或缺少所依赖的成员",
                "members exclude each other, or one lacks the other that it needs",
                "record 与 records 二选一，atomic 只与 records 同用；查验项的 qr、xml、document 三选一",
                "send `record` or `records`, `atomic` with `records` only; an item of a check has one of `qr`, `xml` and `document`",
            ),
            Self::BatchEmpty => Explanation::new(
                "批次中没有记录",
                "the batch has no records",
                "请至少放入一条记录",
                "put at least one record into it",
            ),
        }
    }
}

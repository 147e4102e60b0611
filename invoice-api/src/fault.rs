//! Refusals of the interface itself: of a request, before any rule of the registry is asked.

use crate::registry::UnavailableReason;

/// Declares [`Fault`] with the stable code and both texts of each variant beside it.
macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $zh:literal, $en:literal;)*) => {
        /// Why a request was not answered as asked. Codes are permanent.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Fault { $($(#[$doc])* $name,)* }

        impl Fault {
            /// Every fault, in the order of the catalogue.
            pub const ALL: &'static [Fault] = &[$(Fault::$name,)*];

            /// The stable snake_case code that stands in answers.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Fault::$name => $code,)* }
            }

            /// What to tell a reader of Chinese.
            #[must_use]
            pub const fn zh(self) -> &'static str {
                match self { $(Fault::$name => $zh,)* }
            }

            /// What to tell a reader of English.
            #[must_use]
            pub const fn en(self) -> &'static str {
                match self { $(Fault::$name => $en,)* }
            }
        }
    };
}

faults! {
    /// The request cannot be read as HTTP of this interface.
    BadRequest = "bad_request", "请求无法识别。", "The request cannot be read.";
    /// A query parameter is unknown, repeated, missing or badly spelt.
    QueryInvalid = "query_invalid",
        "查询参数未知、重复、缺失或书写不正确。",
        "A query parameter is unknown, repeated, missing or badly spelt.";
    /// A cursor that this registry did not give out.
    CursorInvalid = "cursor_invalid",
        "游标不是本登记系统给出的。", "The cursor is not one that this registry gave out.";
    /// A list of check items with nothing in it.
    ItemsEmpty = "items_empty", "查验清单为空。", "The list of items is empty.";
    /// More than 1,000 check items.
    TooManyItems = "too_many_items",
        "一次最多查验 1,000 项。", "At most 1,000 items can be checked at once.";
    /// The request line and headers are larger than 16 KiB.
    HeadTooLarge = "head_too_large",
        "请求行与请求头超过 16 KiB。", "The request line and headers are larger than 16 KiB.";
    /// The body did not arrive in time.
    RequestTimeout = "request_timeout",
        "请求内容未在规定时间内到达。", "The body did not arrive in time.";
    /// The text of a QR code is not one of an invoice.
    QrSpelling = "qr_spelling",
        "二维码内容不是发票二维码。", "The text is not that of an invoice's QR code.";
    /// An XML file is not one invoice or fiscal bill.
    XmlUnreadable = "xml_unreadable",
        "XML 文件不是一张数电票或财政电子票据。",
        "The XML file is not one fully digital invoice or fiscal bill.";
    /// Nothing stands at this address, or nothing that the asker may see.
    NotFound = "not_found", "没有此内容，或您无权查看。", "There is no such thing, or not for you.";
    /// The node keeps no figures of the whole chain.
    NoFigures = "no_figures",
        "本节点未开启监管统计，请向监管节点查询。",
        "This node keeps no figures; ask a supervising node.";
    /// This registry tells nobody by webhooks.
    NoWebhooks = "no_webhooks",
        "本节点未开启推送。", "This node sends no webhooks.";
    /// The body of a request about a webhook is not of the shape that is asked for.
    WebhookBody = "webhook_body",
        "请求体应为 {\"url\"：地址, \"events\"?：[事件], \"description\"?：说明}，重放为 {\"after\"：高度}，其余为空。",
        "The body is {\"url\", \"events\"?, \"description\"?}, of a replay {\"after\": height}, else empty.";
    /// The name of an endpoint is badly spelt.
    WebhookIdSpelling = "webhook_id_spelling",
        "推送名称应为 1 至 32 个 a-z、0-9 或 -。", "The name of an endpoint is 1 to 32 of a-z 0-9 -.";
    /// The URL is not one that messages go to.
    WebhookUrlRefused = "webhook_url_refused",
        "不能向此地址推送：须为公网 https 地址，不含用户名与片段，端口为 443 或不小于 1024，至多 1,024 字节。",
        "Messages do not go to this URL: it must be public https without user name and fragment, on port 443 or from 1024 on, of at most 1,024 bytes.";
    /// An event that there is not, none at all, or one twice.
    WebhookEventsRefused = "webhook_events_refused",
        "事件名未知、重复或清单为空；全部事件请省略 events。",
        "An event is unknown or named twice, or there is none; leave events out for all.";
    /// The description is too long.
    WebhookDescription = "webhook_description",
        "说明至多 200 字，不含控制字符。", "A description has at most 200 characters and no control characters.";
    /// The member has as many endpoints as it may have, or the node as many as it takes.
    TooManyWebhooks = "too_many_webhooks",
        "推送地址已达上限：每成员 10 个，每节点 10,000 个。",
        "There are as many endpoints as there may be: 10 of a member, 10,000 of a node.";
    /// The address has no such method.
    MethodNotAllowed = "method_not_allowed",
        "此地址不支持该方法。", "The address does not have this method.";
    /// A batch that is all or nothing had a record that failed.
    BatchFailed = "batch_failed",
        "整批提交中有记录未通过，整批未被接受。",
        "A record of the all-or-nothing batch failed, so none was accepted.";
    /// A ledger has more rows than are written into one file.
    LedgerTooLong = "ledger_too_long",
        "台账超过 10,000 行，请按状态或日期分别导出，或用 GET /v1/claims 分页读取。",
        "The ledger has more than 10,000 rows: export by state or by days, or page through GET /v1/claims.";
    /// The budget is spent.
    RateLimited = "rate_limited",
        "请求过于频繁，超出额度。", "Too much was asked in too short a time.";
    /// The queues are full.
    Overloaded = "overloaded", "系统繁忙，请稍后重试。", "The registry is busy; try again later.";
    /// Too few validators answer.
    NoQuorum = "no_quorum",
        "验证节点不足，暂时无法确认。结果可能稍后产生，可原样重发。",
        "Too few validators answer. The outcome may still come; the same bytes may be sent again.";
    /// The disk is nearly full.
    LowDisk = "low_disk",
        "磁盘空间不足，暂停接收。", "The disk is nearly full; nothing new is taken.";
    /// A write or sync failed.
    StorageFailed = "storage_failed", "存储故障，暂停服务。", "The storage failed.";
    /// The node is shutting down.
    Stopping = "stopping", "节点正在停止。", "The node is shutting down.";
    /// A bug.
    Internal = "internal_error", "内部错误。", "An internal error.";
}

impl From<UnavailableReason> for Fault {
    fn from(reason: UnavailableReason) -> Self {
        match reason {
            UnavailableReason::Overloaded => Self::Overloaded,
            UnavailableReason::NoQuorum => Self::NoQuorum,
            UnavailableReason::LowDisk => Self::LowDisk,
            UnavailableReason::StorageFailed => Self::StorageFailed,
            UnavailableReason::Stopping => Self::Stopping,
        }
    }
}

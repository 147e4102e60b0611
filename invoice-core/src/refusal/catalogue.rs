//! The catalogue of codes: what each means and what to do next, in Chinese and English.
//!
//! A new refusal does not compile until someone has written its texts here.

pub use super::catalogue_page::markdown;
use super::{AuthenticationError, Forbidden, Rejection, Rule, ShapeCode};
use crate::calendar::Instant;
use crate::money::Fen;

/// What a code means and what to do about it, in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What happened, in Chinese.
    pub zh: &'static str,
    /// What happened, in English.
    pub en: &'static str,
    /// What to do next, in Chinese.
    pub hint_zh: &'static str,
    /// What to do next, in English.
    pub hint_en: &'static str,
}

/// A language of the texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// 中文
    #[default]
    Chinese,
    /// English
    English,
}

impl Explanation {
    pub(super) const fn new(
        zh: &'static str,
        en: &'static str,
        hint_zh: &'static str,
        hint_en: &'static str,
    ) -> Self {
        Self {
            zh,
            en,
            hint_zh,
            hint_en,
        }
    }

    /// What happened.
    #[must_use]
    pub const fn text(&self, language: Language) -> &'static str {
        match language {
            Language::Chinese => self.zh,
            Language::English => self.en,
        }
    }

    /// What to do next.
    #[must_use]
    pub const fn hint(&self, language: Language) -> &'static str {
        match language {
            Language::Chinese => self.hint_zh,
            Language::English => self.hint_en,
        }
    }
}

/// At which step of the contract's order a code stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// 400, 413: not the contract's shape.
    Shape,
    /// 401: who signed cannot be established.
    Authentication,
    /// 403: the signer may not do this.
    Right,
    /// 422: a rule of the record's own values.
    Rule,
    /// 409: a rule of recorded state.
    State,
}

/// A code of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The stable code.
    pub code: &'static str,
    /// Where it stands in the order of checks.
    pub class: Class,
    /// What it means.
    pub explanation: Explanation,
}

/// Every code that a record can be answered with, in order of precedence.
#[must_use]
pub fn catalogue() -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut add = |class, code, explanation| {
        entries.push(Entry {
            code,
            class,
            explanation,
        })
    };
    for code in ShapeCode::ALL.iter().copied() {
        add(Class::Shape, code.code(), code.explanation());
    }
    for error in AuthenticationError::ALL {
        add(Class::Authentication, error.code(), error.explanation());
    }
    for forbidden in Forbidden::ALL {
        add(Class::Right, forbidden.code(), forbidden.explanation());
    }
    for rule in Rule::ALL.iter().copied() {
        add(Class::Rule, rule.code(), rule.explanation());
    }
    for rejection in examples() {
        add(Class::State, rejection.code(), rejection.explanation());
    }
    // `id_reused` is a refusal that is not recorded, so it is no `Rejection`.
    add(Class::State, ID_REUSED, ID_REUSED_EXPLANATION);
    entries
}

/// Looks a code up.
#[must_use]
pub fn explain(code: &str) -> Option<Entry> {
    catalogue().into_iter().find(|entry| entry.code == code)
}

/// The code of a record whose id the member used for other bytes.
pub const ID_REUSED: &str = "id_reused";

const ID_REUSED_EXPLANATION: Explanation = Explanation::new(
    "该记录编号已用于内容不同的另一条记录",
    "this id was used for another record with other bytes",
    "请为新记录换用新的 id；若要取回原结果，请原样重发原记录",
    "take a new id for the new record; to get the first answer back, send the first bytes again",
);

impl AuthenticationError {
    /// What it means, in both languages.
    #[must_use]
    pub const fn explanation(self) -> Explanation {
        match self {
            Self::AuthorizationMissing => Explanation::new(
                "请求未带签名",
                "the request carries no signature",
                "请按 SM2-WITH-SM3 格式添加 Authorization 请求头",
                "add an Authorization header in the SM2-WITH-SM3 layout",
            ),
            Self::AuthorizationMalformed => Explanation::new(
                "Authorization 请求头格式不正确",
                "the Authorization header has not the layout of the contract",
                "格式：SM2-WITH-SM3 kid=\"…\",timestamp=\"…\",nonce=\"…\",signature=\"…\"",
                "the layout is SM2-WITH-SM3 kid=\"…\",timestamp=\"…\",nonce=\"…\",signature=\"…\"",
            ),
            Self::KidMalformed => Explanation::new(
                "kid 不是 32 位小写十六进制数",
                "the kid is not 32 lower-case hexadecimal digits",
                "kid 为公钥（65 字节未压缩格式）SM3 值的前 16 字节",
                "the kid is the first 16 bytes of SM3 over the uncompressed public key",
            ),
            Self::SignatureMalformed => Explanation::new(
                "签名编码不正确",
                "the signature is not encoded as the contract says",
                "请使用 r||s（64 字节）、r||s||v（65 字节）或 DER 的 base64 编码",
                "send base64 of r||s (64 bytes), r||s||v (65 bytes) or DER",
            ),
            Self::KeyUnknown => Explanation::new(
                "没有登记过该密钥",
                "no key with this kid is registered",
                "请核对 kid，或由主管机关登记该密钥",
                "check the kid, or have the key registered by an authority",
            ),
            Self::KeyNotOfMember => Explanation::new(
                "该密钥不属于记录 by 所指的成员",
                "the key does not belong to the member named in `by`",
                "请使用本成员登记的密钥签名",
                "sign with a key that is registered for this member",
            ),
            Self::TimestampOutOfRange => Explanation::new(
                "请求时间与服务器时间相差超过 300 秒",
                "the request's timestamp is more than 300 s away from the server's clock",
                "请校准时钟；应答中给出了服务器时间",
                "set the clock right; the answer carries the server's time",
            ),
            Self::NonceReused => Explanation::new(
                "该随机串已用过",
                "the nonce was seen before",
                "每个请求请使用新的随机串",
                "take a new nonce for every request",
            ),
            Self::SignatureInvalid => Explanation::new(
                "签名验证不通过",
                "the signature does not verify",
                "请对所发送的原始字节签名，用户标识须为 1234567812345678",
                "sign the exact bytes that are sent, with user id 1234567812345678",
            ),
            Self::KeyRevoked => Explanation::new(
                "该密钥已吊销",
                "the key was revoked",
                "请使用有效的密钥签名",
                "sign with a key that is in force",
            ),
            Self::KeyExpired => Explanation::new(
                "该密钥已过有效期",
                "the key has expired",
                "请登记新密钥后重新签名",
                "register a new key and sign with it",
            ),
        }
    }
}

impl Forbidden {
    /// What it means, in both languages.
    #[must_use]
    pub const fn explanation(self) -> Explanation {
        match self {
            Self::MemberSuspended => Explanation::new(
                "该成员已被暂停",
                "the member is suspended",
                "请联系主管机关恢复",
                "ask the authority to resume the member",
            ),
            Self::RoleMissing => Explanation::new(
                "该成员的角色不能提交此类请求",
                "none of the member's roles allows this",
                "请由具备相应角色的成员提交",
                "have a member with the role do it",
            ),
            Self::ClaimKindNotAllowed => Explanation::new(
                "该成员的角色不能以此种类报销",
                "the member's roles do not allow this kind of claim",
                "用人单位用 employer，商业保险用 commercial，医保部门用 basic、supplement",
                "employers claim `employer`, insurers `commercial`, health authorities `basic` or `supplement`",
            ),
            Self::IssuerIsNotSigner => Explanation::new(
                "票面的销售方（开票单位）不是签名的成员",
                "the seller or issuer on the document is not the member that signs",
                "只能开具以本单位为销售方的票据",
                "issue documents of your own only",
            ),
            Self::KeyOfAnotherMember => Explanation::new(
                "不能管理其他成员的密钥",
                "keys of another member are not yours to manage",
                "请由该成员或主管机关提交",
                "have the member or an authority do it",
            ),
            Self::AuthorityProtected => Explanation::new(
                "税务、财政机关的加入、暂停与换钥不能由单方决定",
                "neither bureau alone admits, suspends or re-keys a tax or finance authority",
                "须由两方机关共同签署",
                "it takes the signatures of both bureaus' authorities",
            ),
        }
    }
}

impl Rejection {
    /// What it means, in both languages.
    #[must_use]
    pub const fn explanation(&self) -> Explanation {
        match self {
            Self::MemberExists => Explanation::new(
                "该成员已存在",
                "the member exists already",
                "如需更换密钥，请用 key.add",
                "to give it another key, use key.add",
            ),
            Self::MemberUnknown => Explanation::new(
                "没有这个成员",
                "there is no such member",
                "请核对统一社会信用代码，或先办理加入",
                "check the social credit code, or admit the member first",
            ),
            Self::KidExists => Explanation::new(
                "该密钥已登记过",
                "the key is registered already",
                "请生成新的密钥",
                "make a new key",
            ),
            Self::KeyNotFound => Explanation::new(
                "该成员没有这个密钥",
                "the member has no such key",
                "请核对 kid",
                "check the kid",
            ),
            Self::KeyAlreadyRevoked => Explanation::new(
                "该密钥此前已吊销",
                "the key was revoked before",
                "无需再次吊销",
                "nothing is left to do",
            ),
            Self::KeyExpiryPast => Explanation::new(
                "密钥有效期已过",
                "the key's not_after lies in the past",
                "请给出将来的有效期，或不填",
                "give a date to come, or none",
            ),
            Self::MemberAlreadySuspended => Explanation::new(
                "该成员已处于暂停状态",
                "the member is suspended already",
                "无需再次暂停",
                "nothing is left to do",
            ),
            Self::MemberNotSuspended => Explanation::new(
                "该成员未被暂停",
                "the member is not suspended",
                "无需恢复",
                "nothing is left to do",
            ),
            Self::MemberNotIssuer => Explanation::new(
                "该成员不是开票单位，不设额度",
                "the member issues nothing, so it has no quota",
                "额度只对商户和医院设定",
                "quotas are for merchants and hospitals",
            ),
            Self::DocumentExists { .. } => Explanation::new(
                "同号同内容的票据已登记",
                "the document is recorded already, with the same content",
                "无需重复开具；应答中给出首次登记的位置",
                "do not issue it again; the answer names the first record",
            ),
            Self::DocumentConflict { .. } => Explanation::new(
                "同号票据已登记，但内容不同",
                "a document with this number is recorded with other content",
                "请核对号码；更正须冲红后重开",
                "check the number; a correction takes a reversal and a new document",
            ),
            Self::IdentityTaken => Explanation::new(
                "该号码已作为另一票据的第二号码或红字号码",
                "the number is another document's second identity or a red-letter number",
                "请核对号码",
                "check the number",
            ),
            Self::IssueDateInFuture { .. } => Explanation::new(
                "开票日期晚于今天",
                "the date of issue lies in the future",
                "请按东八区当日或更早日期开具",
                "date the document today (UTC+8) or earlier",
            ),
            Self::QuotaExceeded { .. } => Explanation::new(
                "超出本月开票额度",
                "the monthly quota is exceeded",
                "请向税务机关申请调整额度",
                "ask the tax authority for a larger quota",
            ),
            Self::DocumentUnknown => Explanation::new(
                "没有这张票据",
                "there is no such document",
                "请核对票据号码",
                "check the document's number",
            ),
            Self::NotIssuer => Explanation::new(
                "不是该票据的开具方",
                "you did not issue this document",
                "请由开具方提交",
                "have the issuer do it",
            ),
            Self::NotBuyer => Explanation::new(
                "不是该票据的购买方",
                "you are not the buyer named on this document",
                "请由票面购买方提交",
                "have the buyer do it",
            ),
            Self::DocumentFrozen => Explanation::new(
                "该票据已被冻结",
                "the document is frozen",
                "请向冻结的主管机关查询",
                "ask the authority that froze it",
            ),
            Self::DocumentAlreadyFrozen => Explanation::new(
                "该票据已处于冻结状态",
                "the document is frozen already",
                "无需再次冻结",
                "nothing is left to do",
            ),
            Self::DocumentNotFrozen => Explanation::new(
                "该票据未被冻结",
                "the document is not frozen",
                "无需解冻",
                "nothing is left to do",
            ),
            Self::DocumentReversed => Explanation::new(
                "该票据已全额冲红",
                "the document was reversed as a whole",
                "请向开具方索取新票",
                "ask the issuer for a new document",
            ),
            Self::DocumentOverClaimed => Explanation::new(
                "冲红后已报销金额超出余额",
                "settlements exceed what reversals left",
                "须先由已报销单位撤销超出部分",
                "those who were paid have to take the excess back first",
            ),
            Self::ReversalMustBeWhole { .. } => Explanation::new(
                "该票据只能全额冲红",
                "this document can only be reversed as a whole",
                "医疗票据及“开票有误”须按票面总额冲红",
                "bills and reason 01 take the whole total",
            ),
            Self::ReversalExceedsRemaining { .. } => Explanation::new(
                "冲红金额超出可冲余额",
                "the reversal takes more than is left",
                "请减小金额",
                "ask for less",
            ),
            Self::ReversalNotConfirmed { .. } => Explanation::new(
                "尚有已锁定或已报销的单位未确认冲红",
                "a member with a lock or a settlement has not confirmed this reversal",
                "请其在 72 小时内以相同金额确认后再冲红",
                "have them confirm the same amount, then reverse within 72 h",
            ),
            Self::NothingToConfirm => Explanation::new(
                "本单位在该票据上没有锁定或报销",
                "you hold neither a lock nor a settlement on this document",
                "无需确认",
                "nothing is left to do",
            ),
            Self::AliasNotApplicable => Explanation::new(
                "该票据不能有这种第二号码",
                "a document of this kind has no second identity of that form",
                "数电票对应纸质代码号码，财政票据对应纸质票据号",
                "digital invoices take a paper code and number, bills another bill number",
            ),
            Self::DocumentInUse => Explanation::new(
                "该票据已锁定或报销，不能换开纸质",
                "the bill is locked or claimed and cannot be re-issued on paper",
                "请先解锁或撤销报销",
                "release or reverse the claims first",
            ),
            Self::ReissuedOnPaper => Explanation::new(
                "该票据已换开纸质票据",
                "the bill was re-issued on paper",
                "请按纸质票据号码报销",
                "claim it by the paper's number",
            ),
            Self::TooManyAliases => Explanation::new(
                "该票据的第二号码已达上限",
                "the document has as many second identities as it may have",
                "请冲红后重开",
                "reverse it and issue a new one",
            ),
            Self::ClaimantNotEntitled => Explanation::new(
                "不是购买方，也没有分割单",
                "you are neither the buyer nor the holder of a share",
                "请由购买方报销，或由其出具分割单",
                "have the buyer claim, or grant you a share",
            ),
            Self::ClaimKindNotApplicable => Explanation::new(
                "该种类只用于医疗票据",
                "claims of this kind apply to medical documents only",
                "请核对报销种类",
                "check the kind of claim",
            ),
            Self::DirectlySettled => Explanation::new(
                "基本医保已直接结算",
                "the basic insurance has settled this document directly",
                "不能再次零星报销",
                "it cannot be claimed from it again",
            ),
            Self::ComponentNotApplicable => Explanation::new(
                "该票据没有自付、自费划分",
                "the document has no payment split",
                "请不要指定费用类别",
                "claim without a component",
            ),
            Self::ExpiryOutOfRange { .. } => Explanation::new(
                "锁定到期时间不在允许范围",
                "the lock's expiry is out of range",
                "须晚于当前区块时间且不超过 30 天",
                "it has to lie after block time, by at most 30 days",
            ),
            Self::AlreadyClaimed => Explanation::new(
                "该票据已全部报销",
                "everything on this document is claimed already",
                "同一笔钱不能报销两次",
                "the same money is not paid twice",
            ),
            Self::AlreadyLocked => Explanation::new(
                "该票据余额已被锁定",
                "nothing is free: the rest of this document is locked",
                "请在锁定释放或到期后再试",
                "try again after the lock is released or expires",
            ),
            Self::ClaimExceedsRemaining { .. } => Explanation::new(
                "金额超出可报销余额",
                "the amount exceeds what is left to claim",
                "请按余额申请",
                "ask for no more than what is left",
            ),
            Self::ComponentExceeded { .. } => Explanation::new(
                "金额超出该费用类别的余额",
                "the amount exceeds what is left of the component",
                "请按该类别余额申请",
                "ask for no more than what is left of it",
            ),
            Self::TooManyClaims => Explanation::new(
                "该票据上的有效报销已达上限",
                "the document carries as many claims as it may",
                "请在有锁定结束后再试",
                "try again after a lock has ended",
            ),
            Self::ClaimNotFound => Explanation::new(
                "本单位没有这笔报销",
                "you have no such claim",
                "claim 应为本单位锁定记录的 id",
                "`claim` is the id of your own lock record",
            ),
            Self::ClaimIsReference => Explanation::new(
                "参考性记录不占用金额",
                "the claim is a reference and holds no money",
                "无需报销、解锁或撤销",
                "there is nothing to settle, release or reverse",
            ),
            Self::ClaimReleased => Explanation::new(
                "该锁定已释放",
                "the lock was released",
                "请重新锁定",
                "lock it anew",
            ),
            Self::ClaimExpired { .. } => Explanation::new(
                "该锁定已到期",
                "the lock has expired",
                "请重新锁定",
                "lock it anew",
            ),
            Self::ClaimAlreadySettled => Explanation::new(
                "该锁定已报销",
                "the lock was settled before",
                "每个锁定只能报销一次",
                "a lock is settled once",
            ),
            Self::ClaimNotSettled => Explanation::new(
                "该笔尚未报销",
                "the claim was never settled",
                "未报销的锁定请用 claim.release",
                "a lock that is not settled is given back by claim.release",
            ),
            Self::ClaimReversed => Explanation::new(
                "该笔报销已全部撤销",
                "the settlement was taken back before",
                "无需再次撤销",
                "nothing is left to do",
            ),
            Self::BookedInFuture { .. } => Explanation::new(
                "入账日期晚于今天",
                "the booking date lies in the future",
                "请按东八区当日或更早日期",
                "date it today (UTC+8) or earlier",
            ),
            Self::SettleExceedsLock { .. } => Explanation::new(
                "报销金额超出锁定金额",
                "the settlement is larger than its lock",
                "请按锁定金额或更小金额报销",
                "settle at most the amount of the lock",
            ),
            Self::ReverseExceedsSettlement { .. } => Explanation::new(
                "撤销金额超出已报销金额",
                "more is to be taken back than is settled",
                "请减小金额",
                "ask for less",
            ),
            Self::ShareExceedsRemaining { .. } => Explanation::new(
                "分割金额超出本单位剩余金额",
                "the share is larger than what is left to you",
                "请减小金额",
                "grant less",
            ),
            Self::TooManyShares => Explanation::new(
                "该票据的分割单已达上限",
                "the document has as many share holders as it may have",
                "不能再分割",
                "it cannot be split further",
            ),
            Self::BatchAborted => Explanation::new(
                "同一原子批次中的其他记录未通过",
                "another record of the same atomic batch failed",
                "请改正该记录后，以新的 id 重新提交整批",
                "mend that record and send the batch again with new ids",
            ),
            Self::ValidatorsNotCurrent => Explanation::new(
                "replaces 不是最新验证者集的摘要",
                "`replaces` is not the digest of the newest validators",
                "请读取当前验证者集，由两局对新的变更重新签署",
                "read the validators as they are now, and have both bureaus sign a change of them",
            ),
            Self::ValidatorsChangePending { .. } => Explanation::new(
                "已有一项验证者变更尚未生效",
                "a change of the validators is recorded and not in effect yet",
                "请待该变更在 from_height 生效后再提交",
                "wait until it takes effect at `from_height`",
            ),
            Self::FromHeightTooEarly { .. } => Explanation::new(
                "生效高度过早",
                "the new validators would decide too early",
                "from_height 至少为记录所在区块高度加 2；请留出提交所需的余量",
                "`from_height` is at least the height of the record's block plus 2; leave some room",
            ),
            Self::FromHeightTooLate { .. } => Explanation::new(
                "生效高度过晚",
                "the new validators would decide too late",
                "from_height 至多为记录所在区块高度加 1000000",
                "`from_height` is at most the height of the record's block plus 1,000,000",
            ),
            Self::TooManyValidatorChanges => Explanation::new(
                "本链的验证者变更次数已达上限",
                "the validators of this chain were changed as often as may be",
                "回执须附全部变更；请在下一年度的新链中变更",
                "receipts carry every change; make the next one in the genesis file of a new chain",
            ),
        }
    }
}

/// One of each refusal, in order of precedence.
pub(super) fn examples() -> Vec<Rejection> {
    let (zero, text) = (Fen::ZERO, String::new);
    let time = Instant::from_ms(0);
    vec![
        Rejection::MemberExists,
        Rejection::MemberUnknown,
        Rejection::KidExists,
        Rejection::KeyNotFound,
        Rejection::KeyAlreadyRevoked,
        Rejection::KeyExpiryPast,
        Rejection::MemberAlreadySuspended,
        Rejection::MemberNotSuspended,
        Rejection::MemberNotIssuer,
        Rejection::DocumentExists { first_index: 0 },
        Rejection::DocumentConflict { fields: Vec::new() },
        Rejection::IdentityTaken,
        Rejection::IssueDateInFuture { today: text() },
        Rejection::QuotaExceeded {
            limit: zero,
            used: zero,
            asked: zero,
        },
        Rejection::DocumentUnknown,
        Rejection::NotIssuer,
        Rejection::NotBuyer,
        Rejection::DocumentFrozen,
        Rejection::DocumentAlreadyFrozen,
        Rejection::DocumentNotFrozen,
        Rejection::DocumentReversed,
        Rejection::DocumentOverClaimed,
        Rejection::NothingToConfirm,
        Rejection::ReversalMustBeWhole { whole: zero },
        Rejection::ReversalExceedsRemaining {
            remaining: zero,
            asked: zero,
        },
        Rejection::ReversalNotConfirmed { missing: 0 },
        Rejection::AliasNotApplicable,
        Rejection::DocumentInUse,
        Rejection::ReissuedOnPaper,
        Rejection::TooManyAliases,
        Rejection::ClaimantNotEntitled,
        Rejection::ClaimKindNotApplicable,
        Rejection::DirectlySettled,
        Rejection::ComponentNotApplicable,
        Rejection::ExpiryOutOfRange { latest: time },
        Rejection::AlreadyClaimed,
        Rejection::AlreadyLocked,
        Rejection::ClaimExceedsRemaining {
            remaining: zero,
            asked: zero,
        },
        Rejection::ComponentExceeded {
            remaining: zero,
            asked: zero,
        },
        Rejection::TooManyClaims,
        Rejection::ClaimNotFound,
        Rejection::ClaimIsReference,
        Rejection::ClaimReleased,
        Rejection::ClaimExpired { expired_at: time },
        Rejection::ClaimAlreadySettled,
        Rejection::ClaimNotSettled,
        Rejection::ClaimReversed,
        Rejection::BookedInFuture { today: text() },
        Rejection::SettleExceedsLock {
            locked: zero,
            asked: zero,
        },
        Rejection::ReverseExceedsSettlement {
            settled: zero,
            asked: zero,
        },
        Rejection::ShareExceedsRemaining {
            remaining: zero,
            asked: zero,
        },
        Rejection::TooManyShares,
        Rejection::BatchAborted,
        Rejection::ValidatorsNotCurrent,
        Rejection::ValidatorsChangePending { from_height: 0 },
        Rejection::FromHeightTooEarly { earliest: 0 },
        Rejection::FromHeightTooLate { latest: 0 },
        Rejection::TooManyValidatorChanges,
    ]
}

//! Words of records in the two languages of the pages.

use invoice_core::read::Spelled as _;
use invoice_core::record::{ClaimKind, RecordType, Role};

use super::parts::Viewer;
use crate::registry::CheckVerdict;

/// The type of a record; a word that is none stands for itself.
pub(super) fn record_type(viewer: Viewer, word: &str) -> String {
    let Some(known) = RecordType::from_word(word) else {
        return word.to_owned();
    };
    let (zh, en) = match known {
        RecordType::MemberAdmit => ("接纳成员", "member admitted"),
        RecordType::MemberSuspend => ("暂停成员", "member suspended"),
        RecordType::MemberResume => ("恢复成员", "member resumed"),
        RecordType::KeyAdd => ("增加密钥", "key added"),
        RecordType::KeyRevoke => ("撤销密钥", "key revoked"),
        RecordType::QuotaSet => ("设定额度", "quota set"),
        RecordType::InvoiceIssue => ("开具发票", "invoice issued"),
        RecordType::BillIssue => ("开具医疗票据", "bill issued"),
        RecordType::DocumentRegister => ("登记外部票据", "document registered"),
        RecordType::DocumentReverse => ("红冲", "reversal"),
        RecordType::ConfirmReversal => ("确认红冲", "reversal confirmed"),
        RecordType::DocumentFreeze => ("冻结", "freezing"),
        RecordType::DocumentUnfreeze => ("解冻", "unfreezing"),
        RecordType::DocumentAlias => ("登记第二号码", "second number"),
        RecordType::ClaimLock => ("锁定", "lock"),
        RecordType::ClaimSettle => ("入账", "settlement"),
        RecordType::ClaimRelease => ("解锁", "release"),
        RecordType::ClaimReverse => ("撤销入账", "settlement taken back"),
        RecordType::ShareGrant => ("授予分割份额", "share granted"),
        RecordType::ValidatorsChange => ("变更验证者", "validators changed"),
    };
    viewer.of_two(zh, en).to_owned()
}

/// The kind of a claim; a word that is none stands for itself.
pub(super) fn claim_kind(viewer: Viewer, word: &str) -> String {
    let Ok(known) = ClaimKind::spelled(word) else {
        return word.to_owned();
    };
    let (zh, en) = match known {
        ClaimKind::Employer => ("单位报销", "employer"),
        ClaimKind::Commercial => ("商业保险", "commercial insurance"),
        ClaimKind::Basic => ("基本医保", "basic insurance"),
        ClaimKind::Supplement => ("补充医保", "supplementary insurance"),
        ClaimKind::Reference => ("参考使用", "reference"),
    };
    viewer.of_two(zh, en).to_owned()
}

/// A member's role; a word that is none stands for itself.
pub(super) fn role(viewer: Viewer, word: &str) -> String {
    let Ok(known) = Role::spelled(word) else {
        return word.to_owned();
    };
    let (zh, en) = match known {
        Role::Tax => ("税务机关", "tax authority"),
        Role::Finance => ("财政部门", "finance authority"),
        Role::Health => ("医保部门", "health authority"),
        Role::Merchant => ("开票企业", "merchant"),
        Role::Hospital => ("医疗机构", "hospital"),
        Role::Employer => ("用人单位", "employer"),
        Role::Insurer => ("保险公司", "insurer"),
        Role::Auditor => ("审计", "auditor"),
    };
    viewer.of_two(zh, en).to_owned()
}

/// The state of a document.
pub(super) fn verdict(viewer: Viewer, verdict: CheckVerdict) -> &'static str {
    let (zh, en) = match verdict {
        CheckVerdict::NotFound => ("查无此票", "not found"),
        CheckVerdict::Mismatch => ("要素不符", "does not match"),
        CheckVerdict::Reversed => ("已全部红冲", "wholly reversed"),
        CheckVerdict::Frozen => ("已冻结", "frozen"),
        CheckVerdict::Claimed => ("已全部入账", "wholly settled"),
        CheckVerdict::Locked => ("已全部占用（含锁定）", "nothing free, some of it locked"),
        CheckVerdict::PartlyClaimed => ("部分可报销", "partly free"),
        CheckVerdict::Claimable => ("全部可报销", "wholly free"),
    };
    viewer.of_two(zh, en)
}

/// What a fact of an outcome is called; a name that is none of these stands for itself.
pub(super) fn fact(viewer: Viewer, name: &str) -> String {
    let (zh, en) = match name {
        "amount" => ("金额", "amount"),
        "asked" => ("申请", "asked for"),
        "code" => ("被拒", "refused"),
        "expired_at" => ("过期于", "ran out at"),
        "fields" => ("不同的要素", "members that differ"),
        "first_index" => ("首条记录序号", "first recorded as"),
        "freed" => ("退回", "given back"),
        "latest" => ("最晚", "at the latest"),
        "limit" => ("上限", "limit"),
        "locked" => ("锁定额", "locked"),
        "missing" => ("尚缺确认", "confirmations missing"),
        "over_claimed" => ("超出额", "excess"),
        "priority_skipped" => (
            "先行赔付方尚未理赔",
            "a payer that comes first has not claimed",
        ),
        "remaining" => ("剩余", "left"),
        "settled" => ("入账额", "settled"),
        "today" => ("当日", "today"),
        "used" => ("已用", "used"),
        "whole" => ("全额", "the whole"),
        other => (other, other),
    };
    viewer.of_two(zh, en).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn no_word_of_the_wire_stands_in_a_page() {
        for language in [Language::Zh, Language::En] {
            let viewer = Viewer::of(language, true, true);
            for known in RecordType::ALL {
                let word = record_type(viewer, known.as_str());
                assert!(!word.contains('.'), "{word}");
            }
            for known in ClaimKind::ALL {
                let is_chinese = !claim_kind(viewer, known.as_str()).is_ascii();
                assert_eq!(is_chinese, language == Language::Zh);
            }
            for known in Role::ALL {
                let is_chinese = !role(viewer, known.as_str()).is_ascii();
                assert_eq!(is_chinese, language == Language::Zh);
            }
            assert_eq!(record_type(viewer, "x.y"), "x.y");
        }
    }
}

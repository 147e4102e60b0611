//! What is odd about a document that could be read.

use crate::codes::codes;

codes! {
    /// What is odd about a document. Codes are permanent.
    WarningCode {
        /// 勾稽异常: sums of the document do not agree within 0.01 yuan.
        SumsDiffer = "sums_differ", "勾稽异常：合计与明细或价税合计不符", "sums of the document do not agree";
        /// A line's tax is more than 0.06 yuan from amount times rate.
        LineTaxDiffers = "line_tax_differs", "明细税额与税率不符", "a line's tax is not amount times rate";
        /// A line's amount is more than 0.01 yuan from quantity times price.
        LineAmountDiffers = "line_amount_differs", "明细金额与数量乘单价不符", "a line's amount is not quantity times price";
        /// The total in words is another one (价税合计大写).
        WordsDiffer = "words_differ", "大写金额与小写不符", "the total in words is another one";
        /// The total in words cannot be read.
        WordsUnreadable = "words_unreadable", "大写金额无法识别", "the total in words cannot be read";
        /// The check character of a unified social credit code is wrong (GB 32100).
        IdCheckCharacter = "id_check_character", "统一社会信用代码校验位有误", "a credit code's check character is wrong";
        /// The number of a natural person was left out.
        PersonalNumberDropped = "personal_number_dropped", "已略去自然人证件号码", "the number of a natural person was left out";
        /// An element that is not needed cannot be read and was left out.
        ValueUnreadable = "value_unreadable", "一项次要数据无法识别，已略去", "a value that is not needed cannot be read and was left out";
        /// Characters that hide or turn writing were taken out of a text.
        TextCleaned = "text_cleaned", "文字中的隐藏字符已去除", "hidden characters were taken out of a text";
        /// A text is longer than any record holds; its end was left out.
        TextCut = "text_cut", "文字过长，已截断", "a text is too long; its end was left out";
        /// Sources inside the file contradict each other; the most trusted one was taken.
        SourcesContradict = "sources_contradict", "文件内各数据来源相互矛盾，以最可信者为准", "sources inside the file contradict each other; the most trusted one was taken";
        /// A part of the file that the document was read from is not covered by the signature.
        SourceNotSigned = "source_not_signed", "所读数据不在电子签章保护范围内", "what was read is not covered by the electronic seal";
        /// The electronic seal does not fit the file.
        SealBroken = "seal_broken", "电子签章与文件不符", "the electronic seal does not fit the file";
        /// The seal holds, but whose it is nobody has vouched for.
        SignerNotTrusted = "signer_not_trusted", "签章有效，但签章人证书未被列为可信", "the seal holds, but its signer's certificate is not among the trusted ones";
        /// A signature stands there that cannot be verified from the published rules.
        SignatureNotVerifiable = "signature_not_verifiable", "文件带有签名，但其规范化方法未公开，无法验证", "there is a signature, but its canonical form is not published: it cannot be verified";
        /// A red-letter document: its total is negative (红字).
        RedLetter = "red_letter", "红字票据", "a red-letter document";
        /// Money was paid from sources whose sum is not the total (rule M1).
        PaymentSourcesDiffer = "payment_sources_differ", "基金、其他、账户、现金之和与总额不符", "fund, other, account and cash do not add up to the total";
        /// The patient's parts do not agree (rule M2).
        PaymentBurdenDiffers = "payment_burden_differs", "自付与自费之和与账户、现金之和不符", "self-paid parts do not add up to account and cash";
        /// Parts of the payment split are absent, so the sums were not checked.
        PaymentIncomplete = "payment_incomplete", "支付构成不完整，未作勾稽", "parts of the payment split are absent; their sums were not checked";
        /// The amount of this QR text may be with or without tax.
        AmountMayExcludeTax = "amount_may_exclude_tax", "二维码金额可能为不含税金额", "the amount of this QR text may be without tax";
        /// Only the sum without tax stands there; no total was stated.
        TotalDerived = "total_derived", "未写明价税合计，按合计金额加合计税额计算", "no total is stated; it was added up from amount and tax";
    }
}

/// One oddity, with what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What is odd.
    pub code: WarningCode,
    /// Where and what, in values: `lines/2: 6.00 ≠ 6.50`.
    pub detail: String,
}

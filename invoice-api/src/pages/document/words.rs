//! What the public page says of each verdict.

use crate::registry::CheckVerdict;

/// Class of the box, what it says at one glance, and the sentence below; in both languages.
pub(super) const fn words(
    verdict: CheckVerdict,
) -> (&'static str, [&'static str; 2], [&'static str; 2]) {
    match verdict {
        CheckVerdict::NotFound | CheckVerdict::Mismatch => (
            "bad",
            ["✗ 查无相符的票据", "✗ No such document"],
            [
                "登记中没有与所填号码、金额、日期（及校验码）完全相符的票据。请与票面再核对一次；\
                 如果填写无误，请勿接受这张票据。",
                "Nothing is recorded with exactly this number, amount and date (and check code). \
                 Compare with the paper once more; if all is typed as printed, do not accept it.",
            ],
        ),
        CheckVerdict::Reversed => (
            "bad",
            ["✗ 已全部红冲", "✗ Reversed as a whole"],
            [
                "票据是真的，但已全部红冲作废，不能报销。",
                "The document is genuine, but it was reversed as a whole and cannot be claimed.",
            ],
        ),
        CheckVerdict::Frozen => (
            "warn",
            ["! 真实，已被冻结", "! Genuine, but frozen"],
            [
                "票据是真的，目前被主管机关冻结，不能报销。",
                "The document is genuine; an authority froze it, so it cannot be claimed now.",
            ],
        ),
        CheckVerdict::Claimed => (
            "warn",
            ["✓ 真实，已全部报销", "✓ Genuine, fully reimbursed"],
            [
                "票据是真的，金额已全部报销，不能再报销。",
                "The document is genuine; all of it is reimbursed and cannot be claimed again.",
            ],
        ),
        CheckVerdict::Locked => (
            "warn",
            ["✓ 真实，正在报销", "✓ Genuine, being claimed"],
            [
                "票据是真的，可报销的金额都在报销中。",
                "The document is genuine; what could be claimed is being claimed.",
            ],
        ),
        CheckVerdict::PartlyClaimed => (
            "good",
            ["✓ 真实有效，部分已用", "✓ Genuine and valid, partly used"],
            [
                "票据是真的，其中一部分已报销、锁定或红冲。",
                "The document is genuine; a part of it is reimbursed, locked or reversed.",
            ],
        ),
        CheckVerdict::Claimable => (
            "good",
            ["✓ 真实有效，尚未报销", "✓ Genuine, valid, not claimed"],
            [
                "票据是真的，没有红冲，也没有人报销过。",
                "The document is genuine; it was not reversed, and nobody has claimed any of it.",
            ],
        ),
    }
}

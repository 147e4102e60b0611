//! The words on a page that are no part of the Chinese form, in both languages.

use crate::source::Wording;

impl Wording {
    /// One of two texts.
    #[must_use]
    pub const fn of(self, zh: &'static str, en: &'static str) -> &'static str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    /// From what the page was printed, and where that can be read.
    pub(crate) fn origin(self, proved: bool, attached: bool) -> String {
        let from = match proved {
            true => self.of("按链上记录打印", "Printed from the record on the chain"),
            false => self.of(
                "按回执打印，回执未核验",
                "Printed from a receipt; receipt not verified",
            ),
        };
        let record = match attached {
            true => self.of("附件含记录原文", "the record is attached"),
            false => self.of("记录原文见登记系统", "the record is in the registry"),
        };
        format!(
            "{from}{}{record}{}",
            self.of("；", "; "),
            self.of("。", ".")
        )
    }

    /// What the QR code is good for.
    pub(crate) const fn code(self, printed: bool, stamped: bool) -> &'static str {
        match (printed, stamped) {
            (true, true) => self.of(
                "扫描二维码核验状态；二维码含验证节点签章，可离线核对。",
                "Scan the code for its state; the code bears a validator's stamp for checking offline.",
            ),
            (true, false) => self.of(
                "扫描二维码核验状态；二维码未加盖验证节点签章。",
                "Scan the code for its state; the code bears no validator's stamp.",
            ),
            (false, _) => self.of("未印二维码。", "Without a QR code."),
        }
    }

    /// What a reader is told when characters could not be printed.
    #[must_use]
    pub fn missing(self, missing: &[char], attached: bool) -> String {
        let named: Vec<String> = missing
            .iter()
            .take(NAMED_MAX)
            .map(|character| format!("U+{:04X}", u32::from(*character)))
            .collect();
        let more = if missing.len() > NAMED_MAX { "…" } else { "" };
        let lead = match attached {
            true => self.of(
                "以下字符无法打印，以〓代替，原文见附件",
                "These characters could not be printed and stand as 〓; the attached record has them",
            ),
            false => self.of(
                "以下字符无法打印，以〓代替，原文见登记系统",
                "These characters could not be printed and stand as 〓; the record in the registry has them",
            ),
        };
        format!("{lead}：{}{more}", named.join(" "))
    }
}

/// Missing characters that are named on the page.
const NAMED_MAX: usize = 20;

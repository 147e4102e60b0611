//! Who paid a medical document: the six parts of its split.

use super::tree::Node;
use crate::error::PaperError;

/// Names of the parts, in the order of our members: those of fiscal bills (财政电子票据数据规范), and
/// the captions of the forms.
const NAMES: [[&str; 2]; 6] = [
    ["fundPayAmount", "医保统筹基金支付"],
    ["otherPayAmount", "其他支付"],
    ["accountPayAmount", "个人账户支付"],
    ["ownPayAmount", "个人现金支付"],
    ["selfpaymentAmount", "个人自付"],
    ["selfpaymentCost", "个人自费"],
];

/// What names of elements and labels of medical invoices hold.
const MEDICAL: [&str; 6] = ["medical", "hospital", "医疗", "医保", "住院", "门诊"];

/// Whether a name or label says that an invoice is a medical one (特定要素 10, 11).
pub(super) fn is_medical(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    MEDICAL.iter().any(|word| text.contains(word))
}

/// The only element here or below with a name, whose letters vary in case in the wild.
///
/// # Errors
/// [`PaperError::Contradictory`] for two of them, or any error of a plain value.
pub(super) fn value_below(node: &Node, names: &[&str]) -> Result<Option<String>, PaperError> {
    let mut found = Vec::new();
    node.walk(&mut |node| {
        if names
            .iter()
            .any(|name| node.name.eq_ignore_ascii_case(name))
        {
            found.push(node);
        }
    });
    match *found {
        [] => Ok(None),
        [node] => node.plain(&[]),
        _ => Err(PaperError::Contradictory),
    }
}

/// The parts of a split that stand below an element; `None` where there is none of them.
///
/// # Errors
/// As [`value_below`].
pub(super) fn split(node: &Node) -> Result<Option<[Option<String>; 6]>, PaperError> {
    let mut parts: [Option<String>; 6] = Default::default();
    for (part, names) in parts.iter_mut().zip(NAMES) {
        *part = value_below(node, &names)?;
    }
    Ok(parts.iter().any(Option::is_some).then_some(parts))
}

//! Sums against one another: 勾稽, the total in words, the payment split.

use invoice_core::amount_words;
use invoice_core::money::Fen;

use super::oddities::Oddities;
use crate::paper::{PaperLine, PaperPayment};
use crate::spelling;
use crate::warning::WarningCode;

/// How far sums may be from one another before it is odd.
const SUM_TOLERANCE: i64 = 1;

/// 勾稽: lines against totals, and totals against one another.
pub(super) fn totals(
    odd: &mut Oddities,
    fiscal: bool,
    lines: &[PaperLine],
    (total, without_tax, tax): (Fen, Option<Fen>, Option<Fen>),
) {
    let mut compare = |place: &str, due: Option<Fen>, found: Fen| {
        let near = |due: Fen| due.get().abs_diff(found.get()) <= SUM_TOLERANCE.unsigned_abs();
        if !due.is_some_and(near) {
            let due = due.map_or_else(|| "-".to_owned(), |due| due.to_string());
            odd.note(WarningCode::SumsDiffer, format!("{place}: {due} ≠ {found}"));
        }
    };
    let amounts: Option<Vec<Fen>> = lines.iter().map(|line| line.amount).collect();
    if let Some(amounts) = amounts.filter(|amounts| !amounts.is_empty()) {
        let of_lines = Fen::checked_sum(amounts);
        match without_tax {
            Some(without_tax) => compare("total_without_tax", of_lines, without_tax),
            None if fiscal => compare("total", of_lines, total),
            None => {}
        }
    }
    let taxes: Option<Vec<Fen>> = lines.iter().map(|line| line.tax).collect();
    if let (Some(taxes), Some(tax)) = (taxes.filter(|taxes| !taxes.is_empty()), tax) {
        compare("total_tax", Fen::checked_sum(taxes), tax);
    }
    if let (Some(without_tax), Some(tax)) = (without_tax, tax) {
        compare("total", without_tax.checked_add(tax), total);
    }
}

/// Compared by reading, never by text: there are several right spellings.
pub(super) fn words(odd: &mut Oddities, words: &str, total: Fen) -> Option<Fen> {
    match amount_words::parse(words) {
        Ok(read) if read == total => Some(read),
        Ok(read) => {
            odd.note(WarningCode::WordsDiffer, format!("{read} ≠ {total}"));
            Some(read)
        }
        Err(_) => {
            odd.note(WarningCode::WordsUnreadable, spelling::clean(words).text);
            None
        }
    }
}

pub(super) fn payment(odd: &mut Oddities, parts: [Option<String>; 6], total: Fen) -> PaperPayment {
    let [fund, other, account, cash, self_pay, self_fund] = parts;
    let split = PaperPayment {
        fund: odd.sum("payment/fund", fund),
        other: odd.sum("payment/other", other),
        account: odd.sum("payment/account", account),
        cash: odd.sum("payment/cash", cash),
        self_pay: odd.sum("payment/self_pay", self_pay),
        self_fund: odd.sum("payment/self_fund", self_fund),
    };
    let near = |one: Option<Fen>, other: Option<Fen>| match (one, other) {
        (Some(one), Some(other)) => one.get().abs_diff(other.get()) <= SUM_TOLERANCE.unsigned_abs(),
        _ => false,
    };
    match (split.fund, split.other, split.account, split.cash) {
        (Some(fund), Some(other), Some(account), Some(cash)) => {
            let sum = Fen::checked_sum([fund, other, account, cash]);
            if !near(sum, Some(total)) {
                let found = format!("{fund} + {other} + {account} + {cash} ≠ {total}");
                odd.note(WarningCode::PaymentSourcesDiffer, found);
            }
        }
        _ => odd.note(WarningCode::PaymentIncomplete, "fund, other, account, cash"),
    }
    match (split.account, split.cash, split.self_pay, split.self_fund) {
        (Some(account), Some(cash), Some(pay), Some(fund)) => {
            if !near(pay.checked_add(fund), account.checked_add(cash)) {
                let found = format!("{pay} + {fund} ≠ {account} + {cash}");
                odd.note(WarningCode::PaymentBurdenDiffers, found);
            }
        }
        _ => odd.note(WarningCode::PaymentIncomplete, "self_pay, self_fund"),
    }
    split
}

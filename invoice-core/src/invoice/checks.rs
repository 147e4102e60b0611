//! The checks between the values of one document.

use super::kind::InvoiceKind;
use super::line::Line;
use super::tax_rate::TaxError;
use crate::calendar::Date;
use crate::money::Fen;
use crate::read::ObjectReader;
use crate::refusal::Rule;

/// How far the taxes of a tax-control invoice may be off, all lines together.
const CUMULATIVE_TAX_TOLERANCE: Fen = Fen::new(127);

/// What of an invoice could be read, to be judged together.
#[derive(Debug)]
pub(crate) struct InvoiceAmounts<'l> {
    /// 发票类型.
    pub(crate) kind: Option<InvoiceKind>,
    /// 开票日期.
    pub(crate) issue_date: Option<Date>,
    /// The lines, each `None` where it could not be read.
    pub(crate) lines: &'l [Option<Line>],
    /// 合计金额.
    pub(crate) total_without_tax: Option<Fen>,
    /// 合计税额.
    pub(crate) total_tax: Option<Fen>,
    /// 价税合计.
    pub(crate) total: Option<Fen>,
}

impl InvoiceAmounts<'_> {
    /// Notes every rule that the values break together.
    pub(crate) fn judge(&self, at: &ObjectReader<'_, '_>) {
        self.judge_rates(at);
        self.judge_discounts(at);
        self.judge_cumulative_tax(at);
        self.judge_sums(at);
    }

    fn judge_rates(&self, at: &ObjectReader<'_, '_>) {
        let Some(date) = self.issue_date else { return };
        for (index, line) in self.lines.iter().enumerate() {
            if let Some(line) = line
                && !line.tax_rate.in_force(date)
            {
                at.violation(Rule::TaxRateNotInForce, &format!("lines/{index}/tax_rate"));
            }
        }
    }

    fn judge_discounts(&self, at: &ObjectReader<'_, '_>) {
        let before = std::iter::once(None).chain(self.lines.iter().map(Some));
        for (index, (line, parent)) in self.lines.iter().zip(before).enumerate() {
            let Some(line) = line else { continue };
            if !line.amount.is_negative() {
                continue;
            }
            let broken = |rule, member| at.violation(rule, &format!("lines/{index}/{member}"));
            if line.quantity.is_some() {
                broken(Rule::DiscountWithQuantity, "quantity");
            }
            if line.unit_price.is_some() {
                broken(Rule::DiscountWithQuantity, "unit_price");
            }
            match parent {
                // The line before could not be read: it has its own answers.
                Some(None) => {}
                Some(Some(parent)) if !parent.amount.is_negative() => {
                    if parent.tax_rate != line.tax_rate {
                        broken(Rule::DiscountRateDiffers, "tax_rate");
                    }
                    if line.amount.get().unsigned_abs() > parent.amount.get().unsigned_abs() {
                        broken(Rule::DiscountTooLarge, "amount");
                    }
                }
                Some(Some(_)) | None => broken(Rule::DiscountWithoutParent, "amount"),
            }
        }
    }

    fn judge_cumulative_tax(&self, at: &ObjectReader<'_, '_>) {
        if !self.kind.is_some_and(InvoiceKind::is_tax_control) {
            return;
        }
        let error = self
            .lines
            .iter()
            .flatten()
            .filter_map(|line| line.tax_rate.tax_error(line.amount, line.tax))
            .fold(TaxError::default(), TaxError::plus);
        if error.exceeds(CUMULATIVE_TAX_TOLERANCE) {
            at.violation(Rule::CumulativeTaxError, "total_tax");
        }
    }

    fn judge_sums(&self, at: &ObjectReader<'_, '_>) {
        if self.lines.iter().all(Option::is_some) {
            let lines = || self.lines.iter().flatten();
            let amounts = Fen::checked_sum(lines().map(|line| line.amount));
            judge_sum(
                at,
                Rule::TotalWithoutTaxMismatch,
                "total_without_tax",
                amounts,
                self.total_without_tax,
            );
            let taxes = Fen::checked_sum(lines().map(|line| line.tax));
            judge_sum(
                at,
                Rule::TotalTaxMismatch,
                "total_tax",
                taxes,
                self.total_tax,
            );
        }
        if let (Some(without_tax), Some(tax)) = (self.total_without_tax, self.total_tax) {
            judge_sum(
                at,
                Rule::TotalMismatch,
                "total",
                without_tax.checked_add(tax),
                self.total,
            );
        }
        judge_total(at, self.total);
    }
}

/// What of a bill could be read, to be judged together.
#[derive(Debug)]
pub(crate) struct BillAmounts<'i> {
    /// The items' amounts, each `None` where it could not be read.
    pub(crate) items: &'i [Option<Fen>],
    /// 总金额.
    pub(crate) total: Option<Fen>,
}

impl BillAmounts<'_> {
    /// Notes every rule that the values break together.
    pub(crate) fn judge(&self, at: &ObjectReader<'_, '_>) {
        let items: Option<Vec<Fen>> = self.items.iter().copied().collect();
        if let Some(items) = items {
            judge_sum(
                at,
                Rule::TotalMismatch,
                "total",
                Fen::checked_sum(items),
                self.total,
            );
        }
        judge_total(at, self.total);
    }
}

fn judge_total(at: &ObjectReader<'_, '_>, total: Option<Fen>) {
    if total.is_some_and(|total| !total.is_positive()) {
        at.violation(Rule::TotalNotPositive, "total");
    }
}

/// A sum that is too large for the type cannot be what the document says.
fn judge_sum(
    at: &ObjectReader<'_, '_>,
    rule: Rule,
    member: &str,
    due: Option<Fen>,
    found: Option<Fen>,
) {
    let Some(found) = found else { return };
    if due != Some(found) {
        let due = due.map_or_else(|| "-".to_owned(), |due| due.to_string());
        at.violation_with(rule, member, &[("due", due), ("found", found.to_string())]);
    }
}

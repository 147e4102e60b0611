//! What an invoice or bill says, and the checks of its own values.

mod checks;
mod kind;
mod line;
mod payment;
mod tax_rate;

pub(crate) use checks::{BillAmounts, InvoiceAmounts};
pub use kind::InvoiceKind;
pub use line::Line;
pub use payment::Payment;
pub use tax_rate::{TaxError, TaxRate};

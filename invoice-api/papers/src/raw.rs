//! What a file says before anything is judged: texts under the names of our fields.

use invoice_core::invoice::InvoiceKind;

/// Texts of a document as one source carries them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Raw {
    /// Whether code and number are those of a fiscal bill.
    pub(crate) fiscal: bool,
    pub(crate) code: Option<String>,
    pub(crate) number: Option<String>,
    /// The number of 20 digits, where it has a name of its own beside code and number of a form.
    pub(crate) digital_number: Option<String>,
    pub(crate) kind: Option<InvoiceKind>,
    pub(crate) date: Option<String>,
    pub(crate) check_code: Option<String>,
    pub(crate) seller_id: Option<String>,
    pub(crate) seller_name: Option<String>,
    pub(crate) buyer_id: Option<String>,
    pub(crate) buyer_name: Option<String>,
    /// Whether the buyer is a natural person, whose number is not kept.
    pub(crate) buyer_is_person: bool,
    pub(crate) total: Option<String>,
    pub(crate) without_tax: Option<String>,
    pub(crate) tax: Option<String>,
    pub(crate) words: Option<String>,
    pub(crate) lines: Vec<RawLine>,
    /// fund, other, account, cash, self_pay, self_fund; set on medical documents only.
    pub(crate) payment: Option<[Option<String>; 6]>,
    /// Whether the document is a medical one whose split stands in a form that is not known.
    pub(crate) payment_unread: bool,
    pub(crate) inpatient: Option<bool>,
    /// Whether the file itself calls the document a red letter.
    pub(crate) red: bool,
    pub(crate) red_of: Option<String>,
    pub(crate) red_of_code: Option<String>,
    pub(crate) red_confirmation: Option<String>,
    pub(crate) note: Option<String>,
    /// The text of the QR code that the file repeats.
    pub(crate) qr: Option<String>,
    /// Whether a signature stands there whose canonical form is not published.
    pub(crate) signed: bool,
}

/// Texts of one line.
#[derive(Debug, Clone, Default)]
pub(crate) struct RawLine {
    pub(crate) code: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) spec: Option<String>,
    pub(crate) unit: Option<String>,
    pub(crate) quantity: Option<String>,
    pub(crate) unit_price: Option<String>,
    pub(crate) amount: Option<String>,
    pub(crate) tax_rate: Option<String>,
    pub(crate) tax: Option<String>,
    pub(crate) tax_code: Option<String>,
}

impl Raw {
    /// Whether the three values without which nothing can be looked up are there.
    pub(crate) fn is_usable(&self) -> bool {
        (self.number.is_some() || self.digital_number.is_some())
            && self.date.is_some()
            && (self.total.is_some() || (self.without_tax.is_some() && self.tax.is_some()))
    }
}

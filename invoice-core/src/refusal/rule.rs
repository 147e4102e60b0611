//! Rules of a record's own values (422): what is wrong whatever the chain's state may be.

use std::fmt;

/// Facts that a refusal carries for its reader: names and values, without anyone's secrets.
pub type Details = Vec<(&'static str, String)>;

/// Declares [`Rule`] with the stable code of each variant beside it.
macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// A rule that a record's own values must keep.
        ///
        /// Declaration order is precedence and the order of the catalogue; codes are permanent.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule { $($(#[$doc])* $name,)* }

        impl Rule {
            /// Every rule, in order of precedence.
            pub const ALL: &'static [Rule] = &[$(Rule::$name,)*];

            /// The stable snake_case code that stands in answers.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Rule::$name => $code,)* }
            }
        }
    };
}

rules! {
    /// A text that must say something is empty or blank.
    TextBlank = "text_blank",
    /// A text is longer than its member allows; counted in characters.
    TextTooLong = "text_too_long",
    /// A text holds control characters or marks that change the direction of writing.
    ControlCharacter = "control_character",
    /// Money is a decimal string of yuan with at most two decimals, without leading zeros.
    MoneySpelling = "money_spelling",
    /// An amount is at most 9,999,999,999.99 yuan.
    AmountTooLarge = "amount_too_large",
    /// A quantity or unit price is a decimal string of at most 25 characters.
    DecimalSpelling = "decimal_spelling",
    /// A date is `YYYY-MM-DD` and exists in the calendar.
    DateSpelling = "date_spelling",
    /// A month is `YYYY-MM`.
    MonthSpelling = "month_spelling",
    /// A time is RFC 3339 with an offset.
    TimeSpelling = "time_spelling",
    /// A member id has the 18 characters of GB 32100-2015 §4.
    MemberIdSpelling = "member_id_spelling",
    /// The last character of a unified social credit code checks the other 17 (GB 32100-2015 §5).
    MemberIdCheckDigit = "member_id_check_digit",
    /// A record id is 1 to 64 of `A-Z a-z 0-9 -`.
    RecordIdSpelling = "record_id_spelling",
    /// A document key has exactly one spelling: `D:`, `P:` or `F:` with ASCII digits.
    DocumentKeySpelling = "document_key_spelling",
    /// A public key is 130 lower-case hex digits of an uncompressed point on the SM2 curve.
    PublicKeyInvalid = "public_key_invalid",
    /// A key id is 32 lower-case hex digits.
    KidSpelling = "kid_spelling",
    /// A hash is 64 lower-case hex digits.
    HashSpelling = "hash_spelling",
    /// A role is one of the eight roles of the registry.
    RoleUnknown = "role_unknown",
    /// A member has at least one role.
    RolesEmpty = "roles_empty",
    /// A role is named once.
    RoleRepeated = "role_repeated",
    /// An invoice's kind is an official type code of the verification interface (查验 fplx).
    InvoiceKindUnknown = "invoice_kind_unknown",
    /// A document's code is 8, 10 or 12 digits and its number 8, 10 or 20.
    DocumentNumberSpelling = "document_number_spelling",
    /// The code and number are not those that the kind of document bears.
    IdentityUnfit = "identity_unfit",
    /// The check code of a fiscal e-bill is six letters or digits.
    CheckCodeSpelling = "check_code_spelling",
    /// A visit is `outpatient` or `inpatient`.
    VisitUnknown = "visit_unknown",
    /// An original's format is einvoice_xml, fiscal_xml, ofd, pdf or zip.
    OriginalFormatUnknown = "original_format_unknown",
    /// An original's signature is verified, not_verified or absent.
    OriginalSignatureUnknown = "original_signature_unknown",
    /// A tax rate is a decimal fraction ("0.06") or 免税, 不征税 or `***`; never a percentage.
    TaxRateSpelling = "tax_rate_spelling",
    /// The rate was not in force on the date of issue.
    TaxRateNotInForce = "tax_rate_not_in_force",
    /// A tax classification code is 19 digits, the first 1 to 6.
    TaxCodeSpelling = "tax_code_spelling",
    /// A buyer's id is a unified social credit code or an old tax number of 15 characters.
    BuyerIdSpelling = "buyer_id_spelling",
    /// A natural person's number stands readable; it belongs into `sealed`.
    PersonalIdInClear = "personal_id_in_clear",
    /// An invoice has 1 to 500 lines.
    LineCount = "line_count",
    /// A bill has 1 to 500 items.
    ItemCount = "item_count",
    /// Quantities, unit prices, parts of a payment and items are not negative.
    NegativeValue = "negative_value",
    /// An amount that moves money is more than zero.
    AmountNotPositive = "amount_not_positive",
    /// A discount line stands directly after the line that it discounts.
    DiscountWithoutParent = "discount_without_parent",
    /// A discount line has neither quantity nor unit price.
    DiscountWithQuantity = "discount_with_quantity",
    /// A discount line bears the tax rate of the line that it discounts.
    DiscountRateDiffers = "discount_rate_differs",
    /// A discount is at most the amount of the line that it discounts.
    DiscountTooLarge = "discount_too_large",
    /// Quantity times unit price is the line's amount, within 0.01.
    LineAmountMismatch = "line_amount_mismatch",
    /// Amount times rate is the line's tax, within 0.06.
    LineTaxMismatch = "line_tax_mismatch",
    /// A line that is exempt or not taxable bears no tax.
    TaxOnUntaxedLine = "tax_on_untaxed_line",
    /// A line's tax has the sign of its amount.
    TaxSignOpposed = "tax_sign_opposed",
    /// The tax errors of the lines of a tax-control invoice add up to at most 1.27.
    CumulativeTaxError = "cumulative_tax_error",
    /// The lines' amounts add up to `total_without_tax` exactly.
    TotalWithoutTaxMismatch = "total_without_tax_mismatch",
    /// The lines' taxes add up to `total_tax` exactly.
    TotalTaxMismatch = "total_tax_mismatch",
    /// `total` is `total_without_tax` and `total_tax` together, or the sum of a bill's items.
    TotalMismatch = "total_mismatch",
    /// A document's total is more than zero.
    TotalNotPositive = "total_not_positive",
    /// Fund, other, account and cash add up to the total, within 0.01.
    PaymentSourcesMismatch = "payment_sources_mismatch",
    /// What the patient bore is the same by nature (self-pay, self-fund) and by source (account,
    /// cash), within 0.01.
    PaymentBurdenMismatch = "payment_burden_mismatch",
    /// A reversal's reason is 01, 02, 03 or 04.
    ReversalReasonUnknown = "reversal_reason_unknown",
    /// The number of a red letter is 20 digits.
    RedNumberSpelling = "red_number_spelling",
    /// An alias differs from the document's own key.
    AliasIsDocument = "alias_is_document",
    /// A claim's kind is employer, commercial, basic, supplement or reference.
    ClaimKindUnknown = "claim_kind_unknown",
    /// A claim's component is any, self_pay or self_fund.
    ComponentUnknown = "component_unknown",
    /// A reference claim consumes nothing: its amount is absent or 0.00.
    ReferenceWithAmount = "reference_with_amount",
    /// A booking is 02 or 03 (入账状态).
    BookingUnknown = "booking_unknown",
    /// A share goes to another member than its grantor.
    ShareToSelf = "share_to_self",
    /// Sealed parts are encrypted by SM4-GCM.
    SealedAlgorithmUnknown = "sealed_algorithm_unknown",
    /// Bytes are written in base64 with padding, in its one canonical spelling.
    Base64Spelling = "base64_spelling",
    /// A sealed part's nonce has 12 bytes.
    SealedNonceLength = "sealed_nonce_length",
    /// A sealed part's ciphertext has 16 bytes (its tag) to 8 KiB.
    SealedCiphertextLength = "sealed_ciphertext_length",
    /// A sealed part's key is wrapped for 1 to 64 keys.
    SealedWrapCount = "sealed_wrap_count",
    /// A sealed part's key is wrapped once for each key.
    SealedWrapRepeated = "sealed_wrap_repeated",
    /// A wrapped key is one DER SEQUENCE of at most 256 bytes (GB/T 35276 §7.2).
    SealedWrapSpelling = "sealed_wrap_spelling",
    /// A chain has one validator, or 4 to 100: two or three tolerate no fault.
    ValidatorCount = "validator_count",
    /// A validator's weight is at least 1, and all weights add up to less than 2⁶⁴.
    ValidatorWeight = "validator_weight",
    /// A validator's key occurs once.
    ValidatorRepeated = "validator_repeated",
    /// A validator's group is tax or finance.
    ValidatorGroupUnknown = "validator_group_unknown",
    /// Of several validators each has a group, and both groups occur.
    ValidatorGroups = "validator_groups",
    /// Neither group alone has more than two thirds of the weight.
    OneGroupDecides = "one_group_decides",
    /// A countersignature is base64 of the 64 bytes r and s.
    CountersignatureSpelling = "countersignature_spelling",
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl std::error::Error for Rule {}

/// One rule that a record breaks, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// JSON Pointer (RFC 6901) of the value, relative to the record: `/invoice/total`.
    pub pointer: String,
    /// What was found and what was due, where that helps.
    pub details: Details,
}

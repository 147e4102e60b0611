//! What a document says, as digests: to tell a repeated document from a conflicting one.

use crate::crypto::{Hash, sm3_many};

use super::bill_issue::Bill;
use super::invoice_issue::Invoice;
use super::meaning::Meanings;

/// What stands before the members' digests, so that no other digest can be taken for the whole.
const CONTENT: &[u8] = b"piaolian/1/content\n";

/// So many documents are digested together: enough to fill every lane, few enough for the
/// processor's cache.
const TOGETHER_MAX: usize = 64;

/// Digests of a document's meaning: equal when two documents say the same, however it is spelt.
///
/// The key takes no part: only documents under the same key are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// SM3 over all members.
    pub whole: Hash,
    /// The first 16 bits of each member's SM3, in a fixed order per family, by the member's JSON
    /// Pointer in the record. Two different members share them once in 65,536 times; `whole` does
    /// not.
    pub fields: Vec<(&'static str, u16)>,
}

/// A document of either family.
#[derive(Clone, Copy, Debug)]
pub enum Document<'d> {
    /// An invoice.
    Invoice(&'d Invoice),
    /// A fiscal medical bill.
    Bill(&'d Bill),
}

impl Fingerprint {
    /// The first 16 bytes of `whole`: what the state keeps. Only the issuer of a document could
    /// make two contents that share them, and both are refused alike.
    #[must_use]
    pub fn short(&self) -> [u8; 16] {
        let mut short = [0; 16];
        for (to, from) in short.iter_mut().zip(self.whole.as_bytes()) {
            *to = *from;
        }
        short
    }

    /// The fingerprints of documents, in order. Of many together they cost a fraction of what
    /// they cost one by one: their digests are made side by side.
    #[must_use]
    pub fn of_many(documents: &[Document<'_>]) -> Vec<Self> {
        documents
            .chunks(TOGETHER_MAX)
            .flat_map(Self::of_some)
            .collect()
    }

    fn of_some(documents: &[Document<'_>]) -> Vec<Self> {
        let mut meanings = Meanings::of(documents.len());
        let counts: Vec<usize> = documents
            .iter()
            .map(|document| {
                let before = meanings.count();
                match document {
                    Document::Invoice(invoice) => meanings.add_invoice(invoice),
                    Document::Bill(bill) => meanings.add_bill(bill),
                }
                meanings.count().saturating_sub(before)
            })
            .collect();
        let (pointers, messages): (Vec<&'static str>, Vec<&[u8]>) = meanings.messages().unzip();
        let messages: Vec<&[&[u8]]> = messages.iter().map(std::slice::from_ref).collect();
        let digests = sm3_many(&messages);
        let joined: Vec<u8> = digests
            .iter()
            .flat_map(|digest| *digest.as_bytes())
            .collect();

        let mut members = pointers.iter().zip(&digests);
        let mut fields = Vec::with_capacity(documents.len());
        let mut contents = Vec::with_capacity(documents.len());
        let mut rest = joined.as_slice();
        for count in counts {
            fields.push(members.by_ref().take(count).map(field).collect::<Vec<_>>());
            let (content, others) = rest
                .split_at_checked(count.saturating_mul(Hash::BYTES))
                .unwrap_or_default();
            contents.push([CONTENT, content]);
            rest = others;
        }
        let contents: Vec<&[&[u8]]> = contents.iter().map(<[&[u8]; 2]>::as_slice).collect();
        let fingerprint = |(whole, fields)| Self { whole, fields };
        sm3_many(&contents)
            .into_iter()
            .zip(fields)
            .map(fingerprint)
            .collect()
    }

    fn of(document: Document<'_>) -> Self {
        match Self::of_many(&[document]).pop() {
            Some(fingerprint) => fingerprint,
            None => unreachable!("one document has one fingerprint"),
        }
    }
}

/// A member's pointer and the first 16 bits of its digest.
fn field((pointer, digest): (&&'static str, &Hash)) -> (&'static str, u16) {
    let [first, second, ..] = *digest.as_bytes();
    (pointer, u16::from_be_bytes([first, second]))
}

impl Invoice {
    /// The invoice's meaning as digests.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(Document::Invoice(self))
    }
}

impl Bill {
    /// The bill's meaning as digests.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(Document::Bill(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Body, parse_record};

    const INVOICE: &str = r#"{
        "type": "invoice.issue",
        "id": "i-1",
        "by": "12310104MA8HXDD54A",
        "at": "2026-11-21T14:30:00+08:00",
        "invoice": {
            "number": "26312000470000000001",
            "kind": "82",
            "issue_date": "2026-11-21",
            "seller": {"id":"12310104MA8HXDD54A","name":"上海云东门诊部有限公司"},
            "buyer": {"name":"欧阳**"},
            "lines": [
                {
                    "name": "诊察费",
                    "unit": "次",
                    "quantity": "2.50",
                    "unit_price": "40.1",
                    "amount": "100.25",
                    "tax_rate": "0.060",
                    "tax": "6.02",
                    "tax_code": "3070202000000000000"
                },
                {"name":"康复治疗费","spec":"甲","amount":"20","tax_rate":"免税","tax":"0"}
            ],
            "total_without_tax": "120.25",
            "total_tax": "6.02",
            "total": "126.27",
            "payment": {
                "fund": "100",
                "other": "0",
                "account": "0",
                "cash": "26.27",
                "self_pay": "26.27",
                "self_fund": "0"
            },
            "sealed": {
                "alg": "SM4-GCM",
                "nonce": "M83ADNQ40OPamxsm",
                "ciphertext": "AAECAwQFBgcICQoLDA0ODw==",
                "wraps": [{"kid":"d94ec539beb229413031c9fb6c910862","key":"MAA="}],
                "root": "41dad32bfd90eb37cd0e0b7dc899a76895d1a7ca72542d8980754e26a2117b04"
            },
            "note": "结算单"
        }
    }"#;
    const BILL: &str = r#"{
        "type": "bill.issue",
        "id": "bill-20261121-000000001",
        "by": "12440604MAFT6UF5WJ",
        "at": "2026-11-21T14:30:00.000+08:00",
        "bill": {
            "code": "44060126",
            "number": "0600000001",
            "check_code": "fnrkc1",
            "issue_date": "2026-11-21",
            "issuer": {"id":"12440604MAFT6UF5WJ","name":"佛山中方康人民医院"},
            "visit": "outpatient",
            "items": [
                {"code":"03","name":"化验费","amount":"325.60"},
                {"code":"06","name":"卫生材料费","amount":"223.40"},
                {"code":"08","name":"中药饮片","amount":"401.45"},
                {"code":"11","name":"挂号费","amount":"72.37"}
            ],
            "total": "1022.82",
            "payment": {
                "fund": "419.35",
                "other": "66.38",
                "account": "155.75",
                "cash": "381.34",
                "self_pay": "220.20",
                "self_fund": "316.89"
            }
        }
    }"#;

    fn body(text: &str) -> Body {
        parse_record(text.as_bytes()).unwrap().record.unwrap().body
    }

    /// These digests are part of the state of every chain.
    #[test]
    fn fingerprints_have_these_bytes() {
        let (Body::InvoiceIssue(invoice), Body::BillIssue(bill)) = (body(INVOICE), body(BILL))
        else {
            panic!("an invoice and a bill");
        };
        let invoice_print = invoice.invoice.fingerprint();
        assert_eq!(
            invoice_print.whole.to_string(),
            "a387b0045f70018edc0665673557aef07f1bb67eb068b89650509df25b1ba4c1"
        );
        assert_eq!(
            invoice_print.fields,
            [
                ("/invoice/kind", 32_530),
                ("/invoice/issue_date", 58_232),
                ("/invoice/seller", 22_808),
                ("/invoice/buyer", 53_883),
                ("/invoice/lines", 58_300),
                ("/invoice/total_without_tax", 18_589),
                ("/invoice/total_tax", 32_645),
                ("/invoice/total", 54_984),
                ("/invoice/payment", 62_050),
                ("/invoice/sealed", 28_026),
                ("/invoice/note", 47_739)
            ]
        );
        let bill_print = bill.bill.fingerprint();
        assert_eq!(
            bill_print.whole.to_string(),
            "30c11b69f2c09c878e040e4caeedc5c13d73098ae5eaeeedfe90cd4c5c859c56"
        );
        assert_eq!(
            bill_print.fields,
            [
                ("/bill/check_code", 27_422),
                ("/bill/issue_date", 334),
                ("/bill/issuer", 36_471),
                ("/bill/visit", 37_255),
                ("/bill/items", 20_204),
                ("/bill/total", 43_277),
                ("/bill/payment", 35_234),
                ("/bill/sealed", 12_108)
            ]
        );
        let documents = [
            Document::Bill(&bill.bill),
            Document::Invoice(&invoice.invoice),
            Document::Bill(&bill.bill),
        ];
        assert_eq!(
            Fingerprint::of_many(&documents),
            [bill_print.clone(), invoice_print, bill_print]
        );
        assert_eq!(Fingerprint::of_many(&[]), []);
    }
}

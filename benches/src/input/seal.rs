//! From a plan to signed envelopes, one a line.

use std::fmt;
use std::str::FromStr;

use invoice_core::chain::ChainId;
use invoice_core::crypto::messages::{batch_message, record_message};
use invoice_core::crypto::{Hash, HintedSignature, PublicKey};
use invoice_core::merkle;
use invoice_core::record::BATCH_RECORDS_MAX;
use rand::RngExt;
use serde::Serialize;

use super::plan::Item;
use super::signing::BulkSigner;
use crate::cast::{Cast, Player};
use crate::documents::Press;

/// How records are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub enum Form {
    /// Each by itself, with the hint that lets a node verify many together.
    Single,
    /// Each by itself, without the hint.
    Unhinted,
    /// So many under one signature.
    Batch(usize),
}

impl Form {
    /// Records under one signature.
    #[must_use]
    pub const fn batch(self) -> usize {
        match self {
            Self::Single | Self::Unhinted => 1,
            Self::Batch(records) => records,
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single => formatter.write_str("single"),
            Self::Unhinted => formatter.write_str("unhinted"),
            Self::Batch(records) => write!(formatter, "{records}"),
        }
    }
}

impl From<Form> for String {
    fn from(form: Form) -> Self {
        form.to_string()
    }
}

impl FromStr for Form {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "single" | "1" => Ok(Self::Single),
            "unhinted" => Ok(Self::Unhinted),
            number => match number.parse() {
                Ok(records) if (2..=BATCH_RECORDS_MAX).contains(&records) => {
                    Ok(Self::Batch(records))
                }
                Ok(_) | Err(_) => Err(format!(
                    "{text}: 应为 single、unhinted 或 2 至 {BATCH_RECORDS_MAX} / \
                     expected single, unhinted, or 2 to {BATCH_RECORDS_MAX}"
                )),
            },
        }
    }
}

/// Signs what a press writes.
pub struct Sealer<'p, 'c> {
    press: &'p Press<'c>,
    chain: ChainId,
    signer: BulkSigner,
    members: Vec<&'c Player>,
}

impl<'p, 'c> Sealer<'p, 'c> {
    /// Signs for this chain.
    #[must_use]
    pub fn new(press: &'p Press<'c>, chain: ChainId) -> Self {
        let cast: &'c Cast = press.cast();
        Self {
            press,
            chain,
            signer: BulkSigner::new(cast.members().map(|player| &player.secret)),
            members: cast.members().collect(),
        }
    }

    /// Envelopes of the items, one a line.
    #[must_use]
    pub fn lines(&self, form: Form, items: &[Item]) -> Vec<u8> {
        let mut texts = String::new();
        let mut ends = Vec::new();
        for item in items {
            for serial in &item.serials {
                self.press.write(item.issuer, *serial, &mut texts);
                ends.push(texts.len());
            }
        }
        let mut records = Vec::with_capacity(ends.len());
        let mut start = 0;
        for end in ends {
            records.push(&texts[start..end]);
            start = end;
        }
        let mut envelopes = Vec::with_capacity(items.len());
        let mut rest = records.as_slice();
        for item in items {
            let (own, others) = rest.split_at(item.serials.len());
            envelopes.push((item.issuer, own));
            rest = others;
        }
        self.seal(form, &envelopes)
    }

    /// Envelopes of records that are there already, each of the member with this number among the
    /// cast's members.
    #[must_use]
    pub fn seal(&self, form: Form, envelopes: &[(usize, &[&str])]) -> Vec<u8> {
        let work: Vec<(usize, Hash)> = envelopes
            .iter()
            .map(|(member, records)| {
                let key = self.members[*member].signer_key();
                (*member, key.message_digest(&self.message(form, records)))
            })
            .collect();
        let signed = self.signer.sign(&rand::rng().random(), &work);
        let bytes: usize = envelopes
            .iter()
            .flat_map(|(_, records)| records.iter())
            .map(|record| record.len() + 1)
            .sum();
        let mut lines = Vec::with_capacity(bytes + 200 * envelopes.len());
        for ((member, records), mut signature) in envelopes.iter().zip(signed) {
            if form == Form::Unhinted {
                signature.parity = None;
            }
            self.line(&mut lines, *member, form, records, &signature);
        }
        lines
    }

    fn message(&self, form: Form, records: &[&str]) -> Vec<u8> {
        match (form, records) {
            (Form::Single | Form::Unhinted, [record]) => {
                record_message(&self.chain, record.as_bytes())
            }
            _ => {
                let leaves = merkle::leaf_hashes(records);
                let count = u32::try_from(records.len()).unwrap_or(u32::MAX);
                batch_message(&self.chain, count, &merkle::root(&leaves), false)
            }
        }
    }

    fn line(
        &self,
        line: &mut Vec<u8>,
        member: usize,
        form: Form,
        records: &[&str],
        signature: &HintedSignature,
    ) {
        let kid = self.members[member].signer_key().kid();
        line.extend_from_slice(b"{\"kid\":\"");
        line.extend_from_slice(kid.to_string().as_bytes());
        line.extend_from_slice(b"\",\"sig\":\"");
        line.extend_from_slice(signature.to_base64().as_bytes());
        match (form, records) {
            (Form::Single | Form::Unhinted, [record]) => {
                line.extend_from_slice(b"\",\"record\":");
                line.extend_from_slice(record.as_bytes());
                line.extend_from_slice(b"}\n");
            }
            _ => {
                line.extend_from_slice(b"\",\"records\":[");
                for (number, record) in records.iter().enumerate() {
                    if number > 0 {
                        line.push(b',');
                    }
                    line.extend_from_slice(record.as_bytes());
                }
                line.extend_from_slice(b"]}\n");
            }
        }
    }
}

impl Player {
    /// Its public key.
    #[must_use]
    pub fn signer_key(&self) -> &PublicKey {
        use invoice_core::crypto::Signer as _;
        self.signer.public_key()
    }
}

#[cfg(test)]
mod tests {
    use invoice_core::calendar::Instant;
    use invoice_core::record::{Contents, parse_envelope, parse_record};

    use super::*;
    use crate::cast::CastSize;
    use crate::documents::Profile;
    use crate::input::plan::Plan;

    #[test]
    fn envelopes_are_signed_as_they_say() {
        let cast = Cast::new(1, CastSize::of_issuers(20));
        let at = Instant::from_ms(1_795_242_600_000);
        let press = Press::new(&cast, Profile::Mixed, 2, at);
        let chain: ChainId = "bench".parse().unwrap();
        let sealer = Sealer::new(&press, chain.clone());
        for form in [Form::Single, Form::Unhinted, Form::Batch(7)] {
            let mut plan = Plan::new(&press, 3, form.batch(), 0, 1);
            let items: Vec<_> = (0..5).map(|_| plan.next_of(1_000)).collect();
            let lines = sealer.lines(form, &items);
            let lines: Vec<&[u8]> = lines.split(|byte| *byte == b'\n').collect();
            assert_eq!(lines.len(), 6, "five and the empty end");
            for (line, item) in lines.iter().zip(&items) {
                let envelope = parse_envelope(line).unwrap();
                let key = cast.issuers[item.issuer].player.signer_key();
                assert_eq!(envelope.kid, key.kid().to_string());
                let signed = HintedSignature::from_base64(&envelope.sig).unwrap();
                assert_eq!(signed.parity.is_some(), form != Form::Unhinted);
                let records = envelope.contents.records();
                assert_eq!(records.len(), form.batch());
                let message = match &envelope.contents {
                    Contents::One(record) => record_message(&chain, record),
                    Contents::Batch { records, .. } => {
                        let root = merkle::root(&merkle::leaf_hashes(records));
                        batch_message(&chain, 7, &root, false)
                    }
                };
                assert!(key.verify(&message, &signed.signature));
                for record in records {
                    assert!(parse_record(record).unwrap().record.is_ok());
                }
            }
        }
    }

    #[test]
    fn forms_are_spelt_as_they_print() {
        for form in [Form::Single, Form::Unhinted, Form::Batch(256)] {
            assert_eq!(form.to_string().parse(), Ok(form));
        }
        assert_eq!("1".parse(), Ok(Form::Single));
        assert!("1001".parse::<Form>().is_err());
        assert!("x".parse::<Form>().is_err());
    }
}

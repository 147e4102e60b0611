//! Writing a receipt's JSON. A busy node writes tens of thousands a second, of four kilobytes each,
//! most of them digits of hashes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::block::BatchProof;
use super::header::Header;
use super::outcome::Outcome;
use super::receipt::{Inclusion, Receipt, ReceiptAuthorization, ReceiptSignature};
use super::validator_history::ValidatorChange;
use crate::crypto::{Hash, Kid, Signature};

/// Bytes of a receipt beside its record, which are mostly two paths of hashes.
const USUAL_BYTES: usize = 4096;
/// Characters that 64 bytes have in base64.
const SIGNATURE_CHARACTERS: usize = 88;

/// The two lower-case hexadecimal digits of each byte.
const DIGITS: [[u8; 2]; 256] = {
    let mut all = [[0; 2]; 256];
    let hexadecimal = b"0123456789abcdef";
    let mut byte = 0;
    #[allow(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        reason = "evaluated at compile time; every index is below its array's length"
    )]
    while byte < 256 {
        all[byte] = [hexadecimal[byte >> 4], hexadecimal[byte & 15]];
        byte += 1;
    }
    all
};

impl Receipt {
    /// The receipt as JSON: the bytes that its [`Serialize`](serde::Serialize) gives, in a small
    /// part of the time.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = Json(Vec::with_capacity(
            self.record
                .len()
                .saturating_mul(2)
                .saturating_add(USUAL_BYTES),
        ));
        json.raw("{\"chain_id\":");
        json.text(self.chain_id.as_str());
        json.raw(",\"by\":");
        json.text(&self.by);
        json.raw(",\"id\":");
        json.text(&self.id);
        json.raw(",\"record\":");
        json.text(&self.record);
        json.raw(",\"outcome\":");
        json.outcome(&self.outcome);
        json.raw(",\"height\":");
        json.number(self.height);
        json.raw(",\"index\":");
        json.number(self.index);
        json.raw(",\"time\":");
        json.text(&self.time);
        json.block(&self.inclusion, &self.header, self.round, &self.signatures);
        json.authorization(&self.authorization);
        if !self.validator_changes.is_empty() {
            json.raw(",\"validator_changes\":");
            json.list(&self.validator_changes, |json, change| json.change(change));
        }
        json.raw("}");
        json.0
    }
}

/// JSON that is being written.
struct Json(Vec<u8>);

impl Json {
    fn raw(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.raw(&number.to_string());
    }

    /// A text with what must be escaped escaped, in the shortest way.
    fn text(&mut self, text: &str) {
        self.0.push(b'"');
        let mut rest = text.as_bytes();
        while let Some(at) = rest.iter().position(|byte| is_escaped(*byte)) {
            let (plain, escaped) = rest.split_at(at);
            self.0.extend_from_slice(plain);
            let Some((byte, tail)) = escaped.split_first() else {
                break;
            };
            self.escape(*byte);
            rest = tail;
        }
        self.0.extend_from_slice(rest);
        self.0.push(b'"');
    }

    fn escape(&mut self, byte: u8) {
        let short = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            0x09 => b't',
            0x0a => b'n',
            0x0c => b'f',
            0x0d => b'r',
            _ => {
                self.raw("\\u00");
                self.digits(&[byte]);
                return;
            }
        };
        self.0.extend_from_slice(&[b'\\', short]);
    }

    fn digits(&mut self, bytes: &[u8]) {
        let digits = bytes
            .iter()
            .filter_map(|byte| DIGITS.get(usize::from(*byte)));
        self.0.extend(digits.flatten());
    }

    fn hexadecimal(&mut self, bytes: &[u8]) {
        self.0.push(b'"');
        self.digits(bytes);
        self.0.push(b'"');
    }

    fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.0.push(b'[');
        let mut items = items.iter();
        if let Some(first) = items.next() {
            write(self, first);
        }
        for item in items {
            self.0.push(b',');
            write(self, item);
        }
        self.0.push(b']');
    }

    fn path(&mut self, path: &[Hash]) {
        self.list(path, |json, hash| json.hexadecimal(hash.as_bytes()));
    }

    fn outcome(&mut self, outcome: &Outcome) {
        match outcome.code() {
            None => self.raw("{\"status\":\"accepted\""),
            Some(code) => {
                self.raw("{\"status\":\"refused\",\"code\":");
                self.text(code);
            }
        }
        let facts: Vec<_> = outcome.detail().iter().collect();
        if let Some(((name, value), others)) = facts.split_first() {
            self.raw(",\"detail\":{");
            self.fact(name, value);
            for (name, value) in others {
                self.raw(",");
                self.fact(name, value);
            }
            self.raw("}");
        }
        self.raw("}");
    }

    /// Inclusion, header, round and signatures, and the name of what comes behind them.
    fn block(
        &mut self,
        inclusion: &Inclusion,
        header: &Header,
        round: u32,
        signatures: &[ReceiptSignature],
    ) {
        self.raw(",\"inclusion\":{\"tree_size\":");
        self.number(inclusion.tree_size);
        self.raw(",\"path\":");
        self.path(&inclusion.path);
        self.raw("},\"header\":");
        self.hexadecimal(&header.encode());
        self.raw(",\"round\":");
        self.number(round.into());
        self.raw(",\"signatures\":");
        self.list(signatures, |json, vote| {
            json.signed(&vote.kid, None, &vote.sig);
            json.raw("}");
        });
        self.raw(",\"authorization\":");
    }

    fn change(&mut self, change: &ValidatorChange) {
        self.raw("{\"record\":");
        self.text(&change.record);
        self.raw(",\"outcome\":");
        self.outcome(&change.outcome);
        self.raw(",\"height\":");
        self.number(change.height);
        self.raw(",\"index\":");
        self.number(change.index);
        let ValidatorChange {
            inclusion,
            header,
            round,
            signatures,
            authorization,
            ..
        } = change;
        self.block(inclusion, header, *round, signatures);
        self.authorization(authorization);
        self.raw("}");
    }

    fn fact(&mut self, name: &str, value: &str) {
        self.text(name);
        self.raw(":");
        self.text(value);
    }

    /// The members that both kinds of signature have, the brace behind them left open.
    fn signed(&mut self, kid: &Kid, public_key: Option<&[u8]>, signature: &Signature) {
        self.raw("{\"kid\":");
        self.hexadecimal(kid.as_bytes());
        if let Some(public_key) = public_key {
            self.raw(",\"public_key\":");
            self.hexadecimal(public_key);
        }
        self.raw(",\"sig\":\"");
        let mut base64 = [0; SIGNATURE_CHARACTERS];
        let written = STANDARD.encode_slice(signature.as_bytes(), &mut base64);
        let written = written.unwrap_or(SIGNATURE_CHARACTERS);
        self.0.extend(base64.iter().take(written));
        self.raw("\"");
    }

    fn authorization(&mut self, authorization: &ReceiptAuthorization) {
        let ReceiptAuthorization {
            kid,
            public_key,
            sig,
            batch,
        } = authorization;
        self.signed(kid, Some(public_key.as_sec1()), sig);
        if let Some(BatchProof {
            count,
            position,
            path,
            atomic,
        }) = batch
        {
            self.raw(",\"batch\":{\"count\":");
            self.number((*count).into());
            self.raw(",\"position\":");
            self.number((*position).into());
            self.raw(",\"path\":");
            self.path(path);
            self.raw(",\"atomic\":");
            self.raw(if *atomic { "true}" } else { "false}" });
        }
        self.raw("}");
    }
}

/// Whether JSON wants a byte escaped within a text (RFC 8259, clause 7).
const fn is_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

//! The same records for everyone: documents, and a claim on each that can be claimed.

use std::collections::HashMap;

use bytes::Bytes;
use invoice_core::calendar::Instant;
use invoice_core::chain::{ChainId, Genesis};
use invoice_core::crypto::messages::record_message;
use invoice_core::crypto::{HintedSignature, Kid, USER_ID};
use invoice_core::record::{Body, Record, parse_envelope};
use sm2::dsa::VerifyingKey;
use sm2::dsa::signature::Verifier as _;

use crate::Failure;
use crate::cast::Cast;
use crate::documents::{Press, Profile, lock};
use crate::input::plan::{Item, Plan};
use crate::input::{Form, Sealer, Setting};

/// Records that are signed at a time.
const PART: usize = 4_096;

/// Signed records, each by itself.
pub struct Workload {
    /// Issues, as lines with envelopes.
    pub issues: Vec<Bytes>,
    /// Claims on them.
    pub locks: Vec<Bytes>,
    /// Which issue each of them is about; ascending.
    claimed: Vec<usize>,
    /// The same under one signature for each thousand of one member.
    pub issues_batched: Vec<Bytes>,
    /// The claims in the same way; most claimants have few.
    pub locks_batched: Vec<Bytes>,
}

impl Workload {
    /// So many documents, and claims on all that a member may claim.
    ///
    /// # Errors
    /// The chain has a name of the wrong spelling.
    pub fn new(
        cast: &Cast,
        setting: Setting,
        chain: &str,
        at: Instant,
        records: usize,
    ) -> Result<Self, Failure> {
        let press = Press::new(cast, Profile::Usual, setting.seed, at);
        let chain: ChainId = chain.parse().map_err(|_| "chain")?;
        let sealer = Sealer::new(&press, chain);
        let mut plan = Plan::new(&press, setting.seed, 1_000, 0, 1);
        let (mut items, mut left) = (Vec::new(), records);
        while left > 0 {
            let item = plan.next_of(left);
            left -= item.serials.len();
            items.push(item);
        }
        let singles: Vec<Item> = items
            .iter()
            .flat_map(|item| {
                item.serials.iter().map(|serial| Item {
                    issuer: item.issuer,
                    serials: vec![*serial],
                    fresh: 1,
                })
            })
            .collect();
        let mut issues = Vec::with_capacity(records);
        for part in singles.chunks(PART) {
            issues.extend(lines(sealer.lines(Form::Single, part)));
        }
        let issues_batched = items
            .iter()
            .flat_map(|item| lines(sealer.lines(Form::Batch(1_000), std::slice::from_ref(item))))
            .collect();
        let numbers: HashMap<_, usize> = cast
            .members()
            .enumerate()
            .map(|(number, player)| (player.id, number))
            .collect();
        let mut claims: Vec<(usize, String)> = Vec::new();
        let mut claimed = Vec::new();
        for (number, item) in (0_u64..).zip(&singles) {
            let issue = press.record(item.issuer, item.serials[0]);
            if let Some((claimant, claim)) = lock(cast, &issue, number)
                && let Some(member) = numbers.get(&claimant.id)
            {
                claimed.push(usize::try_from(number)?);
                claims.push((*member, with_amount(claim, &issue).to_json()));
            }
        }
        let (mut locks, mut by_member) = (Vec::new(), HashMap::<usize, Vec<&str>>::new());
        for part in claims.chunks(PART) {
            let texts: Vec<[&str; 1]> = part.iter().map(|(_, text)| [text.as_str()]).collect();
            let envelopes: Vec<(usize, &[&str])> = part
                .iter()
                .zip(&texts)
                .map(|((member, _), text)| (*member, text.as_slice()))
                .collect();
            locks.extend(lines(sealer.seal(Form::Single, &envelopes)));
        }
        for (member, text) in &claims {
            by_member.entry(*member).or_default().push(text);
        }
        let mut members: Vec<_> = by_member.into_iter().collect();
        members.sort_unstable();
        let locks_batched = members
            .iter()
            .flat_map(|(member, texts)| {
                texts
                    .chunks(1_000)
                    .flat_map(|part| lines(sealer.seal(Form::Batch(1_000), &[(*member, part)])))
                    .collect::<Vec<_>>()
            })
            .collect();
        Ok(Self {
            issues,
            locks,
            claimed,
            issues_batched,
            locks_batched,
        })
    }
}

impl Workload {
    /// The first issues, and the claims on them.
    #[must_use]
    pub fn first(&self, issues: usize) -> [&[Bytes]; 2] {
        let issues = issues.min(self.issues.len());
        let locks = self.claimed.partition_point(|issue| *issue < issues);
        [&self.issues[..issues], &self.locks[..locks]]
    }
}

/// "All that is left", spelt out: a database that was not written for it needs the number.
fn with_amount(mut claim: Record, issue: &Record) -> Record {
    if let (Body::ClaimLock(lock), Body::InvoiceIssue(issue)) = (&mut claim.body, &issue.body) {
        lock.amount = Some(issue.invoice.total);
    }
    claim
}

fn lines(text: Vec<u8>) -> Vec<Bytes> {
    let text = Bytes::from(text);
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| text.slice_ref(line))
        .collect()
}

/// A record with its signature, out of an envelope.
pub struct Signed {
    /// The record's bytes.
    pub record: Bytes,
    /// The key that signed it.
    pub kid: Kid,
    /// The signature.
    pub signature: HintedSignature,
}

impl Signed {
    /// Reads an envelope of one record.
    ///
    /// # Errors
    /// It is none.
    pub fn read(line: &Bytes) -> Result<Self, Failure> {
        let envelope = parse_envelope(line).map_err(|errors| format!("{errors:?}"))?;
        let record = envelope.contents.records().first().ok_or("no record")?;
        Ok(Self {
            record: line.slice_ref(record),
            kid: envelope.kid.parse().map_err(|_| "kid")?,
            signature: HintedSignature::from_base64(&envelope.sig)?,
        })
    }
}

/// Verifies one signature at a time with the `sm2` crate's own call.
pub struct Verifier {
    chain: ChainId,
    keys: HashMap<Kid, VerifyingKey>,
}

impl Verifier {
    /// Knows the keys of the cast.
    ///
    /// # Errors
    /// Never: they are keys.
    pub fn new(cast: &Cast, genesis: &Genesis) -> Result<Self, Failure> {
        let keys = cast.members().map(|player| {
            let key = player.signer_key();
            let theirs = VerifyingKey::from_sec1_bytes(USER_ID, key.as_sec1());
            theirs.map(|theirs| (key.kid(), theirs))
        });
        Ok(Self {
            chain: genesis.chain_id().clone(),
            keys: keys.collect::<Result<_, _>>().map_err(|_| "key")?,
        })
    }

    /// Whether the signature is right.
    #[must_use]
    pub fn verify(&self, signed: &Signed) -> bool {
        let message = record_message(&self.chain, &signed.record);
        let signature = sm2::dsa::Signature::from_slice(signed.signature.signature.as_bytes());
        match (self.keys.get(&signed.kid), signature) {
            (Some(key), Ok(signature)) => key.verify(&message, &signature).is_ok(),
            _ => false,
        }
    }
}

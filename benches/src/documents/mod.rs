//! Documents as varied as real ones, each of which the rules accept.
//!
//! Some issuers are large and most are small; numbers of one issuer follow one another. Of the
//! invoices most are fully digital, some have code and number; many documents go to
//! natural persons; bills and clinics' invoices carry payment splits.

mod bill;
mod claim;
mod invoice;
mod sealed;
pub mod vocabulary;

use invoice_core::calendar::{Date, Instant};
use invoice_core::record::{Body, Record};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::cast::{Business, Cast};
use crate::spelled;

/// Makes documents, endlessly.
pub struct Documents<'c> {
    cast: &'c Cast,
    dice: StdRng,
    at: Instant,
    /// Number of each issuer's next document.
    serials: Vec<u64>,
}

/// What of a document does not depend on what it is about.
struct Blank<'d> {
    dice: &'d mut StdRng,
    cast: &'d Cast,
    /// Which issuer's range the number comes from.
    issuer: usize,
    /// The document's number in that range.
    serial: u64,
    date: Date,
}

impl<'c> Documents<'c> {
    /// Documents of one day, that of `at`. The issuers' numbers begin at `first_serial`, which
    /// must differ where the same cast issues on the same chain again.
    #[must_use]
    pub fn new(cast: &'c Cast, seed: u64, first_serial: u64, at: Instant) -> Self {
        Self {
            cast,
            dice: StdRng::seed_from_u64(seed),
            at,
            serials: vec![first_serial; cast.issuers.len()],
        }
    }

    /// An issuer, by its place in the cast: large ones come up much more often.
    pub fn any_issuer(&mut self) -> usize {
        let count = self.cast.issuers.len();
        let share: f64 = self.dice.random();
        ((share * share * count as f64) as usize).min(count.saturating_sub(1))
    }

    /// The next document of an issuer.
    ///
    /// # Panics
    /// The cast has no such issuer.
    pub fn next_of(&mut self, issuer: usize) -> Record {
        let cast = self.cast;
        let by = &cast.issuers[issuer];
        let serial = self.serials[issuer];
        self.serials[issuer] += 1;
        let mut blank = Blank {
            dice: &mut self.dice,
            cast,
            issuer,
            serial,
            date: self.at.date_utc8(),
        };
        let (word, body) = match by.business {
            Business::Trade { trade, small } => (
                "inv",
                Body::InvoiceIssue(invoice::goods(&mut blank, by, trade, small)),
            ),
            Business::Clinic => ("inv", Body::InvoiceIssue(invoice::care(&mut blank, by))),
            Business::Hospital => ("bill", Body::BillIssue(bill::bill(&mut blank, by))),
        };
        Record {
            id: spelled(&format!(
                "{word}-{}-{serial:09}",
                self.at.date_utc8().to_compact()
            )),
            by: by.player.id,
            at: self.at,
            body,
        }
    }

    /// The next document of any issuer.
    pub fn next_document(&mut self) -> Record {
        let issuer = self.any_issuer();
        self.next_of(issuer)
    }
}

/// A quotient rounded half up; both not negative.
fn rounded(numerator: i64, denominator: i64) -> i64 {
    (2 * numerator + denominator) / (2 * denominator)
}

pub use claim::lock;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use invoice_core::apply::{BlockPosition, Candidate, Execution, Verdict, genesis_changes};
    use invoice_core::crypto::{SecretKey, Signer};
    use invoice_core::record::parse_record;
    use invoice_core::state::MemoryState;

    use super::*;
    use crate::cast::{CastSize, Player};

    const NOON: Instant = Instant::from_ms(1_795_242_600_000);

    fn cast() -> Cast {
        Cast::new(7, CastSize::of_issuers(50))
    }

    fn candidate(by: &Player, record: &Record) -> Candidate {
        let text = record.to_json();
        let parsed = parse_record(text.as_bytes()).unwrap();
        assert_eq!(parsed.record.as_ref(), Ok(record), "{text}");
        Candidate::new(parsed, by.signer.public_key().kid())
    }

    #[test]
    fn every_document_and_every_lock_is_accepted() {
        let cast = cast();
        let validator = SecretKey::from_bytes(&[9; 32]).unwrap().public_key();
        let mut state = MemoryState::new();
        state.apply(&genesis_changes(&cast.genesis("bench", &validator, NOON)));
        let mut execution = Execution::new(
            &state,
            BlockPosition {
                time: NOON,
                first_index: 0,
            },
        );
        let mut documents = Documents::new(&cast, 1, 1, NOON);
        let mut keys = BTreeSet::new();
        let mut locks = 0;
        for number in 0..5_000 {
            let issuer = documents.any_issuer();
            let document = documents.next_of(issuer);
            let claim = lock(&cast, &document, number);
            locks += usize::from(claim.is_some());
            keys.insert(*document.body.document().unwrap());
            let by = &cast.issuers[issuer].player;
            let claim = claim.iter().map(|(claimant, claim)| (*claimant, claim));
            for (by, record) in std::iter::once((by, &document)).chain(claim) {
                let verdict = execution.execute(&candidate(by, record)).unwrap();
                let Verdict::Recorded(recorded) = verdict else {
                    panic!("{verdict:?}: {}", record.to_json());
                };
                assert!(
                    recorded.outcome.is_accepted(),
                    "{recorded:?}: {}",
                    record.to_json()
                );
            }
        }
        assert_eq!(keys.len(), 5_000);
        assert!((3_000..5_000).contains(&locks), "{locks}");
    }

    #[test]
    fn the_same_seed_gives_the_same_documents() {
        let (one, other) = (cast(), cast());
        let texts = |cast, seed| {
            let mut documents = Documents::new(cast, seed, 1, NOON);
            (0..100)
                .map(|_| documents.next_document().to_json())
                .collect::<Vec<_>>()
        };
        assert_eq!(texts(&one, 3), texts(&other, 3));
        assert_ne!(texts(&one, 3), texts(&one, 4));
    }

    #[test]
    fn documents_are_of_many_kinds() {
        let cast = cast();
        let mut documents = Documents::new(&cast, 1, 1, NOON);
        let texts: Vec<_> = (0..2_000)
            .map(|_| documents.next_document().to_json())
            .collect();
        for trait_of_some in [
            "\"kind\":\"81\"",
            "\"kind\":\"82\"",
            "\"kind\":\"10\"",
            "bill.issue",
            "免税",
            "\"amount\":\"-",
            "\"sealed\"",
            "\"payment\"",
            "inpatient",
            "\"note\"",
            "\"tax_rate\":\"0.13\"",
            "\"tax_rate\":\"0.01\"",
            "\"quantity\"",
        ] {
            let with = texts
                .iter()
                .filter(|text| text.contains(trait_of_some))
                .count();
            assert!(
                (20..1_900).contains(&with),
                "{with} of 2,000 documents have {trait_of_some}"
            );
        }
    }
}

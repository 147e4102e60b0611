//! Documents as varied as real ones, each of which the rules accept.
//!
//! Some issuers are large and most are small; numbers of one issuer follow one another. Of the
//! invoices most are fully digital, some have code and number; many documents go to
//! natural persons; bills and clinics' invoices carry payment splits. Every merchant has a
//! catalogue of its own and customers that come again.
//!
//! A document is a function of seed, issuer and number, so that it can be written again at any
//! time: nothing has to be kept to send a duplicate or to go on where a run was broken off.

mod bill;
mod catalogue;
mod claim;
mod invoice;
mod press;
mod sealed;
pub mod vocabulary;

use clap::ValueEnum;
use invoice_core::calendar::{Date, Instant};
use invoice_core::record::{Body, Record, parse_record};
use rand::rngs::{SmallRng, StdRng};
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::cast::{Business, Cast};
use crate::spelled;
use catalogue::Product;

/// What documents are drawn with: fast, and the same on every machine.
pub type Dice = SmallRng;

/// Milliseconds over which the records' `at` are spread, back from the one that is asked for.
const AT_SPREAD_MS: u64 = 3_600_000;

/// What is issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Invoices of merchants only, as most of a bureau's are.
    Usual,
    /// All there is: also clinics' invoices and hospitals' bills, and more sealed parts.
    Mixed,
}

/// Writes any document of any issuer.
pub struct Press<'c> {
    cast: &'c Cast,
    profile: Profile,
    seed: u64,
    at: Instant,
    /// Of each issuer; empty where it is no merchant.
    products: Vec<Vec<Product>>,
    /// Who issues in this profile.
    issuers: Vec<usize>,
}

impl<'c> Press<'c> {
    /// Documents of the hour before `at`.
    #[must_use]
    pub fn new(cast: &'c Cast, profile: Profile, seed: u64, at: Instant) -> Self {
        let products = (0_u64..).zip(&cast.issuers).map(|(number, issuer)| {
            let mut dice = Dice::seed_from_u64(mixed(seed, number, u64::MAX));
            match issuer.business {
                Business::Trade { trade, small } => catalogue::products(&mut dice, trade, small),
                Business::Clinic | Business::Hospital => Vec::new(),
            }
        });
        let products: Vec<_> = products.collect();
        let issues = |issuer: &usize| profile == Profile::Mixed || !products[*issuer].is_empty();
        let issuers = (0..products.len()).filter(issues).collect();
        Self {
            cast,
            profile,
            seed,
            at,
            products,
            issuers,
        }
    }

    /// Who takes part.
    #[must_use]
    pub fn cast(&self) -> &'c Cast {
        self.cast
    }

    /// An issuer, by its place in the cast: large ones come up much more often.
    pub fn any_issuer(&self, dice: &mut impl RngExt) -> usize {
        let count = self.issuers.len();
        let share: f64 = dice.random();
        let place = ((share * share * count as f64) as usize).min(count.saturating_sub(1));
        self.issuers[place]
    }

    /// Whether an issuer sells goods and services, as all issuers of [`Profile::Usual`] do.
    #[must_use]
    pub fn is_merchant(&self, issuer: usize) -> bool {
        self.products
            .get(issuer)
            .is_some_and(|products| !products.is_empty())
    }

    /// Writes an issuer's document with this number behind the text.
    ///
    /// # Panics
    /// The cast has no such issuer, or its range has no such number.
    pub fn write(&self, issuer: usize, serial: u64, text: &mut String) {
        let by = &self.cast.issuers[issuer];
        let mut dice = Dice::seed_from_u64(mixed(self.seed, issuer as u64, serial));
        let back = serial.wrapping_mul(977).wrapping_add(issuer as u64 * 131) % AT_SPREAD_MS;
        let at = Instant::from_ms(self.at.ms() - back.cast_signed());
        let mut blank = Blank {
            dice: &mut dice,
            issuer,
            serial,
            date: at.date_utc8(),
        };
        let id = |word| format!("{word}-{}-{serial:09}", at.date_utc8().to_compact());
        let (id, body) = match by.business {
            Business::Trade { .. } => {
                let place = press::Place {
                    id: id("inv"),
                    at,
                    profile: self.profile,
                };
                let products = &self.products[issuer];
                return press::goods(text, blank, self.cast, by, products, &place);
            }
            Business::Clinic => {
                let issue = invoice::care(&mut blank, by);
                (id("inv"), Body::InvoiceIssue(issue))
            }
            Business::Hospital => (id("bill"), Body::BillIssue(bill::bill(&mut blank, by))),
        };
        let record = Record {
            id: spelled(&id),
            by: by.player.id,
            at,
            body,
        };
        text.push_str(&record.to_json());
    }

    /// The same document, read.
    ///
    /// # Panics
    /// As [`Press::write`].
    #[must_use]
    pub fn record(&self, issuer: usize, serial: u64) -> Record {
        let mut text = String::new();
        self.write(issuer, serial, &mut text);
        match parse_record(text.as_bytes()).map(|parsed| parsed.record) {
            Ok(Ok(record)) => record,
            Ok(Err(rules)) => panic!("{text}: {rules:?}"),
            Err(errors) => panic!("{text}: {errors:?}"),
        }
    }
}

/// One seed out of three numbers.
fn mixed(seed: u64, issuer: u64, serial: u64) -> u64 {
    seed ^ issuer.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ serial.wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

/// What of a document does not depend on what it is about.
struct Blank<'d> {
    dice: &'d mut Dice,
    /// Which issuer's range the number comes from.
    issuer: usize,
    /// The document's number in that range.
    serial: u64,
    date: Date,
}

/// Makes documents, endlessly.
pub struct Documents<'c> {
    press: Press<'c>,
    dice: StdRng,
    /// Number of each issuer's next document.
    serials: Vec<u64>,
}

impl<'c> Documents<'c> {
    /// Documents of all kinds of the hour before `at`. The issuers' numbers begin at
    /// `first_serial`, which must differ where the same cast issues on the same chain again.
    #[must_use]
    pub fn new(cast: &'c Cast, seed: u64, first_serial: u64, at: Instant) -> Self {
        Self {
            press: Press::new(cast, Profile::Mixed, seed, at),
            dice: StdRng::seed_from_u64(seed),
            serials: vec![first_serial; cast.issuers.len()],
        }
    }

    /// An issuer, by its place in the cast: large ones come up much more often.
    pub fn any_issuer(&mut self) -> usize {
        self.press.any_issuer(&mut self.dice)
    }

    /// The next document of an issuer.
    ///
    /// # Panics
    /// The cast has no such issuer.
    pub fn next_of(&mut self, issuer: usize) -> Record {
        let serial = self.serials[issuer];
        self.serials[issuer] += 1;
        self.press.record(issuer, serial)
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
                height: 1,
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
    fn documents_are_written_as_the_core_writes_them() {
        let cast = cast();
        let press = Press::new(&cast, Profile::Mixed, 5, NOON);
        for number in 0..2_000 {
            let (issuer, serial) = (number % 50, 1 + number as u64);
            let mut text = String::new();
            press.write(issuer, serial, &mut text);
            assert_eq!(press.record(issuer, serial).to_json(), text);
        }
    }

    #[test]
    fn names_and_buyers_come_from_thousands() {
        let cast = cast();
        let press = Press::new(&cast, Profile::Usual, 5, NOON);
        let (mut names, mut buyers, mut lines) = (BTreeSet::new(), BTreeSet::new(), [0; 9]);
        let mut dice = StdRng::seed_from_u64(1);
        for serial in 1..=6_000 {
            let record = press.record(press.any_issuer(&mut dice), serial);
            let Body::InvoiceIssue(issue) = record.body else {
                panic!("not an invoice: {record:?}");
            };
            buyers.insert(issue.invoice.buyer.name);
            let sold = issue
                .invoice
                .lines
                .iter()
                .filter(|line| !line.amount.is_negative());
            lines[sold.count()] += 1;
            names.extend(issue.invoice.lines.into_iter().map(|line| line.name));
        }
        assert!(names.len() > 1_500, "{} names", names.len());
        assert!(buyers.len() > 1_000, "{} buyers", buyers.len());
        assert_eq!(lines[0], 0);
        assert!(lines[1..].iter().all(|count| *count > 0), "{lines:?}");
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
            "\"spec\"",
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

//! What is sent: generated and signed before anything is measured.

use invoice_api::client::Envelope;
use invoice_core::calendar::Instant;
use invoice_core::chain::ChainId;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{Case, Failure};
use crate::cast::{Cast, Player};
use crate::documents::Documents;

/// Records of one issuer that may be sent again.
const REMEMBERED: usize = 1_000;

/// Envelopes in the order in which they are sent.
pub struct Input {
    /// Bodies of requests.
    pub envelopes: Vec<Envelope>,
    /// Records among them that were not sent before.
    pub fresh: usize,
}

/// Where documents come from.
#[derive(Clone, Copy)]
pub struct Source<'c> {
    /// Who issues.
    pub cast: &'c Cast,
    /// What they issue.
    pub seed: u64,
    /// Number of each issuer's first document.
    pub first_serial: u64,
    /// The records' `at`.
    pub at: Instant,
}

/// Makes and signs the input of a case, on all cores.
///
/// # Errors
/// A key does not sign.
pub fn prepare(source: Source<'_>, chain: &ChainId, case: &Case) -> Result<Input, Failure> {
    let (batches, fresh) = texts(source, case);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = batches.len().div_ceil(threads).max(1);
    let signed: Vec<Result<Vec<Envelope>, Failure>> = std::thread::scope(|scope| {
        let workers: Vec<_> = batches
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().map(|batch| sign(chain, batch)).collect()))
            .collect();
        workers
            .into_iter()
            .map(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|_| Err("a thread ended early".into()))
            })
            .collect()
    });
    let parts = signed.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(Input {
        envelopes: parts.into_iter().flatten().collect(),
        fresh,
    })
}

type Batch<'c> = (&'c Player, Vec<String>);

/// The records, an issuer's together, and how many of them are new.
fn texts<'c>(source: Source<'c>, case: &Case) -> (Vec<Batch<'c>>, usize) {
    let Source {
        cast,
        seed,
        first_serial,
        at,
    } = source;
    let mut documents = Documents::new(cast, seed, first_serial, at);
    let mut dice = StdRng::seed_from_u64(seed);
    let mut sent: Vec<Vec<String>> = vec![Vec::new(); cast.issuers.len()];
    let (mut batches, mut fresh, mut left) = (Vec::new(), 0, case.records);
    while left > 0 {
        let issuer = documents.any_issuer();
        let count = case.batch.clamp(1, left);
        left -= count;
        let mut records = Vec::with_capacity(count);
        for _ in 0..count {
            let before = &mut sent[issuer];
            let again = !before.is_empty() && dice.random_ratio(case.duplicates.min(100), 100);
            if again {
                records.push(before[dice.random_range(0..before.len())].clone());
                continue;
            }
            let text = documents.next_of(issuer).to_json();
            fresh += 1;
            if before.len() < REMEMBERED {
                before.push(text.clone());
            } else {
                before[dice.random_range(0..REMEMBERED)].clone_from(&text);
            }
            records.push(text);
        }
        batches.push((&cast.issuers[issuer].player, records));
    }
    (batches, fresh)
}

fn sign(chain: &ChainId, (by, records): &Batch<'_>) -> Result<Envelope, Failure> {
    let envelope = match records.as_slice() {
        [record] => Envelope::single(chain, &*by.signer, record)?,
        records => {
            let texts: Vec<&str> = records.iter().map(String::as_str).collect();
            Envelope::batch(chain, &*by.signer, &texts, false)?
        }
    };
    Ok(envelope)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cast::CastSize;

    #[test]
    fn the_share_of_duplicates_is_as_asked() {
        let cast = Cast::new(1, CastSize::of_issuers(20));
        let at = Instant::from_ms(1_795_242_600_000);
        let source = Source {
            cast: &cast,
            seed: 2,
            first_serial: 1,
            at,
        };
        for (batch, duplicates) in [(1, 0), (1, 50), (64, 10), (1_000, 50)] {
            let case = Case {
                batch,
                connections: 1,
                duplicates,
                records: 4_000,
            };
            let (batches, fresh) = texts(source, &case);
            let records: usize = batches.iter().map(|(_, records)| records.len()).sum();
            assert_eq!(records, 4_000);
            let expected = 4_000 - 40 * duplicates as usize;
            assert!(
                fresh.abs_diff(expected) < 150,
                "{batch} {duplicates}: {fresh}"
            );
        }
    }
}

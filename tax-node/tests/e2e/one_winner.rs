//! The same money, claimed a thousand times at the same moment.

use futures_util::future::join_all;

use crate::support::records::{Document, id_of, lock};
use crate::support::{Demo, Http};

const ROUNDS: usize = 20;
const CLAIMS: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_invoice_is_claimed_once_however_many_ask() {
    let demo = Demo::start();
    let claimants = [
        demo.employer(),
        demo.member("employer", 2),
        demo.member("insurer", 1),
    ];
    for round in 0..ROUNDS {
        let document = Document::invoice(&demo.merchant(), None);
        demo.http.accept(&demo.merchant(), &document.text()).await;
        let size = demo.http.tree_size().await;
        // All of it, or so much that two do not fit.
        let amount = [None, Some("1060.00"), Some("530.01")][round % 3];
        let claims: Vec<_> = (0..CLAIMS)
            .map(|number| {
                let by = &claimants[number % claimants.len()];
                let kind = match by.roles[0].as_str() {
                    "insurer" => "commercial",
                    _ => "employer",
                };
                let record = lock(by, &document.key, kind, amount);
                (by, demo.http.envelope(by, &record), record)
            })
            .collect();
        let answers = join_all(
            claims
                .iter()
                .map(|(_, envelope, _)| Http::send(demo.http.posting(envelope.clone()))),
        )
        .await;

        let winners: Vec<_> = (0..CLAIMS)
            .filter(|number| answers[*number].status == 201)
            .collect();
        assert_eq!(winners.len(), 1, "round {round}");
        for (number, answer) in answers.iter().enumerate() {
            if number == winners[0] {
                answer.verified(&demo.genesis);
                continue;
            }
            assert_eq!(answer.status, 409, "round {round}: {}", answer.text());
            let code = answer.code();
            let due = match amount {
                Some("530.01") => "claim_exceeds_remaining",
                _ => "already_locked",
            };
            assert_eq!(code, due, "round {round}");
        }
        // Every attempt is on the chain, and each once.
        assert_eq!(demo.http.tree_size().await, size + CLAIMS as u64);
        // Asked again, the winner has won and a loser has lost.
        for number in [winners[0], (winners[0] + 1) % CLAIMS] {
            let (by, envelope, record) = &claims[number];
            let again = demo.http.post(envelope.clone()).await;
            let won = number == winners[0];
            assert_eq!(again.status, if won { 200 } else { 409 });
            let path = format!("/v1/records/{}/{}", by.id, id_of(record));
            let found = demo.http.ask(by, &path).await.is(200);
            assert_eq!(found.json()["state"], "final");
            if won {
                assert_eq!(found.receipt().unwrap(), answers[number].text());
            }
        }
    }
}

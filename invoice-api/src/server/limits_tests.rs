//! What nobody gets more of by asking for it many times at once.

use futures_util::future::join_all;

use super::*;
use crate::limits::{EVENT_STREAMS_OF_ADDRESS_MAX, EVENT_STREAMS_OF_MEMBER_MAX};
use crate::server::budget::Network;
use crate::server::places::Proof;

fn state(verdict: CheckVerdict) -> web::Data<AppState> {
    let registry = Down::default();
    *registry.1.lock().unwrap() = Some(PublicCheck {
        verdict,
        issuer: None,
        has_check_code: false,
        as_of: AsOf {
            height: 7,
            time: invoice_core::calendar::Instant::from_ms(0),
        },
        checkpoint: None,
    });
    web::Data::new(AppState::new(&config(), Arc::new(registry)))
}

/// The statuses of so many questions at once to the public page.
async fn asked(state: &web::Data<AppState>, count: usize) -> Vec<u16> {
    let app = App::new()
        .wrap(from_fn(observe))
        .app_data(state.clone())
        .configure(routes::configure);
    let app = init_service(app).await;
    let one = SocketAddr::from(([198, 51, 100, 7], 1));
    let answers = join_all((0..count).map(|number| {
        let path = format!("/v/D:24442000000000000016?amount={number}.00&date=2026-11-20");
        app.call(get(&path).peer_addr(one).to_request())
    }));
    let answers = answers.await.into_iter();
    answers
        .map(|answer| answer.unwrap().status().as_u16())
        .collect()
}

#[actix_web::test]
async fn who_guesses_many_times_at_once_is_told_no_more() {
    let missing = state(CheckVerdict::NotFound);
    let statuses = asked(&missing, 200).await;
    let count = |status: u16| statuses.iter().filter(|found| **found == status).count();
    // The budget of a minute refills a little while it is used.
    assert!((60..=63).contains(&count(200)), "{statuses:?}");
    assert_eq!(count(200) + count(429), 200);
    // Matches, and a registry that is down, cost nothing.
    for state in [
        state(CheckVerdict::Claimable),
        web::Data::new(AppState::new(&config(), Arc::new(Down::default()))),
    ] {
        for _ in 0..3 {
            let statuses = asked(&state, 50).await;
            assert!(!statuses.contains(&429), "{statuses:?}");
        }
    }
}

#[actix_web::test]
async fn nobody_takes_all_streams_of_events() {
    let member: MemberId = "91330000142942095H".parse().unwrap();
    let other: MemberId = "91350100M000100Y43".parse().unwrap();
    let state = state(CheckVerdict::NotFound);
    let near = Network::V4([192, 0, 2, 1]);
    let mut held = Vec::new();
    while let Some(place) = state.event_streams.take(member, near, Proof::Proved) {
        held.push(place);
    }
    assert_eq!(held.len(), EVENT_STREAMS_OF_MEMBER_MAX);
    assert!(EVENT_STREAMS_OF_ADDRESS_MAX < config().event_streams_max);
    let others = state.event_streams.take(other, near, Proof::Proved);
    assert!(others.is_some());
}

use super::*;
use crate::secret::OVERLAP_MS;
use invoice_core::read::Spelled;

const DAY_MS: i64 = 24 * 3_600 * 1_000;

fn place(height: u64, index: u64, number: u32) -> EventPlace {
    EventPlace {
        height,
        index,
        number,
    }
}

fn endpoint() -> Endpoint {
    let key = EndpointKey {
        member: MemberId::spelled("11330000DEM0000012").unwrap(),
        id: EndpointId::parse("erp").unwrap(),
    };
    let settings = Settings {
        url: "https://erp.example/".into(),
        events: Some(vec!["document_reversed".into()]),
        description: None,
    };
    Endpoint::new(key, settings, "00".into(), Secret::new([1; 32]), 7, 0)
}

fn attempt(at_ms: i64, reason: Option<Reason>) -> Attempt {
    Attempt {
        at_ms,
        duration_ms: 100,
        status: None,
        reason,
        answer: String::new(),
    }
}

fn try_at(endpoint: &mut Endpoint, delivery: &mut Delivery, at_ms: i64, reason: Option<Reason>) {
    let verdict = match reason {
        None => Verdict::Taken,
        Some(reason) => Verdict::Failed {
            reason,
            retry_after_ms: None,
        },
    };
    let generation = endpoint.generation;
    endpoint.tried(delivery, attempt(at_ms, reason), verdict, generation, 0);
}

fn delivery(endpoint: &Endpoint, place: EventPlace) -> Delivery {
    endpoint.delivery(None, "msg".into(), "document_reversed".into(), place)
}

#[test]
fn a_message_is_tried_until_it_is_taken_and_only_then_passed() {
    let mut endpoint = endpoint();
    let at = place(8, 20, 1);
    let mut first = delivery(&endpoint, at);
    assert!(endpoint.cursor.has_passed(place(7, 19, 0)) && !endpoint.cursor.has_passed(at));
    try_at(&mut endpoint, &mut first, 1_000, Some(Reason::TimedOut));
    let failing = endpoint.failing.unwrap();
    assert_eq!((failing.failures, failing.since_ms), (1, 1_000));
    assert_eq!(failing.next_ms, 1_100 + 5_000);
    assert_eq!(first.next_ms, Some(6_100));
    assert!(!endpoint.cursor.has_passed(at));
    assert_eq!(endpoint.open, Some(first.number));
    let again = |open| endpoint.delivery(open, "msg".into(), "document_reversed".into(), at);
    assert_eq!(again(Some(first.clone())), first);
    // A message that another one has overtaken keeps its row.
    let other = Delivery {
        message: "other".into(),
        ..first.clone()
    };
    assert_eq!(again(Some(other)).number, 1);
    try_at(&mut endpoint, &mut first, 6_100, None);
    assert!(endpoint.failing.is_none() && first.delivered && first.attempts_total == 2);
    assert!(endpoint.cursor.has_passed(at) && endpoint.cursor.has_passed(place(8, 20, 0)));
    assert!(!endpoint.cursor.has_passed(place(8, 20, 2)));
    assert!(!endpoint.cursor.has_passed(place(8, 21, 0)));
    assert_eq!((endpoint.open, endpoint.next_delivery), (None, 1));
    endpoint.complete_to(8);
    assert!(endpoint.cursor.has_passed(place(8, 99, 0)));
}

#[test]
fn five_days_of_failures_or_one_gone_disable_an_endpoint_and_keep_its_cursor() {
    let mut one = endpoint();
    let mut message = delivery(&one, place(8, 20, 0));
    let cursor = one.cursor;
    for day in 0..5 {
        try_at(
            &mut one,
            &mut message,
            day * DAY_MS,
            Some(Reason::NotConnected),
        );
        assert_eq!(one.state, State::Active, "{day}");
    }
    try_at(
        &mut one,
        &mut message,
        5 * DAY_MS,
        Some(Reason::NotConnected),
    );
    let disabled = |reason, at_ms| State::Disabled { reason, at_ms };
    assert_eq!(one.state, disabled(Disabled::Failing, 5 * DAY_MS + 100));
    assert_eq!((one.cursor, message.next_ms), (cursor, None));
    one.enable("01".into());
    assert_eq!((one.state, one.failing), (State::Active, None));
    // The same delivery goes on.
    assert_eq!(one.open, Some(message.number));

    let mut two = endpoint();
    let mut message = delivery(&two, place(8, 20, 0));
    try_at(&mut two, &mut message, 1, Some(Reason::Gone));
    assert_eq!(two.state, disabled(Disabled::Gone, 101));
    assert_eq!(two.cursor, cursor);
}

#[test]
fn a_replay_moves_back_only_and_an_attempt_under_way_does_not_undo_it() {
    let mut endpoint = endpoint();
    let generation = endpoint.generation;
    let mut message = delivery(&endpoint, place(8, 20, 0));
    endpoint.replay(9, "00".into());
    assert_eq!((endpoint.cursor.height, endpoint.generation), (7, 0));
    endpoint.replay(3, "00".into());
    assert_eq!((endpoint.cursor.height, endpoint.generation), (3, 1));
    endpoint.tried(
        &mut message,
        attempt(1, None),
        Verdict::Taken,
        generation,
        0,
    );
    assert!(message.delivered);
    assert_eq!(
        endpoint.cursor,
        Cursor {
            height: 3,
            within: None
        }
    );
    assert_eq!(endpoint.next_delivery, 1);
    // Back to the same height takes back what was told in the block after it.
    let mut again = delivery(&endpoint, place(4, 9, 0));
    try_at(&mut endpoint, &mut again, 2, None);
    assert!(endpoint.cursor.has_passed(place(4, 9, 0)));
    endpoint.replay(3, "00".into());
    assert!(!endpoint.cursor.has_passed(place(4, 9, 0)));
}

#[test]
fn replaced_secrets_sign_for_a_day_each() {
    let mut endpoint = endpoint();
    let first = endpoint.secret().clone();
    let second = Secret::new([2; 32]);
    endpoint.rotate(second.clone(), "00".into(), 1_000);
    let at =
        |endpoint: &Endpoint, now: i64| -> Vec<Secret> { endpoint.secrets(now).cloned().collect() };
    let end = 1_000 + OVERLAP_MS;
    assert_eq!(at(&endpoint, end - 1), [second.clone(), first.clone()]);
    assert_eq!(endpoint.old_secret_until_ms(end - 1), Some(end));
    assert_eq!(at(&endpoint, end), std::slice::from_ref(&second));
    assert_eq!(endpoint.old_secret_until_ms(end), None);
    let third = Secret::new([3; 32]);
    endpoint.rotate(third.clone(), "00".into(), 2_000);
    // An answer that was lost takes nothing from the receiver, which has the first one.
    assert_eq!(at(&endpoint, 3_000), [third.clone(), second.clone(), first]);
    assert_eq!(at(&endpoint, end), [third, second]);
}

#[test]
fn another_url_is_tried_at_once_and_other_words_change_nothing() {
    let mut endpoint = endpoint();
    let mut message = delivery(&endpoint, place(8, 20, 0));
    try_at(&mut endpoint, &mut message, 1, Some(Reason::TimedOut));
    let mut settings = endpoint.settings.clone();
    settings.description = Some("x".into());
    endpoint.change(settings.clone(), "02".into());
    assert!(endpoint.failing.is_some() && endpoint.generation == 0);
    assert!(endpoint.wants("document_reversed") && !endpoint.wants("over_claimed"));
    settings.url = "https://other.example/".into();
    settings.events = None;
    endpoint.change(settings, "02".into());
    assert!(endpoint.failing.is_none() && endpoint.generation == 1);
    assert!(endpoint.wants("over_claimed"));
}

#[test]
fn nobody_makes_the_node_hammer_a_receiver() {
    type Ask = fn(&mut Endpoint, usize);
    let asks: [(&str, Ask); 3] = [
        ("enable", |endpoint, _| endpoint.enable("00".into())),
        ("replay", |endpoint, _| endpoint.replay(0, "00".into())),
        ("change", |endpoint, turn| {
            let mut settings = endpoint.settings.clone();
            settings.url = format!("https://erp.example/{turn}");
            endpoint.change(settings, "00".into());
        }),
    ];
    for (name, ask) in asks {
        for reason in [Some(Reason::StatusNotGood), None] {
            let mut endpoint = endpoint();
            assert_eq!(endpoint.wait_ms(0), None, "the first message goes at once");
            let mut attempts = 0_u32;
            for now_ms in (0..60_000).step_by(20) {
                if endpoint.wait_ms(now_ms).is_none() {
                    let mut message = delivery(&endpoint, place(8, 20, 0));
                    try_at(&mut endpoint, &mut message, now_ms, reason);
                    attempts += 1;
                }
                ask(&mut endpoint, usize::try_from(now_ms).unwrap());
            }
            assert!((2..=12).contains(&attempts), "{name} {reason:?} {attempts}");
        }
    }
    // An attempt that is asked for while another one is under way waits after that one, too.
    let mut moved = endpoint();
    let mut message = delivery(&moved, place(8, 20, 0));
    let generation = moved.generation;
    asks[2].1(&mut moved, 1);
    moved.tried(
        &mut message,
        attempt(9_900, None),
        Verdict::Taken,
        generation,
        0,
    );
    assert_eq!(moved.wait_ms(10_000), Some(5_000));
    // A clock that was put back makes it wait for no longer.
    assert_eq!(moved.wait_ms(-1_000_000), Some(5_000));
    assert_eq!(moved.wait_ms(15_000), None);
    let new = endpoint().resting_since(100);
    assert_eq!((new.wait_ms(5_000), new.wait_ms(5_100)), (Some(100), None));
    // Messages that are taken follow each other without any wait.
    let mut quick = endpoint();
    for number in 0..3 {
        let mut message = delivery(&quick, place(8, 20, number));
        try_at(&mut quick, &mut message, 7, None);
        assert_eq!(quick.wait_ms(7), None);
    }
}

#[test]
fn a_cursor_does_not_stand_beyond_the_chain() {
    for (height, within, head, due) in [
        (7, None, 9, (7, None)),
        (7, None, 7, (7, None)),
        (7, None, 5, (5, None)),
        (7, Some(place(8, 20, 1)), 8, (7, Some(place(8, 20, 1)))),
        (7, Some(place(8, 20, 1)), 7, (7, None)),
        (7, Some(place(8, 20, 1)), 2, (2, None)),
    ] {
        let mut endpoint = endpoint();
        endpoint.cursor = Cursor { height, within };
        let before = endpoint.cursor;
        assert_eq!(endpoint.end_at(head), (before.height, before.within) != due);
        assert_eq!((endpoint.cursor.height, endpoint.cursor.within), due);
    }
}

#[test]
fn what_earlier_versions_kept_is_read() {
    let now = serde_json::to_value(endpoint()).unwrap();
    let mut then = now.clone();
    let fields = then.as_object_mut().unwrap();
    for new in ["old_secrets", "tried_ms", "hurried"] {
        assert!(fields.remove(new).is_some(), "{new}");
    }
    fields.insert("old_secret".into(), serde_json::Value::Null);
    assert_eq!(
        serde_json::from_value::<Endpoint>(then).unwrap(),
        endpoint()
    );
}

#[test]
fn what_is_kept_is_read_back() {
    let mut endpoint = endpoint();
    endpoint.rotate(Secret::new([2; 32]), "00".into(), 5);
    let mut message = delivery(&endpoint, place(8, 20, 0));
    try_at(&mut endpoint, &mut message, 1, Some(Reason::StatusNotGood));
    let text = serde_json::to_string(&endpoint).unwrap();
    assert_eq!(serde_json::from_str::<Endpoint>(&text).unwrap(), endpoint);
    let text = serde_json::to_string(&message).unwrap();
    assert_eq!(serde_json::from_str::<Delivery>(&text).unwrap(), message);
}

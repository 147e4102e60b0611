use super::*;
use reqwest::header::HeaderValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn networks(text: &str) -> Arc<Networks> {
    Arc::new(text.parse().unwrap())
}

fn message() -> Message<'static> {
    Message {
        id: "msg_1",
        timestamp: 7,
        signature: "v1,x".into(),
        body: "{}".into(),
    }
}

/// A receiver that answers every request with these bytes and gives back the first request.
async fn receiver(answer: &'static [u8]) -> (u16, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4_096];
        let length = stream.read(&mut request).await.unwrap();
        stream.write_all(answer).await.unwrap();
        let _ = stream.shutdown().await;
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    (port, task)
}

async fn sent(text: &str, url: &str) -> (Attempt, Verdict) {
    let networks = networks(text);
    let target = Target::parse(url, &networks).unwrap();
    let clock = crate::node::system_clock();
    Sender::new(&networks)
        .send(&target, message(), &clock)
        .await
}

#[tokio::test]
async fn an_answer_decides_by_its_status_alone() {
    for (answer, status, verdict) in [
        (&b"HTTP/1.1 204 No Content\r\n\r\n"[..], 204, Verdict::Taken),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nbroken off",
            200,
            Verdict::Taken,
        ),
        (
            b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n",
            302,
            failed(Reason::Redirected),
        ),
        (
            b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n",
            410,
            failed(Reason::Gone),
        ),
        (
            b"HTTP/1.1 503 Busy\r\nretry-after: 60\r\ncontent-length: 4\r\n\r\nbusy",
            503,
            Verdict::Failed {
                reason: Reason::StatusNotGood,
                retry_after_ms: Some(60_000),
            },
        ),
    ] {
        let (port, task) = receiver(answer).await;
        let url = format!("http://127.0.0.1:{port}/hook");
        let (attempt, found) = sent("127.0.0.0/8", &url).await;
        assert_eq!((attempt.status, found), (Some(status), verdict));
        let request = task.await.unwrap();
        for line in [
            "POST /hook HTTP/1.1\r\n",
            "webhook-id: msg_1\r\n",
            "webhook-timestamp: 7\r\n",
            "webhook-signature: v1,x\r\n",
            "content-type: application/json\r\n",
        ] {
            assert!(request.contains(line), "{line}: {request}");
        }
    }
}

#[tokio::test]
async fn an_answer_is_read_to_a_bound_and_shown_as_text() {
    let (port, _task) = receiver(
        b"HTTP/1.1 500 Oops\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab\x1b\xff\n\r\n0\r\n\r\n",
    )
    .await;
    let (attempt, _) = sent("127.0.0.0/8", &format!("http://127.0.0.1:{port}/")).await;
    assert_eq!(attempt.answer, "ab \u{fffd}\n");

    let mut long = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    long.resize(BODY_BYTES_MAX * 4, b'x');
    let (port, _task) = receiver(Vec::leak(long)).await;
    let (attempt, verdict) = sent("127.0.0.0/8", &format!("http://127.0.0.1:{port}/")).await;
    assert_eq!(verdict, Verdict::Taken);
    assert_eq!(attempt.answer.len(), ANSWER_BYTES_MAX);
}

#[test]
fn an_answer_is_kept_to_its_bound_as_text() {
    for (bytes, characters) in [
        ("票".repeat(400).into_bytes(), ANSWER_BYTES_MAX / 3),
        (vec![0xff; ANSWER_BYTES_MAX], ANSWER_BYTES_MAX / 3),
        (
            vec![b'x'; ANSWER_BYTES_MAX + CHARACTER_BYTES_MAX],
            ANSWER_BYTES_MAX,
        ),
        (b"ok".to_vec(), 2),
    ] {
        let text = readable(&bytes);
        assert!(text.len() <= ANSWER_BYTES_MAX);
        assert_eq!(text.chars().count(), characters);
    }
    let (one, cut) = ("票".repeat(400), "票".repeat(ANSWER_BYTES_MAX / 3));
    assert_eq!(
        readable(&one.as_bytes()[..ANSWER_BYTES_MAX + CHARACTER_BYTES_MAX]),
        cut
    );
}

#[tokio::test]
async fn what_is_not_reached_has_a_reason() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    for (url, reason) in [
        (format!("http://127.0.0.1:{port}/"), Reason::NotConnected),
        ("http://no-such-host.invalid/".into(), Reason::NameUnknown),
    ] {
        let (attempt, verdict) = sent("127.0.0.0/8", &url).await;
        assert_eq!(verdict, failed(reason), "{url}");
        assert_eq!((attempt.status, attempt.reason), (None, Some(reason)));
    }
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_when_it_is_resolved() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for (networks, scheme) in [
        ("", "https"),
        ("10.0.0.0/8", "https"),
        ("10.0.0.0/8", "http"),
    ] {
        let (_, verdict) = sent(networks, &format!("{scheme}://localhost:{port}/")).await;
        assert_eq!(verdict, failed(Reason::AddressRefused), "{scheme}");
    }
    let waiting = tokio::time::timeout(Duration::from_millis(50), listener.accept());
    assert!(waiting.await.is_err(), "nobody connected");
}

#[test]
fn one_bad_address_among_good_ones_refuses_them_all() {
    let guard = |scheme, text: &str| Guard {
        networks: networks(text),
        scheme,
    };
    let at = |text: &str| SocketAddr::new(text.parse().unwrap(), 0);
    let public = at("8.8.8.8");
    let checked = |guard: &Guard, found: &[SocketAddr]| guard.checked(found.iter().copied());
    let https = guard(Scheme::Https, "10.0.0.0/8");
    assert_eq!(checked(&https, &[public, at("10.1.1.1")]).unwrap().len(), 2);
    for bad in ["127.0.0.1", "::1", "169.254.169.254", "::ffff:192.168.0.1"] {
        let found = checked(&https, &[public, at(bad)]);
        assert!(matches!(found, Err(Guarded::Refused)), "{bad}");
    }
    let http = guard(Scheme::Http, "10.0.0.0/8");
    assert!(matches!(checked(&http, &[public]), Err(Guarded::Refused)));
    assert!(checked(&http, &[at("10.1.1.1")]).is_ok());
    assert!(matches!(checked(&http, &[]), Err(Guarded::Unknown)));
}

#[test]
fn a_receiver_says_in_two_ways_when_to_come_again() {
    let now = Instant::parse_rfc3339("2026-11-21T00:00:00Z").unwrap();
    for (text, ms) in [
        ("120", Some(120_000)),
        ("Sat, 21 Nov 2026 00:01:00 GMT", Some(60_000)),
        ("Sat, 21 Nov 2026 00:00:00 GMT", Some(0)),
        ("Fri, 20 Nov 2026 00:00:00 GMT", Some(-86_400_000)),
        ("soon", None),
        ("-5", None),
        ("99999999999999999999", None),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(text).unwrap());
        assert_eq!(retry_after_ms(&headers, now), ms, "{text}");
    }
    assert_eq!(retry_after_ms(&HeaderMap::new(), now), None);
}

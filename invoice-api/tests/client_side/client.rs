//! The client against servers that lose answers, have no time, and break off.

use std::sync::Arc;
use std::time::Duration;

use crate::fake::{Reply, read_head, serve};
use bytes::Bytes;
use futures_util::StreamExt;
use invoice_api::client::{
    BulkAnswer, Client, ClientConfig, ClientError, Envelope, Recorded, Submitted,
};
use invoice_core::crypto::{SecretKey, SecretKeySigner};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_stream::wrappers::ReceiverStream;

fn signer() -> Arc<SecretKeySigner> {
    Arc::new(SecretKeySigner::new(
        SecretKey::from_bytes(&[7; 32]).unwrap(),
    ))
}

fn client(server: &str, attempts: u32) -> Client {
    let config = ClientConfig {
        attempts,
        ..ClientConfig::new(server)
    };
    Client::new(config).unwrap().with_signer(signer())
}

fn envelope() -> Envelope {
    Envelope::single(&"sz".parse().unwrap(), &*signer(), "{\"id\":\"1\"}").unwrap()
}

fn not_now() -> Reply {
    let body = r#"{"status":503,"code":"overloaded"}"#.to_owned();
    Reply::Answer(503, "retry-after: 0\r\n", body)
}

#[tokio::test]
async fn lost_answers_are_asked_for_again_with_the_same_bytes() {
    let receipt = r#"{"any":"receipt" }"#;
    let replies = vec![
        Reply::Lost,
        not_now(),
        Reply::Answer(200, "", receipt.to_owned()),
    ];
    let (server, requests) = serve(replies).await;
    let answer = client(&server, 3).submit(&envelope()).await.unwrap();
    let expected = Recorded {
        replayed: true,
        receipt: receipt.to_owned(),
    };
    assert_eq!(answer, Submitted::Recorded(expected));
    let requests = requests.lock().unwrap();
    assert_eq!(requests.len(), 3);
    for request in requests.iter() {
        assert!(request.head.starts_with("POST /v1/records HTTP/1.1"));
        assert_eq!(request.body.as_bytes(), envelope().body());
    }
}

#[tokio::test]
async fn what_is_done_anew_by_each_call_is_sent_once() {
    for (order, times) in [("secret", 1), ("test", 1), ("enable", 3), ("replay", 3)] {
        let (server, requests) = serve(vec![Reply::Lost, Reply::Lost, Reply::Lost]).await;
        let error = client(&server, 3)
            .order_webhook("erp", order, None)
            .await
            .unwrap_err();
        assert!(error.leaves_outcome_unknown(), "{order}");
        assert_eq!(requests.lock().unwrap().len(), times, "{order}");
    }
}

#[tokio::test]
async fn a_refusal_is_an_answer_and_not_sent_again() {
    let body =
        r#"{"status":422,"code":"sum","errors":[{"code":"sum","pointer":"/invoice/total"}]}"#;
    let (server, requests) = serve(vec![Reply::Answer(422, "", body.to_owned())]).await;
    let answer = client(&server, 3).submit(&envelope()).await.unwrap();
    let Submitted::Refused(problem) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(problem.errors[0].pointer, "/invoice/total");
    assert_eq!(requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn after_the_last_attempt_the_outcome_is_unknown() {
    let (server, _) = serve(vec![Reply::Lost, not_now()]).await;
    let error = client(&server, 2).submit(&envelope()).await.unwrap_err();
    assert!(matches!(&error, ClientError::Refused(problem) if problem.code == "overloaded"));
    assert!(error.leaves_outcome_unknown());
    let (server, _) = serve(vec![Reply::Lost, Reply::Lost]).await;
    let error = client(&server, 2).submit(&envelope()).await.unwrap_err();
    assert!(matches!(error, ClientError::Network { .. }));
}

#[tokio::test]
async fn a_question_that_is_repeated_has_another_nonce() {
    let (server, requests) = serve(vec![not_now(), Reply::Answer(200, "", "{}".to_owned())]).await;
    client(&server, 3).limits().await.unwrap();
    let requests = requests.lock().unwrap();
    let authorization = |place: usize| requests[place].header("authorization").unwrap().to_owned();
    assert!(authorization(0).starts_with("SM2-WITH-SM3 kid=\""));
    assert_ne!(authorization(0), authorization(1));
}

#[tokio::test]
async fn without_a_key_nothing_that_must_be_signed_is_sent() {
    let client = Client::new(ClientConfig::new("http://127.0.0.1:9")).unwrap();
    assert!(matches!(
        client.limits().await,
        Err(ClientError::KeyMissing)
    ));
}

/// The second line is sent only when the first has its answer, so a client that first sent
/// everything and then listened would wait for ever.
#[tokio::test]
async fn bulk_streams_flow_both_ways_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = read_head(&mut stream).await;
        assert!(head.starts_with("POST /v1/records:bulk HTTP/1.1"), "{head}");
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        for line in 1..=2 {
            while stream.read_u8().await.unwrap() != b'}' {}
            let answer = format!("{{\"line\":{line},\"record\":1,\"id\":\"a\",\"status\":201}}\n");
            let chunk = format!("{:x}\r\n{answer}\r\n", answer.len());
            stream.write_all(chunk.as_bytes()).await.unwrap();
        }
        // No summary: the server dies here.
    });
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let story = async {
        let client = client(&server, 1);
        sender.send(Bytes::from_static(b"{}")).await.unwrap();
        let mut answers = client.bulk(ReceiverStream::new(receiver)).await.unwrap();
        for line in 1..=2 {
            let answer = answers.next().await.unwrap().unwrap();
            assert!(matches!(answer, BulkAnswer::Line(answer) if answer.line == line));
            if line == 1 {
                sender.send(Bytes::from_static(b"{}")).await.unwrap();
            }
        }
        assert!(matches!(
            answers.next().await,
            Some(Err(ClientError::Network { .. }))
        ));
        assert!(answers.next().await.is_none());
    };
    tokio::time::timeout(Duration::from_secs(20), story)
        .await
        .unwrap();
}

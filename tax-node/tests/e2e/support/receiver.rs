//! A member's own server, as far as webhooks need it: real sockets, answers as the test wants.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// One request that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Arrived {
    pub(crate) fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    pub(crate) fn signatures(&self) -> Vec<String> {
        let header = &self.headers["webhook-signature"];
        header.split(' ').map(str::to_owned).collect()
    }
}

/// What is done with a request: answered with these bytes, or left waiting.
pub(crate) type Answers = Box<dyn FnMut(&Arrived) -> Option<String> + Send>;

#[derive(Default)]
struct Shared {
    arrived: Mutex<Vec<Arrived>>,
    news: Notify,
}

/// A server on 127.0.0.1.
pub(crate) struct Receiver {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

/// An answer without a body.
pub(crate) fn status(line: &str) -> Option<String> {
    Some(format!(
        "HTTP/1.1 {line}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    ))
}

impl Receiver {
    /// A server that takes everything.
    pub(crate) async fn good() -> Self {
        Self::answering(Box::new(|_| status("204 No Content"))).await
    }

    pub(crate) async fn answering(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let shared: Arc<Shared> = Arc::default();
        let answers = Arc::new(Mutex::new(answers));
        let own = Arc::clone(&shared);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, Arc::clone(&own), Arc::clone(&answers)));
            }
        });
        Self { url, shared }
    }

    /// What arrived until now.
    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.shared.arrived.lock().unwrap().clone()
    }

    /// Waits until so many requests arrived.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> impl Future<Output = Vec<Arrived>> {
        let place = std::panic::Location::caller();
        let shared = Arc::clone(&self.shared);
        async move {
            let all = async {
                loop {
                    let news = shared.news.notified();
                    let arrived = shared.arrived.lock().unwrap().clone();
                    if arrived.len() >= count {
                        return arrived;
                    }
                    news.await;
                }
            };
            let Ok(arrived) = tokio::time::timeout(Duration::from_secs(60), all).await else {
                let arrived = shared.arrived.lock().unwrap().len();
                panic!("{place}: {arrived} of {count} requests arrived");
            };
            arrived
        }
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>, answers: Arc<Mutex<Answers>>) {
    let mut bytes = Vec::new();
    let arrived = loop {
        let mut part = [0; 4_096];
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return,
            Ok(length) => bytes.extend_from_slice(&part[..length]),
        }
        if let Some(arrived) = whole(&bytes) {
            break arrived;
        }
    };
    let answer = {
        let mut answers = answers.lock().unwrap();
        shared.arrived.lock().unwrap().push(arrived.clone());
        answers(&arrived)
    };
    shared.news.notify_waiters();
    match answer {
        Some(answer) => {
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
        // Silence until the other side goes.
        None => drop(stream.read(&mut [0; 16]).await),
    }
}

/// A request whose body is complete.
fn whole(bytes: &[u8]) -> Option<Arrived> {
    let end = bytes.windows(4).position(|part| part == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let headers: HashMap<String, String> = head
        .split("\r\n")
        .skip(1)
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers["content-length"].parse().unwrap();
    let body = bytes.get(end + 4..end + 4 + length)?.to_vec();
    Some(Arrived { headers, body })
}

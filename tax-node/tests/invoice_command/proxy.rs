//! A way to the node that breaks where a test wants it to.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What becomes of one connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// It is cut when the client has sent so many bytes.
    CutWhenSent(usize),
    /// It is cut when the node has answered so many bytes, of which the client sees the first.
    CutWhenAnswered { bytes: usize, seen: usize },
    /// It is closed at once.
    Closed,
}

/// Takes connections for a node. Those that nothing is planned for pass through.
pub(crate) struct Proxy {
    pub(crate) server: String,
    plan: Arc<Mutex<VecDeque<Way>>>,
}

impl Proxy {
    /// A proxy before the node at `http://…`.
    pub(crate) fn before(node: &str) -> Self {
        let node = node.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let plan = Arc::new(Mutex::new(VecDeque::new()));
        let planned = Arc::clone(&plan);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let way = planned.lock().unwrap().pop_front();
                if matches!(way, Some(Way::Closed)) {
                    continue;
                }
                // The node may have ended together with the test.
                let Ok(node) = TcpStream::connect(&node) else {
                    return;
                };
                forward(client, node, way);
            }
        });
        Self { server, plan }
    }

    /// What becomes of the connections that come next, in their order.
    pub(crate) fn plan(&self, ways: impl IntoIterator<Item = Way>) {
        self.plan.lock().unwrap().extend(ways);
    }

    /// Planned connections that have not come.
    pub(crate) fn left(&self) -> usize {
        self.plan.lock().unwrap().len()
    }
}

/// Carries bytes both ways until an end closes or the connection is cut.
fn forward(client: TcpStream, node: TcpStream, way: Option<Way>) {
    let (sent_max, answered_max, seen) = match way {
        Some(Way::CutWhenSent(bytes)) => (bytes, usize::MAX, usize::MAX),
        Some(Way::CutWhenAnswered { bytes, seen }) => (usize::MAX, bytes, seen),
        Some(Way::Closed) | None => (usize::MAX, usize::MAX, usize::MAX),
    };
    let ends = (client.try_clone().unwrap(), node.try_clone().unwrap());
    thread::spawn(move || carry(&ends.0, &ends.1, sent_max, usize::MAX));
    thread::spawn(move || carry(&node, &client, answered_max, seen));
}

/// Carries at most `bytes_max` bytes, the first `shown` of them to the other end, then cuts both.
fn carry(mut from: &TcpStream, mut to: &TcpStream, bytes_max: usize, shown: usize) {
    let mut buffer = [0; 4096];
    let mut carried = 0;
    while carried < bytes_max {
        let room = buffer.len().min(bytes_max - carried);
        let read = match from.read(&mut buffer[..room]) {
            Ok(0) | Err(_) => break,
            Ok(read) => read,
        };
        let visible = read.min(shown.saturating_sub(carried));
        if to.write_all(&buffer[..visible]).is_err() {
            break;
        }
        carried += read;
    }
    // An end that is closed already is as good as cut.
    for end in [from, to] {
        let _ = end.shutdown(Shutdown::Both);
    }
}

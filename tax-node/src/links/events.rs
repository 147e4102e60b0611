//! What links tell the node.

use std::sync::Arc;

use bytes::Bytes;
use invoice_core::crypto::Kid;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::limits::{FRAME_BYTES_MAX, FRAME_OVERHEAD_BYTES, Limits};

/// What happened on a link. For one peer the order is: `Connected`, its frames, `Disconnected`,
/// and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A link to this peer is there. What was sent before it is lost.
    Connected(Kid),
    /// A frame came: from whom, of which kind, its payload. Those of one lane come in the order
    /// in which they were sent.
    Frame(Kid, u8, Bytes),
    /// The link to this peer is gone, and with it what was still to be sent.
    Disconnected(Kid),
}

/// The receiving end of the events of all links.
///
/// What waits here is bounded for each peer ([`Limits::inbox_bytes`](super::Limits::inbox_bytes)):
/// who does not receive makes the links wait, not the memory grow.
pub struct Events {
    waiting: mpsc::UnboundedReceiver<Waiting>,
    ended: bool,
}

/// What waits to be received.
enum Waiting {
    /// An event, and the room that it takes until it is received.
    Event(Event, Option<OwnedSemaphorePermit>),
    /// The links have stopped.
    End,
}

impl Events {
    /// The next event; `None` once the links have stopped and all was received.
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn recv(&mut self) -> Option<Event> {
        if self.ended {
            return None;
        }
        let next = self.waiting.recv().await;
        self.receive(next)
    }

    /// As [`Events::recv`], for a thread outside the runtime.
    ///
    /// # Panics
    /// Within an asynchronous task.
    pub fn blocking_recv(&mut self) -> Option<Event> {
        if self.ended {
            return None;
        }
        let next = self.waiting.blocking_recv();
        self.receive(next)
    }

    /// The next event if there is one at this moment.
    pub fn try_recv(&mut self) -> Option<Event> {
        if self.ended {
            return None;
        }
        let next = self.waiting.try_recv().ok()?;
        self.receive(Some(next))
    }

    fn receive(&mut self, next: Option<Waiting>) -> Option<Event> {
        match next {
            Some(Waiting::Event(event, _room)) => Some(event),
            Some(Waiting::End) | None => {
                self.ended = true;
                None
            }
        }
    }
}

/// The sending end.
#[derive(Clone)]
pub(super) struct EventSender(mpsc::UnboundedSender<Waiting>);

pub(super) fn channel() -> (EventSender, Events) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let events = Events {
        waiting: receiver,
        ended: false,
    };
    (EventSender(sender), events)
}

/// The room that events of one peer may take.
pub(super) struct Inbox {
    room: Arc<Semaphore>,
    bytes_max: usize,
}

impl Inbox {
    pub(super) fn new(limits: &Limits) -> Self {
        let bytes_max = limits.inbox_bytes.clamp(
            FRAME_BYTES_MAX + FRAME_OVERHEAD_BYTES,
            Semaphore::MAX_PERMITS,
        );
        Self {
            room: Arc::new(Semaphore::new(bytes_max)),
            bytes_max,
        }
    }

    /// Bytes that wait to be received.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.bytes_max - self.room.available_permits()
    }
}

impl EventSender {
    /// Waits for room and sends; when everything stops, it no longer waits.
    pub(super) async fn send(&self, inbox: &Inbox, event: Event, stop: &CancellationToken) {
        let payload = match &event {
            Event::Frame(_, _, bytes) => bytes.len(),
            Event::Connected(_) | Event::Disconnected(_) => 0,
        };
        let bytes = u32::try_from(payload + FRAME_OVERHEAD_BYTES).unwrap_or(u32::MAX);
        let room = Arc::clone(&inbox.room).acquire_many_owned(bytes);
        let permit = tokio::select! {
            permit = room => permit.ok(),
            () = stop.cancelled() => None,
        };
        // Nobody receives when the receiving end is gone; then there is nobody to tell.
        let _ = self.0.send(Waiting::Event(event, permit));
    }

    /// Says that there will be no more.
    pub(super) fn end(&self) {
        let _ = self.0.send(Waiting::End);
    }
}

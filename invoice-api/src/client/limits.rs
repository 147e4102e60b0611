//! Every limit of the client, named once.

use std::time::Duration;

/// Time to reach the server.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for one attempt of one call, its answer included; bulk and event streams excepted.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
/// Time that a stream of answers may be silent.
pub const STREAM_IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// Attempts of one call, the first included.
pub const ATTEMPTS_MAX: u32 = 6;
/// Wait before the second attempt; it doubles with each one that follows.
pub const FIRST_WAIT: Duration = Duration::from_millis(200);
/// Longest wait between two attempts, whatever the server asks for.
pub const WAIT_MAX: Duration = Duration::from_secs(30);
/// Bytes of one answer: a batch of 1,000 records with a receipt each has room in it.
pub const ANSWER_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Bytes of one line of a streamed answer.
pub const LINE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Records in one batch envelope.
pub const BATCH_RECORDS_MAX: usize = 1_000;
/// Items in one `POST /v1/checks`.
pub const CHECK_ITEMS_MAX: usize = 1_000;
/// Characters of a foreign answer that an error repeats.
pub const EXCERPT_CHARS: usize = 200;

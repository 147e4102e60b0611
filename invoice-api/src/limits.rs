//! Every limit of the interface, named once.

use std::time::Duration;

/// Characters of a cursor, in hexadecimal.
pub const CURSOR_CHARACTERS_MAX: usize = 1_024;
/// Characters of a search.
pub const SEARCH_CHARACTERS_MAX: usize = 100;
/// Bytes in a body of `POST /v1/records` and `POST /v1/validate`.
pub const RECORDS_BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes in a body of `POST /v1/checks`: one XML file in base64 with room for its neighbours.
pub const CHECKS_BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of one file in `POST /v1/papers`.
pub const PAPER_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Checked documents that reading one file costs a member.
pub const PAPER_COST: usize = 500;
/// Files that are held in memory at the same time; more are answered 503.
pub const PAPERS_HELD_MAX: usize = 32;
/// Of these, files of one member, and of one address: nobody takes the places of all.
pub const PAPERS_HELD_OF_MEMBER_MAX: usize = 16;
/// See [`PAPERS_HELD_OF_MEMBER_MAX`].
pub const PAPERS_HELD_OF_ADDRESS_MAX: usize = 8;
/// Time until the first bytes of a file, and how long it may fall behind its pace.
pub const PAPER_PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of a file in a second at least, on the whole.
pub const PAPER_BYTES_PER_SECOND_MIN: u64 = 16 * 1024;
/// Failed authentications that a file costs whose sender proves nothing, or which does not come:
/// it held a place.
pub const PAPER_FAILURE_COST: usize = 60;
/// Files that are read at the same time; the others wait.
pub const PAPERS_READ_MAX: usize = 2;
/// Items in one `POST /v1/checks`.
pub const CHECK_ITEMS_MAX: usize = 1_000;
/// Bytes in an invoice XML file of a check, after base64.
pub const XML_BYTES_MAX: usize = 1024 * 1024;
/// Bytes in one line of a bulk stream; a longer one fails alone.
pub const BULK_LINE_BYTES_MAX: usize = RECORDS_BODY_BYTES_MAX;
/// Lines of a bulk stream that are handed over together at most: what has arrived goes at once.
pub const BULK_CHUNK_LINES: usize = 256;
/// Bytes of the lines of a bulk stream that are handed over together, unless one line has more.
pub const BULK_CHUNK_BYTES: usize = 512 * 1024;
/// Hand-overs of one bulk stream that are being decided at the same time.
pub const BULK_LOOKAHEAD_CHUNKS: usize = 512;
/// Bytes of the envelopes that one bulk stream has being decided at the same time.
pub const BULK_LOOKAHEAD_BYTES: usize = 16 * 1024 * 1024;
/// How often lines of a bulk stream are handed in again while the queues are full.
pub const BULK_OVERLOAD_RETRIES: u32 = 40;
/// Wait before lines of a bulk stream are handed in again; it doubles up to a second.
pub const BULK_OVERLOAD_WAIT: Duration = Duration::from_millis(20);
/// Bytes of a signed question that are hashed and verified on the thread that serves the
/// connection: less work than handing it to another one.
pub const VERIFIED_INLINE_BYTES_MAX: usize = 16 * 1024;
/// Seconds that a request may take to send its body, bulk streams excepted.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// Seconds that a bulk stream may be silent.
pub const BULK_IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// Bytes in the request line and all headers.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Seconds by which the timestamp of a signed request may be off, either way.
pub const TIMESTAMP_SKEW_SECONDS: u64 = 300;
/// Nonces remembered. A nonce is remembered until its timestamp is out of range.
pub const NONCES_MAX: usize = 1 << 20;
/// Nonces remembered of one key, so that one member cannot crowd out the others.
pub const NONCES_PER_KEY_MAX: usize = 1 << 17;
/// Signature verifications waiting for a thread; more are answered 503.
pub const VERIFICATIONS_WAITING_MAX: usize = 1_024;
/// Members and addresses whose budgets are tracked one by one; the rest share one budget.
pub const BUDGET_KEYS_MAX: usize = 65_536;
/// Claims in a page, when the question does not say.
pub const CLAIMS_PAGE: usize = 100;
/// Claims in a page at most.
pub const CLAIMS_PAGE_MAX: usize = 1_000;
/// About how many events are read from the store at once.
pub const EVENTS_PAGE: usize = 1_000;
/// Documents that are being printed at the same time; more are answered 503.
pub const PRINTS_AT_ONCE_MAX: usize = 8;
/// Pixels of a module of a QR code as PNG, when the question does not say.
pub const QR_SCALE: u64 = 8;
/// Pixels of a module of a QR code as PNG at most.
pub const QR_SCALE_MAX: u64 = 32;
/// Event streams of one member.
pub const EVENT_STREAMS_OF_MEMBER_MAX: usize = 32;
/// Event streams of one address.
pub const EVENT_STREAMS_OF_ADDRESS_MAX: usize = 256;
/// Seconds between comments that keep an idle event stream open.
pub const EVENTS_KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Seconds that a session of a browser lasts.
pub const SESSION_SECONDS: u64 = 8 * 3_600;
/// Sessions open at the same time; more are answered 503.
pub const SESSIONS_MAX: usize = 10_000;
/// Sessions of one key; the oldest makes room for the next.
pub const SESSIONS_PER_KEY_MAX: usize = 32;
/// Claims in an exported ledger; each costs a look at its document.
pub const LEDGER_ROWS_MAX: usize = 10_000;
/// Ledgers that are being exported at the same time; more are answered 503.
pub const EXPORTS_AT_ONCE_MAX: usize = 4;
/// Bytes in the body of `POST /v1/session`, which has nothing to say.
pub const SESSION_BODY_BYTES_MAX: usize = 64;
/// Characters of a local address to go on to after signing in.
pub const NEXT_CHARACTERS_MAX: usize = 1_024;
/// Deliveries in a page, when the question does not say.
pub const DELIVERIES_PAGE: usize = 50;
/// Deliveries in a page at most.
pub const DELIVERIES_PAGE_MAX: usize = 200;

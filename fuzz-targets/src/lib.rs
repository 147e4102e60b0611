//! What must hold for any bytes that a stranger sends.
//!
//! Each target takes bytes and panics when something that should be impossible has happened: a
//! reader panicked, or what was accepted is not read back equal, or a proof holds that nobody
//! made. libFuzzer calls them with bytes of its own making, the test `corpus` with the committed
//! ones. See `docs/fuzzing.md`.

mod block;
mod consensus;
mod envelope;
pub mod example;
mod genesis;
mod http;
mod json;
mod keys;
mod links;
mod merkle;
mod papers;
mod receipt;
mod record;
mod spellings;

/// One target: its name and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All targets. Each has a file in `fuzz/fuzz_targets` and a folder in `fuzz/corpus`.
pub const TARGETS: &[Target] = &[
    ("json", json::run),
    ("record", record::run),
    ("envelope", envelope::run),
    ("keys", keys::run),
    ("spellings", spellings::run),
    ("genesis", genesis::run),
    ("receipt", receipt::run),
    ("block", block::run),
    ("merkle", merkle::run),
    ("http", http::run),
    ("consensus", consensus::run),
    ("links", links::run),
    ("papers", papers::run),
];

/// Gives bytes to the target with a name.
///
/// # Panics
/// When the target found a fault, or when there is none of that name.
pub fn run(name: &str, bytes: &[u8]) {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, target) = found.unwrap_or_else(|| panic!("no target is called {name}"));
    target(bytes);
}

/// Divides bytes into the choice of a reader and what it reads: the digit `0` or the byte 0x00
/// chooses the first, and so on around.
fn choice(bytes: &[u8], readers: u8) -> Option<(u8, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    Some((first.wrapping_sub(b'0') % readers, rest))
}

/// As [`choice`], for readers of text.
fn choice_of_text(bytes: &[u8], readers: u8) -> Option<(u8, &str)> {
    let (chosen, rest) = choice(bytes, readers)?;
    Some((chosen, std::str::from_utf8(rest).ok()?))
}

//! Fresh random bytes for verifying many signatures as one.

/// 32 bytes of the operating system's random source, to be used once: whoever chose a signature
/// could not know them.
///
/// # Errors
/// The operating system has no random bytes to give.
pub(crate) fn fresh_seed() -> Result<[u8; 32], getrandom::Error> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    Ok(seed)
}

//! Genesis files: what was read is written and read back equal.

use invoice_core::chain::Genesis;

pub(crate) fn run(bytes: &[u8]) {
    let Ok(read) = Genesis::parse(bytes) else {
        return;
    };
    assert_eq!(read.bytes(), bytes);
    let written = Genesis::compose(
        read.chain_id().clone(),
        read.time_ms(),
        read.validators().clone(),
        read.members().to_vec(),
    );
    let written = written.expect("what was read can be written");
    assert_eq!(written.chain_id(), read.chain_id());
    assert_eq!(written.time_ms(), read.time_ms());
    assert_eq!(written.validators(), read.validators());
    assert_eq!(written.members(), read.members());
}

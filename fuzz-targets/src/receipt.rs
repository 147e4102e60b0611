//! Receipts: what was read is written and read back equal, and no receipt holds but those that
//! were issued.

use std::sync::LazyLock;

use invoice_core::chain::{Genesis, Receipt};

use super::example;

static GENESIS: LazyLock<Genesis> = LazyLock::new(example::genesis);
static ISSUED: LazyLock<Vec<Receipt>> = LazyLock::new(example::receipts);

pub(crate) fn run(bytes: &[u8]) {
    let Ok(receipt) = Receipt::parse(bytes) else {
        return;
    };
    let written = serde_json::to_vec(&receipt).expect("a receipt has a JSON form");
    assert_eq!(Receipt::parse(&written).as_ref(), Ok(&receipt));
    if receipt.verify(&GENESIS).is_ok() {
        // Whoever finds another has forged a signature.
        assert!(ISSUED.contains(&receipt));
    }
}

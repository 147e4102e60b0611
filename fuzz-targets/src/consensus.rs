//! Messages between validators and entries of their log: what is decoded is encoded to the same
//! bytes, and no message brings a machine to stop or to accept what nobody signed.

use std::cell::RefCell;
use std::sync::Arc;

use consensus::{
    LOG_ENTRY_BYTES_MAX, LogEntry, MESSAGE_BYTES_MAX, Machine, Message, Output, Timeouts, Voting,
};
use invoice_core::chain::{Group, Validator, ValidatorSet};
use invoice_core::crypto::{SecretKey, SecretKeySigner, Signer};

thread_local! {
    /// An observer at height 1 of four validators.
    static OBSERVER: RefCell<Machine> = RefCell::new(observer());
}

fn observer() -> Machine {
    let signer = |n| SecretKeySigner::new(SecretKey::from_bytes(&[n; 32]).expect("a key"));
    let validator = |(n, group)| Validator {
        public_key: signer(n).public_key().clone(),
        weight: 1,
        group: Some(group),
        name: "v".to_owned(),
    };
    let validators = ValidatorSet::new(
        (1..=4)
            .zip(Group::ALL.into_iter().cycle())
            .map(validator)
            .collect(),
    )
    .expect("a set");
    let chain = "sz-2026".parse().expect("a good name");
    let mut machine = Machine::new(chain, Arc::new(signer(9)), Timeouts::default());
    machine
        .begin(1, Arc::new(validators), Vec::new(), Voting::MustNot)
        .expect("an observer begins");
    machine
}

pub(crate) fn run(bytes: &[u8]) {
    let Some((chosen, rest)) = super::choice(bytes, 2) else {
        return;
    };
    if chosen == 1 {
        if let Ok(entry) = LogEntry::decode(rest) {
            assert_eq!(entry.encode().as_deref(), Ok(rest));
            assert!(rest.len() <= LOG_ENTRY_BYTES_MAX);
        }
        return;
    }
    let Ok(message) = Message::decode(rest) else {
        return;
    };
    assert_eq!(message.encode().as_deref(), Ok(rest));
    assert!(rest.len() <= MESSAGE_BYTES_MAX);
    OBSERVER.with_borrow_mut(|machine| {
        let outputs = machine
            .receive(message)
            .expect("no message stops a machine");
        // Whoever makes it say anything has a validator's signature.
        assert_eq!(outputs, Vec::<Output>::new());
        assert_eq!(machine.early_messages(), 0);
    });
}

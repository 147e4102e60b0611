//! Four validators agree on a block when nothing goes wrong.

use std::collections::VecDeque;
use std::sync::Arc;

use consensus::{Machine, Message, Output, Timeouts, Voting};
use invoice_core::chain::{Certificate, ChainId, Group, Validator, ValidatorSet};
use invoice_core::crypto::{Hash, SecretKey, SecretKeySigner, Signer};

fn signers() -> Vec<Arc<SecretKeySigner>> {
    (1..=4)
        .map(|n| SecretKey::from_bytes(&[n; 32]).unwrap())
        .map(|secret| Arc::new(SecretKeySigner::new(secret)))
        .collect()
}

fn set(signers: &[Arc<SecretKeySigner>]) -> Arc<ValidatorSet> {
    let members = signers.iter().zip(Group::ALL.into_iter().cycle());
    let validators = members.map(|(signer, group)| Validator {
        public_key: signer.public_key().clone(),
        weight: 1,
        group: Some(group),
        name: "v".to_owned(),
    });
    Arc::new(ValidatorSet::new(validators.collect()).unwrap())
}

#[test]
fn four_machines_decide_three_heights() {
    let chain: ChainId = "sz-2026".parse().unwrap();
    let signers = signers();
    let validators = set(&signers);
    let mut machines: Vec<Machine> = signers
        .iter()
        .map(|signer| Machine::new(chain.clone(), signer.clone(), Timeouts::default()))
        .collect();
    for height in 1..=3 {
        let id = Hash::new([height as u8; 32]);
        let mut decided: Vec<Option<Certificate>> = vec![None; 4];
        let mut waiting: VecDeque<(usize, Vec<Output>)> = VecDeque::new();
        for (place, machine) in machines.iter_mut().enumerate() {
            let outputs = machine
                .begin(height, validators.clone(), Vec::new(), Voting::May)
                .unwrap();
            waiting.push_back((place, outputs));
        }
        while let Some((place, outputs)) = waiting.pop_front() {
            for output in outputs {
                match output {
                    Output::Build { round, .. } => {
                        assert_eq!(place as u64, (height - 1) % 4);
                        let built = machines[place].proposed(round, id).unwrap();
                        waiting.push_back((place, built));
                        let proposer = machines[place].kid();
                        for (other, machine) in machines.iter_mut().enumerate() {
                            if other != place {
                                let outputs =
                                    machine.checked(height, round, None, proposer, id, true);
                                waiting.push_back((other, outputs.unwrap()));
                            }
                        }
                    }
                    Output::Send(message) => {
                        let bytes = message.encode().unwrap();
                        for (other, machine) in machines.iter_mut().enumerate() {
                            if other != place {
                                let message = Message::decode(&bytes).unwrap();
                                waiting.push_back((other, machine.receive(message).unwrap()));
                            }
                        }
                    }
                    Output::Decided(certificate) => decided[place] = Some(certificate),
                    Output::Misbehaved(evidence) => panic!("{evidence:?}"),
                    Output::Log(_)
                    | Output::Start(..)
                    | Output::Stop(_)
                    | Output::StopAll
                    | Output::Resend { .. } => {}
                }
            }
        }
        for certificate in decided {
            let certificate = certificate.unwrap();
            assert_eq!((certificate.height, certificate.round), (height, 0));
            assert_eq!(certificate.block_id, id);
            assert_eq!(certificate.verify(&validators, &chain), Ok(()));
        }
    }
}

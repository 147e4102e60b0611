//! Changes of the validators: who may, who must agree, and from when on.

use invoice_core::apply::{EventKind, Verdict};
use invoice_core::chain::{
    FROM_HEIGHT_AHEAD_MAX, Group, VALIDATOR_CHANGES_MAX, Validator, ValidatorSet,
};
use invoice_core::crypto::messages::validators_message;
use invoice_core::crypto::{Hash, Kid, SecretKeySigner, Signer};
use invoice_core::identity::MemberId;
use invoice_core::record::parse_record;
use invoice_core::refusal::Rule;
use invoice_core::state::{Table, TypedState};
use serde_json::{Value, json};

use crate::bodies::*;
use crate::common::*;
use crate::world::{World, code};

fn validator(number: u16, group: Group) -> Validator {
    Validator {
        public_key: secret(number).public_key(),
        weight: 1,
        group: Some(group),
        name: format!("验证者{number}"),
    }
}

/// Four validators from a number on.
fn four(number: u16) -> ValidatorSet {
    let groups = [Group::Tax, Group::Tax, Group::Finance, Group::Finance];
    let all = (number..).zip(groups).map(|(n, group)| validator(n, group));
    ValidatorSet::new(all.collect()).unwrap()
}

/// A change, as those sign it who know what it is about to be.
struct Proposal {
    chain: &'static str,
    from_height: u64,
    replaces: Hash,
    set: ValidatorSet,
    /// Who countersigns, with which key.
    by: MemberId,
    key: u16,
}

impl Proposal {
    /// Of the validators of the genesis file by four others, the finance authority consenting.
    fn first() -> Self {
        Self {
            chain: "test-2026",
            from_height: 100,
            replaces: genesis().validators().digest(),
            set: four(110),
            by: id_of(FINANCE),
            key: FINANCE as u16 + 1,
        }
    }

    fn body(&self) -> Value {
        let list: Vec<Value> = self
            .set
            .validators()
            .iter()
            .map(|one| {
                let mut form = json!({"public_key": one.public_key.to_hex(), "weight": one.weight, "name": one.name});
                if let Some(group) = one.group {
                    form = form.set("/group", group.as_str());
                }
                form
            })
            .collect();
        let chain = self.chain.parse().unwrap();
        let digest = self.set.list_digest();
        let message = validators_message(&chain, self.from_height, &self.replaces, &digest);
        let signer = SecretKeySigner::new(secret(self.key));
        let kid = signer.public_key().kid();
        let sig = signer.sign(&message).unwrap();
        json!({
            "type": "validators.change",
            "change": {"from_height": self.from_height, "replaces": self.replaces.to_string(), "validators": list},
            "countersigned": {"by": self.by.to_string(), "kid": kid.to_string(), "sig": sig.to_string()},
        })
    }
}

fn with(edit: impl FnOnce(&mut Proposal)) -> Value {
    let mut proposal = Proposal::first();
    edit(&mut proposal);
    proposal.body()
}

fn key(number: u16) -> Kid {
    secret(number).public_key().kid()
}

#[test]
#[rustfmt::skip]
fn every_refusal_of_a_change_has_its_code() {
    let mut world = World::new();
    // A second finance authority cannot be admitted by one bureau; a key that is revoked and one
    // that expires can be added by the bureau itself.
    world.accept(FINANCE, &key_add(FINANCE as u16, 60));
    world.accept(FINANCE, &key_revoke(FINANCE as u16, 60));
    world.accept(FINANCE, &key_add(FINANCE as u16, 61).set("/key/not_after", world.after(1)));
    world.wait(10);
    let good = Proposal::first().body();
    let other = world.height + 2;
    let cases = [
        (MERCHANT, good.clone(), "role_missing"),
        (HEALTH, good.clone(), "role_missing"),
        (TAX, with(|p| p.key = 99), "key_unknown"),
        (TAX, with(|p| p.by = id_of(HEALTH)), "key_not_of_member"),
        (TAX, with(|p| p.by = member_id(77)), "key_not_of_member"),
        (TAX, good.clone().set("/change/from_height", 101), "signature_invalid"),
        (TAX, good.clone().set("/change/replaces", "00".repeat(32)), "signature_invalid"),
        (TAX, good.clone().set("/change/validators/0/name", "别名"), "signature_invalid"),
        (TAX, good.clone().set("/change/validators/0/group", "finance").set("/change/validators/3/group", "tax"), "signature_invalid"),
        (TAX, good.clone().set("/change/validators/0/weight", 2).set("/change/validators/3/weight", 2), "signature_invalid"),
        (TAX, with(|p| p.chain = "other-2026"), "signature_invalid"),
        (TAX, with(|p| p.key = 60), "key_revoked"),
        (TAX, with(|p| p.key = 61), "key_expired"),
        (FINANCE, good.clone(), "role_missing"),
        (TAX, with(|p| (p.by, p.key) = (id_of(TAX), 1)), "role_missing"),
        (TAX, with(|p| (p.by, p.key) = (id_of(HEALTH), HEALTH as u16 + 1)), "role_missing"),
        (TAX, with(|p| (p.by, p.key) = (id_of(MERCHANT), MERCHANT as u16 + 1)), "role_missing"),
        (TAX, with(|p| p.replaces = four(110).digest()), "validators_not_current"),
        (TAX, with(|p| (p.replaces, p.from_height) = (four(110).digest(), 0)), "validators_not_current"),
        (TAX, with(|p| p.from_height = 0), "from_height_too_early"),
        (TAX, with(|p| p.from_height = other - 1), "from_height_too_early"),
        (TAX, with(|p| p.from_height = other - 2 + FROM_HEIGHT_AHEAD_MAX + 1), "from_height_too_late"),
        (TAX, with(|p| p.from_height = u64::MAX), "from_height_too_late"),
        (TAX, with(|p| p.from_height = other), "accepted"),
        (TAX, with(|p| p.from_height = other - 2 + FROM_HEIGHT_AHEAD_MAX), "accepted"),
        (TAX, good.clone(), "accepted"),
        (FINANCE, with(|p| (p.by, p.key) = (id_of(TAX), 1)), "accepted"),
    ];
    for (by, body, due) in cases {
        let (verdict, changes) = world.clone().signed(kid_of(by), by, &body);
        assert_eq!(code(&verdict), due, "member {by}: {body}");
        let tables: Vec<Table> = changes.iter().map(|(table, ..)| table).collect();
        let recorded = matches!(verdict, Verdict::Recorded(_));
        assert_eq!(changes.is_empty(), !recorded, "{body}");
        assert_eq!(tables.contains(&Table::Validators), due == "accepted", "{body}");
    }
}

#[test]
fn a_change_decides_from_its_height_on_and_the_next_waits_for_it() {
    let mut world = World::new();
    let events = world.accept(TAX, &with(|proposal| proposal.from_height = 5));
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].kind, EventKind::ValidatorsChanged);
    assert_eq!(events[0].concerns, [id_of(TAX), id_of(FINANCE)]);
    let digest = |world: &World, height| {
        let state = TypedState(&world.state);
        let entry = state.validators_at(height).unwrap().unwrap();
        assert_eq!(
            state.validators_digest_at(height).unwrap(),
            Some(entry.set.digest())
        );
        entry.set.digest()
    };
    let founders = genesis().validators().digest();
    for (height, due) in [(1, founders), (4, founders), (5, four(110).digest())] {
        assert_eq!(digest(&world, height), due, "{height}");
    }
    let next = |from_height| Proposal {
        replaces: four(110).digest(),
        from_height,
        set: four(120),
        ..Proposal::first()
    };
    while world.height < 5 {
        let verdict = world.send(TAX, &next(20).body());
        assert_eq!(code(&verdict), "validators_change_pending");
    }
    world.accept(TAX, &next(7).body());
    assert_eq!(digest(&world, 6), four(110).digest());
    assert_eq!(digest(&world, 7), four(120).digest());
    assert_eq!(digest(&world, 1), founders);
    let newest = TypedState(&world.state).newest_validators().unwrap();
    let newest = newest.unwrap();
    assert_eq!(
        (newest.number, newest.previous, newest.from_height),
        (2, 5, 7)
    );
    assert_eq!(newest.set, four(120));
}

#[test]
fn the_sixty_fifth_change_is_refused() {
    let mut world = World::new();
    let mut replaces = genesis().validators().digest();
    for number in 0..=VALIDATOR_CHANGES_MAX as u16 {
        let proposal = Proposal {
            replaces,
            from_height: world.height + 2,
            set: four(110 + number % 2),
            ..Proposal::first()
        };
        let verdict = world.send(TAX, &proposal.body());
        if usize::from(number) == VALIDATOR_CHANGES_MAX {
            assert_eq!(code(&verdict), "too_many_validator_changes");
        } else {
            assert_eq!(code(&verdict), "accepted");
            replaces = proposal.set.digest();
            world.height += 1;
        }
    }
}

#[test]
#[rustfmt::skip]
fn a_list_that_is_no_set_breaks_a_rule() {
    let good = || Proposal::first().body().set("/id", "v-1").set("/by", id_of(TAX).to_string())
        .set("/at", "2026-11-21T12:00:00+08:00");
    let key = key(3);
    let cases = [
        (good(), None),
        (good().set("/change/validators", json!([])), Some(Rule::ValidatorCount)),
        (good().set("/change/validators/1/weight", 0), Some(Rule::ValidatorWeight)),
        (good().set("/change/validators/1/public_key", secret(110).public_key().to_hex()), Some(Rule::ValidatorRepeated)),
        (good().set("/change/validators/1/public_key", "04"), Some(Rule::PublicKeyInvalid)),
        (good().set("/change/validators/1/group", "health"), Some(Rule::ValidatorGroupUnknown)),
        (good().set("/change/validators/2/group", "tax").set("/change/validators/3/group", "tax"), Some(Rule::ValidatorGroups)),
        (good().set("/change/validators/2/group", "tax"), Some(Rule::OneGroupDecides)),
        (good().set("/change/validators/0/name", ""), Some(Rule::TextBlank)),
        (good().set("/change/validators/0/name", "局".repeat(201)), Some(Rule::TextTooLong)),
        (good().set("/change/replaces", "x"), Some(Rule::HashSpelling)),
        (good().set("/countersigned/sig", "AAAA"), Some(Rule::CountersignatureSpelling)),
        (good().set("/countersigned/kid", key.to_string().to_uppercase()), Some(Rule::KidSpelling)),
    ];
    for (record, due) in cases {
        let text = record.to_string();
        let parsed = parse_record(text.as_bytes()).unwrap_or_else(|faults| panic!("{faults:?}: {text}"));
        let found = parsed.record.as_ref().err().map(|violations| violations[0].rule);
        assert_eq!(found, due, "{text}");
        if let Ok(read) = parsed.record {
            let written = read.to_json();
            assert_eq!(parse_record(written.as_bytes()).unwrap().record, Ok(read));
        }
    }
    for wrong in ["/change/from_height", "/change/validators/0/weight"] {
        let text = good().set(wrong, "5").to_string();
        assert!(parse_record(text.as_bytes()).is_err(), "{text}");
    }
}

//! The members that issue and claim: hundreds of issuers, each with a trade, a place and a key.

use std::sync::Arc;

use invoice_core::calendar::Instant;
use invoice_core::chain::{ChainId, Genesis, GenesisMember, Validator, ValidatorSet};
use invoice_core::crypto::{PublicKey, SecretKey, SecretKeySigner, Signer};
use invoice_core::identity::MemberId;
use invoice_core::record::{Body, MemberAdmit, NewKey, NewMember, Record, Role, RoleSet};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::documents::Dice;
use crate::documents::vocabulary::{self, PLACES, Place, TRADES, Trade};
use crate::spelled;

/// A member with its key.
#[derive(Clone)]
pub struct Player {
    /// Unified social credit code.
    pub id: MemberId,
    /// Name.
    pub name: String,
    /// The one role it has.
    pub role: Role,
    /// Its key.
    pub signer: Arc<SecretKeySigner>,
    /// The same as a number: a generator's key protects nothing.
    pub secret: [u8; 32],
}

/// A member that issues documents.
#[derive(Clone)]
pub struct Issuer {
    /// The member.
    pub player: Player,
    /// Where it is, which its document numbers show.
    pub place: &'static Place,
    /// What it issues.
    pub business: Business,
}

/// What an issuer issues.
#[derive(Clone, Copy)]
pub enum Business {
    /// Invoices for goods and services.
    Trade {
        /// What it sells.
        trade: &'static Trade,
        /// Whether it pays the levy rate of small taxpayers (小规模纳税人).
        small: bool,
    },
    /// Invoices with a payment split: a private clinic.
    Clinic,
    /// Fiscal medical bills: a public hospital.
    Hospital,
}

/// How many members of each kind there are.
#[derive(Clone, Copy, Debug)]
pub struct CastSize {
    /// Sellers of goods and services.
    pub merchants: usize,
    /// Private clinics.
    pub clinics: usize,
    /// Public hospitals.
    pub hospitals: usize,
    /// Employers, which are the registered buyers.
    pub employers: usize,
    /// Organisations that buy and are not registered.
    pub strangers: usize,
}

impl CastSize {
    /// A mix for this many issuers: eight merchants and one public hospital in ten, one private
    /// clinic in ten, twice as many employers, and a hundred times as many other buyers.
    #[must_use]
    pub fn of_issuers(issuers: usize) -> Self {
        let tenth = issuers / 10;
        Self {
            merchants: issuers.saturating_sub(2 * tenth).max(1),
            clinics: tenth,
            hospitals: tenth,
            employers: (2 * issuers).max(1),
            strangers: (100 * issuers).max(1),
        }
    }
}

/// Everyone who takes part.
pub struct Cast {
    /// The tax authority, which admits the others.
    pub tax: Player,
    /// Who issues, in the order of their number ranges.
    pub issuers: Vec<Issuer>,
    /// Who buys and claims.
    pub employers: Vec<Player>,
    /// The same as buyers, in JSON.
    pub registered_buyers: Vec<String>,
    /// Organisations that only buy, in JSON.
    pub other_buyers: Vec<String>,
}

impl Cast {
    /// The members of a seed: the same ones, with the same keys, each time.
    #[must_use]
    pub fn new(seed: u64, size: CastSize) -> Self {
        let mut dice = Dice::seed_from_u64(seed);
        let tax = player(&mut dice, "示范税务局".to_owned(), Role::Tax, &PLACES[0]);
        let mut issuers = Vec::new();
        for _ in 0..size.merchants {
            let place = vocabulary::one_of(&mut dice, &PLACES);
            let trade = vocabulary::one_of(&mut dice, &TRADES);
            let name = vocabulary::company(&mut dice, place, trade.word);
            let small = dice.random_bool(0.3);
            issuers.push(Issuer {
                player: player(&mut dice, name, Role::Merchant, place),
                place,
                business: Business::Trade { trade, small },
            });
        }
        let medical =
            std::iter::repeat_n((Business::Clinic, "门诊部有限公司"), size.clinics).chain(
                std::iter::repeat_n((Business::Hospital, "人民医院"), size.hospitals),
            );
        for (business, word) in medical {
            let place = vocabulary::one_of(&mut dice, &PLACES);
            let name = format!("{}{}{word}", place.name, vocabulary::trade_name(&mut dice));
            issuers.push(Issuer {
                player: player(&mut dice, name, Role::Hospital, place),
                place,
                business,
            });
        }
        // Large and small issuers of every business.
        issuers.shuffle(&mut dice);
        let employers: Vec<Player> = (0..size.employers)
            .map(|_| {
                let place = vocabulary::one_of(&mut dice, &PLACES);
                let trade = vocabulary::one_of(&mut dice, &TRADES);
                let name = vocabulary::company(&mut dice, place, trade.word);
                player(&mut dice, name, Role::Employer, place)
            })
            .collect();
        let buyer = |id: MemberId, name: &str| format!("{{\"id\":\"{id}\",\"name\":\"{name}\"}}");
        let registered_buyers = employers
            .iter()
            .map(|employer| buyer(employer.id, &employer.name))
            .collect();
        let other_buyers = (0..size.strangers.max(1))
            .map(|_| {
                let place = vocabulary::one_of(&mut dice, &PLACES);
                let trade = vocabulary::one_of(&mut dice, &TRADES);
                let name = vocabulary::company(&mut dice, place, trade.word);
                buyer(vocabulary::member_id(&mut dice, "91", place), &name)
            })
            .collect();
        Self {
            tax,
            issuers,
            employers,
            registered_buyers,
            other_buyers,
        }
    }

    /// Everyone but the authority.
    pub fn members(&self) -> impl Iterator<Item = &Player> {
        self.issuers
            .iter()
            .map(|issuer| &issuer.player)
            .chain(&self.employers)
    }

    /// A chain on which everyone is a founding member.
    ///
    /// # Panics
    /// The cast is larger than a genesis file can hold.
    #[must_use]
    pub fn genesis(&self, chain: &str, validator: &PublicKey, time: Instant) -> Genesis {
        let validator = Validator {
            public_key: validator.clone(),
            weight: 1,
            group: None,
            name: "validator".to_owned(),
        };
        match ValidatorSet::new(vec![validator]) {
            Ok(validators) => self.genesis_of(chain, validators, time),
            Err(error) => panic!("one validator: {error}"),
        }
    }

    /// The same with these validators.
    ///
    /// # Panics
    /// The cast is larger than a genesis file can hold.
    #[must_use]
    pub fn genesis_of(&self, chain: &str, validators: ValidatorSet, time: Instant) -> Genesis {
        let chain: ChainId = match chain.parse() {
            Ok(chain) => chain,
            Err(error) => panic!("{chain:?}: {error}"),
        };
        let founders = std::iter::once(&self.tax)
            .chain(self.members())
            .map(|player| GenesisMember {
                id: player.id,
                name: player.name.clone(),
                roles: RoleSet::default().with(player.role),
                public_key: player.signer.public_key().clone(),
            });
        let founders = founders.collect();
        match Genesis::compose(chain, time.ms(), validators, founders) {
            Ok(genesis) => genesis,
            Err(error) => panic!("no genesis file can hold this cast: {error}"),
        }
    }

    /// The records by which an authority admits everyone to a chain that runs already. They are
    /// the same bytes each time when `at` is, so that admitting twice changes nothing.
    #[must_use]
    pub fn admissions(&self, authority: MemberId, at: Instant) -> Vec<Record> {
        self.members()
            .map(|player| Record {
                id: spelled(&format!("admit-{}", player.id)),
                by: authority,
                at,
                body: Body::MemberAdmit(MemberAdmit {
                    member: NewMember {
                        id: player.id,
                        name: player.name.clone(),
                        roles: RoleSet::default().with(player.role),
                    },
                    key: NewKey {
                        public_key: player.signer.public_key().clone(),
                        not_after: None,
                    },
                }),
            })
            .collect()
    }
}

fn player(dice: &mut Dice, name: String, role: Role, place: &Place) -> Player {
    let prefix = match role {
        Role::Tax | Role::Finance | Role::Health => "11",
        Role::Hospital => "12",
        Role::Merchant | Role::Employer | Role::Insurer | Role::Auditor => "91",
    };
    let (secret, key) = loop {
        // One in 2³² numbers of 32 bytes is no private key of the curve.
        let secret = dice.random::<[u8; 32]>();
        if let Ok(key) = SecretKey::from_bytes(&secret) {
            break (secret, key);
        }
    };
    Player {
        id: vocabulary::member_id(dice, prefix, place),
        name,
        role,
        signer: Arc::new(SecretKeySigner::new(key)),
        secret,
    }
}

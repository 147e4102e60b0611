//! `validators.change`: one bureau proposes the next validators, the other countersigns.

use serde::Serialize;

use crate::chain::{Group, Validator, ValidatorSet, ValidatorSetError};
use crate::crypto::{Hash, Kid, PublicKey, Signature};
use crate::identity::MemberId;
use crate::read::{ObjectReader, Spelled, ValueReader, Words};
use crate::refusal::Rule;

/// `validators.change`: signed by a tax or finance authority, countersigned by one of the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ValidatorsChange {
    /// What changes.
    pub change: NewValidators,
    /// The other bureau's consent.
    pub countersigned: Countersignature,
}

/// The validators from a height on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewValidators {
    /// Height of the first block that they decide.
    pub from_height: u64,
    /// Digest of the set that they replace, as it stands in headers.
    #[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[0-9a-f]{64}$"))]
    pub replaces: Hash,
    /// The complete new set.
    #[serde(serialize_with = "as_list")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<ValidatorForm>))]
    pub validators: ValidatorSet,
}

/// A signature of the other bureau over the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Countersignature {
    /// An authority with the other of the two roles.
    pub by: MemberId,
    /// Its key.
    #[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[0-9a-f]{32}$"))]
    pub kid: Kid,
    /// r ‖ s over the message for a change of the validators, in base64.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub sig: Signature,
}

/// A validator as it stands in the record.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
struct ValidatorForm<'v> {
    /// The point, uncompressed (SEC 1 §2.3.3), in lower-case hex.
    #[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^04[0-9a-f]{128}$"))]
    public_key: &'v PublicKey,
    /// The share of its vote; at least 1.
    weight: u64,
    /// Which bureau it belongs to; absent only for a single validator.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<Group>,
    /// Who it is, for people.
    name: &'v str,
}

fn as_list<S: serde::Serializer>(set: &ValidatorSet, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(set.validators().iter().map(|validator| ValidatorForm {
        public_key: &validator.public_key,
        weight: validator.weight,
        group: validator.group,
        name: &validator.name,
    }))
}

impl ValidatorsChange {
    pub(crate) fn read(body: &mut ObjectReader<'_, '_>) -> Option<Self> {
        let change = body.object("change").and_then(NewValidators::read);
        let countersigned = body
            .object("countersigned")
            .and_then(Countersignature::read);
        Some(Self {
            change: change?,
            countersigned: countersigned?,
        })
    }
}

impl NewValidators {
    fn read(mut from: ObjectReader<'_, '_>) -> Option<Self> {
        let from_height = from.u64("from_height");
        let replaces = from.text("replaces");
        let validators = read_set(&mut from);
        from.finish();
        Some(Self {
            from_height: from_height?,
            replaces: replaces?,
            validators: validators?,
        })
    }
}

fn read_set(from: &mut ObjectReader<'_, '_>) -> Option<ValidatorSet> {
    let values = from.array("validators")?;
    let read: Vec<_> = values.into_iter().map(read_validator).collect();
    let validators = read.into_iter().collect::<Option<Vec<_>>>()?;
    match ValidatorSet::new(validators) {
        Ok(set) => Some(set),
        Err(error) => {
            let rule = match error {
                ValidatorSetError::Count => Rule::ValidatorCount,
                ValidatorSetError::Weight => Rule::ValidatorWeight,
                ValidatorSetError::Repeated => Rule::ValidatorRepeated,
                ValidatorSetError::Name => Rule::TextTooLong,
                ValidatorSetError::Groups => Rule::ValidatorGroups,
                ValidatorSetError::OneGroupDecides => Rule::OneGroupDecides,
            };
            from.violation(rule, "validators");
            None
        }
    }
}

fn read_validator(value: ValueReader<'_, '_>) -> Option<Validator> {
    let mut from = value.object()?;
    let public_key = from.text("public_key");
    let weight = from.u64("weight");
    let group = from.optional("group");
    let name = from.text::<Words<200>>("name");
    from.finish();
    Some(Validator {
        public_key: public_key?,
        weight: weight?,
        group: group?,
        name: name?.0,
    })
}

/// A signature in the one form of signatures that are kept.
struct Kept(Signature);

impl Spelled for Kept {
    fn spelled(text: &str) -> Result<Self, Rule> {
        text.parse()
            .map(Self)
            .map_err(|_| Rule::CountersignatureSpelling)
    }
}

impl Countersignature {
    fn read(mut from: ObjectReader<'_, '_>) -> Option<Self> {
        let by = from.text("by");
        let kid = from.text("kid");
        let sig = from.text::<Kept>("sig");
        from.finish();
        Some(Self {
            by: by?,
            kid: kid?,
            sig: sig?.0,
        })
    }
}

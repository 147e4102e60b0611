//! What a record's execution tells to whom.

use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::{DocumentKey, MemberId, RecordId};
use crate::money::Fen;
use crate::read::Spelled;
use crate::state::{put_short, take_short};

macro_rules! event_kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// The kinds of events of the change feed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum EventKind { $($(#[$doc])* $name = $number,)* }

        impl EventKind {
            /// Every kind, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word in the change feed.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }
        }
    };
}

event_kinds! {
    /// A member was admitted.
    MemberAdmitted = 1, "member_admitted";
    /// A member was suspended.
    MemberSuspended = 2, "member_suspended";
    /// A member was resumed.
    MemberResumed = 3, "member_resumed";
    /// A key was added.
    KeyAdded = 4, "key_added";
    /// A key was revoked.
    KeyRevoked = 5, "key_revoked";
    /// A monthly quota was set.
    QuotaSet = 6, "quota_set";
    /// A document was issued.
    DocumentIssued = 7, "document_issued";
    /// A document was reversed, wholly or in part.
    DocumentReversed = 8, "document_reversed";
    /// A holder confirmed a reversal.
    ReversalConfirmed = 9, "reversal_confirmed";
    /// Settlements exceed what a reversal left.
    OverClaimed = 10, "over_claimed";
    /// Settlements fit the capacity again.
    OverClaimCleared = 11, "over_claim_cleared";
    /// A document was frozen.
    DocumentFrozen = 12, "document_frozen";
    /// A document was unfrozen.
    DocumentUnfrozen = 13, "document_unfrozen";
    /// A document got a second identity.
    AliasAdded = 14, "alias_added";
    /// A claimant locked money.
    ClaimLocked = 15, "claim_locked";
    /// A lock was settled.
    ClaimSettled = 16, "claim_settled";
    /// A lock was given back.
    ClaimReleased = 17, "claim_released";
    /// A settlement was taken back, wholly or in part.
    ClaimReversed = 18, "claim_reversed";
    /// The buyer granted a share.
    ShareGranted = 19, "share_granted";
    /// A payer that comes first claimed after this one (rule C7): money may have to be recovered.
    PriorityClaimed = 20, "priority_claimed";
    /// A record was refused by a rule of state.
    RecordRefused = 21, "record_refused";
    /// Other validators will decide on blocks from a height on.
    ValidatorsChanged = 22, "validators_changed";
    /// A document that was issued elsewhere was registered.
    DocumentRegistered = 23, "document_registered";
}

/// Something that happened to a document, a claim or a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The document concerned, by its own key.
    pub document: Option<DocumentKey>,
    /// The claim concerned: its claimant and the id of the lock's record.
    pub claim: Option<(MemberId, RecordId)>,
    /// The amount concerned.
    pub amount: Option<Fen>,
    /// The code of a refusal.
    pub code: Option<String>,
    /// The members that are told; authorities see every event.
    pub concerns: Vec<MemberId>,
}

impl Event {
    /// An event that concerns these members.
    #[must_use]
    pub fn new(kind: EventKind, concerns: Vec<MemberId>) -> Self {
        Self {
            kind,
            document: None,
            claim: None,
            amount: None,
            code: None,
            concerns,
        }
    }

    /// The same about a document.
    #[must_use]
    pub fn of(mut self, document: DocumentKey) -> Self {
        self.document = Some(document);
        self
    }

    /// The same about a claim.
    #[must_use]
    pub fn claim(mut self, by: MemberId, id: RecordId) -> Self {
        self.claim = Some((by, id));
        self
    }

    /// The same about an amount.
    #[must_use]
    pub fn amount(mut self, amount: Fen) -> Self {
        self.amount = Some(amount);
        self
    }

    /// The event's bytes, for the index that a node keeps.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Writer::new();
        bytes.put_u8(self.kind as u8);
        put_short(
            &mut bytes,
            &self
                .document
                .as_ref()
                .map_or(Vec::new(), DocumentKey::to_bytes),
        );
        match &self.claim {
            Some((by, id)) => {
                bytes.put_u8(1);
                bytes.put(by.as_bytes());
                put_short(&mut bytes, id.as_str().as_bytes());
            }
            None => bytes.put_u8(0),
        }
        match self.amount {
            Some(amount) => {
                bytes.put_u8(1);
                bytes.put_i64(amount.get());
            }
            None => bytes.put_u8(0),
        }
        put_short(
            &mut bytes,
            self.code.as_deref().unwrap_or_default().as_bytes(),
        );
        bytes.put_u16(u16::try_from(self.concerns.len()).unwrap_or(u16::MAX));
        for member in &self.concerns {
            bytes.put(member.as_bytes());
        }
        bytes.into_bytes()
    }

    /// The event of such bytes.
    ///
    /// # Errors
    /// The bytes have not the layout of [`Event::encode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let kind = EventKind::from_number(reader.u8("kind")?)
            .ok_or(DecodeError::Invalid { what: "kind" })?;
        let document = match take_short(&mut reader, "document")? {
            [] => None,
            key => Some(
                DocumentKey::from_bytes(key).ok_or(DecodeError::Invalid { what: "document" })?,
            ),
        };
        let claim = match reader.flag("claim")? {
            true => {
                let by = take_member(&mut reader)?;
                let id = take_short(&mut reader, "claim")?;
                let id = std::str::from_utf8(id)
                    .ok()
                    .and_then(|id| RecordId::spelled(id).ok());
                Some((by, id.ok_or(DecodeError::Invalid { what: "claim" })?))
            }
            false => None,
        };
        let amount = match reader.flag("amount")? {
            true => Some(Fen::new(reader.i64("amount")?)),
            false => None,
        };
        let code = std::str::from_utf8(take_short(&mut reader, "code")?)
            .map_err(|_| DecodeError::Invalid { what: "code" })?;
        let code = (!code.is_empty()).then(|| code.to_owned());
        let mut concerns = Vec::new();
        for _ in 0..reader.u16("concerns")? {
            concerns.push(take_member(&mut reader)?);
        }
        reader.finish()?;
        Ok(Self {
            kind,
            document,
            claim,
            amount,
            code,
            concerns,
        })
    }
}

fn take_member(reader: &mut Reader<'_>) -> Result<MemberId, DecodeError> {
    MemberId::from_bytes(reader.take("member", 18)?).ok_or(DecodeError::Invalid { what: "member" })
}

//! The bytes of a document. There is one for every document ever issued, so each byte counts.

use super::document::{Burden, CONTENT_FIELDS_MAX, Document, Family, Holding, Share, Title};
use super::layout::{
    put_fen, put_instant_ms, put_member_no, put_short, take_count, take_fen, take_instant_ms,
    take_member_no, take_short,
};
use super::{HOLDINGS_PER_DOCUMENT_MAX, SHARES_PER_DOCUMENT_MAX};
use crate::calendar::Date;
use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::{MemberId, RecordId};
use crate::money::Fen;
use crate::read::Spelled;
use crate::record::{ClaimKind, Component};

/// The family is that of bills.
const BILL: u8 = 0b0000_0001;
/// Made out to an organisation, whose id follows.
const ORGANISATION: u8 = 0b0000_0010;
/// Made out to an organisation by its old tax number.
const OLD_TAX_NUMBER: u8 = 0b0000_0100;
/// A check code follows.
const CHECK_CODE: u8 = 0b0000_1000;
/// A payment split follows.
const BURDEN: u8 = 0b0001_0000;
/// Of that split, a fund paid at the counter.
const DIRECTLY_SETTLED: u8 = 0b0010_0000;
/// The document is frozen.
const FROZEN: u8 = 0b0100_0000;
/// What happened after the issue follows.
const HISTORY: u8 = 0b1000_0000;

/// In the number of aliases: the document was registered, not issued.
const REGISTERED: u8 = 0b1000_0000;

/// Bytes of most documents without history.
const USUAL_BYTES: usize = 96;

impl Document {
    /// Whether it was issued elsewhere, or anything but issuing and freezing has left a trace.
    fn has_history(&self) -> bool {
        self.registered
            || self.reversed != Fen::ZERO
            || self.quota_restored != Fen::ZERO
            || self.aliases != 0
            || !self.holdings.is_empty()
            || !self.shares.is_empty()
    }

    fn flags(&self) -> u8 {
        let set = |bit: u8, holds: bool| if holds { bit } else { 0 };
        set(BILL, self.family == Family::Bill)
            | set(ORGANISATION, matches!(self.title, Title::Organisation(_)))
            | set(OLD_TAX_NUMBER, self.title == Title::OldTaxNumber)
            | set(CHECK_CODE, self.check_code.is_some())
            | set(BURDEN, self.burden.is_some())
            | set(
                DIRECTLY_SETTLED,
                self.burden.is_some_and(|burden| burden.directly_settled),
            )
            | set(FROZEN, self.frozen)
            | set(HISTORY, self.has_history())
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let holdings = self.holdings.len().saturating_mul(USUAL_BYTES);
        let mut bytes = Writer::with_capacity(USUAL_BYTES.saturating_add(holdings));
        bytes.put_u8(self.flags());
        put_member_no(&mut bytes, self.issuer);
        if let Title::Organisation(id) = self.title {
            bytes.put(&id.to_packed());
        }
        bytes.put_varint(self.index);
        bytes.put_varint(days(self.issue_date).into());
        put_fen(&mut bytes, self.total);
        // The tax, which is small beside the sums. Amounts are far from the ends of 64 bits; on
        // all others the subtraction can be undone, too.
        bytes.put_signed(self.total.get().wrapping_sub(self.total_without_tax.get()));
        if let Some(code) = &self.check_code {
            bytes.put(code);
        }
        if let Some(burden) = &self.burden {
            put_fen(&mut bytes, burden.claimable);
            put_fen(&mut bytes, burden.self_pay);
            put_fen(&mut bytes, burden.self_fund);
        }
        bytes.put(&self.content);
        let fields = self.content_fields.get(..self.family.content_fields());
        bytes.put(fields.unwrap_or(&self.content_fields));
        if self.has_history() {
            put_history(&mut bytes, self);
        }
        bytes.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let flags = reader.u8("flags")?;
        let is = |bit: u8| flags & bit != 0;
        if (is(ORGANISATION) && is(OLD_TAX_NUMBER)) || (is(DIRECTLY_SETTLED) && !is(BURDEN)) {
            return Err(DecodeError::Invalid { what: "flags" });
        }
        let family = if is(BILL) {
            Family::Bill
        } else {
            Family::Invoice
        };
        let issuer = take_member_no(&mut reader, "issuer")?;
        let title = if is(ORGANISATION) {
            let buyer = MemberId::from_packed(reader.array("buyer")?);
            Title::Organisation(buyer.ok_or(DecodeError::Invalid { what: "buyer" })?)
        } else if is(OLD_TAX_NUMBER) {
            Title::OldTaxNumber
        } else {
            Title::Open
        };
        let index = reader.varint("index")?;
        let issue_date = i32::try_from(reader.varint("issue_date")?)
            .ok()
            .and_then(Date::from_days)
            .ok_or(DecodeError::Invalid { what: "issue_date" })?;
        let total = take_fen(&mut reader, "total")?;
        let tax = reader.signed("tax")?;
        let total_without_tax = Fen::new(total.get().wrapping_sub(tax));
        let check_code = is(CHECK_CODE)
            .then(|| reader.array("check_code"))
            .transpose()?;
        let burden = is(BURDEN)
            .then(|| {
                Ok(Burden {
                    claimable: take_fen(&mut reader, "claimable")?,
                    self_pay: take_fen(&mut reader, "self_pay")?,
                    self_fund: take_fen(&mut reader, "self_fund")?,
                    directly_settled: is(DIRECTLY_SETTLED),
                })
            })
            .transpose()?;
        let content = reader.array("content")?;
        let mut content_fields = [0; CONTENT_FIELDS_MAX];
        let fields = reader.take("content_fields", family.content_fields())?;
        for (to, from) in content_fields.iter_mut().zip(fields) {
            *to = *from;
        }
        let mut document = Self {
            family,
            issuer,
            registered: false,
            title,
            index,
            issue_date,
            total,
            total_without_tax,
            check_code,
            burden,
            reversed: Fen::ZERO,
            quota_restored: Fen::ZERO,
            frozen: is(FROZEN),
            aliases: 0,
            content,
            content_fields,
            holdings: Vec::new(),
            shares: Vec::new(),
        };
        if is(HISTORY) {
            take_history(&mut reader, &mut document)?;
            if !document.has_history() {
                return Err(DecodeError::Invalid { what: "history" });
            }
        }
        reader.finish()?;
        Ok(document)
    }
}

fn put_history(bytes: &mut Writer, document: &Document) {
    put_fen(bytes, document.reversed);
    put_fen(bytes, document.quota_restored);
    let registered = if document.registered { REGISTERED } else { 0 };
    bytes.put_u8(document.aliases | registered);
    bytes.put_varint(document.holdings.len() as u64);
    for holding in &document.holdings {
        put_member_no(bytes, holding.owner);
        put_short(bytes, holding.claim.as_str().as_bytes());
        bytes.put_u8(holding.kind.number());
        bytes.put_u8(holding.component.number());
        put_fen(bytes, holding.locked);
        put_instant_ms(bytes, holding.expires_at);
        put_fen(bytes, holding.settled);
    }
    bytes.put_varint(document.shares.len() as u64);
    for share in &document.shares {
        put_member_no(bytes, share.holder);
        put_fen(bytes, share.amount);
    }
}

fn take_history(reader: &mut Reader<'_>, document: &mut Document) -> Result<(), DecodeError> {
    document.reversed = take_fen(reader, "reversed")?;
    document.quota_restored = take_fen(reader, "quota_restored")?;
    let aliases = reader.u8("aliases")?;
    document.registered = aliases & REGISTERED != 0;
    document.aliases = aliases & !REGISTERED;
    for _ in 0..take_count(reader, "holdings", HOLDINGS_PER_DOCUMENT_MAX)? {
        document.holdings.push(Holding {
            owner: take_member_no(reader, "owner")?,
            claim: take_record_id(reader)?,
            kind: ClaimKind::from_number(reader.u8("kind")?)
                .ok_or(DecodeError::Invalid { what: "kind" })?,
            component: Component::from_number(reader.u8("component")?)
                .ok_or(DecodeError::Invalid { what: "component" })?,
            locked: take_fen(reader, "locked")?,
            expires_at: take_instant_ms(reader, "expires_at")?,
            settled: take_fen(reader, "settled")?,
        });
    }
    for _ in 0..take_count(reader, "shares", SHARES_PER_DOCUMENT_MAX)? {
        document.shares.push(Share {
            holder: take_member_no(reader, "holder")?,
            amount: take_fen(reader, "amount")?,
        });
    }
    Ok(())
}

/// Days since 1970-01-01; documents of the registry are younger.
fn days(date: Date) -> u32 {
    u32::try_from(date.days()).unwrap_or(0)
}

fn take_record_id(reader: &mut Reader<'_>) -> Result<RecordId, DecodeError> {
    std::str::from_utf8(take_short(reader, "claim")?)
        .ok()
        .and_then(|id| RecordId::spelled(id).ok())
        .ok_or(DecodeError::Invalid { what: "claim" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Instant;
    use crate::state::MemberNo;
    use proptest::prelude::*;

    fn invoice() -> Document {
        Document {
            family: Family::Invoice,
            issuer: MemberNo(300),
            registered: false,
            title: Title::Organisation(MemberId::from_bytes(b"91330000142942095H").unwrap()),
            index: 30_000_000,
            issue_date: Date::new(2026, 11, 21).unwrap(),
            total: Fen::new(113_000),
            total_without_tax: Fen::new(100_000),
            check_code: None,
            burden: None,
            reversed: Fen::ZERO,
            quota_restored: Fen::ZERO,
            frozen: false,
            aliases: 0,
            content: [0xcc; 16],
            content_fields: [0xff; CONTENT_FIELDS_MAX],
            holdings: Vec::new(),
            shares: Vec::new(),
        }
    }

    fn bill() -> Document {
        let mut content_fields = [0; CONTENT_FIELDS_MAX];
        content_fields[..8].fill(0xee);
        Document {
            family: Family::Bill,
            title: Title::Open,
            total_without_tax: Fen::new(113_000),
            check_code: Some(*b"a1B2c3"),
            burden: Some(Burden {
                claimable: Fen::new(63),
                self_pay: Fen::new(64),
                self_fund: Fen::ZERO,
                directly_settled: true,
            }),
            frozen: true,
            content_fields,
            holdings: vec![Holding {
                owner: MemberNo(1),
                claim: RecordId::spelled("r-1").unwrap(),
                kind: ClaimKind::Basic,
                component: Component::SelfPay,
                locked: Fen::ZERO,
                expires_at: Instant::from_ms(1_795_242_600_123),
                settled: Fen::new(63),
            }],
            shares: vec![Share {
                holder: MemberNo(2),
                amount: Fen::new(1),
            }],
            ..invoice()
        }
    }

    #[test]
    fn a_plain_invoice_has_these_bytes() {
        let due = "02 ac02 10b57f10".to_owned()
            + &hex::encode(&body_of(b"142942095")[2..])
            + "80 87a70e aaa201 d0e50d 90cb01"
            + &"cc".repeat(16)
            + &"ff".repeat(11);
        let bytes = invoice().encode();
        assert_eq!(hex::encode(&bytes), due.replace(' ', ""));
        assert!(bytes.len() <= 60);
    }

    fn body_of(digits: &[u8]) -> [u8; 8] {
        let number = digits
            .iter()
            .fold(0_u64, |number, digit| number * 31 + u64::from(digit - b'0'));
        number.to_be_bytes()
    }

    #[test]
    fn a_bill_with_history_has_these_bytes() {
        let due = "f9 ac02 8087a70e aaa201 d0e50d 00 613142326333 7e 8001 00".to_owned()
            + &"cc".repeat(16)
            + &"ee".repeat(8)
            + "00 00 00 01 01 03722d31 02 01 00 f69ae1ccbf68 7e 01 02 02";
        assert_eq!(hex::encode(bill().encode()), due.replace(' ', ""));
    }

    #[test]
    fn other_spellings_are_refused() {
        for document in [invoice(), bill()] {
            let bytes = document.encode();
            assert_eq!(Document::decode(&bytes).as_ref(), Ok(&document));
            for end in 0..bytes.len() {
                assert!(Document::decode(&bytes[..end]).is_err(), "{end}");
            }
            assert!(Document::decode(&[&bytes[..], &[0]].concat()).is_err());
        }
        let bytes = invoice().encode();
        let with = |flags: u8, tail: &[u8]| {
            let mut bytes = [&bytes[..], tail].concat();
            bytes[0] = flags;
            Document::decode(&bytes)
        };
        assert!(with(ORGANISATION, &[]).is_ok());
        assert!(with(ORGANISATION | OLD_TAX_NUMBER, &[]).is_err());
        assert!(with(ORGANISATION | DIRECTLY_SETTLED, &[]).is_err());
        // A history in which nothing happened.
        assert!(with(ORGANISATION | HISTORY, &[0, 0, 0, 0, 0]).is_err());
        assert!(with(ORGANISATION | HISTORY, &[0, 0, 1, 0, 0]).is_ok());
        let registered = with(ORGANISATION | HISTORY, &[0, 0, REGISTERED, 0, 0]).unwrap();
        assert!(registered.registered && registered.aliases == 0);
    }

    proptest! {
        /// Whatever is read has exactly the bytes that it is written with.
        #[test]
        fn bytes_have_one_document(
            bill_first: bool,
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        ) {
            let mut bytes = if bill_first { bill().encode() } else { invoice().encode() };
            for (place, byte) in changes {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            if let Ok(document) = Document::decode(&bytes) {
                prop_assert_eq!(document.encode(), bytes);
            }
        }
    }
}

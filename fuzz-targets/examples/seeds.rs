//! Writes inputs made from valid examples into `fuzz/corpus`, for a format that has changed.

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use consensus::{
    LogEntry, Message, Polka, Proposal, RoundChange, RoundChangeReason, RoundVote, Timer,
    TimerKind, Value, Vote,
};
use fuzz_targets::example;
use invoice_core::codec::Writer;
use invoice_core::crypto::messages::VoteKind;
use invoice_core::crypto::{Hash, HintedSignature, Kid, SecretKey, Signature, Signer};
use invoice_core::merkle::{Frontier, leaf_hash};

fn write(target: &str, inputs: impl IntoIterator<Item = Vec<u8>>) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let folder = folder.join(target);
    fs::create_dir_all(&folder).expect("the folder can be made");
    for (number, input) in inputs.into_iter().enumerate() {
        let file = folder.join(format!("example-{:02}", number + 1));
        fs::write(file, input).expect("the file can be written");
    }
}

fn texts(all: &[&str]) -> Vec<Vec<u8>> {
    all.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn chosen(choice: char, input: &[u8]) -> Vec<u8> {
    [choice.to_string().as_bytes(), input].concat()
}

fn main() {
    let records = records();
    write("json", json().into_iter().chain(texts(&records[..3])));
    write("record", texts(&records));
    write("envelope", envelopes(&records));
    write("keys", keys());
    write("spellings", texts(SPELLINGS));
    write("genesis", genesis());
    write("receipt", receipts());
    write("block", blocks());
    write("merkle", merkle());
    write("http", http());
    write("consensus", consensus());
    write("links", links());
    write("papers", papers());
}

fn links() -> Vec<Vec<u8>> {
    let mut hello = vec![0, 1];
    hello.extend([7; 128]);
    let other_version = [&[0, 2], &hello[2..]].concat();
    let piece = vec![5; 64 * 1024];
    let begun = [&[1, 0, 1, 0, 2, 2], piece.as_slice()].concat();
    let whole = [begun.as_slice(), &[3, 5, 5]].concat();
    let passed = [begun.as_slice(), b"\x01\0\0\0\x03\x01aye\0\x03\x05\x05"].concat();
    vec![
        chosen('0', &hello),
        chosen('0', &other_version),
        chosen('0', &hello[..129]),
        chosen('1', &[0, 0, 0]),
        chosen('1', b"\x01\0\0\0\x03\x01aye"),
        chosen('1', b"\x01\0\0\0\0\x02\0\x01\0\0\0\x01\x01x"),
        chosen('1', &whole),
        chosen('1', &passed),
        chosen('1', &[begun.as_slice(), &[1, 0, 0, 0, 0, 2]].concat()),
        chosen('1', &[2, 1]),
        chosen('1', &[1, 0, 0, 0, 101, 1]),
        chosen('1', &[1, 0xff, 0xff, 0xff, 0xff, 2]),
        chosen('1', &[4]),
    ]
    .into_iter()
    .chain(meanings())
    .collect()
}

/// Frames as the agreement reads them: one of each kind that is not all signatures, and faults.
fn meanings() -> Vec<Vec<u8>> {
    let height = 7_u64.to_be_bytes();
    let head = [
        &height[..],
        &[0; 4],
        &[1],
        &[0, 0, 0, 2],
        &[9; 16],
        &[8; 32],
    ]
    .concat();
    let block = [&[2][..], &head, &[0, 0, 0, 1, 0xff], b"block"].concat();
    let never_again = [&[2][..], &head[..12], &[0, 0, 0, 0, 2], &head[17..]].concat();
    let blocks = [&[5][..], &[0, 0, 0, 2, 1, 1], &[0, 0, 0, 1, 3]].concat();
    vec![
        chosen('2', &[&[3][..], &height].concat()),
        chosen('2', &[&[4][..], &height].concat()),
        chosen('2', &[&[3][..], &height, &[1]].concat()),
        chosen('2', &block),
        chosen('2', &never_again),
        chosen('2', &blocks),
        chosen('2', &blocks[..8]),
        chosen('2', &[6, 0, 0, 0, 1, 0xAA, 0, 0, 0, 0]),
        chosen('2', &[6, 0xff, 0xff, 0xff, 0xff]),
        chosen('2', &[7]),
        chosen('2', &[1, 1]),
    ]
}

fn json() -> Vec<Vec<u8>> {
    texts(&[
        "{}",
        "[]",
        " null ",
        "[true,false]",
        r#"{"a":{"b":[1,-1,1.5,1e9,18446744073709551615,18446744073709551616,0.0]}}"#,
        r#"{"a":1,"a":2}"#,
        r#""票\u94fe\n\ud83d\ude00""#,
        "[[[[[[[[]]]]]]]]",
        "[[[[[[[[[]]]]]]]]]",
        r#"{"~/":{"":"x"}} x"#,
        "1e999",
    ])
}

fn envelopes(records: &[&str]) -> Vec<Vec<u8>> {
    let (kid, sig) = ("00112233445566778899aabbccddeeff", "QUJD".repeat(22));
    let by = |contents: String| format!(r#"{{"kid":"{kid}","sig":"{sig}",{contents}}}"#);
    let lock = records[2];
    [
        by(format!(r#""record":{lock}"#)),
        by(format!(r#""records":[{lock}, {}]"#, records[3])),
        by(format!(r#""records":[{lock}],"atomic":true"#)),
        by(format!(r#""records":[{lock}],"atomic":false"#)),
        by(r#""records":[]"#.into()),
        by(format!(r#""record":{lock},"atomic":true"#)),
        by(r#""record":[1,{"a":1,"a":2}]"#.into()),
        by(r#""record":{},"record":{}"#.into()),
        by(r#""record":{},"more":1"#.into()),
        format!(r#"{{"record":{lock}}}"#),
        format!("{{ \"records\" : [ {lock} ,\n1 ] }}\n"),
        r#"{"kid":1,"sig":null,"record":"x"}"#.into(),
    ]
    .map(String::into_bytes)
    .into()
}

fn keys() -> Vec<Vec<u8>> {
    let signer = example::signer(7);
    let key = signer.public_key();
    let signature = signer.sign(b"message").expect("the key signs");
    let hinted = HintedSignature::with_hint(signature, key);
    let secret = SecretKey::from_bytes(&[7; 32]).expect("the number is a key");
    let pem = secret.to_pkcs8_pem().expect("a key has a PEM form");
    let spki = key.to_spki_pem().expect("a key has a PEM form");
    vec![
        chosen('0', signature.to_string().as_bytes()),
        chosen('0', hinted.to_base64().as_bytes()),
        chosen('0', STANDARD.encode(signature.to_der()).as_bytes()),
        chosen('1', &signature.to_der()),
        chosen('1', &[0x30, 6, 2, 1, 1, 2, 1, 2]),
        chosen('2', key.to_hex().as_bytes()),
        chosen('3', key.as_sec1()),
        chosen('3', &[4; 65]),
        chosen('4', spki.as_bytes()),
        chosen('5', pem.as_bytes()),
        chosen('6', key.kid().to_string().as_bytes()),
        chosen('6', leaf_hash(b"").to_string().as_bytes()),
    ]
}

fn genesis() -> Vec<Vec<u8>> {
    let text = String::from_utf8(example::genesis().bytes().to_vec()).expect("JSON is text");
    let changes = [
        ("", ""),
        ("2026-11-21T14:29:59.123+08:00", "2026-11-21T06:30:60Z"),
        ("\"weight\": 1", "\"weight\": 18446744073709551615"),
        ("\"weight\": 1", "\"weight\": 1, \"weight\": 1"),
        ("\"tax\",", "\"insurer\", \"hospital\", \"tax\","),
        ("2026-11-21T14:29:59.123+08:00", "9999-12-31T23:59:59Z"),
        ("genesis/1", "genesis/2"),
        ("+08:00", "-23:59"),
        ("sz-2026", "s\\u007a"),
        ("91440300708461136T", "91440300708461136"),
        ("甲公司", ""),
    ];
    let changed = changes.map(|(from, to)| text.replacen(from, to, 1).into_bytes());
    changed.into()
}

fn receipts() -> Vec<Vec<u8>> {
    let receipts = example::receipts();
    let json = |receipt| serde_json::to_string(receipt).expect("a receipt has a JSON form");
    let plain: Vec<String> = receipts.iter().map(json).collect();
    let pretty = serde_json::to_string_pretty(&receipts[1]).expect("a receipt has a JSON form");
    let changes = [
        ("\"height\":1", "\"height\":2"),
        ("\"index\":1", "\"index\":2"),
        ("\"count\":3", "\"count\":2"),
        ("\"position\":0", "\"position\":0,\"position\":0"),
        ("\"atomic\":false", "\"atomic\":true"),
        ("\"path\":[", "\"path\":[\"\","),
        ("sz-2026", "s\\u007a-2026"),
    ];
    let changed = changes.map(|(from, to)| plain[1].replacen(from, to, 1));
    let all = plain.iter().cloned().chain([pretty]).chain(changed);
    all.map(String::into_bytes).collect()
}

fn blocks() -> Vec<Vec<u8>> {
    let (block, certificate) = (example::block(), example::certificate());
    let bytes = block.encode().expect("a small block");
    let only = |at: usize| {
        let mut one = block.clone();
        one.envelopes = vec![block.envelopes[at].clone()];
        one.header.count = one.envelopes[0].entries.len() as u32;
        one.header.log_size = u64::from(one.header.count);
        one.encode().expect("a small block")
    };
    let mut inputs = vec![
        chosen('0', &bytes),
        chosen('0', &only(0)),
        chosen('0', &only(1)),
        chosen('0', &bytes[..bytes.len() - 1]),
        chosen('1', &block.header.encode()),
        chosen('2', &certificate.encode().expect("one signature")),
    ];
    for leaf in block.leaves() {
        let mut writer = Writer::new();
        leaf.outcome.write(&mut writer).expect("a short outcome");
        inputs.push(chosen('3', &writer.into_bytes()));
    }
    let mut frontier = Frontier::new();
    for leaves in [0, 1, 4, 7] {
        while frontier.size() < leaves {
            frontier.push(leaf_hash(&[]));
        }
        inputs.push(chosen('4', &frontier.encode()));
    }
    inputs
}

fn merkle() -> Vec<Vec<u8>> {
    let numbers = |index: u64, size: u64, hashes: usize| {
        let hashes = vec![0xa5; 32 * hashes];
        [&index.to_be_bytes()[..], &size.to_be_bytes(), &hashes].concat()
    };
    vec![
        chosen('0', &numbers(0, 1, 0)),
        chosen('0', &numbers(5, 7, 3)),
        chosen('0', &numbers(u64::MAX - 1, u64::MAX, 64)),
        chosen('1', &numbers(3, 7, 5)),
        chosen('1', &numbers(0, 0, 2)),
        chosen('1', &numbers(1 << 63, u64::MAX, 66)),
        chosen('2', &[6, 3]),
        chosen('2', &[68, 63, 1, 7, 4, 2, 9]),
        chosen('2', &[12, 11, 2, 0, 5, 0, 11]),
        chosen('3', &[6, 3]),
        chosen('3', &[68, 31, 3, 1, 2, 1]),
        chosen('3', &[7, 7, 5, 0]),
    ]
}

/// Files of documents that are texts. Packages and pictures among the inputs were made elsewhere.
fn papers() -> Vec<Vec<u8>> {
    let invoice = include_str!("../../invoice-api/papers/tests/files/invoice.xml");
    let bill = include_str!("../../invoice-api/papers/tests/files/bill.xml");
    let attached = |file: &str| {
        format!(
            "%PDF-1.7\n1 0 obj\n<</Type/EmbeddedFile/Length {}>>\nstream\n{file}\nendstream\nendobj\n",
            file.len()
        )
    };
    let texts = [
        invoice.to_owned(),
        bill.to_owned(),
        attached(invoice),
        attached(bill),
        "<fp><FPHM>24442000000000000016</FPHM><KPRQ>20240124</KPRQ><JSHJXX>113.00</JSHJXX></fp>".into(),
        "<发票><发票号码>24442000000000000016</发票号码><开票日期>2024年01月24日</开票日期><价税合计>113.00</价税合计></发票>".into(),
        "<x><ElectronicInvoiceRailwayETicketNumber>26339132621000219582</ElectronicInvoiceRailwayETicketNumber><DateOfIssue>2026-04-23</DateOfIssue><Fare>56.00</Fare></x>".into(),
        "01,32,,24312000000136634917,0.01,20240514,,1DD6".into(),
        "01,10,011001605111,80100798,64.9,20161018,85342965681116380258,BE2D,".into(),
        "https://example.test/v/D:24442000000000000016?amount=1.00&date=2024-01-24&h=x".into(),
        "<!DOCTYPE a [<!ENTITY x \"y\">]><EInvoice>&x;</EInvoice>".into(),
    ];
    texts.map(String::into_bytes).into()
}

fn http() -> Vec<Vec<u8>> {
    let digital = "<EInvoice><Header><EIid>24442000000000000016</EIid></Header><EInvoiceData>\
        <BasicInformation><TotalTax-includedAmount>16000.00</TotalTax-includedAmount>\
        </BasicInformation></EInvoiceData><TaxSupervisionInfo>\
        <InvoiceNumber>24442000000000000016</InvoiceNumber>\
        <IssueTime>2024-01-24 10:00:00</IssueTime></TaxSupervisionInfo></EInvoice>";
    let fiscal = "<?xml version=\"1.0\"?><EInvoice><!-- x --><EInvoiceData><Main>\
        <EInvoiceCode>33060122</EInvoiceCode><EInvoiceNumber>0000000017</EInvoiceNumber>\
        <RandomNumber><![CDATA[a1B2c3]]></RandomNumber><TotalAmount>133.0000</TotalAmount>\
        <IssueDate>20240124</IssueDate><Name>&amp;&#48;</Name><a/></Main></EInvoiceData></EInvoice>";
    let entity = "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///x\">]><EInvoice>&x;</EInvoice>";
    let file = STANDARD.encode(fiscal);
    let texts = [
        "0SM2-WITH-SM3 kid=\"00\",timestamp=\"1700000000\",nonce=\"0123456789abcdef\",signature=\"QUJD\"",
        "0SM2-WITH-SM3 signature=\"QUJD\" , nonce=\"0123456789abcdef\",kid=\"\",timestamp=\"0\"",
        "1status=locked&cursor=00ff&limit=5",
        "1status=%ff&limit=+5",
        "1a=1&a=2",
        r#"2{"items":[{"document":"D:24442000000000000016","amount":"16000","date":"2024-01-24","check_code":"a1B2c3"}]}"#,
        r#"2{"items":[{"qr":"01,32,,24312000000136634917,0.01,20240514,,1DD6"},{"document":"D:1"}]}"#,
        &format!(r#"2{{"items":[{{"xml":"{file}"}}]}}"#),
        "3\u{5}\u{3}ab\r\n\nabcdef\nxy",
        "3\u{0}\u{1}\n\nx\n",
        &format!("4{digital}"),
        &format!("4{fiscal}"),
        &format!("4{entity}"),
    ];
    texts.map(|text| text.as_bytes().to_vec()).into()
}

/// One of each type, and an invoice on paper.
fn records() -> Vec<&'static str> {
    include_str!("records.ndjson").lines().collect()
}

const SPELLINGS: &[&str] = &[
    "0D:24312000000136634917",
    "0P:3300194130-12345678",
    "0P:011001605111-80100798",
    "0F:33060122-0123456789",
    "116000.00",
    "1-64.9",
    "19999999999.99",
    "215841.5841584158",
    "2-1.50",
    "32026-11-21T14:30:00.123+08:00",
    "31970-01-01t00:00:60z",
    "30001-01-01T00:00:00+23:59",
    "39999-12-31T23:59:59.999999999-23:59",
    "42024-02-29",
    "420240229",
    "42026-11",
    "591330000142942095H",
    "511010519491231002X",
    "501JD3Z8V5QX",
    "6壹万陆仟肆佰零玖圆零贰分",
    "6人民币玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分",
    "6（负数）壹佰伍拾圆整",
    "6壹万壹仟亿圆整",
    "701,32,,24312000000136634917,0.01,20240514,,1DD6",
    "701,10,011001605111,80100798,64.9,20161018,85342965681116380258,BE2D",
    "701,04,3300194130,12345678,-64.90,20161018,12345678901234567890,BE2D,",
    "7https://inv-veri.chinatax.gov.cn/index.html?fphm=24312000000136634917&kprq=2024-05-14&kjje=1#x",
    "80.06",
    "80.060",
    "8免税",
    "882",
    "8a1B2c3",
    "9sz-2026",
];

/// One of each message and log entry. The signatures are numbers of the right size.
fn consensus() -> Vec<Vec<u8>> {
    let (kid, id, signature) = (
        |n| Kid::new([n; 16]),
        Hash::new([0xbb; 32]),
        Signature::from_bytes(&[0x11; 64]).expect("two numbers in range"),
    );
    let vote = |kind, block_id| Vote {
        kind,
        height: 1,
        round: 3,
        block_id,
        voter: kid(1),
        signature,
    };
    let proposal = |valid_round| Proposal {
        height: 1,
        round: 3,
        block_id: id,
        valid_round,
        proposer: kid(1),
        signature,
    };
    let polka = Polka {
        height: 1,
        round: 3,
        block_id: id,
        signatures: vec![(kid(1), signature), (kid(2), signature)],
    };
    let change = |reason, block_id| RoundChange {
        height: 2,
        round: 3,
        reason,
        votes: [1, 2]
            .map(|n| RoundVote {
                voter: kid(n),
                kind: VoteKind::Precommit,
                block_id,
                signature,
            })
            .into(),
    };
    let timer = Timer {
        height: 1,
        round: 3,
        kind: TimerKind::Prevote,
    };
    let value = Value {
        height: 1,
        round: 3,
        valid_round: Some(2),
        proposer: kid(1),
        block_id: id,
        valid: true,
    };
    let messages = [
        Message::Vote(vote(VoteKind::Prevote, None)),
        Message::Vote(vote(VoteKind::Precommit, Some(id))),
        Message::Proposal(proposal(None)),
        Message::Proposal(proposal(Some(2))),
        Message::Polka(polka.clone()),
        Message::RoundChange(change(RoundChangeReason::Skip, None)),
        Message::RoundChange(change(RoundChangeReason::Precommits, Some(id))),
    ];
    let entries = [
        LogEntry::Vote(vote(VoteKind::Precommit, Some(id))),
        LogEntry::Proposal(proposal(Some(2))),
        LogEntry::Polka(polka),
        LogEntry::Value(value),
        LogEntry::Elapsed(timer),
        LogEntry::Block {
            block_id: id,
            bytes: b"block".as_slice().into(),
        },
    ];
    let messages = messages.map(|message| chosen('0', &message.encode().expect("it fits")));
    let entries = entries.map(|entry| chosen('1', &entry.encode().expect("it fits")));
    messages.into_iter().chain(entries).collect()
}

//! From issuing an invoice to a receipt that proves itself offline, in one file.
//!
//! Run a demonstration node first, then name its address and its folder:
//!
//! ```text
//! cargo run --release -- demo --data demo
//! cargo run -p examples --bin quickstart -- http://127.0.0.1:8080 demo
//! ```

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use chrono::Utc;
use invoice_api::client::{CheckItem, Client, ClientConfig, Envelope, Problem, Submitted};
use invoice_core::calendar::Instant;
use invoice_core::chain::{Genesis, Receipt};
use invoice_core::crypto::{SecretKey, SecretKeySigner, Signer};
use serde_json::{Value, json};

/// A week, the life of the lock below.
const WEEK_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// One member of the registry with its key.
struct Member {
    id: String,
    name: String,
    signer: Arc<SecretKeySigner>,
}

/// A member's view of the registry: what it sends, it signs.
struct Desk<'g> {
    member: Member,
    client: Client,
    genesis: &'g Genesis,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(server), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("用法 / usage: quickstart URL FOLDER".into());
    };
    let folder = Path::new(&folder);
    // The genesis file is all that a verifier needs, and it also names the chain.
    let genesis = Genesis::parse(&fs::read(folder.join("genesis.json"))?)?;
    let members: Vec<Value> = serde_json::from_slice(&fs::read(folder.join("members.json"))?)?;
    let desk = |role: &str, place: usize| -> Result<Desk<'_>, Box<dyn Error>> {
        let member = member(folder, &members, role, place)?;
        let client = Client::new(ClientConfig::new(&server))?.with_signer(member.signer.clone());
        Ok(Desk {
            member,
            client,
            genesis: &genesis,
        })
    };
    let merchant = desk("merchant", 0)?;
    let employer = desk("employer", 0)?;
    let stranger = desk("employer", 1)?;

    // The seller issues. Number and record id are fixed before anything is sent, so the same
    // bytes can be sent again whenever an answer is lost.
    let now = Instant::from_ms(Utc::now().timestamp_millis());
    let number = format!("26442{:015}", now.ms());
    let document = format!("D:{number}");
    let invoice = invoice(&number, now, &merchant.member, &employer.member);
    let issued = merchant
        .accepted("invoice.issue", "issue", json!({ "invoice": invoice }))
        .await?;
    println!(
        "开具 / issued       {document} 高度 height {}",
        issued.height
    );

    // The buyer's finance clerk checks what is printed on it.
    let item = CheckItem::Elements {
        document: document.clone(),
        amount: Some("16000.00".into()),
        date: Some(now.date_utc8().to_string()),
        check_code: None,
    };
    let checked = employer.client.checks(&[item]).await?;
    let result = checked.results.first().ok_or("no result")?;
    let free = result.claimable.as_deref().unwrap_or("0.00");
    println!(
        "查验 / checked      {:?}, 可报销 free {free}",
        result.verdict
    );

    // 60 % of it is locked for an expense report, paid and settled.
    let expires_at = now.checked_add_ms(WEEK_MS).ok_or("the clock is wrong")?;
    let lock = json!({
        "document": document,
        "amount": "9600.00",
        "kind": "employer",
        "reference": "BX-2026-0001",
        "expires_at": expires_at.to_rfc3339_utc8(),
    });
    let locked = employer.accepted("claim.lock", "lock", lock).await?;
    println!("锁定 / locked       9600.00 {}", locked.id);
    let settle = json!({
        "claim": locked.id,
        "amount": "9600.00",
        "voucher": "记-0001",
        "booked_on": now.date_utc8().to_string(),
        "booking": "02",
    });
    let settled = employer.accepted("claim.settle", "settle", settle).await?;
    println!("入账 / settled      9600.00 高度 height {}", settled.height);

    // Nobody else is paid for the same invoice.
    let again = json!({
        "document": document,
        "kind": "employer",
        "reference": "BX-9999",
        "expires_at": expires_at.to_rfc3339_utc8(),
    });
    let problem = stranger.refused("claim.lock", "again", again).await?;
    println!("拒绝 / refused      {} {}", problem.status, problem.code);

    // Receipts were verified as they came; here is the same once more, with one digit changed.
    let text = serde_json::to_string(&settled)?.replace("9600.00", "9700.00");
    let forged = Receipt::parse(text.as_bytes())?;
    match forged.verify(&genesis) {
        Ok(()) => Err("a forged receipt was believed".into()),
        Err(fault) => {
            println!("伪造 / forged       {fault}");
            Ok(())
        }
    }
}

impl Desk<'_> {
    /// Signs and sends one record of this type.
    async fn send(
        &self,
        kind: &str,
        name: &str,
        members: Value,
    ) -> Result<Submitted, Box<dyn Error>> {
        let now = Instant::from_ms(Utc::now().timestamp_millis());
        let mut record = members;
        record["type"] = kind.into();
        record["id"] = format!("{name}-{}", now.ms()).into();
        record["by"] = self.member.id.as_str().into();
        record["at"] = now.to_rfc3339_utc8().into();
        let signer = &*self.member.signer;
        let envelope = Envelope::single(self.genesis.chain_id(), signer, &record.to_string())?;
        Ok(self.client.submit(&envelope).await?)
    }

    /// Sends a record that must be accepted, and proves its receipt with the genesis file alone.
    async fn accepted(
        &self,
        kind: &str,
        name: &str,
        members: Value,
    ) -> Result<Receipt, Box<dyn Error>> {
        match self.send(kind, name, members).await? {
            Submitted::Recorded(recorded) => {
                let receipt = Receipt::parse(recorded.receipt.as_bytes())?;
                receipt.verify(self.genesis)?;
                Ok(receipt)
            }
            Submitted::Refused(problem) => Err(problem.line().into()),
        }
    }

    /// Sends a record that must be refused.
    async fn refused(
        &self,
        kind: &str,
        name: &str,
        members: Value,
    ) -> Result<Problem, Box<dyn Error>> {
        match self.send(kind, name, members).await? {
            Submitted::Refused(problem) => Ok(*problem),
            Submitted::Recorded(recorded) => Err(recorded.receipt.into()),
        }
    }
}

/// The member with this role at this place of the list, with its key.
fn member(
    folder: &Path,
    members: &[Value],
    role: &str,
    place: usize,
) -> Result<Member, Box<dyn Error>> {
    let has_role = |member: &&Value| {
        member["roles"]
            .as_array()
            .is_some_and(|roles| roles.iter().any(|name| name == role))
    };
    let found = members
        .iter()
        .filter(has_role)
        .nth(place)
        .ok_or("members.json: no such member")?;
    let text = |name: &str| found[name].as_str().ok_or(format!("members.json: {name}"));
    let pem = fs::read_to_string(folder.join(text("key_file")?))?;
    let key = SecretKey::from_pkcs8_pem(&pem, None)?;
    let signer = Arc::new(SecretKeySigner::new(key));
    if signer.public_key().kid().to_string() != text("kid")? {
        return Err("members.json: kid".into());
    }
    Ok(Member {
        id: text("id")?.to_owned(),
        name: text("name")?.to_owned(),
        signer,
    })
}

/// The content of an invoice over 16,000.00 yuan, 6 % tax included.
fn invoice(number: &str, now: Instant, seller: &Member, buyer: &Member) -> Value {
    json!({
        "number": number,
        "kind": "82",
        "issue_date": now.date_utc8().to_string(),
        "seller": { "id": seller.id, "name": seller.name },
        "buyer": { "id": buyer.id, "name": buyer.name },
        "lines": [{
            "name": "*信息技术服务*软件开发",
            "quantity": "1",
            "unit": "项",
            "unit_price": "15094.34",
            "amount": "15094.34",
            "tax_rate": "0.06",
            "tax": "905.66",
        }],
        "total_without_tax": "15094.34",
        "total_tax": "905.66",
        "total": "16000.00",
    })
}

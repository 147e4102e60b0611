//! The story of the demonstration: one invoice, two employers, one payment.

use invoice_api::client::{Client, ClientConfig, Envelope, Problem, Recorded, Submitted};
use invoice_core::calendar::Instant;
use invoice_core::chain::{Genesis, Receipt};
use invoice_core::identity::{DocumentKey, RecordId};
use invoice_core::invoice::{InvoiceKind, Line, TaxRate};
use invoice_core::money::Fen;
use invoice_core::read::Spelled;
use invoice_core::record::{
    Body, Booking, Buyer, ClaimKind, ClaimLock, ClaimSettle, Component, Invoice, InvoiceIssue,
    Party, Record, Role,
};

use super::demo::{self, Player};
use super::failure::{Exit, Failure};
use super::output::Output;
use crate::node::system_clock;

/// How long the demonstration's lock may live: seven days.
const LOCK_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// The play's stage.
struct Stage<'s> {
    client: Client,
    genesis: &'s Genesis,
    output: Output,
    now: Instant,
    /// Number of records before the story, which makes ids and the invoice number new each time.
    serial: u64,
}

/// Plays the story over HTTP and prints it.
pub(super) async fn tell(
    url: &str,
    genesis: &Genesis,
    players: &[Player],
    output: Output,
) -> Result<(), Failure> {
    let client = Client::new(ClientConfig::new(url)).map_err(network)?;
    let checkpoint = client.checkpoint().await.map_err(network)?;
    let stage = Stage {
        client,
        genesis,
        output,
        now: (system_clock())(),
        serial: checkpoint
            .other
            .get("tree_size")
            .and_then(serde_json::Value::as_u64)
            .unwrap_or(0),
    };
    let mut merchants = players
        .iter()
        .filter(|player| player.role == Role::Merchant);
    let mut employers = players
        .iter()
        .filter(|player| player.role == Role::Employer);
    let (Some(merchant), Some(first), Some(second)) =
        (merchants.next(), employers.next(), employers.next())
    else {
        return Err(Failure::new(
            Exit::Usage,
            "members",
            "the story needs its players",
        ));
    };
    stage.play(merchant, first, second).await
}

impl Stage<'_> {
    async fn play(
        &self,
        merchant: &Player,
        first: &Player,
        second: &Player,
    ) -> Result<(), Failure> {
        let key = self.key()?;
        let issue = self.envelope(merchant, "issue", self.invoice(merchant, key)?)?;
        let receipt = self.accepted(&issue).await?.receipt;
        self.say(
            &format!("{} 开具发票 {key}，价税合计 1060.00 元", merchant.name),
            &format!(
                "{} issues invoice {key}, 1060.00 yuan with tax",
                merchant.name
            ),
        );

        let amount = Fen::new(63_600);
        let lock = self.envelope(first, "lock", self.lock(key, Some(amount))?)?;
        self.accepted(&lock).await?;
        let settle = self.envelope(first, "settle", self.settle(amount)?)?;
        self.accepted(&settle).await?;
        self.say(
            &format!("{} 锁定并报销其中 60 %：{amount} 元", first.name),
            &format!("{} locks and settles 60 % of it: {amount} yuan", first.name),
        );

        let again = self.accepted(&issue).await?;
        if !again.replayed || again.receipt != receipt {
            return Err(Failure::integrity("the same record got another receipt"));
        }
        self.say(
            "同一条开具记录再次发送：得到原回执，未重复开具",
            "the same record is sent again: the original receipt, nothing is issued twice",
        );

        let attempt = self.envelope(second, "attempt", self.lock(key, Some(Fen::new(106_000)))?)?;
        let refused = self.refused(&attempt).await?;
        let fact = |name: &str| {
            refused
                .other
                .get("facts")
                .and_then(|facts| facts.get(name)?.as_str())
                .map(str::to_owned)
        };
        self.say(
            &format!(
                "{} 再次报销全额 1060.00 元：被拒绝 {} {}（可报销余额 {} 元）",
                second.name,
                refused.status,
                refused.code,
                fact("remaining").unwrap_or_default()
            ),
            &format!(
                "{} claims all 1060.00 yuan again: refused {} {} (left to claim: {} yuan)",
                second.name,
                refused.status,
                refused.code,
                fact("remaining").unwrap_or_default()
            ),
        );

        let proof = Receipt::parse(receipt.as_bytes()).map_err(Failure::integrity)?;
        proof.verify(self.genesis).map_err(Failure::integrity)?;
        self.say(
            "仅凭创世文件离线校验回执：记录、结果、日志位置、验证者签名均有效",
            "the receipt verified offline with the genesis file alone: record, outcome, place in the log, validator's signature",
        );
        Ok(())
    }

    fn say(&self, zh: &str, en: &str) {
        let text = self.output.of(zh, en);
        self.output.result(
            &serde_json::json!({ "story": text }),
            &[format!("· {text}")],
        );
    }

    /// An invoice number that this chain has not seen: year 26, region 33, channel 2.
    fn key(&self) -> Result<DocumentKey, Failure> {
        DocumentKey::spelled(&format!("D:26332{:015}", self.serial)).map_err(unspelt)
    }

    fn invoice(&self, seller: &Player, key: DocumentKey) -> Result<Body, Failure> {
        let line = Line {
            name: "*餐饮服务*餐费".to_owned(),
            spec: None,
            unit: None,
            quantity: None,
            unit_price: None,
            amount: Fen::new(100_000),
            tax_rate: TaxRate::spelled("0.06").map_err(unspelt)?,
            tax: Fen::new(6_000),
            tax_code: None,
        };
        Ok(Body::InvoiceIssue(InvoiceIssue {
            invoice: Invoice {
                key,
                kind: InvoiceKind::spelled("82").map_err(unspelt)?,
                issue_date: self.now.date_utc8(),
                seller: Party {
                    id: seller.id,
                    name: seller.name.clone(),
                },
                buyer: Buyer {
                    id: None,
                    name: "个人".to_owned(),
                },
                lines: vec![line],
                total_without_tax: Fen::new(100_000),
                total_tax: Fen::new(6_000),
                total: Fen::new(106_000),
                payment: None,
                sealed: None,
                note: None,
            },
        }))
    }

    fn lock(&self, document: DocumentKey, amount: Option<Fen>) -> Result<Body, Failure> {
        let expires_at = self.now.checked_add_ms(LOCK_MS);
        let expires_at = expires_at.ok_or_else(|| Failure::integrity("clock"))?;
        Ok(Body::ClaimLock(ClaimLock {
            document,
            amount,
            kind: ClaimKind::Employer,
            component: Component::Any,
            reference: "BX-2026-001".to_owned(),
            expires_at,
        }))
    }

    fn settle(&self, amount: Fen) -> Result<Body, Failure> {
        Ok(Body::ClaimSettle(ClaimSettle {
            claim: self.id("lock")?,
            amount,
            voucher: "PZ-0001".to_owned(),
            booked_on: self.now.date_utc8(),
            booking: Booking::Deducted,
        }))
    }

    fn id(&self, scene: &str) -> Result<RecordId, Failure> {
        RecordId::spelled(&format!("story-{}-{scene}", self.serial)).map_err(unspelt)
    }

    fn envelope(&self, by: &Player, scene: &str, body: Body) -> Result<Envelope, Failure> {
        let record = Record {
            id: self.id(scene)?,
            by: by.id,
            at: self.now,
            body,
        };
        demo::envelope(self.genesis, by, &record.to_json())
    }

    async fn accepted(&self, envelope: &Envelope) -> Result<Recorded, Failure> {
        match self.client.submit(envelope).await.map_err(network)? {
            Submitted::Recorded(recorded) => Ok(recorded),
            Submitted::Refused(problem) => {
                Err(Failure::new(Exit::Refused, "story", problem.line()))
            }
        }
    }

    async fn refused(&self, envelope: &Envelope) -> Result<Problem, Failure> {
        match self.client.submit(envelope).await.map_err(network)? {
            Submitted::Refused(problem) => Ok(*problem),
            Submitted::Recorded(_) => Err(Failure::integrity("the same money was claimed twice")),
        }
    }
}

fn network(error: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Network, "network", error)
}

fn unspelt(rule: invoice_core::refusal::Rule) -> Failure {
    Failure::new(Exit::Usage, "story", rule)
}

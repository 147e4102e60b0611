//! `invoice claim`: lock money, settle, release, take back.

use chrono::Duration;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::save::SaveArgs;
use crate::{fresh, submit};

/// Days that a lock lives when nothing is said.
const LOCK_DAYS: i64 = 15;
/// Days that a lock may live at most.
const LOCK_DAYS_MAX: i64 = 30;

/// What to do with money.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// 锁定票据金额 / Lock money of a document
    Lock(LockArgs),
    /// 入账：把锁定变为已报销 / Settle a lock: it is paid and booked
    Settle(SettleArgs),
    /// 释放锁定 / Release a lock
    Release(ReleaseArgs),
    /// 撤销已报销金额 / Take a settlement back
    Reverse(ReverseArgs),
}

/// Options of every record that is made here.
#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// 记录编号，缺省时自动生成 / Id of the record; a new one when absent
    #[arg(long)]
    pub(crate) id: Option<String>,
    #[command(flatten)]
    pub(crate) save: SaveArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LockArgs {
    /// 票据键，如 D:24442000000012345678 / Document key
    document: String,
    /// 金额（元），缺省为全部可用金额 / Amount in yuan; all that is left when absent
    #[arg(long)]
    amount: Option<String>,
    /// 报销类别 / Kind of claim
    #[arg(long, value_enum)]
    kind: Kind,
    /// 医疗票据的费用部分 / Part of a medical bill
    #[arg(long, value_enum)]
    component: Option<Component>,
    /// 报销单号 / The expense report
    #[arg(long)]
    reference: String,
    /// 到期时间 RFC 3339 / When the lock runs out
    #[arg(long, value_name = "TIME", conflicts_with = "days")]
    expires_at: Option<String>,
    /// 锁定天数，缺省 15，最多 30 / Days that the lock lives; 15 when absent, at most 30
    #[arg(long, value_parser = clap::value_parser!(i64).range(1..=LOCK_DAYS_MAX))]
    days: Option<i64>,
    #[command(flatten)]
    record: RecordArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SettleArgs {
    /// 锁定记录的编号 / Id of the lock
    claim: String,
    /// 金额（元）/ Amount in yuan
    #[arg(long)]
    amount: String,
    /// 记账凭证号 / Number of the accounting voucher
    #[arg(long)]
    voucher: String,
    /// 记账日期，缺省为今天 / Day of booking; today when absent
    #[arg(long, value_name = "YYYY-MM-DD")]
    booked_on: Option<String>,
    /// 入账状态：02 税前扣除，03 不扣除 / 02 deducted from taxable income, 03 not deducted
    #[arg(long, value_parser = ["02", "03"])]
    booking: String,
    #[command(flatten)]
    record: RecordArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ReleaseArgs {
    /// 锁定记录的编号 / Id of the lock
    claim: String,
    /// 原因 / Reason
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    record: RecordArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ReverseArgs {
    /// 锁定记录的编号 / Id of the lock
    claim: String,
    /// 金额（元），全部或部分 / Amount in yuan, whole or part
    #[arg(long)]
    amount: String,
    /// 原因 / Reason
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    record: RecordArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// 单位报销 / an employer's
    Employer,
    /// 商业保险 / a commercial insurer's
    Commercial,
    /// 基本医保 / basic medical insurance
    Basic,
    /// 补充医保 / supplementary insurance
    Supplement,
    /// 仅作参考，不占额度 / for reference, uses nothing up
    Reference,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Component {
    /// 不限 / any
    #[value(name = "any")]
    Any,
    /// 个人自付 / within the catalogue, borne by the patient
    #[value(name = "self_pay")]
    SelfPay,
    /// 个人自费 / outside the catalogue
    #[value(name = "self_fund")]
    SelfFund,
}

/// The members of one record type.
type Members = Vec<(&'static str, Option<String>)>;

pub(crate) async fn run(context: &Context, action: Action) -> Result<Exit, Failure> {
    match action {
        Action::Lock(args) => {
            let (members, record) = lock(args)?;
            send(context, "claim.lock", members, record).await
        }
        Action::Settle(args) => {
            let booked_on = args.booked_on.unwrap_or_else(|| fresh::today().to_string());
            let members = vec![
                ("claim", Some(args.claim)),
                ("amount", Some(args.amount)),
                ("voucher", Some(args.voucher)),
                ("booked_on", Some(booked_on)),
                ("booking", Some(args.booking)),
            ];
            send(context, "claim.settle", members, args.record).await
        }
        Action::Release(args) => {
            let members = vec![("claim", Some(args.claim)), ("reason", Some(args.reason))];
            send(context, "claim.release", members, args.record).await
        }
        Action::Reverse(args) => {
            let members = vec![
                ("claim", Some(args.claim)),
                ("amount", Some(args.amount)),
                ("reason", Some(args.reason)),
            ];
            send(context, "claim.reverse", members, args.record).await
        }
    }
}

fn lock(args: LockArgs) -> Result<(Members, RecordArgs), Failure> {
    let expires_at = match args.expires_at {
        Some(text) => text,
        // A lock of the longest life must not be refused because the chain's clock is a little
        // behind this one's, so a minute is left.
        None => {
            let days = Duration::days(args.days.unwrap_or(LOCK_DAYS));
            let life = days.num_milliseconds() - Duration::minutes(1).num_milliseconds();
            let end = fresh::now().checked_add_ms(life);
            end.ok_or_else(|| {
                Failure::usage("clock", "本机时钟有误 / this machine's clock is wrong")
            })?
            .to_rfc3339_utc8()
        }
    };
    let members = vec![
        ("document", Some(args.document)),
        ("amount", args.amount),
        ("kind", name(args.kind)),
        ("component", args.component.and_then(name)),
        ("reference", Some(args.reference)),
        ("expires_at", Some(expires_at)),
    ];
    Ok((members, args.record))
}

/// The contract's name of a value.
fn name(value: impl ValueEnum) -> Option<String> {
    value
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
}

/// Builds a record of this type and sends it.
pub(crate) async fn send(
    context: &Context,
    kind: &str,
    members: Members,
    args: RecordArgs,
) -> Result<Exit, Failure> {
    let by = context.globals.by.as_deref().ok_or_else(|| {
        Failure::usage("by_missing", "需要成员代码 / the signing member is needed").with_hint(
            "用 --by 或 PIAOLIAN_MEMBER 指定成员代码 / name the member with --by or PIAOLIAN_MEMBER",
        )
    })?;
    let id = match args.id {
        Some(id) => id,
        None => fresh::record_id()?,
    };
    let record = build(kind, &id, by, &fresh::now().to_rfc3339_utc8(), members);
    submit::record(context, &args.save, &record).await
}

fn build(kind: &str, id: &str, by: &str, at: &str, members: Members) -> String {
    let common = [("type", kind), ("id", id), ("by", by), ("at", at)];
    let mut record = Map::new();
    for (name, value) in common {
        record.insert(name.to_owned(), value.into());
    }
    for (name, value) in members {
        if let Some(value) = value {
            record.insert(name.to_owned(), value.into());
        }
    }
    Value::Object(record).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_hold_what_was_given_and_nothing_else() {
        let members = vec![("claim", Some("L-1".to_owned())), ("amount", None)];
        let record: Value = serde_json::from_str(&build("t", "1", "M", "now", members)).unwrap();
        let expected =
            serde_json::json!({"type": "t", "id": "1", "by": "M", "at": "now", "claim": "L-1"});
        assert_eq!(record, expected);
    }

    #[test]
    fn values_have_the_contracts_names() {
        assert_eq!(name(Kind::Employer).as_deref(), Some("employer"));
        assert_eq!(name(Component::SelfFund).as_deref(), Some("self_fund"));
    }
}

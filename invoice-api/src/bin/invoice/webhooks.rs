//! `invoice webhooks`: where events are sent, and what became of them.

use clap::{Args, Subcommand};
use invoice_api::client::ClientError;
use serde_json::{Value, json};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::lang::Lang;
use crate::output::{Output, table};

/// What to do with webhooks.
#[derive(Debug, Subcommand)]
pub(crate) enum Webhooks {
    /// 列出推送地址 / The endpoints
    List,
    /// 新增或修改推送地址；新增时显示一次密钥 / Add an endpoint or change one; a new one's secret is shown once
    Add(AddArgs),
    /// 删除 / Remove an endpoint
    Remove(Named),
    /// 立即发送一条测试消息 / Send a test message now
    Test(Named),
    /// 投递记录 / What was delivered
    Deliveries(DeliveriesArgs),
    /// 重新推送某高度之后的事件 / Send again what came after a height
    Replay(ReplayArgs),
    /// 更换密钥；旧密钥 24 小时内仍同时签名 / A new secret; the old one signs beside it for 24 hours
    Rotate(Named),
    /// 启用并立即重试 / Enable, and try at once
    Enable(Named),
}

/// An endpoint.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// 名称 / Its name
    id: String,
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// 名称：a-z、0-9、- / Its name: a-z 0-9 -
    id: String,
    /// 接收地址（https）/ Where messages go, https
    url: String,
    /// 推送的事件，可重复；默认全部 / A kind of event that is sent, repeatable; all by default
    #[arg(long = "event", value_name = "EVENT")]
    events: Vec<String>,
    /// 说明 / A note
    #[arg(long)]
    description: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DeliveriesArgs {
    /// 名称 / Its name
    id: String,
    /// 上一页给出的游标 / Where the page before ended
    #[arg(long)]
    cursor: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// 名称 / Its name
    id: String,
    /// 区块高度 / The height
    #[arg(long, value_name = "HEIGHT")]
    after: u64,
}

pub(crate) async fn run(context: &Context, action: Webhooks) -> Result<Exit, Failure> {
    let (output, lang) = (context.output, context.lang());
    let client = context.signing_client()?;
    match action {
        Webhooks::List => list(output, &client.webhooks().await?),
        Webhooks::Add(args) => {
            let mut settings = json!({ "url": args.url });
            if !args.events.is_empty() {
                settings["events"] = json!(args.events);
            }
            if let Some(description) = args.description {
                settings["description"] = description.into();
            }
            let answer = client.put_webhook(&args.id, &settings).await?;
            let new = answer["secret"].is_string();
            let done = match new {
                true => lang.of("已新增", "added"),
                false => lang.of("已修改", "changed"),
            };
            told(output, &answer, &format!("{} {done}", args.id));
            secret(output, &answer);
            if !new {
                // Perhaps it was made just now, and the answer with its secret was lost.
                output.note(&format!(
                    "{} invoice webhooks rotate {}",
                    lang.of(
                        "已有推送地址的密钥不再显示；没有密钥时换一个：",
                        "the secret of an endpoint that exists is not shown; if you have none, make a new one:",
                    ),
                    args.id
                ));
            }
            disabled(output, &args.id, &answer);
        }
        Webhooks::Remove(Named { id }) => {
            client.remove_webhook(&id).await?;
            let text = format!("{id} {}", lang.of("已删除", "removed"));
            told(output, &json!({"id": id, "removed": true}), &text);
        }
        Webhooks::Test(Named { id }) => {
            let answer = client.order_webhook(&id, "test", None).await?;
            told(output, &answer, &attempt(lang, &answer));
            if answer["delivered"] != true {
                return Ok(Exit::Refused);
            }
        }
        Webhooks::Deliveries(args) => {
            let cursor = args.cursor.as_deref();
            deliveries(output, &client.webhook_deliveries(&args.id, cursor).await?);
        }
        Webhooks::Replay(args) => {
            let body = json!({ "after": args.after });
            let answer = client
                .order_webhook(&args.id, "replay", Some(&body))
                .await?;
            let stands = lang.of(
                "将重新推送此高度之后的事件：",
                "events are sent again after height",
            );
            told(output, &answer, &format!("{stands} {}", answer["cursor"]));
            disabled(output, &args.id, &answer);
        }
        Webhooks::Rotate(Named { id }) => {
            let answer = client.order_webhook(&id, "secret", None).await;
            if answer
                .as_ref()
                .is_err_and(ClientError::leaves_outcome_unknown)
            {
                output.note(lang.of(
                    "应答未收到：密钥可能已更换；接收服务器中的旧密钥 24 小时内仍同时签名，请再更换一次",
                    "no answer came: the secret may have been replaced; the one your server has signs for 24 hours more, so ask again",
                ));
            }
            let answer = answer?;
            let until = lang.of("旧密钥有效至", "the old secret signs until");
            let text = format!("{until} {}", text(&answer["old_secret_until"]));
            told(output, &answer, &text);
            secret(output, &answer);
        }
        Webhooks::Enable(Named { id }) => {
            let answer = client.order_webhook(&id, "enable", None).await?;
            told(output, &answer, &format!("{id} {}", text(&answer["state"])));
        }
    }
    Ok(Exit::Ok)
}

/// One object, or one line about it.
fn told(output: Output, answer: &Value, line: &str) {
    match output.json {
        true => output.json(answer),
        false => output.line(line),
    }
}

/// Says of a disabled endpoint that nothing is sent to it.
fn disabled(output: Output, id: &str, answer: &Value) {
    if answer["state"] == "disabled" {
        let words = output.lang.of(
            "该推送地址已停用，不会推送；启用：",
            "it is disabled and nothing is sent; enable it:",
        );
        output.note(&format!("{words} invoice webhooks enable {id}"));
    }
}

/// The secret on a line of its own, and that it is not shown again.
fn secret(output: Output, answer: &Value) {
    if output.json {
        return;
    }
    if let Some(secret) = answer["secret"].as_str() {
        output.line(secret);
        output.note(output.lang.of(
            "密钥只显示这一次，请立即存入接收服务器",
            "the secret is shown this once: put it into your server now",
        ));
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(String::new, str::to_owned)
}

/// An attempt in one line: status, time, and why it failed.
fn attempt(lang: Lang, attempt: &Value) -> String {
    let mut parts = Vec::new();
    if let Some(status) = attempt["status"].as_u64() {
        parts.push(format!("HTTP {status}"));
    }
    parts.push(format!("{} ms", attempt["duration_ms"]));
    if let Some(code) = attempt["reason"].as_str() {
        let known = webhooks::Reason::ALL.iter().find(|one| one.code() == code);
        let words = known.map_or(code, |one| lang.of(one.zh(), one.en()));
        parts.push(format!("{words} [{code}]"));
    }
    parts.join(" · ")
}

fn list(output: Output, answer: &Value) {
    let endpoints = answer["endpoints"].as_array().cloned().unwrap_or_default();
    if output.json {
        endpoints.iter().for_each(|one| output.json(one));
        return;
    }
    let lang = output.lang;
    let mut rows = vec![vec![
        lang.of("名称", "name").to_owned(),
        lang.of("状态", "state").to_owned(),
        lang.of("高度", "height").to_owned(),
        lang.of("地址", "url").to_owned(),
    ]];
    rows.extend(endpoints.iter().map(|one| {
        let cursor = one["cursor"].to_string();
        vec![
            text(&one["id"]),
            text(&one["state"]),
            cursor,
            text(&one["url"]),
        ]
    }));
    table(&rows).iter().for_each(|line| output.line(line));
}

fn deliveries(output: Output, answer: &Value) {
    let page = answer["deliveries"].as_array().cloned().unwrap_or_default();
    if output.json {
        page.iter().for_each(|one| output.json(one));
        if let Some(next) = answer["next"].as_str() {
            output.json(&json!({ "next": next }));
        }
        return;
    }
    for one in &page {
        let state = match one["delivered"].as_bool() {
            Some(true) => output.lang.of("已送达", "taken"),
            Some(false) | None => output.lang.of("未送达", "not taken"),
        };
        let (event, id) = (text(&one["event"]), text(&one["id"]));
        output.line(&format!("{event}  {}  {id}  {state}", one["height"]));
        for tried in one["attempts"].as_array().into_iter().flatten() {
            let line = attempt(output.lang, tried);
            output.line(&format!("  {}  {line}", text(&tried["at"])));
        }
        if let Some(next) = one["next"].as_str() {
            let word = output.lang.of("下次重试", "tried again");
            output.line(&format!("  {word} {next}"));
        }
    }
    if let Some(next) = answer["next"].as_str() {
        output.note(&format!("--cursor {next}"));
    }
}

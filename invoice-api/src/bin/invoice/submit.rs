//! Sending one record or envelope, and saying what became of it.

use invoice_api::client::{BatchAnswer, BatchResult, Envelope, RecordLookup, Submitted};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::context::{Context, Session};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::save::SaveArgs;
use crate::verify::prove;

/// What is read from a record that is about to be sent.
#[derive(Debug, Deserialize)]
struct Named {
    id: String,
    by: String,
}

/// What is shown of a receipt.
#[derive(Debug, Deserialize)]
struct Shown {
    by: String,
    id: String,
    record: String,
    height: u64,
    index: u64,
    time: String,
}

/// One result as a JSON line.
#[derive(Serialize)]
struct JsonResult<'a> {
    status: u16,
    replayed: bool,
    verified: bool,
    receipt: &'a RawValue,
}

/// Signs the record, sends it, and reports.
pub(crate) async fn record(
    context: &Context,
    save: &SaveArgs,
    text: &str,
) -> Result<Exit, Failure> {
    let session = context.session().await?;
    let named: Named = serde_json::from_str(text).map_err(|error| {
        Failure::usage(
            "record",
            format!("id、by 应为字符串 / id and by must be strings: {error}"),
        )
    })?;
    let envelope = Envelope::single(&session.chain_id, &*session.signer, text)
        .map_err(invoice_api::client::ClientError::from)?;
    match session.client.submit(&envelope).await {
        Ok(Submitted::Recorded(recorded)) => {
            let status = if recorded.replayed { 200 } else { 201 };
            accepted(
                context,
                &session,
                save,
                status,
                &recorded.receipt,
                Some(text),
            )?;
            Ok(Exit::Ok)
        }
        Ok(Submitted::Refused(problem)) => {
            if problem.status == 409 {
                keep_refusal(context, &session, save, &named).await?;
            }
            Err(Failure::refused(*problem))
        }
        Err(error) if error.leaves_outcome_unknown() => {
            let path = save.unanswered(&named.id, text)?;
            let hint = format!(
                "结果未知；请原样重发，不会重复登记 / the outcome is unknown; send the same bytes again, nothing is recorded twice: invoice issue {}",
                path.display()
            );
            Err(Failure::from(error).with_hint(hint))
        }
        Err(error) => Err(error.into()),
    }
}

/// Sends an envelope that was signed elsewhere, and reports.
pub(crate) async fn envelope(
    context: &Context,
    save: &SaveArgs,
    text: &str,
) -> Result<Exit, Failure> {
    let envelope = Envelope::ready(text).map_err(invoice_api::client::ClientError::from)?;
    let client = context.client()?;
    let genesis = context.genesis()?;
    let reader = Reader {
        context,
        save,
        genesis,
    };
    if envelope.is_batch() {
        return reader.batch(&client.submit_batch(&envelope).await?);
    }
    match client.submit(&envelope).await? {
        Submitted::Recorded(recorded) => {
            let status = if recorded.replayed { 200 } else { 201 };
            reader.receipt(status, &recorded.receipt, None)?;
            Ok(Exit::Ok)
        }
        Submitted::Refused(problem) => Err(Failure::refused(*problem)),
    }
}

fn accepted(
    context: &Context,
    session: &Session,
    save: &SaveArgs,
    status: u16,
    receipt: &str,
    sent: Option<&str>,
) -> Result<(), Failure> {
    Reader {
        context,
        save,
        genesis: session.genesis.clone(),
    }
    .receipt(status, receipt, sent)
}

/// A refusal by state is on the chain as well; its receipt is worth keeping where receipts are
/// kept. The refusal itself is reported whether or not this succeeds.
async fn keep_refusal(
    context: &Context,
    session: &Session,
    save: &SaveArgs,
    named: &Named,
) -> Result<(), Failure> {
    if save.save.is_none() {
        return Ok(());
    }
    if let Ok(RecordLookup::Final { receipt }) = session.client.record(&named.by, &named.id).await {
        if let Some(genesis) = &session.genesis {
            prove(receipt.get().as_bytes(), genesis)?;
        }
        if let Some(path) = save.receipt(&named.by, &named.id, receipt.get())? {
            context.output.note(&format!(
                "{} {}",
                context.lang().of("拒绝回执", "receipt of the refusal:"),
                path.display()
            ));
        }
    }
    Ok(())
}

/// Reads answers, keeps their receipts and shows them.
struct Reader<'a> {
    context: &'a Context,
    save: &'a SaveArgs,
    genesis: Option<invoice_core::chain::Genesis>,
}

impl Reader<'_> {
    /// Verifies a receipt as far as the genesis file is there, keeps it and shows it.
    fn receipt(&self, status: u16, receipt: &str, sent: Option<&str>) -> Result<(), Failure> {
        let foreign = |error: serde_json::Error| {
            Failure::integrity(format!(
                "回执无法读取 / the receipt cannot be read: {error}"
            ))
        };
        let shown: Shown = serde_json::from_str(receipt).map_err(foreign)?;
        let raw: &RawValue = serde_json::from_str(receipt).map_err(foreign)?;
        let kept = self.save.receipt(&shown.by, &shown.id, receipt)?;
        if sent.is_some_and(|sent| sent != shown.record) {
            let text = "回执属于另一条记录 / the receipt is of another record";
            return Err(Failure::integrity(text));
        }
        if let Some(genesis) = &self.genesis {
            prove(receipt.as_bytes(), genesis)?;
        }
        let output = self.context.output;
        let verified = self.genesis.is_some();
        if output.json {
            output.json(&JsonResult {
                status,
                replayed: status == 200,
                verified,
                receipt: raw,
            });
            return Ok(());
        }
        let lang = self.context.lang();
        let what = if status == 200 {
            lang.of(
                "此前已登记，原回执",
                "recorded before, the original receipt",
            )
        } else {
            lang.of("已登记", "recorded")
        };
        let mut line = format!(
            "{what}: {}  {} {}  {} {}  {}",
            shown.id,
            lang.of("高度", "height"),
            shown.height,
            lang.of("序号", "index"),
            shown.index,
            shown.time
        );
        if verified {
            line.push_str(lang.of("  已离线核验", "  verified offline"));
        }
        output.line(&line);
        if let Some(path) = kept {
            output.note(&format!(
                "{} {}",
                lang.of("回执", "receipt:"),
                path.display()
            ));
        }
        Ok(())
    }

    fn batch(&self, answer: &BatchAnswer) -> Result<Exit, Failure> {
        for result in &answer.results {
            self.result(result)?;
        }
        match &answer.problem {
            Some(problem) => Err(Failure::refused((**problem).clone())),
            None => Ok(worst(answer.results.iter().map(|result| result.status))),
        }
    }

    fn result(&self, result: &BatchResult) -> Result<(), Failure> {
        if let (200 | 201, Some(receipt)) = (result.status, &result.receipt) {
            return self.receipt(result.status, receipt.get(), None);
        }
        let output = self.context.output;
        if output.json {
            output.json(result);
            return Ok(());
        }
        let id = result.id.as_deref().unwrap_or("?");
        let code = result.code.as_deref().unwrap_or_default();
        output.line(&format!("{} {id} {code}", result.status));
        for item in &result.errors {
            output.line(&format!(
                "  {} [{}] {}",
                item.pointer, item.code, item.detail
            ));
        }
        Ok(())
    }
}

/// How a command ends that had several answers: a key that is not good comes before an answer
/// that is missing, and that before a refusal.
pub(crate) fn worst(statuses: impl Iterator<Item = u16>) -> Exit {
    statuses.map(Exit::of_status).fold(Exit::Ok, worst_exit)
}

/// The graver of two ends.
pub(crate) const fn worst_exit(one: Exit, other: Exit) -> Exit {
    const fn rank(exit: Exit) -> u8 {
        match exit {
            Exit::Ok => 0,
            Exit::Refused => 1,
            Exit::Usage => 2,
            Exit::Network => 3,
            Exit::Authentication => 4,
            Exit::Integrity => 5,
        }
    }
    if rank(other) > rank(one) { other } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_several_answers_decides() {
        for (statuses, exit) in [
            (vec![], Exit::Ok),
            (vec![200, 201], Exit::Ok),
            (vec![201, 409, 201], Exit::Refused),
            (vec![409, 503], Exit::Network),
            (vec![503, 401, 422], Exit::Authentication),
        ] {
            assert_eq!(worst(statuses.iter().copied()), exit, "{statuses:?}");
        }
    }
}

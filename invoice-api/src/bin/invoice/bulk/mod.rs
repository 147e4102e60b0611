//! `invoice bulk`: a file of any length, resumable, nothing issued twice.

mod input;
mod journal;
mod progress;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use futures_util::StreamExt;
use indicatif::ProgressBar;
use invoice_api::client::{BulkAnswer, BulkLine, Client, ClientError};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::context::{Context, Session};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{fresh, submit};
use input::{Lines, Maker};
use journal::{Journal, Plan};

/// Envelopes that are signed and not yet sent.
const READY_MAX: usize = 1_024;
/// Passes over the input that may bring nothing new before the run gives up.
const IDLE_PASSES_MAX: u32 = 5;
/// Wait after the first pass that brought nothing new; it doubles with each that follows.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Failures that are written out in full; more are counted only.
const FAILURES_SHOWN: usize = 20;

#[derive(Debug, Args)]
pub(crate) struct BulkArgs {
    /// NDJSON 文件，每行一条记录、票据内容或已签名信封 / NDJSON file: a record, the content of a document or a signed envelope a line
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// 继续上次中断的批次（日志在 FILE.journal）/ Go on where an earlier run ended (journal in FILE.journal)
    #[arg(long)]
    resume: bool,
}

/// What became of a run so far.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Totals {
    accepted: u64,
    replayed: u64,
    refused: u64,
    failed: u64,
}

impl Totals {
    fn of(statuses: impl Iterator<Item = u16>) -> Self {
        let mut totals = Self::default();
        for status in statuses {
            let count = match status {
                201 => &mut totals.accepted,
                200 => &mut totals.replayed,
                409 => &mut totals.refused,
                _ => &mut totals.failed,
            };
            *count += 1;
        }
        totals
    }
}

/// One run over the input, with all that it needs.
struct Run<'c> {
    context: &'c Context,
    client: Client,
    maker: Arc<Maker>,
    path: PathBuf,
    journal: Journal,
    bar: ProgressBar,
    /// Lines that this run has a last answer for, or gave up on.
    settled: HashSet<u64>,
    shown: usize,
}

pub(crate) async fn run(context: &Context, args: BulkArgs) -> Result<Exit, Failure> {
    let session = context.session().await?;
    let journal = journal(context, &args, &session)?;
    let plan = journal.plan().clone();
    let mut settled = HashSet::new();
    for line in Lines::open(&args.file)? {
        let (number, text) = line?;
        if journal.is_done(number, input::records_of(&text)) {
            settled.insert(number);
        }
    }
    let bar = progress::bar(context, plan.lines, settled.len() as u64);
    let maker = Maker {
        plan,
        chain_id: session.chain_id,
        signer: session.signer,
    };
    let mut run = Run {
        context,
        client: session.client,
        maker: Arc::new(maker),
        path: args.file,
        journal,
        bar,
        settled,
        shown: 0,
    };
    let outcome = run.finish().await;
    run.journal.sync()?;
    run.bar.finish_and_clear();
    run.report(outcome)
}

/// The journal of this input: a new one, or the one to go on with.
fn journal(context: &Context, args: &BulkArgs, session: &Session) -> Result<Journal, Failure> {
    let path = Journal::path_beside(&args.file);
    let (input, lines) = input::fingerprint(&args.file)?;
    if let Some(journal) = Journal::resume(&path)? {
        if !args.resume {
            let text = format!("已有日志 / there is a journal: {}", path.display());
            return Err(Failure::usage("journal_exists", text).with_hint(
                "用 --resume 继续；另起一批请改用新文件名 / go on with --resume; for another batch take another file name",
            ));
        }
        let plan = journal.plan();
        if plan.input != input {
            let text = "文件在上次运行后被改动 / the file has changed since the journal was begun";
            return Err(Failure::usage("input_changed", text).with_hint(
                "恢复原文件，或把新内容放入新文件 / restore the file, or put what is new into a file of its own",
            ));
        }
        if plan.chain_id != session.chain_id.as_str() {
            let text = format!(
                "日志属于另一条链 / the journal is of another chain: {}",
                plan.chain_id
            );
            return Err(Failure::usage("other_chain", text));
        }
        return Ok(journal);
    }
    let plan = Plan::new(
        input,
        lines,
        session.chain_id.to_string(),
        context.globals.by.clone(),
        fresh::record_id()?,
        fresh::now().to_rfc3339_utc8(),
    );
    Journal::begin(&path, plan)
}

impl Run<'_> {
    /// Passes over the input until every line has its answer, or nothing moves any more.
    async fn finish(&mut self) -> Result<(), ClientError> {
        let mut idle = 0;
        let mut wait = FIRST_WAIT;
        while (self.settled.len() as u64) < self.maker.plan.lines {
            let before = self.settled.len();
            let passed = self.pass().await;
            if self.settled.len() > before {
                (idle, wait) = (0, FIRST_WAIT);
                continue;
            }
            idle += 1;
            match passed {
                // What went wrong will go wrong again.
                Err(error) if !error.leaves_outcome_unknown() && !is_not_now(&error) => {
                    return Err(error);
                }
                Err(error) if idle >= IDLE_PASSES_MAX => return Err(error),
                Ok(()) if idle >= IDLE_PASSES_MAX => return Ok(()),
                Ok(()) | Err(_) => {}
            }
            tokio::time::sleep(wait).await;
            wait = wait.saturating_mul(2);
        }
        Ok(())
    }

    /// Sends every line that has no last answer yet, in order, and notes what comes back.
    async fn pass(&mut self) -> Result<(), ClientError> {
        let (sender, receiver) = mpsc::channel(READY_MAX);
        let sent = Arc::new(Mutex::new(Vec::new()));
        let producer = tokio::task::spawn_blocking({
            let (sent, maker) = (sent.clone(), self.maker.clone());
            let (path, settled) = (self.path.clone(), self.settled.clone());
            move || {
                let mut lines = Lines::open(&path)?;
                loop {
                    let lines = lines.next_together(|number| !settled.contains(&number))?;
                    if lines.is_empty() {
                        return Ok::<(), Failure>(());
                    }
                    for (number, envelope) in maker.make_all(lines)? {
                        let records = input::records_of(&envelope);
                        sent.lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push((number, records));
                        if sender.blocking_send(envelope).is_err() {
                            return Ok(());
                        }
                    }
                }
            }
        });
        let result = self.receive(receiver, &sent).await;
        match producer.await {
            Ok(Err(failure)) => Err(ClientError::Setup(failure.message)),
            Ok(Ok(())) | Err(_) => result,
        }
    }

    async fn receive(
        &mut self,
        envelopes: mpsc::Receiver<bytes::Bytes>,
        sent: &Mutex<Vec<(u64, u64)>>,
    ) -> Result<(), ClientError> {
        let answers = self.client.bulk(ReceiverStream::new(envelopes)).await?;
        let mut answers = std::pin::pin!(answers);
        let broken = |failure: Failure| ClientError::Setup(failure.message);
        while let Some(answer) = answers.next().await {
            let mut answer = match answer? {
                BulkAnswer::Line(line) => line,
                BulkAnswer::Summary(_) => {
                    self.settle_all(&sent.lock().unwrap_or_else(PoisonError::into_inner));
                    return Ok(());
                }
            };
            let place = usize::try_from(answer.line)
                .ok()
                .and_then(|line| line.checked_sub(1));
            let known = sent.lock().unwrap_or_else(PoisonError::into_inner);
            let Some((number, records)) = place.and_then(|place| known.get(place).copied()) else {
                let excerpt = format!("line {}", answer.line);
                return Err(ClientError::Foreign {
                    status: 200,
                    excerpt,
                });
            };
            drop(known);
            answer.line = number;
            self.journal.answer(&answer).map_err(broken)?;
            self.show(&answer);
            // A key that is refused now is refused for the rest of this run; a registry that has
            // no time now may have it in the next pass.
            let is_last = answer.record.unwrap_or(1) >= records;
            if is_last && !self.journal.is_put_off(number, records) {
                self.settled.insert(number);
                self.bar.set_position(self.settled.len() as u64);
            }
        }
        let server = self.context.globals.server.clone().unwrap_or_default();
        let reason = "应答中断 / the answer broke off".to_owned();
        Err(ClientError::Network { server, reason })
    }

    /// A stream that was answered to its end leaves open only what the registry had no time for;
    /// an envelope that failed as a whole has one answer for all of its records.
    fn settle_all(&mut self, sent: &[(u64, u64)]) {
        for (number, records) in sent {
            if self.journal.has_answer(*number) && !self.journal.is_put_off(*number, *records) {
                self.settled.insert(*number);
            }
        }
        self.bar.set_position(self.settled.len() as u64);
    }

    /// One answer: every one as JSON, for a person only what failed.
    fn show(&mut self, answer: &BulkLine) {
        let output = self.context.output;
        if output.json {
            output.json(answer);
            return;
        }
        if matches!(answer.status, 200 | 201) {
            return;
        }
        self.shown += 1;
        if self.shown > FAILURES_SHOWN {
            return;
        }
        let id = answer.id.as_deref().unwrap_or("?");
        let code = answer.code.as_deref().unwrap_or_default();
        let items = answer
            .errors
            .iter()
            .map(|item| format!("\n    {} [{}]", item.pointer, item.code));
        let text = format!(
            "  {}: {id} {} {code}{}",
            answer.line,
            answer.status,
            items.collect::<String>()
        );
        self.bar.suspend(|| output.note(&text));
    }

    /// The summary, and how the command ends.
    fn report(&self, outcome: Result<(), ClientError>) -> Result<Exit, Failure> {
        let output = self.context.output;
        let lines = self.maker.plan.lines;
        let totals = Totals::of(self.journal.statuses());
        let mut unanswered = 0;
        for line in Lines::open(&self.path)? {
            let (number, _) = line?;
            unanswered += u64::from(!self.journal.has_answer(number));
        }
        if output.json {
            output.json(&json!({"summary": {
                "lines": lines,
                "accepted": totals.accepted,
                "replayed": totals.replayed,
                "refused": totals.refused,
                "failed": totals.failed,
                "unanswered": unanswered,
            }}));
        } else {
            if self.shown > FAILURES_SHOWN {
                let text = output
                    .lang
                    .of("全部失败见日志", "all failures are in the journal:");
                output.note(&format!("  … {text} {}", self.journal.path().display()));
            }
            output.line(&match output.lang {
                crate::lang::Lang::Zh => format!(
                    "共 {lines} 行：接受 {}，此前已登记 {}，拒绝 {}，失败 {}，未答复 {unanswered}",
                    totals.accepted, totals.replayed, totals.refused, totals.failed
                ),
                crate::lang::Lang::En => format!(
                    "{lines} lines: {} accepted, {} recorded before, {} refused, {} failed, {unanswered} unanswered",
                    totals.accepted, totals.replayed, totals.refused, totals.failed
                ),
            });
        }
        if let Err(error) = outcome {
            return Err(Failure::from(error).with_hint(
                "稍后加 --resume 继续，不会重复登记 / go on later with --resume; nothing is recorded twice",
            ));
        }
        let worst = submit::worst(self.journal.statuses());
        Ok(if unanswered > 0 && worst < Exit::Network {
            Exit::Network
        } else {
            worst
        })
    }
}

fn is_not_now(error: &ClientError) -> bool {
    Exit::of_error(error) == Exit::Network
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_counted_by_status() {
        let totals = Totals::of([201, 201, 200, 409, 422, 401, 503].into_iter());
        assert_eq!(
            totals,
            Totals {
                accepted: 2,
                replayed: 1,
                refused: 1,
                failed: 3
            }
        );
    }
}

//! The `invoice` command: issue, check, claim and verify from a shell or a script.

mod args;
mod bulk;
mod check;
mod claim;
mod completions;
mod compose;
mod context;
mod exit;
mod explain;
mod failure;
mod fresh;
mod issue;
mod lang;
mod output;
mod print;
mod read;
mod register;
mod reverse;
mod save;
mod show;
mod signing_key;
mod submit;
mod verify;
mod webhooks;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Verb};
use context::Context;
use exit::Exit;
use failure::Failure;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let context = Context::new(cli.globals);
    let result = runtime().and_then(|runtime| runtime.block_on(run(&context, cli.verb)));
    let exit = result.unwrap_or_else(|failure| {
        context.output.failure(&failure);
        failure.exit
    });
    exit.into()
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::usage("runtime", error.to_string()))
}

async fn run(context: &Context, verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::Issue(args) => issue::run(context, args).await,
        Verb::Bulk(args) => bulk::run(context, args).await,
        Verb::Check(args) => check::run(context, args).await,
        Verb::Read(args) => read::run(context, &args),
        Verb::Register(args) => register::run(context, args).await,
        Verb::Claim { action } => claim::run(context, action).await,
        Verb::Reverse(args) => reverse::run(context, args).await,
        Verb::Show { what } => show::run(context, what).await,
        Verb::Print(args) => print::run(context, args).await,
        Verb::Verify(args) => verify::run(context, &args),
        Verb::Explain(args) => explain::run(context, &args),
        Verb::Webhooks { action } => webhooks::run(context, action).await,
        Verb::Completions(args) => Ok(completions::run(&args)),
    }
}

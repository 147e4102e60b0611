//! `invoice completions`: a script for the shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::args::Cli;
use crate::exit::Exit;

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// bash, zsh, fish, elvish, powershell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "invoice", &mut script);
    // Whoever closed the pipe has read enough.
    let _closed = std::io::Write::write_all(&mut std::io::stdout().lock(), &script);
    Exit::Ok
}

//! Loads a node and prints what it took: records a second, latency to the durable receipt,
//! processor time by stage, bytes on disk, memory.

mod args;
mod side_by_side;
mod trials;
mod verbs;

use std::process::ExitCode;

use clap::Parser;

/// That of the node's own program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match verbs::run(args::Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("错误 / error: {failure}");
            ExitCode::FAILURE
        }
    }
}

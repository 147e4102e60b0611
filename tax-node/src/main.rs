//! `tax-node`: the registry's node and its tools.

use std::process::ExitCode;

/// Records are parsed on one thread and freed on another, by the million: the system's allocator
/// spends a sixth of the processor's time on that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tax_node::cli::main()
}

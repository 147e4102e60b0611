//! `tax-node`: the registry's node and its tools.

use std::process::ExitCode;

fn main() -> ExitCode {
    tax_node::cli::main()
}

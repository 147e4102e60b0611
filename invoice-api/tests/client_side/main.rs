//! The client and the `invoice` command, each against servers that do what networks do.

mod client;
mod fake;
mod invoice_command;

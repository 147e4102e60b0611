//! The whole registry from outside: real processes, real sockets, real files.

mod backup;
mod bad_input;
mod commands;
mod consortium;
mod consortium_commands;
mod contract;
mod kill;
mod one_winner;
mod oversight;
mod paper;
mod registered;
mod second_implementation;
mod starting;
mod story;
mod support;
mod validators;
mod webhooks;

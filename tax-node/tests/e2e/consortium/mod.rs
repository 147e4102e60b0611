//! Whole consortiums of real processes on this machine: what a node's operator does and sees.

mod change;
mod net;
mod operator;
mod outage;
mod restored;
mod testnet;

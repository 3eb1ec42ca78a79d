//! The same on PostgreSQL, and what happens when it is cut off, hangs or loses what is sent.

#![expect(clippy::unwrap_used, reason = "tests and their harness stop at the first surprise")]

mod canaries;
mod clock;
mod cut;
#[expect(dead_code, reason = "other programs use the rest")]
#[path = "../server/harness.rs"]
mod harness;
mod instances;
mod kill;
mod process;
mod proxy;
mod world;

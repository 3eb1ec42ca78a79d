//! What goes wrong around the server: it is killed, its disk is full, its database is locked, its clock is moved. No
//! license leaves without a record, none is recorded twice, no request hangs, and afterwards all is as before.

#![expect(clippy::unwrap_used, reason = "tests and their harness stop at the first surprise")]

mod boundaries;
mod canaries;
mod clock;
mod full;
#[expect(dead_code, reason = "other programs use the rest")]
#[path = "../server/harness.rs"]
mod harness;
mod instances;
mod kill;
mod locked;
mod process;
mod world;

//! The same tests on PostgreSQL: the harness goes by the name of this program.

#![expect(clippy::unwrap_used, reason = "tests and their harness stop at the first surprise")]

mod acquire;
mod audit;
mod clearkey;
mod enrol;
mod harness;
mod home;
mod mutation;
mod package;
mod pages;
mod serve;
mod token;
mod token_keys;

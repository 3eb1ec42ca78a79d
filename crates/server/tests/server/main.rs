//! The server over real TCP with a real database: every endpoint, what each refuses, and what is written down.

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

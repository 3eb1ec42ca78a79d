//! The server over real TCP with a real database: every endpoint, what each refuses, and what is written down.

#![expect(clippy::unwrap_used, reason = "tests and their harness stop at the first surprise")]

mod acquire;
mod audit;
mod cors;
mod enrol;
mod harness;
mod home;
mod limits;
mod mutation;
mod observe;
mod package;
mod serve;
mod tls;
mod token;

//! The server over real TCP with a real database: every endpoint, what each refuses, and what is written down.

#![expect(clippy::unwrap_used, reason = "tests and their harness stop at the first surprise")]

mod acquire;
mod audit;
mod clearkey;
mod clock_services;
mod clocks;
mod config;
mod cors;
mod enrol;
mod harness;
mod held_up;
mod home;
mod keys;
mod limits;
mod mutation;
mod observe;
mod older_store;
mod openapi;
mod package;
mod pages;
mod pkcs11;
mod policy;
mod recovery;
mod renewal;
mod serve;
mod time;
mod time_in_responses;
mod tls;
mod token;
mod token_keys;
mod token_page;
mod upgrade;

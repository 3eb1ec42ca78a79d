//! What licenses say, whom they are for and what they allow, rule by rule.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod chains;
mod clock;
mod cose;
mod evaluate;
mod explain;
mod fixture;
mod format;
mod issue;
mod local;
mod model;
mod rights_table;
mod signed_header;

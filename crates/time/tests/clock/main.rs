//! A client's clock, case by case: its states, what happens to it, what an answer must satisfy, its record, and a naive
//! model of it all.

#![expect(clippy::unwrap_used, reason = "in a test, to unwrap is to check")]

mod answers;
mod happenings;
mod machine;
mod model;
mod record;
#[expect(unreachable_pub, reason = "the file is a module of admit-testkit")]
#[path = "../../../testkit/src/roughtime.rs"]
mod responder;
mod states;

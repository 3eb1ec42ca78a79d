//! Every message: what it says, what is refused of it, and the corpus that shows both.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod cases;
mod challenge;
mod client_made;
mod corpus;
mod enrol;
mod evidence;
mod fixture;
mod problem;
mod realm;
mod response;
mod truncation;

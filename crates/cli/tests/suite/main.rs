//! The program as people use it: the real binary, a real server on loopback, real files.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod acquisition;
mod ahead;
mod bad_input;
mod browser;
mod burning;
mod clock;
mod clock_machine;
mod clock_use;
mod collector;
mod devices;
mod doctor;
mod documents;
mod exact_lines;
mod hardware;
mod keys;
mod killed;
mod local;
mod other_clocks;
mod outputs;
mod packaging;
mod pages;
mod pkcs11;
mod players;
mod policies;
mod recovery;
mod refusals;
mod remote;
mod revoking;
mod running;
mod saving;
mod schemathesis;
mod serving;
mod serving_time;
mod slow_server;
#[cfg(feature = "player")]
mod speaking;
mod token_keys;
mod tour;
mod traces;
#[cfg(feature = "player")]
mod viewing;
mod why;
mod world;

//! The sealed store, reservations, and what survives altering, copying and crashing.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod acquire;
mod clock;
mod crash;
mod dead;
mod fixture;
mod other_clock_service;
mod play;
mod records;
mod rollback;
mod session;
mod set_time;
mod share;
mod size;
mod transfer;

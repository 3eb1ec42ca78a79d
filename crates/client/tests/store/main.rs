//! The sealed store, reservations, and what survives altering, copying and crashing.

mod acquire;
mod crash;
mod fixture;
mod play;
mod records;
mod session;
mod share;

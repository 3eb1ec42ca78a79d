//! The server over real TCP with a real database: every endpoint, what each refuses, and what is written down.

mod acquire;
mod audit;
mod enrol;
mod harness;
mod home;
mod mutation;
mod serve;
mod token;

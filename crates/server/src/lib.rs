//! The server side of a realm: a home with its keys and database, and axum routers for the realm document, enrolment
//! and license acquisition.
//!
//! A library: clock and randomness are arguments ([`Clock`], [`EntropySource`]), the program around it brings them
//! and the listener. [`home::init`] makes a home, [`home::Home::open`] loads one, [`Server`] serves it.

mod acquire;
mod api;
pub mod audit;
mod batch;
mod clearkey;
mod connections;
pub mod content;
mod cors;
mod enrol;
mod entitlement;
mod error;
mod health;
pub mod home;
mod http;
mod memory;
mod metrics;
mod observe;
pub mod operator;
mod package;
mod pages;
pub mod pkcs11;
pub mod policy;
mod rate_limit;
mod realm;
mod refusal;
mod registered;
mod revoke;
mod sealing;
mod serve;
mod server;
mod sources;
mod store;
mod time;
pub mod tls;
pub mod token;
mod trace_parent;

pub use api::description;
pub use clearkey::CLEARKEY_PATH;
pub use error::Error;
pub use revoke::Revocation;
pub use server::Server;
pub use sources::{Clock, EntropySource};
pub use store::Location;
pub use trace_parent::{NotATraceParent, TraceParent};

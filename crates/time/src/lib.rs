//! Time as Admit knows it: points in time, and times that somebody trusted has signed.
//!
//! A [`TrustedTime`] cannot be made up. It comes from an answer of a Roughtime server (RFC 10049) to a question that
//! is still open, checked under a key that was pinned beforehand:
//!
//! ```
//! # use admit_crypto::rustcrypto::PROVIDER;
//! # use admit_time::{Error, Outstanding, Timestamp, TrustedTime};
//! # fn ask(_: &[u8]) -> Vec<u8> { Vec::new() }
//! fn set_time(nonce: [u8; 32], key: [u8; 32], millis: fn() -> u64, floor: Timestamp) -> Result<TrustedTime, Error> {
//!     let question = Outstanding::new(nonce, key, millis());
//!     let response = ask(&question.request_packet(&PROVIDER));
//!     question.accept(&PROVIDER, &response, millis(), floor)
//! }
//! # assert!(set_time([1; 32], [2; 32], || 0, Timestamp::from_unix_secs(0)).is_err());
//! ```
//!
//! What happens to such a time afterwards, on a machine whose owner sets its wall clock and starts it again, is the
//! [clock]'s to say.
//!
//! The crate does no I/O, reads no clock and draws no randomness: nonces and clock readings are arguments.

#![no_std]

extern crate alloc;

pub mod clock;
mod error;
pub mod roughtime;
mod timestamp;
mod trusted_time;

pub use error::Error;
pub use timestamp::Timestamp;
pub use trusted_time::{Outstanding, TrustedTime};

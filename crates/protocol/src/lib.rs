//! Every message between client and server, and the error vocabulary they share.
//!
//! One verb, one file: [`acquire`] and [`enrol`] hold the messages that the files of the same names in the
//! `client` and `server` crates send and answer. The CDDL of all of them is `docs/formats/license.cddl`.

pub mod acquire;
mod code;
mod code_of;
pub mod enrol;
mod error;
pub mod evidence;
pub mod package;
mod problem;
pub mod realm;
pub mod time;

pub use code::{Code, ErrorClass, Family};
pub use error::Error;
pub use problem::{PROBLEM_CONTENT_TYPE, Problem, problem_type};

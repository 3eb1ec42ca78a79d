//! The edge: where this program reads the clock, draws randomness, opens sockets and keeps files.

mod client_clocks;
mod clock;
mod datagrams;
mod entropy;
mod http;
mod log;
mod memory;
mod remote_file;
mod sqlite;
mod tpm;
mod traces;

pub(crate) use client_clocks::read_clocks;
pub(crate) use clock::{SystemClock, is_clock_kept_right, now};
pub(crate) use datagrams::ask_over_udp;
pub(crate) use entropy::SystemEntropy;
pub(crate) use http::{Http, origin, server_origin};
pub(crate) use log::ServerLog;
pub(crate) use memory::{Memory, protect};
pub(crate) use remote_file::{LastFailure, RemoteFile};
pub(crate) use sqlite::SqliteKeyValue;
pub(crate) use tpm::Counter;
pub(crate) use traces::Traces;

//! The Roughtime protocol, version 1 (RFC 10049): one request, and the checks a response must pass.
//!
//! Byte layouts are in `docs/formats/time.md`. Servers use [`encode`], [`frame`] and the parsers as well; their
//! signing side is not here.

mod format_error;
mod merkle;
mod message;
mod packet;
mod request;
mod response;
mod tag;
mod verify;

pub use format_error::FormatError;
pub use merkle::{HASH_LENGTH, MAX_PATH_HASHES, leaf_hash, node_hash};
pub use message::{Message, Value, encode};
pub use packet::{frame, unframe};
pub use request::{MESSAGE_LENGTH, NONCE_LENGTH, request_packet, server_commitment};
pub use tag::Tag;
pub use verify::{DELEGATION_CONTEXT, MAX_RADIUS_SECS, RESPONSE_CONTEXT, SignedTime, verify};

/// The version this module speaks: Roughtime version 1.
pub const VERSION: u32 = 1;

/// The UDP port for Roughtime (RFC 10049 section 12.1).
pub const UDP_PORT: u16 = 5319;

/// TYPE of a request.
pub const TYPE_REQUEST: u32 = 0;

/// TYPE of a response.
pub const TYPE_RESPONSE: u32 = 1;

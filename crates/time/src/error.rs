//! What can be wrong with an answer about the time, grouped by who is at fault.

use crate::Timestamp;
use crate::roughtime::FormatError;

/// A time was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    // The peer's bytes.
    /// The response does not have the form of a Roughtime response.
    #[error("malformed response: {0}")]
    MalformedResponse(FormatError),
    /// The response is longer than its request, which RFC 10049 section 9.7 forbids.
    #[error("response of {found} bytes to a request of {limit}")]
    OversizedResponse {
        /// Bytes in the response packet.
        found: usize,
        /// Bytes in the request packet.
        limit: usize,
    },
    /// TYPE is not 1: this is no response.
    #[error("message type {found} is not a response")]
    NotAResponse {
        /// The TYPE that was found.
        found: u32,
    },
    /// NONC is not the request's nonce.
    #[error("response is to another nonce")]
    WrongNonce,
    /// The signed VER is not 1.
    #[error("response has version {found:#x}")]
    UnknownVersion {
        /// The version that was found.
        found: u32,
    },
    /// VERS has no entry or more than 32, or they do not ascend.
    #[error("list of versions in the response is not 1 to 32 ascending numbers")]
    MalformedVersionList,
    /// VERS does not contain the version of the response itself.
    #[error("version of the response is not in its own list")]
    VersionNotListed,
    /// PATH has more than 32 hashes.
    #[error("path of {hashes} hashes")]
    PathTooLong {
        /// Hashes in the path.
        hashes: usize,
    },
    /// INDX points outside a tree whose paths have this length.
    #[error("index {index} lies outside a tree of height {height}")]
    IndexOutsideTree {
        /// The index that was found.
        index: u32,
        /// Hashes in the path.
        height: usize,
    },
    /// Request packet, INDX and PATH do not lead to the signed ROOT.
    #[error("request is not in the signed tree")]
    RequestNotInTree,

    // The time server.
    /// The pinned key did not sign this delegation.
    #[error("signature of the delegation does not hold under the pinned key")]
    BadDelegationSignature,
    /// The delegated key did not sign this response.
    #[error("signature of the response does not hold under the delegated key")]
    BadResponseSignature,
    /// The delegated key was not yet trusted at the midpoint.
    #[error("midpoint {midpoint} is before the delegation, which begins at {begins}")]
    BeforeDelegation {
        /// MIDP, Unix seconds.
        midpoint: u64,
        /// MINT, Unix seconds.
        begins: u64,
    },
    /// The delegated key was no longer trusted at the midpoint.
    #[error("midpoint {midpoint} is after the delegation, which ends at {ends}")]
    AfterDelegation {
        /// MIDP, Unix seconds.
        midpoint: u64,
        /// MAXT, Unix seconds.
        ends: u64,
    },
    /// RADI is zero, which no server may claim.
    #[error("radius is zero")]
    ZeroRadius,
    /// RADI is larger than [`MAX_RADIUS_SECS`](crate::roughtime::MAX_RADIUS_SECS).
    #[error("radius of {found} s is too large")]
    RadiusTooLarge {
        /// The radius in seconds.
        found: u32,
    },
    /// MIDP and RADI reach beyond [`Timestamp::MAX`].
    #[error("midpoint {midpoint} is beyond the year 9999")]
    MidpointOutOfRange {
        /// MIDP, Unix seconds.
        midpoint: u64,
    },

    // The network, or somebody in it.
    /// The answer took longer than [`Outstanding::MAX_ROUND_TRIP_MILLIS`](crate::Outstanding::MAX_ROUND_TRIP_MILLIS).
    #[error("answer took {round_trip_millis} ms")]
    TooLate {
        /// Milliseconds from sending to receiving.
        round_trip_millis: u64,
    },
    /// The signed time, its uncertainty included, is before a time that has certainly passed.
    #[error("signed time is at most {latest}, but {floor} has passed")]
    BelowHardFloor {
        /// The latest time that the answer allows.
        latest: Timestamp,
        /// The hard floor.
        floor: Timestamp,
    },
    /// The time certificate's epoch is lower than one that was accepted, or that revocation information asks for.
    #[error("time certificate of epoch {found}, and the lowest accepted is {lowest}")]
    EpochTooLow {
        /// The certificate's epoch.
        found: u64,
        /// The lowest that counts.
        lowest: u64,
    },
    /// Two time servers, asked because of a long jump, do not say the same.
    #[error("two time servers are {apart_millis} ms apart")]
    TimeKeysDisagree {
        /// How far apart they are, in milliseconds.
        apart_millis: u64,
    },

    // This program.
    /// The question was put in another boot.
    #[error("question was put before the machine was started again")]
    OtherBoot,
    /// A long jump was to be confirmed by the key that made it.
    #[error("second answer is under the same time key")]
    SameTimeKey,
    /// The request packet does not have the form of a Roughtime request.
    #[error("malformed request: {0}")]
    MalformedRequest(FormatError),
    /// The request does not offer version 1, so no version 1 response can answer it.
    #[error("request does not offer version 1")]
    VersionNotOffered,
    /// The monotonic clock reads less than when the request was sent: it is not the clock of this boot.
    #[error("monotonic clock went back from {sent_at_millis} to {received_at_millis}")]
    MonotonicClockWentBack {
        /// Reading when the request was sent.
        sent_at_millis: u64,
        /// Reading when the response arrived.
        received_at_millis: u64,
    },
}

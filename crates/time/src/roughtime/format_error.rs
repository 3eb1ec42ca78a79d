//! What can be wrong with the form of a Roughtime packet (RFC 10049 sections 4 and 5), and where.

use crate::roughtime::Tag;

/// A packet does not have the form it must have. Positions are bytes from the beginning of the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// Fewer bytes than magic and length take.
    #[error("packet of {found} bytes is shorter than its header")]
    TruncatedPacket {
        /// Bytes in the packet.
        found: usize,
    },
    /// The packet does not begin with `ROUGHTIM`.
    #[error("packet does not begin with ROUGHTIM")]
    WrongMagic,
    /// The packet's length field is not the length of what follows it.
    #[error("packet declares a message of {declared} bytes and holds {found}")]
    WrongLength {
        /// What the length field says.
        declared: u32,
        /// Bytes that follow it.
        found: usize,
    },
    /// A message's header needs more bytes than the message has.
    #[error("message at byte {at} is shorter than its header")]
    TruncatedMessage {
        /// Where the message begins.
        at: usize,
    },
    /// A message has no pair.
    #[error("message at byte {at} is empty")]
    EmptyMessage {
        /// Where the message begins.
        at: usize,
    },
    /// An offset is not a multiple of four.
    #[error("offset at byte {at} is not a multiple of four")]
    UnalignedOffset {
        /// Where the offset stands.
        at: usize,
    },
    /// An offset is below the one before it.
    #[error("offset at byte {at} is below the one before it")]
    DescendingOffset {
        /// Where the offset stands.
        at: usize,
    },
    /// An offset points behind the end of the message.
    #[error("offset at byte {at} points behind the end of the message")]
    OffsetOutsideMessage {
        /// Where the offset stands.
        at: usize,
    },
    /// A tag is not one to four capital letters followed by zeros.
    #[error("tag at byte {at} is not one to four capital letters")]
    MalformedTag {
        /// Where the tag stands.
        at: usize,
    },
    /// A tag is not above the one before it: out of order, or there twice.
    #[error("tag {tag} at byte {at} is not above the one before it")]
    TagOutOfOrder {
        /// The tag.
        tag: Tag,
        /// Where it stands.
        at: usize,
    },
    /// A mandatory tag is not there.
    #[error("message at byte {at} has no {tag}")]
    MissingTag {
        /// The tag.
        tag: Tag,
        /// Where the message begins that should have it.
        at: usize,
    },
    /// A value does not have the length its tag demands.
    #[error("value of {tag} at byte {at} has {found} bytes")]
    WrongValueLength {
        /// The tag.
        tag: Tag,
        /// Where the value begins.
        at: usize,
        /// Bytes in the value.
        found: usize,
    },
}

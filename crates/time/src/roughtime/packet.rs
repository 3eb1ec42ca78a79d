//! Packets: a message behind magic and length (RFC 10049 section 5).

use alloc::vec::Vec;

use crate::roughtime::{FormatError, Message};

/// Puts magic and length before a message.
///
/// # Panics
///
/// When the message has 4 GiB or more.
#[must_use]
pub fn frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("messages are shorter than 4 GiB");
    let mut packet = Vec::with_capacity(HEADER_LENGTH + message.len());
    packet.extend_from_slice(MAGIC);
    packet.extend_from_slice(&length.to_le_bytes());
    packet.extend_from_slice(message);
    packet
}

/// Parses the message of a packet, which must fill it exactly.
pub fn unframe(packet: &[u8]) -> Result<Message<'_>, FormatError> {
    let truncated = FormatError::TruncatedPacket { found: packet.len() };
    let (magic, rest) = packet.split_first_chunk().ok_or(truncated)?;
    let (length, message) = rest.split_first_chunk().ok_or(truncated)?;
    if magic != MAGIC {
        return Err(FormatError::WrongMagic);
    }
    let declared = u32::from_le_bytes(*length);
    if usize::try_from(declared) != Ok(message.len()) {
        return Err(FormatError::WrongLength { declared, found: message.len() });
    }
    Message::parse(message, HEADER_LENGTH)
}

/// What every packet begins with.
const MAGIC: &[u8; 8] = b"ROUGHTIM";

/// Bytes before the message.
pub(super) const HEADER_LENGTH: usize = MAGIC.len() + 4;

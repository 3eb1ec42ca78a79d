//! Responses (RFC 10049 section 5.2), taken apart and not yet believed.

use crate::roughtime::{FormatError, HASH_LENGTH, Message, NONCE_LENGTH, Tag, unframe};

/// A response packet's fields.
pub(super) struct Response<'a> {
    pub(super) signature: &'a [u8; 64],
    pub(super) nonce: &'a [u8; NONCE_LENGTH],
    pub(super) message_type: u32,
    pub(super) path: &'a [[u8; HASH_LENGTH]],
    pub(super) signed: SignedResponse<'a>,
    pub(super) certificate: Certificate<'a>,
    pub(super) index: u32,
}

impl<'a> Response<'a> {
    pub(super) fn parse(packet: &'a [u8]) -> Result<Self, FormatError> {
        let message = unframe(packet)?;
        Ok(Self {
            signature: message.require(Tag::SIG)?.array()?,
            nonce: message.require(Tag::NONC)?.array()?,
            message_type: message.require(Tag::TYPE)?.u32()?,
            path: message.require(Tag::PATH)?.arrays()?,
            signed: SignedResponse::parse(message)?,
            certificate: Certificate::parse(message)?,
            index: message.require(Tag::INDX)?.u32()?,
        })
    }
}

/// SREP: what the delegated key signs.
pub(super) struct SignedResponse<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) version: u32,
    pub(super) radius_secs: u32,
    pub(super) midpoint: u64,
    pub(super) versions: &'a [[u8; 4]],
    pub(super) root: &'a [u8; HASH_LENGTH],
}

impl<'a> SignedResponse<'a> {
    fn parse(response: Message<'a>) -> Result<Self, FormatError> {
        let value = response.require(Tag::SREP)?;
        let message = value.message()?;
        Ok(Self {
            bytes: value.bytes(),
            version: message.require(Tag::VER)?.u32()?,
            radius_secs: message.require(Tag::RADI)?.u32()?,
            midpoint: message.require(Tag::MIDP)?.u64()?,
            versions: message.require(Tag::VERS)?.arrays()?,
            root: message.require(Tag::ROOT)?.array()?,
        })
    }
}

/// CERT: the delegated key, and the long-term key's signature over it.
pub(super) struct Certificate<'a> {
    pub(super) signature: &'a [u8; 64],
    pub(super) delegation: &'a [u8],
    pub(super) key: &'a [u8; 32],
    pub(super) begins: u64,
    pub(super) ends: u64,
}

impl<'a> Certificate<'a> {
    fn parse(response: Message<'a>) -> Result<Self, FormatError> {
        let certificate = response.require(Tag::CERT)?.message()?;
        let value = certificate.require(Tag::DELE)?;
        let delegation = value.message()?;
        Ok(Self {
            signature: certificate.require(Tag::SIG)?.array()?,
            delegation: value.bytes(),
            key: delegation.require(Tag::PUBK)?.array()?,
            begins: delegation.require(Tag::MINT)?.u64()?,
            ends: delegation.require(Tag::MAXT)?.u64()?,
        })
    }
}

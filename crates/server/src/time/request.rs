//! Requests for the time (RFC 10049 section 5.1): what is answered, and what is not. Nothing is allocated for either.

use admit_crypto::Provider;
use admit_time::roughtime::{
    FormatError, MESSAGE_LENGTH, NONCE_LENGTH, TYPE_REQUEST, Tag, VERSION, leaf_hash, unframe,
};

use super::key::TimeSigner;

/// A request that can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeRequest {
    /// Its place in the tree under the signature.
    pub(super) leaf: [u8; 32],
    pub(super) nonce: [u8; NONCE_LENGTH],
    /// Which long-term key it asks, by its place in the realm document.
    pub(super) key: usize,
}

/// A request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RequestFault {
    /// Shorter than a request, so that the answer could be longer, or longer than any.
    #[error("a request has {SHORTEST} to {LONGEST} bytes")]
    Length,
    /// It is no message, or lacks something.
    #[error("{0}")]
    Form(#[from] FormatError),
    /// It is a response, or something else.
    #[error("it is not of the type of requests")]
    Type,
    /// It offers other versions.
    #[error("it does not offer version 1")]
    Version,
    /// It is for another service.
    #[error("it is for another long-term key")]
    OtherService,
}

impl RequestFault {
    /// What it is counted as.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Form(_) => "form",
            Self::Type => "type",
            Self::Version => "version",
            Self::OtherService => "service",
        }
    }
}

impl TimeRequest {
    /// Reads a request to one of these services. Without SRV it is for the first.
    pub(crate) fn read(provider: &Provider, services: &[TimeSigner], packet: &[u8]) -> Result<Self, RequestFault> {
        if !(SHORTEST..=LONGEST).contains(&packet.len()) {
            return Err(RequestFault::Length);
        }
        let message = unframe(packet)?;
        if message.require(Tag::TYPE)?.u32()? != TYPE_REQUEST {
            return Err(RequestFault::Type);
        }
        if !message.require(Tag::VER)?.arrays()?.contains(&VERSION.to_le_bytes()) {
            return Err(RequestFault::Version);
        }
        let key = match message.values().find(|value| value.tag() == Tag::SRV) {
            None => 0,
            Some(wanted) => {
                let is_wanted = |service: &TimeSigner| wanted.bytes() == service.commitment;
                services.iter().position(is_wanted).ok_or(RequestFault::OtherService)?
            }
        };
        let nonce = *message.require(Tag::NONC)?.array()?;
        Ok(Self { leaf: leaf_hash(provider, packet), nonce, key })
    }
}

/// The shortest packet that is answered. Answers are shorter, however many share a signature: nobody is flooded with them.
pub(super) const SHORTEST: usize = MESSAGE_LENGTH;

/// The longest packet that is answered: what a datagram holds on its way through any network.
pub(super) const LONGEST: usize = 1280;

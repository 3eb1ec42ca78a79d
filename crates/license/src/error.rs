//! What can be wrong with a license, grouped by who is at fault.

use admit_crypto::Digest;
use minicbor::Decoder;

use crate::rule::Rule;

/// A license was refused, or could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Signature, chain or envelope do not hold.
    #[error("license is not authentic: {0}")]
    Trust(#[from] admit_trust::Error),
    /// The content header is malformed.
    #[error("content header is malformed: {0}")]
    Header(#[from] crate::header::HeaderError),
    /// The payload around the terms is not as it must be.
    #[error("license payload is malformed at byte {position}")]
    Payload {
        /// The byte offset in the payload.
        position: usize,
    },
    /// The terms are not as the format says.
    #[error("license terms are malformed at byte {position}")]
    Terms {
        /// The byte offset in the terms.
        position: usize,
    },
    /// The terms hold a field that must be understood and is not known.
    #[error("license terms hold a field, at byte {position}, that this version does not know and may not ignore")]
    UnknownField {
        /// The byte offset in the terms.
        position: usize,
    },
    /// The terms break a rule.
    #[error("{0}")]
    Rule(Rule),
    /// The license is of another realm.
    #[error("license belongs to realm {found}")]
    OtherRealm {
        /// The realm in the license.
        found: Digest,
    },
    /// The license is wrapped to another client's key (row B03).
    #[error("license is bound to another client")]
    OtherClient,
    /// The license is bound to a kind of key that this version does not have.
    #[error("license is bound to a domain, which this version does not support")]
    UnsupportedBinding,
    /// The key in the license does not open: altered, or wrapped for somebody else.
    #[error("key in the license does not open")]
    KeyMaterial,
    /// A license that a client made stands where a service's does, or the other way round, or under a key that is not the
    /// client's own.
    #[error("license was not made by whom it must be made by")]
    OtherOrigin,
    /// A portable license is for another kind of device, or its signer or recipient is none that it can have.
    #[error("license is not for this device")]
    OtherDevice,
    /// An SDMI-compliant device takes SDMI-validated content only (row B17).
    #[error("content is not SDMI-validated, and an SDMI-compliant device takes no other")]
    NotSdmiValidated,
    /// A leaf was used with a license that is not its root.
    #[error("leaf license does not belong to this root")]
    OtherRoot,
}

impl Error {
    pub(crate) fn terms(error: &minicbor::decode::Error, decoder: &Decoder<'_>) -> Self {
        Self::Terms { position: position(error, decoder) }
    }

    pub(crate) fn payload(error: &minicbor::decode::Error, decoder: &Decoder<'_>) -> Self {
        Self::Payload { position: position(error, decoder) }
    }
}

/// Where the bytes end, an error has no position of its own: it is where the decoder stands.
fn position(error: &minicbor::decode::Error, decoder: &Decoder<'_>) -> usize {
    error.position().unwrap_or_else(|| decoder.position())
}

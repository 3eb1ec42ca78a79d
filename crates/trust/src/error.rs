//! What can be wrong with certificates, chains and signed objects, grouped by who is at fault.

use admit_crypto::Digest;
use admit_time::Timestamp;

use crate::Role;

/// A part of a certificate or of a signed object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Field {
    /// The certificate's version, which must be 3.
    Version,
    /// The signature algorithm, which must be ecdsa-with-SHA256 in both places, without parameters.
    SignatureAlgorithm,
    /// The signature value.
    Signature,
    /// The subject's public key, which must be an uncompressed point of P-256, but an Ed25519 key where the role is time.
    SubjectPublicKey,
    /// Basic constraints.
    BasicConstraints,
    /// Key usage: keyCertSign and cRLSign for authorities, digitalSignature for others.
    KeyUsage,
    /// Extended key usage: exactly one role.
    ExtendedKeyUsage,
    /// One of the extensions under Admit's arc, by its number.
    Property(u8),
    /// An extension that stands twice.
    RepeatedExtension,
    /// The outer array of a COSE_Sign1.
    CoseArray,
    /// The protected header.
    ProtectedHeader,
    /// The unprotected header, which must be empty.
    UnprotectedHeader,
    /// The certificate chain (x5chain, RFC 9360).
    CertificateChain,
    /// The payload.
    Payload,
    /// Bytes behind the object's end.
    TrailingBytes,
}

/// A certificate, chain or signed object was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A certificate is not DER.
    #[error("certificate is not DER: {0}")]
    Der(der::Error),
    /// A certificate is not PEM, or the PEM holds something else.
    #[error("not a certificate in PEM")]
    Pem,
    /// A certificate reads as DER but is not the encoding this program would write for what it says.
    #[error("certificate is not in canonical DER")]
    NotCanonical,
    /// A field has a value that is not allowed.
    #[error("{0:?} is missing or not as it must be")]
    Field(Field),
    /// A field of a signed object is not as it must be, at this byte.
    #[error("{field:?} is not as it must be, at byte {position}")]
    Encoding {
        /// The field.
        field: Field,
        /// The byte offset in the object.
        position: usize,
    },
    /// A critical extension is not known.
    #[error("an unknown extension is critical")]
    UnknownCriticalExtension,
    /// The object holds another kind of content than was asked for.
    #[error("content type is not {expected}")]
    ContentType {
        /// The type that was asked for.
        expected: &'static str,
    },
    /// A certificate is longer than any that Admit makes.
    #[error("certificate has {length} bytes, and {limit} at most are read")]
    CertificateTooLong {
        /// Its length in bytes.
        length: usize,
        /// The longest allowed.
        limit: usize,
    },
    /// There is no certificate to begin with.
    #[error("certificate chain is empty")]
    EmptyChain,
    /// A chain has more certificates than any chain Admit makes.
    #[error("certificate chain has more than {limit} certificates")]
    ChainTooLong {
        /// The longest allowed.
        limit: usize,
    },
    /// A certificate's issuer is not the subject of the next one.
    #[error("certificate {depth} of the chain was not issued by the next one")]
    IssuerMismatch {
        /// Zero is the leaf.
        depth: usize,
    },
    /// A certificate that issues another may not.
    #[error("certificate {depth} of the chain may not issue certificates of this role")]
    NotAnAuthority {
        /// Zero is the leaf.
        depth: usize,
    },
    /// More authorities stand below a certificate than it allows (RFC 5280 section 4.2.1.9).
    #[error("certificate {depth} of the chain allows at most {limit} authorities below it")]
    PathLength {
        /// Zero is the leaf.
        depth: usize,
        /// The certificate's limit.
        limit: u8,
    },
    /// The certificate has another role than was asked for.
    #[error("certificate is for {found:?} and not for {expected}")]
    WrongRole {
        /// The role asked for.
        expected: Role,
        /// The role in the certificate.
        found: Option<Role>,
    },
    /// A certificate in the chain is not signed by its issuer.
    #[error("signature of certificate {depth} of the chain does not hold")]
    CertificateSignature {
        /// Zero is the leaf.
        depth: usize,
    },
    /// A certificate is not valid yet.
    #[error("certificate {depth} of the chain is valid only from {not_before}")]
    NotYetValid {
        /// Zero is the leaf.
        depth: usize,
        /// When it becomes valid.
        not_before: Timestamp,
    },
    /// A certificate's time is over.
    #[error("certificate {depth} of the chain expired at {not_after}")]
    Expired {
        /// Zero is the leaf.
        depth: usize,
        /// When it ended.
        not_after: Timestamp,
    },
    /// The root is not the one that was pinned.
    #[error("trust root has fingerprint {found} and not {expected}")]
    RootMismatch {
        /// The pinned fingerprint.
        expected: Digest,
        /// The fingerprint of the certificate that came.
        found: Digest,
    },
    /// The object's signature does not hold.
    #[error("signature does not hold")]
    Signature,
}

impl Error {
    /// Whether it is about the form of what came, as when it was cut off. The others are about who made it: a signature, or the
    /// chain under it, does not hold.
    #[must_use]
    pub const fn is_malformed(&self) -> bool {
        match self {
            Self::Der(_)
            | Self::Pem
            | Self::NotCanonical
            | Self::Field(_)
            | Self::Encoding { .. }
            | Self::UnknownCriticalExtension
            | Self::CertificateTooLong { .. }
            | Self::EmptyChain
            | Self::ChainTooLong { .. } => true,
            Self::ContentType { .. }
            | Self::IssuerMismatch { .. }
            | Self::NotAnAuthority { .. }
            | Self::PathLength { .. }
            | Self::WrongRole { .. }
            | Self::CertificateSignature { .. }
            | Self::NotYetValid { .. }
            | Self::Expired { .. }
            | Self::RootMismatch { .. }
            | Self::Signature => false,
        }
    }
}

impl From<der::Error> for Error {
    fn from(error: der::Error) -> Self {
        Self::Der(error)
    }
}

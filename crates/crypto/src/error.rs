//! What can go wrong in a cryptographic operation, grouped by who is at fault.

/// An operation failed. No variant says more than an attacker may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A peer's public key is not a point of P-256 in uncompressed SEC1 form (65 bytes beginning 0x04).
    #[error("public key is not an uncompressed P-256 point")]
    InvalidPublicKey,
    /// A private scalar is zero or not below the order of P-256.
    #[error("private key is not a P-256 scalar")]
    InvalidPrivateKey,
    /// A signature does not hold, or is not 64 bytes of r and s.
    #[error("signature does not hold")]
    BadSignature,
    /// A ciphertext does not authenticate under this key and associated data, or is too short to.
    #[error("ciphertext does not authenticate")]
    BadCiphertext,
    /// A sealed record begins with a version this program does not know.
    #[error("record version {found} is unknown")]
    UnknownRecordVersion {
        /// The version byte that was found.
        found: u8,
    },
}

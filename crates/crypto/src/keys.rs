//! Key types. Secrets zeroize when dropped, do not print and do not clone.

use alloc::boxed::Box;
use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{Digest, Entropy, Error, Provider};

/// Declares a secret of fixed length whose `Debug` shows only its name.
macro_rules! secret_bytes {
    ($(#[$doc:meta])* $name:ident, $length:literal) => {
        $(#[$doc])*
        #[derive(Zeroize, ZeroizeOnDrop)]
        pub struct $name([u8; Self::LENGTH]);

        impl $name {
            /// Bytes in this secret.
            pub const LENGTH: usize = $length;

            /// Takes bytes as this secret.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
                Self(bytes)
            }

            /// Takes a slice as this secret, or `None` when its length is wrong.
            #[must_use]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// Draws a new secret.
            pub fn generate(entropy: &mut dyn Entropy) -> Self {
                let mut bytes = [0; Self::LENGTH];
                entropy.fill(&mut bytes);
                Self(bytes)
            }

            /// The secret bytes, for the cipher that uses them and for sealing them.
            #[must_use]
            pub const fn expose(&self) -> &[u8; Self::LENGTH] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(secret)"))
            }
        }
    };
}

secret_bytes!(
    /// The AES-128 key that encrypts the samples of one track or file.
    ContentKey,
    16
);

secret_bytes!(
    /// The AES-256-GCM-SIV key that seals records at rest.
    RecordKey,
    32
);

/// A P-256 private scalar at rest: what is sealed, and what keys are loaded from.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretScalar([u8; Self::LENGTH]);

impl SecretScalar {
    /// Bytes in a scalar, big-endian.
    pub const LENGTH: usize = 32;

    /// Takes a big-endian scalar, which must be in `1..n`.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, Error> {
        p256::SecretKey::from_slice(bytes).map_err(|_| Error::InvalidPrivateKey)?;
        bytes.try_into().map(Self).map_err(|_| Error::InvalidPrivateKey)
    }

    /// Draws a new scalar. Candidates outside `1..n` (fewer than one in 2^32) are drawn again.
    pub fn generate(entropy: &mut dyn Entropy) -> Self {
        loop {
            let mut candidate = Zeroizing::new([0; Self::LENGTH]);
            entropy.fill(&mut *candidate);
            if let Ok(scalar) = Self::from_slice(&*candidate) {
                return scalar;
            }
        }
    }

    /// The scalar's bytes, for sealing.
    #[must_use]
    pub const fn expose(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// The public key of this scalar.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        let secret = p256::SecretKey::from_slice(&self.0).expect("checked when the scalar was made");
        PublicKey::from_point(&secret.public_key())
    }
}

impl fmt::Debug for SecretScalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretScalar(secret)")
    }
}

/// A P-256 public key known to be a point of the curve, in uncompressed SEC1 form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; Self::LENGTH]);

impl PublicKey {
    /// Bytes in an uncompressed point: 0x04, x, y.
    pub const LENGTH: usize = 65;

    /// Takes an uncompressed point and checks that it is on the curve.
    pub fn from_sec1(bytes: &[u8]) -> Result<Self, Error> {
        let uncompressed = bytes.try_into().map_err(|_| Error::InvalidPublicKey)?;
        p256::PublicKey::from_sec1_bytes(bytes).map_err(|_| Error::InvalidPublicKey)?;
        Ok(Self(uncompressed))
    }

    /// The 65 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// SHA-256 of the 65 bytes: how this key is named where the key itself would be too long.
    #[must_use]
    pub fn thumbprint(&self, provider: &Provider) -> Digest {
        (provider.sha256)(&[&self.0])
    }

    fn from_point(point: &p256::PublicKey) -> Self {
        use p256::elliptic_curve::sec1::ToSec1Point as _;
        let encoded = point.to_sec1_point(false);
        Self(encoded.as_bytes().try_into().expect("an uncompressed P-256 point has 65 bytes"))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// An ECDSA signature over P-256 with SHA-256 (COSE ES256): r then s, 32 bytes each.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; Self::LENGTH]);

impl Signature {
    /// Bytes in a signature.
    pub const LENGTH: usize = 64;

    /// Takes r and s, 32 bytes each.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, Error> {
        bytes.try_into().map(Self).map_err(|_| Error::BadSignature)
    }

    /// Reads the DER form that X.509 uses (RFC 3279 section 2.2.3).
    pub fn from_der(bytes: &[u8]) -> Result<Self, Error> {
        let signature = p256::ecdsa::Signature::from_der(bytes).map_err(|_| Error::BadSignature)?;
        Ok(Self(signature.to_bytes().into()))
    }

    /// Writes the DER form that X.509 uses.
    pub fn to_der(&self) -> Result<alloc::vec::Vec<u8>, Error> {
        let signature = p256::ecdsa::Signature::from_slice(&self.0).map_err(|_| Error::BadSignature)?;
        Ok(signature.to_der().as_bytes().to_vec())
    }

    /// r and s.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({} bytes)", Self::LENGTH)
    }
}

/// What a loaded signing key does.
pub trait Sign: Send + Sync {
    /// Signs a message with ECDSA P-256 and SHA-256.
    fn sign(&self, message: &[u8]) -> Signature;
}

/// What a loaded Ed25519 key does.
pub trait SignEd25519: Send + Sync {
    /// Signs a message with Ed25519 (RFC 8032).
    fn sign(&self, message: &[u8]) -> [u8; 64];
}

/// What a loaded decryption key does.
pub trait Agree: Send + Sync {
    /// Elliptic-curve Diffie-Hellman: the x coordinate shared with a peer's public key.
    fn agree(&self, peer: &PublicKey) -> Result<Zeroizing<[u8; 32]>, Error>;
}

/// A signing key loaded into a provider.
pub struct SigningKey {
    key: Box<dyn Sign>,
    public: PublicKey,
}

impl SigningKey {
    /// Joins a provider's key with its public half.
    #[must_use]
    pub fn new(key: Box<dyn Sign>, public: PublicKey) -> Self {
        Self { key, public }
    }

    /// Signs a message with ECDSA P-256 and SHA-256.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        self.key.sign(message)
    }

    /// The public half.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// An Ed25519 key loaded into a provider.
pub struct Ed25519Key {
    key: Box<dyn SignEd25519>,
    public: [u8; 32],
}

impl Ed25519Key {
    /// Joins a provider's key with its public half.
    #[must_use]
    pub fn new(key: Box<dyn SignEd25519>, public: [u8; 32]) -> Self {
        Self { key, public }
    }

    /// Signs a message with Ed25519 (RFC 8032).
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message)
    }

    /// The public half.
    #[must_use]
    pub const fn public_key(&self) -> &[u8; 32] {
        &self.public
    }
}

impl fmt::Debug for Ed25519Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ed25519Key").field("public", &self.public).finish_non_exhaustive()
    }
}

/// A decryption key loaded into a provider: the recipient's half of HPKE.
pub struct DecryptionKey {
    key: Box<dyn Agree>,
    public: PublicKey,
}

impl DecryptionKey {
    /// Joins a provider's key with its public half.
    #[must_use]
    pub fn new(key: Box<dyn Agree>, public: PublicKey) -> Self {
        Self { key, public }
    }

    /// The public half.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    pub(crate) fn agree(&self, peer: &PublicKey) -> Result<Zeroizing<[u8; 32]>, Error> {
        self.key.agree(peer)
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecryptionKey").field("public", &self.public).finish_non_exhaustive()
    }
}

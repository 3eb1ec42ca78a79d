//! The seam between what Admit computes and the library that computes it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use crate::{
    ContentKey, CounterMode, DecryptionKey, Digest, Ed25519Key, Error, PublicKey, SecretScalar, Signature, SigningKey,
};

/// The primitives Admit needs, as a struct of functions.
///
/// [`crate::rustcrypto::PROVIDER`] runs everywhere, WebAssembly included, and signs deterministically
/// (RFC 6979); `aws_lc::PROVIDER` is the native one, several times faster. Both give the same results.
pub struct Provider {
    /// What this provider is called in reports and benches.
    pub name: &'static str,
    /// SHA-256 over the concatenation of the parts.
    pub sha256: fn(parts: &[&[u8]]) -> Digest,
    /// SHA-512 over the concatenation of the parts.
    pub sha512: fn(parts: &[&[u8]]) -> [u8; 64],
    /// HMAC-SHA256 over the concatenation of the parts.
    pub hmac_sha256: HmacSha256,
    /// Loads a scalar for signing.
    pub load_signing_key: fn(&SecretScalar) -> SigningKey,
    /// Loads a scalar for key agreement.
    pub load_decryption_key: fn(&SecretScalar) -> DecryptionKey,
    /// Loads the seed of an Ed25519 key (RFC 8032 section 5.1.5).
    pub load_ed25519_key: fn(seed: &[u8; 32]) -> Ed25519Key,
    /// Verifies an ECDSA P-256 SHA-256 signature over a message.
    pub verify: fn(&PublicKey, message: &[u8], &Signature) -> Result<(), Error>,
    /// Verifies an Ed25519 signature (RFC 8032) strictly: small-order points are refused as key and in the signature.
    #[expect(clippy::type_complexity, reason = "a function, spelled out where it is documented")]
    pub verify_ed25519: fn(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> Result<(), Error>,
    /// AES-128-GCM, for HPKE.
    pub aes_128_gcm: Aead<16>,
    /// AES-256-GCM-SIV (RFC 8452), for records at rest: a repeated nonce reveals only equality.
    pub aes_256_gcm_siv: Aead<32>,
    /// AES-128 in counter mode, for samples.
    pub aes_128_ctr: fn(&ContentKey) -> Box<dyn CounterMode>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Provider").field(&self.name).finish()
    }
}

/// HMAC-SHA256 over the concatenation of the parts.
pub type HmacSha256 = fn(key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; 32]>;

/// An authenticated cipher with a 12-byte nonce and a 16-byte tag at the end of the ciphertext.
pub struct Aead<const KEY: usize> {
    /// Encrypts and authenticates; returns ciphertext and tag.
    pub seal: Seal<KEY>,
    /// Authenticates and decrypts.
    pub open: Open<KEY>,
}

/// Encrypts and authenticates: key, nonce, associated data, plaintext.
pub type Seal<const KEY: usize> = fn(&[u8; KEY], &[u8; 12], aad: &[u8], plaintext: &[u8]) -> Vec<u8>;

/// Authenticates and decrypts: key, nonce, associated data, ciphertext.
pub type Open<const KEY: usize> =
    fn(&[u8; KEY], &[u8; 12], aad: &[u8], ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error>;

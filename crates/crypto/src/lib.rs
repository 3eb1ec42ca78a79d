//! Cryptography for Admit: key types and key ids, P-256 signatures, Ed25519 verification, HPKE key wrapping, authenticated
//! encryption, sealed records and the counter mode that encrypts samples, behind one [`Provider`] struct.
//!
//! The crate does no I/O, reads no clock and draws no randomness: entropy comes in as an argument. The one
//! named exception is ECDSA signing on the [`aws_lc`] provider, whose per-signature nonce is that library's own.

#![no_std]

extern crate alloc;

#[cfg(feature = "aws-lc")]
pub mod aws_lc;
mod cbor;
mod digest;
mod entropy;
mod error;
pub mod hpke;
mod key_id;
mod keys;
mod provider;
pub mod record;
pub mod rustcrypto;
mod sample;

pub use digest::Digest;
pub use entropy::Entropy;
pub use error::Error;
pub use key_id::{KeyId, KeyIdError, write_uuid};
pub use keys::{
    Agree, ContentKey, DecryptionKey, Ed25519Key, PublicKey, RecordKey, SecretScalar, Sign, SignEd25519, Signature,
    SigningKey,
};
pub use provider::{Aead, HmacSha256, Open, Provider, Seal};
pub use sample::{CounterMode, apply_counter_mode};

/// Every provider in this build, for tests that hold them to one behaviour.
#[cfg(test)]
fn rustcrypto_and_native() -> alloc::vec::Vec<&'static Provider> {
    alloc::vec![
        &rustcrypto::PROVIDER,
        #[cfg(feature = "aws-lc")]
        &aws_lc::PROVIDER,
    ]
}

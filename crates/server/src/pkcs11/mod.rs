//! A key in a PKCS#11 token (OASIS PKCS#11 2.40): AES-256, made in the token and never leaving it. It encrypts the
//! home's key-encryption key by AES-GCM when that is made, and decrypts it when the home is opened; nothing else.

mod fault;
mod token;
mod wrapped;

pub use fault::Pkcs11Fault;
pub(crate) use token::Token;
pub(crate) use wrapped::WrappedKey;

use admit_crypto::{Digest, Provider, RecordKey};

/// What a key-encryption key is called: nobody learns the key from its name.
pub(crate) fn name_of(provider: &Provider, key: &RecordKey) -> Digest {
    (provider.sha256)(&[KEY_ID_CONTEXT, key.expose()])
}

const KEY_ID_CONTEXT: &[u8] = b"admit key-encryption key";

//! A key-encryption key under a key in a token, as it lies in the file. It is no secret: only the token opens it.

use admit_crypto::Digest;
use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};

/// The file's content: a CBOR map.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct WrappedKey {
    /// The form of this record.
    #[n(1)]
    version: u8,
    /// What the database calls the key inside.
    #[n(2)]
    pub(crate) id: Digest,
    /// The label of the token's key.
    #[n(3)]
    pub(crate) token_key: String,
    #[n(4)]
    pub(super) nonce: ByteArray<NONCE_LENGTH>,
    /// AES-256-GCM of the 32 bytes, with its tag of 16 bytes behind.
    #[n(5)]
    pub(super) ciphertext: ByteVec,
}

impl WrappedKey {
    pub(super) fn new(id: Digest, token_key: &str, nonce: [u8; NONCE_LENGTH], ciphertext: Vec<u8>) -> Self {
        Self {
            version: VERSION,
            id,
            token_key: token_key.to_owned(),
            nonce: nonce.into(),
            ciphertext: ciphertext.into(),
        }
    }

    /// Reads the file's content, if it is one of this version.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        minicbor::decode(bytes).ok().filter(|key: &Self| key.version == VERSION)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        minicbor::encode(self, &mut bytes).expect("a vector takes every byte");
        bytes
    }
}

/// What is authenticated beside the key: what the record is, and both keys' names.
pub(super) fn associated_data(id: &Digest, token_key: &str) -> Vec<u8> {
    [CONTEXT, &[VERSION], id.as_bytes().as_slice(), token_key.as_bytes()].concat()
}

pub(super) const NONCE_LENGTH: usize = 12;
const VERSION: u8 = 1;
const CONTEXT: &[u8] = b"admit wrapped key-encryption key";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_another_version_or_cut_short_is_not_read() {
        let key = WrappedKey::new(Digest::from_bytes([1; 32]), "label", [2; NONCE_LENGTH], vec![3; 48]);
        let bytes = key.to_bytes();
        assert_eq!(WrappedKey::from_bytes(&bytes), Some(key.clone()));
        assert_eq!(WrappedKey::from_bytes(&bytes[..bytes.len() - 1]), None);
        let newer = WrappedKey { version: 2, ..key };
        assert_eq!(WrappedKey::from_bytes(&newer.to_bytes()), None);
    }
}

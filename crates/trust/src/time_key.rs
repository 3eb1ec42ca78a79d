//! The key of a time certificate: an Ed25519 key (RFC 8410) that a Roughtime service delegates with, and its epoch.

pub use admit_time::clock::TimeKey;
use der::asn1::{BitString, ObjectIdentifier};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use crate::{Error, Field};

/// The 32 bytes of an Ed25519 key: the algorithm has no parameters (RFC 8410 section 3).
pub(crate) fn read(info: &SubjectPublicKeyInfoOwned) -> Result<[u8; 32], Error> {
    let bytes = info.subject_public_key.as_bytes().and_then(|bytes| bytes.try_into().ok());
    match bytes {
        Some(key) if info.algorithm == ALGORITHM => Ok(key),
        _ => Err(Error::Field(Field::SubjectPublicKey)),
    }
}

/// The key as its certificate carries it.
pub(crate) fn info(key: &[u8; 32]) -> Result<SubjectPublicKeyInfoOwned, Error> {
    Ok(SubjectPublicKeyInfoOwned { algorithm: ALGORITHM, subject_public_key: BitString::from_bytes(key)? })
}

const ALGORITHM: AlgorithmIdentifierOwned =
    AlgorithmIdentifierOwned { oid: ObjectIdentifier::new_unwrap("1.3.101.112"), parameters: None };

#[cfg(test)]
mod tests;

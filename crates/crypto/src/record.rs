//! Sealed records: how secrets and state lie at rest, in a client's store and in a server's database.
//!
//! A record is a version byte (1), a 12-byte nonce, then AES-256-GCM-SIV ciphertext and tag. The associated
//! data is the version byte and the caller's context, which names the place the record belongs to (realm and
//! key, or table, row and column): a record moved elsewhere does not open.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::{Entropy, Error, Provider, RecordKey};

/// The record format this program writes.
pub const RECORD_VERSION: u8 = 1;

/// Bytes a record is longer than its plaintext: version, nonce, tag.
pub const RECORD_OVERHEAD: usize = 1 + 12 + 16;

/// The plaintext of a record that authenticated. Nothing but [`open`] makes one.
pub struct Opened(Zeroizing<Vec<u8>>);

impl Opened {
    /// The plaintext.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl core::fmt::Debug for Opened {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Opened({} bytes)", self.0.len())
    }
}

/// Seals `plaintext` for the place named by `context`.
pub fn seal(
    provider: &Provider,
    key: &RecordKey,
    context: &[&[u8]],
    plaintext: &[u8],
    entropy: &mut dyn Entropy,
) -> Vec<u8> {
    let mut nonce = [0; 12];
    entropy.fill(&mut nonce);
    let ciphertext =
        (provider.aes_256_gcm_siv.seal)(key.expose(), &nonce, &associated_data(RECORD_VERSION, context), plaintext);
    let mut record = Vec::with_capacity(plaintext.len() + RECORD_OVERHEAD);
    record.push(RECORD_VERSION);
    record.extend_from_slice(&nonce);
    record.extend_from_slice(&ciphertext);
    record
}

/// Opens a record found at the place named by `context`.
pub fn open(provider: &Provider, key: &RecordKey, context: &[&[u8]], record: &[u8]) -> Result<Opened, Error> {
    let (&version, rest) = record.split_first().ok_or(Error::BadCiphertext)?;
    if version != RECORD_VERSION {
        return Err(Error::UnknownRecordVersion { found: version });
    }
    let (nonce, ciphertext) = rest.split_first_chunk().ok_or(Error::BadCiphertext)?;
    (provider.aes_256_gcm_siv.open)(key.expose(), nonce, &associated_data(version, context), ciphertext).map(Opened)
}

/// Version, then each part behind its length, so that no two contexts run together.
fn associated_data(version: u8, context: &[&[u8]]) -> Vec<u8> {
    let mut aad = Vec::from([version]);
    for part in context {
        aad.extend_from_slice(&(part.len() as u64).to_be_bytes());
        aad.extend_from_slice(part);
    }
    aad
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rustcrypto_and_native;

    struct Fixed(u8);

    impl Entropy for Fixed {
        fn fill(&mut self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn a_record_opens_only_where_it_belongs_and_unchanged() {
        let key = RecordKey::from_bytes([1; 32]);
        for provider in rustcrypto_and_native() {
            let record = seal(provider, &key, &[b"table", b"row"], b"secret", &mut Fixed(3));
            assert_eq!(open(provider, &key, &[b"table", b"row"], &record).unwrap().bytes(), b"secret");
            let elsewhere: [&[&[u8]]; 4] = [&[b"table", b"rox"], &[b"tabl", b"erow"], &[b"tablerow"], &[]];
            for context in elsewhere {
                assert_eq!(open(provider, &key, context, &record).unwrap_err(), Error::BadCiphertext);
            }
            let other = RecordKey::from_bytes([2; 32]);
            assert_eq!(open(provider, &other, &[b"table", b"row"], &record).unwrap_err(), Error::BadCiphertext);
            for at in 0..record.len() {
                let mut flipped = record.clone();
                flipped[at] ^= 1;
                let expected = if at == 0 { Error::UnknownRecordVersion { found: 0 } } else { Error::BadCiphertext };
                assert_eq!(open(provider, &key, &[b"table", b"row"], &flipped).unwrap_err(), expected);
                assert!(open(provider, &key, &[b"table", b"row"], &record[..at]).is_err());
            }
        }
    }

    #[test]
    fn both_providers_write_the_same_record() {
        let key = RecordKey::from_bytes([1; 32]);
        let mut records =
            rustcrypto_and_native().into_iter().map(|provider| seal(provider, &key, &[b"x"], b"secret", &mut Fixed(3)));
        let first = records.next().unwrap();
        assert_eq!(first.len(), 6 + RECORD_OVERHEAD);
        assert!(records.all(|record| record == first));
    }
}

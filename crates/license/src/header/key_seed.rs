//! Content keys from a key seed (PlayReady Key Seed specification), and key checksums (PlayReady Header specification
//! section 5), which tell a mislabelled key before it turns into noise.

use core::fmt;

use admit_crypto::{ContentKey, Provider};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Algorithm, HeaderKey, KeyChecksum, guid};
use crate::KeyId;

/// A secret from which the content key of any key id can be derived.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct KeySeed([u8; Self::LENGTH]);

impl KeySeed {
    /// Bytes of a seed that count.
    pub const LENGTH: usize = 30;

    /// Takes the first 30 bytes of a seed, or `None` when there are fewer.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.first_chunk().copied().map(Self)
    }

    /// Derives the content key of a key id.
    #[must_use]
    pub fn content_key(&self, provider: &Provider, key_id: KeyId) -> ContentKey {
        let (seed, guid) = (self.0.as_slice(), guid::swap(key_id.as_bytes()));
        let mut key = Zeroizing::new([0; ContentKey::LENGTH]);
        for parts in [&[seed, &guid][..], &[seed, &guid, seed], &[seed, &guid, seed, &guid]] {
            let digest = (provider.sha256)(parts);
            let (first, second) = digest.as_bytes().split_at(ContentKey::LENGTH);
            key.iter_mut().zip(first).zip(second).for_each(|((byte, first), second)| *byte ^= first ^ second);
        }
        ContentKey::from_bytes(*key)
    }
}

impl fmt::Debug for KeySeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySeed(secret)")
    }
}

/// What a header's checksum says about a content key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChecksumVerdict {
    /// The key is the one that the header means.
    Matches,
    /// The key is another one.
    Differs,
    /// The header has no checksum for this key, or one of a kind that is not computed here (COCKTAIL).
    Unknown,
}

impl HeaderKey {
    /// Compares a content key with the checksum in the header.
    #[must_use]
    pub fn verify_checksum(&self, provider: &Provider, key: &ContentKey) -> ChecksumVerdict {
        match (self.algorithm, self.checksum) {
            (None | Some(Algorithm::AesCtr), Some(stated @ KeyChecksum::AesCtr(_))) => {
                let same = KeyChecksum::of(provider, self.key_id, key) == stated;
                if same { ChecksumVerdict::Matches } else { ChecksumVerdict::Differs }
            }
            _ => ChecksumVerdict::Unknown,
        }
    }
}

impl KeyChecksum {
    /// Computes the checksum of an AESCTR key: the key id, as a GUID, encrypted in one block.
    #[must_use]
    pub fn of(provider: &Provider, key_id: KeyId, key: &ContentKey) -> Self {
        // The keystream of one block is the encryption of its counter.
        let mut block = [0; 16];
        let counter = u128::from_be_bytes(guid::swap(key_id.as_bytes()));
        (provider.aes_128_ctr)(key).apply(counter, &mut block);
        let [a, b, c, d, e, f, g, h, ..] = block;
        Self::AesCtr([a, b, c, d, e, f, g, h])
    }
}

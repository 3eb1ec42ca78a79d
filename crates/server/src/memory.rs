//! What is remembered of verifications: which certificates' signatures hold, and what verified tokens say. Both are facts
//! of the bytes. Whether they are valid now, and not revoked, is asked on every request. And what is registered for key
//! ids, which nothing changes afterwards but a rotation of the key it is sealed under.

use std::sync::Arc;

use admit_crypto::Digest;
use admit_license::KeyId;
use admit_trust::{Certificate, CertificateMemory};
use quick_cache::sync::Cache;

use crate::metrics::CacheCounts;
use crate::store::content_key::ContentKeyRow;
use crate::token::Verified;

/// Certificates' signatures that hold, and fewer certificates as they were read, which take more room.
pub(crate) struct Certificates {
    signatures: Cache<Digest, ()>,
    counts: CacheCounts,
    read: Cache<Box<[u8]>, Certificate>,
}

impl Certificates {
    pub(crate) fn new(counts: CacheCounts) -> Self {
        Self { signatures: Cache::new(SIGNATURES), counts, read: Cache::new(CERTIFICATES) }
    }
}

impl CertificateMemory for Certificates {
    fn contains(&self, fact: &Digest, certificate: &Certificate) -> bool {
        let holds = self.counts.count(self.signatures.get(fact)).is_some();
        if holds && !self.read.contains_key(certificate.der()) {
            self.read.insert(certificate.der().into(), certificate.clone());
        }
        holds
    }

    fn keep(&self, fact: Digest, certificate: &Certificate) {
        self.signatures.insert(fact, ());
        self.read.insert(certificate.der().into(), certificate.clone());
    }

    fn find(&self, der: &[u8]) -> Option<Certificate> {
        self.read.get(der)
    }
}

/// What tokens say whose signatures hold, by the SHA-256 of their characters.
pub(crate) struct Tokens(Cache<Digest, Arc<Verified>>, CacheCounts);

impl Tokens {
    pub(crate) fn new(counts: CacheCounts) -> Self {
        Self(Cache::new(TOKENS), counts)
    }

    pub(crate) fn get(&self, token: &Digest) -> Option<Arc<Verified>> {
        self.1.count(self.0.get(token))
    }

    /// Keeps what a token of this many bytes says, unless that is too much to keep of many.
    pub(crate) fn keep(&self, token: Digest, bytes: usize, verified: Arc<Verified>) {
        if bytes <= LONGEST_TOKEN {
            self.0.insert(token, verified);
        }
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("count", &self.0.len()).finish_non_exhaustive()
    }
}

/// What is registered for key ids. The keys stay sealed.
pub(crate) struct ContentKeys(Cache<KeyId, Arc<ContentKeyRow>>, CacheCounts);

impl ContentKeys {
    pub(crate) fn new(counts: CacheCounts) -> Self {
        Self(Cache::new(CONTENT_KEYS), counts)
    }

    pub(crate) fn get(&self, key_id: &KeyId) -> Option<Arc<ContentKeyRow>> {
        self.1.count(self.0.get(key_id))
    }

    pub(crate) fn keep(&self, row: &Arc<ContentKeyRow>) {
        self.0.insert(row.content.key_id, Arc::clone(row));
    }
}

impl std::fmt::Debug for ContentKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContentKeys").field("count", &self.0.len()).finish_non_exhaustive()
    }
}

/// 32 bytes and some each: a few megabytes.
const SIGNATURES: usize = 50_000;
/// Some kilobytes each: some ten megabytes.
const CERTIFICATES: usize = 4_000;
/// Some hundred bytes each, and never more than a few kilobytes.
const TOKENS: usize = 10_000;
/// Bytes of a token's characters. A longer one is verified each time.
const LONGEST_TOKEN: usize = 2 * 1024;
/// Some hundred bytes each.
const CONTENT_KEYS: usize = 10_000;

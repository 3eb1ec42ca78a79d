//! What is remembered of verifications: which certificates' signatures hold, and what verified tokens say. Both are facts
//! of the bytes. Whether they are valid now, and not revoked, is asked on every request.

use std::sync::Arc;

use admit_crypto::Digest;
use admit_trust::SignatureMemory;
use quick_cache::sync::Cache;

use crate::metrics::CacheCounts;
use crate::token::Verified;

/// Certificates' signatures that hold.
pub(crate) struct Signatures(Cache<Digest, ()>, CacheCounts);

impl Signatures {
    pub(crate) fn new(counts: CacheCounts) -> Self {
        Self(Cache::new(SIGNATURES), counts)
    }
}

impl SignatureMemory for Signatures {
    fn contains(&self, fact: &Digest) -> bool {
        self.1.count(self.0.get(fact)).is_some()
    }

    fn keep(&self, fact: Digest) {
        self.0.insert(fact, ());
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

    pub(crate) fn keep(&self, token: Digest, verified: Arc<Verified>) {
        self.0.insert(token, verified);
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("count", &self.0.len()).finish_non_exhaustive()
    }
}

/// 32 bytes and some each: a few megabytes.
const SIGNATURES: usize = 50_000;
/// Some hundred bytes each.
const TOKENS: usize = 10_000;

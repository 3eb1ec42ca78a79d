//! Randomness inside the client: a function of the store's secret, the store's sequence number and the host's
//! entropy, so that a host that repeats its entropy repeats no nonce.

use admit_crypto::{Entropy, Provider, RecordKey};
use zeroize::Zeroizing;

/// An entropy source for one step of a session.
pub struct MixedEntropy<'p> {
    provider: &'p Provider,
    seed: Zeroizing<[u8; 32]>,
    block: u64,
}

impl<'p> MixedEntropy<'p> {
    /// Mixes the store's secret and sequence number with 32 bytes from the host.
    pub(crate) fn new(provider: &'p Provider, secret: &RecordKey, sequence: u64, host: &mut dyn Entropy) -> Self {
        let mut fresh = Zeroizing::new([0; 32]);
        host.fill(&mut *fresh);
        let seed = (provider.hmac_sha256)(secret.expose(), &[LABEL, &sequence.to_be_bytes(), &*fresh]);
        Self { provider, seed, block: 0 }
    }
}

impl Entropy for MixedEntropy<'_> {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let block = (self.provider.hmac_sha256)(&*self.seed, &[&self.block.to_be_bytes()]);
            self.block += 1;
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

impl core::fmt::Debug for MixedEntropy<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("MixedEntropy(secret)")
    }
}

const LABEL: &[u8] = b"admit/1/client entropy";

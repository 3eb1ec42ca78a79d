//! Randomness that is the same in every run.

use admit_crypto::{Entropy, rustcrypto};

/// SHA-256 in counter mode over a seed. For tests only: nothing about it is secret.
#[derive(Debug, Clone)]
pub struct SeededEntropy {
    seed: u64,
    block: u64,
}

impl SeededEntropy {
    /// A source that depends on nothing but `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, block: 0 }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let block = (rustcrypto::PROVIDER.sha256)(&[&self.seed.to_be_bytes(), &self.block.to_be_bytes()]);
            self.block += 1;
            chunk.copy_from_slice(&block.as_bytes()[..chunk.len()]);
        }
    }
}

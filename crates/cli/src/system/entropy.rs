//! The operating system's randomness, by direct system calls.

use admit_crypto::Entropy;

/// Draws from the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SystemEntropy;

impl SystemEntropy {
    /// A number that no other process has drawn.
    pub(crate) fn nonce(mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_be_bytes(bytes)
    }
}

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("an operating system without randomness is not one to make keys on");
    }
}

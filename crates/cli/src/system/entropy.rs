//! The operating system's randomness, by direct system calls.

use admit_crypto::Entropy;

/// Draws from the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("an operating system without randomness is not one to make keys on");
    }
}

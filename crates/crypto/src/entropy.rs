//! Where randomness comes in.

/// A source of random bytes, passed to whatever needs them.
///
/// The operating system's generator at the edge of a program, a seeded one in tests. A source that cannot
/// deliver must not return: there is nothing safe to do without it.
pub trait Entropy {
    /// Fills `bytes` with random bytes.
    fn fill(&mut self, bytes: &mut [u8]);
}

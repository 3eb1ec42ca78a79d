//! The mark of a check that was made.

use core::ops::Deref;

/// A value whose chain of trust was verified. Only this crate's verifying functions make one, so a function
/// that asks for `Verified<T>` cannot be called with something unchecked.
///
/// ```compile_fail,E0423
/// let forged = admit_trust::Verified("anything");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value without its mark.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

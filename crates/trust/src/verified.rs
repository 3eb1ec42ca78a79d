//! The mark of a check that was made.

use core::marker::PhantomData;
use core::ops::Deref;

use crate::role::Marker;

/// A value whose chain of trust was verified for the role `R`. Only this crate's verifying functions make one, so a
/// function that asks for one cannot be called with something unchecked:
///
/// ```compile_fail,E0423
/// let forged = admit_trust::Verified("anything", core::marker::PhantomData::<admit_trust::role::License>);
/// ```
///
/// and what was verified for one role does not pass for another:
///
/// ```
/// # use admit_trust::{Certificate, Verified, role};
/// fn believe(service: &Verified<Certificate, role::License>) {}
/// fn with(service: &Verified<Certificate, role::License>) {
///     believe(service);
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use admit_trust::{Certificate, Verified, role};
/// fn believe(service: &Verified<Certificate, role::License>) {}
/// fn with(client: &Verified<Certificate, role::Client>) {
///     believe(client);
/// }
/// ```
///
/// Roles are these only; nobody adds one under another's number:
///
/// ```compile_fail,E0277
/// enum Mine {}
/// impl admit_trust::role::Marker for Mine {
///     const ROLE: admit_trust::Role = admit_trust::Role::License;
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Verified<T, R: Marker>(T, PhantomData<R>);

impl<T, R: Marker> Verified<T, R> {
    pub(crate) const fn new(value: T) -> Self {
        Self(value, PhantomData)
    }

    /// The value without its mark.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T, R: Marker> Deref for Verified<T, R> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

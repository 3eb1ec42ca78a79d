//! The mark of a check that was made.

use core::marker::PhantomData;
use core::ops::Deref;

use admit_crypto::PublicKey;

use crate::role::{Marker, P256Marker, Time};
use crate::{Certificate, TimeKey};

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
/// and nobody takes a time service's key for one that signs anything else:
///
/// ```compile_fail,E0308
/// # use admit_crypto::PublicKey;
/// # use admit_trust::{Certificate, Verified, role};
/// fn key(service: &Verified<Certificate, role::Time>) -> &PublicKey {
///     service.public_key()
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

impl<R: P256Marker> Verified<Certificate, R> {
    /// The key the certificate is about: it verifies what the subject signs.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        self.0.public_key().expect("a certificate of another role than time has a P-256 key")
    }
}

impl Verified<Certificate, Time> {
    /// The key that the time service delegates with, and its epoch.
    #[must_use]
    pub fn time_key(&self) -> &TimeKey {
        self.0.time_key().expect("a certificate of the role time has a time key")
    }
}

impl<T, R: Marker> Deref for Verified<T, R> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

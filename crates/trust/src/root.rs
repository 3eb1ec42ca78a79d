//! The trust root of a realm.

use admit_crypto::{Digest, Provider};

use crate::{Certificate, Error, Field};

/// A root certificate that the user, or the configuration, has named by its fingerprint. The fingerprint is the
/// realm: everything a client keeps is kept under it.
///
/// ```compile_fail,E0451
/// # use admit_crypto::Digest;
/// # use admit_trust::{Certificate, TrustRoot};
/// fn forge(certificate: Certificate, fingerprint: Digest) -> TrustRoot {
///     TrustRoot { certificate, fingerprint }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustRoot {
    certificate: Certificate,
    fingerprint: Digest,
}

impl TrustRoot {
    /// Accepts a certificate as the root that `fingerprint` names.
    pub fn pin(provider: &Provider, certificate: Certificate, fingerprint: Digest) -> Result<Self, Error> {
        let found = certificate.fingerprint(provider);
        if found != fingerprint {
            return Err(Error::RootMismatch { expected: fingerprint, found });
        }
        if !certificate.is_authority() || certificate.role().is_some() {
            return Err(Error::Field(Field::BasicConstraints));
        }
        if !certificate.is_issued_by_name_of(&certificate) {
            return Err(Error::IssuerMismatch { depth: 0 });
        }
        if !certificate.is_signed_by(provider, certificate.public_key()) {
            return Err(Error::CertificateSignature { depth: 0 });
        }
        Ok(Self { certificate, fingerprint })
    }

    /// The root's certificate.
    #[must_use]
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The realm: SHA-256 of the root's certificate.
    #[must_use]
    pub const fn realm(&self) -> Digest {
        self.fingerprint
    }
}

//! The trust root of a realm.

use core::fmt;
use std::sync::Arc;

use admit_crypto::{Digest, Provider, PublicKey};

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
#[derive(Clone)]
pub struct TrustRoot {
    certificate: Certificate,
    key: PublicKey,
    fingerprint: Digest,
    memory: Option<Arc<dyn CertificateMemory>>,
}

/// Remembers which certificates' signatures hold, and certificates as they were read. Both are facts of the bytes and stay
/// so; dates, names, roles and path lengths are checked every time. A server that sees the same clients again and again
/// saves most of its work so.
pub trait CertificateMemory: Send + Sync {
    /// Whether this fact of the certificate was kept.
    fn contains(&self, fact: &Digest, certificate: &Certificate) -> bool;

    /// Keeps a certificate whose signature holds, and the fact, as long as there is room.
    fn keep(&self, fact: Digest, certificate: &Certificate);

    /// A certificate that was kept, by its DER.
    fn find(&self, der: &[u8]) -> Option<Certificate>;
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
        let key = *certificate.public_key().ok_or(Error::Field(Field::SubjectPublicKey))?;
        if !certificate.is_signed_by(provider, &key) {
            return Err(Error::CertificateSignature { depth: 0 });
        }
        Ok(Self { certificate, key, fingerprint, memory: None })
    }

    /// The same root with a memory of the certificates that were verified below it.
    #[must_use]
    pub fn with_memory(self, memory: impl CertificateMemory + 'static) -> Self {
        Self { memory: Some(Arc::new(memory)), ..self }
    }

    /// Reads a certificate, or finds it read.
    pub(crate) fn read(&self, der: &[u8]) -> Result<Certificate, Error> {
        let known = self.memory.as_ref().and_then(|memory| memory.find(der));
        known.map_or_else(|| Certificate::from_der(der), Ok)
    }

    /// Whether a certificate's signature holds under its issuer's key, from memory or anew.
    pub(crate) fn holds(&self, provider: &Provider, certificate: &Certificate, issuer: &PublicKey) -> bool {
        let Some(memory) = &self.memory else { return certificate.is_signed_by(provider, issuer) };
        // Domain, key and certificate: the key has one length, so that no two facts are the same bytes.
        let fact = (provider.sha256)(&[b"certificate", issuer.as_bytes(), certificate.der()]);
        if memory.contains(&fact, certificate) {
            return true;
        }
        let holds = certificate.is_signed_by(provider, issuer);
        if holds {
            memory.keep(fact, certificate);
        }
        holds
    }

    /// The root's certificate.
    #[must_use]
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The root's key.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// The realm: SHA-256 of the root's certificate.
    #[must_use]
    pub const fn realm(&self) -> Digest {
        self.fingerprint
    }
}

impl fmt::Debug for TrustRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut root = f.debug_struct("TrustRoot");
        root.field("certificate", &self.certificate).field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

/// What is remembered does not make another root.
impl PartialEq for TrustRoot {
    fn eq(&self, other: &Self) -> bool {
        (&self.certificate, self.fingerprint) == (&other.certificate, other.fingerprint)
    }
}

impl Eq for TrustRoot {}

//! What an application's certificate says of it.

use admit_trust::{Certificate, CertificateVersion, SDMI_LEVEL, SdkGeneration, Verified, role};

/// What the certificate of an application says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Application {
    /// Its security level.
    pub security_level: u32,
    /// Which rights it knows.
    pub sdk_generation: SdkGeneration,
    /// The version of its certificate: what an application of version 1.0 issues is not SDMI-compliant (row B13).
    pub certificate_version: CertificateVersion,
}

impl Application {
    /// The application of this certificate; without one, or where it says no level, the level is 0.
    #[must_use]
    pub fn new(certificate: Option<&Verified<Certificate, role::Application>>) -> Self {
        let properties = certificate.map(|certificate| certificate.properties());
        Self {
            security_level: properties.and_then(|properties| properties.security_level).unwrap_or(0),
            sdk_generation: properties.and_then(|properties| properties.sdk_generation).unwrap_or_default(),
            certificate_version: properties.and_then(|properties| properties.certificate_version).unwrap_or_default(),
        }
    }

    /// Whether it may mark content as SDMI-validated (row B10).
    #[must_use]
    pub const fn may_mark_sdmi(&self) -> bool {
        self.security_level >= SDMI_LEVEL
    }
}

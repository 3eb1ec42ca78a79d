//! How long certificates under the trust root are valid, and when the keys in them are to be replaced.

use std::borrow::Cow;
use std::time::Duration;

use admit_time::Timestamp;
use admit_trust::{Certificate, Role};

/// A certificate under the trust root, or the root's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What it is for: the name of a service or a role, or `root`.
    pub name: Cow<'static, str>,
    /// When it ends.
    pub ends_at: Timestamp,
    /// From when on it is due to be renewed. The root is not renewed: from then on a new realm is due.
    pub renew_by: Timestamp,
}

impl Standing {
    pub(super) fn of(name: impl Into<Cow<'static, str>>, certificate: &Certificate) -> Self {
        Self { name: name.into(), ends_at: certificate.not_after(), renew_by: renew_by(certificate) }
    }

    /// Whether it is due.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.renew_by <= now
    }
}

/// How long a certificate of a role is valid. What signs answers is short-lived; what stands behind things that
/// people keep, content headers and client certificates, lives as long as they do, because it is checked again
/// whenever they are used.
pub(super) const fn lifetime(role: Role) -> Duration {
    match role {
        Role::Packaging => ROOT_LIFETIME,
        Role::Enrolment | Role::Application | Role::Hardware => YEAR.saturating_mul(10),
        _ => YEAR,
    }
}

/// From when on a certificate is to be renewed. An authority is replaced while the certificates that it issues can
/// still be valid for all of their five years, and a key that signs headers is not used for as long as they live.
pub(super) fn renew_by(certificate: &Certificate) -> Timestamp {
    match certificate.role() {
        Some(Role::Packaging | Role::Enrolment | Role::Application) => {
            certificate.not_before().saturating_add(YEAR.saturating_mul(5).saturating_sub(NOTICE))
        }
        Some(_) => certificate.not_before().saturating_add(YEAR.saturating_sub(NOTICE)),
        None => certificate.not_after().saturating_sub(YEAR.saturating_mul(2)),
    }
}

/// How long the root is valid.
pub(super) const ROOT_LIFETIME: Duration = Duration::from_secs(20 * 365 * 86_400 + 5 * 86_400);
/// A year, and a day for the leap years.
pub(super) const YEAR: Duration = Duration::from_secs(366 * 86_400);
/// How long before it is needed at the latest a certificate is renewed.
const NOTICE: Duration = Duration::from_secs(60 * 86_400);
/// What the root is called.
pub(super) const ROOT: &str = "root";

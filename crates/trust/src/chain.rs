//! Certificate chains up to a trust root (RFC 5280 section 6, for the few shapes that Admit has): a service,
//! packaging or application certificate directly under the root, or a client certificate under an authority
//! under the root.

use admit_crypto::Provider;
use admit_time::Timestamp;

use crate::role::Marker;
use crate::{Certificate, Error, Role, TrustRoot, Verified};

/// The time that certificates' dates are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateCheck {
    /// The time is known: both dates hold.
    At(Timestamp),
    /// Only a time that has certainly passed is known, as on a client whose clock is unset: certificates that
    /// had ended by then are refused, and nothing is said of their beginning.
    NotExpiredBefore(Timestamp),
}

impl DateCheck {
    fn check(self, certificate: &Certificate, depth: usize) -> Result<(), Error> {
        let (Self::At(now) | Self::NotExpiredBefore(now)) = self;
        if certificate.not_after() < now {
            return Err(Error::Expired { depth, not_after: certificate.not_after() });
        }
        if matches!(self, Self::At(_)) && certificate.not_before() > now {
            return Err(Error::NotYetValid { depth, not_before: certificate.not_before() });
        }
        Ok(())
    }
}

/// Verifies a chain, leaf first and without the root, and that its leaf has the role `R`.
pub fn verify_chain<R: Marker>(
    provider: &Provider,
    root: &TrustRoot,
    chain: &[Certificate],
    dates: DateCheck,
) -> Result<Verified<Certificate, R>, Error> {
    let leaf = chain.first().ok_or(Error::EmptyChain)?;
    if chain.len() > MAX_CHAIN {
        return Err(Error::ChainTooLong { limit: MAX_CHAIN });
    }
    if leaf.role() != Some(R::ROLE) {
        return Err(Error::WrongRole { expected: R::ROLE, found: leaf.role() });
    }
    if let Some(authority) = chain.get(1) {
        let may_issue = authority.is_authority() && authority.role().is_some_and(Role::issues_clients);
        if !may_issue || R::ROLE != Role::Client {
            return Err(Error::NotAnAuthority { depth: 1 });
        }
    }
    // From the root down: whatever is computed, and remembered, of a certificate was issued below the root.
    for (depth, certificate) in chain.iter().enumerate().rev() {
        let issuer = chain.get(depth + 1).unwrap_or(root.certificate());
        let key = issuer.public_key().ok_or(Error::NotAnAuthority { depth: depth + 1 })?;
        if !certificate.is_issued_by_name_of(issuer) {
            return Err(Error::IssuerMismatch { depth });
        }
        check_path_length(issuer, &chain[1..=depth], depth + 1)?;
        dates.check(certificate, depth)?;
        if !root.holds(provider, certificate, key) {
            return Err(Error::CertificateSignature { depth });
        }
    }
    dates.check(root.certificate(), chain.len())?;
    Ok(Verified::new(leaf.clone()))
}

/// `pathLenConstraint` of RFC 5280 section 4.2.1.9: how many certificates, the leaf and self-issued ones not counted,
/// stand between the issuer and the leaf at most.
fn check_path_length(issuer: &Certificate, between: &[Certificate], depth: usize) -> Result<(), Error> {
    let found = between.iter().filter(|certificate| !certificate.is_issued_by_name_of(certificate)).count();
    match issuer.path_length() {
        Some(limit) if found > usize::from(limit) => Err(Error::PathLength { depth, limit }),
        _ => Ok(()),
    }
}

/// A client certificate and its authority; the root is pinned and never sent.
pub(crate) const MAX_CHAIN: usize = 2;

#[cfg(test)]
mod tests;

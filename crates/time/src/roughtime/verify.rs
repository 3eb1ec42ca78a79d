//! What makes a response believable (RFC 10049 section 5.4), and our own bounds on radius and midpoint.

use alloc::vec::Vec;

use admit_crypto::Provider;

use crate::roughtime::response::Response;
use crate::roughtime::{FormatError, NONCE_LENGTH, TYPE_RESPONSE, Tag, VERSION, leaf_hash, merkle, unframe};
use crate::{Error, Timestamp};

/// What a time server signed: the time was within `radius_secs` of `midpoint` when it answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedTime {
    midpoint: Timestamp,
    radius_secs: u32,
}

impl SignedTime {
    /// The server's estimate.
    #[must_use]
    pub const fn midpoint(&self) -> Timestamp {
        self.midpoint
    }

    /// How far off the estimate may be, 1 to [`MAX_RADIUS_SECS`] seconds.
    #[must_use]
    pub const fn radius_secs(&self) -> u32 {
        self.radius_secs
    }
}

/// Checks that a response answers a request and that the owner of the pinned key stands behind it.
///
/// It says nothing about age: a response stays as true as it was. [`Outstanding`](crate::Outstanding) ties it to a
/// question just asked.
pub fn verify(
    provider: &Provider,
    pinned_key: &[u8; 32],
    request_packet: &[u8],
    response_packet: &[u8],
) -> Result<SignedTime, Error> {
    let nonce = requested_nonce(request_packet)?;
    if response_packet.len() > request_packet.len() {
        return Err(Error::OversizedResponse { found: response_packet.len(), limit: request_packet.len() });
    }
    let response = Response::parse(response_packet).map_err(Error::MalformedResponse)?;
    check_kind(&response, nonce)?;
    check_signatures(provider, pinned_key, &response)?;
    check_tree(provider, request_packet, &response)?;
    check_versions(response.signed.versions)?;
    check_delegation_window(&response)?;
    signed_time(&response)
}

/// Our own side's packet: the nonce it carries, given that it offers our version.
fn requested_nonce(request_packet: &[u8]) -> Result<&[u8; NONCE_LENGTH], Error> {
    let fields = || -> Result<_, FormatError> {
        let request = unframe(request_packet)?;
        Ok((request.require(Tag::VER)?.arrays()?, request.require(Tag::NONC)?.array()?))
    };
    let (versions, nonce) = fields().map_err(Error::MalformedRequest)?;
    if !versions.contains(&VERSION.to_le_bytes()) {
        return Err(Error::VersionNotOffered);
    }
    Ok(nonce)
}

fn check_kind(response: &Response<'_>, nonce: &[u8; NONCE_LENGTH]) -> Result<(), Error> {
    if response.message_type != TYPE_RESPONSE {
        return Err(Error::NotAResponse { found: response.message_type });
    }
    if response.nonce != nonce {
        return Err(Error::WrongNonce);
    }
    if response.signed.version != VERSION {
        return Err(Error::UnknownVersion { found: response.signed.version });
    }
    Ok(())
}

fn check_signatures(provider: &Provider, pinned_key: &[u8; 32], response: &Response<'_>) -> Result<(), Error> {
    let holds = |key, context: &[u8], signed: &[u8], signature| {
        let message: Vec<u8> = [context, signed].concat();
        (provider.verify_ed25519)(key, &message, signature)
    };
    let certificate = &response.certificate;
    holds(pinned_key, DELEGATION_CONTEXT, certificate.delegation, certificate.signature)
        .map_err(|_| Error::BadDelegationSignature)?;
    holds(certificate.key, RESPONSE_CONTEXT, response.signed.bytes, response.signature)
        .map_err(|_| Error::BadResponseSignature)
}

fn check_tree(provider: &Provider, request_packet: &[u8], response: &Response<'_>) -> Result<(), Error> {
    let leaf = leaf_hash(provider, request_packet);
    let root = merkle::root(provider, leaf, response.index, response.path)?;
    if root != *response.signed.root {
        return Err(Error::RequestNotInTree);
    }
    Ok(())
}

/// Section 5.2.5 on VERS. It is where a server says that it speaks a newer version, so it has to be whole.
fn check_versions(versions: &[[u8; 4]]) -> Result<(), Error> {
    let ascending = versions.is_sorted_by(|low, high| u32::from_le_bytes(*low) < u32::from_le_bytes(*high));
    if !ascending || !(1..=MAX_VERSIONS).contains(&versions.len()) {
        return Err(Error::MalformedVersionList);
    }
    if !versions.contains(&VERSION.to_le_bytes()) {
        return Err(Error::VersionNotListed);
    }
    Ok(())
}

fn check_delegation_window(response: &Response<'_>) -> Result<(), Error> {
    let midpoint = response.signed.midpoint;
    let (begins, ends) = (response.certificate.begins, response.certificate.ends);
    if midpoint < begins {
        return Err(Error::BeforeDelegation { midpoint, begins });
    }
    if midpoint > ends {
        return Err(Error::AfterDelegation { midpoint, ends });
    }
    Ok(())
}

fn signed_time(response: &Response<'_>) -> Result<SignedTime, Error> {
    let (midpoint, radius_secs) = (response.signed.midpoint, response.signed.radius_secs);
    if radius_secs == 0 {
        return Err(Error::ZeroRadius);
    }
    if radius_secs > MAX_RADIUS_SECS {
        return Err(Error::RadiusTooLarge { found: radius_secs });
    }
    match midpoint.checked_add(radius_secs.into()) {
        Some(latest) if latest <= Timestamp::MAX.unix_secs() => {
            Ok(SignedTime { midpoint: Timestamp::from_unix_secs(midpoint), radius_secs })
        }
        _ => Err(Error::MidpointOutOfRange { midpoint }),
    }
}

/// The largest radius that is believed: a server less certain than this has no time to give.
pub const MAX_RADIUS_SECS: u32 = 30;

/// What stands before SREP when it is signed (section 5.2.1).
pub const RESPONSE_CONTEXT: &[u8] = b"Roughtime v1 response signature\0";

/// What stands before DELE when it is signed (section 5.2.6).
pub const DELEGATION_CONTEXT: &[u8] = b"Roughtime v1 delegation signature\0";

/// The most entries that VERS may have (section 5.2.5).
const MAX_VERSIONS: usize = 32;

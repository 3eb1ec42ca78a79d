//! The license response.

use admit_crypto::{Digest, Provider, SigningKey};
use admit_license::{SignedLicense, VerifiedLicense};
use admit_trust::{Certificate, DateCheck, Envelope, TrustRoot, Verified, role};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::{MAX_RESPONSE, RESPONSE_CONTENT_TYPE, StorePosition};
use crate::Error;
use crate::error::{decode_all, encode};

/// What a license service answers.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LicenseResponse {
    /// SHA-256 of the signed challenge.
    #[n(1)]
    pub challenge_hash: Digest,
    /// SHA-256 of the client's certificate.
    #[n(2)]
    pub client_hash: Digest,
    /// The licenses; none where only the time was asked for.
    #[n(3)]
    pub licenses: Vec<ByteVec>,
    /// Revocation data that is newer than what the client has.
    #[n(4)]
    pub revocation: Option<ByteVec>,
    /// A Roughtime answer to the request that both sides make from the hash of the challenge.
    #[n(5)]
    pub time: Option<ByteVec>,
    /// A later state of the client's store than the challenge's that the service has seen; then there are no licenses. The
    /// client knows whether its store is older, or only its challenge.
    #[n(6)]
    pub store_seen: Option<StorePosition>,
}

impl LicenseResponse {
    /// The answer with these licenses.
    #[must_use]
    pub fn new(challenge_hash: Digest, client_hash: Digest, licenses: Vec<SignedLicense>) -> Self {
        let licenses = licenses.into_iter().map(|license| license.into_bytes().into()).collect();
        Self { challenge_hash, client_hash, licenses, revocation: None, time: None, store_seen: None }
    }

    /// The time in a response that nobody has verified. A time is signed by itself, and the certificates behind the
    /// response are judged by it where the client has no other: so it is looked at first. Where it does not read there is
    /// none, and verifying says what is wrong.
    #[must_use]
    pub fn unverified_time(bytes: &[u8]) -> Option<Vec<u8>> {
        let bytes = Some(bytes).filter(|bytes| bytes.len() <= MAX_RESPONSE)?;
        let envelope = Envelope::decode(bytes, RESPONSE_CONTENT_TYPE).ok()?;
        let response: Self = decode_all(MESSAGE, MAX_RESPONSE, envelope.unverified_payload()?).ok()?;
        response.time.map(Vec::from)
    }

    /// Signs the response.
    #[must_use]
    pub fn sign(&self, key: &SigningKey, chain: &[Certificate]) -> Vec<u8> {
        admit_trust::sign(key, chain, RESPONSE_CONTENT_TYPE, &encode(self))
    }
}

/// What a client knows when a response comes in.
#[derive(Debug, Clone, Copy)]
pub struct ResponseContext<'a> {
    /// The realm's root.
    pub root: &'a TrustRoot,
    /// The hash of the challenge that was sent.
    pub challenge_hash: Digest,
    /// The client's certificate.
    pub client: &'a Verified<Certificate, role::Client>,
    /// The thumbprint of the client's encryption key.
    pub encryption_key: Digest,
    /// What dates are compared with.
    pub dates: DateCheck,
}

/// A response whose signature, chain and hashes hold, and whose licenses were all verified.
///
/// ```compile_fail,E0451
/// # use admit_protocol::acquire::VerifiedResponse;
/// let forged = VerifiedResponse { licenses: Vec::new(), store_seen: None };
/// ```
#[derive(Debug, Clone)]
pub struct VerifiedResponse {
    licenses: Vec<VerifiedLicense>,
    store_seen: Option<StorePosition>,
}

impl VerifiedResponse {
    /// Verifies a response and every license in it. One bad license refuses all of it.
    pub fn verify(provider: &Provider, context: &ResponseContext<'_>, bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_RESPONSE {
            return Err(Error::TooLong { message: MESSAGE, length: bytes.len(), limit: MAX_RESPONSE });
        }
        let trust = Error::trust(MESSAGE);
        let envelope = Envelope::decode(bytes, RESPONSE_CONTENT_TYPE).map_err(&trust)?;
        let signed = envelope.verify::<role::License>(provider, context.root, context.dates).map_err(&trust)?;
        let response: LicenseResponse = decode_all(MESSAGE, MAX_RESPONSE, signed.payload())?;
        if response.challenge_hash != context.challenge_hash {
            return Err(Error::OtherChallenge);
        }
        if response.client_hash != context.client.fingerprint(provider) {
            return Err(Error::OtherClient);
        }
        let verify = |license: &ByteVec| {
            VerifiedLicense::verify(provider, context.root, license, context.dates, &context.encryption_key)
        };
        let licenses = response.licenses.iter().map(verify).collect::<Result<_, _>>()?;
        Ok(Self { licenses, store_seen: response.store_seen })
    }

    /// A later state of the client's store that the service has seen.
    #[must_use]
    pub const fn store_seen(&self) -> Option<StorePosition> {
        self.store_seen
    }

    /// The licenses.
    #[must_use]
    pub fn into_licenses(self) -> Vec<VerifiedLicense> {
        self.licenses
    }
}

const MESSAGE: &str = "license response";

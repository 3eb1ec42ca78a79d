//! Evidence of hardware: a key that the realm vouches for as one in a device, in whose hardware a clock is protected from
//! change, signs for which client it enrols (row E03). Only with it does a client get a certificate that says so.

use admit_crypto::{Digest, Provider, PublicKey, SigningKey};
use admit_trust::{Certificate, ClockKind, DateCheck, Envelope, TrustRoot, Verified, role};
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

use crate::Error;
use crate::enrol::EnrolmentRequest;
use crate::error::{decode_all, encode};

/// What a device's hardware signs: the enrolment that it is part of, so that it is of no use to another client or at
/// another time.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct HardwareEvidence {
    /// The nonce of the enrolment request.
    #[n(1)]
    pub nonce: ByteArray<32>,
    /// The realm to enrol in.
    #[n(2)]
    pub realm: Digest,
    /// The key that the client signs challenges with.
    #[n(3)]
    pub signing_key: PublicKey,
    /// The key that licenses are wrapped to.
    #[n(4)]
    pub encryption_key: PublicKey,
}

/// Hardware that vouches for an enrolment request: its certificate says what is protected in it.
#[derive(Debug, Clone)]
#[must_use]
pub struct VouchedHardware {
    certificate: Verified<Certificate, role::Hardware>,
}

impl HardwareEvidence {
    /// The evidence that belongs into this request.
    #[must_use]
    pub const fn of(request: &EnrolmentRequest) -> Self {
        Self {
            nonce: request.nonce,
            realm: request.realm,
            signing_key: request.signing_key,
            encryption_key: request.encryption_key,
        }
    }

    /// Signs it with the hardware's key. `certificate` is the one under the realm's root that names this key.
    #[must_use]
    pub fn sign(&self, key: &SigningKey, certificate: &Certificate) -> Vec<u8> {
        admit_trust::sign(key, std::slice::from_ref(certificate), EVIDENCE_CONTENT_TYPE, &encode(self))
    }
}

impl VouchedHardware {
    /// Verifies the evidence in a request; none where there is none.
    pub fn verify(
        provider: &Provider,
        root: &TrustRoot,
        dates: DateCheck,
        request: &EnrolmentRequest,
    ) -> Result<Option<Self>, Error> {
        let Some(bytes) = &request.hardware else { return Ok(None) };
        let trust = Error::trust(EVIDENCE);
        let envelope = Envelope::decode(bytes, EVIDENCE_CONTENT_TYPE).map_err(&trust)?;
        let signed = envelope.verify::<role::Hardware>(provider, root, dates).map_err(&trust)?;
        let evidence: HardwareEvidence = decode_all(EVIDENCE, bytes.len(), signed.payload())?;
        if evidence != HardwareEvidence::of(request) {
            return Err(Error::OtherKeys);
        }
        Ok(Some(Self { certificate: signed.into_signer() }))
    }

    /// The hardware's certificate.
    pub const fn certificate(&self) -> &Verified<Certificate, role::Hardware> {
        &self.certificate
    }

    /// The clock that is in it.
    #[must_use]
    pub fn clock(&self) -> ClockKind {
        self.certificate.properties().clock.unwrap_or_default()
    }
}

/// The content type of evidence.
pub const EVIDENCE_CONTENT_TYPE: &str = "application/admit-hardware-evidence+cbor";

const EVIDENCE: &str = "hardware evidence";

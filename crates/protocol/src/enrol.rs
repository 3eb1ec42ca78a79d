//! Enrolment: a client that made its own keys on first load (row A01) gets a certificate for the default
//! component.

use admit_crypto::{Digest, Entropy, Provider, PublicKey, SigningKey};
use admit_trust::{
    Certificate, ClientProperties, ClockKind, ComponentVersion, DateCheck, Envelope, Features, TrustRoot, Verified,
    role, verify_chain,
};
use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};

use crate::Error;
use crate::error::{decode_all, encode};

/// What a client says of itself when it enrols. It proves that it has the signing key by signing this.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EnrolmentRequest {
    /// Random; tells one attempt from another in logs.
    #[n(1)]
    pub nonce: ByteArray<32>,
    /// The realm to enrol in.
    #[n(2)]
    pub realm: Digest,
    /// The key that challenges are signed with.
    #[n(3)]
    pub signing_key: PublicKey,
    /// The key that licenses are wrapped to.
    #[n(4)]
    pub encryption_key: PublicKey,
    /// The component's version.
    #[n(5)]
    pub component_version: ComponentVersion,
    /// The client's clock.
    #[n(6)]
    pub clock: ClockKind,
    /// What the client can do, as bits.
    #[n(7)]
    pub features: u32,
    /// What a device's hardware says for this request, as [`crate::evidence`] has it: without it no client gets a clock that
    /// is protected by hardware (row E03).
    #[n(8)]
    pub hardware: Option<ByteVec>,
}

/// An enrolment request whose signature holds under the key it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRequest {
    request: EnrolmentRequest,
}

/// The answer: the client's certificate and its authority's.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EnrolmentResponse {
    /// The client's certificate.
    #[n(1)]
    pub certificate: ByteVec,
    /// The enrolment authority's certificate, directly under the root.
    #[n(2)]
    pub authority: ByteVec,
}

/// What a client has once the answer to its request was verified.
#[derive(Debug, Clone)]
pub struct Enrolled {
    /// The client's certificate.
    pub certificate: Verified<Certificate, role::Client>,
    /// What the certificate says.
    pub properties: ClientProperties,
    /// The certificate and its authority's, as challenges carry them.
    pub chain: Vec<Certificate>,
}

impl EnrolmentRequest {
    /// Makes a request for the default component (row A01).
    pub fn new(
        realm: Digest,
        signing_key: PublicKey,
        encryption_key: PublicKey,
        clock: ClockKind,
        features: Features,
        entropy: &mut dyn Entropy,
    ) -> Self {
        let mut nonce = [0; 32];
        entropy.fill(&mut nonce);
        let component_version = ComponentVersion::DEFAULT;
        Self {
            nonce: nonce.into(),
            realm,
            signing_key,
            encryption_key,
            component_version,
            clock,
            features: features.bits(),
            hardware: None,
        }
    }

    /// Signs the request with the key it names.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> Vec<u8> {
        admit_trust::sign(key, &[], ENROLMENT_CONTENT_TYPE, &encode(self))
    }
}

impl SignedRequest {
    /// Reads a request and verifies it under the key it names.
    pub fn verify(provider: &Provider, realm: Digest, bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_ENROLMENT_REQUEST {
            return Err(Error::TooLong { message: REQUEST, length: bytes.len(), limit: MAX_ENROLMENT_REQUEST });
        }
        let trust = Error::trust(REQUEST);
        let envelope = Envelope::decode(bytes, ENROLMENT_CONTENT_TYPE).map_err(&trust)?;
        let payload = envelope.unverified_payload().ok_or(Error::Malformed { message: REQUEST, position: 0 })?;
        let claimed: EnrolmentRequest = decode_all(REQUEST, MAX_ENROLMENT_REQUEST, payload)?;
        let signed = envelope.verify_by_key(provider, &claimed.signing_key).map_err(&trust)?;
        let request: EnrolmentRequest = decode_all(REQUEST, MAX_ENROLMENT_REQUEST, signed.payload())?;
        if request.realm != realm {
            return Err(Error::OtherRealm { message: REQUEST, found: request.realm });
        }
        Ok(Self { request })
    }

    /// What the client said.
    #[must_use]
    pub const fn request(&self) -> &EnrolmentRequest {
        &self.request
    }
}

impl EnrolmentResponse {
    /// The answer with these certificates.
    #[must_use]
    pub fn new(certificate: &Certificate, authority: &Certificate) -> Self {
        Self { certificate: certificate.der().to_vec().into(), authority: authority.der().to_vec().into() }
    }

    /// The answer's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads and verifies the answer to a request with these keys.
    pub fn verify(
        provider: &Provider,
        root: &TrustRoot,
        request: &EnrolmentRequest,
        bytes: &[u8],
        dates: DateCheck,
    ) -> Result<Enrolled, Error> {
        let trust = Error::trust(RESPONSE);
        let response: Self = decode_all(RESPONSE, MAX_ENROLMENT_RESPONSE, bytes)?;
        let certificate = Certificate::from_der(&response.certificate).map_err(&trust)?;
        let chain = vec![certificate, Certificate::from_der(&response.authority).map_err(&trust)?];
        let certificate = verify_chain(provider, root, &chain, dates).map_err(&trust)?;
        let properties = certificate.properties().client().map_err(&trust)?;
        let same_keys =
            *certificate.public_key() == request.signing_key && properties.encryption_key == request.encryption_key;
        if same_keys { Ok(Enrolled { certificate, properties, chain }) } else { Err(Error::OtherKeys) }
    }
}

/// Where an enrolment service takes requests.
pub const ENROL_PATH: &str = "/v1/enrol";

/// The content type of enrolment requests.
pub const ENROLMENT_CONTENT_TYPE: &str = "application/admit-enrolment+cbor";

/// The longest enrolment request that is read, in bytes.
pub const MAX_ENROLMENT_REQUEST: usize = 4 * 1024;

/// The longest enrolment response that is read, in bytes.
pub const MAX_ENROLMENT_RESPONSE: usize = 16 * 1024;

const REQUEST: &str = "enrolment request";
const RESPONSE: &str = "enrolment response";

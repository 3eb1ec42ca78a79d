//! Enrolment: the client makes its keys and gets a certificate for them.

use admit_crypto::{Entropy, Provider};
use admit_protocol::enrol::{Enrolled, EnrolmentRequest, EnrolmentResponse};
use admit_protocol::evidence::HardwareEvidence;
use admit_trust::{ClockKind, DateCheck, Features, TrustRoot, verify_chain};

use crate::identity::Keys;
use crate::{Error, Identity, KeyValue, Store};

/// An enrolment that waits for its answer.
pub struct Enrolment {
    keys: Keys,
    request: EnrolmentRequest,
    bytes: Vec<u8>,
}

/// A device's hardware: it keeps a key that does not leave it, and protects a clock from change (row E03).
pub trait Hardware {
    /// Signs evidence, as [`HardwareEvidence::sign`] does.
    fn sign(&mut self, evidence: &HardwareEvidence) -> Vec<u8>;
}

impl Enrolment {
    /// Makes the client's keys (row A01) and the request for their certificate.
    pub fn begin(
        provider: &Provider,
        root: &TrustRoot,
        clock: ClockKind,
        features: Features,
        entropy: &mut dyn Entropy,
    ) -> Self {
        let keys = Keys::generate(provider, entropy);
        let (signing, encryption) = (*keys.signing.public_key(), *keys.encryption.public_key());
        let request = EnrolmentRequest::new(root.realm(), signing, encryption, clock, features, entropy);
        let bytes = request.sign(&keys.signing);
        Self { keys, request, bytes }
    }

    /// The same on a device whose hardware protects its clock.
    pub fn begin_on(
        hardware: &mut dyn Hardware,
        provider: &Provider,
        root: &TrustRoot,
        features: Features,
        entropy: &mut dyn Entropy,
    ) -> Self {
        let Self { keys, mut request, .. } = Self::begin(provider, root, ClockKind::Secure, features, entropy);
        request.hardware = Some(hardware.sign(&HardwareEvidence::of(&request)).into());
        let bytes = request.sign(&keys.signing);
        Self { keys, request, bytes }
    }

    /// What to send to the enrolment service. Sending it twice is harmless.
    #[must_use]
    pub fn request(&self) -> &[u8] {
        &self.bytes
    }

    /// Verifies the answer and seals the identity into the store.
    pub fn finish<K: KeyValue>(
        self,
        provider: &Provider,
        root: &TrustRoot,
        response: &[u8],
        dates: DateCheck,
        store: &mut Store<'_, K>,
        entropy: &mut dyn Entropy,
    ) -> Result<Identity, Error> {
        let Enrolled { certificate, properties, chain } =
            EnrolmentResponse::verify(provider, root, &self.request, response, dates)?;
        let identity = Identity::new(provider, self.keys, certificate, chain, properties);
        store.put_identity(&identity.to_record(), entropy)?;
        Ok(identity)
    }
}

impl core::fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Enrolment").field("request", &self.request).finish_non_exhaustive()
    }
}

/// The identity in a store, or none where the client is not enrolled yet.
pub fn identity<K: KeyValue>(
    provider: &Provider,
    root: &TrustRoot,
    dates: DateCheck,
    store: &Store<'_, K>,
) -> Result<Option<Identity>, Error> {
    let Some(record) = store.identity()? else { return Ok(None) };
    let unreadable = |position| Error::StoreRecord { record: "69".into(), position };
    let (keys, chain) = Identity::read_record(provider, record.bytes()).map_err(unreadable)?;
    let message = "client certificate";
    let trust = |source| admit_protocol::Error::Trust { message, source };
    let certificate = verify_chain(provider, root, &chain, dates).map_err(trust)?;
    let properties = certificate.properties().client().map_err(trust)?;
    Ok(Some(Identity::new(provider, keys, certificate, chain, properties)))
}

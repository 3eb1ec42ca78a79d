//! License acquisition: a challenge for some content, and the licenses that come back.

use admit_crypto::{Entropy, Provider, PublicKey};
use admit_license::{Action, KeyId, Rights, Usage, VerifiedLicense};
use admit_protocol::acquire::{
    ClockState, LicenseChallenge, ResponseContext, RevocationNumbers, SealedChallenge, VerifiedResponse, token_hash,
};
use admit_trust::{Certificate, ClockKind, DateCheck, Role, SdkGeneration, TrustRoot, Verified, role};

use crate::{Error, Identity, KeyValue, Store};

/// What licenses are wanted for.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The content header object, where the content has one.
    pub header: Option<&'a [u8]>,
    /// The content keys.
    pub key_ids: Vec<KeyId>,
    /// The rights asked for. `NO_RECOVERY` is added: the service's first array decides (row B04).
    pub rights: Rights,
    /// The actions the user wants.
    pub actions: Vec<Action>,
    /// The entitlement token that will be sent beside the challenge.
    pub token: Option<&'a str>,
    /// The application's certificate.
    pub application: Option<&'a Verified<Certificate, role::Application>>,
}

impl<'a> Wanted<'a> {
    /// What `play` asks for: its action's right and bit 4.
    #[must_use]
    pub fn to(action: Action, header: Option<&'a [u8]>, key_ids: Vec<KeyId>) -> Self {
        Self { header, key_ids, rights: action.right(), actions: vec![action], token: None, application: None }
    }
}

/// A challenge that waits for its response. The response is accepted once.
#[derive(Debug)]
pub struct Acquisition {
    challenge: SealedChallenge,
    dates: DateCheck,
}

impl Acquisition {
    /// Makes and seals a challenge to the license service.
    pub fn begin<K: KeyValue>(
        identity: &Identity,
        service: &Verified<Certificate, role::License>,
        wanted: &Wanted<'_>,
        dates: DateCheck,
        store: &Store<'_, K>,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, Error> {
        let provider = store.provider;
        let recipient = service_key(service)?;
        let challenge = challenge(provider, identity, wanted, store, entropy)?;
        let challenge = challenge.seal(provider, identity.signing_key(), identity.chain(), &recipient, entropy);
        Ok(Self { challenge, dates })
    }

    /// What to send to the license service.
    #[must_use]
    pub fn request(&self) -> &[u8] {
        self.challenge.as_bytes()
    }

    /// Verifies the response and puts its licenses into the store. Nothing is stored unless all of it holds.
    pub fn finish<K: KeyValue>(
        self,
        identity: &Identity,
        root: &TrustRoot,
        response: &[u8],
        store: &mut Store<'_, K>,
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<VerifiedLicense>, Error> {
        let context = ResponseContext {
            root,
            challenge_hash: self.challenge.hash(),
            client: identity.certificate(),
            encryption_key: identity.encryption_thumbprint(),
            dates: self.dates,
        };
        let licenses = VerifiedResponse::verify(store.provider, &context, response)?.into_licenses();
        let limited = licenses.iter().any(|license| license.terms().time_limits().any());
        if limited && identity.properties().clock == ClockKind::None {
            return Err(Error::NoClock);
        }
        store.add(&licenses, &Usage::default(), entropy)?;
        Ok(licenses)
    }
}

fn challenge<K: KeyValue>(
    provider: &Provider,
    identity: &Identity,
    wanted: &Wanted<'_>,
    store: &Store<'_, K>,
    entropy: &mut dyn Entropy,
) -> Result<LicenseChallenge, Error> {
    let mut nonce = [0; 32];
    entropy.fill(&mut nonce);
    let properties = identity.properties();
    let sdk_generation = wanted.application.and_then(|application| application.properties().sdk_generation);
    Ok(LicenseChallenge {
        nonce: nonce.into(),
        realm: store.realm(),
        header: wanted.header.map(|header| header.to_vec().into()),
        key_ids: wanted.key_ids.clone(),
        requested_rights: (wanted.rights | Rights::NO_RECOVERY).bits(),
        actions: wanted.actions.clone(),
        token_hash: wanted.token.map(|token| token_hash(provider, token)),
        security_version: properties.component_version,
        sdk_generation: sdk_generation.unwrap_or(SdkGeneration::Newer),
        features: properties.features.bits(),
        clock: properties.clock,
        clock_state: ClockState::Unset,
        time_requested: false,
        license_requested: true,
        store: store.position(),
        held: store.held_elements(&wanted.key_ids)?,
        revocation: RevocationNumbers::default(),
        application: wanted.application.map(|certificate| certificate.der().to_vec().into()),
    })
}

fn service_key(service: &Verified<Certificate, role::License>) -> Result<PublicKey, Error> {
    service.properties().encryption_key.ok_or(Error::Protocol(admit_protocol::Error::NoService { role: Role::License }))
}

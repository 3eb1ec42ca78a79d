//! License acquisition: a challenge for some content, and the licenses and the time that come back.

use core::ops::ControlFlow;

use admit_crypto::{Entropy, Provider, PublicKey};
use admit_license::{Action, KeyId, Rights, VerifiedLicense};
use admit_protocol::acquire::{
    HeldElement, LicenseChallenge, LicenseResponse, ResponseContext, RevocationNumbers, SealedChallenge, StorePosition,
    VerifiedResponse, token_hash,
};
use admit_time::clock::{Accepted, Clock, Event, Now, Question, Reading, Source, TimeKey, Unconfirmed};
use admit_trust::{Certificate, ClockKind, Role, SdkGeneration, TrustRoot, Verified, role};

use crate::clock::{clock_reading, dates};
use crate::{Error, Identity, KeyValue, Store};

/// What licenses are wanted for.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The content header object, where the content has one.
    pub header: Option<&'a [u8]>,
    /// The content keys; none asks for the time only (row E07).
    pub key_ids: Vec<KeyId>,
    /// The rights asked for. `NO_RECOVERY` is added: the service's first array decides (row B04).
    pub rights: Rights,
    /// The actions the user wants.
    pub actions: Vec<Action>,
    /// The entitlement token that will be sent beside the challenge.
    pub token: Option<&'a str>,
    /// The application's certificate.
    pub application: Option<&'a Verified<Certificate, role::Application>>,
    /// Whether it is licenses that the owner was issued before (row B14): of these keys, or of all.
    pub recovery: bool,
}

impl<'a> Wanted<'a> {
    /// What `play` asks for: its action's right and bit 4.
    #[must_use]
    pub fn to(action: Action, header: Option<&'a [u8]>, key_ids: Vec<KeyId>) -> Self {
        Self { key_ids, rights: action.right(), actions: vec![action], header, ..Self::time() }
    }

    /// The time and no license.
    #[must_use]
    pub const fn time() -> Self {
        Self {
            header: None,
            key_ids: Vec::new(),
            rights: Rights::NONE,
            actions: Vec::new(),
            token: None,
            application: None,
            recovery: false,
        }
    }

    /// Licenses that the owner was issued before: for these keys, or, where none is named, all of them.
    #[must_use]
    pub fn again(key_ids: Vec<KeyId>) -> Self {
        Self { key_ids, recovery: true, ..Self::time() }
    }
}

/// The client's clock as an acquisition begins.
#[derive(Debug, Clone, Copy)]
pub struct Timing<'a> {
    /// What it says.
    pub now: &'a Now,
    /// The reading by which the answer's delay is measured, taken just before.
    pub reading: &'a Reading,
    /// The key of the realm's license server time certificate; none where the realm lists none, and then nothing that a
    /// license server says of the time counts.
    pub key: Option<TimeKey>,
}

/// A challenge that waits for its response. The response is taken once.
#[derive(Debug)]
pub struct Acquisition<'p> {
    provider: &'p Provider,
    challenge: SealedChallenge,
    question: Option<Question>,
}

/// What a license server's response did to the clock.
#[derive(Debug)]
pub enum TimeAnswer {
    /// Nothing: it has no time, or none that counts.
    None,
    /// It set the clock.
    Set,
    /// A second time key must say the same.
    NeedsSecondKey(Unconfirmed),
    /// The clock refused it.
    Refused(admit_time::Error),
}

/// A response that was verified, with licenses that are not stored yet.
#[derive(Debug)]
#[must_use]
pub struct Received {
    licenses: Vec<VerifiedLicense>,
    store_seen: Option<StorePosition>,
    /// What it did to the clock.
    pub time: TimeAnswer,
}

impl<'p> Acquisition<'p> {
    /// Makes and seals a challenge to the license service. A client with a clock asks for the time with it.
    pub fn begin<K: KeyValue>(
        identity: &Identity,
        service: &Verified<Certificate, role::License>,
        wanted: &Wanted<'_>,
        timing: Timing<'_>,
        store: &Store<'p, K>,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, Error> {
        let provider = store.provider;
        let recipient = service_key(service)?;
        let key = timing.key.filter(|_| identity.properties().clock != ClockKind::None);
        let mut challenge = challenge(identity, wanted, timing.now, store, entropy)?;
        challenge.time_requested = key.is_some();
        let challenge = challenge.seal(provider, identity.signing_key(), identity.chain(), &recipient, entropy);
        let nonce = *challenge.hash().as_bytes();
        let question = key.map(|key| Clock::ask(nonce, key, Source::LicenseServer, timing.reading));
        Ok(Self { provider, challenge, question })
    }

    /// What to send to the license service.
    #[must_use]
    pub fn request(&self) -> &[u8] {
        self.challenge.as_bytes()
    }

    /// Takes the response: sets the clock from the time in it, then verifies response and licenses, whose certificates are
    /// judged by that time. The time is signed by itself, and counts whatever else is wrong with the response.
    pub fn receive(
        self,
        identity: &Identity,
        root: &TrustRoot,
        response: &[u8],
        clock: &mut Clock,
        reading: &Reading,
        events: &mut Vec<Event>,
    ) -> Result<Received, Error> {
        let provider = self.provider;
        let signed_time = LicenseResponse::unverified_time(response);
        let time = match self.question.zip(signed_time) {
            None => TimeAnswer::None,
            Some((question, answer)) => {
                match clock.accept(provider, question, &answer, &clock_reading(identity, reading), events) {
                    Ok(Accepted::Set(_)) => TimeAnswer::Set,
                    Ok(Accepted::NeedsSecondKey(unconfirmed)) => TimeAnswer::NeedsSecondKey(unconfirmed),
                    Err(refused) => TimeAnswer::Refused(refused),
                }
            }
        };
        let now = clock.observe(&clock_reading(identity, reading), events);
        let context = ResponseContext {
            root,
            challenge_hash: self.challenge.hash(),
            client: identity.certificate(),
            encryption_key: identity.encryption_thumbprint(),
            dates: dates(&now),
        };
        let response = VerifiedResponse::verify(provider, &context, response)?;
        Ok(Received { store_seen: response.store_seen(), licenses: response.into_licenses(), time })
    }
}

impl Received {
    /// Whether there are licenses with limits in time that this clock cannot hold yet: it needs a signed time from
    /// somewhere else (row E11).
    #[must_use]
    pub fn needs_time(&self, now: &Now) -> bool {
        now.time().is_none() && self.is_limited()
    }

    /// Whether the service answered with no licenses because it has seen a later state of the store than the challenge's.
    #[must_use]
    pub const fn was_overtaken(&self) -> bool {
        self.store_seen.is_some()
    }

    /// Whether the store, as it is now, is an older copy of what the service has seen. Where only the challenge was overtaken,
    /// by another process, a fresh one is answered.
    #[must_use]
    pub fn is_of_older<K: KeyValue>(&self, store: &Store<'_, K>) -> bool {
        self.store_seen.is_some_and(|seen| store.position().is_older_than(&seen))
    }

    /// Puts the licenses and the clock into the store, in one commit. Nothing is stored unless all of it can be held.
    pub fn store<K: KeyValue>(
        self,
        identity: &Identity,
        store: &mut Store<'_, K>,
        clock: &mut Clock,
        now: &Now,
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<VerifiedLicense>, Error> {
        if self.is_of_older(store) {
            return Err(Error::StoreRolledBack);
        }
        if self.is_limited() && identity.properties().clock == ClockKind::None {
            return Err(Error::NoClock);
        }
        if self.needs_time(now) {
            return Err(Error::NoTime);
        }
        store.add(&self.licenses, clock, now, entropy)?;
        Ok(self.licenses)
    }

    fn is_limited(&self) -> bool {
        self.licenses.iter().any(|license| license.terms().time_limits().any())
    }
}

fn challenge<K: KeyValue>(
    identity: &Identity,
    wanted: &Wanted<'_>,
    now: &Now,
    store: &Store<'_, K>,
    entropy: &mut dyn Entropy,
) -> Result<LicenseChallenge, Error> {
    let provider = store.provider;
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
        clock_state: now.state(),
        time_requested: false,
        license_requested: wanted.recovery || !wanted.key_ids.is_empty(),
        store: store.position(),
        held: held(wanted, store)?,
        revocation: RevocationNumbers::default(),
        application: wanted.application.map(|certificate| certificate.der().to_vec().into()),
        recovery: wanted.recovery,
    })
}

/// What the client has of what it asks for. Who asks for everything names as much as a challenge carries; what the service
/// sends beyond that is left as it is in the store.
fn held<K: KeyValue>(wanted: &Wanted<'_>, store: &Store<'_, K>) -> Result<Vec<HeldElement>, Error> {
    if !wanted.recovery || !wanted.key_ids.is_empty() {
        return store.held_elements(&wanted.key_ids);
    }
    let mut elements = Vec::new();
    store.scan(&mut |_, held| {
        let terms = held.license.terms();
        elements.push(HeldElement { key_id: terms.key_id, license: terms.id });
        if elements.len() < MAX_HELD { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(elements)
}

fn service_key(service: &Verified<Certificate, role::License>) -> Result<PublicKey, Error> {
    service.properties().encryption_key.ok_or(Error::Protocol(admit_protocol::Error::NoService { role: Role::License }))
}

/// Licenses that a challenge names: as many as leave room for everything else in it.
const MAX_HELD: usize = 500;

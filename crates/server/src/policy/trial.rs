//! What a policy would issue, for somebody who does not exist: `admit policy test`. It asks the policy as the server
//! does, and nothing is issued.

use std::sync::{Mutex, PoisonError};

use admit_crypto::{Digest, Entropy, Provider, SecretScalar};
use admit_license::{Action, LicenseId, Rights, Terms};
use admit_protocol::acquire::{ClockState, HeldElement, LicenseChallenge, RevocationNumbers, StorePosition};
use admit_time::Timestamp;
use admit_trust::{ClientProperties, ClockKind, ComponentVersion, Features, Properties, SdkGeneration};

use super::{Decided, Loaded, Policy, PolicyRefusal, PolicyRequest, ask};
use crate::content::Content;
use crate::token::Claims;

/// Who asks for what.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The time.
    pub now: Timestamp,
    /// The content.
    pub content: Content,
    /// What the buyer's token says.
    pub entitlement: Option<Claims>,
    /// The rights that are requested, as bits.
    pub requested_rights: u32,
    /// The actions that are wanted.
    pub actions: Vec<Action>,
    /// What the client's certificate says.
    pub client: ClientProperties,
    /// What the application's certificate says.
    pub application: Option<Properties>,
    /// What the client tells of itself beside that.
    pub told: Told,
}

/// What a client's challenge tells of it, and no certificate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Told {
    /// The state of its clock.
    pub clock_state: ClockState,
    /// How many licenses for the content's key it has.
    pub held: u16,
    /// Whether it wants the time as well.
    pub time_requested: bool,
}

/// What the policy did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The licenses, or why there are none.
    pub licenses: Result<Vec<Terms>, PolicyRefusal>,
    /// Why, as far as the policy says: the rule that fits, or what the script printed.
    pub said: Vec<String>,
}

impl Trial {
    /// Asks the policy.
    pub fn run(&self, policy: &Loaded, entropy: &mut dyn Entropy) -> Tried {
        let heard = Heard { policy, said: Mutex::default() };
        let licenses = self.ask(&heard, entropy);
        Tried { licenses, said: heard.said.into_inner().unwrap_or_else(PoisonError::into_inner) }
    }

    /// Asks any policy.
    pub(crate) fn ask(&self, policy: &dyn Policy, entropy: &mut dyn Entropy) -> Result<Vec<Terms>, PolicyRefusal> {
        let challenge = self.challenge();
        let request = self.request(&challenge);
        let (nobody, id) = (Digest::from_bytes([0; 32]), LicenseId::generate(entropy));
        let draft = Terms::simple(id, self.content.key_id, nobody, self.now, Rights::NONE, nobody);
        ask(policy, &request, &draft, entropy)
    }

    /// Why the policy decides as it does, a sentence each.
    #[must_use]
    pub fn why(&self, policy: &Loaded) -> Vec<String> {
        policy.why(&self.request(&self.challenge()))
    }

    fn request<'a>(&'a self, challenge: &'a LicenseChallenge) -> PolicyRequest<'a> {
        PolicyRequest {
            now: self.now,
            challenge,
            client: &self.client,
            application: self.application.as_ref(),
            content: &self.content,
            entitlement: self.entitlement.as_ref(),
        }
    }

    /// What a client with these properties would send.
    fn challenge(&self) -> LicenseChallenge {
        let generation = self.application.as_ref().and_then(|application| application.sdk_generation);
        let held = HeldElement { key_id: self.content.key_id, license: LicenseId::from_bytes([0; 16]) };
        LicenseChallenge {
            nonce: [0; 32].into(),
            realm: Digest::from_bytes([0; 32]),
            header: None,
            key_ids: vec![self.content.key_id],
            requested_rights: self.requested_rights,
            actions: self.actions.clone(),
            token_hash: None,
            security_version: self.client.component_version,
            sdk_generation: generation.unwrap_or(SdkGeneration::Newer),
            features: self.client.features.bits(),
            clock: self.client.clock,
            clock_state: self.told.clock_state,
            time_requested: self.told.time_requested,
            license_requested: true,
            store: StorePosition { epoch: [0; 16].into(), sequence: 0, head: Digest::from_bytes([0; 32]) },
            held: vec![held; self.told.held.into()],
            revocation: RevocationNumbers::default(),
            application: None,
            recovery: false,
        }
    }
}

/// A client of these properties, with a key that nobody has.
pub fn client(
    provider: &Provider,
    level: u32,
    clock: ClockKind,
    version: ComponentVersion,
    entropy: &mut dyn Entropy,
) -> ClientProperties {
    let key = (provider.load_decryption_key)(&SecretScalar::generate(entropy));
    let features = Features::from_bits(Features::CHAINS.bits() | Features::TIME.bits());
    ClientProperties {
        encryption_key: *key.public_key(),
        component_version: version,
        security_level: level,
        clock,
        features,
    }
}

/// A policy, and what it says of its decision.
#[derive(Debug)]
struct Heard<'a> {
    policy: &'a Loaded,
    said: Mutex<Vec<String>>,
}

impl Policy for Heard<'_> {
    fn terms(&self, request: &PolicyRequest<'_>, draft: Terms) -> Result<Vec<Terms>, PolicyRefusal> {
        let Decided { licenses, said } = self.policy.decide(request, &draft);
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = said;
        licenses
    }
}

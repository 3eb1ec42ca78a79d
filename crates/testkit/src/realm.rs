//! A realm with every certificate, and clients in it, from seeded randomness.

use core::time::Duration;

use admit_crypto::{DecryptionKey, Digest, Entropy, Provider, SecretScalar, SigningKey, rustcrypto};
use admit_time::Timestamp;
use admit_trust::{
    Certificate, ClientProperties, ClockKind, ComponentVersion, DateCheck, DeviceKind, Features, Issuer, Properties,
    Role, SdkGeneration, Subject, TimeKey, TimeSubject, TrustRoot, Verified, issue, issue_root, issue_time, role,
    verify_chain,
};

use crate::SeededEntropy;
use crate::roughtime::Responder;

/// A service of the realm: its keys and its certificate.
#[derive(Debug)]
pub struct FixtureService {
    /// Signs.
    pub signing: SigningKey,
    /// Decrypts challenges.
    pub encryption: DecryptionKey,
    /// Names both keys.
    pub certificate: Certificate,
}

/// A time service of the realm.
#[derive(Debug)]
pub struct FixtureTimeService {
    /// Answers Roughtime requests under the long-term key.
    pub responder: Responder,
    /// Names that key, in epoch 1.
    pub certificate: Certificate,
}

/// A trust root and one service of each role that exists so far, of time two.
#[derive(Debug)]
pub struct FixtureRealm {
    /// The provider that everything here was made with.
    pub provider: &'static Provider,
    /// When everything here was made.
    pub now: Timestamp,
    /// The root's key.
    pub root_key: SigningKey,
    /// The root.
    pub root: TrustRoot,
    /// The license service.
    pub license: FixtureService,
    /// The enrolment authority.
    pub enrolment: FixtureService,
    /// The packaging signer.
    pub packaging: FixtureService,
    /// The application `admit`.
    pub application: FixtureService,
    /// The time services, with a key each.
    pub time: [FixtureTimeService; 2],
}

/// A client of a realm.
#[derive(Debug)]
pub struct FixtureClient {
    /// Signs challenges.
    pub signing: SigningKey,
    /// Opens licenses.
    pub encryption: DecryptionKey,
    /// The client's certificate.
    pub certificate: Verified<Certificate, role::Client>,
    /// The certificate and its authority's.
    pub chain: Vec<Certificate>,
    /// What the certificate says.
    pub properties: ClientProperties,
}

/// A device's hardware: a key, and a certificate for it under the root.
#[derive(Debug)]
pub struct FixtureHardware {
    /// Signs evidence.
    pub signing: SigningKey,
    /// Names the key, and the clock that is protected beside it.
    pub certificate: Certificate,
}

impl FixtureRealm {
    /// The realm of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let provider = &rustcrypto::PROVIDER;
        let mut entropy = SeededEntropy::new(seed);
        let now = Timestamp::from_unix_secs(NOW);
        let root_key = (provider.load_signing_key)(&SecretScalar::generate(&mut entropy));
        let certificate = issue_root("Fixture trust root", &root_key, now, 20 * YEAR, &mut entropy).expect(VALID);
        let fingerprint = certificate.fingerprint(provider);
        let root = TrustRoot::pin(provider, certificate, fingerprint).expect(VALID);
        let mut service = |role: Role| make_service(provider, &root, &root_key, now, role, &mut entropy);
        let license = service(Role::License);
        let enrolment = service(Role::Enrolment);
        let packaging = service(Role::Packaging);
        let application = service(Role::Application);
        let time = [1, 2].map(|number| make_time_service(&root, &root_key, now, number, &mut entropy));
        Self { provider, now, root_key, root, license, enrolment, packaging, application, time }
    }

    /// A client with this security level and a default component.
    #[must_use]
    pub fn client(&self, seed: u64, security_level: u32) -> FixtureClient {
        self.client_with(seed, security_level, Properties::default())
    }

    /// A portable device or medium with this security level and hardware serial number.
    #[must_use]
    pub fn device(&self, seed: u64, kind: DeviceKind, security_level: u32, serial: Option<&str>) -> FixtureClient {
        let hardware_serial = serial.map(str::to_owned);
        self.client_with(
            seed,
            security_level,
            Properties { device_kind: Some(kind), hardware_serial, ..Properties::default() },
        )
    }

    fn client_with(&self, seed: u64, security_level: u32, more: Properties) -> FixtureClient {
        let mut entropy = SeededEntropy::new(seed);
        let signing = (self.provider.load_signing_key)(&SecretScalar::generate(&mut entropy));
        let encryption = (self.provider.load_decryption_key)(&SecretScalar::generate(&mut entropy));
        let properties = ClientProperties {
            encryption_key: *encryption.public_key(),
            component_version: ComponentVersion::DEFAULT,
            security_level,
            clock: ClockKind::AntiRollback,
            features: Features::default(),
        };
        let subject = Subject {
            common_name: "client fixture",
            public_key: signing.public_key(),
            role: Role::Client,
            properties: Properties {
                encryption_key: Some(properties.encryption_key),
                component_version: Some(properties.component_version),
                security_level: Some(security_level),
                clock: Some(properties.clock),
                features: Some(properties.features),
                ..more
            },
            not_before: self.now,
            lifetime: 5 * YEAR,
        };
        let issuer = Issuer { certificate: &self.enrolment.certificate, key: &self.enrolment.signing };
        let certificate = issue(issuer, &subject, &mut entropy).expect(VALID);
        let chain = vec![certificate, self.enrolment.certificate.clone()];
        let dates = DateCheck::At(self.now);
        let certificate = verify_chain(self.provider, &self.root, &chain, dates).expect(VALID);
        FixtureClient { signing, encryption, certificate, chain, properties }
    }

    /// Hardware in which such a clock is protected.
    #[must_use]
    pub fn hardware(&self, seed: u64, clock: ClockKind) -> FixtureHardware {
        let mut entropy = SeededEntropy::new(seed);
        let signing = (self.provider.load_signing_key)(&SecretScalar::generate(&mut entropy));
        let subject = Subject {
            common_name: "Fixture hardware",
            public_key: signing.public_key(),
            role: Role::Hardware,
            properties: Properties { clock: Some(clock), ..Properties::default() },
            not_before: self.now,
            lifetime: YEAR,
        };
        let issuer = Issuer { certificate: self.root.certificate(), key: &self.root_key };
        let certificate = issue(issuer, &subject, &mut entropy).expect(VALID);
        FixtureHardware { signing, certificate }
    }

    /// The realm's fingerprint.
    #[must_use]
    pub const fn realm(&self) -> Digest {
        self.root.realm()
    }
}

fn make_service(
    provider: &'static Provider,
    root: &TrustRoot,
    root_key: &SigningKey,
    now: Timestamp,
    role: Role,
    entropy: &mut SeededEntropy,
) -> FixtureService {
    let signing = (provider.load_signing_key)(&SecretScalar::generate(entropy));
    let encryption = (provider.load_decryption_key)(&SecretScalar::generate(entropy));
    let is_application = role == Role::Application;
    let properties = Properties {
        encryption_key: (role == Role::License).then_some(*encryption.public_key()),
        security_level: is_application.then_some(1000),
        application_version: is_application.then(|| "1.0".into()),
        sdk_generation: is_application.then_some(SdkGeneration::Newer),
        ..Properties::default()
    };
    let common_name = if is_application { "admit".into() } else { format!("Fixture {role} service") };
    let subject = Subject {
        common_name: &common_name,
        public_key: signing.public_key(),
        role,
        properties,
        not_before: now,
        lifetime: YEAR,
    };
    let issuer = Issuer { certificate: root.certificate(), key: root_key };
    let certificate = issue(issuer, &subject, entropy).expect(VALID);
    FixtureService { signing, encryption, certificate }
}

fn make_time_service(
    root: &TrustRoot,
    root_key: &SigningKey,
    now: Timestamp,
    number: u8,
    entropy: &mut SeededEntropy,
) -> FixtureTimeService {
    let mut seed = [0; 32];
    entropy.fill(&mut seed);
    let responder = Responder::new(seed);
    let common_name = format!("Fixture time service {number}");
    let key = TimeKey { public_key: responder.public_key(), epoch: 1 };
    let subject = TimeSubject { common_name: &common_name, key, not_before: now, lifetime: YEAR };
    let issuer = Issuer { certificate: root.certificate(), key: root_key };
    let certificate = issue_time(issuer, &subject, entropy).expect(VALID);
    FixtureTimeService { responder, certificate }
}

/// 2026-01-01T00:00:00Z.
const NOW: u64 = 1_767_225_600;
const YEAR: Duration = Duration::from_secs(366 * 86_400);
const VALID: &str = "fixtures are valid";

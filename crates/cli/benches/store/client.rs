//! A client of a realm made for the benchmark, with a license service in the same process.

use std::ops::Range;
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use admit_client::acquire::{Acquisition, Timing, Wanted};
use admit_client::enrol::{self, Enrolment};
use admit_client::play::Candidates;
use admit_client::{Identity, Store};
use admit_crypto::{
    ContentKey, DecryptionKey, Digest, Provider, PublicKey, RecordKey, SecretScalar, SigningKey, aws_lc,
};
use admit_license::{
    Action, Application, Environment, HeldLicense, KeyId, KeyMaterial, LicenseId, LicenseSigner, Output, Rights,
    SignedLicense, Terms, evaluate, issue,
};
use admit_protocol::acquire::{LicenseResponse, OpenedChallenge};
use admit_protocol::enrol::{EnrolmentResponse, SignedRequest};
use admit_testkit::{FixtureRealm, SeededEntropy, clock::reading_at};
use admit_time::clock::{Clock, Limits, Now};
use admit_trust::{
    Certificate, CertificateVersion, ClockKind, DateCheck, Features, Issuer, Properties, Role, SdkGeneration, Subject,
    role, verify_chain,
};

use crate::sqlite::SqliteKeyValue;

static REALM: LazyLock<FixtureRealm> = LazyLock::new(|| FixtureRealm::new(1));
static SERVICE: LazyLock<Service> = LazyLock::new(Service::new);

/// The license service, with the faster of the two providers: it is not what is measured.
struct Service {
    signing: SigningKey,
    decryption: DecryptionKey,
    certificate: Certificate,
}

/// A client whose store is open.
pub(crate) struct Client {
    pub(crate) store: Store<'static, SqliteKeyValue>,
    identity: Identity,
    clock: Clock,
    entropy: SeededEntropy,
}

impl Service {
    fn new() -> Self {
        let entropy = &mut SeededEntropy::new(2);
        let signing = (aws_lc::PROVIDER.load_signing_key)(&SecretScalar::generate(entropy));
        let decryption = (aws_lc::PROVIDER.load_decryption_key)(&SecretScalar::generate(entropy));
        let subject = Subject {
            common_name: "License service",
            public_key: signing.public_key(),
            role: Role::License,
            properties: Properties { encryption_key: Some(*decryption.public_key()), ..Properties::default() },
            not_before: REALM.now,
            lifetime: YEAR,
        };
        let issuer = Issuer { certificate: REALM.root.certificate(), key: &REALM.root_key };
        let certificate = admit_trust::issue(issuer, &subject, entropy).unwrap();
        Self { signing, decryption, certificate }
    }

    fn chain(&self) -> &[Certificate] {
        std::slice::from_ref(&self.certificate)
    }

    fn license(&self, client: &PublicKey, number: u32) -> SignedLicense {
        let nobody = Digest::from_bytes([0; 32]);
        let id = LicenseId::from_bytes(random_looking(b"license", number));
        let terms = Terms::simple(id, key_id(number), REALM.realm(), REALM.now, Rights::PLAY, nobody);
        let terms = Terms { play_count: Some(u32::MAX), ..terms };
        let signer = LicenseSigner { key: &self.signing, chain: self.chain() };
        let key = ContentKey::from_bytes([9; 16]);
        let entropy = &mut SeededEntropy::new(u64::from(number));
        issue(&aws_lc::PROVIDER, signer, terms, &KeyMaterial::Content(&key), client, entropy).unwrap()
    }

    fn answer(&self, request: &[u8], licenses: Vec<SignedLicense>) -> Vec<u8> {
        let provider = &aws_lc::PROVIDER;
        let opened = OpenedChallenge::open(provider, &REALM.root, &self.decryption, dates(), request).unwrap();
        let client = opened.client().fingerprint(provider);
        LicenseResponse::new(opened.hash(), client, licenses).sign(&self.signing, self.chain())
    }
}

impl Client {
    /// A new client.
    pub(crate) fn enrol(path: &Path) -> Self {
        let mut store = store(path, &aws_lc::PROVIDER);
        let entropy = &mut SeededEntropy::new(4);
        let (provider, root) = (&aws_lc::PROVIDER, &REALM.root);
        let enrolment = Enrolment::begin(provider, root, ClockKind::None, Features::default(), entropy);
        let answer = enrolment_answer(enrolment.request());
        enrolment.finish(provider, root, &answer, dates(), &mut store, entropy).unwrap();
        drop(store);
        Self::open(path, provider)
    }

    /// Opens the store and the identity in it.
    pub(crate) fn open(path: &Path, provider: &'static Provider) -> Self {
        let store = store(path, provider);
        let identity = enrol::identity(provider, &REALM.root, dates(), &store).unwrap().unwrap();
        let clock = store.clock(REALM.now, Limits::default()).unwrap();
        Self { store, identity, clock, entropy: SeededEntropy::new(5) }
    }

    /// Takes licenses that come in one response, and says how long storing them took.
    pub(crate) fn acquire(&mut self, licenses: Vec<SignedLicense>) -> Duration {
        let reading = reading_at(1, 0, None);
        let timing = Timing { now: &Now::UNSET, reading: &reading, key: None };
        let service = verify_chain::<role::License>(REALM.provider, &REALM.root, SERVICE.chain(), dates()).unwrap();
        let wanted = Wanted::to(Action::Play, None, vec![KeyId::from_bytes([1; 16])]);
        let Self { store, identity, clock, entropy } = self;
        let acquisition = Acquisition::begin(identity, &service, &wanted, timing, store, entropy).unwrap();
        let response = SERVICE.answer(acquisition.request(), licenses);
        let root = &REALM.root;
        let received = acquisition.receive(identity, root, &response, clock, &reading, &mut Vec::new()).unwrap();
        let started = Instant::now();
        received.store(identity, store, clock, &Now::UNSET, entropy).unwrap();
        started.elapsed()
    }

    /// Whether it may play what these licenses are for.
    pub(crate) fn decide(&self, held: &[HeldLicense]) -> bool {
        evaluate(Action::Play, held[0].license.terms().key_id, held, &environment(&self.identity)).is_ok()
    }

    /// Everything that playing once does, up to the first sample.
    pub(crate) fn play(&mut self, number: u32) {
        let Self { store, identity, entropy, .. } = self;
        let candidates = Candidates::find(store, &[key_id(number)]).unwrap();
        let grants = candidates.evaluate(Action::Play, &environment(identity)).unwrap();
        let permit = admit_client::play::permit(store, identity, grants, entropy).unwrap();
        drop(permit.release_first_sample(store, entropy).unwrap());
    }

    /// What licenses are wrapped to.
    pub(crate) fn encryption_key(&self) -> PublicKey {
        self.identity.properties().encryption_key
    }
}

/// Licenses of these numbers for a client with this key, as the service issues them.
pub(crate) fn issued(client: &PublicKey, numbers: Range<u32>) -> Vec<SignedLicense> {
    numbers.map(|number| SERVICE.license(client, number)).collect()
}

/// The key of the license of this number.
pub(crate) fn key_id(number: u32) -> KeyId {
    KeyId::from_bytes(random_looking(b"key", number))
}

/// In no order, and spread over all there are, as ids that are drawn.
fn random_looking(of: &[u8], number: u32) -> [u8; 16] {
    let digest = (aws_lc::PROVIDER.sha256)(&[of, &number.to_be_bytes()]);
    *digest.as_bytes().first_chunk().unwrap()
}

fn environment(identity: &Identity) -> Environment<'static> {
    Environment {
        application: Application {
            security_level: 1000,
            sdk_generation: SdkGeneration::Newer,
            certificate_version: CertificateVersion::V2,
        },
        output: Output::InProcess { protected: true },
        client: *identity.properties(),
        clock: &Now::UNSET,
        revocation_version: 0,
        content_minimum_version: None,
    }
}

fn store(path: &Path, provider: &'static Provider) -> Store<'static, SqliteKeyValue> {
    let storage = SqliteKeyValue::open(path).unwrap();
    let key = RecordKey::from_bytes([6; 32]);
    Store::open(provider, storage, REALM.realm(), key, &mut SeededEntropy::new(7)).unwrap()
}

fn dates() -> DateCheck {
    DateCheck::At(REALM.now)
}

fn enrolment_answer(request: &[u8]) -> Vec<u8> {
    let signed = SignedRequest::verify(&aws_lc::PROVIDER, REALM.realm(), request).unwrap();
    let request = signed.request();
    let subject = Subject {
        common_name: "client",
        public_key: &request.signing_key,
        role: Role::Client,
        properties: Properties {
            encryption_key: Some(request.encryption_key),
            component_version: Some(request.component_version),
            security_level: Some(150),
            clock: Some(request.clock),
            features: Some(Features::default()),
            ..Properties::default()
        },
        not_before: REALM.now,
        lifetime: YEAR,
    };
    let issuer = Issuer { certificate: &REALM.enrolment.certificate, key: &REALM.enrolment.signing };
    let certificate = admit_trust::issue(issuer, &subject, &mut SeededEntropy::new(8)).unwrap();
    EnrolmentResponse::new(&certificate, &REALM.enrolment.certificate).to_bytes()
}

const YEAR: Duration = Duration::from_secs(365 * 86_400);

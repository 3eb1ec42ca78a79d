//! A client of a realm made for the benchmark, with a license service in the same process.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use admit_client::acquire::{Acquisition, Timing, Wanted};
use admit_client::enrol::{self, Enrolment};
use admit_client::{Identity, Store};
use admit_crypto::{ContentKey, DecryptionKey, Provider, RecordKey, SecretScalar, SigningKey, aws_lc};
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

    fn license(&self, client: &Identity, key_id: KeyId) -> SignedLicense {
        let nobody = admit_crypto::Digest::from_bytes([0; 32]);
        let id = LicenseId::from_bytes(*key_id.as_bytes());
        let terms = Terms::simple(id, key_id, REALM.realm(), REALM.now, Rights::PLAY, nobody);
        let signer = LicenseSigner { key: &self.signing, chain: self.chain() };
        let key = ContentKey::from_bytes([9; 16]);
        let recipient = client.properties().encryption_key;
        let entropy = &mut SeededEntropy::new(3);
        issue(&aws_lc::PROVIDER, signer, terms, &KeyMaterial::Content(&key), &recipient, entropy).unwrap()
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

    /// Acquires licenses for these keys, in one response.
    pub(crate) fn acquire(&mut self, key_ids: impl Iterator<Item = KeyId>) {
        let licenses = key_ids.map(|key_id| SERVICE.license(&self.identity, key_id)).collect();
        let reading = reading_at(1, 0, None);
        let timing = Timing { now: &Now::UNSET, reading: &reading, key: None };
        let service = verify_chain::<role::License>(REALM.provider, &REALM.root, SERVICE.chain(), dates()).unwrap();
        let wanted = Wanted::to(Action::Play, None, vec![KeyId::from_bytes([1; 16])]);
        let Self { store, identity, clock, entropy } = self;
        let acquisition = Acquisition::begin(identity, &service, &wanted, timing, store, entropy).unwrap();
        let response = SERVICE.answer(acquisition.request(), licenses);
        let root = &REALM.root;
        let received = acquisition.receive(identity, root, &response, clock, &reading, &mut Vec::new()).unwrap();
        received.store(identity, store, clock, &Now::UNSET, entropy).unwrap();
    }

    /// Whether it may play what these licenses are for.
    pub(crate) fn decide(&self, held: &[HeldLicense]) -> bool {
        let environment = Environment {
            application: Application {
                security_level: 1000,
                sdk_generation: SdkGeneration::Newer,
                certificate_version: CertificateVersion::V2,
            },
            output: Output::InProcess { protected: true },
            client: *self.identity.properties(),
            clock: &Now::UNSET,
            revocation_version: 0,
            content_minimum_version: None,
        };
        evaluate(Action::Play, held[0].license.terms().key_id, held, &environment).is_ok()
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

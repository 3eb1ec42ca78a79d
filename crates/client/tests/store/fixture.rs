//! A client with a store over a storage that the test can see, share, alter and let fail.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::LazyLock;

use admit_client::acquire::{Acquisition, Received, Timing, Wanted};
use admit_client::enrol::{self, Enrolment};
use admit_client::play::Candidates;
use admit_client::{
    Change, Error, Identity, KeyValue, MemoryKeyValue, Permit, Precondition, StorageError, Store, StoredLicense,
};
use admit_crypto::{ContentKey, Provider, PublicKey, RecordKey, SecretScalar};
use admit_license::{
    Action, Application, Binding, BindingKind, Environment, KeyId, KeyMaterial, Kind, LicenseId, LicenseSigner, Output,
    Rights, SignedLicense, Terms, Uplink, Usage, issue,
};
use admit_protocol::acquire::{LicenseResponse, OpenedChallenge, StorePosition};
use admit_protocol::enrol::{DeviceRequest, EnrolmentResponse, SignedRequest};
use admit_testkit::{FixtureRealm, SeededEntropy};
use admit_time::Timestamp;
use admit_time::clock::{Accepted, Clock, Limits, Now, Reading, Source, TimeKey};
use admit_trust::{
    CertificateVersion, ClockKind, DateCheck, DeviceKind, Features, Issuer, Properties, Role, SdkGeneration, Subject,
    Verified, role, verify_chain,
};
use core::time::Duration;

pub(crate) const KEY_ID: KeyId = KeyId::from_bytes([0x11; 16]);
pub(crate) const ROOT_KEY_ID: KeyId = KeyId::from_bytes([0x22; 16]);
pub(crate) const CONTENT_KEY: [u8; 16] = [0x5a; 16];

pub(crate) static REALM: LazyLock<FixtureRealm> = LazyLock::new(|| FixtureRealm::new(1));

pub(crate) fn provider() -> &'static Provider {
    REALM.provider
}

pub(crate) fn dates() -> DateCheck {
    DateCheck::At(REALM.now)
}

/// A storage that several stores share, as processes share a file, and that fails when it is told to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shared {
    pub(crate) records: Rc<RefCell<MemoryKeyValue>>,
    /// How many more commits succeed; none means all.
    pub(crate) commits_left: Rc<RefCell<Option<usize>>>,
    /// Whether the commit that fails was made all the same, as when the program dies just behind it.
    pub(crate) fails_behind: Rc<RefCell<bool>>,
    /// The keys of the records that were read.
    pub(crate) reads: Rc<RefCell<Vec<Vec<u8>>>>,
}

/// Keys and sealed bytes of records, in the order of their keys.
pub(crate) type Records = Vec<(Vec<u8>, Vec<u8>)>;

impl KeyValue for Shared {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        self.reads.borrow_mut().push(key.to_vec());
        self.records.borrow().get(key)
    }

    fn is_empty(&self) -> Result<bool, StorageError> {
        self.records.borrow().is_empty()
    }

    fn commit(&mut self, precondition: &Precondition, changes: &[Change]) -> Result<(), StorageError> {
        let failed = StorageError::Failed { detail: "cut".into() };
        match &mut *self.commits_left.borrow_mut() {
            Some(0) => return Err(failed),
            Some(left) => *left -= 1,
            None => {}
        }
        self.records.borrow_mut().commit(precondition, changes)?;
        let cut_here = *self.commits_left.borrow() == Some(0) && *self.fails_behind.borrow();
        if cut_here { Err(failed) } else { Ok(()) }
    }
}

impl Shared {
    /// Everything in it, by key.
    pub(crate) fn all(&self) -> Records {
        self.records.borrow().records().map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
    }

    /// The keys that begin like this.
    pub(crate) fn keys(&self, prefix: &[u8]) -> Vec<Vec<u8>> {
        self.all().into_iter().map(|(key, _)| key).filter(|key| key.starts_with(prefix)).collect()
    }

    /// Changes records behind the store's back.
    pub(crate) fn alter(&self, change: Change) {
        let key = change_key(&change);
        let precondition = Precondition { value: self.get(&key).unwrap(), key };
        self.records.borrow_mut().commit(&precondition, &[change]).unwrap();
    }

    pub(crate) fn put(&self, key: &[u8], value: &[u8]) {
        self.alter(Change::Put { key: key.to_vec(), value: value.to_vec() });
    }

    pub(crate) fn delete(&self, key: &[u8]) {
        self.alter(Change::Delete { key: key.to_vec() });
    }

    /// A copy that shares nothing.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self::default();
        *copy.records.borrow_mut() = self.records.borrow().clone();
        copy
    }

    /// The storage from now on fails the commit after `left` more; with `behind`, the last one is made and fails.
    pub(crate) fn cut_after(&self, left: Option<usize>, behind: bool) {
        *self.commits_left.borrow_mut() = left;
        *self.fails_behind.borrow_mut() = behind;
    }
}

fn change_key(change: &Change) -> Vec<u8> {
    match change {
        Change::Put { key, .. } | Change::Delete { key } => key.clone(),
    }
}

pub(crate) fn store_key(number: u8) -> RecordKey {
    RecordKey::from_bytes([number; 32])
}

pub(crate) type TestStore = Store<'static, Shared>;

pub(crate) fn try_open(storage: &Shared) -> Result<TestStore, Error> {
    Store::open(provider(), storage.clone(), REALM.realm(), store_key(1), &mut SeededEntropy::new(6))
}

pub(crate) fn open(storage: &Shared) -> TestStore {
    try_open(storage).unwrap()
}

/// One client with one store.
pub(crate) struct Device {
    pub(crate) storage: Shared,
    pub(crate) store: TestStore,
    pub(crate) identity: Identity,
    pub(crate) entropy: SeededEntropy,
    pub(crate) clock: Clock,
    /// The realm's time key, where it has one.
    pub(crate) time_key: Option<TimeKey>,
}

impl Device {
    pub(crate) fn new(seed: u64) -> Self {
        Self::with_clock(seed, ClockKind::AntiRollback)
    }

    pub(crate) fn with_clock(seed: u64, clock: ClockKind) -> Self {
        let storage = Shared::default();
        let mut store = open(&storage);
        let mut entropy = SeededEntropy::new(seed);
        let identity = enrol(&mut store, clock, &mut entropy).unwrap();
        let clock = clock_of(&store).unwrap();
        Self { storage, store, identity, entropy, clock, time_key: None }
    }

    /// Deletes a license. Whether it was there.
    pub(crate) fn delete(&mut self, id: LicenseId) -> bool {
        let found = self.store.find(|other| other == id).unwrap();
        let named: Vec<_> = found.iter().map(|license| (license.terms.key_id, id)).collect();
        self.store.delete_all(&named, &mut self.entropy).unwrap()
    }

    /// A portable device that is not SDMI-compliant.
    pub(crate) fn portable(seed: u64) -> Self {
        let storage = Shared::default();
        let mut store = open(&storage);
        let mut entropy = SeededEntropy::new(seed);
        let request = DeviceRequest { kind: DeviceKind::Device, hardware_serial: Some(format!("SN-{seed}")) };
        let (root, features) = (&REALM.root, Features::default());
        let enrolment = Enrolment::begin_device(request, provider(), root, features, &mut entropy);
        let answer = enrolment_answer(enrolment.request());
        let identity = enrolment.finish(provider(), root, &answer, dates(), &mut store, &mut entropy).unwrap();
        let clock = clock_of(&store).unwrap();
        Self { storage, store, identity, entropy, clock, time_key: None }
    }

    /// The client whose store this is.
    pub(crate) fn of(storage: Shared, time_key: TimeKey) -> Self {
        let store = open(&storage);
        let identity = enrol::identity(provider(), &REALM.root, dates(), &store).unwrap().unwrap();
        let clock = clock_of(&store).unwrap();
        Self { storage, store, identity, entropy: SeededEntropy::new(50), clock, time_key: Some(time_key) }
    }

    /// Licenses from a challenge and a response, as they come over the network.
    pub(crate) fn acquire(&mut self, terms: &[Terms]) -> Result<(), Error> {
        let acquisition = self.begin();
        let licenses = terms.iter().map(|terms| self.license(terms.clone())).collect();
        let response = answer(acquisition.request(), licenses);
        self.finish(acquisition, &response)
    }

    pub(crate) fn begin(&mut self) -> Acquisition<'static> {
        self.begin_for(&Wanted::to(Action::Play, None, vec![KEY_ID]))
    }

    pub(crate) fn begin_for(&mut self, wanted: &Wanted<'_>) -> Acquisition<'static> {
        let reading = reading(1, 0);
        let now = self.clock.observe(&reading, &mut Vec::new());
        let timing = Timing { now: &now, reading: &reading, key: self.time_key };
        let service = license_service();
        Acquisition::begin(&self.identity, &service, wanted, timing, &self.store, &mut self.entropy).unwrap()
    }

    /// Takes a response half a second later.
    pub(crate) fn receive(&mut self, acquisition: Acquisition<'_>, response: &[u8]) -> Result<Received, Error> {
        let reading = Reading { boot_millis: 500, ..reading(1, 0) };
        let Self { identity, clock, .. } = self;
        acquisition.receive(identity, &REALM.root, response, clock, &reading, &mut Vec::new())
    }

    pub(crate) fn finish(&mut self, acquisition: Acquisition<'_>, response: &[u8]) -> Result<(), Error> {
        let received = self.receive(acquisition, response)?;
        let now = self.clock.observe(&reading(1, 1), &mut Vec::new());
        received.store(&self.identity, &mut self.store, &mut self.clock, &now, &mut self.entropy).map(drop)
    }

    /// The clock was set a moment ago by a clock service.
    pub(crate) fn set_clock(&mut self) {
        set(&mut self.clock, &reading(1, 0), 7);
    }

    /// A license for this client, as the server issues it.
    pub(crate) fn license(&self, terms: Terms) -> SignedLicense {
        license_for(&self.identity.properties().encryption_key, terms)
    }

    /// The first steps of an action, up to the permit.
    pub(crate) fn permit(&mut self, key_ids: &[KeyId]) -> Result<Permit, Error> {
        permit(&mut self.store, &self.identity, key_ids, &Now::UNSET, &mut self.entropy)
    }

    /// Everything that playing once does.
    pub(crate) fn play(&mut self) -> Result<(), Error> {
        let permit = self.permit(&[KEY_ID])?;
        permit.release_first_sample(&mut self.store, &mut self.entropy).map(|_| ())
    }

    /// The program starts again and holds the store's lock.
    pub(crate) fn restart(&mut self) -> usize {
        self.storage.cut_after(None, false);
        self.store = open(&self.storage);
        self.store.return_reservations(&mut self.entropy).unwrap()
    }

    pub(crate) fn licenses(&self) -> Vec<StoredLicense> {
        self.store.licenses().unwrap()
    }

    pub(crate) fn usage(&self) -> Usage {
        let licenses = self.licenses();
        assert_eq!(licenses.len(), 1);
        licenses[0].usage
    }
}

pub(crate) fn reading(boot: u8, secs: u64) -> Reading {
    let wall = Timestamp::from_unix_secs(REALM.now.unix_secs() + secs);
    admit_testkit::clock::reading_at(boot, secs * 1000, Some(wall))
}

/// The clock in a store, of a program that was made a while ago.
pub(crate) fn clock_of(store: &TestStore) -> Result<Clock, Error> {
    store.clock(Timestamp::from_unix_secs(REALM.now.unix_secs() - 1000), Limits::default())
}

/// Sets the clock from an honest answer of the realm's first time service.
pub(crate) fn set(clock: &mut Clock, reading: &Reading, nonce: u8) {
    let service = &REALM.time[0];
    let key = *service.certificate.time_key().unwrap();
    let question = Clock::ask([nonce; 32], key, Source::ClockService, reading);
    let answer = service.responder.respond(&question.request_packet(provider()), reading.wall.unwrap().unix_secs());
    let accepted = clock.accept(provider(), question, &answer, reading, &mut Vec::new());
    assert!(matches!(accepted, Ok(Accepted::Set(_))), "{accepted:?}");
}

/// Licenses held for these keys, evaluated for playing, reserved and opened; a denial is a panic.
pub(crate) fn permit(
    store: &mut TestStore,
    identity: &Identity,
    key_ids: &[KeyId],
    clock: &Now,
    entropy: &mut SeededEntropy,
) -> Result<Permit, Error> {
    let environment = Environment { clock, ..environment(identity) };
    let candidates = Candidates::find(store, key_ids)?;
    let grants = candidates.evaluate(Action::Play, &environment).expect("the licenses allow it");
    admit_client::play::permit(store, identity, grants, entropy)
}

/// Whether playing is granted as the store stands.
pub(crate) fn may_play(store: &TestStore, identity: &Identity) -> bool {
    let candidates = Candidates::find(store, &[KEY_ID]).unwrap();
    candidates.evaluate(Action::Play, &environment(identity)).is_ok()
}

pub(crate) fn environment(identity: &Identity) -> Environment<'static> {
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

fn license_service() -> Verified<admit_trust::Certificate, role::License> {
    let chain = [REALM.license.certificate.clone()];
    verify_chain(provider(), &REALM.root, &chain, dates()).unwrap()
}

fn enrol(store: &mut TestStore, clock: ClockKind, entropy: &mut SeededEntropy) -> Result<Identity, Error> {
    let enrolment = Enrolment::begin(provider(), &REALM.root, clock, Features::default(), entropy);
    let answer = enrolment_answer(enrolment.request());
    enrolment.finish(provider(), &REALM.root, &answer, dates(), store, entropy)
}

/// What opening the store and looking at everything in it says.
pub(crate) fn read_all(storage: &Shared) -> Result<Vec<StoredLicense>, Error> {
    let mut store = try_open(storage)?;
    store.return_reservations(&mut SeededEntropy::new(1))?;
    store.held(&KEY_ID)?;
    let licenses = store.licenses()?;
    enrol::identity(provider(), &REALM.root, dates(), &store)?;
    Ok(licenses)
}

/// What the enrolment service does.
pub(crate) fn enrolment_answer(request: &[u8]) -> Vec<u8> {
    let signed = SignedRequest::verify(provider(), REALM.realm(), request).unwrap();
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
            features: Some(Features::from_bits(request.features)),
            device_kind: request.device.as_ref().map(|device| device.kind),
            hardware_serial: request.device.as_ref().and_then(|device| device.hardware_serial.clone()),
            ..Properties::default()
        },
        not_before: REALM.now,
        lifetime: Duration::from_secs(86_400 * 365),
    };
    let issuer = Issuer { certificate: &REALM.enrolment.certificate, key: &REALM.enrolment.signing };
    let certificate = admit_trust::issue(issuer, &subject, &mut SeededEntropy::new(8)).unwrap();
    EnrolmentResponse::new(&certificate, &REALM.enrolment.certificate).to_bytes()
}

/// What the license service answers to a challenge.
pub(crate) fn answer(request: &[u8], licenses: Vec<SignedLicense>) -> Vec<u8> {
    answer_with(request, licenses, None)
}

/// The same of one that has seen such a state of the client's store.
pub(crate) fn answer_with(request: &[u8], licenses: Vec<SignedLicense>, seen: Option<StorePosition>) -> Vec<u8> {
    let key = &REALM.license.encryption;
    let opened = OpenedChallenge::open(provider(), &REALM.root, key, dates(), request).unwrap();
    let client = opened.client().fingerprint(provider());
    let chain = std::slice::from_ref(&REALM.license.certificate);
    let response = LicenseResponse::new(opened.hash(), client, licenses);
    LicenseResponse { store_seen: seen, ..response }.sign(&REALM.license.signing, chain)
}

pub(crate) fn license_for(client: &PublicKey, terms: Terms) -> SignedLicense {
    let content = ContentKey::from_bytes(CONTENT_KEY);
    let scalar = SecretScalar::from_slice(&[3; 32]).unwrap();
    let (key, recipient) = match terms.kind {
        Kind::Simple => (KeyMaterial::Content(&content), *client),
        Kind::Root => (KeyMaterial::Root(&scalar), *client),
        Kind::Leaf => (KeyMaterial::Content(&content), scalar.public_key()),
    };
    let signer = LicenseSigner { key: &REALM.license.signing, chain: std::slice::from_ref(&REALM.license.certificate) };
    let entropy = &mut SeededEntropy::new(u64::from(terms.id.as_bytes()[0]));
    issue(provider(), signer, terms, &key, &recipient, entropy).unwrap()
}

pub(crate) fn id(number: u8) -> LicenseId {
    LicenseId::from_bytes([number; 16])
}

pub(crate) fn simple(number: u8) -> Terms {
    let nobody = admit_crypto::Digest::from_bytes([0; 32]);
    Terms::simple(id(number), KEY_ID, REALM.realm(), REALM.now, Rights::PLAY, nobody)
}

/// A license for a key of its own.
pub(crate) fn of_own_key(terms: Terms) -> Terms {
    Terms { key_id: own_key(terms.id), ..terms }
}

/// The key that [`of_own_key`] makes a license for.
pub(crate) fn own_key(id: LicenseId) -> KeyId {
    KeyId::from_bytes(*id.as_bytes())
}

pub(crate) fn counted(number: u8, plays: u32) -> Terms {
    Terms { play_count: Some(plays), ..simple(number) }
}

pub(crate) fn one_time(number: u8) -> Terms {
    Terms { rights: Rights::PLAY | Rights::ONE_TIME, ..simple(number) }
}

pub(crate) fn of_session(terms: Terms) -> Terms {
    Terms { persistent: Some(false), ..terms }
}

pub(crate) fn root(number: u8) -> Terms {
    Terms { kind: Kind::Root, key_id: ROOT_KEY_ID, revision: Some(1), ..simple(number) }
}

pub(crate) fn leaf(number: u8, key_id: KeyId) -> Terms {
    let binding = Binding { kind: BindingKind::Root, ..simple(number).binding };
    let uplink = Some(Uplink { key_id: ROOT_KEY_ID, revision: 1 });
    Terms { kind: Kind::Leaf, key_id, uplink, binding, ..simple(number) }
}

/// A clip packaged under the fixture's key: `admit package … --kid 11111111-… --key 5a5a…`.
pub(crate) const PROTECTED_CLIP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/media/protected.mp4");

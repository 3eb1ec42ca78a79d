//! A session in one realm: the client's identity, and licenses from the realm's service.

use admit_client::acquire::{Acquisition, Received, Timing, Wanted};
use admit_client::clock::clock_reading;
use admit_client::enrol::{self, Enrolment};
use admit_client::{Identity, Store};
use admit_license::{Application, Environment, Output as Outlet, VerifiedLicense};
use admit_protocol::Code;
use admit_protocol::acquire::{MAX_RESPONSE, SEALED_CHALLENGE_CONTENT_TYPE};
use admit_protocol::enrol::{ENROLMENT_CONTENT_TYPE, MAX_ENROLMENT_RESPONSE};
use admit_time::clock::{Clock, Event, Now};
use admit_trust::{Certificate, ClockKind, Device, Features, Role, Verified, role};

use super::content::HeaderTerms;
use super::context::{ClientRealm, DATES, HARD_FLOOR, Lock, PROVIDER};
use super::counter;
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::system::{Counter, Http, SqliteKeyValue, SystemEntropy, read_clocks};

/// A client at work in one realm. It holds the lock of the realm's folder, but not while it waits for the network. However it
/// ends, the clock is kept then, and what it noticed is told.
pub(crate) struct Session {
    pub(crate) realm: ClientRealm,
    pub(crate) store: Store<'static, SqliteKeyValue>,
    pub(crate) identity: Identity,
    pub(crate) clock: Clock,
    /// Until it is given back.
    pub(crate) lock: Option<Lock>,
    pub(crate) counter: Option<Counter>,
    /// What the clock noticed, and nobody was told yet.
    pub(crate) events: Vec<Event>,
    output: Output,
    application: Option<Verified<Certificate, role::Application>>,
}

impl Session {
    /// Opens the store and the identity in it; enrols where there is none yet. The clock is looked at, and what it finds is
    /// kept (row E04).
    pub(crate) fn open(realm: ClientRealm, http: &Http, output: Output) -> Outcome<Self> {
        let lock = realm.lock()?;
        let mut store = realm.settled_store(&lock)?;
        let mut lock = Some(lock);
        let root = realm.realm.root();
        let identity = match enrol::identity(PROVIDER, root, DATES, &store)? {
            Some(identity) => identity,
            None => enrol_client(&realm, &mut store, &mut lock, http)?,
        };
        if Device::of(identity.certificate()).is_some() {
            let sentence = "this is the folder of a portable device or medium, and not of a client";
            return Err(Failure::new(Code::ADMIT_E_NOT_THIS_DEVICE, sentence)
                .with_action("Name a client's folder with --client, or use admit device play"));
        }
        Self::begin(realm, store, identity, lock, output)
    }

    /// Opens the store of a device and the identity in it, which was made with it.
    pub(super) fn open_device(realm: ClientRealm, output: Output) -> Outcome<Self> {
        let lock = realm.lock()?;
        let store = realm.settled_store(&lock)?;
        let identity = enrol::identity(PROVIDER, realm.realm.root(), DATES, &store)?;
        let identity = identity.ok_or(admit_client::Error::NotADevice)?;
        Self::begin(realm, store, identity, Some(lock), output)
    }

    fn begin(
        realm: ClientRealm,
        store: Store<'static, SqliteKeyValue>,
        identity: Identity,
        lock: Option<Lock>,
        output: Output,
    ) -> Outcome<Self> {
        let mut entropy = store.entropy(&mut SystemEntropy);
        let application = realm.realm.application(PROVIDER, APPLICATION, DATES)?;
        let clock = store.clock(HARD_FLOOR, realm.realm.clock_limits())?;
        let counter = counter::open(&clock)?;
        let mut session =
            Self { realm, store, identity, clock, lock, counter, events: Vec::new(), output, application };
        let now = session.look_at_clock();
        session.store.delete_rolled_back(&now, &mut entropy)?;
        if session.clock.needs_saving() {
            session.keep_clock()?;
        }
        Ok(session)
    }

    /// Acquires licenses and stores them, with the time that came with them.
    pub(crate) fn acquire(&mut self, wanted: &Wanted<'_>, http: &Http) -> Outcome<Vec<VerifiedLicense>> {
        let mut received = self.receive(wanted, http)?;
        let now = self.complete_time(&mut received, http)?;
        let mut entropy = self.store.entropy(&mut SystemEntropy);
        let stored = received.store(&self.identity, &mut self.store, &mut self.clock, &now, &mut entropy)?;
        self.settle_counter();
        Ok(stored)
    }

    /// Sends a challenge and takes its response. The clock is set by it, and not kept yet.
    pub(super) fn receive(&mut self, wanted: &Wanted<'_>, http: &Http) -> Outcome<Received> {
        for _ in 0..MOST_OVERTAKEN {
            let received = self.receive_from_newest(wanted, http)?;
            if received.is_of_older(&self.store) {
                self.clock.store_is_older();
                self.keep_clock()?;
                return Err(Failure::from(admit_client::Error::StoreRolledBack));
            }
            if !received.was_overtaken() {
                return Ok(received);
            }
        }
        let sentence = "other processes of this client acquire licenses all the time";
        Err(Failure::new(Code::ADMIT_E_STORE_BUSY, sentence))
    }

    fn receive_from_newest(&mut self, wanted: &Wanted<'_>, http: &Http) -> Outcome<Received> {
        match self.receive_once(wanted, http) {
            // The service has a new key: its certificate was renewed since the realm document was fetched.
            Err(failure) if failure.code == Code::ADMIT_E_UNKNOWN_CHALLENGE_KEY => {
                self.renew_realm(http)?;
                self.receive_once(wanted, http)
            }
            outcome => outcome,
        }
    }

    /// Takes the newest realm document.
    pub(super) fn renew_realm(&mut self, http: &Http) -> Outcome<()> {
        let fetched = unlocked(&mut self.lock, &self.realm, &mut self.store, || self.realm.fetch(http))?;
        self.realm.replace(&fetched)
    }

    /// Lets others at the realm's folder while `wait` waits for the network, and then looks at what they did.
    pub(super) fn unlocked<T>(&mut self, wait: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        let answer = unlocked(&mut self.lock, &self.realm, &mut self.store, wait);
        self.store.refresh_clock(&mut self.clock)?;
        answer
    }

    /// The application's certificate, as challenges carry it.
    pub(crate) const fn application(&self) -> Option<&Verified<Certificate, role::Application>> {
        self.application.as_ref()
    }

    /// What an evaluation looks at. All output of this program leaves it in clear.
    pub(crate) fn environment<'n>(&self, header: &HeaderTerms, now: &'n Now) -> Environment<'n> {
        Environment {
            application: Application::new(self.application()),
            output: Outlet::Clear,
            client: *self.identity.properties(),
            clock: now,
            revocation_version: 0,
            content_minimum_version: header.minimum_version,
        }
    }

    fn receive_once(&mut self, wanted: &Wanted<'_>, http: &Http) -> Outcome<Received> {
        // Where there is nobody left who may say the time, licenses without limits in time still come.
        let key = self.time_services(http).ok().and_then(|services| Some(services.first()?.0));
        let service = self.realm.realm.certificate::<role::License>(PROVIDER, DATES)?;
        let now = self.look_at_clock();
        let mut entropy = self.store.entropy(&mut SystemEntropy);
        let timing = Timing { now: &now, reading: &self.reading(), key };
        let acquisition = Acquisition::begin(&self.identity, &service, wanted, timing, &self.store, &mut entropy)?;
        let url = self.realm.service_url(Role::License)?;
        let body = acquisition.request();
        let response =
            self.unlocked(|| http.post(&url, SEALED_CHALLENGE_CONTENT_TYPE, wanted.token, body, MAX_RESPONSE))?;
        let reading = self.reading();
        let root = self.realm.realm.root();
        Ok(acquisition.receive(&self.identity, root, &response, &mut self.clock, &reading, &mut self.events)?)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let mut entropy = self.store.entropy(&mut SystemEntropy);
        let Self { store, identity, clock, counter, events, .. } = self;
        let counter = counter.as_ref().map(Counter::value);
        let read = &mut || clock_reading(identity, &read_clocks(counter));
        // What was done is done, whether or not the time that it took can be remembered.
        let _ = store.leave_clock(clock, read, events, &mut entropy);
        self.settle_counter();
        let realm = &self.realm.realm.document().name;
        for event in self.events.iter().filter(|event| is_told(event)) {
            self.output.warn(|| format!("clock of {realm}: {event}"));
        }
    }
}

/// Every machine is restarted now and then: only `admit clock show` says so.
fn is_told(event: &Event) -> bool {
    *event != Event::Restarted
}

/// Lets others at the realm's folder while `wait` waits for the network, and then looks at what they did.
fn unlocked<T>(
    lock: &mut Option<Lock>,
    realm: &ClientRealm,
    store: &mut Store<'static, SqliteKeyValue>,
    wait: impl FnOnce() -> Outcome<T>,
) -> Outcome<T> {
    *lock = None;
    let answer = wait();
    *lock = Some(realm.lock()?);
    store.refresh()?;
    answer
}

fn enrol_client(
    realm: &ClientRealm,
    store: &mut Store<'static, SqliteKeyValue>,
    lock: &mut Option<Lock>,
    http: &Http,
) -> Outcome<Identity> {
    let root = realm.realm.root();
    let mut entropy = store.entropy(&mut SystemEntropy);
    let enrolment = Enrolment::begin(PROVIDER, root, ClockKind::AntiRollback, FEATURES, &mut entropy);
    let url = realm.service_url(Role::Enrolment)?;
    let body = enrolment.request();
    let response =
        unlocked(lock, realm, store, || http.post(&url, ENROLMENT_CONTENT_TYPE, None, body, MAX_ENROLMENT_RESPONSE))?;
    // Another process may have been faster.
    if let Some(identity) = enrol::identity(PROVIDER, root, DATES, store)? {
        return Ok(identity);
    }
    let mut entropy = store.entropy(&mut SystemEntropy);
    Ok(enrolment.finish(PROVIDER, root, &response, DATES, store, &mut entropy)?)
}

/// The common name of this program's certificate in realm documents.
const APPLICATION: &str = "admit";
/// How often another process may be faster before this one gives up.
const MOST_OVERTAKEN: u32 = 5;
/// What this program can do.
pub(super) const FEATURES: Features = Features::from_bits(Features::CHAINS.bits() | Features::TIME.bits());

//! A session in one realm: the client's identity, and licenses from the realm's service.

use admit_client::acquire::{Acquisition, Wanted};
use admit_client::enrol::{self, Enrolment};
use admit_client::{Identity, Store};
use admit_license::{Application, Environment, Output, VerifiedLicense};
use admit_protocol::Code;
use admit_protocol::acquire::{MAX_RESPONSE, SEALED_CHALLENGE_CONTENT_TYPE};
use admit_protocol::enrol::{ENROLMENT_CONTENT_TYPE, MAX_ENROLMENT_RESPONSE};
use admit_trust::{Certificate, ClockKind, Features, Role, Verified, role};

use super::content::HeaderTerms;
use super::context::{ClientRealm, DATES, Lock, PROVIDER};
use crate::failure::Outcome;
use crate::system::{Http, SqliteKeyValue, SystemEntropy};

/// A client at work in one realm. It holds the lock of the realm's folder, but not while it waits for the network.
pub(crate) struct Session {
    pub(crate) realm: ClientRealm,
    pub(crate) store: Store<'static, SqliteKeyValue>,
    pub(crate) identity: Identity,
    /// Until it is given back.
    pub(crate) lock: Option<Lock>,
    application: Option<Verified<Certificate, role::Application>>,
}

impl Session {
    /// Opens the store and the identity in it; enrols where there is none yet.
    pub(crate) fn open(realm: ClientRealm, http: &Http) -> Outcome<Self> {
        let mut lock = Some(realm.lock()?);
        let mut store = realm.store()?;
        let mut entropy = store.entropy(&mut SystemEntropy);
        store.return_reservations(&mut entropy)?;
        let root = realm.realm.root();
        let identity = match enrol::identity(PROVIDER, root, DATES, &store)? {
            Some(identity) => identity,
            None => enrol_client(&realm, &mut store, &mut lock, http)?,
        };
        let application = realm.realm.application(PROVIDER, APPLICATION, DATES)?;
        Ok(Self { realm, store, identity, lock, application })
    }

    /// Acquires licenses and stores them.
    pub(crate) fn acquire(&mut self, wanted: &Wanted<'_>, http: &Http) -> Outcome<Vec<VerifiedLicense>> {
        match self.acquire_once(wanted, http) {
            // The service has a new key: its certificate was renewed since the realm document was fetched.
            Err(failure) if failure.code == Code::ADMIT_E_UNKNOWN_CHALLENGE_KEY => {
                let fetched = unlocked(&mut self.lock, &self.realm, &mut self.store, || self.realm.fetch(http))?;
                self.realm.replace(&fetched)?;
                self.acquire_once(wanted, http)
            }
            outcome => outcome,
        }
    }

    /// The application's certificate, as challenges carry it.
    pub(crate) const fn application(&self) -> Option<&Verified<Certificate, role::Application>> {
        self.application.as_ref()
    }

    /// What an evaluation looks at. All output of this program leaves it in clear.
    pub(crate) fn environment(&self, header: &HeaderTerms) -> Environment<'static> {
        Environment {
            application: Application::new(self.application()),
            output: Output::Clear,
            client: *self.identity.properties(),
            time: None,
            revocation_version: 0,
            content_minimum_version: header.minimum_version,
        }
    }

    fn acquire_once(&mut self, wanted: &Wanted<'_>, http: &Http) -> Outcome<Vec<VerifiedLicense>> {
        let service = self.realm.realm.certificate::<role::License>(PROVIDER, DATES)?;
        let mut entropy = self.store.entropy(&mut SystemEntropy);
        let acquisition = Acquisition::begin(&self.identity, &service, wanted, DATES, &self.store, &mut entropy)?;
        let url = self.realm.service_url(Role::License)?;
        let body = acquisition.request();
        let response = unlocked(&mut self.lock, &self.realm, &mut self.store, || {
            http.post(&url, SEALED_CHALLENGE_CONTENT_TYPE, wanted.token, body, MAX_RESPONSE)
        })?;
        let mut entropy = self.store.entropy(&mut SystemEntropy);
        let root = self.realm.realm.root();
        Ok(acquisition.finish(&self.identity, root, &response, &mut self.store, &mut entropy)?)
    }
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
    let enrolment = Enrolment::begin(PROVIDER, root, ClockKind::None, Features::CHAINS, &mut entropy);
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

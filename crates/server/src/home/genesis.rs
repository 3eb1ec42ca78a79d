//! What a new realm is made of: keys, certificates and the signed realm document. Pure: clock and randomness are
//! arguments, and nothing is written here.

use std::time::Duration;

use admit_crypto::{Entropy, Provider, PublicKey, RecordKey, SecretScalar};
use admit_protocol::acquire::LICENSES_PATH;
use admit_protocol::enrol::ENROL_PATH;
use admit_protocol::realm::{self, RealmDocument, Service};
use admit_protocol::time::TIME_PATH;
use admit_time::Timestamp;
use admit_trust::{
    Certificate, CertificateVersion, Error, Issuer, Properties, Role, SdkGeneration, Subject, TimeKey, TimeSubject,
};
use zeroize::Zeroizing;

use super::InitOptions;
use super::term::{ROOT_LIFETIME, lifetime};
use crate::time::key::{self, Seed};

/// A new realm, not yet stored.
pub(super) struct Genesis {
    pub(super) key_encryption_key: RecordKey,
    pub(super) root_key: SecretScalar,
    pub(super) root: Certificate,
    pub(super) services: Vec<NewService>,
    pub(super) token_key: SecretScalar,
    pub(super) document: Vec<u8>,
}

/// A service's new keys and certificate.
pub(super) struct NewService {
    pub(super) id: &'static str,
    pub(super) role: Role,
    pub(super) certificate: Certificate,
    /// A P-256 scalar, or the seed of a time key.
    pub(super) signing_key: Zeroizing<[u8; 32]>,
    pub(super) encryption_key: Option<SecretScalar>,
}

impl Genesis {
    pub(super) fn new(
        options: &InitOptions<'_>,
        provider: &Provider,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, Error> {
        let key_encryption_key = RecordKey::generate(entropy);
        let root_key = SecretScalar::generate(entropy);
        let signer = (provider.load_signing_key)(&root_key);
        let root = admit_trust::issue_root(options.name, &signer, options.now, ROOT_LIFETIME, entropy)?;
        let issuer = Issuer { certificate: &root, key: &signer };
        let mut issue = Issuing { provider, issuer, name: options.name, now: options.now, entropy };
        let issued = SERVICES.map(|(id, role)| match role {
            Role::Time => {
                let seed = key::generate(issue.entropy);
                issue.time(id, seed, FIRST_TIME_EPOCH)
            }
            role => issue.service(id, role),
        });
        let services = issued.into_iter().collect::<Result<Vec<_>, _>>()?;
        let application = issue.application(options.application_level)?;
        let document = realm::sign(&document(options, &root, &services, &application), &signer);
        let token_key = SecretScalar::generate(entropy);
        Ok(Self { key_encryption_key, root_key, root, services, token_key, document })
    }
}

/// What certificates are made with.
pub(super) struct Issuing<'a> {
    pub(super) provider: &'a Provider,
    pub(super) issuer: Issuer<'a>,
    pub(super) name: &'a str,
    pub(super) now: Timestamp,
    pub(super) entropy: &'a mut dyn Entropy,
}

impl Issuing<'_> {
    pub(super) fn service(&mut self, id: &'static str, role: Role) -> Result<NewService, Error> {
        let signing_key = SecretScalar::generate(self.entropy);
        let encryption_key = (role == Role::License).then(|| SecretScalar::generate(self.entropy));
        let public = encryption_key.as_ref().map(SecretScalar::public_key);
        let properties = Properties { encryption_key: public, ..Properties::default() };
        let service = match role {
            Role::License => "license service",
            Role::Enrolment => "enrolment authority",
            other => other.name(),
        };
        let name = format!("{} {service}", self.name);
        let certificate = self.certificate(role, &name, &signing_key.public_key(), properties)?;
        let signing_key = Zeroizing::new(*signing_key.expose());
        Ok(NewService { id, role, certificate, signing_key, encryption_key })
    }

    /// A time service with this key: it may be one that others have pinned.
    pub(super) fn time(&mut self, id: &'static str, seed: Seed, epoch: u64) -> Result<NewService, Error> {
        let key = TimeKey { public_key: *(self.provider.load_ed25519_key)(&seed).public_key(), epoch };
        let certificate = self.time_certificate(&format!("{} {id}", self.name), key)?;
        Ok(NewService { id, role: Role::Time, certificate, signing_key: seed, encryption_key: None })
    }

    /// A certificate for a time key, whose owner may be another.
    pub(super) fn time_certificate(&mut self, common_name: &str, key: TimeKey) -> Result<Certificate, Error> {
        let subject = TimeSubject { common_name, key, not_before: self.now, lifetime: self.lifetime(Role::Time) };
        admit_trust::issue_time(self.issuer, &subject, self.entropy)
    }

    /// The certificate of this program: a policy label. Its key signs nothing, so it is not kept.
    pub(super) fn application(&mut self, level: u32) -> Result<Certificate, Error> {
        let properties = Properties {
            application_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            sdk_generation: Some(SdkGeneration::Newer),
            security_level: Some(level),
            certificate_version: Some(CertificateVersion::V2),
            ..Properties::default()
        };
        let key = SecretScalar::generate(self.entropy).public_key();
        self.certificate(Role::Application, APPLICATION_NAME, &key, properties)
    }

    fn certificate(
        &mut self,
        role: Role,
        common_name: &str,
        public_key: &PublicKey,
        properties: Properties,
    ) -> Result<Certificate, Error> {
        let not_before = self.now;
        let lifetime = self.lifetime(role);
        let subject = Subject { common_name, public_key, role, properties, not_before, lifetime };
        admit_trust::issue(self.issuer, &subject, self.entropy)
    }

    /// Nothing under a root outlives it.
    fn lifetime(&self, role: Role) -> Duration {
        lifetime(role).min(self.issuer.certificate.not_after().saturating_since(self.now))
    }
}

fn document(
    options: &InitOptions<'_>,
    root: &Certificate,
    services: &[NewService],
    application: &Certificate,
) -> RealmDocument {
    let listed = services.iter().filter_map(|service| {
        let address = match service.role {
            Role::License => LICENSES_PATH,
            Role::Enrolment => ENROL_PATH,
            Role::Time => TIME_PATH,
            _ => return None,
        };
        let certificate = service.certificate.der().to_vec().into();
        Some(Service { role: service.role.number(), certificate, address: address.to_owned() })
    });
    RealmDocument {
        name: options.name.to_owned(),
        root: root.der().to_vec().into(),
        number: FIRST_DOCUMENT,
        issued_at: options.now,
        services: listed.collect(),
        enrol_level: options.enrol_level,
        privacy_address: None,
        applications: vec![application.der().to_vec().into()],
        clock: None,
    }
}

/// What has keys of its own, in the order in which realm documents list it: the row of its keys, and its role.
pub(super) const SERVICES: [(&str, Role); 5] = [
    (Role::License.name(), Role::License),
    (Role::Enrolment.name(), Role::Enrolment),
    (Role::Packaging.name(), Role::Packaging),
    (TIME_SERVICES[0], Role::Time),
    (TIME_SERVICES[1], Role::Time),
];

/// The rows of the two time services. Two, so that a clock that jumps far is set by both and by neither alone.
pub(super) const TIME_SERVICES: [&str; 2] = ["time-1", "time-2"];

/// The epoch of a realm's first time keys.
const FIRST_TIME_EPOCH: u64 = 1;

/// The number of a realm's first document.
pub(super) const FIRST_DOCUMENT: u64 = 1;

/// The common name of this program's certificate.
pub(super) const APPLICATION_NAME: &str = "admit";

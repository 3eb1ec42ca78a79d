//! What a new realm is made of: keys, certificates and the signed realm document. Pure: clock and randomness are
//! arguments, and nothing is written here.

use admit_crypto::{Entropy, Provider, PublicKey, RecordKey, SecretScalar};
use admit_protocol::acquire::LICENSES_PATH;
use admit_protocol::enrol::ENROL_PATH;
use admit_protocol::realm::{self, RealmDocument, Service};
use admit_time::Timestamp;
use admit_trust::{Certificate, Error, Issuer, Properties, Role, SdkGeneration, Subject};

use super::InitOptions;
use super::term::{ROOT_LIFETIME, lifetime};

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
    pub(super) role: Role,
    pub(super) certificate: Certificate,
    pub(super) signing_key: SecretScalar,
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
        let mut issue = Issuing { issuer, name: options.name, now: options.now, entropy };
        let services =
            vec![issue.service(Role::License)?, issue.service(Role::Enrolment)?, issue.service(Role::Packaging)?];
        let application = issue.application(options.application_level)?;
        let document = realm::sign(&document(options, &root, &services, &application), &signer);
        let token_key = SecretScalar::generate(entropy);
        Ok(Self { key_encryption_key, root_key, root, services, token_key, document })
    }
}

/// What certificates are made with.
pub(super) struct Issuing<'a> {
    pub(super) issuer: Issuer<'a>,
    pub(super) name: &'a str,
    pub(super) now: Timestamp,
    pub(super) entropy: &'a mut dyn Entropy,
}

impl Issuing<'_> {
    pub(super) fn service(&mut self, role: Role) -> Result<NewService, Error> {
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
        Ok(NewService { role, certificate, signing_key, encryption_key })
    }

    /// The certificate of this program: a policy label. Its key signs nothing, so it is not kept.
    pub(super) fn application(&mut self, level: u32) -> Result<Certificate, Error> {
        let properties = Properties {
            application_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            sdk_generation: Some(SdkGeneration::Newer),
            security_level: Some(level),
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
        // Nothing under a root outlives it.
        let lifetime = lifetime(role).min(self.issuer.certificate.not_after().saturating_since(not_before));
        let subject = Subject { common_name, public_key, role, properties, not_before, lifetime };
        admit_trust::issue(self.issuer, &subject, self.entropy)
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
    }
}

/// The number of a realm's first document.
pub(super) const FIRST_DOCUMENT: u64 = 1;

/// The common name of this program's certificate.
pub(super) const APPLICATION_NAME: &str = "admit";

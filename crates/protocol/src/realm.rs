//! The realm document at `/.well-known/admit`: who the operator is, and where its services are. Signed by the
//! trust root itself.

mod clock_rules;

use admit_crypto::{Digest, Provider, SigningKey};
use admit_time::Timestamp;
use admit_time::clock::Limits;
use admit_trust::role::{self, Marker};
use admit_trust::{Certificate, DateCheck, Envelope, Role, TrustRoot, Verified, verify_chain};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

pub use self::clock_rules::ClockRules;
use crate::Error;
use crate::error::{decode_all, encode};

/// A service of the realm.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Service {
    /// The number of the service's role.
    #[n(1)]
    pub role: u8,
    /// Its certificate, directly under the root.
    #[n(2)]
    pub certificate: ByteVec,
    /// Its address; a path is relative to where the document was found.
    #[n(3)]
    pub address: String,
}

/// What the trust root says of its realm.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RealmDocument {
    /// The operator's name, for people.
    #[n(1)]
    pub name: String,
    /// The trust root's certificate.
    #[n(2)]
    pub root: ByteVec,
    /// Goes up with every change.
    #[n(3)]
    pub number: u64,
    /// When the document was signed.
    #[n(4)]
    pub issued_at: Timestamp,
    /// The services.
    #[n(5)]
    pub services: Vec<Service>,
    /// The security level that clients enrol at.
    #[n(6)]
    pub enrol_level: u32,
    /// Where the privacy statement is.
    #[n(7)]
    pub privacy_address: Option<String>,
    /// Certificates of applications, for the programs that come with the project.
    #[n(8)]
    pub applications: Vec<ByteVec>,
    /// What clients' clocks put up with, where that is not the default.
    #[n(9)]
    pub clock: Option<ClockRules>,
}

/// A realm whose document was verified under the fingerprint that names it.
#[derive(Debug, Clone)]
pub struct Realm {
    root: TrustRoot,
    document: RealmDocument,
}

/// A time service of the realm, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeService<'a> {
    /// Its certificate, which has its Roughtime key and epoch.
    pub certificate: Verified<Certificate, role::Time>,
    /// Its address; a path is relative to where the document was found.
    pub address: &'a str,
}

/// Signs a realm document with the trust root's key.
#[must_use]
pub fn sign(document: &RealmDocument, root: &SigningKey) -> Vec<u8> {
    admit_trust::sign(root, &[], REALM_CONTENT_TYPE, &encode(document))
}

/// The fingerprint that a document claims, for the prompt that asks the user whether to trust it.
pub fn claimed_fingerprint(provider: &Provider, bytes: &[u8]) -> Result<Digest, Error> {
    Ok((provider.sha256)(&[&read_unverified(bytes)?.1.root]))
}

impl Realm {
    /// Verifies a realm document under the fingerprint that the user or the configuration trusts.
    pub fn verify(provider: &Provider, bytes: &[u8], trusted: Digest) -> Result<Self, Error> {
        let trust = Error::trust(MESSAGE);
        let (envelope, claimed) = read_unverified(bytes)?;
        let certificate = Certificate::from_der(&claimed.root).map_err(&trust)?;
        let root = TrustRoot::pin(provider, certificate, trusted).map_err(&trust)?;
        let signed = envelope.verify_by_root(provider, &root).map_err(&trust)?;
        Ok(Self { root, document: decode_all(MESSAGE, MAX_REALM_DOCUMENT, signed.payload())? })
    }

    /// The trust root.
    #[must_use]
    pub const fn root(&self) -> &TrustRoot {
        &self.root
    }

    /// What the root says.
    #[must_use]
    pub const fn document(&self) -> &RealmDocument {
        &self.document
    }

    /// What the clocks of the realm's clients put up with.
    #[must_use]
    pub fn clock_limits(&self) -> Limits {
        self.document.clock.unwrap_or_default().limits()
    }

    /// The address of the service of a role.
    pub fn address(&self, role: Role) -> Result<&str, Error> {
        self.service(role).map(|service| service.address.as_str())
    }

    /// The verified certificate of the service of the role `R`.
    pub fn certificate<R: Marker>(
        &self,
        provider: &Provider,
        dates: DateCheck,
    ) -> Result<Verified<Certificate, R>, Error> {
        let trust = Error::trust(MESSAGE);
        let certificate = Certificate::from_der(&self.service(R::ROLE)?.certificate).map_err(&trust)?;
        verify_chain(provider, &self.root, &[certificate], dates).map_err(&trust)
    }

    /// The time services with their verified certificates, in the document's order: the first is the one that signs the
    /// time in license responses.
    pub fn time_services(&self, provider: &Provider, dates: DateCheck) -> Result<Vec<TimeService<'_>>, Error> {
        let trust = Error::trust(MESSAGE);
        let services = self.document.services.iter().filter(|service| service.role == Role::Time.number());
        let verified = services.map(|service| {
            let certificate = Certificate::from_der(&service.certificate)?;
            let certificate = verify_chain(provider, &self.root, &[certificate], dates)?;
            Ok(TimeService { certificate, address: &service.address })
        });
        verified.collect::<Result<_, _>>().map_err(trust)
    }

    /// The verified certificate of an application, by its common name.
    pub fn application(
        &self,
        provider: &Provider,
        common_name: &str,
        dates: DateCheck,
    ) -> Result<Option<Verified<Certificate, role::Application>>, Error> {
        let trust = Error::trust(MESSAGE);
        for der in &self.document.applications {
            let certificate = Certificate::from_der(der).map_err(&trust)?;
            if certificate.subject() == format!("CN={common_name}") {
                return verify_chain(provider, &self.root, &[certificate], dates).map(Some).map_err(&trust);
            }
        }
        Ok(None)
    }

    fn service(&self, role: Role) -> Result<&Service, Error> {
        let found = self.document.services.iter().find(|service| service.role == role.number());
        found.ok_or(Error::NoService { role })
    }
}

/// What the document says before anybody checked it: only its root certificate is of use, to be compared with the
/// fingerprint that is trusted.
fn read_unverified(bytes: &[u8]) -> Result<(Envelope, RealmDocument), Error> {
    if bytes.len() > MAX_REALM_DOCUMENT {
        return Err(Error::TooLong { message: MESSAGE, length: bytes.len(), limit: MAX_REALM_DOCUMENT });
    }
    let envelope = Envelope::decode(bytes, REALM_CONTENT_TYPE).map_err(Error::trust(MESSAGE))?;
    let payload = envelope.unverified_payload().ok_or(Error::Malformed { message: MESSAGE, position: 0 })?;
    let document = decode_all(MESSAGE, MAX_REALM_DOCUMENT, payload)?;
    Ok((envelope, document))
}

/// Where the document is found on a server.
pub const REALM_PATH: &str = "/.well-known/admit";

/// The content type of realm documents.
pub const REALM_CONTENT_TYPE: &str = "application/admit-realm+cbor";

/// The longest realm document that is read, in bytes.
pub const MAX_REALM_DOCUMENT: usize = 64 * 1024;

const MESSAGE: &str = "realm document";

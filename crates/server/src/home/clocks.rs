//! The clock services that the realm document lists (rows E05 and E11): the realm's own, which may have further addresses,
//! and behind them those of others, for whose keys the trust root makes time certificates.

use admit_crypto::{Entropy, SecretScalar, SigningKey};
use admit_protocol::realm::{self, MAX_REALM_DOCUMENT, RealmDocument, Service};
use admit_protocol::time::TIME_PATH;
use admit_time::Timestamp;
use admit_trust::{Certificate, Issuer, Role, TimeKey};
use axum::http::Uri;
use serde_json::json;

use super::genesis::{Issuing, TIME_SERVICES};
use super::{Home, service_key_place};
use crate::Error;
use crate::audit::{self, Event};
use crate::store::{self, Connection, Transaction};

/// A clock service at one of its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockService {
    /// What it is called.
    pub name: String,
    /// Where clients ask it; a path is relative to where they found the document.
    pub address: String,
    /// The key that its answers are verified under.
    pub key: TimeKey,
    /// Whether this realm's servers have that key.
    pub is_own: bool,
    /// When its certificate ends.
    pub ends_at: Timestamp,
}

/// Somebody else's clock service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutsideClock<'a> {
    /// What it is called here.
    pub name: &'a str,
    /// Its long-term key, as Roughtime servers publish it.
    pub key: [u8; 32],
}

/// Why a clock service is not listed, or not taken from the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClockServiceFault {
    /// Nobody can be asked there.
    #[error("{address:?} is not the address of a clock service: that is https://…, http://… or udp://HOST:PORT")]
    Address {
        /// What was given.
        address: String,
    },
    /// It is listed there.
    #[error("the realm document lists {name} at {address} already")]
    Listed {
        /// The service.
        name: String,
        /// The address.
        address: String,
    },
    /// Nothing is.
    #[error("the realm document lists no clock service at {address}")]
    NotListed {
        /// The address.
        address: String,
    },
    /// Clients find the realm's own clock services where they find the realm.
    #[error("the realm's own clock services stay at {address}")]
    Own {
        /// The address.
        address: String,
    },
    /// The name cannot be one.
    #[error("a clock service's name has 1 to {limit} letters, digits, dots, hyphens and underscores")]
    Name {
        /// The most characters.
        limit: usize,
    },
    /// Something else has the name.
    #[error("{name} is the name of another certificate")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// The key has another name.
    #[error("the realm document lists this key as {name}")]
    KeyNamed {
        /// Its name.
        name: String,
    },
    /// There is no room for more.
    #[error("the realm document would be longer than {limit} bytes")]
    Full {
        /// The most.
        limit: usize,
    },
}

impl Home {
    /// The clock services, in the order in which clients ask them.
    pub fn clock_services(&self) -> Result<Vec<ClockService>, Error> {
        let keys = self.keys();
        let realm = realm::Realm::verify(self.provider(), &keys.document, self.realm());
        let own: Vec<_> = keys.time.iter().map(|service| service.certificate.clone()).collect();
        clock_services(realm.map_err(|_| Error::damaged_document())?.document(), &own)
    }

    /// Lists clock services at an address, with the trust root's key: an outside one, or else the realm's own there too.
    /// Says which.
    pub async fn add_clock_service(
        &self,
        root_key: &SecretScalar,
        address: &str,
        outside: Option<OutsideClock<'_>>,
        now: Timestamp,
        entropy: &mut (dyn Entropy + Send),
    ) -> Result<Vec<ClockService>, Error> {
        let signer = self.root_signer(root_key, now)?;
        let address = normal(address)?;
        let mut change = Change::begin(self, now).await?;
        let before = change.listed()?;
        let certificates = match outside {
            None => change.own.clone(),
            Some(clock) => vec![change.outside(&signer, clock, &before, entropy)?],
        };
        let services = certificates.iter().map(|certificate| Service {
            role: Role::Time.number(),
            certificate: certificate.der().to_vec().into(),
            address: address.clone(),
        });
        let services: Vec<_> = services.collect();
        let listed = &mut change.document.services;
        if let Some(double) = services.iter().find(|service| listed.contains(service)) {
            let name = change.name(&Certificate::from_der(&double.certificate)?);
            return Err(ClockServiceFault::Listed { name, address }.into());
        }
        // The first one listed signs the time in license responses, and the realm's own are asked before others.
        let is_own = |service: &Service| change.own.iter().any(|own| own.der() == service.certificate.as_slice());
        let behind_own = listed.iter().rposition(is_own).map_or(listed.len(), |last| last + 1);
        let place = if outside.is_some() { listed.len() } else { behind_own };
        listed.splice(place..place, services);
        let new = change.listed()?.into_iter().filter(|service| !before.contains(service)).collect();
        change.end(&signer, Event::ClockServiceListed, &address, new).await
    }

    /// Takes what is listed at an address from the list, with the trust root's key. Says what that was.
    pub async fn remove_clock_service(
        &self,
        root_key: &SecretScalar,
        address: &str,
        now: Timestamp,
    ) -> Result<Vec<ClockService>, Error> {
        let signer = self.root_signer(root_key, now)?;
        if address.starts_with('/') {
            return Err(ClockServiceFault::Own { address: address.to_owned() }.into());
        }
        let address = normal(address)?;
        let mut change = Change::begin(self, now).await?;
        let gone: Vec<_> = change.listed()?.into_iter().filter(|service| service.address == address).collect();
        if gone.is_empty() {
            return Err(ClockServiceFault::NotListed { address }.into());
        }
        change.document.services.retain(|service| !is_time(service) || service.address != address);
        change.end(&signer, Event::ClockServiceUnlisted, &address, gone).await
    }
}

/// The certificates of others' clock services in a realm document, each once. `own` are those of the realm itself.
pub(super) fn outside<'a>(
    document: &RealmDocument,
    own: impl IntoIterator<Item = &'a Certificate>,
) -> Result<Vec<Certificate>, Error> {
    let own: Vec<_> = own.into_iter().map(Certificate::der).collect();
    let mut found: Vec<Certificate> = Vec::new();
    for service in document.services.iter().filter(|service| is_time(service)) {
        let der = service.certificate.as_slice();
        if !own.contains(&der) && found.iter().all(|known| known.der() != der) {
            found.push(Certificate::from_der(der)?);
        }
    }
    Ok(found)
}

/// What an outside clock service is called: its certificate says it.
pub(super) fn name(certificate: &Certificate) -> String {
    let subject = certificate.subject();
    subject.strip_prefix("CN=").unwrap_or(&subject).to_owned()
}

fn is_time(service: &Service) -> bool {
    service.role == Role::Time.number()
}

fn clock_services(document: &RealmDocument, own: &[Certificate]) -> Result<Vec<ClockService>, Error> {
    let services = document.services.iter().filter(|service| is_time(service)).map(|service| {
        let certificate = Certificate::from_der(&service.certificate)?;
        Ok(ClockService {
            name: name_of(&certificate, own),
            address: service.address.clone(),
            key: *certificate.time_key().ok_or_else(Error::damaged_document)?,
            is_own: own.contains(&certificate),
            ends_at: certificate.not_after(),
        })
    });
    services.collect()
}

/// What a service is called, an own one or another.
fn name_of(certificate: &Certificate, own: &[Certificate]) -> String {
    let known = TIME_SERVICES.iter().zip(own).find(|(_, own)| *own == certificate);
    known.map_or_else(|| name(certificate), |(name, _)| (*name).to_owned())
}

/// A change of the list under way.
struct Change<'a> {
    home: &'a Home,
    now: Timestamp,
    transaction: Transaction,
    document: RealmDocument,
    /// The certificates of the realm's own time services.
    own: Vec<Certificate>,
}

impl<'a> Change<'a> {
    async fn begin(home: &'a Home, now: Timestamp) -> Result<Self, Error> {
        let mut transaction = home.store().write().await?;
        let document = home.document_to_change(&mut transaction).await?;
        let own = own(&mut transaction).await?;
        Ok(Self { home, now, transaction, document, own })
    }

    fn listed(&self) -> Result<Vec<ClockService>, Error> {
        clock_services(&self.document, &self.own)
    }

    fn name(&self, certificate: &Certificate) -> String {
        name_of(certificate, &self.own)
    }

    /// The certificate for an outside clock: the one that there is, or a new one. Its epoch is that of the realm's own keys, so
    /// that clients that have seen these believe it, and those of before a theft do not.
    fn outside(
        &self,
        signer: &SigningKey,
        clock: OutsideClock<'_>,
        listed: &[ClockService],
        entropy: &mut (dyn Entropy + Send),
    ) -> Result<Certificate, Error> {
        check_name(clock.name)?;
        if let Some(known) = listed.iter().find(|known| known.key.public_key == clock.key) {
            if known.name != clock.name {
                return Err(ClockServiceFault::KeyNamed { name: known.name.clone() }.into());
            }
            let certificates = outside(&self.document, &self.own)?;
            let same = certificates.into_iter().find(|certificate| certificate.time_key() == Some(&known.key));
            return same.ok_or_else(|| ClockServiceFault::KeyNamed { name: known.name.clone() }.into());
        }
        let is_taken = |name: &str| name == clock.name;
        if self.home.standings().any(|standing| is_taken(&standing.name)) || listed.iter().any(|it| is_taken(&it.name))
        {
            return Err(ClockServiceFault::NameTaken { name: clock.name.to_owned() }.into());
        }
        let epoch = self.own.iter().filter_map(Certificate::time_key).map(|key| key.epoch).max().unwrap_or_default();
        let issuer = Issuer { certificate: self.home.root().certificate(), key: signer };
        let (provider, name, now) = (self.home.provider(), self.home.name(), self.now);
        let mut issuing = Issuing { provider, issuer, name, now, entropy };
        Ok(issuing.time_certificate(clock.name, TimeKey { public_key: clock.key, epoch })?)
    }

    /// Signs the document with the next number, tells the audit record, and makes all of it durable.
    async fn end(
        mut self,
        signer: &SigningKey,
        event: Event,
        address: &str,
        changed: Vec<ClockService>,
    ) -> Result<Vec<ClockService>, Error> {
        (self.document.number, self.document.issued_at) = (self.document.number.saturating_add(1), self.now);
        let signed = realm::sign(&self.document, signer);
        if signed.len() > MAX_REALM_DOCUMENT {
            return Err(ClockServiceFault::Full { limit: MAX_REALM_DOCUMENT }.into());
        }
        store::realm::set_document(&mut self.transaction, &signed, self.document.number).await?;
        let service = |it: &ClockService| json!({ "name": it.name, "key": hex::encode(it.key.public_key) });
        let services: Vec<_> = changed.iter().map(service).collect();
        let detail = json!({ "document": self.document.number, "services": services });
        self.home.append_audit(&mut self.transaction, self.now, event, address, &detail).await?;
        self.transaction.commit().await?;
        self.home.reload().await?;
        Ok(changed)
    }
}

/// The certificates of the realm's own time services, as the database has them.
async fn own(transaction: &mut Connection) -> Result<Vec<Certificate>, Error> {
    let mut own = Vec::with_capacity(TIME_SERVICES.len());
    for row in TIME_SERVICES {
        let found = store::service_key::find(transaction, row).await?;
        let (certificate, ..) = found.ok_or_else(|| service_key_place(row, "row").damaged())?;
        own.push(Certificate::from_der(&certificate)?);
    }
    Ok(own)
}

fn check_name(name: &str) -> Result<(), ClockServiceFault> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(is_allowed) {
        return Ok(());
    }
    Err(ClockServiceFault::Name { limit: LONGEST_NAME })
}

/// The address of a clock service as the document has it: where no path is named over HTTP, it is that of these servers.
fn normal(address: &str) -> Result<String, ClockServiceFault> {
    let fault = || ClockServiceFault::Address { address: address.to_owned() };
    let uri = address.parse::<Uri>().ok().filter(|_| audit::is_recordable(address)).ok_or_else(fault)?;
    let (scheme, authority) = uri.scheme_str().zip(uri.authority()).ok_or_else(fault)?;
    let port = authority.as_str().strip_prefix(authority.host()).filter(|_| !authority.host().is_empty());
    let port = port.ok_or_else(fault)?;
    let is_port = port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
    // A fragment is not sent to anybody, and is lost in reading the rest.
    match scheme {
        _ if address.contains('#') => Err(fault()),
        "udp" if is_port && is_bare => Ok(format!("udp://{authority}")),
        "http" | "https" if !is_port && !port.is_empty() => Err(fault()),
        "http" | "https" if is_bare => Ok(format!("{scheme}://{authority}{TIME_PATH}")),
        "http" | "https" => Ok(address.to_owned()),
        _ => Err(fault()),
    }
}

/// Characters in a common name (RFC 5280, upper bounds).
const LONGEST_NAME: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_where_the_time_can_be_asked_for() {
        for (given, kept) in [
            ("http://drm.example.org:7449", "http://drm.example.org:7449/v1/time"),
            ("http://drm.example.org/", "http://drm.example.org/v1/time"),
            ("https://[2001:db8::1]/roughtime?v=1", "https://[2001:db8::1]/roughtime?v=1"),
            ("udp://roughtime.int08h.com:2003", "udp://roughtime.int08h.com:2003"),
            ("udp://192.0.2.1:5319/", "udp://192.0.2.1:5319"),
            ("udp://[2001:db8::1]:5319", "udp://[2001:db8::1]:5319"),
        ] {
            assert_eq!(normal(given).as_deref(), Ok(kept));
        }
        let long = format!("https://drm.example.org/{}", "a".repeat(256));
        for given in [
            "",
            "drm.example.org",
            "/v1/time",
            "ftp://drm.example.org/",
            "http://",
            "http:///v1/time",
            "http://user@drm.example.org/",
            "http://drm.example.org:0/",
            "http://drm.example.org:70000/",
            "http://drm.example.org:/",
            "http://drm.example.org/v1/time#now",
            "http://drm.example.org/a b",
            "udp://drm.example.org",
            "udp://drm.example.org:5319/v1/time",
            "udp://drm.example.org:5319?x",
            long.as_str(),
        ] {
            assert_eq!(normal(given), Err(ClockServiceFault::Address { address: given.to_owned() }));
        }
    }

    #[test]
    fn names_stand_in_certificates_as_they_are() {
        for name in ["time-3", "roughtime.int08h.com", "A_1", &"a".repeat(64)] {
            assert_eq!(check_name(name), Ok(()));
        }
        for name in ["", "a b", "a,b", "ä", "CN=a", &"a".repeat(65)] {
            assert_eq!(check_name(name), Err(ClockServiceFault::Name { limit: 64 }), "{name}");
        }
    }
}

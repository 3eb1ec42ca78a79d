//! Renewal of certificates: of the services with new keys, but the time services' with those that others have pinned, of this
//! program's own, of others' clock services, and a realm document with the next number that names them, in one transaction. It
//! needs the trust root's key, which only a home for demonstrations has.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use admit_crypto::{Entropy, SecretScalar, SigningKey};
use admit_protocol::realm::{self, Realm, RealmDocument};
use admit_time::Timestamp;
use admit_trust::{Certificate, Issuer, Role, TimeKey};
use serde_json::json;

use super::genesis::{APPLICATION_NAME, Issuing, NewService, SERVICES};
use super::init::{ROOT_KEY_PLACE, service_row};
use super::term::{self, YEAR};
use super::{Home, challenge_key_place, clocks, service_key_place, time_seed};
use crate::sealing::SealingKey;
use crate::store::challenge_key::ChallengeKeyRow;
use crate::store::{self, Connection, Transaction};
use crate::time::key;
use crate::{Error, audit};

/// Which certificates are renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// Those that are due.
    Due,
    /// The license service, and what is due before that comes round again in a year.
    Yearly,
    /// All with new keys, as after a theft of keys.
    All,
}

/// A certificate that was renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewed {
    /// What it is for: the name of a service or a role.
    pub name: Cow<'static, str>,
    /// When it ends.
    pub ends_at: Timestamp,
}

impl Home {
    /// Renews certificates with the trust root's key. Servers of this home take the new keys at their next
    /// [`Home::reload`]; challenges that were sealed to the old key open for seven days more, and certificates that the old
    /// ones stand over are good until those end.
    pub async fn renew(
        &self,
        root_key: &SecretScalar,
        renewal: Renewal,
        now: Timestamp,
        entropy: &mut (dyn Entropy + Send),
    ) -> Result<Vec<Renewed>, Error> {
        let signer = self.root_signer(root_key, now)?;
        let (mut transaction, sealing) = self.sealer().write(self.store()).await?;
        let mut document = self.document_to_change(&mut transaction).await?;
        // Another instance may have been faster: what is due is what the database says in this transaction.
        let due = due(&mut transaction, &document, renewal, now).await?;
        if !due.is_empty() {
            (document.number, document.issued_at) = (document.number.saturating_add(1), now);
            document.clock = Some(self.config().clock).filter(|rules| !rules.are_default());
        }
        let mut ceremony = Ceremony { home: self, signer: &signer, renewal, now, document, transaction, sealing };
        let mut renewed = Vec::new();
        for due in due {
            renewed.push(ceremony.renew(&due, entropy).await?);
        }
        ceremony.end(!renewed.is_empty()).await?;
        self.reload().await?;
        Ok(renewed)
    }

    /// The same with the root key of a home for demonstrations. `None` where the root key is not in the home.
    pub async fn renew_demonstration(
        &self,
        renewal: Renewal,
        now: Timestamp,
        entropy: &mut (dyn Entropy + Send),
    ) -> Result<Option<Vec<Renewed>>, Error> {
        if !self.is_demonstration() {
            return Ok(None);
        }
        if renewal == Renewal::Due && !self.renewable().iter().any(|one| one.is_due(now)) {
            return Ok(Some(Vec::new()));
        }
        let Some(root_key) = self.demonstration_root_key().await? else { return Ok(None) };
        self.renew(&root_key, renewal, now, entropy).await.map(Some)
    }

    /// The realm document as it is now.
    pub(super) async fn document_to_change(&self, transaction: &mut Connection) -> Result<RealmDocument, Error> {
        let row = store::realm::load(transaction).await?;
        let current = Realm::verify(self.provider(), &row.document, row.fingerprint);
        Ok(current.map_err(|_| Error::damaged_document())?.document().clone())
    }

    /// The root key of a home for demonstrations.
    pub async fn demonstration_root_key(&self) -> Result<Option<SecretScalar>, Error> {
        let row = store::realm::load(&mut *self.store().read().await?).await?;
        let Some(sealed) = row.sealed_root_key else { return Ok(None) };
        let opened = self.sealer().open(ROOT_KEY_PLACE, &sealed)?;
        SecretScalar::from_slice(opened.bytes()).map(Some).map_err(|_| ROOT_KEY_PLACE.damaged())
    }

    /// What signs with this key, if it is the trust root's and the root has not ended.
    pub(super) fn root_signer(&self, root_key: &SecretScalar, now: Timestamp) -> Result<SigningKey, Error> {
        let signer = (self.provider().load_signing_key)(root_key);
        let root = self.root().certificate();
        if signer.public_key() != self.root().public_key() {
            return Err(Error::OtherRootKey);
        }
        if root.not_after() <= now {
            return Err(Error::RootEnded { at: root.not_after() });
        }
        Ok(signer)
    }
}

/// What is to be renewed.
struct Due {
    name: Cow<'static, str>,
    /// The row of its keys, where they are here.
    row: Option<&'static str>,
    role: Role,
    old: Certificate,
}

/// Looks what is to be renewed.
async fn due(
    transaction: &mut Connection,
    document: &RealmDocument,
    renewal: Renewal,
    now: Timestamp,
) -> Result<Vec<Due>, Error> {
    let mut due = Vec::new();
    for (row, role) in SERVICES {
        let found = store::service_key::find(transaction, row).await?;
        let (certificate, ..) = found.ok_or_else(|| service_key_place(row, "row").damaged())?;
        due.push(Due { name: row.into(), row: Some(row), role, old: Certificate::from_der(&certificate)? });
    }
    let role = Role::Application;
    due.extend(application(document)?.map(|old| Due { name: role.name().into(), row: None, role, old }));
    let outside = clocks::outside(document, due.iter().map(|due| &due.old))?;
    due.extend(outside.into_iter().map(|old| Due {
        name: clocks::name(&old).into(),
        row: None,
        role: Role::Time,
        old,
    }));
    due.retain(|due| is_wanted(&due.old, renewal, now));
    Ok(due)
}

fn is_wanted(certificate: &Certificate, renewal: Renewal, now: Timestamp) -> bool {
    match renewal {
        Renewal::Due => term::renew_by(certificate) <= now,
        Renewal::Yearly => {
            certificate.role() == Some(Role::License) || term::renew_by(certificate) <= now.saturating_add(YEAR)
        }
        Renewal::All => true,
    }
}

/// This program's certificate in a realm document.
pub(super) fn application(document: &RealmDocument) -> Result<Option<Certificate>, Error> {
    for der in &document.applications {
        let certificate = Certificate::from_der(der)?;
        if certificate.subject() == format!("CN={APPLICATION_NAME}") {
            return Ok(Some(certificate));
        }
    }
    Ok(None)
}

/// A renewal under way.
struct Ceremony<'a> {
    home: &'a Home,
    signer: &'a SigningKey,
    renewal: Renewal,
    now: Timestamp,
    document: RealmDocument,
    transaction: Transaction,
    /// Seals what is written in it.
    sealing: Arc<SealingKey>,
}

impl Ceremony<'_> {
    /// Renews one certificate, and tells the audit record.
    async fn renew(&mut self, due: &Due, entropy: &mut (dyn Entropy + Send)) -> Result<Renewed, Error> {
        let certificate = match (due.row, due.old.time_key()) {
            (Some(row), _) => {
                let service = self.issue(due, row, entropy).await?;
                self.replace(&service, entropy).await?;
                service.certificate
            }
            (None, Some(old)) => {
                // Its key is not ours to change. The epoch is the realm's, or clients would refuse it.
                let key = TimeKey { epoch: self.epoch(old), ..*old };
                self.issuing(entropy).time_certificate(&due.name, key)?
            }
            (None, None) => {
                let level = due.old.properties().security_level.unwrap_or_default();
                self.issuing(entropy).application(level)?
            }
        };
        self.list(&due.old, &certificate);
        let (name, ends_at) = (due.name.clone(), certificate.not_after());
        let detail = json!({ "role": name, "document": self.document.number, "ends": ends_at.to_string() });
        let fingerprint = certificate.fingerprint(self.home.provider()).to_string();
        let event = audit::Event::ServiceRenewed;
        self.home.append_audit(&mut self.transaction, self.now, event, &fingerprint, &detail).await?;
        Ok(Renewed { name, ends_at })
    }

    fn issuing<'b>(&'b self, entropy: &'b mut dyn Entropy) -> Issuing<'b> {
        let issuer = Issuer { certificate: self.home.root().certificate(), key: self.signer };
        Issuing { provider: self.home.provider(), issuer, name: self.home.name(), now: self.now, entropy }
    }

    /// A new certificate for a service. A time service keeps its key, which auditors and clients have pinned, unless keys were
    /// stolen: then the epoch goes up, and those before it are not believed any more.
    async fn issue(
        &mut self,
        due: &Due,
        row: &'static str,
        entropy: &mut (dyn Entropy + Send),
    ) -> Result<NewService, Error> {
        let Some(old) = due.old.time_key() else { return Ok(self.issuing(entropy).service(row, due.role)?) };
        let epoch = self.epoch(old);
        let seed = match self.renewal {
            Renewal::All => key::generate(entropy),
            Renewal::Due | Renewal::Yearly => self.kept_seed(row).await?,
        };
        Ok(self.issuing(entropy).time(row, seed, epoch)?)
    }

    /// The epoch of the certificate in this one's place.
    const fn epoch(&self, old: &TimeKey) -> u64 {
        match self.renewal {
            Renewal::All => old.epoch.saturating_add(1),
            Renewal::Due | Renewal::Yearly => old.epoch,
        }
    }

    async fn kept_seed(&mut self, name: &str) -> Result<key::Seed, Error> {
        let found = store::service_key::find(&mut self.transaction, name).await?;
        let (_, sealed, _) = found.ok_or_else(|| service_key_place(name, "row").damaged())?;
        time_seed(self.home.sealer(), service_key_place(name, "sealed_signing_key"), &sealed)
    }

    /// Puts a certificate in the old one's place in the realm document, wherever that lists it.
    fn list(&mut self, old: &Certificate, new: &Certificate) {
        let services = self.document.services.iter_mut().map(|service| &mut service.certificate);
        for listed in services.chain(&mut self.document.applications) {
            if listed.as_slice() == old.der() {
                *listed = new.der().to_vec().into();
            }
        }
    }

    /// Signs the document, if something changed, and makes all of it durable.
    async fn end(mut self, is_changed: bool) -> Result<(), Error> {
        if is_changed {
            let signed = realm::sign(&self.document, self.signer);
            store::realm::set_document(&mut self.transaction, &signed, self.document.number).await?;
        }
        Ok(self.transaction.commit().await?)
    }

    /// Puts the new keys in the old ones' place and keeps an old challenge key for a while.
    async fn replace(&mut self, service: &NewService, entropy: &mut (dyn Entropy + Send)) -> Result<(), Error> {
        if service.role == Role::License {
            if let Some(row) = self.retired(entropy).await? {
                store::challenge_key::insert(&mut self.transaction, &row).await?;
            }
            let forgotten = self.now.saturating_sub(GRACE);
            store::challenge_key::remove_before(&mut self.transaction, forgotten).await?;
        }
        let row = service_row(service, self.now, &self.sealing, entropy);
        store::service_key::replace(&mut self.transaction, &row).await
    }

    async fn retired(&mut self, entropy: &mut (dyn Entropy + Send)) -> Result<Option<ChallengeKeyRow>, Error> {
        let (name, provider) = (Role::License.name(), self.home.provider());
        let found = store::service_key::find(&mut self.transaction, name).await?;
        let Some((_, _, Some(sealed))) = found else { return Ok(None) };
        let place = service_key_place(name, "sealed_encryption_key");
        let old = self.home.sealer().open(place, &sealed)?;
        let scalar = SecretScalar::from_slice(old.bytes()).map_err(|_| place.damaged())?;
        let thumbprint = scalar.public_key().thumbprint(provider);
        let sealed_key = self.sealing.seal(challenge_key_place(&thumbprint), scalar.expose(), entropy);
        Ok(Some(ChallengeKeyRow { thumbprint, sealed_key, retired_at: self.now }))
    }
}

/// How long challenges sealed to a retired key are opened: as long as an answer is repeated.
pub(crate) const GRACE: Duration = Duration::from_secs(7 * 86_400);

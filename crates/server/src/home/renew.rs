//! Renewal of the license service: a new signing key, challenge key and certificate, and a realm document with the
//! next number that names it, in one transaction. It needs the trust root's key, which only a home for demonstrations has.

use std::time::Duration;

use admit_crypto::{Entropy, SecretScalar};
use admit_protocol::realm::{self, Realm};
use admit_time::Timestamp;
use admit_trust::{Issuer, Role};

use super::genesis::{Issuing, NewService};
use super::init::{ROOT_KEY_PLACE, service_row};
use super::{Home, challenge_key_place, service_key_place};
use crate::sealing::SealingKey;
use crate::store::challenge_key::ChallengeKeyRow;
use crate::store::{self, Connection};
use crate::{Error, audit};

impl Home {
    /// Renews the license service with the trust root's key. Says until when it is good. Servers of this home take the
    /// new keys at their next [`Home::reload`]; challenges that were sealed to the old key open for seven days more.
    pub async fn renew(
        &self,
        root_key: &SecretScalar,
        now: Timestamp,
        entropy: &mut (dyn Entropy + Send),
    ) -> Result<Timestamp, Error> {
        let signer = (self.provider().load_signing_key)(root_key);
        if signer.public_key() != self.root().certificate().public_key() {
            return Err(Error::OtherRootKey);
        }
        let issuer = Issuer { certificate: self.root().certificate(), key: &signer };
        let name = self.name();
        let service =
            Issuing { issuer, name, now, entropy: &mut *entropy }.service(Role::License, "license service")?;
        let end = service.certificate.not_after();
        let mut transaction = self.store().write().await?;
        let row = store::realm::load(&mut transaction).await?;
        let current = Realm::verify(self.provider(), &row.document, row.fingerprint);
        let mut document = current.map_err(|_| Error::damaged_document())?.document().clone();
        (document.number, document.issued_at) = (row.document_number.saturating_add(1), now);
        for listed in document.services.iter_mut().filter(|listed| listed.role == Role::License.number()) {
            listed.certificate = service.certificate.der().to_vec().into();
        }
        let signed = realm::sign(&document, &signer);
        self.replace(&mut transaction, &service, now, entropy).await?;
        store::realm::set_document(&mut transaction, &signed, document.number).await?;
        let detail = serde_json::json!({ "document": document.number, "ends": end.to_string() });
        let fingerprint = service.certificate.fingerprint(self.provider()).to_string();
        self.append_audit(&mut transaction, now, audit::Event::ServiceRenewed, &fingerprint, &detail).await?;
        transaction.commit().await?;
        self.reload().await?;
        Ok(end)
    }

    /// Renews the license service of a home for demonstrations, if it ends within this time.
    pub async fn renew_demonstration(
        &self,
        within: Duration,
        now: Timestamp,
        entropy: &mut (dyn Entropy + Send),
    ) -> Result<Option<Timestamp>, Error> {
        let license_ends_at = self.keys().license.certificate.not_after();
        if license_ends_at > now.saturating_add(within) {
            return Ok(None);
        }
        let row = store::realm::load(&mut *self.store().read().await?).await?;
        let Some(sealed) = row.sealed_root_key else { return Ok(None) };
        let opened = self.sealer().open(ROOT_KEY_PLACE, &sealed)?;
        let root_key = SecretScalar::from_slice(opened.bytes()).map_err(|_| ROOT_KEY_PLACE.damaged())?;
        self.renew(&root_key, now, entropy).await.map(Some)
    }

    /// Puts the new keys in the old ones' place and keeps the old challenge key for a while.
    async fn replace(
        &self,
        transaction: &mut Connection,
        service: &NewService,
        now: Timestamp,
        entropy: &mut (dyn Entropy + Send),
    ) -> Result<(), Error> {
        let key = self.sealer().sealing(transaction).await?;
        if let Some(row) = self.retired(transaction, &key, now, entropy).await? {
            store::challenge_key::insert(transaction, &row).await?;
        }
        let forgotten = now.unix_secs().saturating_sub(GRACE.as_secs());
        store::challenge_key::remove_before(transaction, Timestamp::from_unix_secs(forgotten)).await?;
        let row = service_row(service, now, &key, entropy);
        store::service_key::replace(transaction, &row).await
    }

    async fn retired(
        &self,
        transaction: &mut Connection,
        key: &SealingKey,
        now: Timestamp,
        entropy: &mut (dyn Entropy + Send),
    ) -> Result<Option<ChallengeKeyRow>, Error> {
        let name = Role::License.name();
        let Some((_, _, Some(sealed))) = store::service_key::find(transaction, name).await? else { return Ok(None) };
        let place = service_key_place(name, "sealed_encryption_key");
        let old = self.sealer().open(place, &sealed)?;
        let scalar = SecretScalar::from_slice(old.bytes()).map_err(|_| place.damaged())?;
        let thumbprint = scalar.public_key().thumbprint(self.provider());
        let sealed_key = key.seal(challenge_key_place(&thumbprint), scalar.expose(), entropy);
        Ok(Some(ChallengeKeyRow { thumbprint, sealed_key, retired_at: now }))
    }
}

/// How long challenges sealed to a retired key are opened: as long as an answer is repeated.
pub(crate) const GRACE: Duration = Duration::from_secs(7 * 86_400);

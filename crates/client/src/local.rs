//! Content that is protected on this client for itself (row B10): its key, its header, and the licenses that the application
//! issues for it, without a service. The client signs them, verifies them, and stores them all in one commit.

use admit_crypto::{ContentKey, Entropy, Provider};
use admit_license::header::{
    Algorithm, ContentHeader, CustomAttributes, HeaderFields, HeaderKey, HeaderObject, KeyChecksum,
};
use admit_license::{
    Application, KeyId, LicenseId, LicenseSigner, Origin, Rights, Terms, VerifiedLicense, issue_local, local_key_id,
    local_rights,
};
use admit_time::TrustedTime;
use admit_time::clock::{Clock, Now};
use admit_trust::{CertificateVersion, DateCheck, TrustRoot};

use crate::{Error, Identity, KeyValue, Store};

/// A new content key that no service knows, for content of this client.
#[derive(Debug)]
pub struct LocalContent {
    key_id: KeyId,
    key: ContentKey,
}

/// What an application specifies for content that it protects.
#[derive(Debug, Clone, Copy)]
pub struct LocalOrder {
    /// The rights. What becomes of them is [`admit_license::local_rights`]'s to say.
    pub rights: Rights,
    /// The least security level of an application that uses the licenses; none is 100.
    pub minimum_application_level: Option<u32>,
    /// The application.
    pub application: Application,
}

impl LocalContent {
    /// Makes a key for this client.
    pub fn generate(provider: &Provider, identity: &Identity, entropy: &mut dyn Entropy) -> Self {
        let key = ContentKey::generate(entropy);
        let key_id = local_key_id(provider, identity.decryption_key().public_key(), &key);
        Self { key_id, key }
    }

    /// The key's id.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The key, for the packager.
    #[must_use]
    pub const fn key(&self) -> &ContentKey {
        &self.key
    }

    /// The content header, as the data of a `pssh` box. It names the realm and no server, and nobody signs it: what it says
    /// is where to look and counts for nothing.
    pub fn header(&self, provider: &Provider, root: &TrustRoot, content_id: Option<String>) -> Result<Vec<u8>, Error> {
        let checksum = Some(KeyChecksum::of(provider, self.key_id, &self.key));
        let fields = HeaderFields {
            keys: vec![HeaderKey { key_id: self.key_id, algorithm: Some(Algorithm::AesCtr), checksum }],
            custom: CustomAttributes { realm: Some(root.realm()), content_id, ..CustomAttributes::default() },
            ..HeaderFields::default()
        };
        let header = ContentHeader::new(fields).map_err(admit_license::Error::from)?;
        Ok(HeaderObject::new(&header).to_bytes().map_err(admit_license::Error::from)?)
    }

    /// Issues the licenses for the content and stores them, all or none.
    pub fn issue<K: KeyValue>(
        &self,
        order: LocalOrder,
        (identity, root): (&Identity, &TrustRoot),
        store: &mut Store<'_, K>,
        (clock, now): (&mut Clock, &Now),
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<VerifiedLicense>, Error> {
        let provider = store.provider;
        let dates = crate::clock::dates(now);
        let mut licenses = Vec::new();
        for rights in local_rights(order.rights, &order.application)? {
            let terms = self.terms(rights, order, identity, root, now, entropy);
            licenses.push(self.issue_one(provider, terms, (identity, root), dates, entropy)?);
        }
        store.add(&licenses, clock, now, entropy)?;
        Ok(licenses)
    }

    fn terms(
        &self,
        rights: Rights,
        order: LocalOrder,
        identity: &Identity,
        root: &TrustRoot,
        now: &Now,
        entropy: &mut dyn Entropy,
    ) -> Terms {
        let issued_at = now.time().map_or(now.hard_floor(), TrustedTime::latest);
        let recipient = identity.encryption_thumbprint();
        let id = LicenseId::generate(entropy);
        let origin = match order.application.certificate_version {
            CertificateVersion::V1 => Origin::LocalOfVersion1,
            CertificateVersion::V2 => Origin::Local,
        };
        Terms {
            minimum_application_level: order.minimum_application_level,
            origin: Some(origin),
            ..Terms::simple(id, self.key_id, root.realm(), issued_at, rights, recipient)
        }
    }

    fn issue_one(
        &self,
        provider: &Provider,
        terms: Terms,
        (identity, root): (&Identity, &TrustRoot),
        dates: DateCheck,
        entropy: &mut dyn Entropy,
    ) -> Result<VerifiedLicense, Error> {
        let signer = LicenseSigner { key: identity.signing_key(), chain: identity.chain() };
        let client = identity.decryption_key();
        let signed = issue_local(provider, signer, terms, &self.key, client.public_key(), entropy)?;
        let own = (identity.certificate(), client);
        Ok(VerifiedLicense::verify_local(provider, root, signed.as_bytes(), dates, own)?)
    }
}

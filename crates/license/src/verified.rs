//! Believing licenses: signature, chain, realm and binding, then the terms.

use admit_crypto::record::Opened;
use admit_crypto::{ContentKey, DecryptionKey, Digest, Provider, SecretScalar, hpke};
use admit_trust::{DateCheck, Envelope, TrustRoot, role};
use minicbor::Decoder;
use zeroize::Zeroizing;

use crate::issue::wrap_info;
use crate::{BindingKind, Error, Kind, LICENSE_CONTENT_TYPE, Terms};

/// A license whose signature, chain, realm and binding were verified.
///
/// There are two doors: [`VerifiedLicense::verify`], and [`VerifiedLicense::restore`] from a sealed record that
/// only the client's own store could have written after going through the first.
///
/// ```compile_fail,E0451
/// # use admit_license::{Terms, VerifiedLicense};
/// fn forge(terms: Terms) -> VerifiedLicense {
///     VerifiedLicense { terms, ..unimplemented!() }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedLicense {
    payload: Vec<u8>,
    terms_hash: Digest,
    terms: Terms,
    wrapped: hpke::Sealed,
}

impl VerifiedLicense {
    /// Verifies a license that came from a server, for the client whose encryption key has this thumbprint.
    pub fn verify(
        provider: &Provider,
        root: &TrustRoot,
        license: &[u8],
        dates: DateCheck,
        client: &Digest,
    ) -> Result<Self, Error> {
        let envelope = Envelope::decode(license, LICENSE_CONTENT_TYPE)?;
        let signed = envelope.verify::<role::License>(provider, root, dates)?;
        let license = Self::read(provider, root.realm(), signed.payload())?;
        if license.terms.binding.kind == BindingKind::Domain {
            return Err(Error::UnsupportedBinding);
        }
        if license.terms.binding.kind == BindingKind::Client && license.terms.binding.recipient != *client {
            return Err(Error::OtherClient);
        }
        Ok(license)
    }

    /// Takes back a license of this realm from the record that it was sealed in after it was verified. This door is
    /// as strong as the key of the record.
    pub fn restore(provider: &Provider, realm: Digest, record: &Opened) -> Result<Self, Error> {
        Self::read(provider, realm, record.bytes())
    }

    /// What to seal, so that [`VerifiedLicense::restore`] takes it back.
    #[must_use]
    pub fn record(&self) -> &[u8] {
        &self.payload
    }

    /// What the license says.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    fn read(provider: &Provider, realm: Digest, payload: &[u8]) -> Result<Self, Error> {
        let (terms, wrapped) = read_payload(payload)?;
        let terms_hash = (provider.sha256)(&[terms]);
        let terms = Terms::from_cbor(terms)?;
        if terms.realm != realm {
            return Err(Error::OtherRealm { found: terms.realm });
        }
        Ok(Self { payload: payload.to_vec(), terms_hash, terms, wrapped })
    }

    /// Opens the content key of a simple license.
    pub(crate) fn content_key(&self, provider: &Provider, client: &DecryptionKey) -> Result<ContentKey, Error> {
        let secret = self.unwrap(provider, client)?;
        ContentKey::from_slice(&secret).filter(|_| self.terms.kind != Kind::Root).ok_or(Error::KeyMaterial)
    }

    /// Opens the content key of a leaf through its root.
    pub(crate) fn content_key_through(
        &self,
        root: &Self,
        provider: &Provider,
        client: &DecryptionKey,
    ) -> Result<ContentKey, Error> {
        let belongs = self.terms.uplink.is_some_and(|uplink| uplink.key_id == root.terms.key_id);
        if !belongs || root.terms.kind != Kind::Root {
            return Err(Error::OtherRoot);
        }
        let scalar = SecretScalar::from_slice(&root.unwrap(provider, client)?).map_err(|_| Error::KeyMaterial)?;
        self.content_key(provider, &(provider.load_decryption_key)(&scalar))
    }

    fn unwrap(&self, provider: &Provider, key: &DecryptionKey) -> Result<Zeroizing<Vec<u8>>, Error> {
        hpke::open(provider, key, wrap_info(self.terms.kind), self.terms_hash.as_bytes(), &self.wrapped)
            .map_err(|_| Error::KeyMaterial)
    }
}

/// What a license says, for programs that show it. Nothing was verified.
pub fn inspect(license: &[u8]) -> Result<(Terms, Envelope), Error> {
    let envelope = Envelope::decode(license, LICENSE_CONTENT_TYPE)?;
    let payload = envelope.unverified_payload().ok_or(Error::Payload { position: 0 })?;
    let terms = Terms::from_cbor(read_payload(payload)?.0)?;
    Ok((terms, envelope))
}

fn read_payload(payload: &[u8]) -> Result<(&[u8], hpke::Sealed), Error> {
    let mut decoder = Decoder::new(payload);
    if decoder.array().map_err(|error| Error::payload(&error, &decoder))? != Some(2) {
        return Err(Error::Payload { position: 0 });
    }
    let terms = decoder.bytes().map_err(|error| Error::payload(&error, &decoder))?;
    let wrapped = decoder.decode().map_err(|error| Error::payload(&error, &decoder))?;
    if decoder.position() == payload.len() {
        Ok((terms, wrapped))
    } else {
        Err(Error::Payload { position: decoder.position() })
    }
}

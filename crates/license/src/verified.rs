//! Believing licenses: signature, chain, realm and binding, then the terms.

use admit_crypto::{ContentKey, DecryptionKey, Digest, Provider, SecretScalar, hpke};
use admit_trust::{Certificate, DateCheck, Device, Envelope, TrustRoot, Verified, role};
use minicbor::Decoder;
use zeroize::Zeroizing;

use crate::issue::wrap_info;
use crate::local::local_key_id_of;
use crate::{
    BindingKind, Error, Kind, LICENSE_CONTENT_TYPE, LOCAL_LICENSE_CONTENT_TYPE, Origin, PORTABLE_LICENSE_CONTENT_TYPE,
    Rights, Terms, portable_rights,
};

/// A license whose signature, chain, realm and binding were verified.
///
/// There is a door for each kind of signer: [`VerifiedLicense::verify`] for a service's license,
/// [`VerifiedLicense::verify_local`] for the client's own and [`VerifiedLicense::verify_portable`] for one that a device got.
/// [`HeldLicense::restore_all`](crate::HeldLicense::restore_all) takes licenses back from a sealed record that only the client's
/// own store could have written after they came through one of them.
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
    terms: Terms,
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
        let license = Self::read(root.realm(), signed.payload())?;
        if license.terms.origin.is_some() {
            return Err(Error::OtherOrigin);
        }
        license.bound_to(client)
    }

    /// Verifies a license that this client made for itself (row B10): signed by its own certificate, wrapped to its own key,
    /// and for a content key whose id nobody else's can be.
    pub fn verify_local(
        provider: &Provider,
        root: &TrustRoot,
        license: &[u8],
        dates: DateCheck,
        (client, key): (&Verified<Certificate, role::Client>, &DecryptionKey),
    ) -> Result<Self, Error> {
        let envelope = Envelope::decode(license, LOCAL_LICENSE_CONTENT_TYPE)?;
        let signed = envelope.verify::<role::Client>(provider, root, dates)?;
        if signed.signer().public_key() != client.public_key() || Device::of(client).is_some() {
            return Err(Error::OtherClient);
        }
        let license = Self::read(root.realm(), signed.payload())?;
        if !license.terms.origin.is_some_and(Origin::is_local) {
            return Err(Error::OtherOrigin);
        }
        let license = license.bound_to(&key.public_key().thumbprint(provider))?;
        license.content_key(provider, key)?;
        Ok(license)
    }

    /// Verifies a license that a client made for this device or medium (row B11). An SDMI-compliant one takes SDMI-validated
    /// content only (row B17).
    pub fn verify_portable(
        provider: &Provider,
        root: &TrustRoot,
        license: &[u8],
        dates: DateCheck,
        (device, key): (&Device, &DecryptionKey),
    ) -> Result<Self, Error> {
        let envelope = Envelope::decode(license, PORTABLE_LICENSE_CONTENT_TYPE)?;
        let signed = envelope.verify::<role::Client>(provider, root, dates)?;
        let license = Self::read(root.realm(), signed.payload())?;
        if license.terms.origin != Some(Origin::Portable) {
            return Err(Error::OtherOrigin);
        }
        let license = license.bound_to(&key.public_key().thumbprint(provider))?;
        let rights = license.terms.rights;
        if device.is_sdmi() && !rights.contains(Rights::SDMI_VALIDATED) {
            return Err(Error::NotSdmiValidated);
        }
        if Device::of(signed.signer()).is_some() || portable_rights(rights, device.is_sdmi()) != rights {
            return Err(Error::OtherDevice);
        }
        license.content_key(provider, key)?;
        Ok(license)
    }

    fn bound_to(self, client: &Digest) -> Result<Self, Error> {
        match self.terms.binding.kind {
            BindingKind::Domain => Err(Error::UnsupportedBinding),
            BindingKind::Client if self.terms.binding.recipient != *client => Err(Error::OtherClient),
            BindingKind::Client | BindingKind::Root => Ok(self),
        }
    }

    /// What was signed.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// What the license says.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// What the license says, without its key.
    #[must_use]
    pub fn into_terms(self) -> Terms {
        self.terms
    }

    /// Takes a license of this realm back from what was verified. The wrapped key was read then, and is read again where it is
    /// opened.
    pub(crate) fn restore(realm: Digest, payload: &[u8]) -> Result<Self, Error> {
        let terms = Terms::from_cbor(terms_of(&mut Decoder::new(payload))?)?;
        if terms.realm != realm {
            return Err(Error::OtherRealm { found: terms.realm });
        }
        Ok(Self { payload: payload.to_vec(), terms })
    }

    /// Reads all of a license of this realm.
    fn read(realm: Digest, payload: &[u8]) -> Result<Self, Error> {
        read_payload(payload)?;
        Self::restore(realm, payload)
    }

    /// Opens the content key of a simple license.
    pub(crate) fn content_key(&self, provider: &Provider, client: &DecryptionKey) -> Result<ContentKey, Error> {
        let secret = self.unwrap(provider, client)?;
        let key =
            ContentKey::from_slice(&secret).filter(|_| self.terms.kind != Kind::Root).ok_or(Error::KeyMaterial)?;
        let is_local = self.terms.origin.is_some_and(Origin::is_local);
        if is_local && local_key_id_of(provider, &self.terms.binding.recipient, &key) != self.terms.key_id {
            return Err(Error::KeyMaterial);
        }
        Ok(key)
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
        let (terms, wrapped) = read_payload(&self.payload)?;
        let terms_hash = (provider.sha256)(&[terms]);
        hpke::open(provider, key, wrap_info(self.terms.kind), terms_hash.as_bytes(), &wrapped)
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
    let terms = terms_of(&mut decoder)?;
    let wrapped = decoder.decode().map_err(|error| Error::payload(&error, &decoder))?;
    if decoder.position() == payload.len() {
        Ok((terms, wrapped))
    } else {
        Err(Error::Payload { position: decoder.position() })
    }
}

fn terms_of<'b>(decoder: &mut Decoder<'b>) -> Result<&'b [u8], Error> {
    if decoder.array().map_err(|error| Error::payload(&error, decoder))? != Some(2) {
        return Err(Error::Payload { position: 0 });
    }
    decoder.bytes().map_err(|error| Error::payload(&error, decoder))
}

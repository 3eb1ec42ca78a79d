//! Making licenses: terms, a wrapped key, and a signature over both.
//!
//! The payload of the signed object is an array of the terms (as a byte string, so that they can be hashed
//! exactly as they stand) and the wrapped key. The key's associated data is the hash of the terms: a key moved
//! into other terms does not open.

use admit_crypto::{ContentKey, Entropy, Provider, PublicKey, SecretScalar, SigningKey, hpke};
use admit_trust::Certificate;

use crate::{BindingKind, Error, Kind, Terms};

/// The secret that a license carries.
#[derive(Debug)]
pub enum KeyMaterial<'a> {
    /// The content key, in simple and leaf licenses.
    Content(&'a ContentKey),
    /// The private key that opens leaves, in root licenses.
    Root(&'a SecretScalar),
}

/// A signed license, as it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedLicense(Vec<u8>);

impl SignedLicense {
    /// The license's bytes: a COSE_Sign1.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The license's bytes.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Who signs licenses.
#[derive(Debug, Clone, Copy)]
pub struct LicenseSigner<'a> {
    /// A key of the role `license`; of the role `client`, where a client makes a license.
    pub key: &'a SigningKey,
    /// Its certificate.
    pub chain: &'a [Certificate],
}

/// Wraps the key to `recipient` and signs the license. The terms' binding is set to the recipient here, so that
/// it cannot say anything else.
pub fn issue(
    provider: &Provider,
    signer: LicenseSigner<'_>,
    terms: Terms,
    key: &KeyMaterial<'_>,
    recipient: &PublicKey,
    entropy: &mut dyn Entropy,
) -> Result<SignedLicense, Error> {
    if terms.origin.is_some() {
        return Err(Error::OtherOrigin);
    }
    seal_license(provider, signer, LICENSE_CONTENT_TYPE, terms, key, recipient, entropy)
}

/// What all kinds of licenses have in common. Who signs which kind, their callers know.
pub(crate) fn seal_license(
    provider: &Provider,
    signer: LicenseSigner<'_>,
    content_type: &str,
    mut terms: Terms,
    key: &KeyMaterial<'_>,
    recipient: &PublicKey,
    entropy: &mut dyn Entropy,
) -> Result<SignedLicense, Error> {
    terms.binding.recipient = recipient.thumbprint(provider);
    terms.binding.kind = if terms.kind == Kind::Leaf { BindingKind::Root } else { terms.binding.kind };
    terms.check()?;
    let secret: &[u8] = match (terms.kind, key) {
        (Kind::Simple | Kind::Leaf, KeyMaterial::Content(key)) => key.expose(),
        (Kind::Root, KeyMaterial::Root(scalar)) => scalar.expose(),
        _ => return Err(Error::KeyMaterial),
    };
    let terms_bytes = terms.to_cbor();
    let aad = (provider.sha256)(&[&terms_bytes]);
    let seed = hpke::EphemeralSeed::generate(entropy);
    let wrapped = hpke::seal(provider, recipient, wrap_info(terms.kind), aad.as_bytes(), secret, seed);
    let payload = encode_payload(&terms_bytes, &wrapped);
    Ok(SignedLicense(admit_trust::sign(signer.key, signer.chain, content_type, &payload)))
}

/// The HPKE `info` of each kind.
pub(crate) const fn wrap_info(kind: Kind) -> &'static [u8] {
    match kind {
        Kind::Simple => b"admit/1/simple",
        Kind::Root => b"admit/1/root",
        Kind::Leaf => b"admit/1/leaf",
    }
}

fn encode_payload(terms: &[u8], wrapped: &hpke::Sealed) -> Vec<u8> {
    let mut encoder = minicbor::Encoder::new(Vec::with_capacity(terms.len() + 128));
    let written = (|| encoder.array(2)?.bytes(terms)?.encode(wrapped)?.ok())();
    let infallible: Result<(), minicbor::encode::Error<core::convert::Infallible>> = written;
    infallible.expect("writing to memory succeeds");
    encoder.into_writer()
}

/// The content type of signed licenses.
pub const LICENSE_CONTENT_TYPE: &str = "application/admit-license+cbor";

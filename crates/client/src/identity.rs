//! Who a client is in one realm: keys it made itself (row A01), and the certificate that names them.

use admit_crypto::{DecryptionKey, Digest, Entropy, Provider, SecretScalar, SigningKey};
use admit_trust::{Certificate, ClientProperties, Verified, role};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

/// A client's key pairs, without a certificate yet.
pub(crate) struct Keys {
    signing_scalar: SecretScalar,
    encryption_scalar: SecretScalar,
    pub(crate) signing: SigningKey,
    pub(crate) encryption: DecryptionKey,
}

impl Keys {
    pub(crate) fn generate(provider: &Provider, entropy: &mut dyn Entropy) -> Self {
        Self::load(provider, SecretScalar::generate(entropy), SecretScalar::generate(entropy))
    }

    fn load(provider: &Provider, signing_scalar: SecretScalar, encryption_scalar: SecretScalar) -> Self {
        let signing = (provider.load_signing_key)(&signing_scalar);
        let encryption = (provider.load_decryption_key)(&encryption_scalar);
        Self { signing_scalar, encryption_scalar, signing, encryption }
    }
}

/// A client enrolled in a realm.
///
/// ```compile_fail,E0451
/// # use admit_client::Identity;
/// let forged = Identity { chain: Vec::new(), ..unimplemented!() };
/// ```
pub struct Identity {
    keys: Keys,
    certificate: Verified<Certificate, role::Client>,
    chain: Vec<Certificate>,
    properties: ClientProperties,
    encryption_thumbprint: Digest,
}

impl Identity {
    pub(crate) fn new(
        provider: &Provider,
        keys: Keys,
        certificate: Verified<Certificate, role::Client>,
        chain: Vec<Certificate>,
        properties: ClientProperties,
    ) -> Self {
        let encryption_thumbprint = keys.encryption.public_key().thumbprint(provider);
        Self { keys, certificate, chain, properties, encryption_thumbprint }
    }

    /// The client's certificate.
    pub const fn certificate(&self) -> &Verified<Certificate, role::Client> {
        &self.certificate
    }

    /// The certificate and its authority's, as they are sent.
    #[must_use]
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// What the certificate says.
    #[must_use]
    pub const fn properties(&self) -> &ClientProperties {
        &self.properties
    }

    /// The thumbprint of the key that licenses are wrapped to.
    #[must_use]
    pub const fn encryption_thumbprint(&self) -> Digest {
        self.encryption_thumbprint
    }

    /// The thumbprint of the key that challenges are signed with: what a token's `cnf` claim names.
    #[must_use]
    pub fn signing_thumbprint(&self, provider: &Provider) -> Digest {
        self.keys.signing.public_key().thumbprint(provider)
    }

    pub(crate) const fn signing_key(&self) -> &SigningKey {
        &self.keys.signing
    }

    pub(crate) const fn decryption_key(&self) -> &DecryptionKey {
        &self.keys.encryption
    }

    pub(crate) fn to_record(&self) -> Zeroizing<Vec<u8>> {
        let record = Record {
            signing: self.keys.signing_scalar.expose().to_vec().into(),
            encryption: self.keys.encryption_scalar.expose().to_vec().into(),
            chain: self.chain.iter().map(|certificate| certificate.der().to_vec().into()).collect(),
        };
        Zeroizing::new(minicbor::to_vec(&record).expect("writing to memory succeeds"))
    }

    /// Keys and chain from a sealed record. The certificate was verified before it was sealed; the caller
    /// verifies the chain again, which costs two signatures and needs no other way to make a `Verified`.
    pub(crate) fn read_record(provider: &Provider, record: &[u8]) -> Result<(Keys, Vec<Certificate>), usize> {
        let record: Record = minicbor::decode(record).map_err(|error| error.position().unwrap_or(0))?;
        let scalar = |bytes: &ByteVec| SecretScalar::from_slice(bytes).map_err(|_| 0_usize);
        let keys = Keys::load(provider, scalar(&record.signing)?, scalar(&record.encryption)?);
        let chain = record.chain.iter().map(|der| Certificate::from_der(der).map_err(|_| 0_usize));
        Ok((keys, chain.collect::<Result<_, _>>()?))
    }
}

impl core::fmt::Debug for Identity {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Identity").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Record {
    #[n(1)]
    signing: ByteVec,
    #[n(2)]
    encryption: ByteVec,
    #[n(3)]
    chain: Vec<ByteVec>,
}

impl Drop for Record {
    fn drop(&mut self) {
        use zeroize::Zeroize as _;
        self.signing.zeroize();
        self.encryption.zeroize();
    }
}

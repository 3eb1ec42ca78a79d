//! Signed objects: COSE_Sign1 (RFC 9052 section 4.2) with ES256, the kind of content in the protected header,
//! and the signer's certificates beside it (x5chain, RFC 9360).
//!
//! The content type keeps one kind of object from being taken for another. The reader accepts exactly the shape
//! that the writer makes: unknown header parameters, unprotected ones and trailing bytes are refused.

use admit_crypto::{Provider, PublicKey, Signature, SigningKey};
use minicbor::data::{Tag, Type};
use minicbor::{Decoder, Encoder};

use crate::chain::MAX_CHAIN;
use crate::role::{Marker, P256Marker};
use crate::{Certificate, DateCheck, Error, Field, TrustRoot, Verified, verify_chain};

/// How certificates are read from DER.
type ReadCertificate<'a> = &'a dyn Fn(&[u8]) -> Result<Certificate, Error>;

/// A signed object that was read and not yet verified.
#[derive(Debug, Clone)]
pub struct Envelope {
    protected: Vec<u8>,
    chain: Vec<Certificate>,
    payload: Option<Vec<u8>>,
    signature: Signature,
}

/// The payload of an object whose signature and chain hold for the role `R`, with who signed it.
///
/// ```compile_fail,E0451
/// # use admit_trust::{Certificate, SignedBytes, Verified, role};
/// fn forge(signer: Verified<Certificate, role::License>) -> SignedBytes<role::License> {
///     SignedBytes { payload: Vec::new(), signer }
/// }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct SignedBytes<R: Marker> {
    payload: Vec<u8>,
    signer: Verified<Certificate, R>,
}

impl<R: Marker> SignedBytes<R> {
    /// What was signed.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The signer's certificate.
    pub const fn signer(&self) -> &Verified<Certificate, R> {
        &self.signer
    }

    /// The signer's certificate, by itself.
    pub fn into_signer(self) -> Verified<Certificate, R> {
        self.signer
    }
}

/// The payload of an object whose signature holds under a key that the caller named: a trust root's, or the one that an
/// enrolment request is about. No certificate says whose key that is.
///
/// ```compile_fail,E0451
/// # use admit_trust::KeySignedBytes;
/// let forged = KeySignedBytes { payload: Vec::new() };
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct KeySignedBytes {
    payload: Vec<u8>,
}

impl KeySignedBytes {
    /// What was signed.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }
}

/// Signs `payload` as an object of `content_type` that carries it.
#[must_use]
pub fn sign(key: &SigningKey, chain: &[Certificate], content_type: &str, payload: &[u8]) -> Vec<u8> {
    let protected = protected_header(chain, content_type);
    let signature = key.sign(&to_be_signed(&protected, payload));
    encode(&protected, Some(payload), &signature)
}

/// Signs `payload` as an object of `content_type` that does not carry it.
#[must_use]
pub fn sign_detached(key: &SigningKey, chain: &[Certificate], content_type: &str, payload: &[u8]) -> Vec<u8> {
    let protected = protected_header(chain, content_type);
    let signature = key.sign(&to_be_signed(&protected, payload));
    encode(&protected, None, &signature)
}

impl Envelope {
    /// Reads a signed object of the given kind.
    pub fn decode(bytes: &[u8], content_type: &'static str) -> Result<Self, Error> {
        Self::decode_with(bytes, content_type, &Certificate::from_der)
    }

    /// Reads a signed object that is to be verified under a root, which may remember its certificates.
    pub fn decode_below(root: &TrustRoot, bytes: &[u8], content_type: &'static str) -> Result<Self, Error> {
        Self::decode_with(bytes, content_type, &|der| root.read(der))
    }

    fn decode_with(bytes: &[u8], content_type: &'static str, read: ReadCertificate<'_>) -> Result<Self, Error> {
        let mut decoder = Decoder::new(bytes);
        let at = |field, position| Error::Encoding { field, position };
        let start = decoder.position();
        if decoder.tag().ok() != Some(COSE_SIGN1) || decoder.array().ok() != Some(Some(4)) {
            return Err(at(Field::CoseArray, start));
        }
        let position = decoder.position();
        let protected = decoder.bytes().map_err(|_| at(Field::ProtectedHeader, position))?;
        let chain = read_protected_header(protected, content_type, read).map_err(|error| match error {
            Error::Encoding { field, position: inner } => at(field, position + inner),
            other => other,
        })?;
        let position = decoder.position();
        if decoder.map().ok() != Some(Some(0)) {
            return Err(at(Field::UnprotectedHeader, position));
        }
        let position = decoder.position();
        let payload = read_payload(&mut decoder).map_err(|_| at(Field::Payload, position))?;
        let position = decoder.position();
        let signature = decoder.bytes().map_err(|_| at(Field::Signature, position))?;
        let signature = Signature::from_slice(signature).map_err(|_| at(Field::Signature, position))?;
        if decoder.position() != bytes.len() {
            return Err(at(Field::TrailingBytes, decoder.position()));
        }
        Ok(Self { protected: protected.to_vec(), chain, payload, signature })
    }

    /// The certificates that came with the object, leaf first, not verified.
    #[must_use]
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// The payload, not verified: for programs that show what an object says.
    #[must_use]
    pub fn unverified_payload(&self) -> Option<&[u8]> {
        self.payload.as_deref()
    }

    /// Verifies the chain for the role `R` and the signature over the payload that came along.
    pub fn verify<R: P256Marker>(
        self,
        provider: &Provider,
        root: &TrustRoot,
        dates: DateCheck,
    ) -> Result<SignedBytes<R>, Error> {
        let signer = verify_chain(provider, root, &self.chain, dates)?;
        let payload = self.verify_signature(provider, signer.public_key())?;
        Ok(SignedBytes { payload, signer })
    }

    /// Verifies the chain for the role `R` and the signature over a payload that was kept elsewhere.
    pub fn verify_detached<R: P256Marker>(
        mut self,
        payload: &[u8],
        provider: &Provider,
        root: &TrustRoot,
        dates: DateCheck,
    ) -> Result<SignedBytes<R>, Error> {
        if self.payload.replace(payload.to_vec()).is_some() {
            return Err(Error::Field(Field::Payload));
        }
        self.verify(provider, root, dates)
    }

    /// Verifies an object that a trust root signed itself.
    pub fn verify_by_root(self, provider: &Provider, root: &TrustRoot) -> Result<KeySignedBytes, Error> {
        self.verify_by_key(provider, root.public_key())
    }

    /// Verifies an object that carries no certificate, under a key that the caller has from elsewhere.
    pub fn verify_by_key(self, provider: &Provider, key: &PublicKey) -> Result<KeySignedBytes, Error> {
        if !self.chain.is_empty() {
            return Err(Error::Field(Field::CertificateChain));
        }
        let payload = self.verify_signature(provider, key)?;
        Ok(KeySignedBytes { payload })
    }

    fn verify_signature(self, provider: &Provider, key: &PublicKey) -> Result<Vec<u8>, Error> {
        let payload = self.payload.ok_or(Error::Field(Field::Payload))?;
        (provider.verify)(key, &to_be_signed(&self.protected, &payload), &self.signature)
            .map_err(|_| Error::Signature)?;
        Ok(payload)
    }
}

/// `Sig_structure` of RFC 9052 section 4.4, without external data.
fn to_be_signed(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::with_capacity(protected.len() + payload.len() + 32));
    let written = (|| {
        encoder.array(4)?.str("Signature1")?.bytes(protected)?.bytes(&[])?.bytes(payload)?;
        Ok::<_, minicbor::encode::Error<core::convert::Infallible>>(())
    })();
    written.expect(WRITING_TO_MEMORY);
    encoder.into_writer()
}

fn protected_header(chain: &[Certificate], content_type: &str) -> Vec<u8> {
    let length: usize = chain.iter().map(|certificate| certificate.der().len() + 4).sum();
    let mut encoder = Encoder::new(Vec::with_capacity(length + content_type.len() + 16));
    let written = (|| {
        encoder.map(if chain.is_empty() { 2 } else { 3 })?;
        encoder.u8(LABEL_ALGORITHM)?.i8(ALGORITHM_ES256)?.u8(LABEL_CONTENT_TYPE)?.str(content_type)?;
        match chain {
            [] => {}
            [only] => {
                encoder.u8(LABEL_X5CHAIN)?.bytes(only.der())?;
            }
            several => {
                encoder.u8(LABEL_X5CHAIN)?.array(several.len() as u64)?;
                for certificate in several {
                    encoder.bytes(certificate.der())?;
                }
            }
        }
        Ok::<_, minicbor::encode::Error<core::convert::Infallible>>(())
    })();
    written.expect(WRITING_TO_MEMORY);
    encoder.into_writer()
}

fn encode(protected: &[u8], payload: Option<&[u8]>, signature: &Signature) -> Vec<u8> {
    let length = protected.len() + payload.map_or(0, <[u8]>::len) + signature.as_bytes().len();
    let mut encoder = Encoder::new(Vec::with_capacity(length + 24));
    let written = (|| {
        encoder.tag(COSE_SIGN1)?.array(4)?.bytes(protected)?.map(0)?;
        match payload {
            Some(payload) => encoder.bytes(payload)?,
            None => encoder.null()?,
        };
        encoder.bytes(signature.as_bytes())?;
        Ok::<_, minicbor::encode::Error<core::convert::Infallible>>(())
    })();
    written.expect(WRITING_TO_MEMORY);
    encoder.into_writer()
}

/// Checks algorithm and content type and returns the chain. The parameters stand in the order we write them.
fn read_protected_header(
    bytes: &[u8],
    content_type: &'static str,
    read: ReadCertificate<'_>,
) -> Result<Vec<Certificate>, Error> {
    let mut decoder = Decoder::new(bytes);
    let at = |field, position| Error::Encoding { field, position };
    let parameters = decoder.map().ok().flatten().filter(|&n| n == 2 || n == 3);
    let parameters = parameters.ok_or(at(Field::ProtectedHeader, 0))?;
    let position = decoder.position();
    if decoder.u8().ok() != Some(LABEL_ALGORITHM) || decoder.i8().ok() != Some(ALGORITHM_ES256) {
        return Err(at(Field::ProtectedHeader, position));
    }
    let position = decoder.position();
    if decoder.u8().ok() != Some(LABEL_CONTENT_TYPE) {
        return Err(at(Field::ProtectedHeader, position));
    }
    if decoder.str().ok() != Some(content_type) {
        return Err(Error::ContentType { expected: content_type });
    }
    let position = decoder.position();
    let mut chain = Vec::new();
    if parameters == 3 {
        if decoder.u8().ok() != Some(LABEL_X5CHAIN) {
            return Err(at(Field::CertificateChain, position));
        }
        chain = read_x5chain(&mut decoder, read)?;
    }
    if decoder.position() != bytes.len() {
        return Err(at(Field::ProtectedHeader, decoder.position()));
    }
    Ok(chain)
}

/// One certificate as bytes, or an array of at least two.
fn read_x5chain(decoder: &mut Decoder<'_>, read: ReadCertificate<'_>) -> Result<Vec<Certificate>, Error> {
    let position = decoder.position();
    let invalid = Error::Encoding { field: Field::CertificateChain, position };
    let count = match decoder.datatype() {
        Ok(Type::Bytes) => 1,
        Ok(Type::Array) => decoder.array().ok().flatten().filter(|&n| n >= 2).ok_or(invalid.clone())?,
        _ => return Err(invalid),
    };
    if count > MAX_CHAIN as u64 {
        return Err(Error::ChainTooLong { limit: MAX_CHAIN });
    }
    (0..count).map(|_| read(decoder.bytes().map_err(|_| invalid.clone())?)).collect()
}

fn read_payload(decoder: &mut Decoder<'_>) -> Result<Option<Vec<u8>>, minicbor::decode::Error> {
    match decoder.datatype()? {
        Type::Null => decoder.null().map(|()| None),
        _ => decoder.bytes().map(|bytes| Some(bytes.to_vec())),
    }
}

const WRITING_TO_MEMORY: &str = "writing to memory succeeds";
const COSE_SIGN1: Tag = Tag::new(18);
const LABEL_ALGORITHM: u8 = 1;
const LABEL_CONTENT_TYPE: u8 = 3;
const LABEL_X5CHAIN: u8 = 33;
const ALGORITHM_ES256: i8 = -7;

//! X.509 version 3 certificates (RFC 5280) as Admit uses them: P-256 keys, but an Ed25519 key where the role is time;
//! ecdsa-with-SHA256, one role, and Admit's properties. Anything else is refused when it is read, not when it is used.

use core::fmt;
use std::sync::Arc;

use admit_crypto::{Digest, Provider, PublicKey, Signature};
use admit_time::Timestamp;
use der::asn1::{BitString, ObjectIdentifier, OctetString};
use der::pem::LineEnding;
use der::{Decode, Encode, Enumerated, Header, Reader as _, Sequence, SliceReader};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::Validity;

use crate::oid::{self, Oid};
use crate::{Error, Field, Properties, Role, TimeKey, time_key};

/// A certificate that was read. Whether to believe it, only a verified chain says. Clones share what was read.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate(Arc<Inner>);

#[derive(PartialEq, Eq)]
struct Inner {
    der: Vec<u8>,
    to_be_signed: Vec<u8>,
    signature: Signature,
    issuer: Name,
    subject: Name,
    serial_number: SerialNumber,
    not_before: Timestamp,
    not_after: Timestamp,
    key: SubjectKey,
    is_authority: bool,
    path_length: Option<u8>,
    role: Option<Role>,
    properties: Properties,
}

/// Whose key a certificate is about decides what kind of key it is.
#[derive(PartialEq, Eq)]
enum SubjectKey {
    P256(PublicKey),
    Time(TimeKey),
}

impl Certificate {
    /// Reads one certificate from DER, of 4096 bytes at most: what reading costs in time and memory grows faster than the
    /// bytes that anybody may send.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        if der.len() > LONGEST {
            return Err(Error::CertificateTooLong { length: der.len(), limit: LONGEST });
        }
        let signed = SignedCertificate::from_der(der)?;
        if signed.to_der()? != der {
            return Err(Error::NotCanonical);
        }
        let tbs = signed.to_be_signed;
        if tbs.version != Version::V3 {
            return Err(Error::Field(Field::Version));
        }
        let algorithms_agree =
            is_ecdsa_with_sha256(&tbs.signature) && is_ecdsa_with_sha256(&signed.signature_algorithm);
        if !algorithms_agree {
            return Err(Error::Field(Field::SignatureAlgorithm));
        }
        let signature = signed.signature.as_bytes().ok_or(Error::Field(Field::Signature))?;
        let extensions = ReadExtensions::read(&tbs.extensions)?;
        Ok(Self(Arc::new(Inner {
            der: der.to_vec(),
            to_be_signed: first_element(der)?.to_vec(),
            signature: Signature::from_der(signature).map_err(|_| Error::Field(Field::Signature))?,
            issuer: tbs.issuer,
            subject: tbs.subject,
            serial_number: tbs.serial_number,
            not_before: timestamp(tbs.validity.not_before),
            not_after: timestamp(tbs.validity.not_after),
            key: SubjectKey::read(&tbs.subject_public_key_info, &extensions)?,
            is_authority: extensions.is_authority,
            path_length: extensions.path_length,
            role: extensions.role,
            properties: extensions.properties,
        })))
    }

    /// Reads one certificate from PEM (RFC 7468).
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        let (label, der) = der::pem::decode_vec(pem).map_err(|_| Error::Pem)?;
        if label == PEM_LABEL { Self::from_der(&der) } else { Err(Error::Pem) }
    }

    /// The certificate in PEM, with a line end behind it.
    #[must_use]
    pub fn to_pem(&self) -> String {
        der::pem::encode_string(PEM_LABEL, LineEnding::LF, &self.0.der).expect("a label and bytes encode")
    }

    /// The certificate's bytes.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// SHA-256 of the certificate, as `openssl x509 -fingerprint -sha256` prints it.
    #[must_use]
    pub fn fingerprint(&self, provider: &Provider) -> Digest {
        (provider.sha256)(&[&self.0.der])
    }

    /// The subject's name in RFC 4514 form, such as `CN=Admit license service`.
    #[must_use]
    pub fn subject(&self) -> String {
        self.0.subject.to_string()
    }

    /// The issuer's name in RFC 4514 form.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.0.issuer.to_string()
    }

    /// The serial number, big-endian.
    #[must_use]
    pub fn serial_number(&self) -> &[u8] {
        self.0.serial_number.as_bytes()
    }

    /// From when the certificate is valid.
    #[must_use]
    pub fn not_before(&self) -> Timestamp {
        self.0.not_before
    }

    /// Until when the certificate is valid.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.0.not_after
    }

    /// The key the certificate is about: it verifies what the subject signs. None on a time certificate.
    #[must_use]
    pub fn public_key(&self) -> Option<&PublicKey> {
        match &self.0.key {
            SubjectKey::P256(key) => Some(key),
            SubjectKey::Time(_) => None,
        }
    }

    /// The key and epoch that a time certificate is about. None on every other.
    #[must_use]
    pub fn time_key(&self) -> Option<&TimeKey> {
        match &self.0.key {
            SubjectKey::P256(_) => None,
            SubjectKey::Time(key) => Some(key),
        }
    }

    /// Whether the subject may issue certificates.
    #[must_use]
    pub fn is_authority(&self) -> bool {
        self.0.is_authority
    }

    /// How many more authorities may stand below this one; none where there is no limit.
    #[must_use]
    pub fn path_length(&self) -> Option<u8> {
        self.0.path_length
    }

    /// What the certificate may be used for; none on a trust root.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.0.role
    }

    /// What the certificate says beside name, key and role.
    #[must_use]
    pub fn properties(&self) -> &Properties {
        &self.0.properties
    }

    pub(crate) fn subject_name(&self) -> &Name {
        &self.0.subject
    }

    pub(crate) fn is_issued_by_name_of(&self, issuer: &Self) -> bool {
        self.0.issuer == issuer.0.subject
    }

    pub(crate) fn is_signed_by(&self, provider: &Provider, key: &PublicKey) -> bool {
        (provider.verify)(key, &self.0.to_be_signed, &self.0.signature).is_ok()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.subject())
            .field("role", &self.0.role)
            .field("not_before", &self.0.not_before)
            .field("not_after", &self.0.not_after)
            .field("properties", &self.0.properties)
            .finish_non_exhaustive()
    }
}

impl SubjectKey {
    /// An Ed25519 key with an epoch stands exactly where the role is time.
    fn read(info: &SubjectPublicKeyInfoOwned, extensions: &ReadExtensions) -> Result<Self, Error> {
        if extensions.role != Some(Role::Time) {
            return read_public_key(info).map(Self::P256);
        }
        let public_key = time_key::read(info)?;
        Ok(Self::Time(TimeKey { public_key, epoch: extensions.properties.epoch_of_time()? }))
    }
}

/// `Certificate` of RFC 5280 section 4.1, with [`Oid`]s where Admit's arc may stand.
#[derive(Clone, Sequence)]
pub(crate) struct SignedCertificate {
    pub(crate) to_be_signed: TbsCertificate,
    pub(crate) signature_algorithm: AlgorithmIdentifierOwned,
    pub(crate) signature: BitString,
}

/// `TBSCertificate` of RFC 5280 section 4.1.2; unique identifiers are not used.
#[derive(Clone, Sequence)]
pub(crate) struct TbsCertificate {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub(crate) version: Version,
    pub(crate) serial_number: SerialNumber,
    pub(crate) signature: AlgorithmIdentifierOwned,
    pub(crate) issuer: Name,
    pub(crate) validity: Validity,
    pub(crate) subject: Name,
    pub(crate) subject_public_key_info: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    pub(crate) extensions: Vec<Extension>,
}

/// `Version` of RFC 5280: an INTEGER.
#[derive(Clone, Copy, PartialEq, Eq, Enumerated)]
#[asn1(type = "INTEGER")]
#[repr(u8)]
pub(crate) enum Version {
    /// Version 1.
    V1 = 0,
    /// Version 2.
    V2 = 1,
    /// Version 3, the only one with extensions.
    V3 = 2,
}

/// `Extension` of RFC 5280 section 4.1.
#[derive(Clone, Sequence)]
pub(crate) struct Extension {
    pub(crate) identifier: Oid,
    #[asn1(default = "Default::default")]
    pub(crate) critical: bool,
    pub(crate) value: OctetString,
}

/// `BasicConstraints` of RFC 5280 section 4.2.1.9.
#[derive(Clone, Copy, Sequence)]
pub(crate) struct BasicConstraints {
    #[asn1(default = "Default::default")]
    pub(crate) is_authority: bool,
    #[asn1(optional = "true")]
    pub(crate) path_length: Option<u8>,
}

#[derive(Default)]
struct ReadExtensions {
    is_authority: bool,
    path_length: Option<u8>,
    key_usage: Option<BitString>,
    role: Option<Role>,
    properties: Properties,
}

impl ReadExtensions {
    fn read(extensions: &[Extension]) -> Result<Self, Error> {
        let mut read = Self::default();
        for (index, extension) in extensions.iter().enumerate() {
            if extensions[..index].iter().any(|earlier| earlier.identifier == extension.identifier) {
                return Err(Error::Field(Field::RepeatedExtension));
            }
            read.one(extension)?;
        }
        if read.key_usage.as_ref() != Some(&key_usage(read.is_authority)?) {
            return Err(Error::Field(Field::KeyUsage));
        }
        Ok(read)
    }

    fn one(&mut self, extension: &Extension) -> Result<(), Error> {
        let value = extension.value.as_bytes();
        if extension.identifier == BASIC_CONSTRAINTS {
            let BasicConstraints { is_authority, path_length } =
                BasicConstraints::from_der(value).map_err(|_| Error::Field(Field::BasicConstraints))?;
            if path_length.is_some() && !is_authority {
                return Err(Error::Field(Field::BasicConstraints));
            }
            (self.is_authority, self.path_length) = (is_authority, path_length);
        } else if extension.identifier == EXTENDED_KEY_USAGE {
            let usages = Vec::<Oid>::from_der(value)?;
            let [usage] = usages.as_slice() else { return Err(Error::Field(Field::ExtendedKeyUsage)) };
            self.role = Some(Role::from_oid(usage).ok_or(Error::Field(Field::ExtendedKeyUsage))?);
        } else if let Some(number) = extension.identifier.child_of(oid::PROPERTIES) {
            if !self.properties.read(number, value)? && extension.critical {
                return Err(Error::UnknownCriticalExtension);
            }
        } else if extension.identifier == KEY_USAGE {
            self.key_usage = Some(BitString::from_der(value).map_err(|_| Error::Field(Field::KeyUsage))?);
        } else if extension.critical {
            return Err(Error::UnknownCriticalExtension);
        }
        Ok(())
    }
}

/// keyCertSign and cRLSign for authorities, digitalSignature for others (RFC 5280 section 4.2.1.3).
pub(crate) fn key_usage(is_authority: bool) -> der::Result<BitString> {
    let (bits, unused) = if is_authority { (0b0000_0110, 1) } else { (0b1000_0000, 7) };
    BitString::new(unused, [bits])
}

/// The first element of a sequence, as it stands there.
fn first_element(sequence: &[u8]) -> Result<&[u8], Error> {
    let mut reader = SliceReader::new(sequence)?;
    Header::decode(&mut reader)?;
    Ok(reader.tlv_bytes()?)
}

fn read_public_key(info: &SubjectPublicKeyInfoOwned) -> Result<PublicKey, Error> {
    let invalid = Error::Field(Field::SubjectPublicKey);
    let parameters = info.algorithm.parameters.as_ref().ok_or(invalid.clone())?;
    let curve: ObjectIdentifier = parameters.decode_as().map_err(|_| invalid.clone())?;
    if info.algorithm.oid != EC_PUBLIC_KEY || curve != PRIME256V1 {
        return Err(invalid);
    }
    let point = info.subject_public_key.as_bytes().ok_or(invalid.clone())?;
    PublicKey::from_sec1(point).map_err(|_| invalid)
}

fn is_ecdsa_with_sha256(algorithm: &AlgorithmIdentifierOwned) -> bool {
    algorithm.oid == ECDSA_WITH_SHA256 && algorithm.parameters.is_none()
}

fn timestamp(time: x509_cert::time::Time) -> Timestamp {
    Timestamp::from_unix_secs(time.to_unix_duration().as_secs())
}

/// In bytes. Those that Admit makes have less than a thousand.
const LONGEST: usize = 4096;
const PEM_LABEL: &str = "CERTIFICATE";
pub(crate) const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
pub(crate) const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(crate) const PRIME256V1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
pub(crate) const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
pub(crate) const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
pub(crate) const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");

#[cfg(test)]
mod tests;

//! Making certificates: the trust root, and what it and its enrolment authority issue.

use core::str::FromStr;
use core::time::Duration;

use admit_crypto::{Entropy, PublicKey, SigningKey};
use admit_time::Timestamp;
use der::Encode;
use der::asn1::{Any, BitString, GeneralizedTime, OctetString, UtcTime};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity};

use crate::certificate::{
    BASIC_CONSTRAINTS, BasicConstraints, EC_PUBLIC_KEY, ECDSA_WITH_SHA256, EXTENDED_KEY_USAGE, Extension, KEY_USAGE,
    PRIME256V1, SignedCertificate, TbsCertificate, Version, key_usage,
};
use crate::oid::{self, Oid};
use crate::{Certificate, Error, Properties, Role, TimeKey, time_key};

/// Who signs a new certificate.
#[derive(Debug, Clone, Copy)]
pub struct Issuer<'a> {
    /// The issuer's own certificate.
    pub certificate: &'a Certificate,
    /// The issuer's key.
    pub key: &'a SigningKey,
}

/// What a new certificate says.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    /// The common name: a short text for people.
    pub common_name: &'a str,
    /// The key it is about.
    pub public_key: &'a PublicKey,
    /// What it may be used for.
    pub role: Role,
    /// What it says beside that.
    pub properties: Properties,
    /// From when it is valid.
    pub not_before: Timestamp,
    /// How long it is valid.
    pub lifetime: Duration,
}

/// What a new time certificate says. It has a type of its own, as its key has.
#[derive(Debug, Clone, Copy)]
pub struct TimeSubject<'a> {
    /// The common name: a short text for people.
    pub common_name: &'a str,
    /// The key it is about, and its epoch.
    pub key: TimeKey,
    /// From when it is valid.
    pub not_before: Timestamp,
    /// How long it is valid.
    pub lifetime: Duration,
}

/// Issues a certificate of any role but time, which [`issue_time`] is for. Roles that issue client certificates become authorities of one step.
pub fn issue(issuer: Issuer<'_>, subject: &Subject<'_>, entropy: &mut dyn Entropy) -> Result<Certificate, Error> {
    let tbs = TbsCertificate {
        version: Version::V3,
        serial_number: serial_number(entropy)?,
        signature: ecdsa_with_sha256(),
        issuer: issuer.certificate.subject_name().clone(),
        validity: validity(subject.not_before, subject.lifetime)?,
        subject: common_name(subject.common_name)?,
        subject_public_key_info: public_key_info(subject.public_key)?,
        extensions: extensions(subject.role, &subject.properties)?,
    };
    sign(tbs, issuer.key)
}

/// Issues a time certificate.
pub fn issue_time(
    issuer: Issuer<'_>,
    subject: &TimeSubject<'_>,
    entropy: &mut dyn Entropy,
) -> Result<Certificate, Error> {
    let properties = Properties { time_epoch: Some(subject.key.epoch), ..Properties::default() };
    let tbs = TbsCertificate {
        version: Version::V3,
        serial_number: serial_number(entropy)?,
        signature: ecdsa_with_sha256(),
        issuer: issuer.certificate.subject_name().clone(),
        validity: validity(subject.not_before, subject.lifetime)?,
        subject: common_name(subject.common_name)?,
        subject_public_key_info: time_key::info(&subject.key.public_key)?,
        extensions: extensions(Role::Time, &properties)?,
    };
    sign(tbs, issuer.key)
}

/// Makes the self-signed certificate of a trust root.
pub fn issue_root(
    common_name_text: &str,
    key: &SigningKey,
    not_before: Timestamp,
    lifetime: Duration,
    entropy: &mut dyn Entropy,
) -> Result<Certificate, Error> {
    let name = common_name(common_name_text)?;
    let tbs = TbsCertificate {
        version: Version::V3,
        serial_number: serial_number(entropy)?,
        signature: ecdsa_with_sha256(),
        issuer: name.clone(),
        validity: validity(not_before, lifetime)?,
        subject: name,
        subject_public_key_info: public_key_info(key.public_key())?,
        extensions: vec![basic_constraints(Some(1))?, key_usage_extension(true)?],
    };
    sign(tbs, key)
}

/// What stands beside name and key: what the role allows, and the properties.
fn extensions(role: Role, properties: &Properties) -> Result<Vec<Extension>, Error> {
    let authority = role.issues_clients().then_some(0);
    let mut extensions = vec![basic_constraints(authority)?, key_usage_extension(authority.is_some())?];
    extensions.push(extension(EXTENDED_KEY_USAGE.into(), true, vec![role.oid()].to_der()?)?);
    for (number, value) in properties.write()? {
        extensions.push(extension(Oid::under_arc(&[oid::PROPERTIES, number]), false, value)?);
    }
    Ok(extensions)
}

fn sign(tbs: TbsCertificate, key: &SigningKey) -> Result<Certificate, Error> {
    let signature = key.sign(&tbs.to_der()?).to_der().map_err(|_| Error::Signature)?;
    let signed = SignedCertificate {
        to_be_signed: tbs,
        signature_algorithm: ecdsa_with_sha256(),
        signature: BitString::from_bytes(&signature)?,
    };
    Certificate::from_der(&signed.to_der()?)
}

/// `CN=` and the text as it is: characters with a meaning in RFC 4514 are escaped.
fn common_name(text: &str) -> Result<Name, Error> {
    let escaped: String = text
        .chars()
        .flat_map(|c| {
            let special = matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '#' | '=');
            special.then_some('\\').into_iter().chain([c])
        })
        .collect();
    Ok(Name::from_str(&format!("CN={escaped}"))?)
}

/// 16 random bytes with the top bit clear and the next one set: positive, and never shorter.
fn serial_number(entropy: &mut dyn Entropy) -> Result<SerialNumber, Error> {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::new(&bytes)?)
}

fn validity(not_before: Timestamp, lifetime: Duration) -> Result<Validity, Error> {
    Ok(Validity::new(time(not_before)?, time(not_before.saturating_add(lifetime))?))
}

/// UTCTime up to 2049 and GeneralizedTime from then on (RFC 5280 section 4.1.2.5).
fn time(timestamp: Timestamp) -> Result<Time, Error> {
    let duration = Duration::from_secs(timestamp.unix_secs());
    Ok(match UtcTime::from_unix_duration(duration) {
        Ok(time) => Time::UtcTime(time),
        Err(_) => Time::GeneralTime(GeneralizedTime::from_unix_duration(duration)?),
    })
}

fn public_key_info(key: &PublicKey) -> Result<SubjectPublicKeyInfoOwned, Error> {
    Ok(SubjectPublicKeyInfoOwned {
        algorithm: AlgorithmIdentifierOwned { oid: EC_PUBLIC_KEY, parameters: Some(Any::encode_from(&PRIME256V1)?) },
        subject_public_key: BitString::from_bytes(key.as_bytes())?,
    })
}

const fn ecdsa_with_sha256() -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned { oid: ECDSA_WITH_SHA256, parameters: None }
}

fn basic_constraints(path_length: Option<u8>) -> Result<Extension, Error> {
    let constraints = BasicConstraints { is_authority: path_length.is_some(), path_length };
    extension(BASIC_CONSTRAINTS.into(), true, constraints.to_der()?)
}

fn key_usage_extension(is_authority: bool) -> Result<Extension, Error> {
    extension(KEY_USAGE.into(), true, key_usage(is_authority)?.to_der()?)
}

fn extension(identifier: Oid, critical: bool, value: Vec<u8>) -> Result<Extension, Error> {
    Ok(Extension { identifier, critical, value: OctetString::new(value)? })
}

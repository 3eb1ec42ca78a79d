//! One valid time certificate, one change per case, signed again so that only the change can be the reason.

use core::time::Duration;

use admit_crypto::{Entropy, SecretScalar, SigningKey, rustcrypto::PROVIDER};
use admit_time::Timestamp;
use der::asn1::{Any, Null};
use der::{Decode, Encode};
use proptest::prelude::*;

use super::*;
use crate::certificate::{ECDSA_WITH_SHA256, EXTENDED_KEY_USAGE, SignedCertificate, TbsCertificate};
use crate::oid::{self, Oid};
use crate::{Certificate, Issuer, Properties, Role, Subject, TimeSubject, issue, issue_root, issue_time};

const KEY: TimeKey = TimeKey { public_key: [0x42; 32], epoch: 7 };
const NOW: Timestamp = Timestamp::from_unix_secs(1_767_225_600);
const DAY: Duration = Duration::from_secs(86_400);

struct Sevens;

impl Entropy for Sevens {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

fn root_key() -> SigningKey {
    (PROVIDER.load_signing_key)(&SecretScalar::from_slice(&[7; 32]).unwrap())
}

fn root() -> Certificate {
    issue_root("Root", &root_key(), NOW, DAY, &mut Sevens).unwrap()
}

fn time_certificate(key: TimeKey) -> Certificate {
    let subject = TimeSubject { common_name: "Time", key, not_before: NOW, lifetime: DAY };
    issue_time(Issuer { certificate: &root(), key: &root_key() }, &subject, &mut Sevens).unwrap()
}

fn license_certificate(properties: Properties) -> Certificate {
    let (key, role) = (root_key(), Role::License);
    let public_key = key.public_key();
    let subject = Subject { common_name: "License", public_key, role, properties, not_before: NOW, lifetime: DAY };
    issue(Issuer { certificate: &root(), key: &key }, &subject, &mut Sevens).unwrap()
}

/// A certificate with one change to what is signed.
fn changed(certificate: &Certificate, change: impl FnOnce(&mut TbsCertificate)) -> Result<Certificate, Error> {
    let mut tbs = SignedCertificate::from_der(certificate.der()).unwrap().to_be_signed;
    change(&mut tbs);
    let signature = root_key().sign(&tbs.to_der().unwrap()).to_der().unwrap();
    let signature_algorithm = AlgorithmIdentifierOwned { oid: ECDSA_WITH_SHA256, parameters: None };
    let signature = BitString::from_bytes(&signature).unwrap();
    Certificate::from_der(&SignedCertificate { to_be_signed: tbs, signature_algorithm, signature }.to_der().unwrap())
}

fn key_of(certificate: &Certificate) -> SubjectPublicKeyInfoOwned {
    SignedCertificate::from_der(certificate.der()).unwrap().to_be_signed.subject_public_key_info
}

#[test]
fn e06_a_time_certificate_has_an_ed25519_key_and_an_epoch_and_no_other_key() {
    let certificate = time_certificate(KEY);
    assert_eq!((certificate.role(), certificate.time_key()), (Some(Role::Time), Some(&KEY)));
    assert_eq!(certificate.public_key(), None);
    assert_eq!(changed(&certificate, |_| ()).unwrap(), certificate, "signing is deterministic");
    let other = license_certificate(Properties::default());
    assert_eq!((other.time_key(), other.public_key().copied()), (None, Some(*root_key().public_key())));
}

/// RFC 8410 section 10.1 has an Ed25519 key as OpenSSL and others write it.
#[test]
fn the_key_is_written_as_rfc_8410_has_it() {
    let written = info(&KEY.public_key).unwrap().to_der().unwrap();
    let head = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    assert_eq!(written, [&head[..], &KEY.public_key].concat());
}

#[test]
fn the_kind_of_key_and_the_role_go_together() {
    let refused = Error::Field(Field::SubjectPublicKey);
    let (time, license) = (time_certificate(KEY), license_certificate(Properties::default()));
    let p256_for_time = changed(&time, |tbs| tbs.subject_public_key_info = key_of(&license));
    assert_eq!(p256_for_time.unwrap_err(), refused);
    for role in Role::ALL.into_iter().filter(|&role| role != Role::Time) {
        let other = changed(&time, |tbs| {
            let usage = tbs.extensions.iter_mut().find(|extension| extension.identifier == EXTENDED_KEY_USAGE);
            usage.unwrap().value = der::asn1::OctetString::new(vec![role.oid()].to_der().unwrap()).unwrap();
        });
        assert_eq!(other.unwrap_err(), refused, "{role}");
    }
    let without_role = |tbs: &mut TbsCertificate| tbs.extensions.retain(|it| it.identifier != EXTENDED_KEY_USAGE);
    assert_eq!(changed(&time, without_role).unwrap_err(), refused);
    let (key, role) = (root_key(), Role::Time);
    let (public_key, properties) = (key.public_key(), Properties { time_epoch: Some(1), ..Properties::default() });
    let subject = Subject { common_name: "Time", public_key, role, properties, not_before: NOW, lifetime: DAY };
    let issued = issue(Issuer { certificate: &root(), key: &key }, &subject, &mut Sevens);
    assert_eq!(issued.unwrap_err(), refused, "the other function issues no time certificate");
}

#[test]
fn a_time_certificate_without_an_epoch_is_refused() {
    let epoch = Oid::under_arc(&[oid::PROPERTIES, 9]);
    let without = changed(&time_certificate(KEY), |tbs| tbs.extensions.retain(|it| it.identifier != epoch));
    assert_eq!(without.unwrap_err(), Error::Field(Field::Property(9)));
    for epoch in [0, 1, u64::MAX] {
        assert_eq!(time_certificate(TimeKey { epoch, ..KEY }).time_key().unwrap().epoch, epoch);
    }
}

#[test]
fn an_ed25519_key_has_32_bytes_and_no_parameters() {
    let refused = Error::Field(Field::SubjectPublicKey);
    let certificate = time_certificate(KEY);
    let null = Some(Any::encode_from(&Null).unwrap());
    let with_null = changed(&certificate, |tbs| tbs.subject_public_key_info.algorithm.parameters = null);
    assert_eq!(with_null.unwrap_err(), refused);
    for length in [0, 31, 33, 65] {
        let key = BitString::from_bytes(&vec![0x42; length]).unwrap();
        let changed = changed(&certificate, |tbs| tbs.subject_public_key_info.subject_public_key = key);
        assert_eq!(changed.unwrap_err(), refused, "{length}");
    }
    // X25519, Ed448, and a key of an RSA.
    for oid in ["1.3.101.110", "1.3.101.113", "1.2.840.113549.1.1.1"] {
        let oid = ObjectIdentifier::new_unwrap(oid);
        let changed = changed(&certificate, |tbs| tbs.subject_public_key_info.algorithm.oid = oid);
        assert_eq!(changed.unwrap_err(), refused, "{oid}");
    }
}

#[test]
fn a_time_certificate_issues_nothing() {
    let certificate = time_certificate(KEY);
    assert!(!certificate.is_authority());
    let fingerprint = certificate.fingerprint(&PROVIDER);
    let pinned = crate::TrustRoot::pin(&PROVIDER, certificate, fingerprint);
    assert_eq!(pinned.unwrap_err(), Error::Field(Field::BasicConstraints));
}

proptest! {
    #[test]
    fn every_key_and_epoch_is_read_as_it_was_issued(public_key in any::<[u8; 32]>(), epoch in any::<u64>()) {
        let key = TimeKey { public_key, epoch };
        let certificate = time_certificate(key);
        prop_assert_eq!(certificate.time_key(), Some(&key));
    }

    #[test]
    fn no_altered_time_certificate_is_signed(at in any::<prop::sample::Index>(), with in 1..=u8::MAX) {
        let mut der = time_certificate(KEY).der().to_vec();
        let at = at.index(der.len());
        der[at] ^= with;
        let key = root_key();
        let signed = Certificate::from_der(&der).is_ok_and(|it| it.is_signed_by(&PROVIDER, key.public_key()));
        prop_assert!(!signed);
    }
}

//! Signatures of content headers: whose word a header is, and that it is nobody's once anything was changed (row B01).

use admit_license::header::{ContentHeader, HeaderFields, HeaderKey, HeaderObject};
use admit_license::{Error, HEADER_CONTENT_TYPE, KeyId, TrustedHeader};
use admit_testkit::{FixtureRealm, FixtureService};
use admit_trust::{DateCheck, Error as TrustError, Field, Role, sign, sign_detached};
use std::time::Duration;

use crate::fixture::*;

fn header(number: u8) -> ContentHeader {
    let key = HeaderKey { key_id: KeyId::from_bytes([number; 16]), algorithm: None, checksum: None };
    ContentHeader::new(HeaderFields { keys: vec![key], ..HeaderFields::default() }).unwrap()
}

fn signed_by(service: &FixtureService, header: &ContentHeader) -> HeaderObject {
    TrustedHeader::sign(header, &service.signing, std::slice::from_ref(&service.certificate))
}

fn verify_at(object: &HeaderObject, dates: DateCheck) -> Result<Option<TrustedHeader>, Error> {
    TrustedHeader::verify(provider(), &REALM.root, object, dates)
}

fn verify(object: &HeaderObject) -> Result<Option<TrustedHeader>, Error> {
    verify_at(object, DateCheck::At(REALM.now))
}

/// Why the object's header is not trusted.
fn refusal(object: &HeaderObject) -> Error {
    verify(object).unwrap_err()
}

#[test]
fn b01_a_signed_header_names_its_packager() {
    let header = header(1);
    let trusted = verify(&signed_by(&REALM.packaging, &header)).unwrap().unwrap();
    assert_eq!(trusted.header(), &header);
    assert_eq!(trusted.signer().der(), REALM.packaging.certificate.der());
}

#[test]
fn the_signature_survives_the_way_through_the_file() {
    let object = signed_by(&REALM.packaging, &header(1)).with_embedded_license_store(vec![1, 2, 3]);
    let read = HeaderObject::from_bytes(&object.to_bytes().unwrap()).unwrap();
    assert!(verify(&read).unwrap().is_some());
}

#[test]
fn a_header_that_nobody_signed_is_nobodys_word() {
    assert!(verify(&HeaderObject::new(&header(1))).unwrap().is_none());
}

#[test]
fn the_signature_of_one_header_is_not_that_of_another() {
    let signature = signed_by(&REALM.packaging, &header(1)).signature().unwrap().to_vec();
    let moved = HeaderObject::new(&header(2)).with_signature(signature);
    assert_eq!(refusal(&moved), Error::Trust(TrustError::Signature));
}

#[test]
fn only_packaging_services_of_the_realm_sign_headers() {
    for (service, role) in
        [(&REALM.license, Role::License), (&REALM.enrolment, Role::Enrolment), (&REALM.application, Role::Application)]
    {
        let wrong = TrustError::WrongRole { expected: Role::Packaging, found: Some(role) };
        assert_eq!(refusal(&signed_by(service, &header(1))), Error::Trust(wrong));
    }
    let stranger = signed_by(&FixtureRealm::new(9).packaging, &header(1));
    assert_eq!(refusal(&stranger), Error::Trust(TrustError::CertificateSignature { depth: 0 }));
    let key_of_another =
        TrustedHeader::sign(&header(1), &REALM.license.signing, std::slice::from_ref(&REALM.packaging.certificate));
    assert_eq!(refusal(&key_of_another), Error::Trust(TrustError::Signature));
    let by_the_root = TrustedHeader::sign(&header(1), &REALM.root_key, &[]);
    assert_eq!(refusal(&by_the_root), Error::Trust(TrustError::EmptyChain));
}

#[test]
fn the_packagers_certificate_must_hold_now() {
    let object = signed_by(&REALM.packaging, &header(1));
    let not_after = REALM.packaging.certificate.not_after();
    let late = DateCheck::At(not_after.saturating_add(Duration::from_secs(1)));
    let expired = Error::Trust(TrustError::Expired { depth: 0, not_after });
    assert_eq!(verify_at(&object, late).unwrap_err(), expired);
    assert!(verify_at(&object, DateCheck::At(not_after)).is_ok());
}

#[test]
fn the_signature_is_detached_and_of_its_own_kind() {
    let chain = [REALM.packaging.certificate.clone()];
    let (key, header) = (&REALM.packaging.signing, header(1));
    let with = |signature: Vec<u8>| HeaderObject::new(&header).with_signature(signature);
    let attached = with(sign(key, &chain, HEADER_CONTENT_TYPE, header.record_bytes()));
    assert_eq!(refusal(&attached), Error::Trust(TrustError::Field(Field::Payload)));
    let other_kind = with(sign_detached(key, &chain, "application/other", header.record_bytes()));
    let expected = TrustError::ContentType { expected: HEADER_CONTENT_TYPE };
    assert_eq!(refusal(&other_kind), Error::Trust(expected));
}

#[test]
fn no_altered_header_and_no_altered_signature_is_trusted() {
    let header = header(1);
    let object = signed_by(&REALM.packaging, &header);
    let signature = object.signature().unwrap();
    for at in 0..signature.len() {
        let mut altered = signature.to_vec();
        altered[at] ^= 1;
        assert!(verify(&object.clone().with_signature(altered)).is_err(), "signature byte {at}");
        assert!(verify(&object.clone().with_signature(signature[..at].to_vec())).is_err(), "signature cut at {at}");
    }
    let bytes = object.to_bytes().unwrap();
    let at = bytes.windows(header.record_bytes().len()).position(|window| window == header.record_bytes()).unwrap();
    for offset in (0..header.record_bytes().len()).step_by(7) {
        let mut altered = bytes.clone();
        altered[at + offset] ^= 1;
        let altered = HeaderObject::from_bytes(&altered).unwrap();
        assert!(verify(&altered).is_err(), "header byte {offset}");
    }
}

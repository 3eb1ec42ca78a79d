//! The realm document: what the trust root says, and only the root that was named.

use admit_crypto::Digest;
use admit_protocol::Error;
use admit_protocol::realm::{
    MAX_REALM_DOCUMENT, REALM_CONTENT_TYPE, RealmDocument, Service, claimed_fingerprint, sign,
};
use admit_testkit::FixtureRealm;
use admit_trust::{Role, role};
use proptest::prelude::*;

use crate::fixture::*;

const MESSAGE: &str = "realm document";

#[test]
fn a_realm_says_where_its_services_are() {
    let realm = verify_realm(&signed_realm()).unwrap();
    assert_eq!(realm.document(), &realm_document());
    assert_eq!(realm.root().realm(), REALM.realm());
    assert_eq!(realm.address(Role::License), Ok("/license"));
    assert_eq!(realm.address(Role::Metering), Err(Error::NoService { role: Role::Metering }));
    let service = realm.certificate::<role::License>(provider(), dates()).unwrap();
    assert_eq!(service.der(), REALM.license.certificate.der());
    let application = realm.application(provider(), "admit", dates()).unwrap().unwrap();
    assert_eq!(application.properties().security_level, Some(1000));
    assert!(realm.application(provider(), "another", dates()).unwrap().is_none());
}

#[test]
fn the_claimed_fingerprint_is_that_of_the_root_inside() {
    assert_eq!(claimed_fingerprint(provider(), &signed_realm()), Ok(REALM.realm()));
    assert!(claimed_fingerprint(provider(), b"").is_err());
}

#[test]
fn every_alteration_of_a_realm_document_is_refused() {
    refuses_every_alteration(&signed_realm(), verify_realm);
}

#[test]
fn only_the_named_root_is_believed() {
    let expected = Digest::from_bytes([0; 32]);
    let refused = admit_protocol::realm::Realm::verify(provider(), &signed_realm(), expected).unwrap_err();
    let source = admit_trust::Error::RootMismatch { expected, found: REALM.realm() };
    assert_eq!(refused, Error::Trust { message: MESSAGE, source });
    // Another root's document, with our root's certificate in it.
    let forged = sign(&realm_document(), &FixtureRealm::new(9).root_key);
    let source = admit_trust::Error::Signature;
    assert_eq!(verify_realm(&forged).unwrap_err(), Error::Trust { message: MESSAGE, source });
}

#[test]
fn a_service_that_is_not_under_the_root_is_refused_when_it_is_asked_for() {
    let mut document = realm_document();
    document.services[0].certificate = FixtureRealm::new(9).license.certificate.der().to_vec().into();
    document.services[1].certificate = REALM.license.certificate.der().to_vec().into();
    let realm = verify_realm(&sign(&document, &REALM.root_key)).unwrap();
    let trust = |source| Error::Trust { message: MESSAGE, source };
    let foreign = realm.certificate::<role::License>(provider(), dates()).unwrap_err();
    assert_eq!(foreign, trust(admit_trust::Error::CertificateSignature { depth: 0 }));
    let wrong = admit_trust::Error::WrongRole { expected: Role::Enrolment, found: Some(Role::License) };
    assert_eq!(realm.certificate::<role::Enrolment>(provider(), dates()).unwrap_err(), trust(wrong));
}

#[test]
fn a_service_is_not_taken_for_an_application() {
    let document =
        RealmDocument { applications: vec![REALM.license.certificate.der().to_vec().into()], ..realm_document() };
    let realm = verify_realm(&sign(&document, &REALM.root_key)).unwrap();
    let refused = realm.application(provider(), "Fixture license service", dates()).unwrap_err();
    let source = admit_trust::Error::WrongRole { expected: Role::Application, found: Some(Role::License) };
    assert_eq!(refused, Error::Trust { message: MESSAGE, source });
}

#[test]
fn a_realm_document_has_a_limited_length() {
    let (length, limit) = (MAX_REALM_DOCUMENT + 1, MAX_REALM_DOCUMENT);
    assert_eq!(verify_realm(&vec![0; length]).unwrap_err(), Error::TooLong { message: MESSAGE, length, limit });
}

#[test]
fn payloads_that_are_no_realm_document_are_refused_where_they_go_wrong() {
    let signed = |payload: &[u8]| admit_trust::sign(&REALM.root_key, &[], REALM_CONTENT_TYPE, payload);
    let deep = vec![0x81; 50_000];
    let not_utf8 = [0xa1, 0x01, 0x62, 0xc3, 0x28];
    for (payload, position) in [(&[][..], 0), (&[0x80], 0), (&deep, 0), (&not_utf8, 2)] {
        let refused = verify_realm(&signed(payload)).unwrap_err();
        assert!(matches!(refused, Error::Malformed { position: at, .. } if at <= position + 1), "{refused:?}");
    }
    let good = minicbor::to_vec(realm_document()).unwrap();
    let trailing = [&good[..], &[0]].concat();
    let expected = Error::Malformed { message: MESSAGE, position: good.len() };
    assert_eq!(verify_realm(&signed(&trailing)).unwrap_err(), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(verify_realm(&bytes).is_err());
        let signed = admit_trust::sign(&REALM.root_key, &[], REALM_CONTENT_TYPE, &bytes);
        prop_assert!(verify_realm(&signed).is_err());
    }
}

/// The document that lists both time services of the fixture realm.
fn with_time() -> RealmDocument {
    let mut document = realm_document();
    let time = REALM.time.iter().map(|service| Service {
        role: Role::Time.number(),
        certificate: service.certificate.der().to_vec().into(),
        address: "/v1/time".into(),
    });
    document.services.extend(time);
    document
}

#[test]
fn e11_a_realm_names_all_its_time_services_in_order() {
    let realm = verify_realm(&sign(&with_time(), &REALM.root_key)).unwrap();
    let services = realm.time_services(provider(), dates()).unwrap();
    let found: Vec<_> = services.iter().map(|it| (it.certificate.time_key().public_key, it.address)).collect();
    let keys = REALM.time.each_ref().map(|service| service.responder.public_key());
    assert_eq!(found, [(keys[0], "/v1/time"), (keys[1], "/v1/time")]);
    assert_ne!(keys[0], keys[1]);
    let without = verify_realm(&signed_realm()).unwrap();
    assert_eq!(without.time_services(provider(), dates()), Ok(Vec::new()));
}

#[test]
fn a_time_service_that_is_not_under_the_root_is_refused_with_the_others() {
    let mut document = with_time();
    let last = document.services.len() - 1;
    document.services[last].certificate = FixtureRealm::new(9).time[0].certificate.der().to_vec().into();
    let realm = verify_realm(&sign(&document, &REALM.root_key)).unwrap();
    let source = admit_trust::Error::CertificateSignature { depth: 0 };
    assert_eq!(realm.time_services(provider(), dates()).unwrap_err(), Error::Trust { message: MESSAGE, source });
}

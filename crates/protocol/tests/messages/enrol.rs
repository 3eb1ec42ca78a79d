//! Enrolment: the request proves its keys, the answer is for them.

use admit_crypto::Digest;
use admit_protocol::Error;
use admit_protocol::enrol::{
    ENROLMENT_CONTENT_TYPE, EnrolmentRequest, EnrolmentResponse, MAX_ENROLMENT_REQUEST, MAX_ENROLMENT_RESPONSE,
};
use admit_testkit::FixtureRealm;
use admit_trust::{ComponentVersion, Role};
use proptest::prelude::*;

use crate::fixture::*;

const REQUEST: &str = "enrolment request";
const RESPONSE: &str = "enrolment response";

#[test]
fn a01_a_request_is_for_the_default_component_and_proves_its_signing_key() {
    let signed = verify_request(&signed_request()).unwrap();
    assert_eq!(signed.request(), &enrolment_request());
    assert_eq!(signed.request().component_version, ComponentVersion::DEFAULT);
    assert!(!signed.request().component_version.is_individualized());
}

#[test]
fn every_alteration_of_a_request_is_refused() {
    refuses_every_alteration(&signed_request(), verify_request);
}

#[test]
fn a_request_signed_by_another_key_is_refused() {
    let other = REALM.client(3, 150);
    let source = admit_trust::Error::Signature;
    let refused = verify_request(&enrolment_request().sign(&other.signing)).unwrap_err();
    assert_eq!(refused, Error::Trust { message: REQUEST, source });
}

#[test]
fn a_request_carries_no_certificate() {
    let payload = minicbor::to_vec(enrolment_request()).unwrap();
    let with = admit_trust::sign(&CLIENT.signing, &CLIENT.chain, ENROLMENT_CONTENT_TYPE, &payload);
    let source = admit_trust::Error::Field(admit_trust::Field::CertificateChain);
    assert_eq!(verify_request(&with).unwrap_err(), Error::Trust { message: REQUEST, source });
}

#[test]
fn a_request_for_another_realm_is_refused() {
    let found = Digest::from_bytes([1; 32]);
    let other = EnrolmentRequest { realm: found, ..enrolment_request() };
    let refused = verify_request(&other.sign(&CLIENT.signing)).unwrap_err();
    assert_eq!(refused, Error::OtherRealm { message: REQUEST, found });
}

#[test]
fn requests_and_answers_have_limited_lengths() {
    let (length, limit) = (MAX_ENROLMENT_REQUEST + 1, MAX_ENROLMENT_REQUEST);
    assert_eq!(verify_request(&vec![0; length]).unwrap_err(), Error::TooLong { message: REQUEST, length, limit });
    let (length, limit) = (MAX_ENROLMENT_RESPONSE + 1, MAX_ENROLMENT_RESPONSE);
    assert_eq!(verify_enrolment(&vec![0; length]).unwrap_err(), Error::TooLong { message: RESPONSE, length, limit });
}

#[test]
fn a_key_that_is_no_point_is_refused_where_it_stands() {
    let good = minicbor::to_vec(enrolment_request()).unwrap();
    let key = CLIENT.encryption.public_key().as_bytes();
    let at = good.windows(65).position(|window| window == key).unwrap();
    let mut altered = good.clone();
    altered[at + 64] ^= 1;
    let signed = admit_trust::sign(&CLIENT.signing, &[], ENROLMENT_CONTENT_TYPE, &altered);
    // The byte string's head is two bytes.
    assert_eq!(verify_request(&signed).unwrap_err(), Error::Malformed { message: REQUEST, position: at - 2 });
}

#[test]
fn an_answer_names_the_keys_that_were_sent() {
    assert!(verify_enrolment(&enrolment_response()).is_ok());
    let other = REALM.client(3, 150);
    let answer = EnrolmentResponse::new(&other.chain[0], &other.chain[1]).to_bytes();
    assert_eq!(verify_enrolment(&answer).unwrap_err(), Error::OtherKeys);
}

#[test]
fn every_alteration_of_an_answer_is_refused() {
    refuses_every_alteration(&enrolment_response(), verify_enrolment);
}

#[test]
fn an_answer_comes_from_this_realms_authority() {
    let stranger = FixtureRealm::new(9);
    let certificate = stranger.client(2, 150).chain[0].clone();
    let trust = |certificate, authority| {
        let answer = EnrolmentResponse::new(certificate, authority).to_bytes();
        match verify_enrolment(&answer).unwrap_err() {
            Error::Trust { message: RESPONSE, source } => source,
            other => panic!("{other:?}"),
        }
    };
    let refused = trust(&certificate, &stranger.enrolment.certificate);
    assert_eq!(refused, admit_trust::Error::CertificateSignature { depth: 1 });
    let refused = trust(&certificate, &REALM.enrolment.certificate);
    assert_eq!(refused, admit_trust::Error::CertificateSignature { depth: 0 });
    let refused = trust(&REALM.license.certificate, &REALM.enrolment.certificate);
    let wrong = admit_trust::Error::WrongRole { expected: Role::Client, found: Some(Role::License) };
    assert_eq!(refused, wrong);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(verify_request(&bytes).is_err());
        prop_assert!(verify_enrolment(&bytes).is_err());
        let signed = admit_trust::sign(&CLIENT.signing, &[], ENROLMENT_CONTENT_TYPE, &bytes);
        prop_assert!(verify_request(&signed).is_err());
    }
}

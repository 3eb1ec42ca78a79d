//! The license response: bound to one challenge and one client.

use admit_crypto::Digest;
use admit_protocol::Error;
use admit_protocol::acquire::{
    LicenseResponse, MAX_RESPONSE, RESPONSE_CONTENT_TYPE, ResponseContext, VerifiedResponse,
};
use admit_trust::Role;
use proptest::prelude::*;

use crate::fixture::*;

const MESSAGE: &str = "license response";

fn signed(payload: &[u8]) -> Vec<u8> {
    admit_trust::sign(&REALM.license.signing, service_chain(), RESPONSE_CONTENT_TYPE, payload)
}

#[test]
fn a_response_gives_its_licenses() {
    let licenses = verify_response(&signed_response(&response())).unwrap().into_licenses();
    assert_eq!(licenses.len(), 1);
    assert_eq!(licenses[0].terms().key_id, KEY_ID);
}

#[test]
fn a_response_without_licenses_is_a_response() {
    let empty = LicenseResponse { licenses: vec![], ..response() };
    assert!(verify_response(&signed_response(&empty)).unwrap().into_licenses().is_empty());
    let more = LicenseResponse { revocation: Some(vec![1].into()), time: Some(vec![2].into()), ..response() };
    assert!(verify_response(&signed_response(&more)).is_ok());
}

#[test]
fn every_alteration_of_a_response_is_refused() {
    refuses_every_alteration(&signed_response(&response()), verify_response);
}

#[test]
fn a_response_to_another_challenge_is_refused() {
    let other = LicenseResponse { challenge_hash: Digest::from_bytes([0; 32]), ..response() };
    assert_eq!(verify_response(&signed_response(&other)).unwrap_err(), Error::OtherChallenge);
    let again = seal(&admit_protocol::acquire::LicenseChallenge { nonce: [8; 32].into(), ..challenge() });
    let replayed = LicenseResponse { challenge_hash: again.hash(), ..response() };
    assert_eq!(verify_response(&signed_response(&replayed)).unwrap_err(), Error::OtherChallenge);
}

#[test]
fn b03_a_response_for_another_client_is_refused() {
    let other = REALM.client(3, 150);
    let hash = other.certificate.fingerprint(provider());
    let for_other = LicenseResponse { client_hash: hash, ..response() };
    assert_eq!(verify_response(&signed_response(&for_other)).unwrap_err(), Error::OtherClient);
    // The right client's name over another client's license does not help.
    let context = ResponseContext {
        root: &REALM.root,
        challenge_hash: SEALED.hash(),
        client: &other.certificate,
        encryption_key: other.encryption.public_key().thumbprint(provider()),
        dates: dates(),
    };
    let refused = VerifiedResponse::verify(provider(), &context, &signed_response(&for_other)).unwrap_err();
    assert_eq!(refused, Error::License(admit_license::Error::OtherClient));
}

#[test]
fn one_bad_license_refuses_the_whole_response() {
    let mut bad = license().into_bytes();
    *bad.last_mut().unwrap() ^= 1;
    let mixed = LicenseResponse { licenses: vec![license().into_bytes().into(), bad.into()], ..response() };
    let expected = Error::License(admit_license::Error::Trust(admit_trust::Error::Signature));
    assert_eq!(verify_response(&signed_response(&mixed)).unwrap_err(), expected);
    let garbage = LicenseResponse { licenses: vec![vec![1, 2, 3].into()], ..response() };
    assert!(matches!(verify_response(&signed_response(&garbage)).unwrap_err(), Error::License(_)));
}

#[test]
fn only_a_license_service_answers() {
    let by_client = response().sign(&CLIENT.signing, &CLIENT.chain);
    let source = admit_trust::Error::WrongRole { expected: Role::License, found: Some(Role::Client) };
    assert_eq!(verify_response(&by_client).unwrap_err(), Error::Trust { message: MESSAGE, source });
    let license_alone = license().into_bytes();
    let source = admit_trust::Error::ContentType { expected: RESPONSE_CONTENT_TYPE };
    assert_eq!(verify_response(&license_alone).unwrap_err(), Error::Trust { message: MESSAGE, source });
}

#[test]
fn a_response_has_a_limited_length() {
    let expected = Error::TooLong { message: MESSAGE, length: MAX_RESPONSE + 1, limit: MAX_RESPONSE };
    assert_eq!(verify_response(&vec![0; MAX_RESPONSE + 1]).unwrap_err(), expected);
}

#[test]
fn payloads_that_are_no_response_are_refused() {
    let deep = vec![0x81; 100_000];
    let endless = [&[0xa1, 0x03, 0x9b][..], &(u64::MAX >> 1).to_be_bytes()].concat();
    for payload in [&[][..], &[0xa0], &[0x80], &deep, &endless] {
        let refused = verify_response(&signed(payload)).unwrap_err();
        assert!(matches!(refused, Error::Malformed { message: MESSAGE, .. }), "{refused:?}");
    }
    let good = minicbor::to_vec(response()).unwrap();
    let trailing = [&good[..], &[0]].concat();
    let expected = Error::Malformed { message: MESSAGE, position: good.len() };
    assert_eq!(verify_response(&signed(&trailing)).unwrap_err(), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(verify_response(&bytes).is_err());
        prop_assert!(verify_response(&signed(&bytes)).is_err());
    }
}

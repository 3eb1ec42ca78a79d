//! Acquisition on the client: the challenge says what is true, and only the answer to it is taken.

use core::slice::from_ref;

use admit_client::Error;
use admit_crypto::ContentKey;
use admit_license::{KeyMaterial, LicenseSigner, Rights, VerifiedLicense, issue};
use admit_protocol::Code;
use admit_protocol::acquire::OpenedChallenge;
use admit_protocol::acquire::token_hash;
use admit_testkit::{FixtureRealm, SeededEntropy};
use admit_trust::{ClockKind, ComponentVersion};

use crate::fixture::*;

fn opened(request: &[u8]) -> OpenedChallenge {
    OpenedChallenge::open(provider(), &REALM.root, &REALM.license.encryption, dates(), request).unwrap()
}

#[test]
fn b04_play_asks_for_its_bit_and_bit_4() {
    let mut device = Device::new(1);
    let request = device.begin();
    let challenge = opened(request.request()).challenge().clone();
    assert_eq!(challenge.rights(), Rights::PLAY | Rights::NO_RECOVERY);
    assert_eq!(challenge.key_ids, [KEY_ID]);
    assert_eq!(challenge.security_version, ComponentVersion::DEFAULT);
    assert_eq!(challenge.store, device.store.position());
}

#[test]
fn two_challenges_are_never_the_same() {
    let mut device = Device::new(1);
    let (one, other) = (device.begin(), device.begin());
    assert_ne!(one.request(), other.request());
    assert_ne!(opened(one.request()).hash(), opened(other.request()).hash());
}

#[test]
fn what_is_held_is_told_with_its_roots() {
    let mut device = Device::new(1);
    device.acquire(&[leaf(1, KEY_ID), root(2)]).unwrap();
    let request = device.begin();
    let challenge = opened(request.request()).challenge().clone();
    let held: Vec<_> = challenge.held.iter().map(|held| (held.key_id, held.license)).collect();
    assert_eq!(held, [(KEY_ID, id(1)), (ROOT_KEY_ID, id(2))]);
}

#[test]
fn the_answer_to_another_challenge_is_refused_and_stores_nothing() {
    let mut device = Device::new(1);
    let (first, second) = (device.begin(), device.begin());
    let response = answer(second.request(), vec![device.license(simple(1))]);
    let refused = device.finish(first, &response);
    assert_eq!(refused.unwrap_err(), Error::Protocol(admit_protocol::Error::OtherChallenge));
    assert!(device.licenses().is_empty());
}

#[test]
fn b03_a_license_that_is_wrapped_to_another_client_is_refused() {
    let mut device = Device::new(1);
    let other = Device::new(2);
    let acquisition = device.begin();
    let licenses = vec![device.license(simple(1)), other.license(simple(2))];
    let response = answer(acquisition.request(), licenses);
    let refused = device.finish(acquisition, &response);
    let expected = Error::Protocol(admit_protocol::Error::License(admit_license::Error::OtherClient));
    assert_eq!(refused.unwrap_err(), expected);
    assert!(device.licenses().is_empty(), "one bad license refuses all");
}

#[test]
fn e01_a_client_without_a_clock_holds_no_license_with_limits_in_time() {
    let mut device = Device::with_clock(1, ClockKind::None);
    let limited = admit_license::Terms { expiry_after_first_use_secs: Some(60), ..simple(1) };
    assert_eq!(device.acquire(&[limited.clone(), simple(2)]).unwrap_err(), Error::NoClock);
    assert!(device.licenses().is_empty());
    device.acquire(&[simple(2)]).unwrap();
    let mut device = Device::new(3);
    device.set_clock();
    device.acquire(&[limited]).unwrap();
}

#[test]
fn a_license_that_comes_twice_keeps_its_usage() {
    let mut device = Device::new(1);
    device.acquire(&[counted(1, 3)]).unwrap();
    device.play().unwrap();
    device.acquire(&[counted(1, 3)]).unwrap();
    assert_eq!(device.usage().used[0], 1);
}

#[test]
fn a_token_is_named_by_its_hash() {
    let expected = (provider().sha256)(&[b"token"]);
    assert_eq!(token_hash(provider(), "token"), expected);
}

#[test]
fn forged_edited_truncated_and_wrongly_bound_licenses_have_codes_of_their_own() {
    let (device, other, stranger) = (Device::new(1), Device::new(2), FixtureRealm::new(9));
    let good = device.license(simple(1)).into_bytes();
    let client = device.identity.encryption_thumbprint();
    let code = |bytes: &[u8]| {
        let verified = VerifiedLicense::verify(provider(), &REALM.root, bytes, dates(), &client);
        verified.map(drop).map_err(|error| Code::from(&error))
    };
    assert_eq!(code(&good), Ok(()));
    // The id stands in the payload, which the signature is over.
    let payload = good.windows(16).position(|window| window == id(1).as_bytes()).unwrap();
    let mut edited = good.clone();
    edited[payload] ^= 1;
    assert_eq!(code(&edited), Err(Code::ADMIT_E_BAD_SIGNATURE), "edited");
    let signer = LicenseSigner { key: &stranger.license.signing, chain: from_ref(&stranger.license.certificate) };
    let key = KeyMaterial::Content(&ContentKey::from_bytes(CONTENT_KEY));
    let recipient = &device.identity.properties().encryption_key;
    let forged = issue(provider(), signer, simple(1), &key, recipient, &mut SeededEntropy::new(1)).unwrap();
    assert_eq!(code(forged.as_bytes()), Err(Code::ADMIT_E_BAD_SIGNATURE), "forged");
    for length in 0..good.len() {
        assert_eq!(code(&good[..length]), Err(Code::ADMIT_E_MALFORMED_MESSAGE), "truncated to {length}");
    }
    assert_eq!(code(other.license(simple(1)).as_bytes()), Err(Code::NS_E_DRM_INVALID_MACHINE), "wrongly bound");
}

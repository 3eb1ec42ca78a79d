//! Making and believing licenses: signature, realm, binding, and the key inside (rows B03, D01 and D02).

use admit_crypto::{ContentKey, Digest, SecretScalar};
use admit_license::{
    Action, BindingKind, Error, HeldLicense, KeyMaterial, Kind, LicenseSigner, Rights, Terms, Usage, VerifiedLicense,
    evaluate, inspect, issue,
};
use admit_testkit::{FixtureRealm, SeededEntropy};
use admit_trust::{DateCheck, Error as TrustError, Role};
use minicbor::Decoder;

use crate::fixture::*;

#[test]
fn d01_a_simple_license_gives_its_client_the_content_key() {
    let terms = simple(1, Rights::PLAY);
    let held = [unused(verified(&issued(terms.clone())).unwrap())];
    assert_eq!(held[0].license.terms(), &terms);
    let key = grant(Action::Play, &held, &environment()).content_key(provider(), &CLIENT.encryption).unwrap();
    assert_eq!(key.expose(), &CONTENT_KEY);
}

#[test]
fn d02_a_leaf_gives_the_content_key_through_its_root() {
    let held = [leaf(1, Rights::PLAY), root(2, Rights::PLAY)].map(|terms| unused(verified(&issued(terms)).unwrap()));
    let key = grant(Action::Play, &held, &environment()).content_key(provider(), &CLIENT.encryption).unwrap();
    assert_eq!(key.expose(), &CONTENT_KEY);
}

#[test]
fn d02_a_leaf_does_not_open_through_another_root_of_the_same_id() {
    let other = SecretScalar::from_slice(&[4; 32]).unwrap();
    let recipient = CLIENT.encryption.public_key();
    let material = KeyMaterial::Root(&other);
    let entropy = &mut SeededEntropy::new(3);
    let other = issue(provider(), signer(), root(2, Rights::PLAY), &material, recipient, entropy).unwrap();
    let held = [issued(leaf(1, Rights::PLAY)), other.into_bytes()].map(|bytes| unused(verified(&bytes).unwrap()));
    let opened = grant(Action::Play, &held, &environment()).content_key(provider(), &CLIENT.encryption);
    assert_eq!(opened.unwrap_err(), Error::KeyMaterial);
}

#[test]
fn d02_a_leaf_is_for_every_client_that_has_the_root() {
    let stranger = Digest::from_bytes([0; 32]);
    let dates = DateCheck::At(REALM.now);
    let bytes = issued(leaf(1, Rights::PLAY));
    assert!(VerifiedLicense::verify(provider(), &REALM.root, &bytes, dates, &stranger).is_ok());
    let bytes = issued(root(1, Rights::PLAY));
    let refused = VerifiedLicense::verify(provider(), &REALM.root, &bytes, dates, &stranger).unwrap_err();
    assert_eq!(refused, Error::OtherClient);
}

#[test]
fn b03_a_license_for_another_client_is_refused_and_its_key_does_not_open() {
    let other = REALM.client(3, 150);
    let thumbprint = other.encryption.public_key().thumbprint(provider());
    let bytes = issued(simple(1, Rights::PLAY));
    let dates = DateCheck::At(REALM.now);
    let refused = VerifiedLicense::verify(provider(), &REALM.root, &bytes, dates, &thumbprint).unwrap_err();
    assert_eq!(refused, Error::OtherClient);
    for terms in [vec![simple(1, Rights::PLAY)], vec![leaf(1, Rights::PLAY), root(2, Rights::PLAY)]] {
        let held: Vec<_> = terms.into_iter().map(|terms| unused(verified(&issued(terms)).unwrap())).collect();
        let opened = grant(Action::Play, &held, &environment()).content_key(provider(), &other.encryption);
        assert_eq!(opened.unwrap_err(), Error::KeyMaterial);
    }
}

#[test]
fn b03_the_binding_names_the_key_that_the_license_is_wrapped_to() {
    let mut terms = simple(1, Rights::PLAY);
    terms.binding.recipient = Digest::from_bytes([9; 32]);
    let (found, _) = inspect(&issued(terms)).unwrap();
    assert_eq!(found.binding.recipient, CLIENT.encryption.public_key().thumbprint(provider()));
    let (found, _) =
        inspect(&issued(Terms { binding: simple(1, Rights::PLAY).binding, ..leaf(1, Rights::PLAY) })).unwrap();
    assert_eq!(found.binding.kind, BindingKind::Root);
    assert_eq!(found.binding.recipient, root_scalar().public_key().thumbprint(provider()));
}

/// The two byte strings of a license's payload: the terms, and the array of the wrapped key.
fn parts(license: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (_, envelope) = inspect(license).unwrap();
    let payload = envelope.unverified_payload().unwrap();
    let mut decoder = Decoder::new(payload);
    assert_eq!(decoder.array().unwrap(), Some(2));
    let terms = decoder.bytes().unwrap().to_vec();
    (terms, payload[decoder.position()..].to_vec())
}

#[test]
fn a_wrapped_key_moved_into_other_terms_does_not_open() {
    let limited = Terms { play_count: Some(1), ..simple(1, Rights::PLAY) };
    let (_, wrapped) = parts(&issued(limited));
    let (terms, _) = parts(&issued(simple(1, Rights::PLAY)));
    let terms = minicbor::to_vec(minicbor::bytes::ByteVec::from(terms)).unwrap();
    let moved = signed(&[&[0x82], &terms[..], &wrapped].concat());
    let held = [unused(verified(&moved).unwrap())];
    let opened = grant(Action::Play, &held, &environment()).content_key(provider(), &CLIENT.encryption);
    assert_eq!(opened.unwrap_err(), Error::KeyMaterial);
}

#[test]
fn the_key_must_be_of_the_kind_of_the_license() {
    let (content, scalar) = (ContentKey::from_bytes(CONTENT_KEY), root_scalar());
    let recipient = CLIENT.encryption.public_key();
    let cases = [
        (simple(1, Rights::PLAY), KeyMaterial::Root(&scalar)),
        (leaf(1, Rights::PLAY), KeyMaterial::Root(&scalar)),
        (root(1, Rights::PLAY), KeyMaterial::Content(&content)),
    ];
    for (terms, key) in cases {
        let made = issue(provider(), signer(), terms, &key, recipient, &mut SeededEntropy::new(1));
        assert_eq!(made.unwrap_err(), Error::KeyMaterial);
    }
}

#[test]
fn a_license_of_another_realm_is_refused() {
    let other = Digest::from_bytes([8; 32]);
    let terms = Terms { realm: other, ..simple(1, Rights::PLAY) };
    assert_eq!(verified(&issued(terms)).unwrap_err(), Error::OtherRealm { found: other });
    let stranger = FixtureRealm::new(5);
    let signer =
        LicenseSigner { key: &stranger.license.signing, chain: std::slice::from_ref(&stranger.license.certificate) };
    let key = ContentKey::from_bytes(CONTENT_KEY);
    let recipient = CLIENT.encryption.public_key();
    let entropy = &mut SeededEntropy::new(1);
    let material = KeyMaterial::Content(&key);
    let foreign = issue(provider(), signer, simple(1, Rights::PLAY), &material, recipient, entropy).unwrap();
    let refused = verified(foreign.as_bytes()).unwrap_err();
    assert_eq!(refused, Error::Trust(TrustError::CertificateSignature { depth: 0 }));
}

#[test]
fn only_a_license_service_signs_licenses() {
    let signer =
        LicenseSigner { key: &REALM.packaging.signing, chain: std::slice::from_ref(&REALM.packaging.certificate) };
    let key = ContentKey::from_bytes(CONTENT_KEY);
    let recipient = CLIENT.encryption.public_key();
    let entropy = &mut SeededEntropy::new(1);
    let material = KeyMaterial::Content(&key);
    let license = issue(provider(), signer, simple(1, Rights::PLAY), &material, recipient, entropy).unwrap();
    let wrong = TrustError::WrongRole { expected: Role::License, found: Some(Role::Packaging) };
    assert_eq!(verified(license.as_bytes()).unwrap_err(), Error::Trust(wrong));
}

#[test]
fn every_flipped_byte_of_a_license_is_refused() {
    let license = issued(simple(1, Rights::PLAY));
    assert!(verified(&license).is_ok());
    for at in 0..license.len() {
        for bit in [1, 0x80] {
            let mut flipped = license.clone();
            flipped[at] ^= bit;
            assert!(verified(&flipped).is_err(), "byte {at}");
        }
        assert!(verified(&license[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn licenses_are_kept_and_taken_back_as_they_were_verified_with_their_usage() {
    let verified = |number| verified(&issued(simple(number, Rights::PLAY))).unwrap();
    let used = Usage { used: [3, 0, 0, 70_000], touched: true, ..Usage::default() };
    let held = [unused(verified(1)), HeldLicense { license: verified(2), usage: used }];
    for count in 0..=held.len() {
        let record = HeldLicense::record(&held[..count]);
        assert_eq!(restored(REALM.realm(), &record).unwrap(), held[..count]);
    }
}

#[test]
fn a_record_of_licenses_that_is_not_one_is_refused() {
    let record = HeldLicense::record(&[unused(verified(&issued(simple(1, Rights::PLAY))).unwrap())]);
    assert!(restored(REALM.realm(), &record).is_ok());
    for at in 0..record.len() {
        assert!(restored(REALM.realm(), &record[..at]).is_err(), "cut at {at}");
    }
    let longer = [&record[..], &[0]].concat();
    assert_eq!(restored(REALM.realm(), &longer).unwrap_err(), Error::Payload { position: record.len() });
    assert_eq!(restored(REALM.realm(), &[0x9f, 0xff]).unwrap_err(), Error::Payload { position: 0 });
    assert_eq!(restored(REALM.realm(), &[0x81, 0x83]).unwrap_err(), Error::Payload { position: 1 });
    let elsewhere = Digest::from_bytes([9; 32]);
    assert_eq!(restored(elsewhere, &record).unwrap_err(), Error::OtherRealm { found: REALM.realm() });
}

#[test]
fn inspecting_verifies_nothing() {
    let mut license = issued(root(1, Rights::PLAY));
    *license.last_mut().unwrap() ^= 1;
    assert!(verified(&license).is_err());
    let (terms, envelope) = inspect(&license).unwrap();
    assert_eq!((terms.kind, envelope.chain().len()), (Kind::Root, 1));
}

#[test]
fn a_root_alone_gives_no_content_key() {
    let held = [unused(verified(&issued(root(1, Rights::PLAY))).unwrap())];
    assert!(evaluate(Action::Play, ROOT_KEY_ID, &held, &environment()).is_err());
}

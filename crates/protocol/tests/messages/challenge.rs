//! The license challenge: signed by the client, sealed to the service.

use admit_crypto::{Digest, hpke};
use admit_license::{KeyId, Rights};
use admit_protocol::Error;
use admit_protocol::acquire::{CHALLENGE_CONTENT_TYPE, LicenseChallenge, MAX_CHALLENGE, MAX_KEY_IDS};
use admit_testkit::{FixtureRealm, SeededEntropy};
use admit_trust::Role;
use minicbor::{Decoder, Encoder};
use proptest::prelude::*;

use crate::fixture::*;

const MESSAGE: &str = "license challenge";

/// A challenge of these bytes, signed and sealed as the client does it.
fn sealed(payload: &[u8]) -> Vec<u8> {
    sealed_signed(&admit_trust::sign(&CLIENT.signing, &CLIENT.chain, CHALLENGE_CONTENT_TYPE, payload))
}

/// Anything, sealed to the service.
fn sealed_signed(signed: &[u8]) -> Vec<u8> {
    let service = REALM.license.encryption.public_key();
    let recipient = service.thumbprint(provider());
    let seed = hpke::EphemeralSeed::generate(&mut SeededEntropy::new(8));
    let sealed = hpke::seal(provider(), service, b"admit/1/challenge", recipient.as_bytes(), signed, seed);
    let mut encoder = Encoder::new(Vec::new());
    encoder.array(3).unwrap().u8(1).unwrap().encode(recipient).unwrap().encode(&sealed).unwrap();
    encoder.into_writer()
}

fn bytes(challenge: &LicenseChallenge) -> Vec<u8> {
    minicbor::to_vec(challenge).unwrap()
}

#[test]
fn a_challenge_opens_as_it_was_sealed() {
    let opened = open(SEALED.as_bytes()).unwrap();
    assert_eq!(opened.challenge(), &challenge());
    assert_eq!(opened.hash(), SEALED.hash());
    assert_eq!(opened.client().der(), CLIENT.certificate.der());
    assert_eq!(opened.properties(), &CLIENT.properties);
    assert!(open(&sealed(&bytes(&challenge()))).is_ok(), "these tests seal as the client does");
}

#[test]
fn the_smallest_challenge_opens() {
    let smallest = LicenseChallenge {
        header: None,
        key_ids: vec![],
        actions: vec![],
        token_hash: None,
        held: vec![],
        revocation: Default::default(),
        application: None,
        recovery: false,
        ..challenge()
    };
    assert_eq!(open(seal(&smallest).as_bytes()).unwrap().challenge(), &smallest);
}

#[test]
fn no_certificate_and_no_key_id_travels_in_clear() {
    let travels = SEALED.as_bytes();
    for secret in [KEY_ID.as_bytes().as_slice(), CLIENT.signing.public_key().as_bytes(), b"client fixture"] {
        assert!(!travels.windows(secret.len()).any(|window| window == secret));
    }
}

#[test]
fn every_alteration_of_a_sealed_challenge_is_refused() {
    refuses_every_alteration(SEALED.as_bytes(), open);
}

#[test]
fn a_challenge_for_another_key_names_that_key() {
    let other = FixtureRealm::new(9);
    let recipient = other.license.encryption.public_key();
    let sealed = challenge().seal(provider(), &CLIENT.signing, &CLIENT.chain, recipient, &mut SeededEntropy::new(3));
    let recipient = recipient.thumbprint(provider());
    assert_eq!(open(sealed.as_bytes()).unwrap_err(), Error::UnknownChallengeKey { recipient });
}

#[test]
fn another_version_is_refused_at_its_byte() {
    let mut altered = SEALED.as_bytes().to_vec();
    assert_eq!(altered[..2], [0x83, 1]);
    altered[1] = 2;
    assert_eq!(open(&altered).unwrap_err(), Error::Malformed { message: MESSAGE, position: 1 });
}

#[test]
fn an_altered_ciphertext_does_not_decrypt() {
    let mut altered = SEALED.as_bytes().to_vec();
    *altered.last_mut().unwrap() ^= 1;
    assert_eq!(open(&altered).unwrap_err(), Error::ChallengeCiphertext);
}

#[test]
fn a_challenge_is_signed_by_a_client_of_this_realm() {
    let trust = |error: Error| match error {
        Error::Trust { message: MESSAGE, source } => source,
        other => panic!("{other:?}"),
    };
    let signed = |key, chain, content| sealed_signed(&admit_trust::sign(key, chain, content, &bytes(&challenge())));
    let by_service = signed(&REALM.license.signing, service_chain(), CHALLENGE_CONTENT_TYPE);
    let wrong = admit_trust::Error::WrongRole { expected: Role::Client, found: Some(Role::License) };
    assert_eq!(trust(open(&by_service).unwrap_err()), wrong);
    let stranger = FixtureRealm::new(9).client(12, 150);
    let by_stranger = signed(&stranger.signing, &stranger.chain, CHALLENGE_CONTENT_TYPE);
    let refused = trust(open(&by_stranger).unwrap_err());
    assert_eq!(refused, admit_trust::Error::CertificateSignature { depth: 1 });
    let other_kind = signed(&CLIENT.signing, &CLIENT.chain, "application/other");
    let refused = trust(open(&other_kind).unwrap_err());
    assert_eq!(refused, admit_trust::Error::ContentType { expected: CHALLENGE_CONTENT_TYPE });
    let by_other_key = signed(&stranger.signing, &CLIENT.chain, CHALLENGE_CONTENT_TYPE);
    assert_eq!(trust(open(&by_other_key).unwrap_err()), admit_trust::Error::Signature);
    let not_signed = sealed_signed(&bytes(&challenge()));
    assert!(matches!(trust(open(&not_signed).unwrap_err()), admit_trust::Error::Encoding { position: 0, .. }));
}

#[test]
fn a_challenge_for_another_realm_is_refused() {
    let found = Digest::from_bytes([1; 32]);
    let other = LicenseChallenge { realm: found, ..challenge() };
    assert_eq!(open(seal(&other).as_bytes()).unwrap_err(), Error::OtherRealm { message: MESSAGE, found });
}

#[test]
fn a_challenge_asks_for_a_limited_number_of_keys() {
    let with = |count: usize| LicenseChallenge { key_ids: vec![KEY_ID; count], ..challenge() };
    assert!(open(seal(&with(MAX_KEY_IDS)).as_bytes()).is_ok());
    let refused = open(seal(&with(MAX_KEY_IDS + 1)).as_bytes()).unwrap_err();
    assert!(matches!(refused, Error::TooLong { length, limit, .. } if length == 65 && limit == 64));
}

#[test]
fn a_challenge_has_a_limited_length() {
    let too_long = vec![0x83; MAX_CHALLENGE + 1];
    let expected = Error::TooLong { message: MESSAGE, length: MAX_CHALLENGE + 1, limit: MAX_CHALLENGE };
    assert_eq!(open(&too_long).unwrap_err(), expected);
    let fifteen_kilobytes = LicenseChallenge { header: Some(vec![0; 15 * 1024].into()), ..challenge() };
    assert!(open(seal(&fifteen_kilobytes).as_bytes()).is_ok());
}

#[test]
fn the_token_travels_as_its_hash() {
    let opened = open(SEALED.as_bytes()).unwrap();
    assert_eq!(opened.challenge().token_hash, Some(Digest::from_bytes([0xab; 32])));
    let without = LicenseChallenge { token_hash: None, ..challenge() };
    assert_ne!(seal(&without).hash(), SEALED.hash());
}

#[test]
fn b04_undefined_bits_of_a_request_are_masked() {
    let asked = LicenseChallenge { requested_rights: u32::MAX, ..challenge() };
    let opened = open(seal(&asked).as_bytes()).unwrap();
    assert_eq!(opened.challenge().requested_rights, u32::MAX);
    assert_eq!(opened.challenge().rights(), Rights::ALL);
}

#[test]
fn each_required_field_is_required() {
    let all = bytes(&challenge());
    let mut decoder = Decoder::new(&all);
    let count = decoder.map().unwrap().unwrap();
    assert_eq!(count, 19);
    let start = decoder.position();
    let mut spans = Vec::new();
    for _ in 0..count {
        let begin = decoder.position();
        let number = decoder.u8().unwrap();
        decoder.skip().unwrap();
        spans.push((number, begin, decoder.position()));
    }
    for (number, begin, end) in spans {
        let without = [&[0xb2], &all[start..begin], &all[end..]].concat();
        let found = open(&sealed(&without));
        if [3, 7, 18, 19].contains(&number) {
            assert!(found.is_ok(), "{number} may be absent");
        } else {
            assert!(matches!(found.unwrap_err(), Error::Malformed { message: MESSAGE, .. }), "{number}");
        }
    }
}

#[test]
fn undefined_numbers_are_refused_where_they_stand() {
    let good = bytes(&challenge());
    // Generation of rights, clock, and state of the clock.
    for (field, wrong) in [(9, 0), (9, 3), (11, 3), (12, 6)] {
        let at = value_of(&good, field);
        let mut altered = good.clone();
        altered[at] = wrong;
        let expected = Error::Malformed { message: MESSAGE, position: at };
        assert_eq!(open(&sealed(&altered)).unwrap_err(), expected, "field {field}");
    }
}

/// Where the value of a field begins.
fn value_of(challenge: &[u8], field: u8) -> usize {
    let mut decoder = Decoder::new(challenge);
    decoder.map().unwrap();
    while decoder.u8().unwrap() != field {
        decoder.skip().unwrap();
    }
    decoder.position()
}

#[test]
fn payloads_that_are_no_challenge_are_refused() {
    let deep = vec![0x81; 20_000];
    let indefinite_text = [&[0xbf, 0x01, 0x7f], &[0x61, b'a'][..], &[0xff, 0xff]].concat();
    let endless_list = [&[0xa1, 0x04, 0x9b][..], &u64::MAX.to_be_bytes()].concat();
    let unknown_deep = [&[0xa1, 0x18, 99][..], &deep].concat();
    for payload in [&[][..], &[0xa0], &[0x80], &[0xff], &deep, &indefinite_text, &endless_list, &unknown_deep] {
        assert!(matches!(open(&sealed(payload)).unwrap_err(), Error::Malformed { message: MESSAGE, .. }));
    }
    let good = bytes(&challenge());
    let trailing = [&good[..], &[0]].concat();
    let expected = Error::Malformed { message: MESSAGE, position: good.len() };
    assert_eq!(open(&sealed(&trailing)).unwrap_err(), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(open(&bytes).is_err());
        prop_assert!(open(&sealed(&bytes)).is_err());
        prop_assert!(open(&sealed_signed(&bytes)).is_err());
    }

    #[test]
    fn any_challenge_round_trips(
        keys in proptest::collection::vec(any::<[u8; 16]>(), 0..10), rights in any::<u32>(), sequence in any::<u64>(),
        header in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..100)),
    ) {
        let mut asked = challenge();
        asked.key_ids = keys.into_iter().map(KeyId::from_bytes).collect();
        asked.requested_rights = rights;
        asked.store.sequence = sequence;
        asked.header = header.map(Into::into);
        let opened = open(seal(&asked).as_bytes()).unwrap();
        prop_assert_eq!(opened.challenge(), &asked);
    }
}

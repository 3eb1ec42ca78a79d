//! What the corpus is made of: a message per rule, from the fixtures and one change.

use admit_crypto::{ContentKey, Digest, hpke};
use admit_license::{
    Binding, BindingKind, KeyId, KeyMaterial, Kind, LICENSE_CONTENT_TYPE, LicenseId, LicenseSigner, Restrictions,
    Rights, RollbackAction, Terms, Uplink, issue,
};
use admit_protocol::acquire::{CHALLENGE_CONTENT_TYPE, LicenseChallenge, LicenseResponse};
use admit_protocol::enrol::{ENROLMENT_CONTENT_TYPE, EnrolmentRequest, EnrolmentResponse};
use admit_protocol::realm;
use admit_testkit::{FixtureRealm, SeededEntropy};
use admit_trust::ComponentVersion;

use crate::client_made;
use crate::fixture::*;

/// A name, what it is about, the format, and the bytes. Names begin with the verdict.
#[derive(Clone)]
pub(crate) struct Case(pub(crate) &'static str, pub(crate) &'static str, pub(crate) &'static str, pub(crate) Vec<u8>);

pub(crate) const LICENSE: &str = "signed-license";
pub(crate) const CHALLENGE: &str = "sealed-challenge";
pub(crate) const RESPONSE: &str = "signed-response";
pub(crate) const ENROLMENT_REQUEST: &str = "signed-enrolment-request";
pub(crate) const ENROLMENT_RESPONSE: &str = "enrolment-response";
pub(crate) const REALM_DOCUMENT: &str = "signed-realm-document";

fn simple() -> Terms {
    let recipient = CLIENT.encryption.public_key().thumbprint(provider());
    let id = LicenseId::from_bytes([1; 16]);
    Terms::simple(id, KEY_ID, REALM.realm(), REALM.now, Rights::PLAY | Rights::NO_RECOVERY, recipient)
}

fn root() -> Terms {
    Terms { kind: Kind::Root, revision: Some(1), ..simple() }
}

fn leaf() -> Terms {
    let uplink = Some(Uplink { key_id: KeyId::from_bytes([0x22; 16]), revision: 1 });
    let binding = Binding { kind: BindingKind::Root, ..simple().binding };
    Terms { kind: Kind::Leaf, uplink, binding, ..simple() }
}

fn every_field() -> Terms {
    Terms {
        begin: Some(REALM.now),
        expiry: Some(admit_time::Timestamp::MAX),
        expiry_after_first_use_secs: Some(86_400),
        expiry_after_storing_secs: Some(86_400 * 30),
        play_count: Some(10),
        transfer_count: Some(3),
        burn_count: Some(2),
        playlist_burn_track_count: Some(7),
        max_playlist_burn_count: Some(1),
        minimum_application_level: Some(1000),
        minimum_client_level: Some(150),
        minimum_individualized_version: Some(ComponentVersion::new([2, 4, 0, 1])),
        revocation_version: Some(1),
        restrictions: Some(Restrictions {
            uncompressed_digital_video: Some(100),
            compressed_digital_video: Some(400),
            analog_video: Some(150),
            compressed_digital_audio: Some(250),
            uncompressed_digital_audio: Some(200),
            copy: Some(1),
        }),
        rollback_action: Some(RollbackAction::Disable),
        grace_secs: Some(3600),
        max_offline_secs: Some(86_400 * 7),
        persistent: Some(true),
        priority: Some(-3),
        metering_id: Some(Digest::from_bytes([4; 32])),
        source_id: Some(5),
        ..simple()
    }
}

fn terms_bytes() -> Vec<u8> {
    minicbor::to_vec(simple()).unwrap()
}

/// A payload around these terms, with a key that does not open.
fn payload(terms: &[u8]) -> Vec<u8> {
    let mut encoder = minicbor::Encoder::new(Vec::new());
    let encapsulated_key = *CLIENT.encryption.public_key();
    let sealed = hpke::Sealed { encapsulated_key, ciphertext: vec![0; 32] };
    encoder.array(2).unwrap().bytes(terms).unwrap().encode(&sealed).unwrap();
    encoder.into_writer()
}

fn signed_license(payload: &[u8]) -> Vec<u8> {
    admit_trust::sign(&REALM.license.signing, service_chain(), LICENSE_CONTENT_TYPE, payload)
}

fn of_terms(terms: &Terms) -> Vec<u8> {
    signed_license(&payload(&minicbor::to_vec(terms).unwrap()))
}

/// The simple terms with `added` behind them, which is `fields` more fields.
fn with_added(fields: u8, added: &[u8]) -> Vec<u8> {
    let mut terms = terms_bytes();
    terms[0] += fields;
    terms.extend_from_slice(added);
    signed_license(&payload(&terms))
}

fn issued(terms: Terms) -> Vec<u8> {
    let content = ContentKey::from_bytes([0x5a; 16]);
    let scalar = admit_crypto::SecretScalar::from_slice(&[3; 32]).unwrap();
    let client = *CLIENT.encryption.public_key();
    let (key, recipient) = match terms.kind {
        Kind::Simple => (KeyMaterial::Content(&content), client),
        Kind::Root => (KeyMaterial::Root(&scalar), client),
        Kind::Leaf => (KeyMaterial::Content(&content), scalar.public_key()),
    };
    let signer = LicenseSigner { key: &REALM.license.signing, chain: service_chain() };
    issue(provider(), signer, terms, &key, &recipient, &mut SeededEntropy::new(4)).unwrap().into_bytes()
}

pub(crate) fn licenses() -> Vec<Case> {
    let mut cases = license_accepted();
    cases.extend(license_encodings());
    cases.extend(license_rules());
    cases.extend(license_envelopes());
    cases.extend(client_made::cases());
    cases
}

fn license_accepted() -> Vec<Case> {
    let case = |name, about, bytes| Case(name, about, LICENSE, bytes);
    vec![
        case("accept-simple", "a simple license that plays", issued(simple())),
        case("accept-root", "a root license", issued(root())),
        case("accept-leaf", "a leaf license, wrapped to a root's key", issued(leaf())),
        case("accept-every-field", "a simple license with every field it may have", issued(every_field())),
        case("accept-field-1024", "an optional field that nobody knows", with_added(1, &[0x19, 4, 0, 0x80])),
    ]
}

fn license_encodings() -> Vec<Case> {
    let terms = terms_bytes();
    let case = |name, about, bytes| Case(name, about, LICENSE, bytes);
    let of = |parts: &[&[u8]]| signed_license(&payload(&parts.concat()));
    let rights = terms.windows(2).rposition(|window| window == [8, 5]).unwrap();
    let payload_of = payload(&terms);
    let restricted = |value: &[u8]| with_added_before_binding(&[&[22], value].concat());
    vec![
        case("refuse-field-0", "a field below 1024 that is not known", of(&[&[0xa8, 0, 0], &terms[1..]])),
        case("refuse-field-32", "a field below 1024 that is not known", with_added(1, &[0x18, 32, 0])),
        case("refuse-field-1023", "a field below 1024 that is not known", with_added(1, &[0x19, 3, 0xff, 0])),
        case("refuse-field-order", "a field behind a larger one", with_added(1, &[0x0d, 1])),
        case("refuse-field-twice", "the same field twice", with_added(2, &[0x19, 4, 0, 1, 0x19, 4, 0, 1])),
        case("refuse-field-null", "an optional field that is null", with_added(1, &[0x18, 30, 0xf6])),
        case("refuse-indefinite-map", "a map of indefinite length", of(&[&[0xbf], &terms[1..], &[0xff]])),
        case("refuse-long-integer", "an integer in more bytes than it needs", with_added(1, &[0x18, 30, 0x18, 1])),
        case("refuse-long-map", "a map whose length is longer than it needs to be", of(&[&[0xb8, 7], &terms[1..]])),
        case(
            "refuse-undefined-right",
            "bit 128, which is no right",
            of(&[&terms[..=rights], &[0x18, 0x80], &terms[rights + 2..]]),
        ),
        case("refuse-missing-rights", "no rights field", of(&[&[0xa6], &terms[1..rights], &terms[rights + 2..]])),
        case("refuse-restriction-7", "an output restriction that is not known", restricted(&[0xa1, 7, 1])),
        case("refuse-restriction-twice", "the same output restriction twice", restricted(&[0xa2, 3, 1, 3, 2])),
        case("refuse-terms-trailing", "a byte behind the terms", of(&[&terms, &[0]])),
        case("refuse-terms-cut", "terms without their last byte", of(&[&terms[..terms.len() - 1]])),
        case("refuse-terms-endless", "a map that says it has 2^64-1 fields", of(&[&[0xbb], &[0xff; 8]])),
        case("refuse-payload-trailing", "a byte behind the payload", signed_license(&[&payload_of[..], &[0]].concat())),
        case(
            "refuse-payload-of-three",
            "a payload of three",
            signed_license(&[&[0x83], &payload_of[1..], &[0]].concat()),
        ),
        case("refuse-payload-empty", "no payload", signed_license(&[])),
        case(
            "refuse-key-no-point",
            "an encapsulated key that is no point",
            signed_license(&with_bad_point(&payload_of)),
        ),
    ]
}

/// The simple terms with one more field before the binding, which is field 29.
fn with_added_before_binding(added: &[u8]) -> Vec<u8> {
    let terms = terms_bytes();
    let at = terms.windows(3).rposition(|window| window == [0x18, 29, 0x82]).unwrap();
    signed_license(&payload(&[&[terms[0] + 1], &terms[1..at], added, &terms[at..]].concat()))
}

fn with_bad_point(payload: &[u8]) -> Vec<u8> {
    let key = CLIENT.encryption.public_key().as_bytes();
    let at = payload.windows(65).position(|window| window == key).unwrap();
    let mut altered = payload.to_vec();
    altered[at + 64] ^= 1;
    altered
}

fn license_rules() -> Vec<Case> {
    let case = |name, about, terms: Terms| Case(name, about, LICENSE, of_terms(&terms));
    let transfer = Rights::PLAY | Rights::TRANSFER_TO_NON_SDMI;
    let validated = Rights::PLAY | Rights::SDMI_VALIDATED;
    let before = Some(REALM.now.saturating_sub(core::time::Duration::from_secs(1)));
    let other = Digest::from_bytes([8; 32]);
    let for_other = Binding { recipient: other, ..simple().binding };
    vec![
        case("refuse-leaf-without-uplink", "row D02", Terms { uplink: None, ..leaf() }),
        case("refuse-uplink-in-simple", "row D02", Terms { uplink: leaf().uplink, ..simple() }),
        case("refuse-root-without-revision", "a root's key has a revision", Terms { revision: None, ..root() }),
        case("refuse-revision-in-leaf", "only a root's key has a revision", Terms { revision: Some(1), ..leaf() }),
        case("refuse-leaf-bound-to-client", "row D02", Terms { binding: simple().binding, ..leaf() }),
        case("refuse-simple-bound-to-root", "row D02", Terms { binding: leaf().binding, ..simple() }),
        case("refuse-transfer-in-leaf", "row D07", Terms { rights: transfer, ..leaf() }),
        case("refuse-sdmi-in-root", "row D07", Terms { rights: validated, ..root() }),
        case("refuse-playlist-count-in-root", "row D06", Terms { playlist_burn_track_count: Some(1), ..root() }),
        case("refuse-expiry-before-begin", "never valid", Terms { begin: Some(REALM.now), expiry: before, ..simple() }),
        case(
            "refuse-default-minimum-version",
            "row A03: the last digit is even",
            Terms { minimum_individualized_version: Some(ComponentVersion::DEFAULT), ..simple() },
        ),
        case("refuse-other-realm", "a license of another realm", Terms { realm: other, ..simple() }),
        case("refuse-other-client", "row B03", Terms { binding: for_other, ..simple() }),
    ]
}

fn license_envelopes() -> Vec<Case> {
    let case = |name, about, bytes| Case(name, about, LICENSE, bytes);
    let good = of_terms(&simple());
    let payload = payload(&terms_bytes());
    let signed = |chain: &[admit_trust::Certificate], content| {
        admit_trust::sign(&REALM.license.signing, chain, content, &payload)
    };
    let packaging = std::slice::from_ref(&REALM.packaging.certificate);
    let stranger = FixtureRealm::new(9);
    let foreign = std::slice::from_ref(&stranger.license.certificate);
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    // The unprotected header is the empty map before the payload's head.
    let content = good.windows(payload.len()).position(|window| window == payload).unwrap();
    let unprotected = content - if payload.len() < 256 { 3 } else { 4 };
    assert_eq!(good[unprotected], 0xa0);
    let with_header = [&good[..unprotected], &[0xa1, 4, 0x40], &good[unprotected + 1..]].concat();
    vec![
        case("refuse-signature", "the signature with a bit flipped", flipped),
        case("refuse-untagged", "no COSE_Sign1 tag", good[1..].to_vec()),
        case("refuse-trailing", "a byte behind the object", [&good[..], &[0]].concat()),
        case("refuse-cut", "half of it", good[..good.len() / 2].to_vec()),
        case("refuse-unprotected", "a key id in the unprotected header", with_header),
        case("refuse-content-type", "signed as something else", signed(service_chain(), "application/cbor")),
        case("refuse-no-certificate", "no certificate", signed(&[], LICENSE_CONTENT_TYPE)),
        case(
            "refuse-signed-by-packaging",
            "a signer of another role",
            admit_trust::sign(&REALM.packaging.signing, packaging, LICENSE_CONTENT_TYPE, &payload),
        ),
        case(
            "refuse-signed-in-other-realm",
            "another realm's license service of the same name",
            admit_trust::sign(&stranger.license.signing, foreign, LICENSE_CONTENT_TYPE, &payload),
        ),
        case("refuse-empty", "no byte at all", vec![]),
    ]
}

pub(crate) fn messages() -> Vec<Case> {
    let mut cases = challenges();
    cases.extend(responses());
    cases.extend(enrolments());
    cases.extend(realms());
    cases
}

fn challenges() -> Vec<Case> {
    let case = |name, about, bytes| Case(name, about, CHALLENGE, bytes);
    let with = |challenge: LicenseChallenge| seal(&challenge).as_bytes().to_vec();
    let smallest = LicenseChallenge {
        header: None,
        key_ids: vec![],
        actions: vec![],
        token_hash: None,
        held: vec![],
        application: None,
        recovery: false,
        ..challenge()
    };
    let good = SEALED.as_bytes();
    let mut version = good.to_vec();
    version[1] = 2;
    let mut flipped = good.to_vec();
    *flipped.last_mut().unwrap() ^= 1;
    let stranger = FixtureRealm::new(9);
    let other_service = stranger.license.encryption.public_key();
    let elsewhere =
        challenge().seal(provider(), &CLIENT.signing, &CLIENT.chain, other_service, &mut SeededEntropy::new(3));
    let service = REALM.license.encryption.public_key();
    let by_service =
        challenge().seal(provider(), &REALM.license.signing, service_chain(), service, &mut SeededEntropy::new(3));
    vec![
        case("accept-challenge", "a challenge with every field", good.to_vec()),
        case("accept-challenge-smallest", "a challenge with nothing that may be absent", with(smallest)),
        case("refuse-challenge-version", "version 2", version),
        case("refuse-challenge-ciphertext", "the ciphertext with a bit flipped", flipped),
        case("refuse-challenge-trailing", "a byte behind the challenge", [good, &[0]].concat()),
        case(
            "refuse-challenge-indefinite",
            "an array of indefinite length without an end",
            [&[0x9f], &good[1..]].concat(),
        ),
        case("refuse-challenge-other-service", "encrypted to another service", elsewhere.as_bytes().to_vec()),
        case("refuse-challenge-by-service", "signed by a service", by_service.as_bytes().to_vec()),
        case(
            "refuse-challenge-other-realm",
            "for another realm",
            with(LicenseChallenge { realm: Digest::from_bytes([8; 32]), ..challenge() }),
        ),
        case(
            "refuse-challenge-65-keys",
            "more keys than one challenge asks for",
            with(LicenseChallenge { key_ids: vec![KEY_ID; 65], ..challenge() }),
        ),
        case("refuse-challenge-not-signed", "a challenge without its signature", sealed_without_signature()),
    ]
}

fn sealed_without_signature() -> Vec<u8> {
    let service = REALM.license.encryption.public_key();
    let recipient = service.thumbprint(provider());
    let seed = hpke::EphemeralSeed::generate(&mut SeededEntropy::new(8));
    let plain = minicbor::to_vec(challenge()).unwrap();
    let sealed = hpke::seal(provider(), service, b"admit/1/challenge", recipient.as_bytes(), &plain, seed);
    let mut encoder = minicbor::Encoder::new(Vec::new());
    encoder.array(3).unwrap().u8(1).unwrap().encode(recipient).unwrap().encode(&sealed).unwrap();
    encoder.into_writer()
}

fn responses() -> Vec<Case> {
    let case = |name, about, bytes| Case(name, about, RESPONSE, bytes);
    let good = signed_response(&response());
    let other = Digest::from_bytes([8; 32]);
    let mut bad = license().into_bytes();
    *bad.last_mut().unwrap() ^= 1;
    let both = vec![license().into_bytes().into(), bad.into()];
    vec![
        case("accept-response", "a response with one license", good.clone()),
        case(
            "accept-response-empty",
            "a response without licenses",
            signed_response(&LicenseResponse { licenses: vec![], ..response() }),
        ),
        case("refuse-response-trailing", "a byte behind the response", [&good[..], &[0]].concat()),
        case(
            "refuse-response-challenge",
            "for another challenge",
            signed_response(&LicenseResponse { challenge_hash: other, ..response() }),
        ),
        case(
            "refuse-response-client",
            "row B03: for another client",
            signed_response(&LicenseResponse { client_hash: other, ..response() }),
        ),
        case(
            "refuse-response-bad-license",
            "one license of two is altered",
            signed_response(&LicenseResponse { licenses: both, ..response() }),
        ),
        case("refuse-response-by-client", "signed by a client", response().sign(&CLIENT.signing, &CLIENT.chain)),
        case(
            "refuse-response-challenge-type",
            "signed as a challenge",
            admit_trust::sign(
                &REALM.license.signing,
                service_chain(),
                CHALLENGE_CONTENT_TYPE,
                &minicbor::to_vec(response()).unwrap(),
            ),
        ),
    ]
}

fn enrolments() -> Vec<Case> {
    let request = |name, about, bytes| Case(name, about, ENROLMENT_REQUEST, bytes);
    let answer = |name, about, bytes| Case(name, about, ENROLMENT_RESPONSE, bytes);
    let other = REALM.client(3, 150);
    let stranger = FixtureRealm::new(9).client(2, 150);
    let elsewhere = EnrolmentRequest { realm: Digest::from_bytes([8; 32]), ..enrolment_request() };
    let payload = minicbor::to_vec(enrolment_request()).unwrap();
    let with_chain = admit_trust::sign(&CLIENT.signing, &CLIENT.chain, ENROLMENT_CONTENT_TYPE, &payload);
    let of = |chain: &[admit_trust::Certificate]| EnrolmentResponse::new(&chain[0], &chain[1]).to_bytes();
    vec![
        request("accept-enrolment-request", "row A01: a request of a default component", signed_request()),
        request(
            "accept-enrolment-request-on-hardware",
            "row E03: hardware says that the client is on it",
            request_on_hardware().sign(&CLIENT.signing),
        ),
        request(
            "refuse-enrolment-other-key",
            "signed by a key it does not name",
            enrolment_request().sign(&other.signing),
        ),
        request("refuse-enrolment-other-realm", "for another realm", elsewhere.sign(&CLIENT.signing)),
        request("refuse-enrolment-certificates", "with certificates", with_chain),
        answer("accept-enrolment-response", "the certificate and its authority's", enrolment_response()),
        answer("refuse-enrolment-other-keys", "a certificate for other keys", of(&other.chain)),
        answer("refuse-enrolment-other-root", "a certificate of another realm", of(&stranger.chain)),
        answer(
            "refuse-enrolment-no-authority",
            "the client's certificate twice",
            EnrolmentResponse::new(&CLIENT.chain[0], &CLIENT.chain[0]).to_bytes(),
        ),
    ]
}

fn realms() -> Vec<Case> {
    let case = |name, about, bytes| Case(name, about, REALM_DOCUMENT, bytes);
    let stranger = FixtureRealm::new(9);
    let of_stranger =
        realm::RealmDocument { root: stranger.root.certificate().der().to_vec().into(), ..realm_document() };
    let plain = realm::RealmDocument {
        privacy_address: None,
        applications: vec![],
        services: vec![],
        clock: None,
        ..realm_document()
    };
    vec![
        case("accept-realm", "a realm with two services and an application", signed_realm()),
        case("accept-realm-smallest", "a realm without services", realm::sign(&plain, &REALM.root_key)),
        case("refuse-realm-forged", "signed by another root", realm::sign(&realm_document(), &stranger.root_key)),
        case("refuse-realm-other-root", "of another root", realm::sign(&of_stranger, &stranger.root_key)),
        case("refuse-realm-trailing", "a byte behind the document", [&signed_realm()[..], &[0]].concat()),
        case(
            "refuse-realm-by-service",
            "signed by the license service",
            realm::sign(&realm_document(), &REALM.license.signing),
        ),
    ]
}

//! Signed objects: one valid COSE_Sign1 (RFC 9052 section 4.2), one change per test, a specific error.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

use std::sync::LazyLock;

use admit_crypto::SigningKey;
use admit_testkit::FixtureRealm;
use admit_trust::{Certificate, DateCheck, Envelope, Error, Field, Role, SignedBytes, role, sign, sign_detached};
use minicbor::data::Tag;
use minicbor::{Decoder, Encoder};
use proptest::prelude::*;

const CONTENT: &str = "application/test";
const PAYLOAD: &[u8] = b"what was signed";

static REALM: LazyLock<FixtureRealm> = LazyLock::new(|| FixtureRealm::new(1));

/// A COSE_Sign1 in its parts, each written as it stands.
#[derive(Clone)]
struct Parts {
    protected: Vec<u8>,
    unprotected: Vec<u8>,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl Parts {
    fn of(bytes: &[u8]) -> Self {
        let mut decoder = Decoder::new(bytes);
        assert_eq!((decoder.tag().unwrap(), decoder.array().unwrap()), (Tag::new(18), Some(4)));
        let mut item = || {
            let start = decoder.position();
            decoder.skip().unwrap();
            bytes[start..decoder.position()].to_vec()
        };
        Self { protected: item(), unprotected: item(), payload: item(), signature: item() }
    }

    fn to_bytes(&self) -> Vec<u8> {
        [&[0xd2, 0x84], &self.protected[..], &self.unprotected, &self.payload, &self.signature].concat()
    }

    fn protected_at(&self) -> usize {
        2
    }

    fn unprotected_at(&self) -> usize {
        2 + self.protected.len()
    }

    fn payload_at(&self) -> usize {
        self.unprotected_at() + self.unprotected.len()
    }

    fn signature_at(&self) -> usize {
        self.payload_at() + self.payload.len()
    }
}

fn chain() -> Vec<Certificate> {
    vec![REALM.license.certificate.clone()]
}

fn valid() -> Vec<u8> {
    sign(&REALM.license.signing, &chain(), CONTENT, PAYLOAD)
}

fn decode(bytes: &[u8]) -> Result<Envelope, Error> {
    Envelope::decode(bytes, CONTENT)
}

fn verify(bytes: &[u8]) -> Result<SignedBytes<role::License>, Error> {
    decode(bytes)?.verify(REALM.provider, &REALM.root, DateCheck::At(REALM.now))
}

fn at(field: Field, position: usize) -> Error {
    Error::Encoding { field, position }
}

/// One CBOR value written with `write`.
fn cbor(write: impl FnOnce(&mut Encoder<Vec<u8>>)) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    write(&mut encoder);
    encoder.into_writer()
}

/// The valid object with another protected header around `inner`.
fn with_protected(inner: &[u8]) -> Vec<u8> {
    let protected = cbor(|e| _ = e.bytes(inner).unwrap());
    Parts { protected, ..Parts::of(&valid()) }.to_bytes()
}

fn protected_at(inner: usize) -> Error {
    at(Field::ProtectedHeader, inner)
}

#[test]
fn a_valid_object_gives_its_payload_and_signer() {
    let signed = verify(&valid()).unwrap();
    assert_eq!(signed.payload(), PAYLOAD);
    assert_eq!(signed.signer().der(), REALM.license.certificate.der());
    assert_eq!(Parts::of(&valid()).to_bytes(), valid());
}

#[test]
fn two_certificates_travel_as_an_array() {
    let client = REALM.client(2, 150);
    let bytes = sign(&client.signing, &client.chain, CONTENT, PAYLOAD);
    let envelope = decode(&bytes).unwrap();
    assert_eq!(envelope.chain(), client.chain);
    assert_eq!(envelope.unverified_payload(), Some(PAYLOAD));
    let dates = DateCheck::At(REALM.now);
    let signed = envelope.verify::<role::Client>(REALM.provider, &REALM.root, dates).unwrap();
    assert_eq!(signed.signer().der(), client.certificate.der());
}

#[test]
fn one_kind_of_object_is_not_taken_for_another() {
    let refused = Envelope::decode(&valid(), "application/other").unwrap_err();
    assert_eq!(refused, Error::ContentType { expected: "application/other" });
    // The type is under the signature: exchanged, it reads and does not verify.
    let other = Parts::of(&sign(&REALM.license.signing, &chain(), "application/text", PAYLOAD));
    let swapped = Parts { protected: Parts::of(&valid()).protected, ..other }.to_bytes();
    assert_eq!(verify(&swapped).unwrap_err(), Error::Signature);
}

#[test]
fn the_signer_must_have_the_role() {
    let bytes = sign(&REALM.packaging.signing, std::slice::from_ref(&REALM.packaging.certificate), CONTENT, PAYLOAD);
    let wrong = Error::WrongRole { expected: Role::License, found: Some(Role::Packaging) };
    assert_eq!(verify(&bytes).unwrap_err(), wrong);
}

#[test]
fn a_signature_by_another_key_does_not_hold() {
    let bytes = sign(&REALM.packaging.signing, &chain(), CONTENT, PAYLOAD);
    assert_eq!(verify(&bytes).unwrap_err(), Error::Signature);
}

#[test]
fn the_outer_frame_is_tag_18_and_an_array_of_four() {
    let bytes = valid();
    let untagged = bytes[1..].to_vec();
    let other_tag = [&[0xd1], &bytes[1..]].concat();
    let of_three = [&[0xd2, 0x83], &bytes[2..]].concat();
    let of_five = [&[0xd2, 0x85], &bytes[2..]].concat();
    let indefinite = [&[0xd2, 0x9f], &bytes[2..], &[0xff]].concat();
    for bytes in [untagged, other_tag, of_three, of_five, indefinite, Vec::new()] {
        assert_eq!(decode(&bytes).unwrap_err(), at(Field::CoseArray, 0));
    }
}

#[test]
fn the_unprotected_header_is_empty() {
    let valid = Parts::of(&valid());
    for unprotected in [vec![0xa1, 0x04, 0x41, 0x00], vec![0xbf, 0xff], vec![0x80], vec![0xf6]] {
        let bytes = Parts { unprotected, ..valid.clone() }.to_bytes();
        assert_eq!(decode(&bytes).unwrap_err(), at(Field::UnprotectedHeader, valid.unprotected_at()));
    }
}

#[test]
fn nothing_stands_behind_the_object() {
    let bytes = [&valid()[..], &[0]].concat();
    assert_eq!(decode(&bytes).unwrap_err(), at(Field::TrailingBytes, bytes.len() - 1));
}

#[test]
fn the_payload_is_one_byte_string() {
    let valid = Parts::of(&valid());
    for payload in [vec![0x63, b'a', b'b', b'c'], vec![0x5f, 0x41, 0x00, 0xff], vec![0x01], vec![0xf7]] {
        let bytes = Parts { payload, ..valid.clone() }.to_bytes();
        assert_eq!(decode(&bytes).unwrap_err(), at(Field::Payload, valid.payload_at()));
    }
}

#[test]
fn another_payload_does_not_verify() {
    let payload = cbor(|e| _ = e.bytes(b"what was not signed").unwrap());
    let bytes = Parts { payload, ..Parts::of(&valid()) }.to_bytes();
    assert_eq!(verify(&bytes).unwrap_err(), Error::Signature);
}

#[test]
fn the_signature_has_64_bytes() {
    let valid = Parts::of(&valid());
    for length in [0, 63, 65] {
        let signature = cbor(|e| _ = e.bytes(&vec![1; length]).unwrap());
        let bytes = Parts { signature, ..valid.clone() }.to_bytes();
        assert_eq!(decode(&bytes).unwrap_err(), at(Field::Signature, valid.signature_at()));
    }
    let zeros = Parts { signature: cbor(|e| _ = e.bytes(&[0; 64]).unwrap()), ..valid };
    assert_eq!(verify(&zeros.to_bytes()).unwrap_err(), Error::Signature);
}

#[test]
fn the_protected_header_is_a_byte_string() {
    let valid = Parts::of(&valid());
    let bytes = Parts { protected: vec![0xa0], ..valid.clone() }.to_bytes();
    assert_eq!(decode(&bytes).unwrap_err(), protected_at(valid.protected_at()));
}

#[test]
fn the_protected_header_holds_what_we_write_and_no_more() {
    let der = REALM.license.certificate.der();
    let start = 2;
    let case = |write: &dyn Fn(&mut Encoder<Vec<u8>>), inner: usize| {
        let protected = cbor(|e| write(e));
        assert_eq!(decode(&with_protected(&protected)).unwrap_err(), protected_at(start + inner), "{protected:02x?}");
    };
    case(&|e| _ = e.map(0).unwrap(), 0);
    case(&|e| _ = e.map(1).unwrap().u8(1).unwrap().i8(-7).unwrap(), 0);
    case(&|e| _ = e.array(2).unwrap(), 0);
    case(&|e| _ = e.begin_map().unwrap().end().unwrap(), 0);
    // ES384, EdDSA, and the parameters in another order.
    case(&|e| _ = e.map(2).unwrap().u8(1).unwrap().i8(-35).unwrap().u8(3).unwrap().str(CONTENT).unwrap(), 1);
    case(&|e| _ = e.map(2).unwrap().u8(1).unwrap().i8(-8).unwrap().u8(3).unwrap().str(CONTENT).unwrap(), 1);
    case(&|e| _ = e.map(2).unwrap().u8(3).unwrap().str(CONTENT).unwrap().u8(1).unwrap().i8(-7).unwrap(), 1);
    // A critical list instead of the content type, and bytes behind the map.
    case(&|e| _ = e.map(2).unwrap().u8(1).unwrap().i8(-7).unwrap().u8(2).unwrap().array(0).unwrap(), 3);
    let more = |e: &mut Encoder<Vec<u8>>| {
        e.map(2).unwrap().u8(1).unwrap().i8(-7).unwrap().u8(3).unwrap().str(CONTENT).unwrap().u8(0).unwrap();
    };
    case(&more, 4 + 1 + CONTENT.len());
    assert!(der.len() > 255);
}

/// The protected header with `chain` where the certificates stand; what the reader says of it.
fn with_chain(write: impl FnOnce(&mut Encoder<Vec<u8>>)) -> Result<Envelope, Error> {
    let protected = cbor(|e| {
        e.map(3).unwrap().u8(1).unwrap().i8(-7).unwrap().u8(3).unwrap().str(CONTENT).unwrap().u8(33).unwrap();
        write(e);
    });
    decode(&with_protected(&protected))
}

#[test]
fn a_chain_is_one_certificate_or_an_array_of_two() {
    let der = REALM.license.certificate.der();
    assert!(with_chain(|e| _ = e.bytes(der).unwrap()).is_ok());
    assert!(with_chain(|e| _ = e.array(2).unwrap().bytes(der).unwrap().bytes(der).unwrap()).is_ok());
    let three = with_chain(|e| {
        e.array(3).unwrap().bytes(der).unwrap().bytes(der).unwrap().bytes(der).unwrap();
    });
    assert_eq!(three.unwrap_err(), Error::ChainTooLong { limit: 2 });
    let endless = with_chain(|e| _ = e.array(u64::MAX).unwrap());
    assert_eq!(endless.unwrap_err(), Error::ChainTooLong { limit: 2 });
    let refused = |found: Result<Envelope, Error>| {
        let Err(Error::Encoding { field, .. }) = found else { panic!("{found:?}") };
        assert_eq!(field, Field::CertificateChain);
    };
    refused(with_chain(|e| _ = e.array(0).unwrap()));
    refused(with_chain(|e| _ = e.array(1).unwrap().bytes(der).unwrap()));
    refused(with_chain(|e| _ = e.begin_array().unwrap().bytes(der).unwrap().bytes(der).unwrap().end().unwrap()));
    refused(with_chain(|e| _ = e.str("certificate").unwrap()));
    refused(with_chain(|e| _ = e.null().unwrap()));
    assert!(matches!(with_chain(|e| _ = e.bytes(&der[1..]).unwrap()).unwrap_err(), Error::Der(_)));
}

#[test]
fn an_object_without_certificates_does_not_verify_under_a_role() {
    let bytes = sign(&REALM.root_key, &[], CONTENT, PAYLOAD);
    assert_eq!(verify(&bytes).unwrap_err(), Error::EmptyChain);
    let signed = decode(&bytes).unwrap().verify_by_root(REALM.provider, &REALM.root).unwrap();
    assert_eq!(signed.payload(), PAYLOAD);
}

#[test]
fn a_root_or_a_key_verifies_only_what_it_signed_without_certificates() {
    let by_key = |bytes: &[u8], key: &SigningKey| decode(bytes)?.verify_by_key(REALM.provider, key.public_key());
    let refused = by_key(&valid(), &REALM.license.signing).unwrap_err();
    assert_eq!(refused, Error::Field(Field::CertificateChain));
    let bare = sign(&REALM.license.signing, &[], CONTENT, PAYLOAD);
    assert_eq!(by_key(&bare, &REALM.license.signing).unwrap().payload(), PAYLOAD);
    assert_eq!(by_key(&bare, &REALM.root_key).unwrap_err(), Error::Signature);
    let refused = decode(&bare).unwrap().verify_by_root(REALM.provider, &REALM.root).unwrap_err();
    assert_eq!(refused, Error::Signature);
}

#[test]
fn a_detached_payload_is_the_one_that_was_signed() {
    let detached = sign_detached(&REALM.license.signing, &chain(), CONTENT, PAYLOAD);
    let verify_with = |bytes: &[u8], payload: &[u8]| {
        let dates = DateCheck::At(REALM.now);
        decode(bytes)?.verify_detached::<role::License>(payload, REALM.provider, &REALM.root, dates)
    };
    assert_eq!(verify_with(&detached, PAYLOAD).unwrap().payload(), PAYLOAD);
    assert_eq!(verify_with(&detached, b"another payload").unwrap_err(), Error::Signature);
    assert_eq!(verify_with(&detached, b"").unwrap_err(), Error::Signature);
    // Neither kind passes for the other.
    assert_eq!(verify_with(&valid(), PAYLOAD).unwrap_err(), Error::Field(Field::Payload));
    assert_eq!(verify(&detached).unwrap_err(), Error::Field(Field::Payload));
}

#[test]
fn no_prefix_and_no_flipped_byte_verifies() {
    let bytes = valid();
    for at in 0..bytes.len() {
        assert!(decode(&bytes[..at]).is_err(), "{at}");
        for bit in [1, 0x80] {
            let mut flipped = bytes.clone();
            flipped[at] ^= bit;
            assert!(verify(&flipped).is_err(), "byte {at}");
        }
    }
}

proptest! {
    #[test]
    fn reading_random_bytes_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(decode(&bytes).is_err());
        let framed = [&[0xd2, 0x84], &bytes[..]].concat();
        prop_assert!(decode(&framed).is_err());
    }

    #[test]
    fn signing_and_verifying_gives_any_payload_back(payload in proptest::collection::vec(any::<u8>(), 0..500)) {
        let bytes = sign(&REALM.license.signing, &chain(), CONTENT, &payload);
        prop_assert_eq!(verify(&bytes).unwrap().payload().to_vec(), payload);
    }
}

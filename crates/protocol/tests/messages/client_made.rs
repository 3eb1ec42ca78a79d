//! Licenses that clients make, in the corpus: local ones of a client for itself (row B10), and portable ones for an
//! SDMI-compliant device (rows B11 and B17).

use std::sync::LazyLock;

use admit_crypto::hpke::{self, EphemeralSeed};
use admit_crypto::{ContentKey, Digest, PublicKey};
use admit_license::{
    Binding, Error, LOCAL_LICENSE_CONTENT_TYPE, LicenseId, Origin, PORTABLE_LICENSE_CONTENT_TYPE, Rights, Terms,
    VerifiedLicense, local_key_id,
};
use admit_testkit::{FixtureClient, SeededEntropy};
use admit_trust::{Device, DeviceKind};

use crate::cases::Case;
use crate::fixture::*;

pub(crate) const LOCAL: &str = "local-license";
pub(crate) const PORTABLE: &str = "portable-license";

static DEVICE: LazyLock<FixtureClient> = LazyLock::new(|| REALM.device(5, DeviceKind::Device, 450, Some("S-1")));

pub(crate) fn verify_local(bytes: &[u8]) -> Result<VerifiedLicense, Error> {
    let own = (&CLIENT.certificate, &CLIENT.encryption);
    VerifiedLicense::verify_local(provider(), &REALM.root, bytes, dates(), own)
}

pub(crate) fn verify_portable(bytes: &[u8]) -> Result<VerifiedLicense, Error> {
    let own = (&Device::of(&DEVICE.certificate).unwrap(), &DEVICE.encryption);
    VerifiedLicense::verify_portable(provider(), &REALM.root, bytes, dates(), own)
}

pub(crate) fn cases() -> Vec<Case> {
    [local_cases(), portable_cases()].concat()
}

fn local_cases() -> Vec<Case> {
    let case = |name, about, bytes| Case(name, about, LOCAL, bytes);
    let signed = |terms: Terms| made(LOCAL_LICENSE_CONTENT_TYPE, &CLIENT, &terms, CLIENT.encryption.public_key());
    let transfers = local(Rights::PLAY | Rights::SDMI_VALIDATED | Rights::ONE_TIME);
    let other = REALM.client(3, 150);
    let by_other = made(LOCAL_LICENSE_CONTENT_TYPE, &other, &local(Rights::PLAY), CLIENT.encryption.public_key());
    vec![
        case("accept-local", "a recording's license", signed(local(Rights::PLAY | Rights::BURN_TO_CD))),
        case("accept-local-one-time", "one transfer to an SDMI-compliant device", signed(transfers)),
        case("refuse-local-by-another", "row B10: signed by another client", by_other),
        case(
            "refuse-local-key-id",
            "row B10: the key id of a service's content",
            signed(Terms { key_id: KEY_ID, ..local(Rights::PLAY) }),
        ),
        case("refuse-local-no-origin", "row B10", signed(Terms { origin: None, ..local(Rights::PLAY) })),
        case(
            "refuse-local-portable",
            "row B10",
            signed(Terms { origin: Some(Origin::Portable), ..local(Rights::PLAY) }),
        ),
    ]
}

fn portable_cases() -> Vec<Case> {
    let case = |name, about, bytes| Case(name, about, PORTABLE, bytes);
    let by = |signer: &FixtureClient, terms: Terms| {
        made(PORTABLE_LICENSE_CONTENT_TYPE, signer, &terms, DEVICE.encryption.public_key())
    };
    let signed = |terms: Terms| by(&CLIENT, terms);
    let expiring = Terms { begin: Some(REALM.now), expiry: Some(REALM.now), ..portable() };
    let other = Binding { recipient: Digest::from_bytes([8; 32]), ..portable().binding };
    vec![
        case("accept-portable", "row B17: SDMI-validated content", signed(portable())),
        case("accept-portable-expiry", "row B11: the original's end", signed(expiring)),
        case("refuse-portable-count", "row B11", signed(Terms { transfer_count: Some(1), ..portable() })),
        case(
            "refuse-portable-countdown",
            "row B11",
            signed(Terms { expiry_after_storing_secs: Some(1), ..portable() }),
        ),
        case("refuse-portable-burn", "row B11", signed(with(Rights::BURN_TO_CD))),
        case("refuse-portable-one-time", "row B11", signed(with(Rights::ONE_TIME))),
        case("refuse-portable-transfer", "row B11: an SDMI device", signed(with(Rights::TRANSFER_TO_NON_SDMI))),
        case("refuse-portable-not-validated", "row B17", signed(Terms { rights: Rights::PLAY, ..portable() })),
        case("refuse-portable-other-device", "row B11", signed(Terms { binding: other, ..portable() })),
        case("refuse-portable-by-device", "row B11: signed by a device", by(&DEVICE, portable())),
        case("refuse-portable-local", "row B11", signed(Terms { origin: Some(Origin::Local), ..portable() })),
    ]
}

fn local(rights: Rights) -> Terms {
    let recipient = CLIENT.encryption.public_key();
    let key_id = local_key_id(provider(), recipient, &ContentKey::from_bytes(KEY));
    let id = LicenseId::from_bytes([1; 16]);
    let terms = Terms::simple(id, key_id, REALM.realm(), REALM.now, rights, recipient.thumbprint(provider()));
    Terms { origin: Some(Origin::Local), ..terms }
}

fn portable() -> Terms {
    let recipient = DEVICE.encryption.public_key().thumbprint(provider());
    let rights = Rights::PLAY | Rights::SDMI_VALIDATED;
    let terms = Terms::simple(LicenseId::from_bytes([1; 16]), KEY_ID, REALM.realm(), REALM.now, rights, recipient);
    Terms { origin: Some(Origin::Portable), ..terms }
}

fn with(right: Rights) -> Terms {
    Terms { rights: portable().rights | right, ..portable() }
}

/// Terms around a key that opens, also where the library would not make them.
fn made(content_type: &str, signer: &FixtureClient, terms: &Terms, recipient: &PublicKey) -> Vec<u8> {
    let terms = minicbor::to_vec(terms).unwrap();
    let aad = (provider().sha256)(&[&terms]);
    let seed = EphemeralSeed::generate(&mut SeededEntropy::new(6));
    let sealed = hpke::seal(provider(), recipient, b"admit/1/simple", aad.as_bytes(), &KEY, seed);
    let mut encoder = minicbor::Encoder::new(Vec::new());
    encoder.array(2).unwrap().bytes(&terms).unwrap().encode(&sealed).unwrap();
    admit_trust::sign(&signer.signing, &signer.chain, content_type, &encoder.into_writer())
}

const KEY: [u8; 16] = [0x5a; 16];

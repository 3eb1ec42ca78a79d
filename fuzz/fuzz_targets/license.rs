//! Licenses: the input is read as a signed license, and as terms that a license service signed, or the client for itself,
//! or the client for a device. Terms that are read keep the rules and are written as the bytes that were read.
#![no_main]

use std::sync::LazyLock;

use admit_crypto::hpke::{self, EphemeralSeed, Sealed};
use admit_crypto::{ContentKey, PublicKey};
use admit_fuzz::{CLIENT, REALM, dates, provider, seeds};
use admit_license::{
    LICENSE_CONTENT_TYPE, LOCAL_LICENSE_CONTENT_TYPE, Origin, PORTABLE_LICENSE_CONTENT_TYPE, Rights, Terms,
    VerifiedLicense, inspect, local_key_id, portable_rights,
};
use admit_testkit::{FixtureClient, SeededEntropy};
use admit_trust::{Device, DeviceKind};
use libfuzzer_sys::fuzz_target;
use minicbor::{Decoder, Encoder};

fuzz_target!(init: seeds::offer(seeds), |bytes: &[u8]| {
    let _ = inspect(bytes);
    let Some(terms) = seeds::envelope_around(&payload(bytes, sealed_to_nobody()), LICENSE_CONTENT_TYPE)
        .and_then(|license| inspect(&license).ok())
        .map(|(terms, _)| terms)
    else {
        return;
    };
    terms.check().expect("terms that are read keep the rules");
    if !has_optional_fields(bytes) {
        assert_eq!(minicbor::to_vec(&terms).expect("writing to memory succeeds"), bytes);
    }
    // A signature and a key that opens cost far more than reading terms: only terms that are read get them.
    of_a_service(bytes, &terms);
    of_a_client(bytes, &terms);
});

/// The terms under a license service's signature.
fn of_a_service(bytes: &[u8], terms: &Terms) {
    let (service, payload) = (&REALM.license, payload(bytes, sealed_to_nobody()));
    let chain = std::slice::from_ref(&service.certificate);
    let signed = admit_trust::sign(&service.signing, chain, LICENSE_CONTENT_TYPE, &payload);
    let client = CLIENT.encryption.public_key().thumbprint(provider());
    if let Ok(license) = VerifiedLicense::verify(provider(), &REALM.root, &signed, dates(), &client) {
        assert_eq!((license.terms(), terms.realm, terms.origin), (terms, REALM.realm(), None));
    }
}

/// The terms under the client's signature: for itself, and for a device that is SDMI-compliant.
fn of_a_client(bytes: &[u8], terms: &Terms) {
    let signed = |content_type, recipient: &FixtureClient| {
        let payload = payload(bytes, sealed_to(recipient.encryption.public_key(), bytes));
        admit_trust::sign(&CLIENT.signing, &CLIENT.chain, content_type, &payload)
    };
    let own = (&CLIENT.certificate, &CLIENT.encryption);
    let license = signed(LOCAL_LICENSE_CONTENT_TYPE, &CLIENT);
    if VerifiedLicense::verify_local(provider(), &REALM.root, &license, dates(), own).is_ok() {
        assert!(terms.origin.is_some_and(Origin::is_local), "{terms:?}");
        assert_eq!(
            terms.key_id,
            local_key_id(provider(), CLIENT.encryption.public_key(), &ContentKey::from_bytes(KEY))
        );
    }
    let device = Device::of(&DEVICE.certificate).expect("the fixture is a device");
    let license = signed(PORTABLE_LICENSE_CONTENT_TYPE, &DEVICE);
    let on_device = (&device, &DEVICE.encryption);
    if VerifiedLicense::verify_portable(provider(), &REALM.root, &license, dates(), on_device).is_ok() {
        assert_eq!((terms.origin, terms.counts()), (Some(Origin::Portable), [None; 5]));
        assert_eq!(portable_rights(terms.rights, true), terms.rights);
        assert!(terms.rights.contains(Rights::SDMI_VALIDATED), "{terms:?}");
    }
}

/// What is signed around terms.
fn payload(terms: &[u8], key: Sealed) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    encoder.array(2).and_then(|e| e.bytes(terms)).and_then(|e| e.encode(&key)).expect("writing to memory succeeds");
    encoder.into_writer()
}

fn sealed_to_nobody() -> Sealed {
    Sealed { encapsulated_key: *REALM.license.signing.public_key(), ciphertext: vec![0; 32] }
}

/// A content key that opens under these terms.
fn sealed_to(recipient: &PublicKey, terms: &[u8]) -> Sealed {
    let aad = (provider().sha256)(&[terms]);
    let seed = EphemeralSeed::generate(&mut SeededEntropy::new(6));
    hpke::seal(provider(), recipient, b"admit/1/simple", aad.as_bytes(), &KEY, seed)
}

/// Fields from 1024 on are skipped by the reader and so are not written again.
fn has_optional_fields(terms: &[u8]) -> bool {
    let mut decoder = Decoder::new(terms);
    let fields = decoder.map().ok().flatten().expect("the terms were read");
    (0..fields).any(|_| {
        let field = decoder.u64().expect("the terms were read");
        decoder.skip().expect("the terms were read");
        field >= 1024
    })
}

/// Signed licenses, and the terms in them.
fn seeds() -> Vec<Vec<u8>> {
    let licenses = seeds::vectors("licenses", &[]);
    let terms = seeds::payloads(&licenses).into_iter().filter_map(|payload| {
        let mut decoder = Decoder::new(&payload);
        decoder.array().ok()?;
        decoder.bytes().ok().map(<[u8]>::to_vec)
    });
    terms.chain(licenses.iter().cloned()).collect()
}

/// The device of the portable licenses in the corpus.
static DEVICE: LazyLock<FixtureClient> = LazyLock::new(|| REALM.device(5, DeviceKind::Device, 450, Some("S-1")));
/// The content key of the corpus.
const KEY: [u8; 16] = [0x5a; 16];

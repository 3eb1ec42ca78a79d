//! What a client reads back from its store: the position and the nodes of the tree, sealed as the store seals them and
//! saying anything, and the payload of a license, which is restored, written and evaluated. The input is a byte that says
//! which, and the plaintext.
#![no_main]

use std::sync::LazyLock;

use admit_client::{Change, KeyValue, MemoryKeyValue, Precondition, Store};
use admit_crypto::{RecordKey, record};
use admit_fuzz::messages::{KEY_ID, license};
use admit_fuzz::{CLIENT, REALM, provider, seeds};
use admit_license::{Action, Application, Environment, HeldLicense, Output, Usage, VerifiedLicense, evaluate};
use admit_testkit::{SeededEntropy, now_at};
use admit_time::clock::Now;
use admit_trust::{CertificateVersion, SdkGeneration};
use libfuzzer_sys::fuzz_target;

static NOW: LazyLock<Now> = LazyLock::new(|| now_at(REALM.now));

fuzz_target!(init: seeds::offer(seeds), |bytes: &[u8]| {
    let Some((which, plaintext)) = bytes.split_first() else { return };
    match which {
        0 => position(plaintext),
        _ => restore(plaintext),
    }
});

/// A store whose position says anything, with itself as the root's node.
fn position(plaintext: &[u8]) {
    let mut storage = MemoryKeyValue::default();
    let unconditional = Precondition { key: b"p".to_vec(), value: None };
    let changes = [put(b"p", plaintext), put(b"n", plaintext)];
    storage.commit(&unconditional, &changes).expect("memory takes everything");
    let entropy = &mut SeededEntropy::new(1);
    let Ok(mut store) = Store::open(provider(), storage, REALM.realm(), key(), entropy) else { return };
    let _ = store.licenses();
    let _ = store.held_elements(&[KEY_ID]);
    let _ = store.return_reservations(entropy);
    let position = store.position();
    let again = Store::open(provider(), store.into_storage(), REALM.realm(), key(), entropy);
    assert_eq!(again.expect("a store that was open opens again").position(), position);
}

/// A license that is taken back is what was sealed, and what it allows can be asked.
fn restore(plaintext: &[u8]) {
    let sealed = record::seal(provider(), &key(), &[b"license"], plaintext, &mut SeededEntropy::new(2));
    let opened = record::open(provider(), &key(), &[b"license"], &sealed).expect("what was sealed opens");
    let Ok(license) = VerifiedLicense::restore(provider(), REALM.realm(), &opened) else { return };
    assert_eq!(license.record(), plaintext);
    assert_eq!(license.terms().realm, REALM.realm());
    let key_id = license.terms().key_id;
    let held = [HeldLicense { license, usage: Usage::default() }];
    for action in [Action::Play, Action::Burn] {
        let _ = evaluate(action, key_id, &held, &environment());
    }
}

fn put(at: &[u8], plaintext: &[u8]) -> Change {
    let realm = REALM.realm();
    let context: [&[u8]; 3] = [&[VERSION], realm.as_bytes(), at];
    let value = record::seal(provider(), &key(), &context, plaintext, &mut SeededEntropy::new(2));
    Change::Put { key: at.to_vec(), value: [&[VERSION][..], &value].concat() }
}

fn key() -> RecordKey {
    RecordKey::from_bytes([1; 32])
}

fn environment() -> Environment<'static> {
    Environment {
        application: Application { security_level: 1000, sdk_generation: SdkGeneration::Newer, certificate_version: CertificateVersion::V2 },
        output: Output::InProcess { protected: true },
        client: CLIENT.properties,
        clock: &NOW,
        revocation_version: 0,
        content_minimum_version: None,
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let licenses = [vec![license().into_bytes()], seeds::vectors("licenses", &[])].concat();
    let mut seeds: Vec<Vec<u8>> =
        seeds::payloads(&licenses).iter().map(|payload| [&[1][..], payload].concat()).collect();
    seeds.push([&[0][..], &written_position()].concat());
    seeds
}

/// The position of a store that was never written: what opening one and putting it away would seal.
fn written_position() -> Vec<u8> {
    let entropy = &mut SeededEntropy::new(1);
    let store = Store::open(provider(), MemoryKeyValue::default(), REALM.realm(), key(), entropy);
    minicbor::to_vec(store.expect("an empty storage opens").position()).expect("writing to memory succeeds")
}

/// The version of the store's records.
const VERSION: u8 = 2;

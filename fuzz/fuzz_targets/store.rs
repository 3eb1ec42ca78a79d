//! What a client reads back from its store: the position and the nodes of the tree, sealed as the store seals them and
//! saying anything, and the licenses for a key, which are restored, written and evaluated. The input is a byte that says
//! which, and the plaintext.
#![no_main]

use std::sync::LazyLock;

use admit_client::{Change, KeyValue, MemoryKeyValue, Precondition, Store};
use admit_crypto::{RecordKey, record};
use admit_fuzz::messages::{KEY_ID, license};
use admit_fuzz::{CLIENT, REALM, provider, seeds};
use admit_license::{Action, Application, Environment, HeldLicense, Output, Usage, evaluate};
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

/// Licenses that are taken back are sealed again as what they are, and what they allow can be asked.
fn restore(plaintext: &[u8]) {
    let Some(held) = restored(plaintext) else { return };
    assert_eq!(restored(&HeldLicense::record(&held)).as_ref(), Some(&held));
    for license in &held {
        let terms = license.license.terms();
        assert_eq!(terms.realm, REALM.realm());
        for action in [Action::Play, Action::Burn] {
            let _ = evaluate(action, terms.key_id, &held, &environment());
        }
    }
}

fn restored(plaintext: &[u8]) -> Option<Vec<HeldLicense>> {
    let sealed = record::seal(provider(), &key(), &[b"licenses"], plaintext, &mut SeededEntropy::new(2));
    let opened = record::open(provider(), &key(), &[b"licenses"], &sealed).expect("what was sealed opens");
    HeldLicense::restore_all(REALM.realm(), &opened).ok()
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
        seeds::payloads(&licenses).iter().map(|payload| [&[1][..], &licenses_of_key(payload)].concat()).collect();
    seeds.push([&[0][..], &written_position()].concat());
    seeds
}

/// The record of one license that was not used.
fn licenses_of_key(payload: &[u8]) -> Vec<u8> {
    let mut encoder = minicbor::Encoder::new(vec![0x81, 0x82]);
    encoder.bytes(payload).and_then(|encoder| encoder.encode(Usage::default())).expect("writing to memory succeeds");
    encoder.into_writer()
}

/// The position of a store that was never written: what opening one and putting it away would seal.
fn written_position() -> Vec<u8> {
    let entropy = &mut SeededEntropy::new(1);
    let store = Store::open(provider(), MemoryKeyValue::default(), REALM.realm(), key(), entropy);
    minicbor::to_vec(store.expect("an empty storage opens").position()).expect("writing to memory succeeds")
}

/// The version of the store's records.
const VERSION: u8 = 3;

//! The client's store: records that are sealed as the store seals them, whatever they say, and what a client does with
//! them. The input is a list of records, each a byte that says which one, a length of two bytes, and the plaintext.
#![no_main]

use std::sync::LazyLock;

use admit_client::play::{Candidates, permit};
use admit_client::{Change, KeyValue, MemoryKeyValue, Precondition, Store, enrol};
use admit_crypto::{Digest, RecordKey, record};
use admit_fuzz::messages::{KEY_ID, encode, license};
use admit_fuzz::{CLIENT, REALM, dates, provider, seeds};
use admit_license::{Action, Environment, LicenseId, Usage};
use admit_protocol::acquire::StorePosition;
use admit_testkit::{SeededEntropy, trusted_time};
use admit_time::TrustedTime;
use admit_trust::SdkGeneration;
use libfuzzer_sys::fuzz_target;

static REALM_ID: LazyLock<Digest> = LazyLock::new(|| REALM.realm());
static TIME: LazyLock<TrustedTime> = LazyLock::new(|| trusted_time(REALM.now));

fuzz_target!(init: seeds::offer(seeds), |bytes: &[u8]| {
    let entropy = &mut SeededEntropy::new(1);
    let storage = storage(bytes);
    let Ok(mut store) = Store::open(provider(), storage, REALM.realm(), key(), entropy) else { return };
    let identity = enrol::identity(provider(), &REALM.root, dates(), &store).ok().flatten();
    if let Ok(licenses) = store.licenses() {
        assert!(licenses.iter().all(|license| license.terms.realm == REALM.realm()));
    }
    let _ = store.held_elements(&[KEY_ID]);
    if let Ok(candidates) = Candidates::find(&store, &[KEY_ID]) {
        for action in [Action::Play, Action::Burn] {
            let Ok(grants) = candidates.evaluate(action, &environment()) else { continue };
            match &identity {
                Some(identity) => drop(permit(&mut store, identity, grants, entropy)),
                None => drop(store.reserve(grants, entropy)),
            }
        }
    }
    if store.return_reservations(entropy).is_ok() {
        assert_eq!(store.return_reservations(entropy), Ok(0));
    }
    let _ = store.delete(ids(0), entropy);
    let position = store.position();
    let again = Store::open(provider(), store.into_storage(), REALM.realm(), key(), entropy);
    assert_eq!(again.expect("a store that was open opens again").position(), position);
});

fn storage(mut bytes: &[u8]) -> MemoryKeyValue {
    let position = StorePosition { epoch: [3; 16].into(), sequence: 4, head: Digest::from_bytes([5; 32]) };
    let mut changes = vec![put(b"p".to_vec(), &encode(&position))];
    while let [which, high, low, rest @ ..] = bytes {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let (plaintext, later) = rest.split_at(length);
        changes.push(put(place(*which), plaintext));
        bytes = later;
    }
    let mut storage = MemoryKeyValue::default();
    let unconditional = Precondition { key: b"p".to_vec(), value: None };
    storage.commit(&unconditional, &changes).expect("memory takes everything");
    storage
}

/// Where a record lies: its kind in the low bits, its number in the high ones.
fn place(which: u8) -> Vec<u8> {
    let id = ids(which >> 4);
    let (prefix, names): (u8, &[&[u8]]) = match which % 5 {
        0 => (b'i', &[]),
        1 => (b'l', &[KEY_ID.as_bytes(), id.as_bytes()]),
        2 => (b'u', &[id.as_bytes()]),
        3 => (b'r', &[id.as_bytes()]),
        _ => (b'p', &[]),
    };
    [&[prefix], &*names.concat()].concat()
}

fn ids(number: u8) -> LicenseId {
    LicenseId::from_bytes([number + 1; 16])
}

fn put(key: Vec<u8>, plaintext: &[u8]) -> Change {
    let context: [&[u8]; 2] = [REALM_ID.as_bytes(), &key];
    let value = record::seal(provider(), &self::key(), &context, plaintext, &mut SeededEntropy::new(2));
    Change::Put { key, value }
}

fn key() -> RecordKey {
    RecordKey::from_bytes([1; 32])
}

fn environment() -> Environment<'static> {
    Environment {
        application_level: 1000,
        sdk_generation: SdkGeneration::Newer,
        client: CLIENT.properties,
        time: Some(&TIME),
        revocation_version: 0,
        content_minimum_version: None,
        protected_output: true,
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let record = |which: u8, plaintext: &[u8]| {
        let length = u16::try_from(plaintext.len()).expect("seeds are short");
        [&[which][..], &length.to_be_bytes(), plaintext].concat()
    };
    let usage = encode(&Usage::default());
    let licenses = [vec![license().into_bytes()], seeds::vectors("licenses", &[])].concat();
    let with_usage = |payload: &Vec<u8>| [record(1, payload), record(2, &usage)].concat();
    let mut seeds: Vec<_> = seeds::payloads(&licenses).iter().map(with_usage).collect();
    seeds.push([seeds[0].clone(), record(0, &identity()), record(3, &reservation(&usage))].concat());
    seeds
}

/// The identity record: a map of two scalars and the chain.
fn identity() -> Vec<u8> {
    let mut encoder = minicbor::Encoder::new(Vec::new());
    let written = (|| {
        encoder.map(3)?.u8(1)?.bytes(&[1; 32])?.u8(2)?.bytes(&[2; 32])?.u8(3)?.array(2)?;
        for certificate in &CLIENT.chain {
            encoder.bytes(certificate.der())?;
        }
        Ok::<_, minicbor::encode::Error<std::convert::Infallible>>(())
    })();
    written.expect("writing to memory succeeds");
    encoder.into_writer()
}

/// A reservation record: a map of its id and one charge.
fn reservation(usage: &[u8]) -> Vec<u8> {
    let head = [&[0xa2, 0x01, 0x50][..], &[1; 16], &[0x02, 0x81, 0xa4, 0x01, 0x50], &[1; 16]].concat();
    [&head[..], &[0x02, 0x00, 0x03, 0xf4, 0x04], usage].concat()
}

//! Records of the store: sealed to their place, and nothing silently missing.

use admit_client::KeyValue;
use admit_client::{Error, Store, enrol};
use admit_protocol::Code;
use admit_testkit::SeededEntropy;

use admit_time::clock::Now;

use crate::fixture::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A device with an identity, two licenses for one key and one for another, and an open reservation.
fn device() -> Device {
    let mut device = Device::new(1);
    device.acquire(&[counted(1, 3), simple(2), of_own_key(counted(3, 3))]).unwrap();
    drop(device.permit(&[KEY_ID]).unwrap());
    device
}

#[test]
fn a01_the_identity_survives_the_program() {
    let device = Device::new(1);
    let store = open(&device.storage);
    let identity = enrol::identity(provider(), &REALM.root, dates(), &store).unwrap().unwrap();
    assert_eq!(identity.certificate(), device.identity.certificate());
    assert_eq!(identity.encryption_thumbprint(), device.identity.encryption_thumbprint());
    assert_eq!(identity.signing_thumbprint(provider()), device.identity.signing_thumbprint(provider()));
    assert_eq!(identity.chain(), device.identity.chain());
}

#[test]
fn a01_two_clients_make_two_pairs_of_keys() {
    let (one, other) = (Device::new(1), Device::new(2));
    assert_ne!(one.identity.encryption_thumbprint(), other.identity.encryption_thumbprint());
    assert_ne!(one.identity.signing_thumbprint(provider()), other.identity.signing_thumbprint(provider()));
    assert_ne!(one.identity.encryption_thumbprint(), one.identity.signing_thumbprint(provider()));
}

#[test]
fn a_new_store_has_no_identity() {
    let store = open(&Shared::default());
    assert!(enrol::identity(provider(), &REALM.root, dates(), &store).unwrap().is_none());
}

#[test]
fn licenses_and_usage_survive_the_program() {
    let mut device = device();
    let before = device.licenses();
    device.store = open(&device.storage);
    assert_eq!(device.licenses(), before);
    assert_eq!(before.len(), 3);
}

#[test]
fn every_altered_byte_of_every_record_is_noticed() {
    let device = device();
    let records = device.storage.all();
    let kinds: Vec<u8> = records.iter().map(|(key, _)| key[0]).collect();
    assert_eq!(kinds, b"ikknpr".to_vec(), "every kind of record is here");
    for (key, value) in records {
        for at in 0..value.len() {
            let mut altered = value.clone();
            altered[at] ^= 0x10;
            device.storage.put(&key, &altered);
            let expected = if at == 0 && key == b"p" {
                Error::StoreVersion { record: hex(&key), version: 3 ^ 0x10 }
            } else {
                Error::StoreTampered { record: hex(&key) }
            };
            assert_eq!(read_all(&device.storage).unwrap_err(), expected);
        }
        device.storage.put(&key, &[]);
        assert_eq!(read_all(&device.storage).unwrap_err(), Error::StoreTampered { record: hex(&key) });
        device.storage.put(&key, &value);
    }
    assert_eq!(read_all(&device.storage).unwrap().len(), 3);
}

#[test]
fn a_store_of_an_older_version_is_not_misread() {
    let device = device();
    let position = device.storage.get(b"p").unwrap().unwrap();
    // Version 1 was the sealed record alone, whose own version is 1; then came a byte before it, which was 2.
    for (older, version) in [(position[1..].to_vec(), 1), ([&[2], &position[1..]].concat(), 2)] {
        device.storage.put(b"p", &older);
        let refused = read_all(&device.storage).unwrap_err();
        assert_eq!(refused, Error::StoreVersion { record: hex(b"p"), version });
        assert_eq!(Code::from(&refused), Code::ADMIT_E_STORE_VERSION);
    }
}

#[test]
fn a_deleted_record_of_licenses_does_not_make_them_new() {
    let device = device();
    for key in device.storage.keys(b"k") {
        let storage = device.storage.copy();
        storage.delete(&key);
        assert_eq!(read_all(&storage).unwrap_err(), Error::StoreTampered { record: hex(&key) });
    }
}

#[test]
fn a_deleted_position_record_does_not_make_a_store_new() {
    let device = device();
    device.storage.delete(b"p");
    assert_eq!(read_all(&device.storage).unwrap_err(), Error::StoreIncomplete);
}

#[test]
fn a_record_opens_only_under_its_own_key() {
    let device = device();
    let records: Vec<_> = device.storage.all().into_iter().filter(|(key, _)| key.starts_with(b"k")).collect();
    assert_eq!(records.len(), 2);
    for (at, other) in [(0, 1), (1, 0)] {
        let storage = device.storage.copy();
        storage.put(&records[at].0, &records[other].1);
        assert_eq!(read_all(&storage).unwrap_err(), Error::StoreTampered { record: hex(&records[at].0) });
    }
}

#[test]
fn a_store_belongs_to_its_realm_and_its_key() {
    let device = device();
    let open_as = |realm, key| {
        Store::open(provider(), device.storage.clone(), realm, store_key(key), &mut SeededEntropy::new(6)).map(|_| ())
    };
    let tampered = Err(Error::StoreTampered { record: hex(b"p") });
    assert_eq!(open_as(REALM.realm(), 1), Ok(()));
    assert_eq!(open_as(REALM.realm(), 2), tampered);
    assert_eq!(open_as(admit_crypto::Digest::from_bytes([1; 32]), 1), tampered);
}

#[test]
fn b03_a_license_record_copied_to_another_client_does_not_open() {
    let from = device();
    let mut to = Device::new(2);
    to.storage = Shared::default();
    to.store =
        Store::open(provider(), to.storage.clone(), REALM.realm(), store_key(2), &mut SeededEntropy::new(6)).unwrap();
    for (key, value) in from.storage.all().into_iter().filter(|(key, _)| !matches!(key[0], b'i' | b'p')) {
        to.storage.put(&key, &value);
    }
    assert!(matches!(to.store.held(&KEY_ID).unwrap_err(), Error::StoreTampered { .. }));
}

#[test]
fn b03_a_whole_store_copied_to_a_client_with_other_keys_does_not_play() {
    let mut from = Device::new(1);
    from.acquire(&[simple(1)]).unwrap();
    let stranger = Device::new(2);
    // Even with the store's key: the licenses are wrapped to the first client's key.
    let mut copied = open(&from.storage.copy());
    let found = permit(&mut copied, &stranger.identity, &[KEY_ID], &Now::UNSET, &mut SeededEntropy::new(5));
    assert_eq!(found.unwrap_err(), Error::License(admit_license::Error::KeyMaterial));
    let elsewhere = from.storage.copy();
    let other_key = Store::open(provider(), elsewhere, REALM.realm(), store_key(9), &mut SeededEntropy::new(6));
    assert!(matches!(other_key.unwrap_err(), Error::StoreTampered { .. }));
}

#[test]
fn every_write_moves_the_position() {
    let mut device = Device::new(1);
    let mut seen = vec![device.store.position()];
    device.acquire(&[counted(1, 3)]).unwrap();
    seen.push(device.store.position());
    device.play().unwrap();
    seen.push(device.store.position());
    assert!(device.delete(id(1)));
    seen.push(device.store.position());
    assert!(seen.windows(2).all(|pair| pair[0].sequence < pair[1].sequence && pair[0].head != pair[1].head));
    assert!(seen.iter().all(|position| position.epoch == seen[0].epoch));
    assert_eq!(open(&device.storage).position(), device.store.position());
}

#[test]
fn a_deleted_license_is_gone_with_its_usage() {
    let mut device = device();
    assert!(device.delete(id(1)));
    assert!(!device.delete(id(1)));
    let left: Vec<_> = device.licenses().iter().map(|license| license.terms.id).collect();
    assert_eq!(left, [id(3), id(2)], "in the order of their keys");
    assert!(device.delete(id(2)));
    assert_eq!(device.storage.keys(b"k").len(), 1, "no license, no record");
}

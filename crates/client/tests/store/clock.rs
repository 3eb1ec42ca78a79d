//! The clock's record in the store: damaged, lost, put back and deleted.

use admit_client::{Error, Store};
use admit_testkit::SeededEntropy;
use admit_time::clock::{Clock, ClockState};

use crate::fixture::{
    Device, REALM, Shared, TestStore, clock_of, open, provider, reading, set, simple, store_key, try_open,
};

const COPIES: [&[u8]; 2] = [b"c0", b"c1"];

/// A device whose clock was set and kept twice, so that there are two copies.
fn device() -> Device {
    let mut device = Device::new(1);
    let mut clock = clock_of(&device.store).unwrap();
    for (nonce, secs) in [(1, 10), (2, 20)] {
        set(&mut clock, &reading(1, secs), nonce);
        device.store.keep_clock(&mut clock, &mut device.entropy).unwrap();
    }
    device
}

fn load(storage: &Shared) -> Result<Clock, Error> {
    clock_of(&try_open(storage)?)
}

fn flip(storage: &Shared, key: &[u8]) {
    let mut bytes = storage.all().into_iter().find(|(found, _)| found == key).unwrap().1;
    *bytes.last_mut().unwrap() ^= 1;
    storage.put(key, &bytes);
}

#[test]
fn a_clock_that_was_never_set_leaves_nothing_in_the_store() {
    let device = Device::new(1);
    let mut clock = clock_of(&device.store).unwrap();
    assert_eq!(clock.observe(&reading(1, 5), &mut Vec::new()).state(), ClockState::Unset);
    assert!(!clock.needs_saving());
    assert!(device.storage.keys(b"c").is_empty());
}

#[test]
fn a_clock_that_was_kept_goes_on_in_another_process() {
    let device = device();
    let mut clock = load(&device.storage).unwrap();
    let now = clock.observe(&reading(1, 30), &mut Vec::new());
    assert_eq!(now.state(), ClockState::Trusted);
    assert_eq!(now.time().unwrap().latest().unix_secs(), REALM.now.unix_secs() + 30 + 3 + 1);
    assert_eq!(clock.record().sequence, 2, "the newer copy counts");
}

#[test]
fn one_damaged_copy_leaves_the_other_which_is_at_most_estimated() {
    for damaged in COPIES {
        let device = device();
        flip(&device.storage, damaged);
        let mut clock = load(&device.storage).unwrap();
        assert_eq!(clock.observe(&reading(1, 30), &mut Vec::new()).state(), ClockState::Estimated);
        assert_eq!(clock.record().faults, 1);
        assert!(clock.needs_saving());
    }
}

#[test]
fn a_copy_that_was_taken_away_or_put_back_is_a_damaged_one() {
    let device = device();
    let older = device.storage.all();
    let mut store = open(&device.storage);
    let mut clock = clock_of(&store).unwrap();
    for (nonce, secs) in [(3, 30), (4, 40)] {
        set(&mut clock, &reading(1, secs), nonce);
        store.keep_clock(&mut clock, &mut SeededEntropy::new(5)).unwrap();
    }
    for key in COPIES {
        let taken = device.storage.copy();
        taken.delete(key);
        assert_eq!(load(&taken).unwrap().record().faults, 1);
        let put_back = device.storage.copy();
        put_back.put(key, &older.iter().find(|(found, _)| found == key).unwrap().1);
        assert_eq!(load(&put_back).unwrap().record().faults, 1);
    }
}

#[test]
fn two_damaged_copies_are_an_altered_store_and_never_an_unset_clock() {
    let device = device();
    for key in COPIES {
        flip(&device.storage, key);
    }
    assert!(matches!(load(&device.storage), Err(Error::StoreTampered { .. })));
    for key in COPIES {
        device.storage.delete(key);
    }
    assert!(matches!(load(&device.storage), Err(Error::StoreTampered { .. })), "nor are two that are gone");
}

#[test]
fn the_only_copy_damaged_is_an_altered_store() {
    let mut device = Device::new(1);
    set_and_keep(&mut device.store);
    flip(&device.storage, COPIES[1]);
    assert!(matches!(load(&device.storage), Err(Error::StoreTampered { .. })));
}

#[test]
fn a_damaged_copy_is_replaced_by_the_next_that_is_kept_in_its_place() {
    let device = device();
    flip(&device.storage, COPIES[0]);
    let mut store = open(&device.storage);
    let mut clock = clock_of(&store).unwrap();
    let entropy = &mut SeededEntropy::new(5);
    store.keep_clock(&mut clock, entropy).unwrap();
    assert_eq!(load(&device.storage).unwrap().record(), clock.record(), "no second fault");
}

#[test]
fn what_was_cut_while_it_was_kept_has_not_happened() {
    let mut device = device();
    let mut clock = clock_of(&device.store).unwrap();
    let before = clock.record().clone();
    device.storage.cut_after(Some(0), false);
    assert!(device.store.keep_clock(&mut clock, &mut device.entropy).is_err());
    device.restart();
    assert_eq!(*clock_of(&device.store).unwrap().record(), before);
}

/// Deleting the store sets no clock back: its licenses go with it, and their records count for nothing in another store.
#[test]
fn licenses_of_a_deleted_store_are_void_in_the_next_one() {
    let mut device = device();
    device.acquire(&[simple(1)]).unwrap();
    let license = device.storage.all().into_iter().find(|(key, _)| key.starts_with(b"k")).unwrap();
    let storage = Shared::default();
    let entropy = &mut SeededEntropy::new(99);
    let mut next = Store::open(provider(), storage.clone(), REALM.realm(), store_key(1), entropy).unwrap();
    assert_ne!(next.position().epoch, device.store.position().epoch);
    set_and_keep(&mut next);
    storage.put(&license.0, &license.1);
    assert_eq!(open(&storage).licenses().unwrap(), []);
    for key in COPIES {
        let kept = device.storage.all().into_iter().find(|(found, _)| found == key).unwrap();
        storage.put(key, &kept.1);
    }
    assert!(matches!(load(&storage), Err(Error::StoreTampered { .. })));
}

fn set_and_keep(store: &mut TestStore) {
    let mut clock = clock_of(store).unwrap();
    set(&mut clock, &reading(1, 10), 1);
    store.keep_clock(&mut clock, &mut SeededEntropy::new(5)).unwrap();
}

//! Two processes with one store: nobody's write is lost, and no count is used twice.

use admit_client::play::Candidates;
use admit_client::{Error, StorageError};
use admit_license::Action;
use admit_testkit::SeededEntropy;

use admit_time::clock::Now;

use crate::fixture::*;

#[test]
fn the_second_of_two_writers_is_told_and_can_try_again() {
    let mut device = Device::new(1);
    device.acquire(&[counted(1, 3)]).unwrap();
    let mut other = open(&device.storage);
    device.play().unwrap();
    // The other process looked before the first one played: its grant is as old as its position.
    let entropy = &mut SeededEntropy::new(70);
    let conflict = permit(&mut other, &device.identity, &[KEY_ID], &Now::UNSET, entropy).unwrap_err();
    assert_eq!(conflict, Error::Storage(StorageError::Conflict));
    other.refresh().unwrap();
    drop(permit(&mut other, &device.identity, &[KEY_ID], &Now::UNSET, entropy).unwrap());
    assert_eq!(other.licenses().unwrap()[0].usage.used[0], 2);
    assert_eq!(device.store.licenses().unwrap_err(), conflict, "the first one now is the one that is behind");
    device.store.refresh().unwrap();
    assert_eq!(device.usage().used[0], 2, "both see the same");
}

#[test]
fn two_processes_cannot_reserve_the_last_use_twice() {
    let mut device = Device::new(1);
    device.acquire(&[counted(1, 1)]).unwrap();
    let mut other = open(&device.storage);
    let environment = environment(&device.identity);
    let mine = Candidates::find(&device.store, &[KEY_ID]).unwrap();
    let theirs = Candidates::find(&other, &[KEY_ID]).unwrap();
    let grants = mine.evaluate(Action::Play, &environment).unwrap();
    drop(device.store.reserve(grants, &mut device.entropy).unwrap());
    for refreshed in [false, true] {
        if refreshed {
            other.refresh().unwrap();
        }
        let grants = theirs.evaluate(Action::Play, &environment).unwrap();
        let refused = other.reserve(grants, &mut SeededEntropy::new(70)).unwrap_err();
        let expected = if refreshed { Error::GrantOutdated } else { Error::Storage(StorageError::Conflict) };
        assert_eq!(refused, expected);
    }
    assert_eq!(device.usage().used[0], 1);
    assert!(!may_play(&other, &device.identity));
}

#[test]
fn two_processes_that_begin_a_store_do_not_both_make_it() {
    let storage = Shared::default();
    let mut one = Device::new(1);
    one.storage = storage.clone();
    one.store = open(&storage);
    let mut two = open(&storage);
    one.acquire(&[simple(1)]).unwrap();
    let refused = two.delete_all(&[(KEY_ID, id(1))], &mut SeededEntropy::new(70)).unwrap_err();
    assert_eq!(refused, Error::Storage(StorageError::Conflict));
    two.refresh().unwrap();
    assert!(two.delete_all(&[(KEY_ID, id(1))], &mut SeededEntropy::new(70)).unwrap());
}

#[test]
fn refreshing_does_not_accept_an_older_store() {
    let mut device = Device::new(1);
    device.acquire(&[counted(1, 3)]).unwrap();
    let before = device.storage.copy();
    device.play().unwrap();
    for (key, value) in before.all() {
        device.storage.put(&key, &value);
    }
    assert_eq!(device.store.refresh().unwrap_err(), Error::StoreTampered { record: "70".into() });
    device.storage.delete(b"p");
    assert_eq!(device.store.refresh().unwrap_err(), Error::StoreIncomplete);
}

#[test]
fn deleting_takes_the_license_of_the_key_that_is_named_and_no_other_of_that_id() {
    let mut device = Device::new(1);
    device.acquire(&[simple(1), of_own_key(simple(1))]).unwrap();
    assert!(device.store.delete_all(&[(KEY_ID, id(1))], &mut device.entropy).unwrap());
    let left: Vec<_> = device.licenses().iter().map(|license| license.terms.key_id).collect();
    assert_eq!(left, [own_key(id(1))]);
    device.acquire(&[simple(1)]).unwrap();
    assert!(device.delete(id(1)));
    assert!(device.licenses().is_empty() && !device.delete(id(1)));
}

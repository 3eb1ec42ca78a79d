//! Rows of the storage put back from an older copy, or taken away: any of them is noticed, short of all of them.

use std::collections::BTreeSet;

use admit_client::Error;
use admit_crypto::Digest;
use admit_protocol::Code;
use admit_protocol::acquire::StorePosition;
use admit_testkit::SeededEntropy;

use admit_time::clock::Now;

use crate::fixture::*;

/// A record's key and what it held, if it was there.
type Row = (Vec<u8>, Option<Vec<u8>>);

/// What a user does between two copies.
type Step = fn(&mut Device);

const STEPS: [(&str, Step); 7] = [
    ("a play", |device| device.play().unwrap()),
    ("a play that was cut", |device| drop(device.permit(&[KEY_ID]).unwrap())),
    ("a play of the one-time license", |device| {
        device.acquire(&[one_time(4)]).unwrap();
        assert!(device.delete(id(1)));
        device.play().unwrap();
    }),
    ("a deleted license", |device| assert!(device.delete(id(1)))),
    ("another license", |device| device.acquire(&[simple(3)]).unwrap()),
    ("a reservation that came back", |device| assert_eq!(device.restart(), 1)),
    ("many licenses", |device| device.acquire(&many()).unwrap()),
];

fn many() -> Vec<admit_license::Terms> {
    (10..18).map(|number| of_own_key(simple(number))).collect()
}

/// A device with a counted license, and a reservation left by a crash.
fn device() -> Device {
    let mut device = Device::new(1);
    device.acquire(&[counted(1, 9)]).unwrap();
    drop(device.permit(&[KEY_ID]).unwrap());
    device
}

/// The rows that differ, as they are in `older`.
fn changed(older: &Shared, newer: &Shared) -> Vec<Row> {
    let rows = |storage: &Shared| storage.all().into_iter().collect::<BTreeSet<_>>();
    let (before, after) = (rows(older), rows(newer));
    let keys: BTreeSet<_> = before.symmetric_difference(&after).map(|(key, _)| key.clone()).collect();
    keys.into_iter().map(|key| (key.clone(), row(older, &key))).collect()
}

fn row(storage: &Shared, key: &[u8]) -> Option<Vec<u8>> {
    storage.all().into_iter().find_map(|(found, value)| (found == key).then_some(value))
}

fn put_back(storage: &Shared, (key, value): &Row) {
    match value {
        Some(value) => storage.put(key, value),
        None => storage.delete(key),
    }
}

fn is_noticed(error: &Error) -> bool {
    Code::from(error) == Code::ADMIT_E_STORE_TAMPERED
}

#[test]
fn any_rows_put_back_are_noticed() {
    for (name, step) in STEPS {
        let mut device = device();
        let older = device.storage.copy();
        step(&mut device);
        let rows = changed(&older, &device.storage);
        let subsets = 1_usize << rows.len().min(6);
        assert!(subsets >= 4, "{name}");
        // All subsets of up to six rows; of more rows, all subsets of six, alone and with all the others.
        for (mask, others) in (1..subsets - 1).flat_map(|mask| [(mask, false), (mask, true)]) {
            if others && rows.len() <= 6 {
                continue;
            }
            let chosen = |at: usize| if at < 6 { mask >> at & 1 == 1 } else { others };
            let (subset, rest): (Vec<_>, Vec<_>) = rows.iter().enumerate().partition(|(at, _)| chosen(*at));
            let storage = device.storage.copy();
            subset.iter().for_each(|(_, row)| put_back(&storage, row));
            // Nothing refers to the record of a key that no license is for yet, until content names that key.
            let is_unread = |key: &[u8]| key[0] == b'k' && !key.ends_with(KEY_ID.as_bytes());
            let unread = |rows: &[(usize, &Row)]| rows.iter().all(|(_, (key, _))| is_unread(key));
            match read_all(&storage) {
                Err(error) => assert!(is_noticed(&error), "{name}: {error}"),
                Ok(licenses) => assert!(unread(&rest) && licenses == read_all(&older.copy()).unwrap(), "{name}"),
            }
        }
    }
}

#[test]
fn rows_of_several_ages_do_not_go_together() {
    let mut device = device();
    device.restart();
    let mut ages = vec![device.storage.copy()];
    for _ in 0..2 {
        device.play().unwrap();
        ages.push(device.storage.copy());
    }
    let keys: Vec<_> = changed(&ages[0], &ages[2]).into_iter().map(|(key, _)| key).collect();
    let kinds: Vec<_> = keys.iter().map(|key| key[0]).collect();
    assert_eq!(kinds, b"knp");
    for mix in 0..27 {
        let of = [mix % 3, mix / 3 % 3, mix / 9];
        let storage = device.storage.copy();
        for (key, age) in keys.iter().zip(of) {
            storage.put(key, &row(&ages[age], key).unwrap());
        }
        match read_all(&storage) {
            // Everything of one age is that older store: nothing on this machine can tell.
            Ok(licenses) => assert!(of == [of[0]; 3] && licenses[0].usage.used[0] == u32::try_from(of[0]).unwrap()),
            Err(error) => assert!(of != [of[0]; 3] && is_noticed(&error), "{of:?}: {error}"),
        }
    }
}

#[test]
fn a_use_that_was_put_back_is_not_had_again() {
    let mut device = Device::new(1);
    device.acquire(&[counted(1, 1)]).unwrap();
    let license = device.storage.keys(b"k").remove(0);
    let unused = row(&device.storage, &license).unwrap();
    device.play().unwrap();
    device.storage.put(&license, &unused);
    device.store = open(&device.storage);
    let refused =
        permit(&mut device.store, &device.identity, &[KEY_ID], &Now::UNSET, &mut SeededEntropy::new(5)).unwrap_err();
    assert!(is_noticed(&refused), "{refused}");
}

#[test]
fn any_rows_taken_away_are_noticed() {
    let device = device();
    let keys = device.storage.keys(b"");
    assert_eq!(keys.len(), 5);
    for mask in 1_usize..(1 << keys.len()) - 1 {
        let storage = device.storage.copy();
        keys.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1).for_each(|(_, key)| storage.delete(key));
        assert!(is_noticed(&read_all(&storage).unwrap_err()));
    }
}

#[test]
fn in_a_store_of_many_records_each_row_put_back_or_taken_away_is_noticed() {
    let mut device = device();
    device.acquire(&(10..60).map(|number| of_own_key(counted(number, 2))).collect::<Vec<_>>()).unwrap();
    let older = device.storage.copy();
    device.play().unwrap();
    let rows = changed(&older, &device.storage);
    assert!(rows.iter().filter(|(key, _)| key[0] == b'n').count() > 1, "the tree has branches");
    for row in &rows {
        let storage = device.storage.copy();
        put_back(&storage, row);
        assert!(is_noticed(&read_all(&storage).unwrap_err()), "{row:?}");
    }
    for key in device.storage.keys(b"") {
        let storage = device.storage.copy();
        storage.delete(&key);
        assert!(is_noticed(&read_all(&storage).unwrap_err()), "{key:?}");
    }
}

/// What a service says that has seen this state of the store.
fn told(device: &mut Device, seen: StorePosition) -> Result<(bool, bool), Error> {
    let acquisition = device.begin();
    let response = answer_with(acquisition.request(), Vec::new(), Some(seen));
    let received = device.receive(acquisition, &response)?;
    let said = (received.was_overtaken(), received.is_of_older(&device.store));
    received.store(&device.identity, &mut device.store, &mut device.clock, &Now::UNSET, &mut device.entropy)?;
    Ok(said)
}

#[test]
fn a_store_that_is_older_than_what_the_service_has_seen_stores_nothing_more() {
    let mut device = device();
    let older = device.storage.copy();
    device.play().unwrap();
    let seen = device.store.position();
    assert_eq!(told(&mut device, seen), Ok((true, false)), "only the challenge was older");
    let forked = StorePosition { head: Digest::from_bytes([9; 32]), ..seen };
    let mut copy = Device::of(older, *REALM.time[0].certificate.time_key().unwrap());
    assert_eq!(told(&mut copy, seen), Err(Error::StoreRolledBack));
    assert_eq!(Code::from(&Error::StoreRolledBack), Code::ADMIT_E_STORE_ROLLED_BACK);
    let now = device.store.position();
    let forked = StorePosition { sequence: now.sequence, ..forked };
    assert_eq!(told(&mut device, forked), Err(Error::StoreRolledBack), "two copies went on");
    let other = StorePosition { epoch: [7; 16].into(), sequence: u64::MAX, ..seen };
    assert_eq!(told(&mut device, other), Ok((true, false)), "another store");
}

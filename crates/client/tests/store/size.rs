//! What is read and written does not grow with the number of licenses, but for the levels of the tree.

use admit_client::{Change, Error, StorageError};

use crate::fixture::*;

/// Records read, and how many of them were nodes of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reads {
    records: usize,
    nodes: usize,
}

/// A device with so many licenses, each for a key of its own, and two for `KEY_ID`.
fn device(licenses: u8) -> Device {
    let mut device = Device::new(1);
    device.acquire(&[counted(1, 3), one_time(2)]).unwrap();
    let numbers: Vec<u8> = (100..100 + licenses).collect();
    for some in numbers.chunks(32) {
        device.acquire(&some.iter().map(|&number| of_own_key(simple(number))).collect::<Vec<_>>()).unwrap();
    }
    device
}

fn reads(device: &mut Device, step: impl FnOnce(&mut Device)) -> Reads {
    device.storage.reads.borrow_mut().clear();
    step(device);
    let reads = device.storage.reads.borrow();
    let nodes = reads.iter().filter(|key| key.starts_with(b"n")).count();
    Reads { records: reads.len() - nodes, nodes }
}

/// Opening, finding, playing a counted and a one-time license, acquiring.
fn steps(licenses: u8) -> Vec<Reads> {
    let mut device = device(licenses);
    let open_again = |device: &mut Device| device.store = open(&device.storage);
    let give_back = |device: &mut Device| assert_eq!(device.restart(), 0);
    vec![
        reads(&mut device, open_again),
        reads(&mut device, give_back),
        reads(&mut device, |device| assert_eq!(device.store.held(&KEY_ID).unwrap().len(), 2)),
        reads(&mut device, |device| device.play().unwrap()),
        reads(&mut device, |device| device.play().unwrap()),
        reads(&mut device, |device| device.acquire(&[simple(3)]).unwrap()),
    ]
}

#[test]
fn a_store_of_many_licenses_reads_no_more_than_a_small_one() {
    let (few, many) = (steps(0), steps(150));
    for (few, many) in few.into_iter().zip(many) {
        assert_eq!(few.records, many.records);
        assert!(many.records <= 10, "{many:?}");
        // One level or two, and what is changed together parts on its way down.
        assert!(many.nodes <= 4 * few.nodes, "{few:?} {many:?}");
    }
}

#[test]
fn what_was_found_is_found_again_with_one_node_and_one_record() {
    let mut device = device(150);
    let find = |device: &mut Device| assert_eq!(device.store.held(&KEY_ID).unwrap().len(), 2);
    assert_eq!(reads(&mut device, find), Reads { records: 1, nodes: 1 }, "what was written is known");
    device.store = open(&device.storage);
    assert_eq!(reads(&mut device, find), Reads { records: 1, nodes: 2 });
    assert_eq!(reads(&mut device, find), Reads { records: 1, nodes: 1 });
}

#[test]
fn a_license_whose_key_is_known_is_shown_and_deleted_without_looking_through_the_others() {
    let mut device = device(150);
    let key = own_key(id(120));
    let show = |device: &mut Device| {
        let found = device.store.licenses_for(&key).unwrap();
        assert_eq!(found, device.licenses().into_iter().filter(|it| it.terms.id == id(120)).collect::<Vec<_>>());
    };
    show(&mut device);
    let found = |device: &mut Device| assert_eq!(device.store.licenses_for(&key).unwrap().len(), 1);
    assert_eq!(reads(&mut device, found), Reads { records: 1, nodes: 1 });
    let delete =
        |device: &mut Device| assert!(device.store.delete_all(&[(key, id(120))], &mut device.entropy).unwrap());
    let Reads { records, nodes } = reads(&mut device, delete);
    assert!(records <= 2 && nodes <= 4, "{records} records, {nodes} nodes");
    assert!(device.store.licenses_for(&key).unwrap().is_empty());
    assert_eq!(device.licenses().len(), 151);
    assert!(!device.store.delete_all(&[(key, id(120))], &mut device.entropy).unwrap());
    assert_eq!(device.store.find(|other| other == id(121)).unwrap().len(), 1);
    let all = |device: &mut Device| assert_eq!(device.store.find(|other| other == id(121)).unwrap().len(), 1);
    assert!(reads(&mut device, all).records > 150, "who has the id alone looks through all");
}

#[test]
fn a_branch_in_memory_is_not_believed_once_another_process_wrote() {
    let mut device = device(150);
    let mut other = open(&device.storage);
    assert_eq!(other.held(&KEY_ID).unwrap()[0].usage.used[0], 0);
    device.play().unwrap();
    let conflict = Error::Storage(StorageError::Conflict);
    assert_eq!(other.held(&KEY_ID).unwrap_err(), conflict, "it knows the branch as it was");
    other.refresh().unwrap();
    assert_eq!(other.held(&KEY_ID).unwrap()[0].usage.used[0], 1);
    // What was put back does not fit the branch that is in memory either.
    let older = device.storage.copy();
    device.play().unwrap();
    older.all().into_iter().filter(|(key, _)| key[0] != b'p').for_each(|(key, value)| device.storage.put(&key, &value));
    assert!(matches!(device.store.held(&KEY_ID).unwrap_err(), Error::StoreTampered { .. }));
}

#[test]
fn a_new_store_is_known_to_be_new_without_reading_records() {
    let storage = Shared::default();
    drop(open(&storage));
    assert_eq!(*storage.reads.borrow(), [b"p"]);
    storage.put(b"x", b"left over");
    assert_eq!(try_open(&storage).unwrap_err(), Error::StoreIncomplete);
}

#[test]
fn the_tree_follows_records_that_come_and_go() {
    let mut device = device(40);
    assert_eq!(device.licenses().len(), 42);
    for number in 100..140 {
        assert!(device.delete(id(number)));
        assert!(!device.delete(id(number)));
        assert!(device.store.held(&own_key(id(number))).unwrap().is_empty());
    }
    let left: Vec<_> = device.licenses().iter().map(|license| license.terms.id).collect();
    assert_eq!(left, [id(1), id(2)]);
    assert_eq!(read_all(&device.storage).unwrap().len(), 2);
    assert!(!device.delete(id(100)));
    let key = [b"k", own_key(id(100)).as_bytes().as_slice()].concat();
    device.storage.alter(Change::Put { key, value: vec![1] });
    let found = device.store.held(&own_key(id(100)));
    assert!(matches!(found.unwrap_err(), Error::StoreTampered { .. }), "somebody put a record where none is");
}

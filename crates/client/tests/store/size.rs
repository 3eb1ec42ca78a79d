//! What is read and written does not grow with the number of licenses, but for the levels of the tree.

use admit_client::Change;
use admit_license::{KeyId, Terms};
use admit_testkit::SeededEntropy;

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
    let of_other_key = |number| Terms { key_id: KeyId::from_bytes([number; 16]), ..simple(number) };
    let numbers: Vec<u8> = (100..100 + licenses).collect();
    for some in numbers.chunks(32) {
        device.acquire(&some.iter().map(|&number| of_other_key(number)).collect::<Vec<_>>()).unwrap();
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

/// Opening, finding, playing a counted and a one-time license, deleting.
fn steps(licenses: u8) -> Vec<Reads> {
    let mut device = device(licenses);
    let open_again = |device: &mut Device| device.store = open(&device.storage);
    let give_back = |device: &mut Device| assert_eq!(device.restart(), 0);
    vec![
        reads(&mut device, open_again),
        reads(&mut device, give_back),
        reads(&mut device, |device| assert_eq!(device.store.held(&KEY_ID).unwrap().len(), 2)),
        reads(&mut device, |device| assert!(device.store.license(id(1)).unwrap().is_some())),
        reads(&mut device, |device| device.play().unwrap()),
        reads(&mut device, |device| assert!(device.store.delete(id(1), &mut device.entropy).unwrap())),
        reads(&mut device, |device| device.play().unwrap()),
        reads(&mut device, |device| device.acquire(&[simple(3)]).unwrap()),
    ]
}

#[test]
fn a_store_of_many_licenses_reads_no_more_than_a_small_one() {
    let (few, many) = (steps(0), steps(150));
    for (few, many) in few.into_iter().zip(many) {
        assert_eq!(few.records, many.records);
        assert!(many.records <= 40, "{many:?}");
        // One level or three, and what is changed together parts on its way down.
        assert!(many.nodes <= 4 * few.nodes, "{few:?} {many:?}");
    }
}

#[test]
fn a_new_store_is_known_to_be_new_without_reading_records() {
    let storage = Shared::default();
    drop(open(&storage));
    assert_eq!(*storage.reads.borrow(), [b"p"]);
    storage.put(b"x", b"left over");
    assert_eq!(try_open(&storage).unwrap_err(), admit_client::Error::StoreIncomplete);
}

#[test]
fn the_tree_follows_records_that_come_and_go() {
    let mut device = device(40);
    assert_eq!(device.licenses().len(), 42);
    for number in 100..140 {
        assert!(device.store.delete(id(number), &mut device.entropy).unwrap());
        assert!(device.store.license(id(number)).unwrap().is_none());
    }
    let left: Vec<_> = device.licenses().iter().map(|license| license.terms.id).collect();
    assert_eq!(left, [id(1), id(2)]);
    assert_eq!(read_all(&device.storage).unwrap().len(), 2);
    let entropy = &mut SeededEntropy::new(3);
    assert!(!device.store.delete(id(100), entropy).unwrap());
    device.storage.alter(Change::Put { key: [b"l", id(100).as_bytes().as_slice()].concat(), value: vec![1] });
    assert!(device.store.delete(id(100), entropy).is_err(), "somebody put a record where none is");
}

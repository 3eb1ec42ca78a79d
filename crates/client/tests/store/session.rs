//! Licenses that may not be kept: they, their usage and their reservations never reach the storage.

use admit_license::{KeyId, Terms};

use crate::fixture::*;

#[test]
fn a_license_of_the_session_plays_and_leaves_no_trace() {
    let mut device = Device::new(1);
    let before = device.storage.all();
    device.acquire(&[of_session(counted(1, 2)), of_session(one_time(2))]).unwrap();
    assert_eq!(device.licenses().len(), 2);
    for _ in 0..3 {
        device.play().unwrap();
    }
    drop(device.permit_if_granted());
    assert_eq!(device.storage.all(), before, "not one record was written");
    assert!(!may_play(&device.store, &device.identity), "and the counts hold");
}

impl Device {
    fn permit_if_granted(&mut self) -> Option<admit_client::Permit> {
        may_play(&self.store, &self.identity).then(|| self.permit(&[KEY_ID]).unwrap())
    }
}

#[test]
fn the_session_ends_with_the_program() {
    let mut device = Device::new(1);
    device.acquire(&[of_session(simple(1)), simple(2)]).unwrap();
    assert_eq!(device.licenses().len(), 2);
    device.restart();
    let left: Vec<_> = device.licenses().iter().map(|license| license.terms.id).collect();
    assert_eq!(left, [id(2)]);
}

#[test]
fn b09_a_one_time_license_of_the_session_is_used_once() {
    let mut device = Device::new(1);
    device.acquire(&[of_session(one_time(1))]).unwrap();
    device.play().unwrap();
    assert!(device.licenses().is_empty());
}

#[test]
fn a_leaf_of_the_session_charges_its_kept_root_in_the_storage() {
    let mut device = Device::new(1);
    let counted = |terms| Terms { play_count: Some(5), ..terms };
    device.acquire(&[of_session(counted(leaf(1, KEY_ID))), counted(root(2))]).unwrap();
    drop(device.permit(&[KEY_ID]).unwrap());
    assert_eq!(device.storage.keys(b"r").len(), 1);
    let keys: Vec<_> = device.storage.all().into_iter().map(|(key, _)| key).collect();
    assert!(!keys.iter().any(|key| key.ends_with(id(1).as_bytes())), "nothing of the leaf");
    // The session is lost with the program; the root's use comes back.
    assert_eq!(device.restart(), 1);
    assert_eq!(device.usage().used[0], 0);
}

#[test]
fn a_kept_leaf_charges_its_root_of_the_session_in_the_session() {
    let mut device = Device::new(1);
    let counted = |terms| Terms { play_count: Some(5), ..terms };
    device.acquire(&[counted(leaf(1, KEY_ID)), of_session(counted(root(2)))]).unwrap();
    device.play().unwrap();
    let used: Vec<_> = device.licenses().iter().map(|license| (license.terms.id, license.usage.used[0])).collect();
    assert_eq!(used, [(id(1), 1), (id(2), 1)]);
    device.restart();
    assert_eq!(device.usage().used[0], 1);
}

#[test]
fn a_license_of_the_session_can_be_deleted() {
    let mut device = Device::new(1);
    device.acquire(&[of_session(simple(1))]).unwrap();
    let before = device.storage.all();
    assert!(device.delete(id(1)));
    assert!(device.licenses().is_empty());
    assert_eq!(device.storage.all(), before);
}

#[test]
fn other_keys_are_not_held() {
    let mut device = Device::new(1);
    device.acquire(&[of_session(simple(1))]).unwrap();
    assert!(device.store.held(&KeyId::from_bytes([9; 16])).unwrap().is_empty());
}

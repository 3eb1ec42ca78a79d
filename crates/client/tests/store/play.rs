//! Reserving, charging and giving back.

use std::time::Duration;

use admit_client::play::Candidates;
use admit_client::{Error, Host, Permit, PlaybackError};
use admit_license::{Action, Environment, KeyId, Reason, Rights, Terms, Usage};
use admit_testkit::now_at;
use admit_time::clock::Now;

use crate::fixture::*;

#[test]
fn a_permit_opens_the_samples_of_its_key() {
    let mut device = Device::new(1);
    device.acquire(&[simple(1)]).unwrap();
    let permit = device.permit(&[KEY_ID]).unwrap();
    assert_eq!(permit.action(), Action::Play);
    let playback = permit.release_first_sample(&mut device.store, &mut device.entropy).unwrap();
    let protected = std::fs::read(PROTECTED_CLIP).unwrap();
    let mut clear = Vec::new();
    let input = std::io::Cursor::new(&protected);
    playback.decrypt(input, &mut admit_media::WriteSink::new(&mut clear), &mut || Now::UNSET, &mut |_, _| ()).unwrap();
    let mut expected = Vec::new();
    let mut key = |key_id: &KeyId| {
        assert_eq!(*key_id, KEY_ID);
        Some((provider().aes_128_ctr)(&admit_crypto::ContentKey::from_bytes(CONTENT_KEY)))
    };
    let input = std::io::Cursor::new(&protected);
    admit_media::decrypt(input, &mut admit_media::WriteSink::new(&mut expected), &mut key, &mut |_, _| ()).unwrap();
    assert_eq!(clear, expected);
    assert_ne!(clear, protected);
}

#[test]
fn b05_a_permit_to_save_opens_nothing_and_one_to_play_copies_nothing() {
    let mut device = Device::new(1);
    device.acquire(&[Terms { rights: Rights::PLAY | Rights::SAVE_STREAM, ..simple(1) }]).unwrap();
    let environment = environment(&device.identity);
    let candidates = Candidates::find(&device.store, &[KEY_ID]).unwrap();
    let mut permit = |action| {
        let grants = candidates.evaluate(action, &environment).unwrap();
        admit_client::play::permit(&mut device.store, &device.identity, grants, &mut device.entropy).unwrap()
    };
    let (saving, playing) = (permit(Action::SaveStream), permit(Action::Play));
    let refused = saving.release_first_sample(&mut device.store, &mut device.entropy).unwrap_err();
    assert_eq!(refused, Error::WrongAction { action: Action::SaveStream });
    let refused = playing.copy_protected(&mut device.store, &mut device.entropy).unwrap_err();
    assert_eq!(refused, Error::WrongAction { action: Action::Play });
}

#[test]
fn b09_media_that_cannot_be_opened_costs_nothing() {
    let mut device = Device::new(1);
    device.acquire(&[counted(1, 1), Terms { key_id: KeyId::from_bytes([7; 16]), ..counted(2, 1) }]).unwrap();
    let whole = std::fs::read(PROTECTED_CLIP).unwrap();
    let mut tries = |key_id: KeyId, media: &[u8]| {
        let permit = device.permit(&[key_id]).unwrap();
        let mut clear = Vec::new();
        let played = permit.decrypt(
            &mut device.store,
            &mut device.entropy,
            std::io::Cursor::new(media),
            &mut admit_media::WriteSink::new(&mut clear),
            Host {
                released: &mut || (),
                clock: &mut device.clock,
                read: &mut || reading(1, 0),
                events: &mut Vec::new(),
                progress: &mut |_, _| (),
            },
        );
        device.restart();
        let used: Vec<_> = device.licenses().iter().map(|license| license.usage.used[0]).collect();
        (played.is_ok(), !clear.is_empty(), used)
    };
    assert_eq!(tries(KeyId::from_bytes([7; 16]), &whole), (false, false, vec![0, 0]), "protected by another key");
    assert_eq!(tries(KEY_ID, &whole[..100]), (false, false, vec![0, 0]), "cut within its head");
    assert_eq!(tries(KEY_ID, b"not media"), (false, false, vec![0, 0]), "no media at all");
    let (played, left, used) = tries(KEY_ID, &whole);
    assert!(played && left && used.iter().sum::<u32>() == 1, "{used:?}");
}

#[test]
fn a_permit_for_other_keys_opens_nothing() {
    let mut device = Device::new(1);
    device.acquire(&[Terms { key_id: KeyId::from_bytes([7; 16]), ..simple(1) }]).unwrap();
    let permit = device.permit(&[KeyId::from_bytes([7; 16])]).unwrap();
    let playback = permit.release_first_sample(&mut device.store, &mut device.entropy).unwrap();
    let input = std::fs::File::open(PROTECTED_CLIP).unwrap();
    let mut nothing = Vec::new();
    let refused =
        playback.decrypt(input, &mut admit_media::WriteSink::new(&mut nothing), &mut || Now::UNSET, &mut |_, _| ());
    let refused = refused.unwrap_err();
    assert!(matches!(refused, PlaybackError::Media(admit_media::Error::NoKey { .. })), "{refused}");
    assert!(nothing.is_empty());
}

#[test]
fn an_uncounted_license_costs_no_write() {
    let mut device = Device::new(1);
    device.acquire(&[simple(1)]).unwrap();
    let before = device.store.position();
    device.play().unwrap();
    assert_eq!(device.store.position(), before);
}

#[test]
fn a_reservation_that_was_not_charged_comes_back() {
    let mut device = Device::new(1);
    device.acquire(&[counted(1, 2)]).unwrap();
    let before = device.usage();
    drop(device.permit(&[KEY_ID]).unwrap());
    assert_eq!(device.usage().used[0], 1, "reserved counts as used");
    assert_eq!(device.restart(), 1);
    assert_eq!(device.usage(), before);
    assert_eq!(device.restart(), 0);
}

#[test]
fn a_reservation_that_was_charged_does_not() {
    let mut device = Device::new(1);
    device.acquire(&[counted(1, 2)]).unwrap();
    device.play().unwrap();
    assert_eq!(device.restart(), 0);
    assert_eq!(device.usage().used[0], 1);
    device.play().unwrap();
    assert!(!may_play(&device.store, &device.identity));
    device.restart();
    assert!(!may_play(&device.store, &device.identity));
}

#[test]
fn b09_a_one_time_license_is_gone_with_its_first_sample() {
    let mut device = Device::new(1);
    device.acquire(&[one_time(1)]).unwrap();
    let permit = device.permit(&[KEY_ID]).unwrap();
    assert!(!may_play(&device.store, &device.identity), "reserved");
    assert_eq!(device.licenses().len(), 1, "and still here");
    permit.release_first_sample(&mut device.store, &mut device.entropy).unwrap();
    assert!(device.licenses().is_empty());
    assert_eq!(device.storage.keys(b"k").len() + device.storage.keys(b"r").len(), 0);
}

#[test]
fn b09_a_one_time_license_that_released_nothing_can_be_used() {
    let mut device = Device::new(1);
    device.acquire(&[one_time(1)]).unwrap();
    drop(device.permit(&[KEY_ID]).unwrap());
    assert_eq!(device.restart(), 1);
    assert_eq!(device.usage(), Usage::default());
    device.play().unwrap();
    assert!(device.licenses().is_empty());
}

#[test]
fn two_grants_from_the_same_count_do_not_both_reserve_it() {
    let mut device = Device::new(1);
    device.acquire(&[counted(1, 1)]).unwrap();
    let environment = environment(&device.identity);
    let candidates = Candidates::find(&device.store, &[KEY_ID]).unwrap();
    let grants = || candidates.evaluate(Action::Play, &environment).unwrap();
    let (first, second) = (grants(), grants());
    assert!(device.store.reserve(first, &mut device.entropy).is_ok());
    let refused = device.store.reserve(second, &mut device.entropy).unwrap_err();
    assert_eq!(refused, Error::GrantOutdated);
    assert_eq!(device.usage().used[0], 1);
}

#[test]
fn a_grant_from_a_license_that_was_deleted_is_outdated() {
    let mut device = Device::new(1);
    device.acquire(&[counted(1, 1)]).unwrap();
    let environment = environment(&device.identity);
    let candidates = Candidates::find(&device.store, &[KEY_ID]).unwrap();
    let grants = candidates.evaluate(Action::Play, &environment).unwrap();
    device.delete(id(1));
    let refused = device.store.reserve(grants, &mut device.entropy).unwrap_err();
    assert_eq!(refused, Error::GrantOutdated);
}

#[test]
fn a_reservation_that_was_given_back_is_not_charged() {
    let mut device = Device::new(1);
    device.acquire(&[counted(1, 2)]).unwrap();
    let permit = device.permit(&[KEY_ID]).unwrap();
    device.store.return_reservations(&mut device.entropy).unwrap();
    let refused = permit.release_first_sample(&mut device.store, &mut device.entropy).unwrap_err();
    assert_eq!(refused, Error::GrantOutdated);
}

#[test]
fn d05_the_counts_of_leaf_and_root_go_down_together_and_come_back_together() {
    let mut device = Device::new(1);
    let counted = |terms| Terms { play_count: Some(2), ..terms };
    device.acquire(&[counted(leaf(1, KEY_ID)), counted(root(2))]).unwrap();
    let used = |device: &Device| device.licenses().iter().map(|it| it.usage.used[0]).collect::<Vec<_>>();
    drop(device.permit(&[KEY_ID]).unwrap());
    assert_eq!(used(&device), [1, 1]);
    device.restart();
    assert_eq!(used(&device), [0, 0]);
    device.play().unwrap();
    device.restart();
    assert_eq!(used(&device), [1, 1]);
}

#[test]
fn d05_one_play_of_several_tracks_takes_one_from_their_common_root() {
    let mut device = Device::new(1);
    let audio = KeyId::from_bytes([0x12; 16]);
    let root = Terms { play_count: Some(1), ..root(3) };
    device.acquire(&[leaf(1, KEY_ID), leaf(2, audio), root]).unwrap();
    let permit = device.permit(&[KEY_ID, audio]).unwrap();
    assert_eq!(permit.restrictions().len(), 2);
    permit.release_first_sample(&mut device.store, &mut device.entropy).unwrap();
    let root = device.licenses().into_iter().find(|license| license.terms.id == id(3)).unwrap();
    assert_eq!(root.usage.used[0], 1);
    assert!(!may_play(&device.store, &device.identity));
}

/// A play at some second after the beginning, up to the permit.
fn permit_at(device: &mut Device, seconds: u64) -> Permit {
    let now = now_at(REALM.now.saturating_add(Duration::from_secs(seconds)));
    permit(&mut device.store, &device.identity, &[KEY_ID], &now, &mut device.entropy).unwrap()
}

fn first_used_at(device: &Device) -> Option<u64> {
    device.usage().first_used_at.map(|at| at.saturating_since(REALM.now).as_secs())
}

#[test]
fn the_countdown_begins_with_a_sample_and_not_with_a_reservation() {
    let mut device = Device::new(1);
    device.set_clock();
    device.acquire(&[Terms { expiry_after_first_use_secs: Some(1000), ..simple(1) }]).unwrap();
    drop(permit_at(&mut device, 100));
    assert_eq!(first_used_at(&device), Some(103));
    device.restart();
    assert_eq!(first_used_at(&device), None);
    let permit = permit_at(&mut device, 200);
    let playback = permit.release_first_sample(&mut device.store, &mut device.entropy).unwrap();
    assert_eq!(playback.ends_at().unwrap().saturating_since(REALM.now).as_secs(), 1203);
    device.restart();
    assert_eq!(first_used_at(&device), Some(203));
    permit_at(&mut device, 300).release_first_sample(&mut device.store, &mut device.entropy).unwrap();
    assert_eq!(first_used_at(&device), Some(203), "the first use is the first");
}

#[test]
fn a_reservation_that_comes_back_does_not_undo_another_that_was_charged() {
    for charge_first in [true, false] {
        let mut device = Device::new(1);
        let terms = Terms { expiry_after_first_use_secs: Some(1000), play_count: Some(5), ..simple(1) };
        device.set_clock();
        device.acquire(&[terms]).unwrap();
        let (first, second) = (permit_at(&mut device, 100), permit_at(&mut device, 200));
        let charged = if charge_first { first } else { second };
        charged.release_first_sample(&mut device.store, &mut device.entropy).unwrap();
        assert_eq!(device.restart(), 1);
        let usage = device.usage();
        assert_eq!((usage.used[0], usage.touched), (1, true));
        assert!(first_used_at(&device).is_some(), "the countdown goes on");
    }
}

#[test]
fn several_reservations_come_back_in_any_order() {
    for seed in 0..8 {
        let mut device = Device::new(seed);
        let terms = Terms { expiry_after_first_use_secs: Some(1000), play_count: Some(5), ..simple(1) };
        device.set_clock();
        device.acquire(&[terms]).unwrap();
        for seconds in [100, 200, 300] {
            drop(permit_at(&mut device, seconds));
        }
        assert_eq!(device.restart(), 3);
        let usage = device.usage();
        assert_eq!(usage, Usage { stored_at: usage.stored_at, ..Usage::default() });
    }
}

#[test]
fn a_denial_reserves_nothing() {
    let mut device = Device::new(1);
    device.acquire(&[counted(1, 0)]).unwrap();
    let before = device.store.position();
    let candidates = Candidates::find(&device.store, &[KEY_ID]).unwrap();
    let environment: Environment<'_> = environment(&device.identity);
    assert!(candidates.evaluate(Action::Play, &environment).is_err());
    assert_eq!(device.store.position(), before);
}

#[test]
fn a_denial_tells_every_reason_of_every_key() {
    let mut device = Device::new(1);
    let (good, bad) = (KeyId::from_bytes([1; 16]), KeyId::from_bytes([2; 16]));
    let burn = Terms { rights: Rights::BACKUP_RESTORE, key_id: bad, ..simple(2) };
    let used_up = Terms { key_id: bad, ..counted(3, 0) };
    device.acquire(&[Terms { key_id: good, ..simple(1) }, burn, used_up]).unwrap();
    let candidates = Candidates::find(&device.store, &[good, KEY_ID, bad]).unwrap();
    let denied = candidates.evaluate(Action::Play, &environment(&device.identity)).unwrap_err();
    let told: Vec<_> = denied
        .iter()
        .flat_map(|(key_id, denied)| denied.refusals().iter().map(move |it| (key_id, it.license, it.reason)))
        .collect();
    let expected = [
        (KEY_ID, None, Reason::NoLicense { key_id: KEY_ID }),
        (bad, Some(id(3)), Reason::CountUsedUp { allowed: 0 }),
        (bad, Some(id(2)), Reason::NoRight { action: Action::Play }),
    ];
    assert_eq!(told, expected);
    assert_eq!(denied.first().nearest(), expected[0].2);
    let candidates = Candidates::find(&device.store, &[good]).unwrap();
    assert_eq!(candidates.evaluate(Action::Play, &environment(&device.identity)).unwrap().len(), 1);
}

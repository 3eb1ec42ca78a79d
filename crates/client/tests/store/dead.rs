//! Licenses that can never be used again go with the next write for their key, and no others do.

use admit_license::{KeyId, LicenseId, Rights, Terms};
use admit_testkit::{SeededEntropy, now_at};
use admit_time::clock::{ClockState, Now};
use core::time::Duration;

use crate::fixture::*;

fn ids(device: &Device) -> Vec<LicenseId> {
    device.licenses().into_iter().map(|license| license.terms.id).collect()
}

/// Ends ten seconds after the fixture's beginning.
fn ending(number: u8) -> Terms {
    Terms { expiry: Some(REALM.now.saturating_add(Duration::from_secs(10))), ..simple(number) }
}

/// What a clock that was just set says so many seconds after the fixture's beginning.
fn trusted(seconds: u64) -> Now {
    now_at(REALM.now.saturating_add(Duration::from_secs(seconds)))
}

/// Plays when the clock says this.
fn play_at(device: &mut Device, now: &Now) {
    let permit = permit(&mut device.store, &device.identity, &[KEY_ID], now, &mut device.entropy).unwrap();
    permit.release_first_sample(&mut device.store, &mut device.entropy).unwrap();
}

/// A device with a license that ends in ten seconds and one that counts.
fn with_ending() -> Device {
    let mut device = Device::new(1);
    device.set_clock();
    device.acquire(&[ending(1), counted(2, 9)]).unwrap();
    device
}

#[test]
fn b09_what_is_used_up_stays_until_another_license_for_its_key_comes() {
    let mut device = Device::new(1);
    device.acquire(&[counted(1, 1), of_own_key(counted(2, 1))]).unwrap();
    device.play().unwrap();
    assert!(!may_play(&device.store, &device.identity));
    device.restart();
    assert_eq!(ids(&device), [id(2), id(1)], "what it was can still be said");
    device.acquire(&[of_own_key(simple(3))]).unwrap();
    assert_eq!(ids(&device), [id(2), id(3), id(1)], "another key's license changes nothing");
    device.acquire(&[counted(4, 1)]).unwrap();
    assert_eq!(ids(&device), [id(2), id(3), id(4)]);
}

#[test]
fn b09_what_is_used_up_goes_when_another_license_for_its_key_is_used() {
    let mut device = Device::new(1);
    device.acquire(&[counted(1, 1), counted(2, 2)]).unwrap();
    device.play().unwrap();
    assert_eq!(ids(&device), [id(1), id(2)]);
    device.play().unwrap();
    assert_eq!(ids(&device), [id(2)]);
}

#[test]
fn b09_what_was_reserved_and_comes_back_is_no_dead_license() {
    let mut device = Device::new(1);
    device.acquire(&[counted(1, 1), counted(2, 2)]).unwrap();
    drop(device.permit(&[KEY_ID]).unwrap());
    drop(device.permit(&[KEY_ID]).unwrap());
    device.acquire(&[counted(3, 1)]).unwrap();
    assert_eq!(ids(&device), [id(1), id(2), id(3)]);
    assert_eq!(device.restart(), 2);
    assert!(device.licenses().iter().all(|license| license.usage.used == [0; 4]));
}

#[test]
fn b09_what_has_ended_goes_by_a_trusted_clock_and_by_no_other() {
    let mut device = with_ending();
    let mut clock = clock_of(&device.store).unwrap();
    set(&mut clock, &reading(1, 0), 3);
    let mut next_boot = clock.observe(&reading(2, 60), &mut Vec::new());
    assert_eq!(next_boot.state(), ClockState::Estimated);
    play_at(&mut device, &next_boot);
    next_boot = clock.observe(&reading(2, 30 * 86_400), &mut Vec::new());
    assert_eq!(next_boot.state(), ClockState::Stale);
    play_at(&mut device, &next_boot);
    let rolled_back = clock.observe(&reading(3, 0), &mut Vec::new());
    assert_eq!(rolled_back.state(), ClockState::RolledBack);
    play_at(&mut device, &rolled_back);
    play_at(&mut device, &Now::UNSET);
    assert_eq!(ids(&device), [id(1), id(2)]);
    play_at(&mut device, &trusted(60));
    assert_eq!(ids(&device), [id(2)]);
}

#[test]
fn b09_a_license_lives_until_its_end_has_certainly_passed() {
    // The clock is three seconds vague: at twelve it has ended for playing, and not for being deleted.
    for (seconds, is_gone) in [(12, false), (15, true)] {
        let mut device = with_ending();
        play_at(&mut device, &trusted(seconds));
        assert_eq!(!ids(&device).contains(&id(1)), is_gone, "{seconds}");
    }
}

#[test]
fn b09_countdowns_end_a_license_too_and_one_that_has_not_begun_does_not() {
    let rental = |number| Terms { expiry_after_first_use_secs: Some(20), ..simple(number) };
    let mut device = Device::new(1);
    device.set_clock();
    let stored = Terms { expiry_after_storing_secs: Some(20), ..simple(3) };
    device.acquire(&[rental(1), rental(2), stored, counted(4, 9)]).unwrap();
    // The one that runs since it was stored goes first, then the rentals one after the other.
    play_at(&mut device, &trusted(1));
    play_at(&mut device, &trusted(60));
    assert_eq!(ids(&device), [id(1), id(2), id(4)]);
    play_at(&mut device, &trusted(120));
    assert_eq!(ids(&device), [id(2), id(4)]);
}

#[test]
fn b09_a_license_that_can_still_be_burnt_lives_when_its_plays_are_gone() {
    let rights = Rights::PLAY | Rights::BURN_TO_CD;
    let mut device = Device::new(1);
    device.acquire(&[Terms { rights, burn_count: Some(1), ..counted(1, 1) }]).unwrap();
    device.play().unwrap();
    device.acquire(&[simple(2)]).unwrap();
    assert_eq!(ids(&device), [id(1), id(2)]);
}

#[test]
fn b09_a_license_that_comes_again_is_not_deleted_to_be_had_anew_the_next_time() {
    let mut device = Device::new(1);
    device.acquire(&[counted(1, 1)]).unwrap();
    device.play().unwrap();
    device.acquire(&[counted(1, 1), simple(2)]).unwrap();
    device.acquire(&[counted(1, 1), simple(3)]).unwrap();
    assert_eq!(device.licenses()[0].usage.used[0], 1);
}

#[test]
fn d05_a_root_goes_only_where_another_one_takes_its_place() {
    let used_up = |number| Terms { play_count: Some(1), ..root(number) };
    let mut device = Device::new(1);
    device.acquire(&[leaf(1, KEY_ID), used_up(2)]).unwrap();
    device.play().unwrap();
    let other_revision = Terms { revision: Some(2), ..root(3) };
    device.acquire(&[other_revision]).unwrap();
    assert_eq!(ids(&device), [id(1), id(2), id(3)], "the leaf can use no other");
    device.acquire(&[root(4)]).unwrap();
    assert_eq!(ids(&device), [id(1), id(3), id(4)]);
    device.play().unwrap();
}

#[test]
fn b09_a_dead_license_goes_in_the_commit_that_it_goes_with_or_stays() {
    for behind in [false, true] {
        for commits in 0..3 {
            let mut device = Device::new(1);
            device.acquire(&[counted(1, 1), counted(2, 5)]).unwrap();
            device.play().unwrap();
            device.storage.cut_after(Some(commits), behind);
            let _ = device.play();
            device.restart();
            let expected = if commits == 0 { vec![id(1), id(2)] } else { vec![id(2)] };
            assert_eq!(ids(&device), expected, "{commits} commits, behind: {behind}");
        }
    }
}

/// A license of the model: its id, the plays that it allows, and those that were made.
type Counted = (LicenseId, u32, u32);

/// One step: a license for so many plays comes, or a play.
fn step(device: &mut Device, model: &mut Vec<Counted>, (number, plays): (u8, u32)) {
    let is_dead = |&(_, allowed, used): &Counted| used >= allowed;
    if plays > 0 {
        device.acquire(&[counted(number, plays)]).unwrap();
        model.retain(|license| !is_dead(license));
        model.push((id(number), plays, 0));
    } else if model.iter().all(is_dead) {
        assert!(!may_play(&device.store, &device.identity));
    } else {
        device.play().unwrap();
        model.retain(|license| !is_dead(license));
        // The one that was begun, else the one with the smallest id.
        let next = model.iter_mut().min_by_key(|(id, _, used)| (*used == 0, *id)).unwrap();
        next.2 += 1;
    }
    model.sort();
    let found: Vec<Counted> = device.store.held(&KEY_ID).unwrap().iter().map(counts).collect();
    assert_eq!(&found, model);
}

fn counts(held: &admit_license::HeldLicense) -> Counted {
    let terms = held.license.terms();
    (terms.id, terms.play_count.unwrap(), held.usage.used[0])
}

#[test]
fn b09_whatever_comes_and_is_played_the_store_holds_what_the_model_says() {
    for seed in 0..24 {
        let mut entropy = SeededEntropy::new(seed);
        let mut device = Device::new(seed + 100);
        let mut model = Vec::new();
        for number in 1..24 {
            let mut drawn = [0; 2];
            admit_crypto::Entropy::fill(&mut entropy, &mut drawn);
            let plays = if drawn[0] % 3 == 0 { 1 + u32::from(drawn[1] % 3) } else { 0 };
            // Ids in no order.
            step(&mut device, &mut model, (u8::wrapping_mul(number, 89), plays));
        }
        assert_eq!(device.store.licenses_for(&KeyId::from_bytes([7; 16])).unwrap(), []);
    }
}

#[test]
fn b05_to_play_once_and_to_burn_once_are_two_licenses_of_which_neither_spends_the_other() {
    let once = |number, right| Terms { rights: right | Rights::ONE_TIME, ..simple(number) };
    let mut device = Device::new(1);
    device.acquire(&[once(1, Rights::PLAY), once(2, Rights::BURN_TO_CD)]).unwrap();
    device.play().unwrap();
    assert_eq!(ids(&device), [id(2)]);
    assert!(!may_play(&device.store, &device.identity));
}

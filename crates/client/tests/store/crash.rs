//! A program that dies at a commit, before or behind it, at every commit there is: no use is lost or doubled.

use admit_license::Terms;

use crate::fixture::*;

/// What is true of a counted license after a crash and a restart.
struct After {
    used: u32,
    reservations: usize,
}

/// Runs `steps` with the commit after `commits` more being cut, then starts again. Says whether all steps were made.
fn crash(device: &mut Device, commits: usize, behind: bool, steps: impl FnOnce(&mut Device) -> bool) -> (bool, After) {
    device.storage.cut_after(Some(commits), behind);
    let done = steps(device);
    device.restart();
    let used = device.licenses().iter().map(|license| license.usage.used[0]).sum();
    (done, After { used, reservations: device.storage.keys(b"r").len() })
}

/// Plays once, and says whether the first sample left.
fn play(device: &mut Device) -> bool {
    device.play().is_ok()
}

#[test]
fn a_use_is_counted_exactly_when_its_charge_was_made() {
    // Reserving and charging are one commit each.
    for behind in [false, true] {
        for commits in 0..4 {
            let mut device = Device::new(1);
            device.acquire(&[counted(1, 3)]).unwrap();
            let (released, after) = crash(&mut device, commits, behind, play);
            // The commits that took effect before the program was gone; with `behind` the last one did, unheard.
            let charged = commits >= 2;
            assert_eq!(after.used, u32::from(charged), "{commits} commits, behind: {behind}");
            assert_eq!(after.reservations, 0);
            assert!(!released || after.used == 1, "a sample that left is counted");
            assert_eq!(released, if behind { commits > 2 } else { commits >= 2 });
        }
    }
}

#[test]
fn b09_a_one_time_license_is_gone_or_whole() {
    for behind in [false, true] {
        for commits in 0..4 {
            let mut device = Device::new(1);
            device.acquire(&[one_time(1)]).unwrap();
            let (released, after) = crash(&mut device, commits, behind, play);
            assert_eq!(after.reservations, 0);
            let gone = device.licenses().is_empty();
            assert_eq!(gone, commits >= 2);
            assert!(!released || gone);
            if !gone {
                device.play().unwrap();
                assert!(device.licenses().is_empty());
            }
        }
    }
}

#[test]
fn d05_leaf_and_root_are_charged_in_one() {
    for behind in [false, true] {
        for commits in 0..4 {
            let mut device = Device::new(1);
            let counted = |terms| Terms { play_count: Some(3), ..terms };
            device.acquire(&[counted(leaf(1, KEY_ID)), counted(root(2))]).unwrap();
            crash(&mut device, commits, behind, play);
            let used: Vec<_> = device.licenses().iter().map(|license| license.usage.used[0]).collect();
            assert_eq!(used, if commits >= 2 { [1, 1] } else { [0, 0] });
        }
    }
}

#[test]
fn giving_back_is_one_commit_and_can_be_cut_too() {
    for behind in [false, true] {
        let mut device = Device::new(1);
        device.acquire(&[counted(1, 3)]).unwrap();
        drop(device.permit(&[KEY_ID]).unwrap());
        drop(device.permit(&[KEY_ID]).unwrap());
        device.storage.cut_after(Some(usize::from(behind)), behind);
        let mut store = open(&device.storage);
        assert!(store.return_reservations(&mut device.entropy).is_err());
        assert_eq!(device.restart(), if behind { 0 } else { 2 });
        assert_eq!(device.usage().used[0], 0);
    }
}

#[test]
fn licenses_are_stored_all_or_none() {
    for behind in [false, true] {
        let mut device = Device::new(1);
        device.storage.cut_after(Some(usize::from(behind)), behind);
        assert!(device.acquire(&[counted(1, 3), simple(2), of_session(simple(3))]).is_err());
        device.store.refresh().unwrap();
        assert_eq!(
            device.licenses().len(),
            if behind { 2 } else { 0 },
            "the session's is not there without the others"
        );
        device.restart();
        assert_eq!(device.licenses().len(), if behind { 2 } else { 0 });
    }
}

#[test]
fn every_play_of_a_count_is_had_whatever_is_cut() {
    // Over and over, with the program dying at each commit in turn: three uses are released or lost to a charge that
    // was made, and never a fourth.
    for commits in 0..12 {
        let mut device = Device::new(1);
        device.acquire(&[counted(1, 3)]).unwrap();
        let mut released = 0;
        device.storage.cut_after(Some(commits), false);
        while may_play(&device.store, &device.identity) {
            if play(&mut device) {
                released += 1;
            } else {
                device.restart();
            }
        }
        assert_eq!(released, 3, "cut after {commits}");
    }
}

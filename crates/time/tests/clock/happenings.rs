//! One test a happening, in the order of the table of events.

use admit_time::clock::{Clock, ClockState, Event, Limits, Record, Rollback};
use admit_time::{Error, Timestamp};

use crate::machine::{BUILD, DAY, Machine, PROVIDER, RADIUS, START, server};

fn keep(clock: &mut Clock) {
    clock.save(|_, _| Ok::<(), ()>(())).unwrap();
}

#[test]
fn wall_clock_stepped_either_way_while_running_has_no_effect_and_is_logged() {
    for step in [-10 * 86_400, 121, 900 * 86_400, -121] {
        let mut machine = Machine::set();
        machine.run(60);
        let before = machine.time();
        machine.wall_ahead += step;
        assert_eq!(machine.time(), before);
        assert_eq!(machine.state(), ClockState::Trusted);
        assert_eq!(machine.events, [Event::WallClockStepped { by_secs: step }]);
        assert!(machine.clock.record().suspicious);
        assert_eq!(machine.faults(), 0);
        machine.sync();
        assert!(!machine.clock.record().suspicious);
    }
}

#[test]
fn wall_clock_put_right_while_running_makes_no_rollback_behind_a_reboot() {
    let mut machine = Machine::unset();
    machine.wall_ahead = 400 * 86_400;
    machine.sync();
    machine.wall_ahead = 0;
    machine.observe();
    machine.reboot_after(60);
    assert_eq!(machine.state(), ClockState::Estimated);
    assert_eq!(machine.time().1, 60 + 3);
}

#[test]
fn suspend_is_counted_and_a_wall_clock_that_says_otherwise_is_suspicious() {
    let mut machine = Machine::set();
    machine.run(8 * 3600);
    assert_eq!(machine.time().0, 8 * 3600 - 6);
    assert!(!machine.clock.record().suspicious);
    machine.run(8 * 3600);
    machine.wall_ahead = -300;
    assert_eq!(machine.time().0, 16 * 3600 - 9, "the boot-time clock is kept");
    assert!(machine.clock.record().suspicious);
    let mut machine = Machine::set();
    machine.wall_ahead = 120;
    machine.observe();
    assert!(!machine.clock.record().suspicious, "so much may be a slow clock put right");
}

#[test]
fn reboot_offline_loses_at_most_the_playing_time_since_the_record_was_kept() {
    let mut machine = Machine::set();
    keep(&mut machine.clock);
    machine.run(299);
    machine.observe();
    assert!(!machine.clock.needs_saving());
    machine.run(1);
    machine.observe();
    assert!(machine.clock.needs_saving(), "every five minutes of use");
    machine.save_and_load();
    assert!(!machine.clock.needs_saving());
    let kept = machine.time();
    // The wall clock is held still while the machine is off.
    machine.reboot_after(DAY);
    machine.wall_ahead -= 86_400;
    assert_eq!(machine.time(), kept, "it starts again where it was");
    assert!(machine.clock.needs_saving(), "a reboot is remembered at once");
}

#[test]
fn the_end_of_a_use_keeps_what_a_restart_would_lose() {
    let mut machine = Machine::unset();
    machine.observe();
    assert!(!machine.clock.needs_saving_at_end(), "there is nothing to remember");
    machine.sync();
    keep(&mut machine.clock);
    machine.observe();
    assert!(!machine.clock.needs_saving_at_end());
    machine.run(1);
    machine.observe();
    assert!(machine.clock.needs_saving_at_end() && !machine.clock.needs_saving());
    keep(&mut machine.clock);
    for step in [-86_400, 3 * 86_400] {
        machine.wall_ahead += step;
        machine.observe();
        assert!(machine.clock.needs_saving(), "each step, for a restart would take it for the time");
        keep(&mut machine.clock);
    }
}

#[test]
fn reboots_offline_are_counted() {
    let mut machine = Machine::set();
    for _ in 0..30 {
        machine.reboot_after(0);
        assert_eq!(machine.state(), ClockState::Estimated);
    }
    machine.reboot_after(0);
    assert_eq!(machine.state(), ClockState::Stale);
    machine.sync();
    machine.reboot_after(0);
    assert_eq!(machine.state(), ClockState::Estimated);
}

#[test]
fn time_frozen_between_runs_still_ends_by_what_was_measured() {
    let mut machine = Machine::set();
    for _ in 0..15 {
        machine.reboot_after(0);
        machine.observe();
        machine.run(DAY / 2);
        // The wall clock is set back to where it was at the last start, as far as that is not noticed.
        machine.set_wall_clock(0);
        machine.wall_ahead = machine.clock.record().soft_floor_millis.cast_signed() / 1000 + 43_200
            - (machine.truth / 1000).cast_signed();
        machine.observe();
    }
    assert_eq!(machine.state(), ClockState::Stale);
}

#[test]
fn clock_set_forward_and_back_looks_like_a_rollback_that_a_signed_time_clears() {
    let mut machine = Machine::set();
    machine.reboot_after(60);
    machine.wall_ahead = 3 * 86_400;
    assert_eq!(machine.state(), ClockState::Estimated);
    machine.wall_ahead = 0;
    assert_eq!(machine.state(), ClockState::RolledBack);
    machine.sync();
    assert_eq!(machine.time(), (60 - 3, 60 + 3), "no damage is left");
    machine.reboot_after(60);
    assert_eq!(machine.state(), ClockState::Estimated);
}

#[test]
fn battery_empty_needs_a_signed_time_and_is_no_fault() {
    let mut machine = Machine::set();
    machine.run(3600);
    machine.observe();
    machine.reboot_after(60);
    machine.set_wall_clock(0);
    let now = machine.observe();
    assert_eq!((now.state(), now.rollback()), (ClockState::RolledBack, Some(Rollback::BatteryEmpty)));
    assert_eq!(machine.faults(), 0);
    machine.run(7200);
    let now = machine.observe();
    assert_eq!(now.rolled_back_for().as_secs(), 7200);
    let guess = now.guess().expect("licenses may grant a time of grace").latest();
    assert_eq!(guess.unix_secs(), START + 3600 + 7200 + 3 + 2, "the last time known, and what was measured");
    machine.sync();
    let now = machine.observe();
    assert_eq!((now.state(), now.guess()), (ClockState::Trusted, None));
}

#[test]
fn wall_clock_before_a_signed_time_but_not_before_the_build_is_a_fault_below_the_hard_floor() {
    let mut machine = Machine::set();
    machine.reboot_after(60);
    machine.set_wall_clock(START - 3600);
    assert_eq!(machine.observe().rollback(), Some(Rollback::BelowHardFloor));
    assert_eq!(machine.observe().guess(), None);
    assert_eq!(machine.faults(), 1);
    let mut machine = Machine::set();
    machine.reboot_after(60);
    machine.set_wall_clock(BUILD - 1);
    assert_eq!(machine.observe().rollback(), Some(Rollback::BatteryEmpty));
}

#[test]
fn store_deleted_is_an_unset_clock_of_another_store() {
    let mut machine = Machine::set();
    let kept = machine.clock.record().to_bytes();
    let another = [2; 16];
    assert_eq!(Record::from_bytes(&kept, &another), Err(admit_time::clock::RecordError::OtherStore));
    machine.clock = Clock::new(another, Timestamp::from_unix_secs(BUILD), Limits::default());
    assert_eq!(machine.state(), ClockState::Unset);
}

#[test]
fn store_restored_from_a_backup_is_noticed_by_the_hardware_counter() {
    let mut machine = Machine::unset();
    machine.counter = Some(7);
    machine.sync();
    keep(&mut machine.clock);
    assert!(machine.clock.must_count(&machine.reading()), "each signed time raises it");
    machine.counter = Some(8);
    assert!(!machine.clock.must_count(&machine.reading()));
    let backup = machine.clock.clone();
    machine.run(900);
    machine.observe();
    keep(&mut machine.clock);
    assert!(machine.clock.must_count(&machine.reading()), "and a quarter of an hour of use");
    machine.counter = Some(9);
    assert_eq!(machine.state(), ClockState::Trusted);
    machine.clock = backup.clone();
    assert_eq!(machine.state(), ClockState::StoreRolledBack);
    assert_eq!((machine.faults(), machine.events.last()), (1, Some(&Event::StoreRolledBack)));
    machine.clock = backup;
    machine.counter = None;
    assert_eq!(machine.state(), ClockState::StoreRolledBack, "a counter that is gone does not help");
}

#[test]
fn a_counter_in_another_chip_is_told_and_not_raised_to_the_record() {
    for (counter, is_same) in [(9, true), (8, true), (7, true), (6, false), (0, false)] {
        let mut machine = Machine::unset();
        machine.counter = Some(7);
        machine.sync();
        keep(&mut machine.clock);
        machine.counter = Some(counter);
        assert_eq!(machine.clock.is_same_counter(counter), is_same, "{counter}");
        assert_eq!(machine.clock.must_count(&machine.reading()), counter == 7);
    }
}

#[test]
fn a_long_use_does_not_lower_the_counter_that_others_have_raised() {
    let mut machine = Machine::unset();
    machine.counter = Some(7);
    machine.sync();
    machine.counter = Some(9);
    machine.sync();
    keep(&mut machine.clock);
    assert_eq!(machine.clock.record().hardware_counter, Some(10));
    // It was read when the use began.
    machine.counter = Some(7);
    machine.run(900);
    machine.observe();
    assert_eq!(machine.clock.record().hardware_counter, Some(10));
}

#[test]
fn a_counter_at_its_end_stays_there() {
    let mut machine = Machine::unset();
    machine.counter = Some(u64::MAX);
    machine.sync();
    keep(&mut machine.clock);
    assert_eq!(machine.state(), ClockState::Trusted, "it stays where it can go no further");
    assert!(!machine.clock.must_count(&machine.reading()));
}

#[test]
fn a_counter_is_not_raised_before_the_record_is_kept_that_says_so() {
    let mut machine = Machine::unset();
    machine.counter = Some(7);
    machine.sync();
    assert!(!machine.clock.must_count(&machine.reading()));
    // Cut between keeping and raising: the record is ahead, which is no fault.
    keep(&mut machine.clock);
    assert_eq!(machine.state(), ClockState::Trusted);
}

#[test]
fn virtual_machine_put_back_within_a_boot_is_estimated() {
    let mut machine = Machine::set();
    machine.run(3600);
    machine.observe();
    machine.boot_millis -= 1800 * 1000;
    assert_eq!(machine.state(), ClockState::Estimated, "the boot-time clock went back");
    machine.run(60);
    assert_eq!(machine.state(), ClockState::Estimated, "and is not trusted again by running on");
}

#[test]
fn captured_answer_is_dropped() {
    let mut machine = Machine::set();
    let question = machine.question(&server(1), 1);
    let captured = server(1).respond(&question.request_packet(PROVIDER), START);
    assert!(machine.accept(question, &captured).is_ok());
    let question = machine.question(&server(1), 1);
    assert_eq!(machine.accept(question, &captured).unwrap_err(), Error::WrongNonce);
}

#[test]
fn delayed_answer_is_dropped_beyond_ten_seconds_and_uncertain_below() {
    let mut machine = Machine::unset();
    let late = machine.ask(&server(1), START, 1, 10_001);
    assert_eq!(late.unwrap_err(), Error::TooLate { round_trip_millis: 10_001 });
    assert_eq!(machine.state(), ClockState::Unset);
    let midpoint = machine.truth / 1000;
    machine.set_by(&server(1), midpoint, 1, 10_000);
    let (earliest, latest) = machine.time();
    let radius = RADIUS.cast_signed();
    assert_eq!((earliest, latest), (10 - radius, 10 + 10 + radius), "never before the signed time less its radius");
}

#[test]
fn stolen_time_key_is_useless_behind_a_higher_epoch_and_below_the_floor() {
    let mut machine = Machine::set();
    machine.clock.take_revocation(1, Timestamp::from_unix_secs(START), 0);
    let back_dated = machine.ask(&server(1), START - 100, 1, 0).unwrap_err();
    let (latest, floor) = (Timestamp::from_unix_secs(START - 97), Timestamp::from_unix_secs(START));
    assert_eq!(back_dated, Error::BelowHardFloor { latest, floor });
    machine.clock.take_revocation(2, Timestamp::from_unix_secs(START), 2);
    let old_key = machine.ask(&server(1), START, 1, 0).unwrap_err();
    assert_eq!(old_key, Error::EpochTooLow { found: 1, lowest: 2 });
    assert!(machine.ask(&server(2), START, 2, 0).is_ok());
}

#[test]
fn no_network_at_all_drifts_by_8_6_seconds_a_day_and_is_stale_at_last() {
    let mut machine = Machine::set();
    for day in 1..=7_i64 {
        machine.run(DAY);
        let (earliest, latest) = machine.time();
        let drift = (86_400 * day * 100 + 999_999) / 1_000_000;
        assert_eq!((earliest, latest), (86_400 * day - drift - 3, 86_400 * day + drift + 3), "day {day}");
    }
    machine.run(1);
    assert_eq!(machine.state(), ClockState::Stale);
}

#[test]
fn browser_without_a_boot_time_clock_is_estimated_at_every_start() {
    let mut machine = Machine::set();
    // Site data and a page's own clock: another page is another boot.
    machine.reboot_after(3600);
    assert_eq!(machine.state(), ClockState::Estimated);
    assert_eq!(machine.time(), (-3, 3600 + 3));
}

/// Row E03: a hardware clock that is protected from change measures over reboots as well.
#[test]
fn e03_a_protected_hardware_clock_is_trusted_over_reboots() {
    let mut machine = Machine::unset();
    machine.secure_millis = Some(1_000);
    machine.sync();
    machine.reboot_after(DAY);
    machine.wall_ahead = -5 * 86_400;
    assert_eq!(machine.state(), ClockState::Trusted);
    assert_eq!(machine.time(), (86_400 - 12, 86_400 + 12));
    machine.secure_millis = Some(500);
    machine.wall_ahead -= 86_400;
    assert_eq!(machine.state(), ClockState::RolledBack, "it lost its power, and the wall clock is wrong");
}

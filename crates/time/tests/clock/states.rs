//! One test a state, in the order of the states' table.

use admit_time::Timestamp;
use admit_time::clock::{ClockState, Event, Limits, Rollback};

use crate::machine::{DAY, Machine, days};

#[test]
fn unset_has_no_time_whatever_the_wall_clock_shows() {
    let mut machine = Machine::unset();
    for ahead in [0, -1_000_000_000, 1_000_000_000] {
        machine.wall_ahead = ahead;
        let now = machine.observe();
        assert_eq!((now.state(), now.time(), now.since_signed()), (ClockState::Unset, None, None));
    }
    machine.reboot_after(DAY);
    assert_eq!(machine.state(), ClockState::Unset);
    assert!(!machine.clock.needs_saving(), "there is nothing to remember");
}

#[test]
fn trusted_is_the_signed_time_and_what_was_measured_give_or_take_the_drift() {
    let mut machine = Machine::set();
    assert_eq!(machine.state(), ClockState::Trusted);
    assert_eq!(machine.time(), (-3, 3), "the radius");
    machine.run(DAY);
    // 100 millionths of a day are 8.64 s.
    assert_eq!(machine.time(), (86_400 - 12, 86_400 + 12));
    assert_eq!(machine.observe().since_signed(), Some(days(1)));
}

#[test]
fn estimated_is_late_by_the_wall_clock_and_early_by_what_was_measured() {
    let mut machine = Machine::set();
    machine.run(3600);
    machine.observe();
    machine.reboot_after(2 * DAY);
    assert_eq!(machine.state(), ClockState::Estimated);
    let (earliest, latest) = machine.time();
    assert_eq!(earliest, 3600 - 4, "a begin date waits for time that certainly passed");
    assert_eq!(latest, 2 * 86_400 + 3600 + 4, "an end comes when the wall clock says so");
}

#[test]
fn estimated_is_never_before_an_earlier_estimate() {
    let mut machine = Machine::set();
    machine.reboot_after(DAY);
    let (_, latest) = machine.time();
    machine.wall_ahead -= 100;
    assert_eq!(machine.time().1, latest, "within the tolerance the floor stands in");
    machine.run(60);
    // 60 s, and 6 ms of drift, rounded up.
    assert_eq!(machine.time().1, latest + 60 + 1, "and runs on");
}

#[test]
fn stale_after_seven_days_without_a_reboot_and_by_the_wall_clock_with_one() {
    let mut machine = Machine::set();
    machine.run(7 * DAY);
    assert_eq!(machine.state(), ClockState::Trusted);
    machine.run(1);
    let now = machine.observe();
    assert_eq!((now.state(), now.time()), (ClockState::Stale, None));
    assert_eq!(machine.events, [Event::WentStale]);
    let mut machine = Machine::set();
    machine.reboot_after(7 * DAY + 1);
    assert_eq!(machine.state(), ClockState::Stale);
    machine.sync();
    assert_eq!(machine.state(), ClockState::Trusted);
}

#[test]
fn stale_when_the_uncertainty_is_beyond_its_limit() {
    let mut machine = Machine::unset();
    let limits = Limits { max_uncertainty: core::time::Duration::from_secs(10), ..Limits::default() };
    machine.clock = admit_time::clock::Clock::new([1; 16], Timestamp::default(), limits);
    machine.sync();
    machine.run(70_000);
    assert_eq!(machine.state(), ClockState::Trusted);
    machine.run(1_000);
    assert_eq!(machine.state(), ClockState::Stale);
}

#[test]
fn rolled_back_until_the_next_signed_time_whatever_the_wall_clock_shows_then() {
    let mut machine = Machine::set();
    machine.reboot_after(DAY);
    machine.observe();
    machine.wall_ahead -= 200;
    let now = machine.observe();
    assert_eq!((now.state(), now.time()), (ClockState::RolledBack, None));
    assert_eq!(now.rollback(), Some(Rollback::BelowSoftFloor));
    assert_eq!(machine.faults(), 1);
    machine.wall_ahead += 200;
    machine.run(DAY);
    assert_eq!(machine.state(), ClockState::RolledBack);
    assert_eq!(machine.faults(), 1, "one rollback is one fault");
    machine.sync();
    assert_eq!(machine.state(), ClockState::Trusted);
    assert_eq!(machine.faults(), 1, "the fault stays on record");
}

#[test]
fn store_rolled_back_until_there_is_another_store() {
    let mut machine = Machine::set();
    machine.clock.store_is_older();
    assert_eq!(machine.state(), ClockState::StoreRolledBack);
    machine.sync();
    assert_eq!(machine.state(), ClockState::StoreRolledBack, "a signed time does not make it new");
    let fresh = Machine::unset();
    assert_eq!(fresh.clock.state(), ClockState::Unset);
    assert_eq!(fresh.clock.hard_floor().unix_secs(), crate::machine::BUILD);
}

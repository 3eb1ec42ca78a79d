//! Rows E01, E02, E04 and E09: licenses with limits in time, in every state of the clock.

use admit_license::{Action, Environment, HeldLicense, Reason, Remedy, Rights, Terms, Usage, evaluate};
use admit_testkit::clock::{reading_at, set_clock};
use admit_time::Timestamp;
use admit_time::clock::{Clock, ClockState, Limits, Now, Reading};

use crate::fixture::*;

const DAY: u64 = 86_400;

/// A clock that was set at the fixture's beginning, and the reading at some later moment.
fn set() -> Clock {
    let build = Timestamp::from_unix_secs(seconds_later(0).unix_secs() - 100 * DAY);
    let mut clock = Clock::new([0; 16], build, Limits::default());
    let accepted = set_clock(&mut clock, &reading(1, 0, 0), seconds_later(0));
    drop(accepted);
    clock
}

/// So many seconds into a boot, with a wall clock that shows so many seconds after the fixture's beginning.
fn reading(boot: u8, secs: u64, wall: i64) -> Reading {
    let wall = seconds_later(0).unix_secs().saturating_add_signed(wall);
    reading_at(boot, secs * 1000, Some(Timestamp::from_unix_secs(wall)))
}

fn at(clock: &mut Clock, reading: &Reading) -> Now {
    clock.observe(reading, &mut Vec::new())
}

fn why(terms: &Terms, now: &Now) -> Result<(), Vec<Reason>> {
    let environment = Environment { clock: now, ..environment() };
    let held = [held(terms, stored())];
    let outcome = evaluate(Action::Play, KEY_ID, &held, &environment).map(drop);
    outcome.map_err(|denied| denied.refusals().iter().map(|refusal| refusal.reason).collect())
}

fn film() -> Terms {
    Terms { expiry: Some(seconds_later(5 * DAY)), ..simple(1, Rights::PLAY) }
}

fn state(clock: &mut Clock, wanted: ClockState, reading: &Reading) -> Now {
    let now = at(clock, reading);
    assert_eq!(now.state(), wanted);
    now
}

#[test]
fn e02_in_each_state_a_license_with_limits_in_time_is_judged_as_the_table_says() {
    let unlimited = simple(1, Rights::PLAY);
    let cases = [
        (Now::UNSET, Err(vec![Reason::ClockNotSet])),
        (state(&mut set(), ClockState::Trusted, &reading(1, 60, -999_999)), Ok(())),
        (state(&mut set(), ClockState::Estimated, &reading(2, 5, 3600)), Ok(())),
        (state(&mut set(), ClockState::Stale, &reading(2, 5, 8 * 86_400)), Err(vec![Reason::ClockStale])),
        (state(&mut set(), ClockState::RolledBack, &reading(2, 5, -3600)), Err(vec![Reason::ClockRolledBack])),
    ];
    for (now, expected) in cases {
        assert_eq!(why(&film(), &now), expected, "{:?}", now.state());
        assert_eq!(why(&unlimited, &now), Ok(()), "{:?}", now.state());
    }
}

#[test]
fn e02_a_store_that_was_put_back_allows_nothing_that_it_keeps() {
    let mut clock = set();
    clock.store_is_older();
    let now = at(&mut clock, &reading(1, 60, 60));
    let of_session = Terms { persistent: Some(false), ..simple(1, Rights::PLAY) };
    for terms in [film(), simple(1, Rights::PLAY)] {
        assert_eq!(why(&terms, &now), Err(vec![Reason::StoreRolledBack]));
    }
    assert_eq!(why(&of_session, &now), Ok(()));
}

#[test]
fn e02_a_wall_clock_set_forward_behind_a_restart_begins_no_license() {
    let begin = seconds_later(2 * DAY);
    let terms = Terms { begin: Some(begin), ..simple(1, Rights::PLAY) };
    let forward = at(&mut set(), &reading(2, 5, 3 * 86_400));
    assert_eq!(why(&terms, &forward), Err(vec![Reason::ClockStale]), "a signed time can say");
    assert_eq!(Reason::ClockStale.remedy(), Remedy::SetClock);
    let not_yet = at(&mut set(), &reading(2, 5, 86_400));
    assert_eq!(why(&terms, &not_yet), Err(vec![Reason::NotYetValid { begin }]));
    let trusted = at(&mut set(), &reading(1, 60, 3 * 86_400));
    assert_eq!(why(&terms, &trusted), Err(vec![Reason::NotYetValid { begin }]));
}

#[test]
fn e02_a_wall_clock_set_back_keeps_no_license_from_its_end() {
    let mut clock = set();
    at(&mut clock, &reading(2, 5, 4 * 86_400));
    let back = at(&mut clock, &reading(2, 6, 86_400));
    assert_eq!(why(&film(), &back), Err(vec![Reason::ClockRolledBack]));
    let mut clock = set();
    let expired = at(&mut clock, &reading(1, 5 * DAY, 0));
    let expiry = seconds_later(5 * DAY);
    assert_eq!(why(&film(), &expired), Err(vec![Reason::Expired { expiry }]));
}

#[test]
fn e02_a_license_may_ask_for_a_signed_time_more_often_than_the_clock_does() {
    let daily = Terms { max_offline_secs: Some(DAY), ..film() };
    let mut clock = set();
    assert_eq!(why(&daily, &at(&mut clock, &reading(1, DAY, 0))), Ok(()));
    let later = at(&mut clock, &reading(1, DAY + 1, 0));
    assert_eq!(why(&daily, &later), Err(vec![Reason::ClockStale]));
    assert_eq!(why(&film(), &later), Ok(()));
}

#[test]
fn e02_grace_counts_running_time_behind_an_empty_battery_and_no_rollback() {
    let graceful = Terms { grace_secs: Some(3600), ..film() };
    let empty = -i64::from(u32::MAX);
    let mut clock = set();
    for (secs, expected) in [(5, Ok(())), (3604, Ok(())), (3605, Err(vec![Reason::ClockNotSet]))] {
        let now = state(&mut clock, ClockState::RolledBack, &reading(2, secs, empty));
        assert_eq!(why(&graceful, &now), expected, "{secs} s");
        assert_eq!(why(&film(), &now), Err(vec![Reason::ClockNotSet]));
    }
    let set_back = at(&mut set(), &reading(2, 5, -3600));
    assert_eq!(why(&graceful, &set_back), Err(vec![Reason::ClockRolledBack]));
}

#[test]
fn e02_grace_does_not_outlast_the_license() {
    let graceful = Terms { grace_secs: Some(30 * DAY), expiry: Some(seconds_later(DAY)), ..simple(1, Rights::PLAY) };
    let mut clock = set();
    at(&mut clock, &reading(1, DAY - 100, 0));
    let now = at(&mut clock, &reading(2, 5, -i64::from(u32::MAX)));
    assert_eq!(why(&graceful, &now), Ok(()));
    let now = at(&mut clock, &reading(2, 200, -i64::from(u32::MAX)));
    assert_eq!(why(&graceful, &now), Err(vec![Reason::Expired { expiry: seconds_later(DAY) }]));
}

#[test]
fn e09_a_license_with_limits_in_time_that_was_stored_without_a_time_must_be_acquired_again() {
    let now = time(10);
    let environment = Environment { clock: &now, ..environment() };
    let before: [HeldLicense; 1] = [held(&film(), Usage::default())];
    assert_eq!(reasons(Action::Play, &before, &environment), [Reason::StoredBeforeClock]);
    assert_eq!(Reason::StoredBeforeClock.remedy(), Remedy::Renew);
    let unlimited = [held(&simple(1, Rights::PLAY), Usage::default())];
    assert!(evaluate(Action::Play, KEY_ID, &unlimited, &environment).is_ok());
}

#[test]
fn e04_what_a_grant_watches_ends_with_the_license_and_with_the_clock() {
    let mut clock = set();
    let begin = at(&mut clock, &reading(1, 60, 60));
    let terms = Terms { expiry: Some(seconds_later(7200)), max_offline_secs: Some(3600), ..simple(1, Rights::PLAY) };
    let held = [held(&terms, stored())];
    let environment = Environment { clock: &begin, ..environment() };
    let watch = grant(Action::Play, &held, &environment).watch().clone();
    assert!(!watch.is_empty());
    assert_eq!(watch.check(&begin), Ok(()));
    assert_eq!(watch.check(&at(&mut clock, &reading(1, 3600, 0))), Ok(()));
    assert_eq!(watch.check(&at(&mut clock, &reading(1, 3601, 0))), Err(Reason::ClockStale));
    assert_eq!(watch.check(&time(7197)), Ok(()));
    assert_eq!(watch.check(&time(7198)), Err(Reason::Expired { expiry: seconds_later(7200) }));
    assert_eq!(watch.check(&Now::UNSET), Err(Reason::ClockNotSet));
}

#[test]
fn e04_the_strictest_of_several_watches_counts() {
    let now = time(10);
    let environment = Environment { clock: &now, ..environment() };
    let watch = |seconds| {
        let held = [held(&Terms { expiry: Some(seconds_later(seconds)), ..simple(1, Rights::PLAY) }, stored())];
        grant(Action::Play, &held, &environment).watch().clone()
    };
    let both = watch(1000).and(watch(500));
    assert_eq!(both.ends_at(), Some(seconds_later(500)));
    let unlimited = [held(&simple(1, Rights::PLAY), stored())];
    let nothing = grant(Action::Play, &unlimited, &environment).watch().clone();
    assert!(nothing.is_empty());
    assert_eq!(nothing.check(&Now::UNSET), Ok(()));
    assert_eq!(nothing.and(both).ends_at(), Some(seconds_later(500)));
}

//! What an answer must satisfy.

use admit_time::clock::{Accepted, ClockState, Unconfirmed};
use admit_time::{Error, Timestamp};

use crate::machine::{DAY, Machine, PROVIDER, START, server};

const LONG: u64 = 31 * DAY;

fn unconfirmed(machine: &mut Machine, midpoint: u64) -> Unconfirmed {
    match machine.ask(&server(1), midpoint, 1, 0) {
        Ok(Accepted::NeedsSecondKey(unconfirmed)) => unconfirmed,
        other => panic!("{other:?}"),
    }
}

fn confirm(machine: &mut Machine, first: &Unconfirmed, key: u8, midpoint: u64) -> Result<ClockState, Error> {
    let question = machine.question(&server(key), 1);
    let answer = server(key).respond(&question.request_packet(PROVIDER), midpoint);
    let reading = machine.reading();
    machine.clock.confirm(PROVIDER, first, question, &answer, &reading).map(|now| now.state())
}

#[test]
fn an_answer_of_another_boot_is_refused() {
    let mut machine = Machine::set();
    let question = machine.question(&server(1), 1);
    let answer = server(1).respond(&question.request_packet(PROVIDER), START);
    machine.reboot_after(0);
    machine.boot_millis = 60_000;
    assert_eq!(machine.accept(question, &answer).unwrap_err(), Error::OtherBoot);
}

#[test]
fn an_answer_under_another_key_is_refused() {
    let mut machine = Machine::unset();
    let question = machine.question(&server(1), 1);
    let answer = server(2).respond(&question.request_packet(PROVIDER), START);
    assert_eq!(machine.accept(question, &answer).unwrap_err(), Error::BadDelegationSignature);
    assert_eq!(machine.state(), ClockState::Unset);
}

#[test]
fn the_highest_epoch_that_was_accepted_is_the_lowest_from_then_on() {
    let mut machine = Machine::unset();
    machine.set_by(&server(1), START, 5, 0);
    let refused = machine.ask(&server(1), START, 4, 0).unwrap_err();
    assert_eq!(refused, Error::EpochTooLow { found: 4, lowest: 5 });
    assert!(machine.ask(&server(1), START, 5, 0).is_ok());
}

#[test]
fn nothing_before_the_build_is_accepted() {
    let mut machine = Machine::unset();
    let error = machine.ask(&server(1), crate::machine::BUILD - 4, 1, 0).unwrap_err();
    assert!(matches!(error, Error::BelowHardFloor { .. }), "{error}");
    assert!(machine.ask(&server(1), crate::machine::BUILD - 3, 1, 0).is_ok(), "the radius reaches it");
}

#[test]
fn a_jump_of_thirty_days_is_believed_from_one_key() {
    let mut machine = Machine::set();
    let answer = machine.ask(&server(1), START + 30 * DAY, 1, 0);
    assert!(matches!(answer, Ok(Accepted::Set(_))), "{answer:?}");
}

#[test]
fn a_longer_jump_changes_nothing_until_a_second_key_says_the_same() {
    let mut machine = Machine::set();
    let before = machine.clock.clone();
    let first = unconfirmed(&mut machine, START + LONG);
    assert_eq!(machine.clock, before);
    assert_eq!(confirm(&mut machine, &first, 1, START + LONG), Err(Error::SameTimeKey));
    let apart = Error::TimeKeysDisagree { apart_millis: 7_000 };
    assert_eq!(confirm(&mut machine, &first, 2, START + LONG + 7), Err(apart));
    assert_eq!(machine.clock, before);
    machine.run(5);
    assert_eq!(confirm(&mut machine, &first, 2, START + LONG + 5 + 6), Ok(ClockState::Trusted));
    assert_eq!(machine.time().0, (LONG + 5 + 6 - 3).cast_signed());
}

#[test]
fn a_second_answer_of_another_boot_confirms_nothing() {
    let mut machine = Machine::set();
    let first = unconfirmed(&mut machine, START + LONG);
    machine.reboot_after(0);
    machine.boot_millis = 60_000;
    assert_eq!(confirm(&mut machine, &first, 2, START + LONG), Err(Error::OtherBoot));
}

#[test]
fn an_unset_clock_believes_any_jump_from_one_key() {
    let mut machine = Machine::unset();
    let answer = machine.ask(&server(1), START + 3650 * DAY, 1, 0);
    assert!(matches!(answer, Ok(Accepted::Set(_))), "{answer:?}");
}

#[test]
fn a_jump_is_measured_from_the_estimate_and_not_from_the_last_signed_time() {
    let mut machine = Machine::set();
    machine.reboot_after(200 * DAY);
    assert_eq!(machine.state(), ClockState::Stale);
    machine.sync();
    assert_eq!(machine.state(), ClockState::Trusted);
}

#[test]
fn a_wrong_server_clock_bricks_nobody_whom_revocation_information_reaches() {
    let mut machine = Machine::unset();
    machine.set_by(&server(1), START + 3650 * DAY, 1, 0);
    assert!(matches!(machine.ask(&server(1), START, 1, 0), Err(Error::BelowHardFloor { .. })));
    machine.clock.take_revocation(7, Timestamp::from_unix_secs(START), 2);
    assert_eq!(machine.state(), ClockState::Unset);
    machine.set_by(&server(2), START, 2, 0);
    assert_eq!(machine.time(), (0, 3), "not before the revocation information");
    // The same information again, or an older one, resets nothing.
    machine.clock.take_revocation(7, Timestamp::from_unix_secs(START - DAY), 3);
    assert_eq!(machine.state(), ClockState::Trusted);
}

#[test]
fn revocation_information_raises_the_floor() {
    let mut machine = Machine::unset();
    machine.clock.take_revocation(1, Timestamp::from_unix_secs(START + DAY), 0);
    let error = machine.ask(&server(1), START, 1, 0).unwrap_err();
    assert!(matches!(error, Error::BelowHardFloor { .. }), "{error}");
}

//! What an answer must satisfy, one test a condition, in the order in which the clock's design names them; then what it may do.

use admit_time::clock::{Accepted, ClockState, Question, Unconfirmed};
use admit_time::{Error, Timestamp};

use crate::machine::{DAY, Machine, PROVIDER, START, server};
use crate::responder::Draft;

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

/// An honest answer of the first server at the beginning of the tests, changed before it is signed.
fn changed(question: &Question, change: impl FnOnce(&mut Draft)) -> Vec<u8> {
    let mut draft = server(1).draft(&[&question.request_packet(PROVIDER)], 0, START);
    change(&mut draft);
    draft.seal()
}

/// What a clock that is set says to such an answer, which it is not changed by.
fn refused(change: impl FnOnce(&mut Draft)) -> Error {
    let mut machine = Machine::set();
    let before = machine.clock.clone();
    let question = machine.question(&server(1), 1);
    let answer = changed(&question, change);
    let error = machine.accept(question, &answer).unwrap_err();
    assert_eq!(machine.clock, before);
    error
}

#[test]
fn an_answer_to_another_question_is_refused() {
    let mut machine = Machine::set();
    let (first, second) = (machine.question(&server(1), 1), machine.question(&server(1), 1));
    let answer = changed(&first, |_| ());
    assert_eq!(machine.accept(second, &answer).unwrap_err(), Error::WrongNonce);
    // A question is used up by its answer.
    assert!(machine.accept(first, &answer).is_ok());
}

#[test]
fn an_answer_to_a_question_of_another_boot_is_refused() {
    let mut machine = Machine::set();
    let question = machine.question(&server(1), 1);
    let answer = server(1).respond(&question.request_packet(PROVIDER), START);
    machine.reboot_after(0);
    machine.boot_millis = 60_000;
    assert_eq!(machine.accept(question, &answer).unwrap_err(), Error::OtherBoot);
}

#[test]
fn an_answer_later_than_ten_seconds_is_refused_also_where_the_machine_was_suspended() {
    for (millis, is_late) in [(10_000, false), (10_001, true)] {
        let mut machine = Machine::unset();
        let question = machine.question(&server(1), 1);
        let answer = changed(&question, |_| ());
        machine.boot_millis += millis;
        let accepted = machine.accept(question, &answer);
        assert_eq!(matches!(accepted, Err(Error::TooLate { round_trip_millis: 10_001 })), is_late, "{accepted:?}");
        assert_eq!(accepted.is_ok(), !is_late);
    }
}

#[test]
fn an_answer_whose_path_does_not_lead_to_its_root_is_refused() {
    assert_eq!(refused(|draft| draft.path = vec![0; 32]), Error::RequestNotInTree);
    assert_eq!(refused(|draft| draft.root[0] ^= 1), Error::RequestNotInTree);
}

#[test]
fn an_answer_under_another_long_term_key_is_refused() {
    let mut machine = Machine::unset();
    let question = machine.question(&server(1), 1);
    let answer = server(2).respond(&question.request_packet(PROVIDER), START);
    assert_eq!(machine.accept(question, &answer).unwrap_err(), Error::BadDelegationSignature);
    assert_eq!(machine.state(), ClockState::Unset);
}

#[test]
fn an_answer_that_the_delegated_key_did_not_sign_is_refused() {
    let mut machine = Machine::set();
    let question = machine.question(&server(1), 1);
    let mut answer = changed(&question, |_| ());
    // The midpoint, behind the header, seven offsets and tags, SIG, NONC, TYPE and an empty PATH: see the cases of Roughtime.
    answer[216] ^= 1;
    assert_eq!(machine.accept(question, &answer).unwrap_err(), Error::BadResponseSignature);
}

#[test]
fn an_answer_from_an_old_delegation_is_refused() {
    let old = |draft: &mut Draft| (draft.begins, draft.ends) = (START - 3 * DAY, START - DAY);
    let ended = Error::AfterDelegation { midpoint: START, ends: START - DAY };
    assert_eq!(refused(old), ended);
    // Whoever has the key of an old delegation can say only what time it was then, and that has passed.
    let then = refused(|draft| {
        old(draft);
        draft.midpoint = START - 2 * DAY;
    });
    assert!(matches!(then, Error::BelowHardFloor { .. }), "{then}");
    let early = refused(|draft| draft.begins = START + 1);
    assert_eq!(early, Error::BeforeDelegation { midpoint: START, begins: START + 1 });
}

#[test]
fn an_answer_from_a_lower_epoch_than_the_highest_that_was_accepted_is_refused() {
    let mut machine = Machine::unset();
    machine.set_by(&server(1), START, 5, 0);
    let refused = machine.ask(&server(1), START, 4, 0).unwrap_err();
    assert_eq!(refused, Error::EpochTooLow { found: 4, lowest: 5 });
    assert!(machine.ask(&server(1), START, 5, 0).is_ok());
}

#[test]
fn an_answer_below_the_hard_floor_is_refused() {
    let mut machine = Machine::unset();
    let error = machine.ask(&server(1), crate::machine::BUILD - 4, 1, 0).unwrap_err();
    assert!(matches!(error, Error::BelowHardFloor { .. }), "{error}");
    assert!(machine.ask(&server(1), crate::machine::BUILD - 3, 1, 0).is_ok(), "the radius reaches it");
}

#[test]
fn an_answer_with_a_radius_above_thirty_seconds_is_refused() {
    assert_eq!(refused(|draft| draft.radius = 31), Error::RadiusTooLarge { found: 31 });
    let mut machine = Machine::set();
    let question = machine.question(&server(1), 1);
    let answer = changed(&question, |draft| draft.radius = 30);
    assert!(machine.accept(question, &answer).is_ok());
}

#[test]
fn an_answer_sets_the_midpoint_give_or_take_radius_and_round_trip_and_the_floor_before_it() {
    let mut machine = Machine::unset();
    machine.set_by(&server(1), START + 100, 1, 4_000);
    let signed = machine.clock.record().signed.unwrap();
    assert_eq!((signed.time_millis, signed.uncertainty_millis), ((START + 100) * 1000, 3_000 + 4_000));
    assert_eq!(machine.clock.hard_floor(), Timestamp::from_unix_secs(START + 100 - 3));
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

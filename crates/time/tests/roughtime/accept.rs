//! What a client accepts: a fresh answer, not below the floor, and the interval it makes of it.

use admit_time::{Error, Outstanding, Timestamp, TrustedTime};

use crate::PROVIDERS;
use crate::cases::{MIDPOINT, server};

const SENT: u64 = 1_000_000;

/// Asks, is answered honestly (radius 3 s), and accepts after some time.
fn ask(midpoint: u64, round_trip_millis: u64, hard_floor: u64) -> Result<TrustedTime, Error> {
    let floor = Timestamp::from_unix_secs(hard_floor);
    let [portable, native] = PROVIDERS.map(|provider| {
        let question = Outstanding::new([7; 32], server().public_key(), SENT);
        let response = server().respond(&question.request_packet(provider), midpoint);
        question.accept(provider, &response, SENT + round_trip_millis, floor)
    });
    assert_eq!(portable, native, "providers disagree");
    portable
}

fn bounds(time: &TrustedTime) -> (u64, u64) {
    (time.earliest().unix_secs(), time.latest().unix_secs())
}

#[test]
fn uncertainty_is_radius_and_round_trip() {
    assert_eq!(bounds(&ask(MIDPOINT, 0, 0).unwrap()), (MIDPOINT - 3, MIDPOINT + 3));
    assert_eq!(bounds(&ask(MIDPOINT, 2000, 0).unwrap()), (MIDPOINT - 5, MIDPOINT + 5));
    // Fractions widen the interval to whole seconds.
    assert_eq!(bounds(&ask(MIDPOINT, 1, 0).unwrap()), (MIDPOINT - 4, MIDPOINT + 4));
}

#[test]
fn an_answer_may_take_ten_seconds() {
    assert_eq!(bounds(&ask(MIDPOINT, 10_000, 0).unwrap()), (MIDPOINT - 13, MIDPOINT + 13));
    assert_eq!(ask(MIDPOINT, 10_001, 0), Err(Error::TooLate { round_trip_millis: 10_001 }));
}

#[test]
fn the_monotonic_clock_does_not_go_back() {
    let question = Outstanding::new([7; 32], server().public_key(), SENT);
    let response = server().respond(&question.request_packet(PROVIDERS[0]), MIDPOINT);
    let back = Error::MonotonicClockWentBack { sent_at_millis: SENT, received_at_millis: SENT - 1 };
    assert_eq!(question.accept(PROVIDERS[0], &response, SENT - 1, Timestamp::default()), Err(back));
}

#[test]
fn the_hard_floor_has_passed() {
    assert!(ask(MIDPOINT, 0, MIDPOINT + 3).is_ok());
    let [latest, floor] = [MIDPOINT + 3, MIDPOINT + 4].map(Timestamp::from_unix_secs);
    assert_eq!(ask(MIDPOINT, 0, MIDPOINT + 4), Err(Error::BelowHardFloor { latest, floor }));
    // A slow answer does not get under it.
    assert_eq!(ask(MIDPOINT, 10_000, MIDPOINT + 4), Err(Error::BelowHardFloor { latest, floor }));
}

#[test]
fn a_captured_answer_does_not_fit_the_next_question() {
    let ask = |nonce| Outstanding::new([nonce; 32], server().public_key(), SENT);
    let captured = server().respond(&ask(1).request_packet(PROVIDERS[0]), MIDPOINT);
    let floor = Timestamp::default();
    assert!(ask(1).accept(PROVIDERS[0], &captured, SENT, floor).is_ok());
    assert_eq!(ask(2).accept(PROVIDERS[0], &captured, SENT, floor), Err(Error::WrongNonce));
}

#[test]
fn time_goes_on_without_losing_fractions() {
    let time = ask(MIDPOINT, 0, 0).unwrap();
    let mut steps = time.clone();
    (0..1000).for_each(|_| steps = steps.advanced_by(7));
    assert_eq!(steps, time.advanced_by(7000));
    assert_eq!(bounds(&steps), (MIDPOINT + 4, MIDPOINT + 10));
    assert_eq!(bounds(&time.advanced_by(999)), (MIDPOINT - 3, MIDPOINT + 4));
}

#[test]
fn the_ends_of_time_do_not_overflow() {
    let first = ask(1, 10_000, 0).unwrap();
    assert_eq!(bounds(&first), (0, 14));
    let last = Timestamp::MAX.unix_secs();
    assert_eq!(bounds(&ask(last - 3, 10_000, 0).unwrap()), (last - 16, last));
    assert_eq!(bounds(&first.advanced_by(u64::MAX)), (last, last));
}

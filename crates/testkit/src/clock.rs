//! What a clock says, for tests, through the product's own door: an answer of the fixture responder.

use admit_crypto::rustcrypto;
use admit_time::Timestamp;
use admit_time::clock::{Accepted, BootId, Clock, Limits, Now, Reading, Source, TimeKey};

use crate::roughtime::Responder;

/// What a clock says that was just set: the time is `midpoint`, give or take the responder's radius of three seconds.
///
/// # Panics
///
/// When the product does not accept the answer.
#[must_use]
pub fn now_at(midpoint: Timestamp) -> Now {
    let mut clock = Clock::new([0; 16], Timestamp::default(), Limits::default());
    match set_clock(&mut clock, &reading_at(1, 0, Some(midpoint)), midpoint) {
        Accepted::Set(now) => now,
        Accepted::NeedsSecondKey(_) => unreachable!("a clock that was never set believes one key"),
    }
}

/// Sets a clock from the fixture responder's answer.
///
/// # Panics
///
/// When the product does not accept the answer.
pub fn set_clock(clock: &mut Clock, reading: &Reading, midpoint: Timestamp) -> Accepted {
    let responder = Responder::new([9; 32]);
    let key = TimeKey { public_key: responder.public_key(), epoch: 1 };
    let question = Clock::ask([1; 32], key, Source::ClockService, reading);
    let answer = responder.respond(&question.request_packet(&rustcrypto::PROVIDER), midpoint.unix_secs());
    let accepted = clock.accept(&rustcrypto::PROVIDER, question, &answer, reading, &mut Vec::new());
    accepted.expect("the answer is honest")
}

/// A reading in some boot, so many milliseconds after it began.
#[must_use]
pub fn reading_at(boot: u8, boot_millis: u64, wall: Option<Timestamp>) -> Reading {
    let boot = BootId::from_bytes([boot; 16]);
    Reading { boot, boot_millis, wall, hardware_counter: None, secure_millis: None }
}

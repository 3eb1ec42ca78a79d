//! Trusted time for tests, through the product's own door: an answer of the fixture responder.

use admit_crypto::rustcrypto;
use admit_time::{Outstanding, Timestamp, TrustedTime};

use crate::roughtime::Responder;

/// The time is `midpoint`, give or take the responder's radius of three seconds.
///
/// # Panics
///
/// When the product does not accept the answer.
#[must_use]
pub fn trusted_time(midpoint: Timestamp) -> TrustedTime {
    let responder = Responder::new([9; 32]);
    let question = Outstanding::new([1; 32], responder.public_key(), 0);
    let answer = responder.respond(&question.request_packet(&rustcrypto::PROVIDER), midpoint.unix_secs());
    question.accept(&rustcrypto::PROVIDER, &answer, 0, Timestamp::default()).expect("the answer is honest")
}

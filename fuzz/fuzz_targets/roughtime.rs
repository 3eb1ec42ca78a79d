//! Roughtime answers (RFC 10049): from outside, and signed as if they were true. A message is written as the bytes that
//! were read, and a time that is believed keeps every bound.
#![no_main]

use admit_fuzz::forge::{self, DRAFT, REQUEST, RESPONDER};
use admit_fuzz::{provider, seeds};
use admit_time::roughtime::{MAX_RADIUS_SECS, Tag, frame, unframe, verify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::offer(seeds), |bytes: &[u8]| {
    if let Ok(message) = unframe(bytes) {
        assert_eq!(frame(&forge::with(message, &[])), bytes);
    }
    check(bytes);
    if let Some(signed) = forge::sign(bytes) {
        check(&signed);
    }
});

fn check(packet: &[u8]) {
    let time = match verify(provider(), &RESPONDER.public_key(), &REQUEST, packet) {
        Ok(time) => time,
        Err(error) => return drop(error.to_string()),
    };
    assert!((1..=MAX_RADIUS_SECS).contains(&time.radius_secs()));
    let certificate = unframe(packet).and_then(|answer| answer.require(Tag::CERT)?.message());
    let delegation = certificate.and_then(|certificate| certificate.require(Tag::DELE)?.message());
    let delegation = delegation.expect("the answer was read");
    let bound = |tag| delegation.require(tag).and_then(|value| value.u64()).expect("the answer was read");
    assert!((bound(Tag::MINT)..=bound(Tag::MAXT)).contains(&time.midpoint().unix_secs()));
}

fn seeds() -> Vec<Vec<u8>> {
    let deep = RESPONDER.draft(&[&REQUEST, &[REQUEST.as_slice(), &[0; 4]].concat(), &REQUEST], 0, DRAFT.midpoint);
    [vec![DRAFT.seal(), deep.seal()], seeds::roughtime_answers()].concat()
}

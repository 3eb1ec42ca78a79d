//! Clock records, as they lie behind their seal: written and read as the same, and whatever one says, readings give a state
//! and a time whose bounds are in order, and a signed answer sets the clock or is refused.
#![no_main]

use admit_fuzz::forge::RESPONDER;
use admit_fuzz::{provider, round_trip, seeds};
use admit_time::Timestamp;
use admit_time::clock::{BootId, Clock, Limits, Reading, Record, Source, TimeKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::offer(seeds), |bytes: &[u8]| {
    let Some((&boot, body)) = bytes.split_first() else { return };
    let Some(read) = round_trip::<Record>(body) else { return };
    let record = Record::from_bytes(&read.to_bytes(), &read.store_epoch).expect("what is written is read");
    assert_eq!(record, read);
    let mut clock = Clock::resume(record, BUILD, Limits::default());
    for boot_millis in [0, 1, 1 << 40, u64::MAX] {
        observe(&mut clock, &reading(boot & 1, boot_millis));
    }
    let at = reading(1, 5);
    observe(&mut clock, &at);
    let key = TimeKey { public_key: RESPONDER.public_key(), epoch: 3 };
    let question = Clock::ask([1; 32], key, Source::ClockService, &at);
    let answer = RESPONDER.respond(&question.request_packet(provider()), BUILD.unix_secs() + 5);
    let _ = clock.accept(provider(), question, &answer, &at, &mut Vec::new());
    observe(&mut clock, &at);
});

fn observe(clock: &mut Clock, reading: &Reading) {
    let mut events = Vec::new();
    let now = clock.observe(reading, &mut events);
    assert_eq!(now.time().is_some(), now.state().has_time());
    for time in now.time().into_iter().chain(now.guess()) {
        assert!(time.earliest() <= time.latest());
        assert!(time.earliest() >= now.hard_floor());
    }
    events.iter().for_each(|event| drop(event.to_string()));
    let saved = clock.save(|_, _| Ok::<(), ()>(()));
    assert!(saved.is_ok() && !clock.needs_saving());
}

fn reading(boot: u8, boot_millis: u64) -> Reading {
    Reading {
        boot: BootId::from_bytes([boot; 16]),
        boot_millis,
        wall: Some(Timestamp::from_unix_secs(BUILD.unix_secs() + 1000)),
        hardware_counter: (boot_millis == 1).then_some(4),
        secure_millis: None,
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let mut clock = Clock::new([1; 16], BUILD, Limits::default());
    let unset = clock.record().to_bytes();
    let at = reading(1, 0);
    let key = TimeKey { public_key: RESPONDER.public_key(), epoch: 3 };
    let question = Clock::ask([1; 32], key, Source::ClockService, &at);
    let answer = RESPONDER.respond(&question.request_packet(provider()), BUILD.unix_secs() + 5);
    let set = clock.accept(provider(), question, &answer, &at, &mut Vec::new());
    assert!(set.is_ok());
    // The version byte is where the byte for the boot is read.
    vec![unset, clock.record().to_bytes()]
}

const BUILD: Timestamp = Timestamp::from_unix_secs(1_790_000_000);

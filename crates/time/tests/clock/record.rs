//! The record as it is kept.

use admit_time::Timestamp;
use admit_time::clock::{Clock, ClockState, Limits, Record, RecordError};

use crate::machine::{BUILD, Machine};

const EPOCH: [u8; 16] = [1; 16];

fn full() -> Record {
    let mut machine = Machine::unset();
    machine.counter = Some(3);
    machine.secure_millis = Some(5);
    machine.sync();
    machine.run(400);
    machine.observe();
    machine.clock.record().clone()
}

#[test]
fn a_record_reads_as_it_was_written() {
    for record in [Record::new(EPOCH), full()] {
        let bytes = record.to_bytes();
        assert_eq!(Record::from_bytes(&bytes, &EPOCH).unwrap(), record);
    }
}

#[test]
fn a_damaged_record_is_an_error_and_never_a_clock_that_was_not_set() {
    let bytes = full().to_bytes();
    for end in 0..bytes.len() {
        assert!(Record::from_bytes(&bytes[..end], &EPOCH).is_err(), "cut at {end}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(Record::from_bytes(&longer, &EPOCH), Err(RecordError::Malformed { position: bytes.len() }));
}

#[test]
fn a_record_of_a_newer_program_is_told_apart_from_a_damaged_one() {
    let mut bytes = full().to_bytes();
    bytes[0] = 2;
    assert_eq!(Record::from_bytes(&bytes, &EPOCH), Err(RecordError::UnknownVersion { version: 2 }));
}

#[test]
fn copies_are_kept_in_two_places_in_turn() {
    let mut machine = Machine::set();
    let mut sequences = Vec::new();
    for _ in 0..3 {
        let keep = |sequence, _: &[u8]| {
            sequences.push(sequence);
            Ok::<(), ()>(())
        };
        machine.clock.save(keep).unwrap();
    }
    assert_eq!(sequences, [1, 2, 3]);
    let before = machine.clock.clone();
    assert_eq!(machine.clock.save(|_, _| Err("disk full")), Err("disk full"));
    assert_eq!(machine.clock, before, "what was not kept has not happened");
}

#[test]
fn an_older_copy_is_a_fault_and_at_most_estimated() {
    let mut machine = Machine::set();
    let older = machine.clock.record().clone();
    machine.clock = Clock::resume_older(older, Timestamp::from_unix_secs(BUILD), Limits::default());
    assert_eq!(machine.state(), ClockState::Estimated);
    assert_eq!(machine.faults(), 1);
    assert!(machine.clock.needs_saving());
}

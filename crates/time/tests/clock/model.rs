//! Anything may happen to a machine, and a naive model of it: what was signed, and what was measured since.

use admit_time::Timestamp;
use admit_time::clock::{Accepted, BootId, Clock, ClockState, Limits, Reading, Record};
use proptest::prelude::*;

use crate::machine::{BUILD, DAY, Machine, START, server};

#[derive(Debug, Clone)]
enum Step {
    Run(u64),
    Reboot(u64),
    SetWallClock(u64),
    Sync,
    SyncWrong(u64),
    Revocation(u64, u64),
    Save,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..2 * DAY).prop_map(Step::Run),
        3 => (0..20 * DAY).prop_map(Step::Reboot),
        3 => prop_oneof![Just(0), START - 40 * DAY..START + 400 * DAY, Just(u64::MAX / 4)].prop_map(Step::SetWallClock),
        2 => Just(Step::Sync),
        1 => (START - 40 * DAY..START + 400 * DAY).prop_map(Step::SyncWrong),
        1 => (0..5_u64, 0..3_u64).prop_map(|(version, epoch)| Step::Revocation(version, epoch)),
        1 => Just(Step::Save),
    ]
}

/// What is known for certain: the last signed time and what was measured since, in milliseconds.
#[derive(Debug, Default)]
struct Model {
    certain: Option<u64>,
    hard_floor: u64,
    latest: Option<u64>,
}

impl Model {
    fn signed(&mut self, midpoint: u64) {
        self.certain = Some(midpoint * 1000);
        self.hard_floor = self.hard_floor.max(midpoint - 3);
        self.latest = None;
    }
}

fn apply(machine: &mut Machine, model: &mut Model, step: &Step) {
    match *step {
        Step::Run(secs) => {
            machine.run(secs);
            model.certain = model.certain.map(|certain| certain + secs * 1000);
        }
        Step::Reboot(secs) => machine.reboot_after(secs),
        Step::SetWallClock(secs) => machine.set_wall_clock(secs),
        Step::Sync => sync(machine, model, machine.truth / 1000),
        Step::SyncWrong(midpoint) => sync(machine, model, midpoint),
        Step::Revocation(version, epoch) => {
            let is_newer = version > machine.clock.record().revocation_version;
            let resets = is_newer && epoch > machine.clock.record().reset_epoch;
            machine.clock.take_revocation(version, Timestamp::from_unix_secs(START), epoch);
            if resets {
                *model = Model { hard_floor: START, ..Model::default() };
            } else if is_newer {
                model.hard_floor = model.hard_floor.max(START);
            }
        }
        Step::Save => machine.save_and_load(),
    }
}

fn sync(machine: &mut Machine, model: &mut Model, midpoint: u64) {
    if let Ok(Accepted::Set(now)) = machine.ask(&server(1), midpoint, 9, 0) {
        assert!(matches!(now.state(), ClockState::Trusted), "{now:?}");
        model.signed(midpoint);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn time_never_goes_back_nor_before_a_floor_nor_before_what_is_certain(steps in prop::collection::vec(step(), 1..30)) {
        let mut machine = Machine::unset();
        let mut model = Model { hard_floor: BUILD, ..Model::default() };
        for step in &steps {
            // Readings are taken at every step, as at every use: what no reading saw cannot be counted.
            apply(&mut machine, &mut model, step);
            let now = machine.observe();
            prop_assert_eq!(now.state() == ClockState::Unset, model.certain.is_none());
            prop_assert_eq!(now.time().is_some(), now.state().has_time());
            prop_assert!(now.hard_floor().unix_secs() >= BUILD);
            let (Some(time), Some(certain)) = (now.time(), model.certain) else { continue };
            prop_assert!(time.earliest() <= time.latest());
            prop_assert!(time.earliest().unix_secs() >= model.hard_floor);
            prop_assert!(time.latest().unix_secs() >= certain / 1000);
            // Earliest is never moved by a wall clock: it is within the uncertainty of what is certain.
            let uncertainty = 300 + 3;
            prop_assert!(time.earliest().unix_secs() <= (certain / 1000).max(model.hard_floor));
            prop_assert!(time.earliest().unix_secs() + uncertainty >= certain / 1000);
            if let Some(latest) = model.latest {
                prop_assert!(time.latest().unix_secs() >= latest, "back from {} to {}", latest, time.latest());
            }
            model.latest = Some(time.latest().unix_secs());
        }
    }

    #[test]
    fn whatever_a_wall_clock_showed_one_signed_time_puts_it_right(steps in prop::collection::vec(step(), 1..30)) {
        let mut machine = Machine::set();
        for step in steps.iter().filter(|step| !matches!(step, Step::SyncWrong(_) | Step::Revocation(..))) {
            apply(&mut machine, &mut Model::default(), step);
            machine.observe();
        }
        machine.wall_ahead = 0;
        let midpoint = machine.truth / 1000;
        match machine.ask(&server(1), midpoint, 9, 0) {
            Ok(Accepted::Set(_)) => {}
            // A wall clock that hid a long time makes the true time a long jump: two keys say so.
            Ok(Accepted::NeedsSecondKey(first)) => {
                let question = machine.question(&server(2), 9);
                let answer = server(2).respond(&question.request_packet(crate::machine::PROVIDER), midpoint);
                let reading = machine.reading();
                machine.clock.confirm(crate::machine::PROVIDER, &first, question, &answer, &reading).unwrap();
            }
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        }
        prop_assert_eq!(machine.state(), ClockState::Trusted);
        let (earliest, latest) = machine.time();
        let truth = midpoint.cast_signed() - START.cast_signed();
        prop_assert_eq!((earliest, latest), (truth - 3, truth + 3));
    }

    #[test]
    fn no_record_and_no_reading_makes_a_panic(
        numbers in prop::array::uniform8(any::<u64>()),
        offset in any::<i64>(),
        flags in prop::array::uniform4(any::<bool>()),
    ) {
        let mut record = Machine::set().clock.record().clone();
        record.run_millis = numbers[0];
        record.soft_floor_millis = numbers[1];
        record.wall_offset_secs = offset;
        record.hardware_counter = flags[0].then_some(numbers[2]);
        record.rolled_back_millis = numbers[3];
        record.continuous = flags[1];
        record.reboots = u32::MAX;
        record.sequence = u64::MAX;
        let signed = record.signed.as_mut().unwrap();
        signed.time_millis = numbers[4];
        signed.uncertainty_millis = numbers[5];
        let reading = Reading {
            boot: BootId::from_bytes([u8::from(flags[2]); 16]),
            boot_millis: numbers[6],
            wall: flags[3].then(|| Timestamp::from_unix_secs(numbers[7])),
            hardware_counter: flags[3].then_some(numbers[2]),
            secure_millis: None,
        };
        let bytes = record.to_bytes();
        let record = Record::from_bytes(&bytes, &[1; 16]).unwrap();
        let mut clock = Clock::resume(record, Timestamp::from_unix_secs(BUILD), Limits::default());
        let now = clock.observe(&reading, &mut Vec::new());
        if let Some(time) = now.time() {
            prop_assert!(time.earliest() <= time.latest());
        }
        clock.save(|_, _| Ok::<(), ()>(())).unwrap();
    }
}

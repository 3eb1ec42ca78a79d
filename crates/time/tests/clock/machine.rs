//! A machine with a wall clock that anybody may set, and a clock in it.

use std::time::Duration;

use admit_crypto::Provider;
use admit_time::clock::{Accepted, BootId, Clock, ClockState, Event, Limits, Now, Question, Reading, Source, TimeKey};
use admit_time::{Error, Timestamp};

use crate::responder::Responder;

pub(crate) static PROVIDER: &Provider = &admit_crypto::rustcrypto::PROVIDER;

/// When the program was made.
pub(crate) const BUILD: u64 = 1_790_000_000;
/// When the tests begin.
pub(crate) const START: u64 = 1_800_000_000;
pub(crate) const DAY: u64 = 86_400;
/// Radius of honest answers, seconds.
pub(crate) const RADIUS: u64 = 3;

/// A machine. `truth` is the real time, in milliseconds since 1970.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) clock: Clock,
    pub(crate) truth: u64,
    pub(crate) boot: u8,
    pub(crate) boot_millis: u64,
    /// Seconds that the wall clock is ahead of the truth.
    pub(crate) wall_ahead: i64,
    pub(crate) counter: Option<u64>,
    pub(crate) secure_millis: Option<u64>,
    pub(crate) events: Vec<Event>,
    nonce: u64,
}

impl Machine {
    /// A machine whose clock was never set.
    pub(crate) fn unset() -> Self {
        Self {
            clock: Clock::new([1; 16], Timestamp::from_unix_secs(BUILD), Limits::default()),
            truth: START * 1000,
            boot: 1,
            boot_millis: 50_000,
            wall_ahead: 0,
            counter: None,
            secure_millis: None,
            events: Vec::new(),
            nonce: 0,
        }
    }

    /// A machine whose clock was just set.
    pub(crate) fn set() -> Self {
        let mut machine = Self::unset();
        machine.sync();
        machine
    }

    pub(crate) fn reading(&self) -> Reading {
        let wall = (self.truth / 1000).saturating_add_signed(self.wall_ahead);
        Reading {
            boot: BootId::from_bytes([self.boot; 16]),
            boot_millis: self.boot_millis,
            wall: Some(Timestamp::from_unix_secs(wall)),
            hardware_counter: self.counter,
            secure_millis: self.secure_millis,
        }
    }

    pub(crate) fn observe(&mut self) -> Now {
        let reading = self.reading();
        self.clock.observe(&reading, &mut self.events)
    }

    pub(crate) fn state(&mut self) -> ClockState {
        self.observe().state()
    }

    /// Earliest and latest, as seconds from the start of the tests.
    pub(crate) fn time(&mut self) -> (i64, i64) {
        let now = self.observe();
        let time = now.time().expect("the clock has a time");
        (since_start(time.earliest()), since_start(time.latest()))
    }

    pub(crate) fn faults(&self) -> u32 {
        self.clock.record().faults
    }

    /// The machine runs, or is suspended: the boot-time clock counts both.
    pub(crate) fn run(&mut self, secs: u64) {
        self.truth += secs * 1000;
        self.boot_millis += secs * 1000;
        self.secure_millis = self.secure_millis.map(|millis| millis + secs * 1000);
    }

    /// The machine is off, and starts again.
    pub(crate) fn reboot_after(&mut self, secs: u64) {
        self.truth += secs * 1000;
        self.boot += 1;
        self.boot_millis = 20_000;
        self.secure_millis = self.secure_millis.map(|millis| millis + secs * 1000);
    }

    /// The wall clock shows this time.
    pub(crate) fn set_wall_clock(&mut self, secs: u64) {
        self.wall_ahead = secs.cast_signed() - (self.truth / 1000).cast_signed();
    }

    /// An honest server signs the true time, without delay.
    pub(crate) fn sync(&mut self) {
        self.set_by(&server(1), self.truth / 1000, 1, 0);
    }

    /// A server answers with this midpoint, after a while, and sets the clock.
    pub(crate) fn set_by(&mut self, server: &Responder, midpoint: u64, epoch: u64, round_trip_millis: u64) {
        let answer = self.ask(server, midpoint, epoch, round_trip_millis);
        assert!(matches!(answer, Ok(Accepted::Set(_))), "{answer:?}");
    }

    pub(crate) fn question(&mut self, server: &Responder, epoch: u64) -> Question {
        self.nonce += 1;
        let mut nonce = [0; 32];
        nonce[..8].copy_from_slice(&self.nonce.to_be_bytes());
        let key = TimeKey { public_key: server.public_key(), epoch };
        Clock::ask(nonce, key, Source::ClockService, &self.reading())
    }

    /// A server answers with this midpoint, after a while.
    pub(crate) fn ask(
        &mut self,
        server: &Responder,
        midpoint: u64,
        epoch: u64,
        round_trip_millis: u64,
    ) -> Result<Accepted, Error> {
        let question = self.question(server, epoch);
        let answer = server.respond(&question.request_packet(PROVIDER), midpoint);
        self.truth += round_trip_millis;
        self.boot_millis += round_trip_millis;
        self.accept(question, &answer)
    }

    pub(crate) fn accept(&mut self, question: Question, answer: &[u8]) -> Result<Accepted, Error> {
        let reading = self.reading();
        self.clock.accept(PROVIDER, question, answer, &reading, &mut self.events)
    }

    /// The record as it is kept, and what comes back from there.
    pub(crate) fn save_and_load(&mut self) {
        let mut kept = Vec::new();
        let write = |_, bytes: &[u8]| {
            kept = bytes.to_vec();
            Ok::<(), ()>(())
        };
        self.clock.save(write).unwrap();
        let record = admit_time::clock::Record::from_bytes(&kept, &[1; 16]).unwrap();
        let loaded = Clock::resume(record, Timestamp::from_unix_secs(BUILD), Limits::default());
        assert_eq!(loaded, self.clock, "nothing is lost on the way");
        self.clock = loaded;
    }
}

/// A time server by its number.
pub(crate) fn server(number: u8) -> Responder {
    Responder::new([number; 32])
}

pub(crate) fn since_start(time: Timestamp) -> i64 {
    time.unix_secs().cast_signed() - START.cast_signed()
}

pub(crate) const fn days(count: u64) -> Duration {
    Duration::from_secs(count * DAY)
}

//! A client's clock: a state machine over one record, between signed times that are rare and clock readings that their
//! owner can change.
//!
//! [`Clock::observe`] takes a [`Reading`] and says what time it is, as far as that is certain; [`Clock::ask`] and
//! [`Clock::accept`] set it from a signed answer. It is pure: whoever uses it brings readings and keeps the [`Record`].
//!
//! Two clocks are read. The boot-time clock cannot be set, counts suspended time, and is all that is believed while it runs on
//! from a signed time. The wall clock is its owner's: it is asked only across a reboot, and only for how late it may be,
//! never for how late it certainly is.

mod answer;
mod event;
mod limits;
mod now;
mod observe;
mod reading;
mod record;
mod state;

use alloc::vec::Vec;

pub use answer::{Accepted, Question, TimeKey, Unconfirmed};
pub use event::Event;
pub use limits::Limits;
pub use now::Now;
pub use reading::{BootId, Reading};
pub use record::{Record, RecordError, Rollback, Seen, SignedAt, Source};
pub use state::ClockState;

use crate::Timestamp;

/// A client's clock in one realm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    record: Record,
    saved: Record,
    build_time: Timestamp,
    limits: Limits,
}

impl Clock {
    /// A clock that was never set. `build_time` is when the program was made, which has certainly passed.
    #[must_use]
    pub fn new(store_epoch: [u8; 16], build_time: Timestamp, limits: Limits) -> Self {
        Self::resume(Record::new(store_epoch), build_time, limits)
    }

    /// The clock of a record that was kept.
    #[must_use]
    pub fn resume(record: Record, build_time: Timestamp, limits: Limits) -> Self {
        Self { saved: record.clone(), record, build_time, limits }
    }

    /// The clock of a record whose newer copy is lost: it may have missed a reboot, or a wall clock that was set back, so it
    /// counts a fault and runs on from no signed time.
    #[must_use]
    pub fn resume_older(mut record: Record, build_time: Timestamp, limits: Limits) -> Self {
        let saved = record.clone();
        record.continuous = false;
        record.faults = record.faults.saturating_add(1);
        Self { record, saved, build_time, limits }
    }

    /// What is remembered.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// The limits that it keeps.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// When the program was made.
    #[must_use]
    pub const fn build_time(&self) -> Timestamp {
        self.build_time
    }

    /// A time that has certainly passed: of the build, of the newest revocation information, of the last signed time.
    #[must_use]
    pub fn hard_floor(&self) -> Timestamp {
        self.record.hard_floor.max(self.build_time)
    }

    /// Whether the record should be kept now: something happened, or it has run long enough that a crash would lose
    /// too much. What is not kept now is not lost while the machine runs, for the next reading measures it again.
    #[must_use]
    pub fn needs_saving(&self) -> bool {
        self.has_run(self.limits.save_interval_millis())
    }

    /// Whether the record should be kept at the end of a use: something happened, or a restart would lose a second or more.
    #[must_use]
    pub fn needs_saving_at_end(&self) -> bool {
        self.has_run(MILLIS)
    }

    /// Whether it has run so long since the record was kept, or something happened.
    fn has_run(&self, millis: u64) -> bool {
        let ran = self.record.run_millis.abs_diff(self.saved.run_millis);
        let stepped = self.record.wall_offset_secs.abs_diff(self.saved.wall_offset_secs);
        let has_stepped = stepped > self.limits.rollback_tolerance.as_secs();
        ran >= millis || has_stepped || self.record.without_movement() != self.saved.without_movement()
    }

    /// Keeps the record: `write` is given its bytes and its sequence number, of which the last bit says which of two
    /// places they belong in.
    pub fn save<E>(&mut self, write: impl FnOnce(u64, &[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut next = self.record.clone();
        next.sequence = next.sequence.saturating_add(1);
        let bytes: Vec<u8> = next.to_bytes();
        write(next.sequence, &bytes)?;
        self.saved = next.clone();
        self.record = next;
        Ok(())
    }

    /// Whether this value of the hardware counter can be of the counter that the record knows: a record is ahead by one step
    /// at most, where it was cut between keeping and raising.
    #[must_use]
    pub fn is_same_counter(&self, found: u64) -> bool {
        self.record.hardware_counter.is_none_or(|kept| kept <= found.saturating_add(1))
    }

    /// Whether the hardware counter must be raised by one now that the record which says so is kept. It need not where it
    /// stands there already, and must not where it is another one.
    #[must_use]
    pub fn must_count(&self, reading: &Reading) -> bool {
        let counter = self.saved.hardware_counter.zip(reading.hardware_counter);
        counter.is_some_and(|(kept, found)| kept.checked_sub(found) == Some(1))
    }

    /// Takes what signed revocation information says: it was issued then, and time certificates have this epoch at least. A
    /// higher epoch than any before also means that times signed before may be wrong: the floors come down to the time it
    /// was issued, and the clock is unset. Information that is not newer changes nothing.
    pub fn take_revocation(&mut self, version: u64, issued_at: Timestamp, epoch: u64) {
        let record = &mut self.record;
        if version <= record.revocation_version {
            return;
        }
        record.revocation_version = version;
        if epoch > record.reset_epoch {
            record.reset_epoch = epoch;
            record.certificate_epoch = record.certificate_epoch.max(epoch);
            record.hard_floor = issued_at;
            record.forget_time();
        } else {
            record.hard_floor = record.hard_floor.max(issued_at);
        }
    }

    /// A server has seen a later state of the store than this one.
    pub fn store_is_older(&mut self) {
        self.record.store_rolled_back = true;
    }
}

/// Milliseconds in a second.
const MILLIS: u64 = 1000;

//! A reading: how much time was measured since the last one, and what the wall clock says of the rest.

use alloc::vec::Vec;

use super::{Clock, ClockState, Event, MILLIS, Now, Reading, Rollback, Seen, limits};
use crate::Timestamp;

impl Clock {
    /// Takes a reading: at every start, at every use, and every minute of use (row E04). `events` gets what is worth a line in
    /// the log.
    pub fn observe(&mut self, reading: &Reading, events: &mut Vec<Event>) -> Now {
        let before = self.state();
        self.check_counter(reading, events);
        if self.record.signed.is_some() {
            self.advance(reading, events);
            self.look_at_wall_clock(reading, events);
            self.count(reading);
        }
        let now = self.now();
        if now.state() == ClockState::Stale && before != ClockState::Stale {
            events.push(Event::WentStale);
        }
        now
    }

    /// A record that is behind the hardware counter is an older copy, and one that knows of a counter that is gone
    /// cannot be shown to be none.
    fn check_counter(&mut self, reading: &Reading, events: &mut Vec<Event>) {
        let record = &mut self.record;
        let is_older = match (record.hardware_counter, reading.hardware_counter) {
            (Some(kept), Some(found)) => kept < found,
            (Some(_), None) => true,
            (None, found) => {
                record.hardware_counter = found;
                false
            }
        };
        if is_older && !record.store_rolled_back {
            record.store_rolled_back = true;
            record.faults = record.faults.saturating_add(1);
            events.push(Event::StoreRolledBack);
        }
    }

    /// Adds what was measured since the last reading.
    fn advance(&mut self, reading: &Reading, events: &mut Vec<Event>) {
        let record = &mut self.record;
        let measured = record.seen.and_then(|seen| measured_millis(&seen, reading));
        if measured.is_none() {
            record.continuous = false;
            record.reboots = record.reboots.saturating_add(1);
            events.push(Event::Restarted);
        }
        let millis = measured.unwrap_or(0);
        record.run_millis = record.run_millis.saturating_add(millis);
        record.soft_floor_millis = record.soft_floor_millis.saturating_add(millis);
        if record.rollback.is_some() {
            record.rolled_back_millis = record.rolled_back_millis.saturating_add(millis);
        }
        let step = record.seen.zip(measured).and_then(|(seen, millis)| step_secs(&seen, reading, millis));
        if let Some(by_secs) = step.filter(|step| step.unsigned_abs() > self.limits.rollback_tolerance.as_secs()) {
            record.suspicious = true;
            events.push(Event::WallClockStepped { by_secs });
        }
        record.seen = Some(Seen::from(reading));
    }

    /// While the clock runs on from a signed time the wall clock only tells how far off it is. Else it tells how much
    /// time may have passed, and whether it was set back.
    fn look_at_wall_clock(&mut self, reading: &Reading, events: &mut Vec<Event>) {
        let Some(wall) = reading.wall else { return };
        if self.record.continuous {
            let time_secs = self.record.soft_floor_millis / MILLIS;
            self.record.wall_offset_secs = time_secs.cast_signed().saturating_sub(wall.unix_secs().cast_signed());
            return;
        }
        let shown = Timestamp::from_unix_secs(wall.unix_secs().saturating_add_signed(self.record.wall_offset_secs));
        let floor = Timestamp::from_unix_secs(self.record.soft_floor_millis / MILLIS);
        let tolerance = self.limits.rollback_tolerance;
        if shown.saturating_add(tolerance) >= floor {
            let shown_millis = shown.unix_secs() * MILLIS;
            // What a wall clock says behind a rollback counts for nothing.
            if self.record.rollback.is_none() {
                self.record.soft_floor_millis = self.record.soft_floor_millis.max(shown_millis);
            }
        } else if self.record.rollback.is_none() {
            let rollback = self.kind_of_rollback(wall, shown);
            let is_fault = rollback != Rollback::BatteryEmpty;
            self.record.rollback = Some(rollback);
            self.record.faults = self.record.faults.saturating_add(u32::from(is_fault));
            events.push(Event::RolledBack { found: shown, floor, is_fault });
        }
    }

    fn kind_of_rollback(&self, wall: Timestamp, shown: Timestamp) -> Rollback {
        if wall < self.build_time {
            Rollback::BatteryEmpty
        } else if shown.saturating_add(self.limits.rollback_tolerance) < self.hard_floor() {
            Rollback::BelowHardFloor
        } else {
            Rollback::BelowSoftFloor
        }
    }

    /// Raises the hardware counter once in a while.
    fn count(&mut self, reading: &Reading) {
        let since = self.record.run_millis.saturating_sub(self.record.counted_millis);
        if since >= limits::millis(self.limits.counter_interval) {
            self.raise_counter(reading);
        }
    }

    /// A long use knows the counter as it was at its beginning: where others have raised it since, it stays where they left it.
    pub(super) fn raise_counter(&mut self, reading: &Reading) {
        if let Some(counter) = reading.hardware_counter {
            self.record.hardware_counter = self.record.hardware_counter.max(Some(counter.saturating_add(1)));
            self.record.counted_millis = self.record.run_millis;
        }
    }
}

/// Milliseconds between two readings; none where no clock measured them. A protected hardware clock measures over
/// reboots too.
fn measured_millis(seen: &Seen, reading: &Reading) -> Option<u64> {
    if let Some(earlier) = seen.secure_millis {
        return reading.secure_millis?.checked_sub(earlier);
    }
    if seen.boot == reading.boot { reading.boot_millis.checked_sub(seen.boot_millis) } else { None }
}

/// By how many seconds the wall clock moved otherwise than it should have.
fn step_secs(seen: &Seen, reading: &Reading, millis: u64) -> Option<i64> {
    let moved = reading.wall?.unix_secs().cast_signed().saturating_sub(seen.wall?.unix_secs().cast_signed());
    Some(moved.saturating_sub((millis / MILLIS).cast_signed()))
}

impl From<&Reading> for Seen {
    fn from(reading: &Reading) -> Self {
        let Reading { boot, boot_millis, wall, secure_millis, .. } = *reading;
        Self { boot, boot_millis, wall, secure_millis }
    }
}

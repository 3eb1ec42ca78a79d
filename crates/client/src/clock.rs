//! The clock's record in the store: two copies, written in turn, each an ordinary record under the store's seal and tree. So it
//! moves with the store's position, and goes when the store goes.

use core::ops::ControlFlow;

use admit_crypto::Entropy;
use admit_license::{LicenseId, RollbackAction};
use admit_time::Timestamp;
use admit_time::clock::{Clock, ClockState, Event, Limits, Now, Reading, Record, RecordError, Rollback};
use admit_trust::{ClockKind, DateCheck};

use crate::ledger::{hex, tampered};
use crate::write::{Place, Writes};
use crate::{Error, Identity, KeyValue, StorageError, Store};

/// What certificates' dates are judged by: the time where it is trusted, else a time that has certainly passed. A wall clock
/// makes no certificate end.
#[must_use]
pub fn dates(now: &Now) -> DateCheck {
    match now.time().filter(|_| now.state() == ClockState::Trusted) {
        Some(time) => DateCheck::At(time.latest()),
        None => DateCheck::NotExpiredBefore(now.hard_floor()),
    }
}

/// A hardware clock counts only where the client's certificate says that there is one (row E03).
#[must_use]
pub fn clock_reading(identity: &Identity, reading: &Reading) -> Reading {
    let is_secure = identity.properties().clock == ClockKind::Secure;
    Reading { secure_millis: reading.secure_millis.filter(|_| is_secure), ..*reading }
}

impl<K: KeyValue> Store<'_, K> {
    /// The client's clock. Where one copy is damaged the other one counts; where there is no copy left there was none yet,
    /// or it is an error: a damaged clock is never one that was not set.
    pub fn clock(&self, build_time: Timestamp, limits: Limits) -> Result<Clock, Error> {
        let copies = COPIES.map(|key| self.copy(key));
        let is_damaged = copies.iter().any(|copy| matches!(copy, Err(Error::StoreTampered { .. })));
        let mut newest: Option<Record> = None;
        let mut damage = None;
        for copy in copies {
            match copy {
                Ok(Some(copy)) if newest.as_ref().is_none_or(|known| known.sequence < copy.sequence) => {
                    newest = Some(copy);
                }
                Ok(_) => {}
                Err(error @ Error::StoreTampered { .. }) => damage = Some(error),
                Err(error) => return Err(error),
            }
        }
        match (newest, damage) {
            (Some(record), _) if is_damaged => Ok(Clock::resume_older(record, build_time, limits)),
            (Some(record), _) => Ok(Clock::resume(record, build_time, limits)),
            (None, Some(damage)) => Err(damage),
            (None, None) => Ok(Clock::new(*self.position().epoch, build_time, limits)),
        }
    }

    /// Keeps the clock's record, in the place of the older copy.
    pub fn keep_clock(&mut self, clock: &mut Clock, entropy: &mut dyn Entropy) -> Result<(), Error> {
        clock.save(|sequence, record| {
            let mut writes = Writes::default();
            Self::clock_write(sequence, record, &mut writes);
            self.commit_all(writes, entropy)
        })
    }

    /// Takes the clock that another process kept meanwhile, where one did, and says so.
    pub fn refresh_clock(&self, clock: &mut Clock) -> Result<bool, Error> {
        let kept = self.clock(clock.build_time(), *clock.limits())?;
        let is_newer = kept.record().sequence != clock.record().sequence;
        if is_newer {
            *clock = kept;
        }
        Ok(is_newer)
    }

    /// Takes a reading while others may use the store: where one of them kept the clock, theirs goes on. Keeps the record
    /// when it is time; if another one is faster, the next reading tries again.
    pub(crate) fn follow_clock(
        &mut self,
        clock: &mut Clock,
        readings: (&Reading, &mut dyn FnMut() -> Reading),
        events: &mut Vec<Event>,
        entropy: &mut dyn Entropy,
    ) -> Result<Now, Error> {
        self.follow(Clock::needs_saving, clock, readings, events, entropy)
    }

    /// The same at the end of a use (row E04), where all is kept that a restart would lose.
    pub fn leave_clock(
        &mut self,
        clock: &mut Clock,
        read: &mut dyn FnMut() -> Reading,
        events: &mut Vec<Event>,
        entropy: &mut dyn Entropy,
    ) -> Result<(), Error> {
        self.follow(Clock::needs_saving_at_end, clock, (&read(), read), events, entropy).map(drop)
    }

    fn follow(
        &mut self,
        is_due: fn(&Clock) -> bool,
        clock: &mut Clock,
        (reading, read): (&Reading, &mut dyn FnMut() -> Reading),
        events: &mut Vec<Event>,
        entropy: &mut dyn Entropy,
    ) -> Result<Now, Error> {
        let known = events.len();
        let mut now = clock.observe(reading, events);
        if !is_due(clock) {
            return Ok(now);
        }
        self.refresh()?;
        if self.refresh_clock(clock)? {
            // Theirs may be of a later moment than that reading.
            events.truncate(known);
            now = clock.observe(&read(), events);
            if !is_due(clock) {
                return Ok(now);
            }
        }
        match self.keep_clock(clock, entropy) {
            Ok(()) | Err(Error::Storage(StorageError::Conflict)) => Ok(now),
            Err(error) => Err(error),
        }
    }

    /// Deletes the licenses that ask for it when the wall clock was set back before a signed time, and names them. Before an
    /// estimate, or with an empty battery, nothing is deleted: that may be nobody's doing.
    pub fn delete_rolled_back(&mut self, now: &Now, entropy: &mut dyn Entropy) -> Result<Vec<LicenseId>, Error> {
        if now.rollback() != Some(Rollback::BelowHardFloor) {
            return Ok(Vec::new());
        }
        let mut asking = Vec::new();
        self.scan(&mut |_, held| {
            let terms = held.license.terms();
            if terms.rollback_action == Some(RollbackAction::Delete) && terms.time_limits().any() {
                asking.push((terms.key_id, terms.id));
            }
            ControlFlow::Continue(())
        })?;
        asking.sort();
        self.delete_all(&asking, entropy)?;
        Ok(asking.into_iter().map(|(_, id)| id).collect())
    }

    /// The writes that keep a clock's record.
    pub(crate) fn clock_write(sequence: u64, record: &[u8], writes: &mut Writes) {
        let key = if sequence.is_multiple_of(2) { COPIES[0] } else { COPIES[1] };
        writes.put(Place::Storage, key.to_vec(), record.to_vec());
    }

    fn copy(&self, key: &[u8]) -> Result<Option<Record>, Error> {
        let Some(kept) = self.get(Place::Storage, key)? else { return Ok(None) };
        let unreadable = |error| match error {
            RecordError::UnknownVersion { version } => Error::StoreVersion { record: hex(key), version },
            RecordError::Malformed { position } => Error::StoreRecord { record: hex(key), position },
            _ => tampered(key),
        };
        Record::from_bytes(kept.bytes(), &self.position().epoch).map(Some).map_err(unreadable)
    }
}

/// The two places of the record.
const COPIES: [&[u8]; 2] = [b"c0", b"c1"];

//! The clock's record in the store: two copies, written in turn, each an ordinary record under the store's seal and tree. So it
//! moves with the store's position, and goes when the store goes.

use admit_crypto::Entropy;
use admit_time::Timestamp;
use admit_time::clock::{Clock, Limits, Record, RecordError};

use crate::ledger::{hex, tampered};
use crate::write::{Place, Writes};
use crate::{Error, KeyValue, Store};

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
            let key = if sequence.is_multiple_of(2) { COPIES[0] } else { COPIES[1] };
            writes.put(Place::Storage, key.to_vec(), record.to_vec());
            self.commit_all(writes, entropy)
        })
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

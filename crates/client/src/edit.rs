//! Changes to licenses that are made together: the record of each key is read once, and written once if anything in it
//! changed.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use admit_license::{HeldLicense, KeyId, Kind, LicenseId, Terms, Usage, VerifiedLicense};
use admit_time::Timestamp;

use crate::store::licenses_key;
use crate::write::{Place, Writes};
use crate::{Error, KeyValue, Store};

/// Licenses as they will be.
pub(crate) struct Edit<'s, 'p, K> {
    store: &'s Store<'p, K>,
    records: BTreeMap<(Place, KeyId), Record>,
}

/// The licenses for one key in one place.
struct Record {
    held: Vec<HeldLicense>,
    is_changed: bool,
}

impl<'s, 'p, K: KeyValue> Edit<'s, 'p, K> {
    pub(crate) const fn of(store: &'s Store<'p, K>) -> Self {
        Self { store, records: BTreeMap::new() }
    }

    /// How a license was used, and where that is kept.
    pub(crate) fn usage(&mut self, key_id: KeyId, id: LicenseId) -> Result<Option<(Place, Usage)>, Error> {
        for place in Place::ALL {
            let record = self.record(place, key_id)?;
            if let Some(held) = record.held.iter().find(|held| held.license.terms().id == id) {
                return Ok(Some((place, held.usage)));
            }
        }
        Ok(None)
    }

    /// Changes how a license was used, where it is there.
    pub(crate) fn set_usage(&mut self, place: Place, (key_id, id): (KeyId, LicenseId), to: Usage) -> Result<(), Error> {
        let record = self.record(place, key_id)?;
        for held in record.held.iter_mut().filter(|held| held.license.terms().id == id) {
            held.usage = to;
            record.is_changed = true;
        }
        Ok(())
    }

    /// Adds a license that is not there yet.
    pub(crate) fn add(&mut self, place: Place, license: &VerifiedLicense, usage: Usage) -> Result<(), Error> {
        let terms = license.terms();
        let record = self.record(place, terms.key_id)?;
        record.held.push(HeldLicense { license: license.clone(), usage });
        record.held.sort_by_key(|held| held.license.terms().id);
        record.is_changed = true;
        Ok(())
    }

    /// Removes licenses for a key from a place. Says whether there were any.
    pub(crate) fn remove(
        &mut self,
        place: Place,
        key_id: KeyId,
        is_removed: impl Fn(&HeldLicense) -> bool,
    ) -> Result<bool, Error> {
        let record = self.record(place, key_id)?;
        let before = record.held.len();
        record.held.retain(|held| !is_removed(held));
        let is_less = record.held.len() < before;
        record.is_changed |= is_less;
        Ok(is_less)
    }

    /// Removes a license wherever it is. Says whether it was anywhere.
    pub(crate) fn delete(&mut self, key_id: KeyId, id: LicenseId) -> Result<bool, Error> {
        Place::ALL.iter().try_fold(false, |was_there, &place| {
            Ok(self.remove(place, key_id, |held| held.license.terms().id == id)? || was_there)
        })
    }

    /// Removes the licenses that can never be used again from the records that are written anyway, but for those in `kept`. A
    /// root goes only where another one takes its place: leaves that name it may be anywhere in the store.
    pub(crate) fn bury(&mut self, certain: Option<Timestamp>, kept: &[(KeyId, LicenseId)]) {
        for ((_, key_id), record) in self.records.iter_mut().filter(|(_, record)| record.is_changed) {
            let (living, dead): (Vec<_>, Vec<_>) = record.held.drain(..).partition(|held| held.dead(certain).is_none());
            let replaced = |root: &Terms| living.iter().any(|held| is_same_root(held.license.terms(), root));
            let stays = |held: &HeldLicense| {
                let terms = held.license.terms();
                kept.contains(&(*key_id, terms.id)) || (terms.kind == Kind::Root && !replaced(terms))
            };
            let mut held: Vec<_> = dead.into_iter().filter(stays).collect();
            held.extend(living);
            held.sort_by_key(|held| held.license.terms().id);
            record.held = held;
        }
    }

    /// Leaves the changes with other writes.
    pub(crate) fn write(self, writes: &mut Writes) {
        for ((place, key_id), Record { held, .. }) in self.records.into_iter().filter(|(_, record)| record.is_changed) {
            let key = licenses_key(&key_id);
            if held.is_empty() { writes.delete(place, key) } else { writes.put(place, key, HeldLicense::record(&held)) }
        }
    }

    fn record(&mut self, place: Place, key_id: KeyId) -> Result<&mut Record, Error> {
        match self.records.entry((place, key_id)) {
            Entry::Occupied(record) => Ok(record.into_mut()),
            Entry::Vacant(free) => {
                Ok(free.insert(Record { held: self.store.held_in(place, &key_id)?, is_changed: false }))
            }
        }
    }
}

/// Whether leaves that need one of these roots can be used with the other. Both are for one key.
fn is_same_root(one: &Terms, other: &Terms) -> bool {
    one.kind == Kind::Root && one.revision == other.revision
}

//! The license store of one realm: sealed, versioned records in a key-value storage.
//!
//! | key | record |
//! | --- | --- |
//! | `p` | position: epoch, sequence number, hash-chain head over all writes, and the root of the tree |
//! | `n` path | a node of the tree over all records below |
//! | `c0` `c1` | the clock's record, in turn |
//! | `i` | identity: keys and certificate |
//! | `k` key id | every license for a key as it was verified, each with how it was used |
//! | `o` device's key, key id | a portable license that a device may not have yet |
//! | `r` | the uses that are reserved and not yet charged |
//!
//! Content names keys, so licenses are found by key. Who has nothing but a license's id looks through all of them, and who has its
//! key as well reads one record.

use core::ops::ControlFlow;

use admit_crypto::record::Opened;
use admit_crypto::{Digest, Entropy, Provider, RecordKey};
use admit_license::{HeldLicense, KeyId, LicenseId, Terms, Usage, VerifiedLicense};
use admit_protocol::acquire::{HeldElement, StorePosition};
use admit_time::TrustedTime;
use admit_time::clock::{Clock, Now};

use crate::edit::Edit;
use crate::ledger::Ledger;
use crate::write::{Place, Writes};
use crate::{Error, KeyValue, MemoryKeyValue, MixedEntropy};

/// A store that is open. Licenses that may not be kept beyond the session live in a second, passing one.
pub struct Store<'p, K> {
    pub(crate) provider: &'p Provider,
    storage: Ledger<'p, K>,
    session: Ledger<'p, MemoryKeyValue>,
}

/// A license as `admit license list` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLicense {
    /// What it says.
    pub terms: Terms,
    /// How it was used.
    pub usage: Usage,
}

impl<'p, K: KeyValue> Store<'p, K> {
    /// Opens the store of a realm. An empty storage becomes a new store with the first write.
    pub fn open(
        provider: &'p Provider,
        storage: K,
        realm: Digest,
        key: RecordKey,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, Error> {
        let mut mixed = MixedEntropy::new(provider, &key, BEFORE_ANY_WRITE, entropy);
        let passing = RecordKey::generate(&mut mixed);
        let session = Ledger::open(provider, MemoryKeyValue::default(), realm, passing, &mut mixed)?;
        Ok(Self { provider, storage: Ledger::open(provider, storage, realm, key, &mut mixed)?, session })
    }

    /// The realm.
    #[must_use]
    pub const fn realm(&self) -> Digest {
        self.storage.realm()
    }

    /// Where the store stands.
    #[must_use]
    pub const fn position(&self) -> StorePosition {
        self.storage.position()
    }

    /// Entropy for one step: the host's, mixed with the store's secret and sequence number.
    pub fn entropy(&self, host: &mut dyn Entropy) -> MixedEntropy<'p> {
        MixedEntropy::new(self.provider, self.storage.key(), self.position().sequence, host)
    }

    /// Looks again where the store stands, after another process moved it and a step ended in
    /// [`StorageError::Conflict`](crate::StorageError::Conflict). The step can then be tried again.
    pub fn refresh(&mut self) -> Result<(), Error> {
        self.storage.refresh()
    }

    /// Gives the storage back.
    pub fn into_storage(self) -> K {
        self.storage.into_storage()
    }

    /// Every license for a key, and the roots that its leaves need.
    pub fn held(&self, key_id: &KeyId) -> Result<Vec<HeldLicense>, Error> {
        self.storage.at_once(|| self.held_with_roots(key_id))
    }

    fn held_with_roots(&self, key_id: &KeyId) -> Result<Vec<HeldLicense>, Error> {
        let mut held = self.held_by_key(key_id)?;
        let mut roots = Vec::new();
        for leaf in held.iter().filter_map(|held| held.license.terms().uplink) {
            if !roots.contains(&leaf.key_id) {
                roots.push(leaf.key_id);
            }
        }
        for root in roots {
            held.extend(self.held_by_key(&root)?);
        }
        Ok(held)
    }

    /// The licenses for these keys and their roots, as a challenge names them. Those that must be acquired again are not
    /// named (row E09).
    pub fn held_elements(&self, key_ids: &[KeyId]) -> Result<Vec<HeldElement>, Error> {
        let mut elements = Vec::new();
        for key_id in key_ids {
            let held = self.held(key_id)?;
            elements.extend(held.iter().filter(|held| !held.was_stored_before_clock()).map(|held| {
                let terms = held.license.terms();
                HeldElement { key_id: terms.key_id, license: terms.id }
            }));
        }
        Ok(elements)
    }

    /// Every license in the store, in the order of their keys, those of the session behind the others.
    pub fn licenses(&self) -> Result<Vec<StoredLicense>, Error> {
        self.find(|_| true)
    }

    /// The licenses with the ids that are wanted, in the same order. Looks through all there are, and keeps only these in memory.
    pub fn find(&self, is_wanted: impl Fn(LicenseId) -> bool) -> Result<Vec<StoredLicense>, Error> {
        let mut licenses = Vec::new();
        self.scan(&mut |place, held| {
            if is_wanted(held.license.terms().id) {
                licenses.push((place, StoredLicense::from(held)));
            }
            ControlFlow::Continue(())
        })?;
        licenses.sort_by_key(|(place, StoredLicense { terms, .. })| (*place, terms.key_id, terms.id));
        Ok(licenses.into_iter().map(|(_, license)| license).collect())
    }

    /// The licenses for a key, without the roots that they need. Reads what there is for this key and nothing else.
    pub fn licenses_for(&self, key_id: &KeyId) -> Result<Vec<StoredLicense>, Error> {
        Ok(self.held_by_key(key_id)?.into_iter().map(StoredLicense::from).collect())
    }

    /// Visits every license, in any order, until the visitor breaks.
    pub(crate) fn scan(&self, visit: &mut dyn FnMut(Place, HeldLicense) -> ControlFlow<()>) -> Result<(), Error> {
        let mut flow = ControlFlow::Continue(());
        for place in Place::ALL {
            let mut visit = |_: &[u8], record: &Opened| {
                let mut held = HeldLicense::restore_all(self.realm(), record)?.into_iter();
                flow = held.try_for_each(|held| visit(place, held));
                Ok(flow)
            };
            match place {
                Place::Storage => self.storage.scan(LICENSES_OF_KEY, &mut visit)?,
                Place::Session => self.session.scan(LICENSES_OF_KEY, &mut visit)?,
            }
            if flow.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Puts verified licenses in the store with what the clock remembers, those of the session into the session's. A
    /// license that is already there is left as it is, with its usage; one from before the client had a time goes when one
    /// for its key comes (row E09), and so does one that can never be used again.
    pub(crate) fn add(
        &mut self,
        licenses: &[VerifiedLicense],
        clock: &mut Clock,
        now: &Now,
        entropy: &mut dyn Entropy,
    ) -> Result<(), Error> {
        let usage = Usage { stored_at: now.time().map(TrustedTime::latest), ..Usage::default() };
        let mut edit = Edit::of(self);
        if usage.stored_at.is_some() {
            // Before all others: one of them may have the id of the one that goes, as what is recovered has.
            for license in licenses {
                edit.remove(place_of(license), license.terms().key_id, HeldLicense::was_stored_before_clock)?;
            }
        }
        for license in licenses {
            let terms = license.terms();
            if edit.usage(terms.key_id, terms.id)?.is_none() {
                edit.add(place_of(license), license, usage)?;
            }
        }
        // One that came again is there: it would come with its counts unused the next time.
        let mut kept = self.reserved()?;
        kept.extend(licenses.iter().map(|license| (license.terms().key_id, license.terms().id)));
        edit.bury(now.certain(), &kept);
        let mut writes = Writes::default();
        edit.write(&mut writes);
        self.commit_with_clock(writes, clock, entropy)
    }

    /// Makes all writes, and keeps the clock with them where that is due.
    fn commit_with_clock(
        &mut self,
        mut writes: Writes,
        clock: &mut Clock,
        entropy: &mut dyn Entropy,
    ) -> Result<(), Error> {
        if !clock.needs_saving() {
            return self.commit_all(writes, entropy);
        }
        clock.save(|sequence, record| {
            Self::clock_write(sequence, record, &mut writes);
            self.commit_all(writes, entropy)
        })
    }

    pub(crate) fn put_identity(&mut self, record: &[u8], entropy: &mut dyn Entropy) -> Result<(), Error> {
        let mut writes = Writes::default();
        writes.put(Place::Storage, IDENTITY.to_vec(), record.to_vec());
        self.commit_all(writes, entropy)
    }

    pub(crate) fn identity(&self) -> Result<Option<Opened>, Error> {
        self.get(Place::Storage, IDENTITY)
    }

    /// Deletes licenses, each named with its key: nothing but its issuer's care keeps another key's license from having the same
    /// id. Those that are not there are passed over. Says whether any was.
    pub fn delete_all(&mut self, licenses: &[(KeyId, LicenseId)], entropy: &mut dyn Entropy) -> Result<bool, Error> {
        let (mut edit, mut was_there) = (Edit::of(self), false);
        for &(key_id, id) in licenses {
            was_there |= edit.delete(key_id, id)?;
        }
        let mut writes = Writes::default();
        edit.write(&mut writes);
        self.commit_all(writes, entropy)?;
        Ok(was_there)
    }

    /// Makes all writes, those of the storage first: when it refuses, nothing has changed.
    pub(crate) fn commit_all(&mut self, writes: Writes, entropy: &mut dyn Entropy) -> Result<(), Error> {
        if !writes.storage.is_empty() {
            self.storage.commit(writes.storage, entropy)?;
        }
        if !writes.session.is_empty() {
            self.session.commit(writes.session, entropy)?;
        }
        Ok(())
    }

    pub(crate) fn get(&self, place: Place, key: &[u8]) -> Result<Option<Opened>, Error> {
        match place {
            Place::Storage => self.storage.get(key),
            Place::Session => self.session.get(key),
        }
    }

    /// The licenses for a key in one place.
    pub(crate) fn held_in(&self, place: Place, key_id: &KeyId) -> Result<Vec<HeldLicense>, Error> {
        let Some(record) = self.get(place, &licenses_key(key_id))? else { return Ok(Vec::new()) };
        Ok(HeldLicense::restore_all(self.realm(), &record)?)
    }

    fn held_by_key(&self, key_id: &KeyId) -> Result<Vec<HeldLicense>, Error> {
        let mut held = self.held_in(Place::Storage, key_id)?;
        held.extend(self.held_in(Place::Session, key_id)?);
        Ok(held)
    }
}

impl From<HeldLicense> for StoredLicense {
    fn from(held: HeldLicense) -> Self {
        Self { terms: held.license.into_terms(), usage: held.usage }
    }
}

impl<K: KeyValue> core::fmt::Debug for Store<'_, K> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Store")
            .field("realm", &self.storage.realm())
            .field("position", &self.storage.position())
            .finish_non_exhaustive()
    }
}

pub(crate) fn licenses_key(key_id: &KeyId) -> Vec<u8> {
    [LICENSES_OF_KEY, key_id.as_bytes()].concat()
}

/// Where a license is kept.
fn place_of(license: &VerifiedLicense) -> Place {
    if license.terms().persistent.unwrap_or(true) { Place::Storage } else { Place::Session }
}

pub(crate) const RESERVATIONS: &[u8] = b"r";
const IDENTITY: &[u8] = b"i";
const LICENSES_OF_KEY: &[u8] = b"k";

/// The sequence number under which entropy is drawn while a store is opened: no write has it.
const BEFORE_ANY_WRITE: u64 = u64::MAX;

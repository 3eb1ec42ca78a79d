//! The license store of one realm: sealed, versioned records in a key-value storage.
//!
//! | key | record |
//! | --- | --- |
//! | `p` | position: epoch, sequence number, hash-chain head over all writes, and the root of the tree |
//! | `n` path | a node of the tree over all records below |
//! | `c0` `c1` | the clock's record, in turn |
//! | `i` | identity: keys and certificate |
//! | `k` key id | the ids of the licenses for a key |
//! | `l` license id | a license as it was verified |
//! | `u` license id | how the license was used |
//! | `o` device's key, key id | a portable license that a device may not have yet |
//! | `r` | the uses that are reserved and not yet charged |

use std::collections::BTreeMap;

use admit_crypto::record::Opened;
use admit_crypto::{Digest, Entropy, Provider, RecordKey};
use admit_license::{HeldLicense, KeyId, Kind, LicenseId, Terms, Usage, VerifiedLicense};
use admit_protocol::acquire::{HeldElement, StorePosition};
use admit_time::TrustedTime;
use admit_time::clock::{Clock, Now};

use crate::ledger::{Ledger, decode, encode, tampered};
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

    /// Every license in the store.
    pub fn licenses(&self) -> Result<Vec<StoredLicense>, Error> {
        let mut licenses = Vec::new();
        for place in Place::ALL {
            for key in self.keys(place, LICENSES_OF_KEY)? {
                let ids = self.ids_under(place, &key)?;
                licenses.extend(self.read_licenses(place, &ids)?.into_iter().map(StoredLicense::from));
            }
        }
        Ok(licenses)
    }

    /// One license.
    pub fn license(&self, id: LicenseId) -> Result<Option<StoredLicense>, Error> {
        Ok(self.find(id)?.map(|(_, held)| held.into()))
    }

    /// Deletes a license. Says whether it was there.
    pub fn delete(&mut self, id: LicenseId, entropy: &mut dyn Entropy) -> Result<bool, Error> {
        let mut writes = Writes::default();
        self.delete_licenses(&[id], &mut writes)?;
        let found = !writes.is_empty();
        self.commit_all(writes, entropy)?;
        Ok(found)
    }

    /// Puts verified licenses in the store with what the clock remembers, those of the session into the session's. A
    /// license that is already there is left as it is, with its usage; one from before the client had a time goes when
    /// another one for its key comes (row E09).
    pub(crate) fn add(
        &mut self,
        licenses: &[VerifiedLicense],
        clock: &mut Clock,
        now: &Now,
        entropy: &mut dyn Entropy,
    ) -> Result<(), Error> {
        let mut writes = Writes::default();
        let usage = Usage { stored_at: now.time().map(TrustedTime::latest), ..Usage::default() };
        let mut added = BTreeMap::<_, Vec<LicenseId>>::new();
        for license in licenses {
            let terms = license.terms();
            if self.find(terms.id)?.is_some() {
                continue;
            }
            let place = if terms.persistent.unwrap_or(true) { Place::Storage } else { Place::Session };
            writes.put(place, license_key(&terms.id), license.record().to_vec());
            writes.put(place, usage_key(&terms.id), encode(&usage));
            added.entry((place, terms.key_id)).or_default().push(terms.id);
        }
        for ((place, key_id), mut ids) in added {
            let key = licenses_key(&key_id);
            for held in self.read_licenses(place, &self.ids_under(place, &key)?)? {
                let id = held.license.terms().id;
                if held.was_stored_before_clock() {
                    writes.delete(place, license_key(&id));
                    writes.delete(place, usage_key(&id));
                } else {
                    ids.push(id);
                }
            }
            ids.sort();
            ids.dedup();
            writes.put(place, key, encode(&ids));
        }
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

    /// How a license was used, and where that is kept.
    pub(crate) fn usage(&self, id: &LicenseId) -> Result<Option<(Place, Usage)>, Error> {
        let key = usage_key(id);
        for place in Place::ALL {
            if let Some(record) = self.get(place, &key)? {
                return Ok(Some((place, decode(&key, &record)?)));
            }
        }
        Ok(None)
    }

    /// Deletes licenses with everything about them. Those that are not there are passed over.
    pub(crate) fn delete_licenses(&self, ids: &[LicenseId], writes: &mut Writes) -> Result<(), Error> {
        let mut left = BTreeMap::<_, Vec<LicenseId>>::new();
        for id in ids {
            let Some((place, held)) = self.find(*id)? else { continue };
            let key = licenses_key(&held.license.terms().key_id);
            let found = self.ids_under(place, &key)?;
            left.entry((place, key)).or_insert(found).retain(|other| other != id);
            writes.delete(place, license_key(id));
            writes.delete(place, usage_key(id));
        }
        for ((place, key), ids) in left {
            if ids.is_empty() { writes.delete(place, key) } else { writes.put(place, key, encode(&ids)) }
        }
        Ok(())
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

    fn keys(&self, place: Place, prefix: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
        match place {
            Place::Storage => self.storage.keys(prefix),
            Place::Session => self.session.keys(prefix),
        }
    }

    fn held_by_key(&self, key_id: &KeyId) -> Result<Vec<HeldLicense>, Error> {
        let mut held = Vec::new();
        for place in Place::ALL {
            held.extend(self.read_licenses(place, &self.ids_under(place, &licenses_key(key_id))?)?);
        }
        Ok(held)
    }

    fn ids_under(&self, place: Place, key: &[u8]) -> Result<Vec<LicenseId>, Error> {
        self.get(place, key)?.map_or(Ok(Vec::new()), |record| decode(key, &record))
    }

    fn read_licenses(&self, place: Place, ids: &[LicenseId]) -> Result<Vec<HeldLicense>, Error> {
        let read = |id| self.read_license(place, id)?.ok_or_else(|| tampered(&license_key(id)));
        ids.iter().map(read).collect()
    }

    fn find(&self, id: LicenseId) -> Result<Option<(Place, HeldLicense)>, Error> {
        for place in Place::ALL {
            if let Some(held) = self.read_license(place, &id)? {
                return Ok(Some((place, held)));
            }
        }
        Ok(None)
    }

    fn read_license(&self, place: Place, id: &LicenseId) -> Result<Option<HeldLicense>, Error> {
        let Some(record) = self.get(place, &license_key(id))? else { return Ok(None) };
        let license = VerifiedLicense::restore(self.provider, self.realm(), &record)?;
        let key = usage_key(id);
        let usage = decode(&key, &self.get(place, &key)?.ok_or_else(|| tampered(&key))?)?;
        debug_assert!(license.terms().kind != Kind::Leaf || license.terms().uplink.is_some());
        Ok(Some(HeldLicense { license, usage }))
    }
}

impl From<HeldLicense> for StoredLicense {
    fn from(held: HeldLicense) -> Self {
        Self { terms: held.license.terms().clone(), usage: held.usage }
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

pub(crate) fn usage_key(id: &LicenseId) -> Vec<u8> {
    [USAGE, id.as_bytes()].concat()
}

fn license_key(id: &LicenseId) -> Vec<u8> {
    [LICENSE, id.as_bytes()].concat()
}

fn licenses_key(key_id: &KeyId) -> Vec<u8> {
    [LICENSES_OF_KEY, key_id.as_bytes()].concat()
}

pub(crate) const RESERVATIONS: &[u8] = b"r";
const IDENTITY: &[u8] = b"i";
const LICENSES_OF_KEY: &[u8] = b"k";
const LICENSE: &[u8] = b"l";
const USAGE: &[u8] = b"u";

/// The sequence number under which entropy is drawn while a store is opened: no write has it.
const BEFORE_ANY_WRITE: u64 = u64::MAX;

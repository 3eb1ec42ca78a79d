//! The license store of one realm: sealed, versioned records in a key-value storage.
//!
//! | key | record |
//! | --- | --- |
//! | `p` | position: epoch, sequence number and hash-chain head over all writes |
//! | `i` | identity: keys and certificate |
//! | `l` key id, license id | a license as it was verified |
//! | `u` license id | how the license was used |
//! | `r` reservation id | a use that is reserved and not yet charged |
//!
//! Every write goes through [`Store::commit`], which moves the position; the storage refuses a write when
//! another process moved it first.

use admit_crypto::record::{self, Opened};
use admit_crypto::{Digest, Entropy, Provider, RecordKey};
use admit_license::{HeldLicense, KeyId, Kind, LicenseId, Terms, Usage, VerifiedLicense};
use admit_protocol::acquire::{HeldElement, StorePosition};
use minicbor::{Decode, Encode};

use crate::write::{Place, Write, Writes};
use crate::{Change, Error, KeyValue, MemoryKeyValue, MixedEntropy, Precondition, Records};

/// A store that is open. Licenses that may not be kept beyond the session live in a second, passing one.
pub struct Store<'p, K> {
    pub(crate) provider: &'p Provider,
    storage: K,
    session: MemoryKeyValue,
    realm: Digest,
    key: RecordKey,
    position: StorePosition,
    sealed_position: Option<Vec<u8>>,
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
        let sealed_position = storage.get(POSITION)?;
        let position = match &sealed_position {
            Some(sealed) => decode(POSITION, &unseal(provider, &key, &realm, POSITION, sealed)?)?,
            None if !storage.scan(&[])?.is_empty() => return Err(Error::StoreIncomplete),
            None => new_position(&key, provider, entropy),
        };
        Ok(Self { provider, storage, session: MemoryKeyValue::default(), realm, key, position, sealed_position })
    }

    /// The realm.
    #[must_use]
    pub const fn realm(&self) -> Digest {
        self.realm
    }

    /// Where the store stands.
    #[must_use]
    pub const fn position(&self) -> StorePosition {
        self.position
    }

    /// Entropy for one step: the host's, mixed with the store's secret and sequence number.
    pub fn entropy(&self, host: &mut dyn Entropy) -> MixedEntropy<'p> {
        MixedEntropy::new(self.provider, &self.key, self.position.sequence, host)
    }

    /// Looks again where the store stands, after another process moved it and a step ended in
    /// [`StorageError::Conflict`](crate::StorageError::Conflict). The step can then be tried again.
    pub fn refresh(&mut self) -> Result<(), Error> {
        let sealed = self.storage.get(POSITION)?.ok_or(Error::StoreIncomplete)?;
        let position: StorePosition = decode(POSITION, &self.unseal(POSITION, &sealed)?)?;
        let begun = self.sealed_position.is_some();
        if begun && (position.epoch != self.position.epoch || position.sequence < self.position.sequence) {
            return Err(Error::StoreTampered { record: hex(POSITION) });
        }
        self.position = position;
        self.sealed_position = Some(sealed);
        Ok(())
    }

    /// Gives the storage back.
    pub fn into_storage(self) -> K {
        self.storage
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

    /// The licenses for these keys and their roots, as a challenge names them.
    pub fn held_elements(&self, key_ids: &[KeyId]) -> Result<Vec<HeldElement>, Error> {
        let mut elements = Vec::new();
        for key_id in key_ids {
            let held = self.held(key_id)?;
            elements.extend(held.iter().map(|held| {
                let terms = held.license.terms();
                HeldElement { key_id: terms.key_id, license: terms.id }
            }));
        }
        Ok(elements)
    }

    /// Every license in the store.
    pub fn licenses(&self) -> Result<Vec<StoredLicense>, Error> {
        let held = self.read_licenses(LICENSE)?;
        Ok(held
            .into_iter()
            .map(|held| StoredLicense { terms: held.license.terms().clone(), usage: held.usage })
            .collect())
    }

    /// Deletes a license. Says whether it was there.
    pub fn delete(&mut self, id: LicenseId, entropy: &mut dyn Entropy) -> Result<bool, Error> {
        let found = self.licenses()?.into_iter().find(|license| license.terms.id == id);
        let Some(found) = found else { return Ok(false) };
        let mut writes = Writes::default();
        self.delete_license(self.place_of(&id)?, license_key(&found.terms.key_id, &id), &id, &mut writes);
        self.commit_all(writes, entropy)?;
        Ok(true)
    }

    /// Puts verified licenses in the store, those of the session into the session's. A license that is already
    /// there is left as it is, with its usage.
    pub(crate) fn add(
        &mut self,
        licenses: &[VerifiedLicense],
        usage: &Usage,
        entropy: &mut dyn Entropy,
    ) -> Result<(), Error> {
        let mut writes = Writes::default();
        for license in licenses {
            let terms = license.terms();
            let key = license_key(&terms.key_id, &terms.id);
            if self.get(&key)?.is_some() {
                continue;
            }
            let place = if terms.persistent.unwrap_or(true) { Place::Storage } else { Place::Session };
            writes.put(place, key, license.record().to_vec());
            writes.put(place, usage_key(&terms.id), encode(usage));
        }
        self.commit_all(writes, entropy)
    }

    pub(crate) fn put_identity(&mut self, record: &[u8], entropy: &mut dyn Entropy) -> Result<(), Error> {
        self.commit(vec![Write::Put { key: IDENTITY.to_vec(), plaintext: record.to_vec() }], entropy)
    }

    pub(crate) fn identity(&self) -> Result<Option<Opened>, Error> {
        self.get(IDENTITY)
    }

    pub(crate) fn usage(&self, id: &LicenseId) -> Result<Option<Usage>, Error> {
        let key = usage_key(id);
        self.get(&key)?.map(|record| decode(&key, &record)).transpose()
    }

    /// Where a license and everything about it is kept.
    pub(crate) fn place_of(&self, id: &LicenseId) -> Result<Place, Error> {
        let in_session = self.session.get(&usage_key(id))?.is_some();
        Ok(if in_session { Place::Session } else { Place::Storage })
    }

    pub(crate) fn key_of(&self, place: Place, id: &LicenseId) -> Result<Option<Vec<u8>>, Error> {
        let keys = self.scan_sealed(place, LICENSE)?.into_iter().map(|(key, _)| key);
        Ok(keys.into_iter().find(|key| key.ends_with(id.as_bytes())))
    }

    pub(crate) fn scan(&self, place: Place, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Opened)>, Error> {
        let records = self.scan_sealed(place, prefix)?.into_iter();
        records.map(|(key, sealed)| Ok((key.clone(), self.unseal(&key, &sealed)?))).collect()
    }

    pub(crate) fn delete_license(&self, place: Place, key: Vec<u8>, id: &LicenseId, writes: &mut Writes) {
        writes.delete(place, key);
        writes.delete(place, usage_key(id));
    }

    /// Makes all writes, those of the storage first: when it refuses, nothing has changed.
    pub(crate) fn commit_all(&mut self, writes: Writes, entropy: &mut dyn Entropy) -> Result<(), Error> {
        if !writes.storage.is_empty() {
            self.commit(writes.storage, entropy)?;
        }
        if !writes.session.is_empty() {
            let changes = self.seal_all(writes.session, entropy);
            let unconditional = Precondition { key: POSITION.to_vec(), value: None };
            self.session.commit(&unconditional, &changes)?;
        }
        Ok(())
    }

    /// Makes writes and moves the position, all in one.
    fn commit(&mut self, writes: Vec<Write>, entropy: &mut dyn Entropy) -> Result<(), Error> {
        let mut changes = self.seal_all(writes, entropy);
        let next = StorePosition {
            epoch: self.position.epoch,
            sequence: self.position.sequence + 1,
            head: self.next_head(&changes),
        };
        let plaintext = minicbor::to_vec(next).expect(WRITING_TO_MEMORY);
        let sealed = record::seal(self.provider, &self.key, &[self.realm.as_bytes(), POSITION], &plaintext, entropy);
        changes.push(Change::Put { key: POSITION.to_vec(), value: sealed.clone() });
        let precondition = Precondition { key: POSITION.to_vec(), value: self.sealed_position.clone() };
        self.storage.commit(&precondition, &changes)?;
        self.position = next;
        self.sealed_position = Some(sealed);
        Ok(())
    }

    fn held_by_key(&self, key_id: &KeyId) -> Result<Vec<HeldLicense>, Error> {
        self.read_licenses(&[LICENSE, key_id.as_bytes()].concat())
    }

    fn read_licenses(&self, prefix: &[u8]) -> Result<Vec<HeldLicense>, Error> {
        let records = self.scan_sealed(Place::Storage, prefix)?.into_iter();
        let records = records.chain(self.scan_sealed(Place::Session, prefix)?);
        records.map(|(key, sealed)| self.read_license(&key, &sealed)).collect()
    }

    fn scan_sealed(&self, place: Place, prefix: &[u8]) -> Result<Records, Error> {
        Ok(match place {
            Place::Storage => self.storage.scan(prefix)?,
            Place::Session => self.session.scan(prefix)?,
        })
    }

    fn read_license(&self, key: &[u8], sealed: &[u8]) -> Result<HeldLicense, Error> {
        let license = VerifiedLicense::restore(self.provider, self.realm, &self.unseal(key, sealed)?)?;
        // A usage record that is gone was deleted by someone else than this program.
        let usage = self.usage(&license.terms().id)?;
        let usage = usage.ok_or_else(|| Error::StoreTampered { record: hex(&usage_key(&license.terms().id)) })?;
        debug_assert!(license.terms().kind != Kind::Leaf || license.terms().uplink.is_some());
        Ok(HeldLicense { license, usage })
    }

    fn get(&self, key: &[u8]) -> Result<Option<Opened>, Error> {
        let sealed = match self.session.get(key)? {
            Some(sealed) => Some(sealed),
            None => self.storage.get(key)?,
        };
        sealed.map(|sealed| self.unseal(key, &sealed)).transpose()
    }

    fn unseal(&self, key: &[u8], sealed: &[u8]) -> Result<Opened, Error> {
        unseal(self.provider, &self.key, &self.realm, key, sealed)
    }

    fn seal_all(&self, writes: impl IntoIterator<Item = Write>, entropy: &mut dyn Entropy) -> Vec<Change> {
        let mut seal = |key: &[u8], plaintext: &[u8]| {
            record::seal(self.provider, &self.key, &[self.realm.as_bytes(), key], plaintext, entropy)
        };
        let change = |write| match write {
            Write::Put { key, plaintext } => Change::Put { value: seal(&key, &plaintext), key },
            Write::Delete { key } => Change::Delete { key },
        };
        writes.into_iter().map(change).collect()
    }

    /// SHA-256 of the head so far and every change: key, then the sealed bytes or nothing.
    fn next_head(&self, changes: &[Change]) -> Digest {
        let mut head = self.position.head;
        for change in changes {
            let (kind, key, value): (&[u8], _, &[u8]) = match change {
                Change::Put { key, value } => (b"+", key, value),
                Change::Delete { key } => (b"-", key, &[]),
            };
            head = (self.provider.sha256)(&[head.as_bytes(), kind, &(key.len() as u64).to_be_bytes(), key, value]);
        }
        head
    }
}

impl<K> core::fmt::Debug for Store<'_, K> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Store").field("realm", &self.realm).field("position", &self.position).finish_non_exhaustive()
    }
}

pub(crate) fn usage_key(id: &LicenseId) -> Vec<u8> {
    [USAGE, id.as_bytes()].concat()
}

pub(crate) fn decode<'b, T: Decode<'b, ()>>(key: &[u8], record: &'b Opened) -> Result<T, Error> {
    minicbor::decode(record.bytes())
        .map_err(|error| Error::StoreRecord { record: hex(key), position: error.position().unwrap_or(0) })
}

pub(crate) fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).expect(WRITING_TO_MEMORY)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn license_key(key_id: &KeyId, id: &LicenseId) -> Vec<u8> {
    [LICENSE, key_id.as_bytes(), id.as_bytes()].concat()
}

fn unseal(provider: &Provider, key: &RecordKey, realm: &Digest, at: &[u8], sealed: &[u8]) -> Result<Opened, Error> {
    record::open(provider, key, &[realm.as_bytes(), at], sealed).map_err(|error| match error {
        admit_crypto::Error::UnknownRecordVersion { found } => Error::StoreVersion { record: hex(at), version: found },
        _ => Error::StoreTampered { record: hex(at) },
    })
}

fn new_position(key: &RecordKey, provider: &Provider, entropy: &mut dyn Entropy) -> StorePosition {
    let mut epoch = [0; 16];
    MixedEntropy::new(provider, key, 0, entropy).fill(&mut epoch);
    StorePosition { epoch: epoch.into(), sequence: 0, head: Digest::from_bytes([0; 32]) }
}

pub(crate) const RESERVATION: &[u8] = b"r";
const POSITION: &[u8] = b"p";
const IDENTITY: &[u8] = b"i";
const LICENSE: &[u8] = b"l";
const USAGE: &[u8] = b"u";
const WRITING_TO_MEMORY: &str = "writing to memory succeeds";
